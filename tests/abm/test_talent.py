"""AI professionals are shared by a stated rule among those who need them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from abm.model import Model
from abm.world import World
from tests.model import worlds


@cache
def korea(**changed: float) -> World:
    return worlds.parameters(worlds.shortened(worlds.korea(), 24, rows=60), **changed)


def ruled(world: World, rule: str) -> World:
    table = world.rationing
    rules = tuple(
        rule if world.goods.keys[good] == "talent" else old
        for good, old in zip(table.good, table.rule, strict=True)
    )
    return worlds.columns(world, "rationing", rule=rules)


def stepped(world: World, months: int = 12, trained: float = 0.0, **settings: str) -> Model:
    """A run in which so many a year have been trained for long."""
    force = {"talent_programme": trained}
    return worlds.run(world, settings, months=months, package="as-announced", in_force=force)


def test_in_a_shortage_everybody_is_served_alike_by_need() -> None:
    model = stepped(korea(talent_start=30_000.0))
    people = model.people
    assert model.talent_needed == pytest.approx(people.need.sum())
    share = people.served[people.need > 0.0]
    assert share.max() < 1.0
    assert share == pytest.approx(share[0])
    given = float((people.served * people.need).sum())
    assert given == pytest.approx(min(model.talent, model.talent_needed), rel=0.05), (
        "all there are, before the month's training"
    )
    assert any(d.verb == "ration" and d.subject == "talent" for d in model.decisions.records)


def test_with_plenty_everybody_has_whom_he_needs() -> None:
    model = stepped(korea(talent_start=500_000.0))
    assert (model.people.served == 1.0).all()
    assert not any(d.verb == "ration" and d.subject == "talent" for d in model.decisions.records)


def test_priority_serves_the_better_class_first() -> None:
    world = ruled(korea(talent_start=30_000.0), "priority")
    model = worlds.built(world, package="as-announced")
    groups = [model.people._place[who] for who in model.startups.groups]
    model.people._tier[:] = 5
    model.people._tier[groups] = 1
    for _ in range(12):
        model.step()
    assert (model.people.served[groups] == 1.0).all()
    assert model.people.served[-1] < 1.0


def test_those_trained_are_booked_where_people_are_missing() -> None:
    model = stepped(korea(talent_start=30_000.0), trained=10_000.0)
    edges = model.supply.out_of("education-ministry", "talent")
    assert model.supply.flow[:, edges].sum() > 0.0
    shock = {"shock.education-ministry": "0@2025-01+24"}
    cut = stepped(korea(talent_start=30_000.0), trained=10_000.0, **shock)
    assert not cut.supply.flow[:, edges].any()
    assert cut.talent < model.talent
    assert np.isfinite(cut.people.served).all()
