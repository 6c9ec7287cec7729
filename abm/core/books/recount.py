"""Stocks counted anew from the arrays, for the ledger to be held against.

Shapes: S sites, O owners, M months ahead, E edges.
"""

from __future__ import annotations

from abm.core.jit import kernel

(MACHINES, EQUITY, STOCKS) = range(3)
"""Rows of what :func:`owners` counts."""


@kernel(
    ["void(int64, int64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1])"],
    allocates=False,
)
def owners(
    count,  # sites
    owner,  # (S,) number of the owner
    chips,  # (S,V) at work
    store,  # (S,V) waiting
    equity_paid,  # (S,I) currency
    out,  # out (STOCKS,O)
):
    """Accelerators that owners hold, and with a minus the equity paid into their sites."""
    out[:] = 0.0
    for row in range(count):
        machines, equity = 0.0, 0.0
        for v in range(chips.shape[1]):
            machines += chips[row, v] + store[row, v]
        for i in range(equity_paid.shape[1]):
            equity += equity_paid[row, i]
        out[MACHINES, owner[row]] += machines
        out[EQUITY, owner[row]] -= equity


@kernel(["float64(float64[:, ::1], int64, int64, int64)"], allocates=False)
def on_the_way(pipeline, first, sites, count):
    """Sum of ``pipeline`` (M,E) over the edges to the ``count`` sites that there are, in four sums side by side.

    From ``first`` on each maker has ``sites`` edges, for sites to come as well; nothing is on its way to these, or
    the ledger, where it was booked, would not agree.
    """
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    fours = count // 4
    for month in range(pipeline.shape[0]):
        for start in range(first, pipeline.shape[1], sites):
            row = pipeline[month, start : start + count]
            for k in range(fours):
                a += row[4 * k]
                b += row[4 * k + 1]
                c += row[4 * k + 2]
                d += row[4 * k + 3]
            for k in range(4 * fours, row.size):
                a += row[k]
    return (a + b) + (c + d)


@kernel(["float64(float64[:, ::1], int64[::1])"], allocates=False)
def on_edges(pipeline, edges):
    """Sum of ``pipeline`` (M,E) over ``edges``."""
    total = 0.0
    for month in range(pipeline.shape[0]):
        for edge in edges:
            total += pipeline[month, edge]
    return total
