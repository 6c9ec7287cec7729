"""Random dispatch problems, tame and nasty, and an independent formulation to check against."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, linprog

from abm.core.power import PowerCase, PowerResult
from abm.core.power.certificate import gap, violation


def random_case(
    rng: np.random.Generator,
    *,
    zones: int | None = None,
    segments: int | None = None,
    hours: int | None = None,
    lines: int | None = None,
    stores: int | None = None,
    flexible: int | None = None,
    tiers: int | None = None,
    degenerate: bool = False,
    **changes: Any,
) -> PowerCase:
    """A feasible case with sizes drawn where not given.

    `degenerate` draws whole numbers from tiny ranges: ties, zero capacities, perfect stores and
    exact balances everywhere.
    """
    draw = rng.integers
    zones = int(draw(1, 5)) if zones is None else zones
    segments = int(draw(0, 5)) if segments is None else segments
    hours = int(draw(1, 7)) if hours is None else hours
    lines = int(draw(0, 6)) if lines is None else lines
    stores = int(draw(0, 4)) if stores is None else stores
    flexible = int(draw(0, 3)) if flexible is None else flexible
    tiers = int(draw(1, 3)) if tiers is None else tiers
    if zones == 1:
        lines = 0

    def amount(high: float, *shape: int) -> Any:
        if degenerate:
            return draw(0, max(2, int(high) // 10 + 1), shape).astype(float)
        values = rng.uniform(0.0, high, shape)
        return np.where(rng.random(shape) < 0.15, 0.0, values)

    def price(low: float, high: float, *shape: int) -> Any:
        if degenerate:
            return draw(-1, 3, shape).astype(float)
        return rng.uniform(low, high, shape)

    demand = amount(50.0, zones, hours)
    shed = amount(30.0, zones, tiers, hours)
    shed[:, -1, :] += demand  # the last tier covers the demand: never infeasible
    line_from = draw(0, zones, lines)
    line_to = (line_from + draw(1, max(2, zones), lines)) % zones
    hourly_limits = rng.random() < 0.5
    limit_shape = (lines, hours) if hourly_limits else (lines,)
    efficiency = (
        (lambda: rng.choice([0.5, 1.0, 1.0], stores))
        if degenerate
        else (lambda: np.where(rng.random(stores) < 0.2, 1.0, rng.uniform(0.3, 1.0, stores)))
    )
    cost_shape = (zones, segments, hours) if rng.random() < 0.4 else (zones, segments)
    fields: dict[str, Any] = dict(
        demand_mw=demand,
        capacity_mw=amount(30.0, zones, segments, hours),
        cost=price(-20.0, 100.0, *cost_shape),
        line_from=line_from,
        line_to=line_to,
        line_forward_mw=amount(20.0, *limit_shape),
        line_backward_mw=amount(20.0, *limit_shape),
        store_zone=draw(0, zones, stores),
        charge_mw=amount(15.0, stores),
        discharge_mw=amount(15.0, stores),
        store_mwh=amount(40.0, stores),
        charge_efficiency=efficiency(),
        discharge_efficiency=efficiency(),
        flexible_zone=draw(0, zones, flexible),
        flexible_mw=amount(10.0, flexible, hours),
        flexible_mwh=amount(40.0, flexible),
        shed_mw=shed,
        shed_cost=price(200.0, 1000.0, tiers),
        unserved_flexible_cost=float(draw(0, 3)) if degenerate else float(rng.uniform(50, 500)),
    )
    fields.update(changes)
    return PowerCase(**fields)


def reference(case: PowerCase) -> OptimizeResult:
    """The case written out row by row for SciPy, sharing no code with the package."""
    zones, segments, hours = case.capacity_mw.shape
    tiers, lines = case.shed_cost.size, case.line_from.size
    stores, loads = case.store_zone.size, case.flexible_zone.size
    limits = [
        np.broadcast_to(limit if limit.ndim == 2 else limit[:, None], (lines, hours))
        for limit in (case.line_forward_mw, case.line_backward_mw)
    ]
    bounds: list[tuple[float, float]] = []
    cost: list[float] = []
    entries: list[tuple[int, int, float]] = []

    def balance(zone: Any, hour: int) -> int:
        return int(zone) * int(hours) + hour

    def storage(store: int, hour: int) -> int:
        return int(zones * hours + store * hours + hour % hours)

    def column(price: float, low: float, high: float, *terms: tuple[int, float]) -> None:
        entries.extend((row, len(cost), weight) for row, weight in terms)
        cost.append(price)
        bounds.append((low, high))

    for h in range(hours):
        for z in range(zones):
            for g in range(segments):
                price = case.cost[z, g, h] if case.cost.ndim == 3 else case.cost[z, g]
                column(price, 0.0, case.capacity_mw[z, g, h], (balance(z, h), 1.0))
            for k in range(tiers):
                column(case.shed_cost[k], 0.0, case.shed_mw[z, k, h], (balance(z, h), 1.0))
        for i in range(lines):
            column(
                0.0,
                -limits[1][i, h],
                limits[0][i, h],
                (balance(case.line_from[i], h), -1.0),
                (balance(case.line_to[i], h), 1.0),
            )
        for s in range(stores):
            zone = balance(case.store_zone[s], h)
            column(
                0.0,
                0.0,
                case.charge_mw[s],
                (zone, -1.0),
                (storage(s, h), -case.charge_efficiency[s]),
            )
            column(
                0.0,
                0.0,
                case.discharge_mw[s],
                (zone, 1.0),
                (storage(s, h), 1.0 / case.discharge_efficiency[s]),
            )
            column(0.0, 0.0, case.store_mwh[s], (storage(s, h), 1.0), (storage(s, h + 1), -1.0))
        for f in range(loads):
            row = (zones + stores) * hours + f
            column(
                0.0,
                0.0,
                case.flexible_mw[f, h],
                (balance(case.flexible_zone[f], h), -1.0),
                (row, 1.0),
            )
    for f in range(loads):
        row = (zones + stores) * hours + f
        column(case.unserved_flexible_cost, 0.0, case.flexible_mwh[f], (row, 1.0))
    matrix = np.zeros(((zones + stores) * hours + loads, len(cost)))
    for row, col, weight in entries:
        matrix[row, col] += weight
    rhs = np.concatenate([case.demand_mw.ravel(), np.zeros(stores * hours), case.flexible_mwh])
    return linprog(
        cost,
        A_eq=matrix,
        b_eq=rhs,
        bounds=bounds,
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )


def scale(case: PowerCase) -> float:
    """A size of the money in a case, for relative comparisons."""
    return 1.0 + float(np.abs(case.cost).max(initial=0.0)) * float(np.abs(case.demand_mw).sum())


def assert_proved(case: PowerCase, result: PowerResult, tolerance: float = 1e-9) -> None:
    """Feasible, and no dearer than the certificate allows."""
    size = 1.0 + float(np.abs(case.demand_mw).sum()) + float(case.store_mwh.sum())
    assert violation(case, result) <= tolerance * size
    assert abs(gap(case, result)) <= tolerance
