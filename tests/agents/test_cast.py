"""A cast that cannot be assembled is told what is wrong, and what was probably meant."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from abm.calendar import Calendar
from abm.stakeholder import Stakeholder
from abm.world import Table, World
from agents.cast import KINDS, build, complaints
from runs.assemble import prepare
from runs.worlds.loader import load

Trait = tuple[str, str, float, str]


def cast(kind: str = "rival", traits: Sequence[Trait] = ()) -> World:
    """One stakeholder, ``somebody``, of ``kind``, with (who, trait, value, unit) of their own."""
    tables = {
        "cast": Table("cast", {"who": ["somebody"], "kind": [kind]}, "who"),
        "traits": Table(
            "traits",
            {
                "who": np.zeros(len(traits), int),
                "trait": [name for _, name, _, _ in traits],
                "value": np.array([value for _, _, value, _ in traits]),
                "unit": [unit for *_, unit in traits],
            },
        ),
    }
    return World("w", "", "KRW", Calendar(24300, 12), tables, {}, {})


def complete(kind: str) -> list[Trait]:
    return [
        ("somebody", name, 1.0, unit.replace("currency", "KRW")) for name, unit in KINDS[kind].TRAITS.items()
    ]


WITH_TRAITS = sorted(kind for kind, agent in KINDS.items() if agent.TRAITS)


@pytest.mark.parametrize("world", ["toy", "korea"])
def test_the_shipped_worlds_are_complete(world: str) -> None:
    assert complaints(load(world)) == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_stakeholder_with_every_trait_in_its_unit_is_accepted(kind: str) -> None:
    assert complaints(cast(kind, complete(kind))) == []


@pytest.mark.parametrize("kind", WITH_TRAITS)
def test_each_missing_trait_is_named_with_its_unit(kind: str) -> None:
    found = complaints(cast(kind))
    assert [key for _, key, _ in found] == list(KINDS[kind].TRAITS)
    for (who, key, message), unit in zip(found, KINDS[kind].TRAITS.values(), strict=True):
        assert who == "somebody"
        assert message == f"trait missing; kind {kind!r} needs {key!r} in {unit.replace('currency', 'KRW')}"


def test_an_unknown_kind_is_named_with_the_nearest() -> None:
    assert complaints(cast("gpu-makr")) == [
        ("somebody", "kind", "found 'gpu-makr', which is no kind of stakeholder; did you mean 'gpu-maker'?")
    ]


def test_a_kind_like_no_other_gets_no_suggestion() -> None:
    assert complaints(cast("zzz")) == [("somebody", "kind", "found 'zzz', which is no kind of stakeholder")]


def test_an_unknown_kind_is_the_only_complaint_about_its_row() -> None:
    assert len(complaints(cast("zzz", [("somebody", "beta", 1.0, "ratio")]))) == 1


def test_a_wrong_unit_is_said_with_the_right_one() -> None:
    traits = [
        (who, name, value, "USD/year" if name == "commit_year" else unit)
        for who, name, value, unit in complete("fund")
    ]
    assert complaints(cast("fund", traits)) == [
        ("somebody", "commit_year", "found unit 'USD/year', expected 'KRW/year'")
    ]


def test_an_unknown_trait_is_named_with_the_nearest() -> None:
    found = complaints(cast("fund", [*complete("fund"), ("somebody", "exposur", 1.0, "ratio")]))
    assert found == [
        ("somebody", "exposur", "kind 'fund' reads no trait 'exposur'; did you mean 'exposure'?")
    ]


def test_a_misspelt_trait_is_missing_and_unknown_at_once() -> None:
    traits = [
        (who, "exposur" if name == "exposure" else name, value, unit)
        for who, name, value, unit in complete("fund")
    ]
    assert sorted(key for _, key, _ in complaints(cast("fund", traits))) == ["exposur", "exposure"]


def test_money_is_in_the_worlds_own_currency() -> None:
    world = dataclasses.replace(cast("fund", complete("fund")), currency="EUR")
    money = [name for name, unit in KINDS["fund"].TRAITS.items() if "currency" in unit]
    assert money
    assert [key for _, key, _ in complaints(world)] == money


def test_one_agent_a_row_in_the_order_of_the_cast() -> None:
    model = prepare("toy", "baseline", "no-policy").build()
    agents = build(model)
    assert [agent.who for agent in agents] == list(model.world.cast.keys)
    assert [type(agent) for agent in agents] == [KINDS[kind] for kind in model.world.cast.kind]
    assert all(set(agent.trait) == set(agent.TRAITS) for agent in agents)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_a_stakeholder_that_says_what_it_does(kind: str) -> None:
    assert issubclass(KINDS[kind], Stakeholder)
    assert (KINDS[kind].__doc__ or "").strip()
    assert all(unit for unit in KINDS[kind].TRAITS.values())
