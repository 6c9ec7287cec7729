"""The order of the rows of a table is nobody's advantage: zones or stakeholders permuted, the same results."""

from __future__ import annotations

import numpy as np
import pytest

from abm.model import Model
from abm.world import World
from tests.model import worlds

TOLERANCE = 1e-9

SEVERAL_OPTIMA = ("ai_carbon_free_share",)
"""Matched hour by hour: where storage is indifferent between hours, the least-cost dispatch is not unique."""

COST_OF_LIMITS = "congestion_krw"
"""The difference between two objectives: its rounding is that of the objectives."""


def worst(one: Model, other: Model) -> dict[str, tuple[int, float, float]]:
    names = worlds.names_of(one, *SEVERAL_OPTIMA, COST_OF_LIMITS)
    return worlds.differing(one, other, names, TOLERANCE)


@pytest.fixture(scope="module")
def korea() -> World:
    return worlds.shortened(worlds.korea(), 1000)


@pytest.fixture(scope="module")
def as_it_is(korea: World) -> Model:
    return worlds.run(korea, package="as-announced")


@pytest.mark.parametrize("table", ["zones", "cast", "pools", "lines", "edges", "technologies", "traits"])
def test_toy(table: str) -> None:
    world = worlds.toy()
    order = np.arange(len(world.tables[table]))[::-1]
    one, other = worlds.run(world), worlds.run(worlds.reindexed(world, table, order))
    assert not worst(one, other)


@pytest.mark.parametrize("table", ["zones", "cast", "pools", "lines", "edges", "countries", "vintages"])
def test_korea(table: str, korea: World, as_it_is: Model) -> None:
    order = np.random.default_rng(1).permutation(len(korea.tables[table]))
    other = worlds.run(worlds.reindexed(korea, table, order), package="as-announced")
    assert not worst(as_it_is, other)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 8))
@pytest.mark.parametrize("table", ["zones", "cast"])
def test_korea_in_many_orders(table: str, seed: int) -> None:
    world = worlds.korea()
    order = np.random.default_rng(seed).permutation(len(world.tables[table]))
    one, other = (
        worlds.run(w, package="as-announced") for w in (world, worlds.reindexed(world, table, order))
    )
    assert not worst(one, other)
