"""The spot market clears: one price between floor and ceiling at which demand and supply agree."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.phases.market import clear
from runs.engine import simulate

REFERENCE = 1000.0
TOLERANCE = 1e-9
Segments = list[tuple[float, float]]

segments = st.lists(st.tuples(st.floats(1.0, 1e7), st.floats(0.1, 3.0)), min_size=1, max_size=4)
moneys = st.floats(0.0, 1e10)
supplies = st.floats(1.0, 1e8)
bands = st.tuples(st.floats(10.0, 2000.0), st.floats(1.01, 20.0)).map(
    lambda band: (band[0], band[0] * band[1])
)


def wanted(parts: Segments, money: float, price: float) -> float:
    return sum(a * (price / REFERENCE) ** -e for a, e in parts) + money / price


@settings(deadline=None)
@given(segments, moneys, supplies, bands)
def test_the_market_clears_or_stands_at_a_bound(
    parts: Segments, money: float, supply: float, band: tuple[float, float]
) -> None:
    price, demand = clear(parts, money, REFERENCE, supply, *band)
    floor, ceiling = band
    assert floor * (1.0 - 1e-12) <= price <= ceiling * (1.0 + 1e-12)
    assert demand == pytest.approx(wanted(parts, money, price), rel=1e-9)
    if price == ceiling:
        assert demand >= supply * (1.0 - TOLERANCE)
    elif price == floor:
        assert demand <= supply * (1.0 + TOLERANCE)
    else:
        assert demand == pytest.approx(supply, rel=TOLERANCE)


@settings(deadline=None)
@given(segments, moneys, supplies, st.floats(1.0, 3.0), bands)
def test_more_supply_never_raises_the_price(
    parts: Segments, money: float, supply: float, more: float, band: tuple[float, float]
) -> None:
    scarce, demand = clear(parts, money, REFERENCE, supply, *band)
    ample, served = clear(parts, money, REFERENCE, supply * more, *band)
    assert ample <= scarce * (1.0 + TOLERANCE)
    assert served >= demand * (1.0 - TOLERANCE)


@settings(deadline=None)
@given(segments, moneys, supplies, st.floats(1.0, 3.0), bands)
def test_more_demand_never_lowers_the_price(
    parts: Segments, money: float, supply: float, more: float, band: tuple[float, float]
) -> None:
    calm, _ = clear(parts, money, REFERENCE, supply, *band)
    for eager in (
        ([(a * more, e) for a, e in parts], money),
        (parts, money * more),
        ([*parts, (1e6, 1.0)], money),
    ):
        assert clear(*eager, REFERENCE, supply, *band)[0] >= calm * (1.0 - TOLERANCE)


@settings(deadline=None)
@given(st.floats(1.0, 1e7), st.floats(0.2, 3.0), st.floats(0.5, 2.0))
def test_one_segment_by_hand(coefficient: float, elasticity: float, ratio: float) -> None:
    """a (p/p0)^-e = s has the answer p = p0 (a/s)^(1/e)."""
    supply = coefficient * ratio**-elasticity
    price, demand = clear([(coefficient, elasticity)], 0.0, REFERENCE, supply, 1.0, 1e6)
    assert price == pytest.approx(REFERENCE * ratio, rel=1e-9)
    assert demand == pytest.approx(supply, rel=1e-9)


def test_money_alone_buys_what_it_reaches_for() -> None:
    price, demand = clear([], 6e6, REFERENCE, 3000.0, 100.0, 5000.0)
    assert price == pytest.approx(2000.0, rel=1e-12)
    assert demand == pytest.approx(3000.0, rel=1e-12)


def test_missing_hours_are_imported_at_the_ceiling() -> None:
    price, demand = clear([(1000.0, 1.0)], 0.0, REFERENCE, 100.0, 500.0, 2000.0)
    assert price == 2000.0
    assert demand == pytest.approx(500.0)
    assert clear([(1000.0, 1.0)], 0.0, REFERENCE, 0.0, 500.0, 2000.0) == (price, demand)


def test_hours_nobody_wants_stay_unused_at_the_floor() -> None:
    price, demand = clear([(1000.0, 1.0)], 0.0, REFERENCE, 1e6, 500.0, 2000.0)
    assert price == 500.0
    assert demand == pytest.approx(2000.0)
    assert clear([], 0.0, REFERENCE, 1.0, 500.0, 2000.0) == (500.0, 0.0)


def test_demand_that_heeds_no_price_goes_to_a_bound() -> None:
    assert clear([(1000.0, 0.0)], 0.0, REFERENCE, 999.0, 500.0, 2000.0)[0] == 2000.0
    assert clear([(1000.0, 0.0)], 0.0, REFERENCE, 1001.0, 500.0, 2000.0)[0] == 500.0


@functools.cache
def toy() -> Any:
    return simulate(world="toy", package="no-policy")


def test_every_month_of_a_run_clears() -> None:
    assert 0.0 < toy().market_residual < 1e-9


def test_the_last_month_adds_up() -> None:
    """No more is used than was made; what home demand does not find at home is imported."""
    month = toy().compute_month
    assert 0.0 < month.used <= month.supply * (1.0 + 1e-12)
    assert 0.0 <= month.sold_share <= 1.0
    assert month.imported >= 0.0
    assert month.home_served + month.imported == pytest.approx(month.home_demand, rel=1e-12)
    market = toy().state.market
    assert 0.0 < market.price <= market.ceiling
    assert market.history[-1] == market.price
    assert len(market.history) == toy().calendar.months


def test_sites_together_earn_what_buyers_at_home_and_abroad_pay() -> None:
    month = toy().compute_month
    spot = sum(month.paid.values()) * month.sold_share
    vouchers = toy().startup_month.get("voucher_paid", 0.0)
    earned = spot + month.captive_paid + month.reserved_paid + vouchers + month.hosting_paid
    assert earned > 0.0
    assert sum(month.site_revenue.values()) + month.state_income == pytest.approx(earned, rel=1e-9)
