"""Against decoration: every knob moves something, and everybody in the cast matters to somebody else.

A lever or uncertainty is set to both its bounds; some indicator must differ that is not the lever itself
or its bill. A stakeholder is silenced; some indicator other than its own score must differ. The shipped
world is run whole in the long tests; here, in a shortened form, those that show early.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest

from abm.model import Model
from abm.world import World
from agents import cast
from policies.catalogue import catalogue
from runs.worlds import loader
from tests.model import worlds

SLOW_LEVERS: frozenset[str] = frozenset()
SLOW_UNCERTAINTIES: frozenset[str] = frozenset()
SLOW_STAKEHOLDERS: frozenset[str] = frozenset()
"""What shows only after years, or only with all the days of a month: left to the long tests."""

KOREA = loader.load("korea")
LEVERS = sorted(catalogue())
UNCERTAINTIES = sorted(name for name, quantity in KOREA.quantities.items() if quantity.role == "uncertainty")
STAKEHOLDERS = KOREA.cast.keys
MONTHS = 54


@cache
def small() -> World:
    return worlds.shortened(KOREA, MONTHS, rows=60)


def consequences(model: Model, *but: str) -> list[str]:
    """Indicators that show what came of it: neither money spent on it nor the score of its owner."""
    scores = [f"stakeholder_score.{who}" for who in model.world.roles.values()]
    return worlds.names_of(model, "public_spend", *scores, *but)


def moved(world: World, name: str, package: str = "as-announced") -> dict[str, Any]:
    """Indicators that differ between the two bounds of a lever or an uncertainty."""
    quantity = catalogue().get(name) or world.quantities[name]
    low, high = (worlds.run(world, {name: end}, package=package) for end in (quantity.low, quantity.high))
    return worlds.differing(low, high, consequences(low), tolerance=1e-9)


def silenced(world: World, whom: Iterable[str], package: str = "as-announced") -> Model:
    """A run in which ``whom`` do nothing."""
    model = worlds.built(world, package=package)
    for who in whom:
        agent = model.agent_of[who]
        agent.act = lambda phase, month: ()  # type: ignore[method-assign]
    return model.run_model()


@cache
def undisturbed(whole: bool) -> Model:
    return worlds.run(KOREA if whole else small(), package="as-announced")


def changed_by_silence(world: World, who: str, whole: bool) -> dict[str, Any]:
    before = undisturbed(whole)
    names = worlds.names_of(before, f"stakeholder_score.{who}")
    return worlds.differing(before, silenced(world, [who]), names, tolerance=1e-9)


@pytest.mark.parametrize("name", [name for name in LEVERS if name not in SLOW_LEVERS])
def test_lever_moves_something(name: str) -> None:
    assert moved(small(), name)


@pytest.mark.parametrize("name", [name for name in UNCERTAINTIES if name not in SLOW_UNCERTAINTIES])
def test_uncertainty_moves_something(name: str) -> None:
    assert moved(small(), name)


@pytest.mark.parametrize("who", [who for who in STAKEHOLDERS if who not in SLOW_STAKEHOLDERS])
def test_stakeholder_matters(who: str) -> None:
    assert changed_by_silence(small(), who, False)


@pytest.mark.long
@pytest.mark.parametrize("name", [*LEVERS, *UNCERTAINTIES])
def test_knob_moves_something_in_the_whole_world(name: str) -> None:
    assert moved(KOREA, name)


@pytest.mark.long
@pytest.mark.parametrize("who", STAKEHOLDERS)
def test_stakeholder_matters_in_the_whole_world(who: str) -> None:
    assert changed_by_silence(KOREA, who, True)


def test_every_kind_that_decides_is_in_the_cast() -> None:
    """Kinds of the small world apart, no rule is written for nobody."""
    unused = set(cast.KINDS) - set(KOREA.cast.kind)
    assert unused <= {"government", "ministry"}
