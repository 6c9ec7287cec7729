"""Whose turn it is: those who act every few months are asked in their months, in the order of the cast."""

from __future__ import annotations

import pytest

from agents.owners import SiteHolder
from tests.model import worlds


@pytest.mark.parametrize("every", [1, 3, 7])
def test_holders_of_sites_are_asked_to_invest_in_their_review_months(every: int) -> None:
    model = worlds.built(worlds.parameters(worlds.toy(), review_months=float(every)))
    everybody = model.acting("investment")
    assert everybody
    for month in range(2 * every + 1):
        due = [agent for agent in everybody if isinstance(agent, SiteHolder) and agent.due(month)]
        assert list(model.on_turn("investment", month)) == due


def test_in_other_phases_it_is_everybodys_turn_each_month() -> None:
    model = worlds.built(worlds.toy())
    for month in range(3):
        assert list(model.on_turn("capacity", month)) == list(model.acting("capacity"))
    assert list(model.on_turn("no such phase", 0)) == []
