"""What is read of a case before it is solved, against the same figures from NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.power.checks import _between
from abm.core.power.loading import price_level


@pytest.mark.parametrize("hours", [1, 5])
def test_the_price_level_is_of_all_costs(hours: int) -> None:
    cost = np.random.default_rng(4).uniform(-40.0, 60.0, (2, 3, hours))
    tiers = np.array([10.0, -90.0])
    dearest, typical = price_level(cost, tiers, 20.0)
    assert dearest == 90.0
    assert typical == pytest.approx(np.abs(cost).mean())
    assert price_level(cost, tiers, 200.0)[0] == 200.0


def test_where_supply_costs_nothing_the_dearest_is_typical() -> None:
    for segments in (0, 2):
        assert price_level(np.zeros((1, segments, 4)), np.array([7.0]), 0.0) == (7.0, 7.0)


@pytest.mark.parametrize("wrong", [-1e-300, np.inf, np.nan])
@pytest.mark.parametrize("at", [0, 6, 12])
def test_one_figure_out_of_range_is_seen(wrong: float, at: int) -> None:
    figures = np.linspace(0.0, 9.0, 13)
    assert _between(figures, 0.0, np.inf)
    figures[at] = wrong
    assert not _between(figures, 0.0, np.inf)
