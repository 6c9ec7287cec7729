"""What an allocation means for sites, against the same in plain loops and sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from abm.core.sites import chips as core

MAKERS, SITES, COUNT, VINTAGES, HORIZON, FIRST, EDGES, MONTHS = 3, 7, 5, 4, 9, 6, 20, 40
NEVER = 10**6
E = FIRST + MAKERS * SITES


def drawn(seed: int) -> dict[str, Any]:
    """A month's flows to sites; rows beyond ``COUNT`` are room for sites to come, nothing happens there."""
    draw = np.random.default_rng(seed)
    live = np.zeros((MAKERS, SITES), bool)
    live[:, :COUNT] = True

    def to_sites(values: np.ndarray) -> np.ndarray:
        return np.concatenate([draw.random(FIRST), np.where(live, values, 0.0).ravel()])

    size = MAKERS, SITES
    asked = to_sites(draw.uniform(1.0, 90.0, size) * (draw.random(size) < 0.7))
    part = draw.choice([0.0, 0.5, 1.0], E)
    backlog = asked * (1.0 - part)
    backlog[FIRST::3] *= 1e-12
    return {
        "asked": asked,
        "granted": asked * part,
        "backlog": backlog,
        "arrived": to_sites(draw.uniform(1.0, 90.0, size) * (draw.random(size) < 0.5)),
        "pipeline": draw.uniform(0.0, 9.0, (HORIZON, E)),
        "lead": draw.integers(0, 5, E),
        "delay": draw.integers(0, 3, E),
        "queue_row": np.where(draw.random(E) < 0.3, 2, -1),
        "vintage": np.sort(draw.integers(-1, VINTAGES, (MAKERS, MONTHS)), axis=1),
        "price": draw.uniform(1e4, 4e4, VINTAGES),
        "edge": draw.integers(-1, EDGES, size),
        "ordered": draw.uniform(0.0, 50.0, SITES),
        "value": draw.uniform(0.0, 1e6, (HORIZON, MAKERS * SITES)),
        "deposit": draw.uniform(0.0, 1e6, size) * (draw.random(size) < 0.6),
        "planned": draw.uniform(0.0, 300.0, SITES),
        "chips": draw.uniform(0.0, 60.0, (SITES, VINTAGES)),
        "store": draw.uniform(0.0, 30.0, (SITES, VINTAGES)),
        "age": draw.uniform(0.0, 20.0, (SITES, VINTAGES)),
    }


@pytest.mark.parametrize("seed", range(8))
def test_an_allocation_reaches_orders_pipelines_and_prices(seed: int) -> None:
    month, world = 20, drawn(seed)
    backlog, ordered, value = world["backlog"].copy(), world["ordered"].copy(), world["value"].copy()
    stands, wanted, by_maker = np.zeros(EDGES), np.zeros((SITES, MAKERS)), np.zeros((2, MAKERS))
    short = np.zeros(MAKERS * SITES, np.int64)
    before_sites, moved = np.array([3, -1, 0, 3, -1, EDGES - 1]), np.zeros(EDGES)
    found = core.take_over(
        month, COUNT, world["asked"], world["granted"], world["lead"], world["delay"], world["queue_row"],
        world["vintage"], world["price"], before_sites, world["edge"], moved, stands, backlog, wanted, ordered, value,
        by_maker, short,
    )  # fmt: skip

    asked, granted = world["asked"][FIRST:], world["granted"][FIRST:]
    left = world["backlog"][FIRST:].copy()
    left[(left < core.DUST) & (world["queue_row"][FIRST:] < 0)] = 0.0
    assert np.array_equal(backlog[FIRST:], left)
    assert np.array_equal(backlog[:FIRST], world["backlog"][:FIRST])
    assert np.array_equal(wanted, left.reshape(MAKERS, SITES).T)
    assert short[:found].tolist() == np.flatnonzero(asked - granted > core.SHORT).tolist()
    assert by_maker[0] == pytest.approx(asked.reshape(MAKERS, SITES).sum(axis=1))
    assert by_maker[1] == pytest.approx(granted.reshape(MAKERS, SITES).sum(axis=1))
    assert ordered == pytest.approx(world["ordered"] + granted.reshape(MAKERS, SITES).sum(axis=0))
    edge = world["edge"].ravel()
    whole = np.concatenate([before_sites, edge])
    there = whole >= 0
    assert stands == pytest.approx(np.bincount(whole[there], world["asked"][there], EDGES))
    there = before_sites >= 0
    assert moved == pytest.approx(np.bincount(before_sites[there], world["granted"][:FIRST][there], EDGES))
    worth = world["value"].copy()
    for k in range(MAKERS * SITES):
        lead, late = int(world["lead"][FIRST + k]), int(world["delay"][FIRST + k])
        newest = max(int(world["vintage"][k // SITES, month + lead]), 0)
        worth[(month + lead + late) % HORIZON, k] += granted[k] * world["price"][newest]
    assert value == pytest.approx(worth)


@pytest.mark.parametrize("seed", range(8))
def test_what_arrives_is_in_store_with_its_age_price_and_deposit(seed: int) -> None:
    month, world = 20, drawn(seed)
    ordered, deposit, value = world["ordered"].copy(), world["deposit"].copy(), world["value"].copy()
    store, age, equipped = world["store"].copy(), world["age"].copy(), np.full(SITES, NEVER, np.int64)
    equipped[1] = 3
    room = MAKERS * SITES
    rows, columns, vintages = (np.zeros(room, np.int64) for _ in range(3))
    equips, figures = np.zeros(room, np.bool_), np.zeros((4, room))
    found = core.receive(
        month, COUNT, FIRST, NEVER, world["vintage"], world["planned"], world["arrived"], world["backlog"],
        world["pipeline"], value, ordered, deposit, world["chips"], store, age, equipped, rows, columns, vintages,
        equips, figures,
    )  # fmt: skip

    arrived = world["arrived"][FIRST:]
    came = np.flatnonzero(arrived)
    assert (columns[:found] * SITES + rows[:found]).tolist() == came.tolist()
    assert np.array_equal(figures[core.COUNT, :found], arrived[came])
    assert figures[core.PRICE, :found] == pytest.approx(
        world["value"][month % HORIZON, came] / arrived[came], rel=1e-12
    )
    assert not value[month % HORIZON, came].any()
    expected, mean_age, waiting = world["store"].copy(), world["age"].copy(), world["ordered"].copy()
    held = world["deposit"].ravel().copy()
    said = np.full(SITES, NEVER)
    said[1] = 3
    for at, k in enumerate(came.tolist()):
        column, row = divmod(k, SITES)
        v, number = max(int(world["vintage"][column, month]), 0), float(arrived[k])
        assert vintages[at] == v
        before = float(world["chips"][row].sum() + expected[row].sum())
        there = float(world["chips"][row, v] + expected[row, v])
        mean_age[row, v] = (mean_age[row, v] * there + month * number) / (there + number)
        expected[row, v] += number
        waiting[row] = max(waiting[row] - number, 0.0)
        open_ = float(world["backlog"][FIRST + k] + world["pipeline"][:, FIRST + k].sum())
        back = held[k] * number / (number + open_)
        assert figures[core.RETURNED, at] == pytest.approx(back)
        held[k] -= back
        assert figures[core.THERE, at] == pytest.approx(before + number)
        goal = core.EQUIPPED * float(world["planned"][row])
        assert equips[at] == (goal > 0.0 and before < goal <= before + number and said[row] == NEVER)
        if equips[at]:
            said[row] = month
    assert store == pytest.approx(expected)
    assert age == pytest.approx(mean_age)
    assert ordered == pytest.approx(waiting)
    assert deposit.ravel() == pytest.approx(held)
    assert np.array_equal(equipped, said)


def test_the_last_delivery_returns_all_of_the_deposit() -> None:
    world = drawn(0)
    arrived = np.zeros(E)
    arrived[FIRST] = 10.0
    deposit = np.zeros((MAKERS, SITES))
    deposit[0, 0] = 700.0
    room = MAKERS * SITES
    figures = np.zeros((4, room))
    found = core.receive(
        20, COUNT, FIRST, NEVER, world["vintage"], world["planned"], arrived, np.zeros(E), np.zeros((HORIZON, E)),
        world["value"], world["ordered"], deposit, world["chips"], world["store"], world["age"],
        np.zeros(SITES, np.int64), *(np.zeros(room, np.int64) for _ in range(3)), np.zeros(room, np.bool_), figures,
    )  # fmt: skip
    assert found == 1
    assert figures[core.RETURNED, 0] == 700.0
    assert not deposit.any()
