"""A population of firms with nothing around it but traits, parameters, luck and a stated month."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from abm.core.population import Month, clear, clearing
from abm.core.population import columns as at
from abm.luck import Luck
from abm.population import Startups

REFERENCE = 4000.0
HOURS = 600.0
ELASTICITY = 1.2
TRAITS = {
    "firms": 1000.0,
    "entry_year": 0.12,
    "need_h100e": 2.0,
    "spread": 0.8,
    "runway": 5e8,
    "burn_month": 3e7,
    "quality": 1.0,
}
PARAMETERS = {
    "startup_break_even": 0.94,
    "startup_spend_share": 0.05,
    "startup_first_runway": 0.3,
    "startup_quality_spread": 0.35,
    "startup_quality_persistence": 0.8,
    "startup_discount": 0.25,
    "startup_base_share": 0.0,
    "startup_prudence": 0.3,
    "startup_contract_months": 12.0,
    "startup_credit_months": 0.0,
    "startup_market_elasticity": 1.5,
}


def population(
    rows: int = 200, seed: int = 1, groups: dict[str, dict[str, float]] | None = None, **p: float
) -> Startups:
    """Startups of a model that is nothing but traits, parameters and luck."""
    who = {"north": TRAITS} if groups is None else groups
    world = SimpleNamespace(traits_of=lambda name: who[name])
    parameters = {**PARAMETERS, "startup_rows": float(rows), **p}
    model: Any = SimpleNamespace(parameters=parameters, world=world, luck=Luck(seed), month=0)
    return Startups(model, list(who))


def terms(**changed: float) -> Month:
    """A month at the reference price in which nobody borrows, grows or pays out, unless told otherwise."""
    price = changed.pop("price", REFERENCE)
    last, world = changed.pop("last", REFERENCE), changed.pop("world_price", REFERENCE)
    usual: dict[str, float] = {
        "scale": HOURS,
        "voucher_share": 0.0,
        "voucher_price": 0.2 * price,
        "contract_hours": HOURS,
        "takings": 0.94,
        "theta": 0.3,
        "served_most": 1.5,
        "spend_share": 0.05,
        "interest": 0.0,
        "credit_months": 0.0,
        "cash_months": 1e6,
        "growth": 0.0,
        "spread": 0.0,
        "persistence": 0.8,
    }
    return Month(
        price=price,
        reference=REFERENCE,
        world_price=world,
        elasticity=ELASTICITY,
        last_factor=(last / REFERENCE) ** -ELASTICITY,
        world_factor=(world / REFERENCE) ** -ELASTICITY,
        **{**usual, **changed},
    )


def live(
    one: Startups, granted: float = 1.0, offered: float = REFERENCE, **changed: float
) -> dict[str, float]:
    """A month: plan, sign, and settle at a price that is given; returns the month's totals."""
    m, month = terms(**changed), one.model.month
    last = REFERENCE * m.last_factor ** (-1.0 / ELASTICITY)
    one.plan(month, m.scale * m.last_factor / HOURS, offered, last, HOURS, 1.0)
    one.sign(month, granted, offered, m)
    one.model.month += 1
    return one.settle(month, m)


def spot_demand(one: Startups, price: float) -> float:
    """What firms then want on the spot market at ``price``, row by row."""
    curve, purse = one.column(at.CURVE), one.column(at.PURSE)
    return float(one.weight @ np.minimum(curve * (price / REFERENCE) ** -ELASTICITY, purse / price))


def solve(
    segments: list[tuple[float, float]],
    supply: float,
    floor: float,
    ceiling: float,
    one: Startups | None = None,
    start: float = REFERENCE,
) -> tuple[float, float, int]:
    """Price, demand at it and evaluations, of segments (coefficient, elasticity) and firms."""
    firms = one or population(groups={})
    found = np.zeros(clearing.FOUND)
    clear(
        firms.firm, firms.count, ELASTICITY, np.array(segments).reshape(-1, 2),
        REFERENCE, supply, floor, ceiling, start, found,
    )  # fmt: skip
    return (
        float(found[clearing.PRICE]),
        float(found[clearing.DEMAND]),
        int(found[clearing.EVALUATIONS]),
    )
