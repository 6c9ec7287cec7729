"""What an allocation means for sites, against the same in plain loops and sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from abm.core.sites import chips as core
from abm.core.sites.draw import CHIP_MAKERS, PROJECT

MAKERS, SITES, COUNT, VINTAGES, HORIZON, FIRST, EDGES, MONTHS = 3, 7, 5, 4, 9, 6, 20, 40
NEVER, OWNERS, ROOM = 10**6, 3, 50
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
    month, spent, world = 20, 2, drawn(seed)
    ordered, deposit, value = world["ordered"].copy(), world["deposit"].copy(), world["value"].copy()
    store, age, equipped_in = world["store"].copy(), world["age"].copy(), np.full(SITES, NEVER, np.int64)
    equipped_in[1] = 3
    draw = np.random.default_rng(1000 + seed)
    owner, finance, public = (
        draw.integers(0, OWNERS, SITES),
        draw.integers(0, 3, SITES),
        draw.random(SITES) < 0.3,
    )
    moved, on_sites, cash = np.zeros(EDGES), deposit.sum(axis=0), np.zeros(OWNERS + 1)
    rows, payees, amounts = np.full(ROOM, -1), np.full(ROOM, -1), np.zeros(ROOM)
    equipped, there = np.zeros((2, SITES), np.int64), np.zeros(SITES)
    by_owner, by_maker = np.ones((2, OWNERS)), np.ones((2, MAKERS))
    listed, found, pooled = core.receive(
        month, COUNT, FIRST, NEVER, spent, world["vintage"], world["planned"], world["arrived"], world["backlog"],
        world["pipeline"], value, ordered, deposit, world["chips"], store, age, equipped_in, owner, finance, public,
        world["edge"], moved, on_sites, cash, rows, amounts, payees, equipped, there, by_owner, by_maker,
    )  # fmt: skip

    arrived = world["arrived"][FIRST:]
    came = np.flatnonzero(arrived)
    worth = world["value"][month % HORIZON]
    paid = [k for k in came.tolist() if not public[k % SITES]]
    assert rows[spent:listed].tolist() == [k % SITES for k in paid]
    assert payees[spent:listed].tolist() == [CHIP_MAKERS + k // SITES for k in paid]
    assert np.array_equal(amounts[spent:listed], worth[paid])
    assert (rows[:spent] == -1).all(), "what was listed before is left alone"
    assert not value[month % HORIZON, came].any()
    expected, mean_age, waiting = world["store"].copy(), world["age"].copy(), world["ordered"].copy()
    held, returned = world["deposit"].ravel().copy(), np.zeros(MAKERS * SITES)
    said, full = np.full(SITES, NEVER), []
    said[1] = 3
    for k in came.tolist():
        column, row = divmod(k, SITES)
        v, number = max(int(world["vintage"][column, month]), 0), float(arrived[k])
        before = float(world["chips"][row].sum() + expected[row].sum())
        stands = float(world["chips"][row, v] + expected[row, v])
        mean_age[row, v] = (mean_age[row, v] * stands + month * number) / (stands + number)
        expected[row, v] += number
        waiting[row] = max(waiting[row] - number, 0.0)
        open_ = float(world["backlog"][FIRST + k] + world["pipeline"][:, FIRST + k].sum())
        returned[k] = held[k] * number / (number + open_)
        goal = core.EQUIPPED * float(world["planned"][row])
        if goal > 0.0 and before < goal <= before + number and said[row] == NEVER:
            said[row] = month
            full.append((row, column, before + number))
    assert store == pytest.approx(expected)
    assert age == pytest.approx(mean_age)
    assert ordered == pytest.approx(waiting)
    assert np.array_equal(equipped_in, said)
    assert [*zip(*equipped[:, :found].tolist(), strict=True)] == [one[:2] for one in full]
    assert there[:found].tolist() == pytest.approx([one[2] for one in full])

    assert deposit.ravel() == pytest.approx(held - returned)
    by_site, number = returned.reshape(MAKERS, SITES).sum(axis=0), arrived.reshape(MAKERS, SITES)
    assert on_sites == pytest.approx(world["deposit"].sum(axis=0) - by_site)
    assert by_owner[0] == pytest.approx(np.bincount(owner, number.sum(axis=0), OWNERS))
    assert by_owner[1] == pytest.approx(np.bincount(owner, by_site, OWNERS))
    assert cash[:OWNERS] == pytest.approx(by_owner[1])
    assert pooled == pytest.approx(float(by_site[finance == PROJECT].sum()))
    assert by_maker[0] == pytest.approx(number.sum(axis=1))
    bought = np.where(number > 0.0, worth.reshape(MAKERS, SITES), 0.0)[:, public]
    assert by_maker[1] == pytest.approx(bought.sum(axis=1))
    edge = world["edge"].ravel()
    assert moved == pytest.approx(np.bincount(edge[edge >= 0], arrived[edge >= 0], EDGES))


def test_the_last_delivery_returns_all_of_the_deposit() -> None:
    world = drawn(0)
    arrived, by_owner = np.zeros(E), np.zeros((2, 1))
    arrived[FIRST] = 10.0
    deposit = np.zeros((MAKERS, SITES))
    deposit[0, 0] = 700.0
    listed, *_ = core.receive(
        20, COUNT, FIRST, NEVER, 0, world["vintage"], world["planned"], arrived, np.zeros(E), np.zeros((HORIZON, E)),
        world["value"], world["ordered"], deposit, world["chips"], world["store"], world["age"],
        np.zeros(SITES, np.int64), np.zeros(SITES, np.int64), np.zeros(SITES, np.int64), np.zeros(SITES, bool),
        world["edge"], np.zeros(EDGES), np.zeros(SITES), np.zeros(1), np.zeros(ROOM, np.int64), np.zeros(ROOM),
        np.zeros(ROOM, np.int64), np.zeros((2, SITES), np.int64), np.zeros(SITES), by_owner, np.zeros((2, MAKERS)),
    )  # fmt: skip
    assert listed == 1
    assert by_owner[1, 0] == 700.0
    assert not deposit.any()


def test_what_sites_want_is_added_up_by_maker() -> None:
    wanted, by_maker = np.random.default_rng(3).uniform(0.0, 9.0, (7, 3)), np.full(3, np.nan)
    core.wanted_of_makers(5, wanted, by_maker)
    assert by_maker == pytest.approx(wanted[:5].sum(axis=0))
