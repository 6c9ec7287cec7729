"""Compiled: days that share everything but demand, capacity and shedding, one after the other."""

from __future__ import annotations

from ..jit import kernel
from .kernel import solve

OBJECTIVE, BOUND, TURNOVER, BREACH, LARGEST, STATUS, PIVOTS, FIGURES = range(8)
"""Columns of `figures`."""


@kernel(
    [
        "void(int64[::1], uint32[::1], float64[::1], uint32[::1], int64[::1],"
        "int64[::1], float64[:, :, ::1], float64[:, ::1], float64[::1], float64[:, ::1],"
        "int64[::1], float64[:, ::1], float64[:, ::1],"
        "float64[:, :, ::1], float64[:, :, :, ::1], float64[:, :, ::1], float64[:, :, :, ::1],"
        "float64[::1], float64, boolean[::1],"
        "float64[:, :, :, ::1], float64[:, :, :, ::1], float64[:, :, ::1], float64[:, :, ::1],"
        "float64[:, :, ::1], float64[:, ::1], float64[:, :, ::1], int32[:, ::1], float64[:, ::1])"
    ],
    allocates=False,
)
def solve_days(
    sizes, ends, floats, ints, counts,  # the topology, and memory for it
    plan, limits, stores, energy, power, rows, store_part, load_part,  # `Merged`
    demand, capacity, cost, shed_mw,  # (D,Z,H), (D,Z,G,H), (Z,G,1) or (Z,G,H), (D,Z,K,H)
    shed_cost, unserved_cost, is_warm,  # (K,), scalar, (D,)
    generation, shed, flow, storage, flexible, unserved, price,  # out, days first
    basis,  # (D,B) to start from, and written over
    figures,  # out (D,FIGURES)
):  # fmt: skip
    """Solve each day from its own basis; no day's answer depends on another's."""
    for d in range(demand.shape[0]):
        status = solve(
            sizes, ends, floats, ints, rows, limits[2], limits[3], store_part, load_part,
            is_warm[d], basis[d], demand[d], capacity[d], cost, limits[0], limits[1],
            stores[2], stores[3], stores[4], stores[0], stores[1],
            power, energy, shed_mw[d], shed_cost, unserved_cost,
            generation[d], shed[d], flow[d], storage[d], flexible[d], unserved[d], price[d],
            figures[d], counts,
        )  # fmt: skip
        figures[d, STATUS], figures[d, PIVOTS] = status, counts[0]
