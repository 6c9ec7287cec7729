"""Stocks counted anew from the arrays, for the ledger to be held against.

Shapes: S sites, O owners, M months ahead, E edges.
"""

from __future__ import annotations

from abm.core.jit import kernel

from .totals import total

(LOANS, DEPOSITS, SUMS) = range(3)
"""Places in what :func:`sites` counts; accelerators of each owner follow, then equity in the sites of each."""


@kernel(
    [
        "void(int64, int64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[::1], float64[::1],"
        "float64[::1])"
    ],
    allocates=False,
)
def sites(
    count,  # sites
    owner,  # (S,) number of the owner
    chips,  # (S,V) at work
    store,  # (S,V) waiting
    equity_paid,  # (S,I) currency
    loan,  # (S,) currency
    deposit,  # (S,) currency
    out,  # out (SUMS + 2 O,)
):
    """What sites owe and have deposited, accelerators that owners hold, and with a minus the equity paid in."""
    out[:] = 0.0
    owners = (out.size - SUMS) // 2
    for row in range(count):
        out[LOANS] += loan[row]
        out[DEPOSITS] += deposit[row]
        machines, equity = 0.0, 0.0
        for v in range(chips.shape[1]):
            machines += chips[row, v] + store[row, v]
        for i in range(equity_paid.shape[1]):
            equity += equity_paid[row, i]
        out[SUMS + owner[row]] += machines
        out[SUMS + owners + owner[row]] -= equity


@kernel(["float64(float64[:, ::1], int64, int64, int64)"], allocates=False)
def on_the_way(pipeline, first, sites, count):
    """Sum of ``pipeline`` (M,E) over the edges to the ``count`` sites that there are.

    From ``first`` on each maker has ``sites`` edges, for sites to come as well; nothing is on its way to these, or
    the ledger, where it was booked, would not agree.
    """
    there = 0.0
    for month in range(pipeline.shape[0]):
        for start in range(first, pipeline.shape[1], sites):
            there += total(pipeline[month, start : start + count])
    return there


(IN_TRANSIT, RESERVED, HELD) = range(3)
"""Places in what :func:`memory` counts; from ``HELD`` on what each maker holds."""


@kernel(
    ["void(float64[:, ::1], int64[::1], float64[::1], int64[::1], float64[::1], float64[::1])"],
    allocates=False,
)
def memory(
    pipeline,  # (M,E) on its way
    feeds,  # edges on which memory travels
    stock,  # kept at nodes
    reserve,  # nodes that keep some back
    input_stock,  # memory of makers of chips, the C that are asked for first
    out,  # out (HELD + C,)
):
    """Memory on its way, kept back, and held by makers of chips."""
    out[:] = 0.0
    for month in range(pipeline.shape[0]):
        for edge in feeds:
            out[IN_TRANSIT] += pipeline[month, edge]
    for node in reserve:
        out[RESERVED] += stock[node]
    for c in range(out.size - HELD):
        out[HELD + c] = input_stock[c]
