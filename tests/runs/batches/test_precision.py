"""Intervals of means over samples and replicates, and conditions to stop at."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from runs.batches.precision import Interval, Until, interval, next_stop
from runs.checking import BadInput


def test_one_axis_is_the_students_t_interval() -> None:
    values = np.array([[3.0, 5.0, 4.0, 8.0]])
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values, axis=None))
    for shaped in (values, values.T):
        found = interval(shaped)
        assert (found.mean, found.n) == (5.0, 4)
        assert found.low == pytest.approx(low)
        assert found.high == pytest.approx(high)


@pytest.mark.parametrize(("samples", "replicates"), [(12, 6), (30, 3), (5, 20)])
def test_a_crossed_interval_covers_the_mean_as_often_as_it_says(samples: int, replicates: int) -> None:
    rng = np.random.default_rng(11)
    covered, naive = 0, 0
    for _ in range(600):
        values = (
            rng.normal(0, 2, (samples, 1))
            + rng.normal(0, 1, (1, replicates))
            + rng.normal(0, 0.5, (samples, replicates))
        )
        found = interval(values)
        covered += found.low <= 0.0 <= found.high
        half = stats.sem(values, axis=None) * stats.t.ppf(0.975, values.size - 1)
        naive += abs(values.mean()) <= half
    assert 0.92 <= covered / 600 <= 0.98
    assert naive / 600 < 0.85  # what it would be if all runs counted as independent


def test_undefined_values_are_left_out() -> None:
    values = np.array([[1.0, math.nan], [3.0, 5.0], [math.nan, math.nan]])
    found = interval(values)
    assert found.n == 3
    assert found.mean == 3.0
    assert interval(np.full((3, 2), math.nan)).n == 0
    assert math.isnan(interval(np.array([[2.0]])).half)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("m.ai_sites_mw ci95 < 2%", Until("ai_sites_mw", 0.95, 0.02, True)),
        ("ai_sites_mw ci90<50", Until("ai_sites_mw", 0.90, 50.0, False)),
        ("gpus_by_owner.naver-cloud ci99 < 1e3", Until("gpus_by_owner.naver-cloud", 0.99, 1000.0, False)),
    ],
)
def test_conditions_are_read(text: str, found: Until) -> None:
    assert Until.parse(text, ("ai_sites_mw", "gpus_by_owner.naver-cloud")) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ai_sites ci95 < 2%", "did you mean 'ai_sites_mw'"),
        ("ai_sites_mw < 2%", "expected such as"),
        ("ai_sites_mw ci95 < 0%", "a width above 0"),
        ("ai_sites_mw ci10 < 5%", "ci50 to ci99"),
    ],
)
def test_conditions_that_cannot_be_meant_are_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Until.parse(text, ("ai_sites_mw",))


def test_a_condition_is_met_by_half_the_interval() -> None:
    relative, absolute = Until("x", 0.95, 0.1, True), Until("x", 0.95, 5.0, False)
    assert relative.met(Interval(-100.0, -109.0, -91.0, 20))
    assert not relative.met(Interval(50.0, 41.0, 59.0, 20))
    assert not absolute.met(Interval(50.0, 41.0, 59.0, 20))
    assert absolute.met(Interval(50.0, 46.0, 54.0, 20))
    assert not relative.met(interval(np.array([[1.0]])))


def test_precision_is_judged_at_fixed_draws() -> None:
    stops = [0]
    while stops[-1] < 100:
        stops.append(next_stop(stops[-1]))
    assert stops[1:] == [16, 20, 25, 32, 40, 50, 63, 79, 99, 124]
