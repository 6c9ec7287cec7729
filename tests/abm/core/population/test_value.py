"""What entering is worth: closed forms at the ends, a simulation in between."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.population import worth_at, worth_of_entry
from abm.population import RATIOS, entry_worth


def worth(ratio: float, spread: float = 0.35, persistence: float = 0.8, discount: float = 0.25) -> float:
    found = np.empty(1)
    worth_of_entry(np.array([ratio]), spread, persistence, discount, found)
    return float(found[0])


def test_without_uncertainty_a_firm_that_loses_stops_after_its_first_year() -> None:
    assert worth(0.7, spread=0.0) == pytest.approx(-0.3)
    assert worth(0.0) == pytest.approx(-1.0)


@settings(deadline=None, max_examples=30)
@given(st.floats(1.0, 5.0), st.floats(0.05, 0.9))
def test_without_uncertainty_a_firm_that_gains_goes_on_for_ever(ratio: float, discount: float) -> None:
    assert worth(ratio, spread=0.0, discount=discount) == pytest.approx(
        (ratio - 1.0) * (1.0 + discount) / discount, rel=1e-7, abs=1e-9
    )


@pytest.mark.parametrize("ratio", [0.7, 0.9, 1.2, 2.0])
def test_a_quality_drawn_anew_each_year_has_a_closed_form(ratio: float) -> None:
    """Without persistence each year is an option of its own: c = E max(a q - 1 + c/(1+r), 0), v = a - 1 + c/(1+r)."""
    keep, spread, normal, option = 0.8, 0.35, NormalDist().cdf, 0.0
    for _ in range(200):
        strike = 1.0 - keep * option
        if strike <= 0.0:
            option = ratio - strike
            continue
        distance = (math.log(ratio / strike) + 0.5 * spread**2) / spread
        option = ratio * normal(distance) - strike * normal(distance - spread)  # Black's formula
    assert worth(ratio, persistence=0.0) == pytest.approx(ratio - 1.0 + keep * option, abs=5e-3)


def test_the_right_to_stop_is_worth_something_and_more_so_where_fates_differ() -> None:
    """Where the average firm loses, only the chance of a lucky one makes entry worth while."""
    spreads = [worth(0.95, spread=spread) for spread in (0.0, 0.2, 0.35, 0.5)]
    assert spreads[0] == pytest.approx(-0.05)
    assert (np.diff(spreads) > 0.0).all()
    assert spreads[2] > 0.1


def test_it_rises_with_the_ratio_and_bends_upwards() -> None:
    table = entry_worth(0.35, 0.8, 0.25)
    slope = np.diff(table) / np.diff(RATIOS)
    assert (slope > 0.0).all()
    assert (np.diff(slope) >= -1e-7).all()


@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.3])
def test_simulated_firms_that_follow_the_rule_earn_it(ratio: float) -> None:
    """Firms with normal shocks that stop where going on is worth nothing: their mean discounted result."""
    spread, persistence, keep = 0.35, 0.8, 1.0 / 1.25
    grid = np.linspace(-4.0, 4.0, 401)  # standard deviations of log quality
    nodes, weights = np.polynomial.hermite_e.hermegauss(31)
    weights = weights / weights.sum()
    shock = np.sqrt(1.0 - persistence**2)
    quality = np.exp(spread * grid - 0.5 * spread**2)
    value = np.zeros(len(grid))
    ahead = persistence * grid[:, None] + shock * nodes
    for _ in range(200):
        value = ratio * quality - 1.0 + keep * np.maximum(np.interp(ahead, grid, value), 0.0) @ weights
    stops_below = float(np.interp(0.0, value, grid))
    rng = np.random.default_rng(1)
    level, alive, total = rng.standard_normal(400_000), np.ones(400_000, bool), np.zeros(400_000)
    for year in range(60):
        total += alive * keep**year * (ratio * np.exp(spread * level - 0.5 * spread**2) - 1.0)
        level = persistence * level + shock * rng.standard_normal(len(level))
        alive &= level > stops_below
    error = total.std() / np.sqrt(len(total))
    assert worth(ratio) == pytest.approx(total.mean(), abs=4.0 * error + 0.01)


def test_between_and_beyond_what_is_tabulated_it_is_a_straight_line_at_the_mean_ratio() -> None:
    table = entry_worth(0.35, 0.8, 0.25)
    seen = np.array([[0.0, 1.01, 2.2, 12.0, 20.0], [0.0, 1.05, 2.0, 12.0, 30.0], [0.0, 0.9, 2.7, 12.0, 10.0]])
    found = np.empty(5)
    worth_at(seen, RATIOS, table, found)
    slope = (table[-1] - table[-2]) / (RATIOS[-1] - RATIOS[-2])
    assert found[:4] == pytest.approx(np.interp(seen.mean(0)[:4], RATIOS, table), rel=1e-12)
    assert found[4] == pytest.approx(table[-1] + slope * (20.0 - RATIOS[-1]), rel=1e-12)
