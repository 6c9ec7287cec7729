"""What firms are drawn from: the normal quantile against the standard library's, and keyed luck."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abm.core.population import columns as at
from abm.core.population.normal import SMALLEST, quantile
from abm.luck import Luck
from tests.abm.firms import TRAITS, population


@given(st.floats(SMALLEST, 1.0, exclude_max=True))
def test_the_quantile_is_the_standard_librarys(uniform: float) -> None:
    assert quantile(uniform) == pytest.approx(NormalDist().inv_cdf(uniform), rel=1e-14, abs=1e-14)


def test_the_quantile_takes_every_uniform_there_is() -> None:
    assert quantile(0.5) == 0.0
    assert quantile(0.0) == quantile(SMALLEST) == pytest.approx(-8.29, abs=0.01)
    assert quantile(1.0 - 2.0**-53) < 8.3


def test_a_firm_is_drawn_from_its_groups_luck_at_its_birth_number() -> None:
    """Size and quality are those that the framework's luck gives to (process, group, birth)."""
    one, luck = population(50, seed=4), Luck(4)
    births = np.arange(50)
    normal = NormalDist().inv_cdf
    for process, column, mean, spread in (
        ("startup-size", at.NEED, TRAITS["need_h100e"], 0.8),
        ("startup-quality", at.QUALITY, TRAITS["quality"], 0.35),
    ):
        drawn = [normal(u) for u in luck.uniforms(process, "north", births)]
        expected = mean * np.exp(spread * np.array(drawn) - 0.5 * spread**2)
        np.testing.assert_allclose(one.column(column), expected, rtol=1e-13)
    prudence = luck.uniforms("startup-prudence", "north", births)
    np.testing.assert_array_equal(one.column(at.PRUDENCE), prudence)
    size = one.column(at.NEED) / TRAITS["need_h100e"]
    left = 0.3 + 0.7 * luck.uniforms("startup-runway", "north", births)
    np.testing.assert_allclose(one.column(at.CASH), TRAITS["runway"] * size * left, rtol=1e-13)
