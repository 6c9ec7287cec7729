"""Compiled: days that share everything but demand, capacity and shedding, one after the other."""

from __future__ import annotations

from ..jit import kernel
from .kernel import BREACH_TOLERANCE, solve
from .loading import price_level
from .workspace import OPTIMAL

OBJECTIVE, BOUND, PIVOTS, UNPROVED, FIGURES = range(5)
"""Rows of `figures`."""


@kernel(
    [
        "int64(int64[::1], uint32[::1], float64[::1], uint32[::1], float64[::1], int64[::1],"
        "int64[::1], float64[:, :, ::1], float64[:, ::1], float64[::1], float64[:, ::1],"
        "int64[::1], float64[:, ::1], float64[:, ::1],"
        "float64[:, :, ::1], float64[:, :, :, ::1], float64[:, :, ::1], float64[:, :, :, ::1],"
        "float64[::1], float64, float64, boolean[::1],"
        "float64[:, :, :, ::1], float64[:, :, :, ::1], float64[:, :, ::1], float64[:, :, ::1],"
        "float64[:, :, ::1], float64[:, ::1], float64[:, :, ::1], int32[:, ::1], float64[:, ::1])"
    ],
    allocates=False,
)
def solve_days(
    sizes, ends, floats, ints, found, counts,  # the topology, and memory for it
    plan, limits, stores, energy, power, rows, store_part, load_part,  # `Merged`
    demand, capacity, cost, shed_mw,  # (D,Z,H), (D,Z,G,H), (Z,G,1) or (Z,G,H), (D,Z,K,H)
    shed_cost, unserved_cost, gap_tolerance, is_warm,  # (K,), scalars, (D,)
    generation, shed, flow, storage, flexible, unserved, price,  # out, days first
    basis,  # (D,B) to start from, and written over
    figures,  # out (FIGURES,D)
):  # fmt: skip
    """Solve each day from its own basis; no day's answer depends on another's.

    Returns how many lack a proof: that the answer is feasible, and its objective equal to its bound.
    """
    dearest, typical = price_level(cost, shed_cost, unserved_cost if sizes[5] > 0 else 0.0)
    unproved = 0
    for d in range(demand.shape[0]):
        status = solve(
            sizes, ends, floats, ints, rows, limits[2], limits[3], store_part, load_part,
            is_warm[d], basis[d], demand[d], capacity[d], cost, limits[0], limits[1],
            stores[2], stores[3], stores[4], stores[0], stores[1],
            power, energy, shed_mw[d], shed_cost, unserved_cost, dearest, typical,
            generation[d], shed[d], flow[d], storage[d], flexible[d], unserved[d], price[d],
            found, counts,
        )  # fmt: skip
        objective, bound, turnover, breach, largest = found[0], found[1], found[2], found[3], found[4]
        proved = (
            status == OPTIMAL
            and abs(objective - bound) <= gap_tolerance * turnover
            and breach <= BREACH_TOLERANCE * largest
        )
        figures[OBJECTIVE, d], figures[BOUND, d], figures[PIVOTS, d] = objective, bound, counts[0]
        figures[UNPROVED, d] = 0.0 if proved else 1.0
        unproved += not proved
    return unproved
