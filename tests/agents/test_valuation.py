"""What a site is worth: debt that cash flow carries, the value of waiting, and the price of money."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agents.valuation import Appraisal, appraise, debt_capacity, option_threshold, required_return
from runs.assemble import prepare

PROJECT = 2
"""Row of south-one, a site with project finance, in the toy world."""

# -- debt ------------------------------------------------------------------------------------


def test_debt_by_hand() -> None:
    """100 a year falling by a fifth, at 10 % over 2.5 years and a cover of 1.25; the half year counts half."""
    present = 100.0 / 1.1 + 80.0 / 1.1**2 + 0.5 * 64.0 / 1.1**3
    assert debt_capacity(100.0, 0.2, 2.5, 0.1, 1.25, 1e9) == pytest.approx(present / 1.25, rel=1e-12)


@settings(deadline=None)
@given(
    st.floats(1.0, 1e12), st.floats(0.0, 0.6), st.floats(0.0, 0.3), st.integers(1, 20), st.floats(1.0, 3.0)
)
def test_the_debt_is_repaid_by_what_cover_leaves(
    cash: float, decline: float, rate: float, years: int, cover: float
) -> None:
    """Pay 1/cover of each year's cash flow on the loan: after the last year nothing is owed."""
    owed = debt = debt_capacity(cash, decline, float(years), rate, cover, 1e30)
    for year in range(years):
        owed = owed * (1.0 + rate) - cash * (1.0 - decline) ** year / cover
    assert owed == pytest.approx(0.0, abs=1e-9 * debt * (1.0 + rate) ** years)


@settings(deadline=None)
@given(st.floats(1.0, 1e12), st.floats(0.0, 1e12))
def test_debt_never_passes_its_limit(cash: float, limit: float) -> None:
    assert 0.0 <= debt_capacity(cash, 0.2, 5.0, 0.05, 1.3, limit) <= limit


@pytest.mark.parametrize("cash", [0.0, -5.0])
def test_without_cash_flow_there_is_no_debt(cash: float) -> None:
    assert debt_capacity(cash, 0.2, 5.0, 0.05, 1.3, 100.0) == 0.0


@settings(deadline=None)
@given(st.floats(0.0, 0.2), st.floats(0.001, 0.1))
def test_dearer_money_carries_less_debt(rate: float, more: float) -> None:
    assert debt_capacity(100.0, 0.2, 4.5, rate + more, 1.3, 1e9) < debt_capacity(
        100.0, 0.2, 4.5, rate, 1.3, 1e9
    )


@settings(deadline=None)
@given(st.floats(0.1, 15.0), st.floats(0.0, 3.0))
def test_a_longer_loan_carries_no_less(years: float, more: float) -> None:
    assert debt_capacity(100.0, 0.2, years + more, 0.07, 1.3, 1e9) >= debt_capacity(
        100.0, 0.2, years, 0.07, 1.3, 1e9
    ) * (1.0 - 1e-12)


# -- the option to wait ----------------------------------------------------------------------


@settings(deadline=None)
@given(st.floats(0.01, 0.1), st.floats(0.0, 0.3))
def test_without_uncertainty_waiting_is_worth_nothing(rate: float, above: float) -> None:
    """Where the project pays out at least the interest, the threshold falls to one with the volatility."""
    payout = rate + above + 0.005
    thresholds = [option_threshold(volatility, rate, payout) for volatility in (0.1, 1e-2, 1e-3, 0.0)]
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[-1] == 1.0
    assert thresholds[-2] == pytest.approx(1.0, abs=1e-3)


@settings(deadline=None)
@given(st.floats(0.05, 1.0), st.floats(0.01, 0.5), st.floats(0.01, 0.1), st.floats(0.01, 0.3))
def test_more_uncertainty_is_more_reason_to_wait(
    volatility: float, more: float, rate: float, payout: float
) -> None:
    assert (
        option_threshold(volatility + more, rate, payout) > option_threshold(volatility, rate, payout) > 1.0
    )


@settings(deadline=None)
@given(st.floats(0.1, 1.0), st.floats(0.01, 0.1), st.floats(0.01, 0.3), st.floats(0.01, 0.3))
def test_a_richer_payout_is_less_reason_to_wait(
    volatility: float, rate: float, payout: float, more: float
) -> None:
    assert option_threshold(volatility, rate, payout + more) < option_threshold(volatility, rate, payout)


def test_the_textbook_case() -> None:
    """Dixit and Pindyck (1994, chapter 5): volatility 0.2, interest and payout 4 %: b = 2, invest at twice the outlay."""
    assert option_threshold(0.2, 0.04, 0.04) == pytest.approx(2.0, rel=1e-12)


@settings(deadline=None)
@given(st.floats(0.05, 1.0), st.floats(0.01, 0.1), st.floats(0.01, 0.3))
def test_the_threshold_belongs_to_a_root_of_the_fundamental_quadratic(
    volatility: float, rate: float, payout: float
) -> None:
    threshold = option_threshold(volatility, rate, payout)
    assume(threshold < 1e5)
    b = threshold / (threshold - 1.0)
    assert b > 1.0
    left = 0.5 * volatility**2 * b * (b - 1.0) + (rate - payout) * b - rate
    assert left == pytest.approx(0.0, abs=1e-6 * b * b)


# -- an appraisal ----------------------------------------------------------------------------


@functools.cache
def toy(**settings: float) -> Any:
    return prepare("toy", "baseline", "no-policy", settings).build()


def value(
    forecast: float = 3000.0,
    credibility: float = 0.5,
    exposure: float = 1.0,
    row: int = PROJECT,
    **settings: float,
) -> Appraisal:
    return appraise(
        toy(**settings),
        0,
        row,
        beta=1.2,
        exposure=exposure,
        premium=1.3,
        forecast=lambda years: forecast,
        credibility=credibility,
    )


def test_dearer_money_lowers_value_over_outlay_and_debt_never_rises() -> None:
    found = [value(interest_rate_shift=shift) for shift in (-0.02, 0.0, 0.02, 0.05)]
    ratios = [one.ratio for one in found]
    assert ratios == sorted(ratios, reverse=True)
    assert len(set(ratios)) == 4
    assert [one.debt for one in found] == sorted((one.debt for one in found), reverse=True)


def test_country_risk_is_in_the_rate_of_those_exposed_and_nowhere_else() -> None:
    calm, risky = value(country_risk_premium=0.0), value(country_risk_premium=0.08)
    assert risky.required_return == pytest.approx(calm.required_return + 0.08)
    assert risky.ratio < calm.ratio
    assert risky._replace(value=calm.value, ratio=calm.ratio, required_return=calm.required_return) == calm
    assert value(country_risk_premium=0.08, exposure=0.0) == value(country_risk_premium=0.0, exposure=0.0)


def test_a_dearer_building_and_a_cheaper_hour_both_lower_the_ratio() -> None:
    base = value()
    assert value(site_cost_factor=1.6).ratio < base.ratio
    assert value(forecast=2000.0).ratio < base.ratio


def test_a_word_that_is_believed_shortens_the_wait() -> None:
    believed, doubted = value(credibility=1.0), value(credibility=0.0)
    years = toy().parameters["reference_delay_months"] / 12.0
    assert doubted.delay == pytest.approx(believed.delay + years)
    assert doubted.ratio < believed.ratio


@settings(deadline=None, max_examples=40)
@given(st.floats(100.0, 20_000.0), st.floats(0.0, 1.0), st.sampled_from([1, 2, 3]))
def test_what_a_site_costs_is_paid_by_debt_equity_and_support(
    forecast: float, credibility: float, row: int
) -> None:
    one = value(forecast, credibility, row=row)
    assert one.cost == pytest.approx(one.shell + one.chips, rel=1e-12)
    assert one.debt + one.equity + one.support == pytest.approx(one.cost, rel=1e-12)
    assert 0.0 <= one.debt <= 0.95 * one.cost
    assert one.support == 0.0  # no policy supports anybody
    assert one.delay > 0.0
    assert np.isfinite(one.ratio)


def test_value_grows_with_the_price_of_an_hour_and_debt_up_to_the_gearing() -> None:
    found = [value(forecast) for forecast in (1000.0, 1500.0, 2000.0, 4000.0, 8000.0)]
    assert [one.value for one in found] == sorted(one.value for one in found)
    assert [one.debt for one in found] == sorted(one.debt for one in found)
    assert found[-1].debt == pytest.approx(toy().parameters["gearing"] * found[-1].cost)


def test_hours_that_earn_nothing_carry_no_debt_and_lose_the_outlay() -> None:
    one = value(forecast=1e-6)
    assert one.debt == 0.0
    assert one.ratio < 0.1


def test_the_log_keeps_the_figures_of_the_decision() -> None:
    one = value()
    figures = one.figures()
    assert figures["value_over_outlay"] == one.ratio
    assert figures["cost"] == one.cost
    assert figures["price_forecast"] == 3000.0


def test_the_return_asked_for_by_hand() -> None:
    """3 % risk-free, 1.5 times a premium of 6 %, half of 2 % country risk."""
    model: Any = SimpleNamespace(
        parameters={"equity_premium": 0.06},
        outside=SimpleNamespace(interest_rate=np.array([0.0, 0.03]), country_risk=np.array([0.0, 0.02])),
    )
    assert required_return(model, 1, 1.5, 0.5) == pytest.approx(0.13)
