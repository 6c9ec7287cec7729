"""One price for firms and segments together: against a reference, at the bounds, and in few evaluations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from abm.core.population import columns as at
from abm.core.population.clearing import TOLERANCE
from abm.population import Startups
from tests.abm.firms import ELASTICITY, REFERENCE, population, solve, spot_demand, terms

Segments = list[tuple[float, float]]

segments = st.lists(st.tuples(st.floats(1.0, 1e7), st.floats(0.1, 3.0)), min_size=1, max_size=4)
supplies = st.floats(1.0, 1e8)
bands = st.tuples(st.floats(10.0, 2000.0), st.floats(1.01, 20.0)).map(
    lambda band: (band[0], band[0] * band[1])
)
starts = st.floats(1.0, 1e5)


def firms(seed: int = 1, rows: int = 60, spend: float = 0.001) -> Startups:
    """Firms with demand stated, of which some are bound by their purse and some are not."""
    one = population(rows, seed)
    one.sign(0, 1.0, 0.0, terms(spend_share=spend))
    return one


FIRMS = [firms(seed, spend=spend) for seed in range(3) for spend in (0.0, 0.001, 0.01, 1.0)]


def wanted(parts: Segments, one: Startups, price: float) -> float:
    return sum(a * (price / REFERENCE) ** -e for a, e in parts) + spot_demand(one, price)


@settings(deadline=None)
@given(segments, st.sampled_from(FIRMS), supplies, bands, starts)
def test_the_market_clears_or_stands_at_a_bound(
    parts: Segments, one: Startups, supply: float, band: tuple[float, float], start: float
) -> None:
    floor, ceiling = band
    price, demand, _ = solve(parts, supply, floor, ceiling, one, start)
    assert floor <= price <= ceiling
    assert demand == pytest.approx(wanted(parts, one, price), rel=1e-11)
    if price == ceiling:
        assert demand >= supply * (1.0 - TOLERANCE)
    elif price == floor:
        assert demand <= supply * (1.0 + TOLERANCE)
    else:
        # A price is a floating-point number: its neighbours may be further apart than the tolerance.
        assert demand == pytest.approx(
            supply, rel=max(TOLERANCE, 4.0 * 2.0**-52 * 3.0 * abs(math.log(price)))
        )


@settings(deadline=None)
@given(segments, st.sampled_from(FIRMS), st.floats(0.05, 0.95), bands, starts)
def test_the_price_is_that_of_a_general_root_finder(
    parts: Segments, one: Startups, share: float, band: tuple[float, float], start: float
) -> None:
    floor, ceiling = band
    high, low = wanted(parts, one, floor), wanted(parts, one, ceiling)
    supply = low + share * (high - low)
    reference = brentq(
        lambda price: wanted(parts, one, price) - supply, floor, ceiling, xtol=1e-12, rtol=1e-14
    )
    assert solve(parts, supply, floor, ceiling, one, start)[0] == pytest.approx(reference, rel=1e-9)


def test_it_takes_a_handful_of_looks_at_all_firms() -> None:
    """Newton's step on a nearly straight curve: what makes the month linear in the number of firms."""
    counts = []
    for one in (firms(seed, 2000, spend) for seed in range(10) for spend in (0.0005, 0.001, 0.003)):
        for price in (500.0, 1500.0, 3900.0, 9000.0):
            supply = wanted([(1e5, 0.7)], one, price)
            found, _, evaluations = solve([(1e5, 0.7)], supply, 100.0, 20_000.0, one, 1.05 * price)
            assert found == pytest.approx(price, rel=1e-10)
            counts.append(evaluations)
    assert np.mean(counts) < 7.0
    assert max(counts) <= 12


@settings(deadline=None)
@given(segments, st.sampled_from(FIRMS), supplies, st.floats(1.0, 3.0), bands)
def test_more_supply_never_raises_the_price(
    parts: Segments, one: Startups, supply: float, more: float, band: tuple[float, float]
) -> None:
    scarce, demand, _ = solve(parts, supply, *band, one)
    ample, served, _ = solve(parts, supply * more, *band, one)
    assert ample <= scarce * (1.0 + 1e-9)
    assert served >= demand * (1.0 - 1e-9)


@settings(deadline=None)
@given(segments, supplies, st.floats(1.0, 3.0), bands)
def test_more_demand_never_lowers_the_price(
    parts: Segments, supply: float, more: float, band: tuple[float, float]
) -> None:
    one, richer, needier = firms(), firms(), firms()
    richer.firm[at.PURSE] *= more
    needier.firm[at.CURVE] *= more
    calm = solve(parts, supply, *band, one)[0]
    for eager, who in (
        ([(a * more, e) for a, e in parts], one),
        ([*parts, (1e6, 1.0)], one),
        (parts, richer),
        (parts, needier),
    ):
        assert solve(eager, supply, *band, who)[0] >= calm * (1.0 - 1e-9)


@settings(deadline=None)
@given(st.floats(1.0, 1e7), st.floats(0.2, 3.0), st.floats(0.5, 2.0))
def test_one_segment_by_hand(coefficient: float, elasticity: float, ratio: float) -> None:
    """a (p/p0)^-e = s has the answer p = p0 (a/s)^(1/e)."""
    supply = coefficient * ratio**-elasticity
    price, demand, _ = solve([(coefficient, elasticity)], supply, 1.0, 1e6)
    assert price == pytest.approx(REFERENCE * ratio, rel=1e-9)
    assert demand == pytest.approx(supply, rel=1e-9)


def test_purses_alone_buy_what_they_reach_for() -> None:
    """Two firms with a purse of 3,000 each and needs without end share 3,000 hours at 2,000 won."""
    one = firms(rows=2)
    one.firm[at.CURVE], one.firm[at.PURSE] = 1e12, 6.0
    price, demand, _ = solve([], 3.0, 100.0, 5000.0, one)
    assert price == pytest.approx(1000.0 * 6.0 / 3.0, rel=1e-11)
    assert demand == pytest.approx(3.0, rel=1e-11)


def test_each_firm_is_bound_by_whichever_is_less_at_the_price_itself() -> None:
    """One firm's need binds and the other's purse; the price is the root of the two together, by hand.

    With e = 1.2 and prices over p0 = 4,000: 500 (p/p0)^-1.2 + 500 M / p = S at p = 2,000 where M = 1e6 needs
    S = 500 2^1.2 + 250,000; the first firm could pay ten times that, the second wants ten times that.
    """
    one = firms(rows=2)
    one.firm[at.CURVE, :2], one.firm[at.PURSE, :2] = [1.0, 1e5], [1e6, 1e6]
    supply = 500.0 * 2.0**ELASTICITY + 500.0 * 1e6 / 2000.0
    price, _, _ = solve([], supply, 100.0, 50_000.0, one)
    assert price == pytest.approx(2000.0, rel=1e-11)


def test_missing_hours_are_imported_at_the_ceiling() -> None:
    price, demand, _ = solve([(1000.0, 1.0)], 100.0, 500.0, 8000.0)
    assert price == 8000.0
    assert demand == pytest.approx(500.0)
    assert solve([(1000.0, 1.0)], 0.0, 500.0, 8000.0)[:2] == (price, demand)


def test_hours_nobody_wants_stay_unused_at_the_floor() -> None:
    price, demand, _ = solve([(1000.0, 1.0)], 1e6, 2000.0, 8000.0)
    assert price == 2000.0
    assert demand == pytest.approx(2000.0)
    assert solve([], 1.0, 500.0, 2000.0)[:2] == (500.0, 0.0)


def test_demand_that_heeds_no_price_goes_to_a_bound() -> None:
    assert solve([(1000.0, 0.0)], 999.0, 500.0, 2000.0)[0] == 2000.0
    assert solve([(1000.0, 0.0)], 1001.0, 500.0, 2000.0)[0] == 500.0
