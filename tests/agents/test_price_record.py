"""Owners see one market: what the heuristics said and how they did is kept once for all who share them."""

from __future__ import annotations

import math

import pytest

from agents.owners import Owner, PriceRecord
from runs.assemble import prepare


def test_a_forecast_is_held_against_the_price_of_a_year_later() -> None:
    record = PriceRecord()
    for month in range(14):
        assert not record.knows(month)
        record.learn(month, (100.0, 50.0 + month), 80.0)
        assert record.knows(month)
    first, second = (math.log(100.0 / 80.0) ** 2,), (math.log(50.0 / 80.0) ** 2, math.log(51.0 / 80.0) ** 2)
    assert record.error[0] == pytest.approx((1.0 - 0.9**2) * first[0])
    assert record.error[1] == pytest.approx(0.1 * (0.9 * second[0] + second[1]))


def test_owners_learn_once_a_month_together_and_go_on_together_after_a_snapshot() -> None:
    model = prepare("korea", "baseline", "as-announced", None, 1).build(None)
    for _ in range(15):
        model.step()
    for run in (model, model.resume(model.snapshot())):
        owners = [agent for agent in run.stakeholders if isinstance(agent, Owner)]
        assert len(owners) > 5
        assert len({id(owner.record) for owner in owners}) == 1
        before = list(owners[0].record.error)
        assert any(before)
        for owner in owners:
            owner.learn(14)
        assert owners[0].record.error == before, "the month had been taken in"


def test_owners_with_heuristics_of_their_own_keep_a_record_of_their_own() -> None:
    class Bold(Owner):
        def heuristics(self, month: int, years: float) -> tuple[float, float]:
            return 1.0 + self.row, 2.0

    model = prepare("korea", "baseline", "as-announced", None, 1).build(None)
    whos = [agent.who for agent in model.stakeholders if isinstance(agent, Owner)][:2]
    one, other = (Bold(model, who) for who in whos)
    assert one.record is not other.record
    for owner in (one, other):
        owner.learn(0)
    assert one.record.knows(0)
    assert one.forecast(0, 1.0) != other.forecast(0, 1.0)
