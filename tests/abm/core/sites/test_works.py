"""What makers deliver to sites, against sums of the same arrays."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.sites import works as core

GOODS, SITES, COUNT, CAST, EDGES = 3, 8, 6, 5, 12


def drawn(seed: int, makers: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.random.Generator]:
    draw = np.random.default_rng(seed)
    good = np.arange(makers) % GOODS
    edge = draw.integers(-1, EDGES, (makers, CAST))
    owner = np.where(np.arange(SITES) < COUNT, draw.integers(0, CAST, SITES), -1)
    return good, edge, owner, draw


def on_edges(edge: np.ndarray, owner: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """(EDGES,) amounts by the edge from maker to the site's owner."""
    there = edge[:, owner]
    return np.bincount(there[there >= 0], amounts[there >= 0], EDGES)


@pytest.mark.parametrize("seed", range(6))
def test_where_all_can_be_served_all_is_booked(seed: int) -> None:
    good, edge, owner, draw = drawn(seed, GOODS)
    asked = draw.uniform(0.0, 20.0, (GOODS, SITES)) * (np.arange(SITES) < COUNT)
    output = asked.sum(axis=1)[good] + 1e-6
    sent, moved, ordered = np.zeros(GOODS), np.ones(EDGES), np.ones(EDGES)
    assert core.serve_all(COUNT, good, edge, owner, output, asked, sent, moved, ordered)
    assert sent == pytest.approx(asked.sum(axis=1)[good])
    assert moved == pytest.approx(1.0 + on_edges(edge, owner, asked[good]))
    assert np.array_equal(moved, ordered)


def test_where_one_cannot_serve_all_nothing_is_booked() -> None:
    good, edge, owner, draw = drawn(1, GOODS)
    asked = draw.uniform(1.0, 20.0, (GOODS, SITES)) * (np.arange(SITES) < COUNT)
    output = asked.sum(axis=1)[good]
    output[-1] *= 0.99
    moved, ordered = np.zeros(EDGES), np.zeros(EDGES)
    assert not core.serve_all(COUNT, good, edge, owner, output, asked, np.zeros(GOODS), moved, ordered)
    assert not moved.any()
    assert not ordered.any()


@pytest.mark.parametrize("makers", [2, 3, 5])
def test_deliveries_of_all_makers_add_up(makers: int) -> None:
    good, edge, owner, draw = drawn(makers, makers)
    live = np.arange(SITES) < COUNT
    orders = draw.uniform(0.0, 20.0, (makers, SITES)) * live * (draw.random((makers, SITES)) < 0.7)
    granted, arrived = orders * draw.random(orders.shape), orders * draw.random(orders.shape)
    bound = (draw.integers(0, 8, orders.shape) * live).astype(np.int8)
    got, why = np.full((GOODS, SITES), 7.0), np.full((GOODS, SITES), 3, np.int8)
    on_way = np.ones((GOODS, SITES))
    sent, landed, moved, ordered = np.zeros(makers), np.zeros(makers), np.zeros(EDGES), np.zeros(EDGES)
    core.deliver(
        COUNT, good, edge, owner, orders, granted, arrived, bound, got, why, on_way, sent, landed, moved, ordered
    )  # fmt: skip
    for g in range(GOODS):
        of_good = good == g
        if not of_good.any():
            assert (got[g] == 7.0).all(), "a good that nobody makes is as it was"
            continue
        assert got[g, :COUNT] == pytest.approx(arrived[of_good].sum(axis=0)[:COUNT])
        assert np.array_equal(why[g, :COUNT], bound[of_good].max(axis=0)[:COUNT])
        assert on_way[g] == pytest.approx(1.0 + (granted - arrived)[of_good].sum(axis=0))
    assert sent == pytest.approx(granted.sum(axis=1))
    assert landed == pytest.approx(arrived.sum(axis=1))
    assert moved == pytest.approx(on_edges(edge, owner, arrived))
    assert ordered == pytest.approx(on_edges(edge, owner, orders))
