"""Against decoration: every knob moves something, and everybody in the cast matters to somebody else.

A lever or uncertainty is set to both its bounds; some indicator must differ that is not the lever itself
or its bill. A stakeholder is silenced; some indicator other than its own score must differ. The shipped
world is run whole in the long tests; here, in a shortened form, those that show early.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from abm.model import Model
from abm.world import World
from agents import cast
from policies.catalogue import catalogue
from runs.worlds import loader
from tests.model import worlds

SLOW_LEVERS = frozenset({"growth_fund_krw", "queue_deposit"})
SLOW_UNCERTAINTIES = frozenset(
    {
        "country_risk_premium",
        "kepco_bond_limit",
        "line_delay_months",
        "storage_cost_factor",
        "wind_cost_factor",
    }
)
SLOW_KINDS = frozenset(
    {"startups", "local-government", "assembly", "export-authority", "power-equipment", "cooling", "builder"}
)
SLOW_STAKEHOLDERS = frozenset({"nhn-cloud", "policy-banks"})
"""What shows only after years, or only with all the days of a month: left to the long tests."""

KOREA = loader.load("korea")
LEVERS = sorted(catalogue())
UNCERTAINTIES = sorted(name for name, quantity in KOREA.quantities.items() if quantity.role == "uncertainty")
STAKEHOLDERS = KOREA.cast.keys
QUICK_STAKEHOLDERS = [
    who
    for who, kind in zip(STAKEHOLDERS, KOREA.cast.kind, strict=True)
    if kind not in SLOW_KINDS and who not in SLOW_STAKEHOLDERS
]
MONTHS = 40
VISIBLE = 1e-6
"""Relative difference below which nothing has moved."""


@cache
def small() -> World:
    return worlds.shortened(KOREA, MONTHS, rows=60)


CIRCUMSTANCES: dict[str, dict[str, Any]] = {
    # Who waits for a signpost is seen where one is passed, who caps prices where they run away,
    # who makes memory where it is scarce, who sets a limit where it is near, a place that few chose where
    # all that was announced is meant.
    "presidential-office": {"package": "adaptive"},
    "market-operator": {"shocks": [("fuel:lng", 18, 12, 4.0, 0.0)]},
    "micron": {"settings": {"hbm_supply_factor": 0.3}},
    "local-east": {"settings": {"announcement_realisation": 1.0}},
    "assembly": {"settings": {"kepco_bond_limit": 2.0}},
    # A fund that closes gaps is seen where projects look for money.
    "policy-banks": {"settings": {"announcement_realisation": 1.0}},
    "growth_fund_krw": {"settings": {"announcement_realisation": 1.0}},
}


def consequences(model: Model, *but: str) -> list[str]:
    """Indicators that show what came of it: neither money spent on it nor the score of its owner."""
    scores = [f"stakeholder_score.{who}" for who in model.world.roles.values()]
    return worlds.names_of(model, "public_spend", *scores, *but)


def first_difference(one: Model, other: Model, names: list[str]) -> tuple[int, str] | None:
    """Month and name of the first indicator that differs; both runs go no further than that."""
    columns = [one.recorder.column[name] for name in names]
    for month in range(one.calendar.months):
        for model in (one, other):
            if model.month == month:
                model.step()
        a, b = one.recorder.values[month, columns], other.recorder.values[month, columns]
        differ = ~(
            (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= VISIBLE * np.maximum(np.abs(a), np.abs(b)))
        )
        if differ.any():
            return month, names[int(np.argmax(differ))]
    return None


def moved(world: World, name: str) -> tuple[int, str] | None:
    """Where the two bounds of a lever or an uncertainty first part."""
    knob = catalogue().get(name) or world.quantities[name]
    around = CIRCUMSTANCES.get(name, {}).get("settings", {})
    ends = ({**around, name: end} for end in (knob.low, knob.high))
    low, high = (worlds.built(world, settings, package="as-announced") for settings in ends)
    return first_difference(low, high, consequences(low))


def missed(world: World, who: str) -> tuple[int, str] | None:
    """Where a run in which ``who`` does nothing first parts from one in which it acts."""
    around = {"package": "as-announced", **CIRCUMSTANCES.get(who, {})}
    before, after = worlds.built(world, **around), worlds.built(world, **around)
    after.agent_of[who].act = lambda phase, month: ()  # type: ignore[method-assign]
    return first_difference(before, after, worlds.names_of(before, f"stakeholder_score.{who}"))


@pytest.mark.parametrize("name", [name for name in LEVERS if name not in SLOW_LEVERS])
def test_lever_moves_something(name: str) -> None:
    assert moved(small(), name)


@pytest.mark.parametrize("name", [name for name in UNCERTAINTIES if name not in SLOW_UNCERTAINTIES])
def test_uncertainty_moves_something(name: str) -> None:
    assert moved(small(), name)


@pytest.mark.parametrize("who", QUICK_STAKEHOLDERS)
def test_stakeholder_matters(who: str) -> None:
    assert missed(small(), who)


@pytest.mark.long
@pytest.mark.parametrize("name", [*LEVERS, *UNCERTAINTIES])
def test_knob_moves_something_in_the_whole_world(name: str) -> None:
    assert moved(KOREA, name)


@pytest.mark.long
@pytest.mark.parametrize("who", STAKEHOLDERS)
def test_stakeholder_matters_in_the_whole_world(who: str) -> None:
    assert missed(KOREA, who)


def test_every_kind_that_decides_is_in_the_cast() -> None:
    """Kinds of the small world apart, no rule is written for nobody."""
    unused = set(cast.KINDS) - set(KOREA.cast.kind)
    assert unused <= {"government", "ministry"}
