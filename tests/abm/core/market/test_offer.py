"""How owners divide their hours and what these bring in: nothing is lost, own need first, the state's set apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.market import deliver, divide, earn, power_cost
from abm.core.market.offer import (
    CAPTIVE,
    CAPTIVE_PAID,
    DUE,
    HOSTING_PAID,
    MADE,
    MW,
    OPEN,
    PAID,
    PARTS,
    RESERVED,
    RESERVED_PAID,
    ROOM,
    SPARE_HOURS,
    STATE,
    TOTALS,
)

RUNNING, AI, PUBLIC = 5, 0, 0


class Divided(NamedTuple):
    rows: np.ndarray
    parts: np.ndarray
    total: np.ndarray


def divided(
    whole: list[float],
    of_state: list[bool],
    owner: list[int],
    own_use: list[float],
    anchor: list[float],
    asked: list[float],
    unserved: float = 0.0,
    status: list[int] | None = None,
    until: list[int] | None = None,
    month: int = 10,
) -> Divided:
    """Sites of one zone and one vintage of one H100-equivalent each, in a month of one hour."""
    n = len(whole)
    rows, parts, total = np.full(n, -1), np.full((PARTS, n), np.nan), np.full(TOTALS, np.nan)
    count = divide(
        month, 1.0, n, RUNNING, AI, PUBLIC, np.full(n, RUNNING) if status is None else np.array(status),
        np.full(n, AI), np.array([PUBLIC if one else 2 for one in of_state], np.int64),
        np.array(owner, np.int64), np.zeros(n, np.int64), np.full(n, 2.0), np.array(own_use, float),
        np.array(anchor, float), np.full(n, 99) if until is None else np.array(until), np.array([unserved]),
        np.array(whole, float).reshape(n, 1), np.ones(1), np.array(asked, float), rows, parts, total,
    )  # fmt: skip
    return Divided(rows[:count], parts[:, :count], total)


def test_an_owner_fills_its_need_site_after_site_and_sells_a_part_of_the_rest_ahead() -> None:
    parts = divided(
        [10.0] * 4, [False] * 4, [0, 0, 1, 0], [0.6] * 4, [0.0, 0.5, 0.25, 0.0], [8.0, -1.0]
    ).parts
    assert parts[CAPTIVE].tolist() == [6.0, 2.0, 6.0, 0.0], "one that asks for nothing keeps what it may"
    assert parts[RESERVED].tolist() == [0.0, 4.0, 1.0, 0.0]
    assert parts[OPEN].tolist() == [4.0, 4.0, 3.0, 10.0]


def test_hours_that_were_not_made_cannot_be_kept_and_the_need_is_not_moved_elsewhere() -> None:
    """Power that was not served takes from the owner's own use at the site where it was missing."""
    parts = divided([10.0, 10.0], [False] * 2, [0, 0], [0.6, 0.6], [0.0, 0.0], [6.0], unserved=0.8).parts
    assert parts[MADE].tolist() == pytest.approx([2.0, 2.0])
    assert parts[CAPTIVE].tolist() == pytest.approx([2.0, 0.0])


def test_sites_that_are_not_at_work_offer_nothing_and_contracts_that_ended_are_counted() -> None:
    found = divided(
        [10.0] * 4, [False, True, False, False], [0] * 4, [0.25] * 4, [0.0] * 4, [-1.0],
        status=[RUNNING, RUNNING, 4, RUNNING], until=[9, 9, 9, 10],
    )  # fmt: skip
    assert found.rows.tolist() == [0, 1, 3]
    assert found.total[DUE] == 1.0, "neither the state's, nor one that is not there, nor one that holds"
    assert found.total[MW] == 6.0
    assert found.total[ROOM] == 2 * 2.0 * 0.75


sites = st.lists(
    st.tuples(st.floats(0, 1e6), st.booleans(), st.integers(0, 2), st.floats(0, 1), st.floats(0, 1)),
    max_size=12,
)


@settings(deadline=None)
@given(sites, st.lists(st.floats(-1.0, 1e6), min_size=3, max_size=3))
def test_every_hour_has_one_use(
    rows: list[tuple[float, bool, int, float, float]], asked: list[float]
) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], [], []]
    _, parts, total = divided(*columns, asked)
    assert (parts >= 0.0).all()
    np.testing.assert_allclose(parts[CAPTIVE:].sum(axis=0), parts[MADE], rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(total[:PARTS], parts.sum(axis=1), rtol=1e-12)
    for row, (made, of_state, *_) in enumerate(rows):
        assert parts[STATE, row] == (made if of_state else 0.0)
    for who, hours in enumerate(asked):
        if hours >= 0.0:
            mine = [row for row, site in enumerate(rows) if site[2] == who]
            assert parts[CAPTIVE, mine].sum() <= hours * (1.0 + 1e-12)


def test_sites_earn_what_their_hours_bring_and_hours_sold_are_their_owners() -> None:
    """Against the same sums in NumPy, with a state site among four."""
    draw = np.random.default_rng(3)
    owner, price_ahead = np.array([0, 1, 1, 2, 0]), draw.uniform(1.0, 9.0, 5)
    rows, parts = np.array([0, 2, 3, 4]), draw.uniform(0.0, 100.0, (PARTS, 4))
    parts[CAPTIVE, 2] = parts[RESERVED, 2] = parts[OPEN, 2] = 0.0
    parts[STATE, [0, 1, 3]] = 0.0
    price, mean, cost, public, spare_share, used = 5.0, 4.0, 1.5, 20.0, 0.3, 0.9
    revenue, sold, paid = np.empty(4), np.empty(4), np.empty(PAID)
    earn(
        4, rows, owner, price_ahead, parts, price, mean, cost, public, spare_share, used, revenue, sold, paid
    )

    spare = float(parts[STATE].sum()) * spare_share
    hosting = np.where(parts[STATE] > 0.0, (public + spare * used) * cost, 0.0)
    ahead = parts[RESERVED] * price_ahead[rows]
    np.testing.assert_allclose(revenue, parts[CAPTIVE] * price + ahead + parts[OPEN] * mean + hosting)
    open_hours = parts[OPEN] + parts[STATE] * spare_share
    np.testing.assert_allclose(sold, np.bincount(owner[rows], open_hours * used + parts[STATE], 4))
    assert paid[CAPTIVE_PAID] == pytest.approx(price * parts[CAPTIVE].sum())
    assert paid[RESERVED_PAID] == pytest.approx(ahead.sum())
    assert paid[SPARE_HOURS] == pytest.approx(spare)
    assert paid[HOSTING_PAID] == pytest.approx((public + spare * used) * cost)


def test_hours_delivered_follow_what_sellers_sold_and_how_many_firms_live() -> None:
    sold, living = np.array([3.0, 1.0]), np.array([10.0, 30.0])
    seller, group, edges = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5, 2, 0, 3])
    flow = np.ones(6)
    deliver(sold, edges, seller, group, living, 160.0, flow)
    assert flow.tolist() == [11.0, 1.0, 91.0, 31.0, 1.0, 31.0]
    deliver(np.zeros(2), edges, seller, group, living, 160.0, flow)
    assert flow.sum() == 166.0, "nothing moves where nobody sold"


def test_the_cost_of_power_is_that_of_the_mean_machine_or_else_of_the_newest() -> None:
    chips, prices = np.array([[2.0, 0.0], [1.0, 4.0], [9.0, 9.0]]), np.array([100.0, 200.0])
    kw, h100e = np.array([1.0, 1.5]), np.array([1.0, 3.0])
    assert power_cost(2, chips, kw, h100e, 7.0, prices) == pytest.approx(9.0 / 15.0 * 150.0)
    assert power_cost(0, chips, kw, h100e, 7.0, prices) == pytest.approx(7.0 * 150.0)
