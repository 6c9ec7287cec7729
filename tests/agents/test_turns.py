"""Whose turn it is: those who act every few months are asked in their months, in the order of the cast."""

from __future__ import annotations

import pytest

from agents import cast
from agents.owners import Owner, SiteHolder
from tests.model import worlds


@pytest.mark.parametrize("every", [1, 3, 7])
def test_holders_of_sites_are_asked_to_invest_in_their_review_months(every: int) -> None:
    model = worlds.built(worlds.parameters(worlds.toy(), review_months=float(every)))
    everybody = model.acting("investment")
    assert everybody
    for month in range(2 * every + 1):
        due = [a for a in everybody if isinstance(a, SiteHolder) and (month + a.stagger) % every == 0]
        assert list(model.on_turn("investment", month)) == due
        assert all(agent.due(month) == (agent in due) for agent in everybody if isinstance(agent, SiteHolder))


def test_in_other_phases_it_is_everybodys_turn_each_month() -> None:
    model = worlds.built(worlds.toy())
    for month in range(3):
        assert list(model.on_turn("capacity", month)) == list(model.acting("capacity"))
    assert list(model.on_turn("no such phase", 0)) == []


def test_periods_without_a_common_measure_are_no_burden() -> None:
    """Seven owners with periods whose least common multiple is beyond any run."""
    model = worlds.built(worlds.korea())
    for agent, months in zip(model.acting("investment"), (5, 7, 9, 11, 13, 16, 17), strict=False):
        agent.review_months = months
    asked = [agent for month in range(132) for agent in model.on_turn("investment", month)]
    assert asked.count(model.acting("investment")[0]) in (26, 27)


def test_who_learns_in_a_way_of_its_own_leaves_the_others_their_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owners = [agent for agent in worlds.built(worlds.korea()).stakeholders if isinstance(agent, Owner)]
    first = type(owners[0])

    class OwnWay(first):  # type: ignore[misc, valid-type]
        def learn(self, month: int) -> None:
            """Learns nothing."""

    monkeypatch.setitem(cast.KINDS, owners[0].kind, OwnWay)
    model = worlds.built(worlds.korea())
    for _ in range(3):
        model.step()
    others = [a for a in model.stakeholders if isinstance(a, Owner) and not isinstance(a, OwnWay)]
    assert others
    assert all(agent.record.knows(2) for agent in others)


def test_parameters_that_somebody_wrote_to_are_noticed() -> None:
    model = worlds.built(worlds.toy())
    model.step()
    model.parameters["pue"] = 9.0  # type: ignore[index]
    with pytest.raises(TypeError, match="settled when a run is built"):
        model.snapshot()
