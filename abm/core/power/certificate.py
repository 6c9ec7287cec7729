"""Proof of a dispatch: a lower bound from any duals, and feasibility recomputed from the case.

Every variable of a case is boxed. For any duals y of the equalities Ax = b, weak duality gives

    min {cx : Ax = b, l <= x <= u}  >=  by + sum_j min(d_j l_j, d_j u_j),   d = c - A'y,

whether or not y is optimal, or even came from a solver. A gap of zero proves an optimum.
"""

from __future__ import annotations

import numpy as np

from .case import Floats, PowerCase, PowerResult, line_limits


def lower_bound(case: PowerCase, balance: Floats, storage: Floats, flexible: Floats) -> float:
    """Weak-duality bound on the least cost.

    Args:
        case: the problem.
        balance: (Z,H) duals of the zonal balances, currency/MWh (the prices).
        storage: (S,H) duals of `soc[h] - soc[h-1] - eta_c charge + discharge / eta_d = 0`.
        flexible: (F,) duals of `sum_h flexible + unserved = flexible_mwh`.
    """
    cost = case.cost if case.cost.ndim == 3 else case.cost[:, :, None]
    total = float((case.demand_mw * balance).sum() + (case.flexible_mwh * flexible).sum())
    total += _below(cost - balance[:, None, :], case.capacity_mw)
    total += _below(case.shed_cost[None, :, None] - balance[:, None, :], case.shed_mw)
    if case.line_from.size:
        forward, backward = line_limits(case)
        reduced = balance[case.line_from] - balance[case.line_to]
        total += _below(reduced, forward) + _below(-reduced, backward)
    if case.store_zone.size:
        here = balance[case.store_zone]
        total += _below(here + case.charge_efficiency[:, None] * storage, case.charge_mw[:, None])
        total += _below(-here - storage / case.discharge_efficiency[:, None], case.discharge_mw[:, None])
        total += _below(np.roll(storage, -1, axis=1) - storage, case.store_mwh[:, None])
    if case.flexible_zone.size:
        total += _below(balance[case.flexible_zone] - flexible[:, None], case.flexible_mw)
        total += _below(case.unserved_flexible_cost - flexible, case.flexible_mwh)
    return total


def cost_of(case: PowerCase, generation: Floats, shed: Floats, unserved: Floats) -> float:
    """What a dispatch costs, in currency."""
    cost = case.cost if case.cost.ndim == 3 else case.cost[:, :, None]
    return float(
        (cost * generation).sum()
        + (case.shed_cost[None, :, None] * shed).sum()
        + case.unserved_flexible_cost * unserved.sum()
    )


def violation(case: PowerCase, result: PowerResult) -> float:
    """The largest breach of any balance or bound, in MW or MWh, recomputed from the case."""
    forward, backward = line_limits(case)
    balance = result.generation.sum(1) + result.shed.sum(1) - case.demand_mw
    np.add.at(balance, case.line_to, result.flow)
    np.subtract.at(balance, case.line_from, result.flow)
    np.add.at(balance, case.store_zone, result.discharge - result.charge)
    np.subtract.at(balance, case.flexible_zone, result.flexible)
    storage = (
        result.soc
        - np.roll(result.soc, 1, axis=1)
        - case.charge_efficiency[:, None] * result.charge
        + result.discharge / case.discharge_efficiency[:, None]
    )
    energy = result.flexible.sum(1) + result.unserved_flexible - case.flexible_mwh
    worst = max(_largest(np.abs(residual)) for residual in (balance, storage, energy))
    for value, low, high in (
        (result.generation, 0.0, case.capacity_mw),
        (result.shed, 0.0, case.shed_mw),
        (result.flow, -backward, forward),
        (result.charge, 0.0, case.charge_mw[:, None]),
        (result.discharge, 0.0, case.discharge_mw[:, None]),
        (result.soc, 0.0, case.store_mwh[:, None]),
        (result.flexible, 0.0, case.flexible_mw),
        (result.unserved_flexible, 0.0, case.flexible_mwh),
    ):
        worst = max(worst, _largest(low - value), _largest(value - high))
    return worst


def gap(case: PowerCase, result: PowerResult) -> float:
    """`objective - lower_bound` over the money that moves, so that a cost of about 0 is no trap."""
    cost = case.cost if case.cost.ndim == 3 else case.cost[:, :, None]
    turnover = (
        np.abs(cost * result.generation).sum()
        + np.abs(case.shed_cost[None, :, None] * result.shed).sum()
        + abs(case.unserved_flexible_cost) * result.unserved_flexible.sum()
        + np.abs(result.price * case.demand_mw).sum()
    )
    difference = result.objective - result.lower_bound
    return float(difference / turnover) if turnover > 0.0 else difference


def _below(reduced: Floats, width: Floats) -> float:
    """sum of min(0, d) * width, broadcast."""
    return float((np.minimum(reduced, 0.0) * width).sum())


def _largest(values: Floats) -> float:
    return float(values.max()) if values.size else 0.0
