"""Entry: founders come while a firm is worth more than founding it costs them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from abm.core.population import columns as at
from abm.population import RATIOS, Startups, entry_worth
from agents.startups import StartupGroup
from tests.abm.firms import HOURS, REFERENCE, TRAITS, population, terms

USUAL = TRAITS["firms"] * TRAITS["entry_year"] / 12.0


def group(
    firms: Startups, cost: float = 0.5, elasticity: float = 2.0, most: float = 4.0, talent: float = 1.0
) -> StartupGroup:
    """The agent in front of ``firms``, without a model around it."""
    parameters = {
        **firms.model.parameters,
        "startup_entry_cost": cost,
        "startup_entry_elasticity": elasticity,
        "startup_entry_most": most,
    }
    agent = object.__new__(StartupGroup)
    agent.who, agent.trait, agent.usual = "north", dict(TRAITS), USUAL
    people = SimpleNamespace(served_share=lambda who: talent)
    model: Any = SimpleNamespace(parameters=parameters, startups=firms, people=people)
    agent.world_model = model
    return agent


def entry(ratio: float, **changed: float) -> float:
    """Firms that wish to enter where an average entrant would have had that ratio of earnings to cost."""
    firms = population(10)
    firms.ratios, firms._worth = np.array([[ratio]]), None
    [intent] = group(firms, **changed).act("entry", 0)
    assert (intent.verb, intent.who) == ("enter", "north")
    return intent.amount


def test_the_usual_number_enters_where_worth_just_meets_the_usual_cost() -> None:
    firms = population(10)
    firms.ratios, firms._worth = np.array([[1.0]]), None
    assert entry(1.0, cost=firms.worth("north")) == pytest.approx(USUAL)


def test_better_prospects_bring_no_fewer_founders_and_at_most_all_there_are() -> None:
    entries = [entry(float(ratio)) for ratio in RATIOS]
    assert (np.diff(entries) >= 0.0).all()
    assert entries[0] == 0.0, "nobody founds what is expected to lose"
    assert max(entries) == entries[-1] == pytest.approx(4.0 * USUAL)
    assert len({round(value, 9) for value in entries}) > 5


def test_dearer_founding_and_scarcer_talent_bring_fewer() -> None:
    assert entry(1.0, cost=1.0) == pytest.approx(0.25 * entry(1.0, cost=0.5)), (
        "costs twice as high, elasticity two"
    )
    assert entry(1.0, talent=0.3) == pytest.approx(0.3 * entry(1.0))


@pytest.mark.parametrize("market", [1.0, 2.0])
def test_with_one_cost_for_all_entry_goes_on_until_a_firm_is_worth_it(market: float) -> None:
    """Hopenhayn's limit: firms crowd their market until the worth of entry is its cost, however large the market."""
    firms = population(400, startup_market_elasticity=1.0)
    agent = group(firms, cost=0.4, elasticity=30.0, most=20.0)
    worths, activities = [], []
    for month in range(360):
        firms.model.month = month
        plans = firms.plan(month, 1.0, 2.0 * REFERENCE, REFERENCE, HOURS, market)
        m = terms(
            takings=0.94 * firms.crowding, spread=0.35, cash_months=24.0, credit_months=1.0, interest=0.01
        )
        firms.sign(month, 0.0, REFERENCE, m)
        firms.settle(month, m)
        [intent] = agent.act("entry", month)
        firms.enter({"north": intent.amount})
        worths.append(firms.worth("north"))
        activities.append(float(plans[at.ACTIVITY]) / firms.usual_wages)
    assert np.mean(worths[-120:]) == pytest.approx(0.4, rel=0.1)
    # The ratio of earnings to cost at which entry is worth its cost does not hinge on the size of the market.
    ratio = float(np.interp(0.4, entry_worth(0.35, 0.8, 0.25), RATIOS))
    assert np.mean(activities[-120:]) == pytest.approx(market * 0.94 / ratio, rel=0.1)
