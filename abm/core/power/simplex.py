"""The compiled solver: front of `kernel.solve`, with the certificate and the last resort."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import kernel
from .case import Floats, Ints, PowerCase, PowerResult
from .merge import merge
from .network import Topology, Uint32s, topology_of
from .workspace import OPTIMAL

GAP_TOLERANCE = 1e-9  # objective against its bound, relative to the money that moves


class _Scratch(NamedTuple):
    """Memory of one thread for one topology; what lies in it never reaches a result."""

    topology: Topology
    floats: Floats
    ints: Uint32s
    figures: Floats
    counts: Ints


_local = threading.local()


def solve(case: PowerCase, warm: NDArray[Any] | None = None) -> PowerResult:
    """Solve on the network; HiGHS (counted in `fallbacks`) where the proof fails.

    Args:
        case: the problem.
        warm: the `basis` of a result of this backend; one of another shape is set aside.

    Raises:
        InfeasibleCaseError: no dispatch meets the demand.
    """
    result = attempt(case, warm)
    if result is None:
        from . import crash, highs

        answer = highs.solve(case)
        return answer._replace(fallbacks=1, basis=crash.basis_after(case, answer.basis))
    return result


def attempt(case: PowerCase, warm: NDArray[Any] | None = None) -> PowerResult | None:
    """Solve on the network; None where no proved optimum was found."""
    merged = merge(case)
    zones, _, hours, lines, stores, loads, _ = case.shape
    size = 2 * ((zones + stores) * hours + loads) + (lines + 3 * stores + loads) * hours
    is_warm = warm is not None and warm.size == size and warm.dtype == np.int32
    basis = np.array(warm) if is_warm else np.empty(size, np.int32)
    generation = np.empty(case.capacity_mw.shape)
    shed = np.empty(case.shed_mw.shape)
    flow = np.empty((lines, hours))
    storage = np.empty((3 * stores, hours))
    flexible = np.empty((loads, hours))
    unserved = np.empty(loads)
    price = np.empty((zones, hours))
    case = merged.case
    scratch = _scratch_for(case)
    cost, forward, backward = case.cost, case.line_forward_mw, case.line_backward_mw
    status = kernel.solve(
        scratch.topology.sizes, scratch.topology.ends, scratch.floats, scratch.ints,
        merged.rows, merged.lines.part, merged.lines.back, merged.stores.part, merged.loads.part,
        is_warm, basis, case.demand_mw, case.capacity_mw,
        cost if cost.ndim == 3 else cost[:, :, None],
        forward if forward.ndim == 2 else forward[:, None],
        backward if backward.ndim == 2 else backward[:, None],
        case.charge_mw, case.discharge_mw, case.store_mwh,
        case.charge_efficiency, case.discharge_efficiency,
        case.flexible_mw, case.flexible_mwh, case.shed_mw, case.shed_cost,
        case.unserved_flexible_cost,
        generation, shed, flow, storage, flexible, unserved, price,
        scratch.figures, scratch.counts,
    )  # fmt: skip
    objective, bound, turnover, breach, largest = scratch.figures.tolist()
    if (
        status != OPTIMAL
        or not abs(objective - bound) <= GAP_TOLERANCE * turnover
        or not breach <= kernel.BREACH_TOLERANCE * largest
    ):
        return None
    return PowerResult(
        objective,
        bound,
        generation,
        shed,
        flow,
        storage[:stores],
        storage[stores : 2 * stores],
        storage[2 * stores :],
        flexible,
        unserved,
        price,
        basis,
        int(scratch.counts[0]),
    )


def _scratch_for(case: PowerCase) -> _Scratch:
    topology = topology_of(case)
    kept: dict[int, _Scratch] | None = getattr(_local, "kept", None)
    if kept is None:
        kept = _local.kept = {}
    found = kept.get(id(topology))
    if found is None or found.topology is not topology:
        if len(kept) >= 16:
            kept.clear()
        found = kept[id(topology)] = _Scratch(
            topology,
            np.zeros(topology.floats),
            np.zeros(topology.ints, dtype=np.uint32),
            np.zeros(5),
            np.zeros(4, dtype=np.int64),
        )
    return found
