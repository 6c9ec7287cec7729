"""What is drawn: ranges, designs, correlations, and that nobody's draw shifts anybody else's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runs.batches.sampling import Factor, count, draw, stream_seed
from runs.batches.spec import METHODS, Correlation, Sample

FACTORS = (
    Factor("a", "uncertainty", 2.0, 4.0, "uniform"),
    Factor("b", "uncertainty", 1.0, 100.0, "loguniform"),
    Factor("c", "lever", -1.0, 3.0, "triangular", 0.0),
)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_as_many_rows_as_it_says_within_the_ranges(method: str) -> None:
    sample = Sample(method, 8, levels=3)
    values = draw(sample, FACTORS, 1)
    assert values.shape == (count(sample, 3), 3)
    for column, factor in zip(values.T, FACTORS, strict=True):
        assert column.min() >= factor.low
        assert column.max() <= factor.high
    assert np.array_equal(values, draw(sample, FACTORS, 1))
    if method != "factorial":
        assert not np.array_equal(values, draw(sample, FACTORS, 2))


@pytest.mark.parametrize(
    ("method", "rows"), [("saltelli", 8 * 5), ("morris", 8 * 4), ("factorial", 27), ("sobol", 8), ("lhs", 8)]
)
def test_designs_have_the_rows_of_the_textbook(method: str, rows: int) -> None:
    assert count(Sample(method, 8), 3) == rows
    assert count(Sample("saltelli", 8, second_order=True), 3) == 8 * 8


def test_a_latin_hypercube_has_one_value_in_each_stratum() -> None:
    values = draw(Sample("lhs", 50), FACTORS, 3)
    strata = np.floor((values[:, 0] - 2.0) / 2.0 * 50).astype(int)
    assert sorted(strata) == list(range(50))


@pytest.mark.parametrize("method", ["monte-carlo", "lhs"])
def test_another_quantity_shifts_nobody_elses_draws(method: str) -> None:
    alone = draw(Sample(method, 20), FACTORS[:1], 5)
    assert np.array_equal(draw(Sample(method, 20), FACTORS, 5)[:, :1], alone)
    assert np.array_equal(draw(Sample(method, 20), FACTORS[::-1], 5)[:, 2:], alone)


@pytest.mark.parametrize("method", ["monte-carlo", "sobol"])
def test_a_larger_sample_begins_with_the_smaller(method: str) -> None:
    assert np.array_equal(draw(Sample(method, 64), FACTORS, 5)[:16], draw(Sample(method, 16), FACTORS, 5))


def test_distributions_are_those_that_were_asked_for() -> None:
    values = draw(Sample("lhs", 4000), FACTORS, 7)
    assert stats.kstest(values[:, 0], stats.uniform(2, 2).cdf).pvalue > 0.5
    assert stats.kstest(np.log(values[:, 1]), stats.uniform(0, math.log(100)).cdf).pvalue > 0.5
    assert stats.kstest(values[:, 2], stats.triang(0.25, -1, 4).cdf).pvalue > 0.5


@pytest.mark.parametrize("method", ["monte-carlo", "lhs", "sobol"])
@pytest.mark.parametrize("rank", [-0.7, 0.4, 0.9])
def test_correlated_quantities_have_the_rank_correlation_and_keep_their_distributions(
    method: str, rank: float
) -> None:
    free = draw(Sample(method, 2048), FACTORS, 7)
    values = draw(Sample(method, 2048, correlations=(Correlation("a", "b", rank),)), FACTORS, 7)
    assert stats.spearmanr(values[:, 0], values[:, 1]).statistic == pytest.approx(rank, abs=0.04)
    assert stats.kstest(np.log(values[:, 1]), stats.uniform(0, math.log(100)).cdf).pvalue > 0.01
    assert np.allclose(values[:, 2], free[:, 2], rtol=1e-12)
    if method == "lhs":
        assert np.array_equal(np.sort(values, axis=0), np.sort(free, axis=0))


def test_correlations_that_contradict_each_other_are_refused() -> None:
    wanted = (Correlation("a", "b", 0.9), Correlation("b", "c", 0.9), Correlation("a", "c", -0.9))
    with pytest.raises(ValueError, match="contradict"):
        draw(Sample("lhs", 8, correlations=wanted), FACTORS, 1)


@given(st.integers(0, 2**62), st.integers(0, 50))
def test_roots_fit_the_seed_of_a_run_and_differ(seed: int, replicate: int) -> None:
    root = stream_seed(seed, "replicate", replicate)
    assert 0 <= root < 2**63
    assert root != stream_seed(seed, "replicate", replicate + 1)
    assert root != stream_seed(seed + 1, "replicate", replicate)


@given(st.floats(0, 1), st.sampled_from(FACTORS))
def test_a_quantile_never_leaves_its_range(u: float, factor: Factor) -> None:
    value = float(factor.quantile(np.array([u]))[0])
    assert factor.low <= value <= factor.high
