"""Announcements that nobody stands behind any more."""

from __future__ import annotations

from abm.core.jit import kernel


@kernel(["int64(int64, int64, int64, int64[::1], boolean[::1], int64[::1], int64[::1])"], allocates=False)
def stale(
    count,  # sites
    announced,  # the status that counts
    before,  # month: sites that were expected earlier have had their time
    status,  # (S,)
    sponsor,  # (S,) whether somebody stands behind the site
    expected,  # (S,) month announced
    rows,  # (S,) out: the sites
):
    """Announced sites without a sponsor whose date lies back too far; returns how many ``rows`` there are."""
    found = 0
    for row in range(count):
        if status[row] == announced and not sponsor[row] and expected[row] < before:
            rows[found] = row
            found += 1
    return found
