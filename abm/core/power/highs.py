"""The case as a linear programme for HiGHS: the reference, and the last resort.

The index structure depends on the shape and the topology alone and is kept; only numbers are
written for each solve. Everything is deterministic: one thread, simplex, a fixed seed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .case import Floats, InfeasibleCaseError, PowerCase, PowerResult, Shape, line_limits
from .certificate import cost_of, lower_bound

Mode = Literal["fast", "default"]
Int32s = NDArray[np.int32]


class Structure(NamedTuple):
    """Columns (generation, shed, flow, charge, discharge, soc, flexible, unserved) of a shape.

    Rows are balances (Z,H), storage (S,H) and flexible energy (F), in this order.
    """

    cuts: tuple[int, ...]  # where each kind of column begins; the last is their number
    rows: int
    start: Int32s
    row_index: Int32s
    charge_at: slice  # the stretches of nonzeros that hold an efficiency
    discharge_at: slice
    value: Floats


class Programme(NamedTuple):
    """min cost x, A x = rhs, lower <= x <= upper, with A by columns."""

    structure: Structure
    cost: Floats
    lower: Floats
    upper: Floats
    rhs: Floats
    value: Floats


def programme(case: PowerCase) -> Programme:
    """The linear programme of a case."""
    shape = case.shape
    layout = _structure(
        shape,
        case.line_from.tobytes(),
        case.line_to.tobytes(),
        case.store_zone.tobytes(),
        case.flexible_zone.tobytes(),
    )
    zones, segments, hours, _, stores, _, tiers = shape
    cuts = layout.cuts
    cost = np.zeros(cuts[-1])
    lower = np.zeros(cuts[-1])
    upper = np.empty(cuts[-1])
    supply = (zones, segments, hours)
    cost[: cuts[1]].reshape(supply)[...] = case.cost if case.cost.ndim == 3 else case.cost[:, :, None]
    cost[cuts[1] : cuts[2]].reshape(zones, tiers, hours)[...] = case.shed_cost[None, :, None]
    cost[cuts[7] :] = case.unserved_flexible_cost
    forward, backward = line_limits(case)
    upper[: cuts[1]] = case.capacity_mw.ravel()
    upper[cuts[1] : cuts[2]] = case.shed_mw.ravel()
    upper[cuts[2] : cuts[3]] = forward.ravel()
    np.negative(backward.ravel(), out=lower[cuts[2] : cuts[3]])
    upper[cuts[3] : cuts[4]].reshape(stores, hours)[...] = case.charge_mw[:, None]
    upper[cuts[4] : cuts[5]].reshape(stores, hours)[...] = case.discharge_mw[:, None]
    upper[cuts[5] : cuts[6]].reshape(stores, hours)[...] = case.store_mwh[:, None]
    upper[cuts[6] : cuts[7]] = case.flexible_mw.ravel()
    upper[cuts[7] :] = case.flexible_mwh
    rhs = np.zeros(layout.rows)
    rhs[: zones * hours] = case.demand_mw.ravel()
    rhs[(zones + stores) * hours :] = case.flexible_mwh
    value = layout.value.copy()
    value[layout.charge_at].reshape(stores, hours, 2)[:, :, 1] = -case.charge_efficiency[:, None]
    value[layout.discharge_at].reshape(stores, hours, 2)[:, :, 1] = 1.0 / case.discharge_efficiency[:, None]
    return Programme(layout, cost, lower, upper, rhs, value)


@lru_cache(maxsize=64)
def _structure(
    shape: Shape, line_from: bytes, line_to: bytes, store_zone: bytes, flexible_zone: bytes
) -> Structure:
    zones, segments, hours, lines, stores, flexible, tiers = shape
    hour = np.arange(hours)

    def zone_rows(zone: bytes) -> NDArray[np.int64]:
        return np.frombuffer(zone, dtype=np.int64)[:, None] * hours + hour

    first_store = zones * hours
    first_flexible = first_store + stores * hours
    balance = np.arange(zones)[:, None, None] * hours + hour
    storage = first_store + np.arange(stores)[:, None] * hours + hour
    following = first_store + np.arange(stores)[:, None] * hours + (hour + 1) % hours
    energy = first_flexible + np.arange(flexible)

    def pairs(a: Any, b: Any, x: float, y: float) -> tuple[Any, Any, int]:
        index = np.stack([a, np.broadcast_to(b, a.shape)], axis=-1).ravel()
        return index, np.tile([x, y], a.size), 2

    # In a single hour the state of charge cancels out of its own row.
    soc = pairs(storage, following, 1.0, -1.0)
    if hours == 1:
        soc = (np.empty(0, np.int64), np.empty(0), 0)
    blocks: list[tuple[Any, Any, int, int]] = []
    for (index, value, per), count in (
        (_single(np.broadcast_to(balance, (zones, segments, hours))), zones * segments * hours),
        (_single(np.broadcast_to(balance, (zones, tiers, hours))), zones * tiers * hours),
        (pairs(zone_rows(line_from), zone_rows(line_to), -1.0, 1.0), lines * hours),
        (pairs(zone_rows(store_zone), storage, -1.0, -1.0), stores * hours),
        (pairs(zone_rows(store_zone), storage, 1.0, 1.0), stores * hours),
        (soc, stores * hours),
        (pairs(zone_rows(flexible_zone), energy[:, None], -1.0, 1.0), flexible * hours),
        (_single(energy), flexible),
    ):
        blocks.append((index, value, per, count))
    lengths = [count for _, _, _, count in blocks]
    nonzeros = np.cumsum([0] + [index.size for index, _, _, _ in blocks])
    start = np.zeros(sum(lengths) + 1, dtype=np.int32)
    np.cumsum(np.repeat([per for _, _, per, _ in blocks], lengths), out=start[1:])
    return Structure(
        cuts=tuple(int(c) for c in np.cumsum([0, *lengths])),
        rows=first_flexible + flexible,
        start=start,
        row_index=np.concatenate([index for index, _, _, _ in blocks]).astype(np.int32),
        charge_at=slice(int(nonzeros[3]), int(nonzeros[4])),
        discharge_at=slice(int(nonzeros[4]), int(nonzeros[5])),
        value=np.concatenate([value for _, value, _, _ in blocks]).astype(np.float64),
    )


def _single(rows: Any) -> tuple[Any, Any, int]:
    return rows.ravel(), np.ones(rows.size), 1


def pass_to(solver: Any, lp: Programme) -> None:
    """Give the programme to a `highspy.Highs`."""
    layout = lp.structure
    columns = lp.cost.size
    solver.passModel(
        columns, layout.rows, layout.row_index.size, 1, 1, 0.0,
        lp.cost, lp.lower, lp.upper, lp.rhs, lp.rhs,
        layout.start, layout.row_index, lp.value, np.zeros(columns, dtype=np.int32),
    )  # fmt: skip


def new_solver(mode: Mode = "fast") -> Any:
    """A silent HiGHS. `fast`: its fastest cold setting here. `default`: as it comes."""
    import highspy

    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    if mode == "fast":
        solver.setOptionValue("solver", "simplex")
        solver.setOptionValue("presolve", "off")
        solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
        solver.setOptionValue("dual_feasibility_tolerance", 1e-9)
    return solver


def solve(case: PowerCase, warm: NDArray[Any] | None = None, mode: Mode = "fast") -> PowerResult:
    """Solve with HiGHS.

    Args:
        case: the problem.
        warm: the `basis` of a result of this backend; one of another shape is set aside.
        mode: `fast` (simplex, no presolve) or `default` (HiGHS as it comes, built each time).

    Raises:
        InfeasibleCaseError: no dispatch meets the demand.
        RuntimeError: HiGHS stopped without an optimum.
    """
    import highspy

    lp = programme(case)
    solver = new_solver(mode)
    pass_to(solver, lp)
    columns, rows = lp.cost.size, lp.structure.rows
    if warm is not None and warm.dtype == np.int8 and warm.shape == (columns + rows,):
        basis = highspy.HighsBasis()
        statuses = [highspy.HighsBasisStatus(int(code)) for code in warm]
        basis.col_status, basis.row_status = statuses[:columns], statuses[columns:]
        basis.valid = True
        basis.alien = False
        solver.setBasis(basis)
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        raise InfeasibleCaseError(
            "no dispatch meets the demand of every zone and hour: raise shed_mw or capacity_mw "
            "(shed tiers that cover the demand make any case feasible)"
        )
    if status != highspy.HighsModelStatus.kOptimal and mode == "fast":
        return solve(case, mode="default")  # presolve and plain tolerances get further
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS stopped with {solver.modelStatusToString(status)}")
    solution = solver.getSolution()
    info = solver.getInfo()
    codes = np.empty(0, dtype=np.int8)
    if mode == "fast":  # as it comes, HiGHS presolves and has no use for a basis
        kept = solver.getBasis()
        codes = np.fromiter((int(s) for s in [*kept.col_status, *kept.row_status]), dtype=np.int8)
    return unpack(
        case,
        lp,
        np.asarray(solution.col_value),
        np.asarray(solution.row_dual),
        codes,
        max(int(info.simplex_iteration_count), 0),
    )


def unpack(
    case: PowerCase, lp: Programme, x: Floats, y: Floats, basis: NDArray[Any], pivots: int
) -> PowerResult:
    """The result in the axes of the case, from column values and row duals."""
    zones, segments, hours, lines, stores, flexible, tiers = case.shape
    generation, shed, flow, charge, discharge, soc, taken, unserved = np.split(x, lp.structure.cuts[1:-1])
    price = y[: zones * hours].reshape(zones, hours)
    storage = y[zones * hours : (zones + stores) * hours].reshape(stores, hours)
    generation = generation.reshape(zones, segments, hours)
    shed = shed.reshape(zones, tiers, hours)
    return PowerResult(
        objective=cost_of(case, generation, shed, unserved),
        lower_bound=lower_bound(case, price, storage, y[(zones + stores) * hours :]),
        generation=generation,
        shed=shed,
        flow=flow.reshape(lines, hours),
        charge=charge.reshape(stores, hours),
        discharge=discharge.reshape(stores, hours),
        soc=soc.reshape(stores, hours),
        flexible=taken.reshape(flexible, hours),
        unserved_flexible=unserved,
        price=price,
        basis=basis,
        pivots=pivots,
    )
