"""The internal rate of return, against flows whose return is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from abm.core.books.returns import internal_rate, present_value


@pytest.mark.parametrize("rate", [-0.05, -0.001, 0.0, 0.004, 0.15])
def test_an_annuity_returns_the_rate_it_was_made_with(rate: float) -> None:
    worth = sum((1.0 + rate) ** -month for month in range(1, 61))
    flows = np.array([-worth] + [1.0] * 60)
    assert internal_rate(flows) == pytest.approx(rate, abs=1e-12)
    assert present_value(flows, rate) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    "flows", [[0.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [], [-1.0, 5.0], [-1.0, 0.1], [math.nan, 1.0]]
)
def test_there_is_no_return_of_flows_one_way_or_out_of_bounds(flows: list[float]) -> None:
    assert math.isnan(internal_rate(np.array(flows)))
