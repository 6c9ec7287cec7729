"""Which announcements have turned out true or false."""

from __future__ import annotations

from numba import types

from abm.core.jit import kernel

INDEX = types.int64[::1]
LATE = 12
"""Months after the date announced from which on a site counts as one that did not come."""


@kernel(
    [
        types.int64(
            types.int64, types.int64, types.int64, types.int64, types.int64, INDEX, INDEX, INDEX, INDEX,
            types.boolean[::1], INDEX,
        )
    ],
    allocates=False,
)  # fmt: skip
def told(month, count, ai, running, withdrawn, kind, status, announced, expected, judged, rows):
    """Of the first ``count`` sites (S,) those whose announcement can be judged for the first time.

    A site is judged when it runs, is withdrawn or is a year late; ``judged`` (S,) remembers it. ``rows`` (S,)
    gets the sites, the result is how many they are.
    """
    found = 0
    for row in range(count):
        if judged[row] or kind[row] != ai or announced[row] > month or expected[row] <= 0:
            continue
        if status[row] == running or status[row] == withdrawn or month - expected[row] >= LATE:
            judged[row] = True
            rows[found] = row
            found += 1
    return found
