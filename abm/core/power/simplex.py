"""The compiled solver: front of `batch.solve_days`, and the last resort."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import batch
from .case import Floats, Ints, PowerCase, PowerResult
from .days import Bases, DayResults, PowerDays
from .merge import Merged, merge
from .network import Uint32s, topology

GAP_TOLERANCE = 1e-9  # objective against its bound, relative to the money that moves


class _Scratch(NamedTuple):
    """Memory of one thread for one topology; what lies in it never reaches a result."""

    sizes: Ints
    ends: Uint32s
    floats: Floats
    ints: Uint32s
    found: Floats
    counts: Ints


class _Memory(threading.local):
    """What a thread keeps between solves."""

    def __init__(self) -> None:
        self.scratch: dict[bytes, _Scratch] = {}
        self.merged: dict[tuple[int, ...], Merged] = {}


_memory = _Memory()


def solve(case: PowerCase, warm: NDArray[Any] | None = None) -> PowerResult:
    """Solve on the network; HiGHS (counted in `fallbacks`) where the proof fails.

    Args:
        case: the problem.
        warm: the `basis` of a result of this backend; one of another shape is set aside.

    Raises:
        InfeasibleCaseError: no dispatch meets the demand.
    """
    result = attempt(case, warm)
    return _last_resort(case) if result is None else result


def solve_days(days: PowerDays, warm: Bases) -> DayResults:
    """`solve` for each of the days, with a basis or None for each."""
    out, unproved = _run(days, days.demand_mw, days.capacity_mw, days.shed_mw, warm)
    results = DayResults(*out)
    if unproved:
        for day in results.figures[batch.UNPROVED].nonzero()[0].tolist():
            results.put(day, _last_resort(days[day]))
    return results


def attempt(case: PowerCase, warm: NDArray[Any] | None = None) -> PowerResult | None:
    """Solve on the network; None where no proved optimum was found."""
    out, unproved = _run(case, case.demand_mw[None], case.capacity_mw[None], case.shed_mw[None], (warm,))
    if unproved:
        return None
    generation, shed, flow, storage, flexible, unserved, price, basis, figures = out
    objective, bound, pivots, _ = figures[:, 0].tolist()
    rows, stores = storage[0], case.store_zone.size
    return PowerResult(
        objective,
        bound,
        generation[0],
        shed[0],
        flow[0],
        rows[:stores],
        rows[stores : 2 * stores],
        rows[2 * stores :],
        flexible[0],
        unserved[0],
        price[0],
        basis[0],
        int(pivots),
    )


def _run(
    case: PowerCase | PowerDays, demand: Floats, capacity: Floats, shed_mw: Floats, warm: Bases
) -> tuple[list[NDArray[Any]], int]:
    """Days like ``case`` in all but the three arrays (D,...): what `batch.solve_days` writes and returns."""
    merged = merge(case, _memory.merged)
    scratch = _scratch_for(merged.plan.tobytes())
    days, zones, hours = demand.shape
    lines, stores, loads = case.line_from.size, case.store_zone.size, case.flexible_zone.size
    basis, is_warm = _first_bases(
        warm, days, 2 * ((zones + stores) * hours + loads) + (lines + 3 * stores + loads) * hours
    )
    empty = np.empty
    out: list[NDArray[Any]] = [
        empty(capacity.shape),
        empty(shed_mw.shape),
        empty((days, lines, hours)),
        empty((days, 3 * stores, hours)),
        empty((days, loads, hours)),
        empty((days, loads)),
        empty(demand.shape),
        basis,
        empty((batch.FIGURES, days)),
    ]
    cost = case.cost
    unproved = batch.solve_days(
        *scratch,
        *merged,
        demand, capacity, cost if cost.ndim == 3 else cost[:, :, None], shed_mw,
        case.shed_cost, case.unserved_flexible_cost, GAP_TOLERANCE, is_warm,
        *out,
    )  # fmt: skip
    return out, unproved


def _first_bases(warm: Bases, days: int, size: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """(D,B) bases to start from and to write over, and whether each is one."""
    if isinstance(warm, np.ndarray) and warm.shape == (days, size) and warm.dtype == np.int32:
        return warm.copy(), np.ones(days, bool)
    basis, is_warm = np.empty((days, size), np.int32), np.zeros(days, bool)
    for day, given in enumerate(warm):
        if given is not None and given.size == size and given.dtype == np.int32:
            basis[day] = given
            is_warm[day] = True
    return basis, is_warm


def _last_resort(case: PowerCase) -> PowerResult:
    from . import crash, highs

    answer = highs.solve(case)
    return answer._replace(fallbacks=1, basis=crash.basis_after(case, answer.basis))


def _scratch_for(plan: bytes) -> _Scratch:
    kept = _memory.scratch
    found = kept.get(plan)
    if found is None:
        if len(kept) >= 16:
            kept.clear()
            _memory.merged.clear()
        needed = topology(plan)
        found = kept[plan] = _Scratch(
            needed.sizes,
            needed.ends,
            np.zeros(needed.floats),
            np.zeros(needed.ints, dtype=np.uint32),
            np.zeros(5),
            np.zeros(4, dtype=np.int64),
        )
    return found
