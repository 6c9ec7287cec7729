"""The same seed gives the same bytes; luck belongs to events, not to whoever else takes part."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.population.columns import BIRTH, FOUNDED, GROUP, QUALITY
from abm.model import Model
from abm.world import World
from tests.model import worlds


@pytest.fixture(scope="module")
def korea() -> World:
    return worlds.shortened(worlds.korea(), 48)


def same_bytes(one: Model, other: Model) -> bool:
    left, right = one.recorder, other.recorder
    return left.values.tobytes() == right.values.tobytes() and worlds.decision_lines(
        one
    ) == worlds.decision_lines(other)


@pytest.mark.parametrize("name", ["toy", "korea"])
def test_same_seed_same_bytes_and_another_seed_other_luck(name: str, korea: World) -> None:
    world = worlds.toy() if name == "toy" else korea
    first, again, other = (worlds.run(world, seed=seed, package="as-announced") for seed in (3, 3, 4))
    assert same_bytes(first, again)
    assert not same_bytes(first, other)


def test_two_models_side_by_side_do_not_touch_each_other(korea: World) -> None:
    alone = worlds.run(korea, seed=3)
    one, other = worlds.built(korea, seed=3), worlds.built(korea, seed=9)
    for _ in range(korea.calendar.months):
        one.step()
        other.step()
    assert same_bytes(alone, one)


def test_two_packages_meet_the_same_luck(korea: World) -> None:
    """Fuel, exchange rate, weather, slips of lines and the sponsors behind announcements do not know the package."""
    one, other = worlds.run(korea, package="no-policy"), worlds.run(korea, package="grid-first")
    for name in (
        "exchange_rate",
        "interest_rate",
        "fuel_price",
        "weather_demand",
        "weather_renewables",
        "ai_demand",
    ):
        assert np.array_equal(getattr(one.outside, name), getattr(other.outside, name)), name
    announced = [
        row for row in range(one.state.sites.announced_rows) if one.state.sites.announced[row] < one.month
    ]
    assert [bool(one.state.sites.sponsor[row]) for row in announced] == [
        bool(other.state.sites.sponsor[row]) for row in announced
    ]
    unbuilt = worlds.built(korea, package="no-policy"), worlds.built(korea, package="grid-first")
    assert np.array_equal(unbuilt[0].state.line_left, unbuilt[1].state.line_left)
    assert worlds.differing(one, other), "the two packages do different things"


def test_a_package_keeps_the_luck_of_each_assessment(korea: World) -> None:
    """A site assessed in another month draws the same number: only the chance it is held against may differ."""
    one, other = worlds.built(korea, package="no-policy"), worlds.built(korea, package="grid-first")
    draws = [
        [
            model.luck.uniform("grid-assessment", key, attempt)
            for key in model.state.sites.key
            for attempt in range(3)
        ]
        for model in (one, other)
    ]
    assert draws[0] == draws[1]
    worlds.run(korea)
    assert draws[0] == [
        one.luck.uniform("grid-assessment", key, attempt)
        for key in one.state.sites.key
        for attempt in range(3)
    ]


@pytest.mark.parametrize("like", ["fund", "chipmaker"])
def test_one_more_stakeholder_who_does_nothing_changes_nothing_else(like: str) -> None:
    world = worlds.toy()
    idle = {"fund": {"commit_year": 0.0, "pilot": 0.0}, "chipmaker": {"output_year": 0.0}}[like]
    more = worlds.with_stakeholder(world, "newcomer", like, **idle)
    if like == "chipmaker":  # a maker without accelerators to sell and without buyers
        vintage = worlds.added(
            more,
            "vintages",
            vintage=["none"],
            maker=[more.cast.row("newcomer")],
            available=[-1],
            h100e=[1.0],
            kw=[1.0],
            price_usd=[1.0],
            hbm_gb=[0.0],
        )
        more = vintage
    before, after = worlds.run(world, seed=5), worlds.run(more, seed=5)
    assert not worlds.differing(before, after)
    assert worlds.decision_lines(before) == [
        line for line in worlds.decision_lines(after) if line[1] != "newcomer"
    ]


def test_one_more_stakeholder_in_korea_leaves_all_others_alone(korea: World) -> None:
    more = worlds.with_stakeholder(korea, "newcomer", "blackrock", commit_year=0.0, pilot=0.0)
    before, after = worlds.run(korea, package="as-announced"), worlds.run(more, package="as-announced")
    assert not worlds.differing(before, after)


def test_one_more_stakeholder_who_acts_leaves_the_draws_of_others_alone(korea: World) -> None:
    """A fund with money changes what gets built, and nobody's luck."""
    more = worlds.with_stakeholder(korea, "newcomer", "blackrock")
    before, after = worlds.built(korea), worlds.built(more)
    for model in (before, after):
        for _ in range(12):
            model.step()
    for name in ("exchange_rate", "interest_rate", "fuel_price", "weather_demand", "weather_renewables"):
        assert np.array_equal(getattr(before.outside, name), getattr(after.outside, name)), name
    n = before.state.sites.announced_rows
    assert np.array_equal(before.state.sites.sponsor[:n], after.state.sites.sponsor[:n])
    one, other = first_firms(before), first_firms(after)
    both = one.keys() & other.keys()
    assert len(both) > 0.9 * len(one)
    assert all(one[birth] == other[birth] for birth in both)


def first_firms(model: Model) -> dict[tuple[int, int], float]:
    """Quality of the firms that were there at the start and still are, by group and birth."""
    firms = model.startups
    group, birth, founded = (firms.tag[row, : len(firms)].tolist() for row in (GROUP, BIRTH, FOUNDED))
    quality = firms.column(QUALITY).tolist()
    return {(g, b): q for g, b, f, q in zip(group, birth, founded, quality, strict=True) if f < 0}


def test_one_more_plant_leaves_the_licences_of_others_alone() -> None:
    """The review of a unit's licence has the luck of the unit, not of its line in a table."""
    world = worlds.shortened(worlds.korea(), 90, rows=10)
    idle = worlds.added(
        world,
        "plants",
        zone=[0],
        technology=[0],
        commissioned=[0],
        retires=[1_000_000],
        mw=[0.0],
        retirement=["none"],
    )
    first = worlds.reindexed(idle, "plants", [len(world.plants), *range(len(world.plants))])
    policy = {"nuclear_extension_gw": 6.0}
    granted = [
        [
            (line[0], line[4])
            for line in worlds.decision_lines(worlds.run(variant, in_force=policy))
            if line[2] == "grant-extension"
        ]
        for variant in (world, first)
    ]
    assert granted[0], "nothing was granted: the test shows nothing"
    assert granted[0] == granted[1]
