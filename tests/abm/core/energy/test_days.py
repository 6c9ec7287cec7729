"""A month's days filled with its situation, against the same figures written in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.energy import days as energy_days
from abm.core.energy import service

D, Z, T, H = 3, 2, 3, 4
SEGMENT_TECH, PORTION = np.array([0, 1, 2, 1]), np.array([1.0, 0.4, 1.0, 0.6])
WEATHERLY = np.array([True, False, False])


@pytest.mark.parametrize("weather", [1.0, 0.8, 1.9])
def test_days_are_filled(weather: float) -> None:
    draw = np.random.default_rng(2)
    available, shaped = draw.uniform(0.0, 90.0, (Z, T)), draw.uniform(size=(D, Z, T, H))
    profile, loads = draw.uniform(50.0, 90.0, (D, Z, H)), draw.uniform(0.0, 9.0, (service.LOADS, Z))
    loads[service.FIRM, 0] = 0.0  # more that may be cut than what cannot wait
    g = len(SEGMENT_TECH)
    ai, by_tech, capacity, base = (
        np.empty((2, Z)),
        np.empty((D, Z, T, H)),
        np.empty((D, Z, g, H)),
        np.empty((D, Z, H)),
    )
    demand, shed = np.empty((D, Z, H)), np.empty((D, Z, 2, H))
    whole = np.empty((D, 1, g, H)), np.empty((D, 1, H)), np.empty((D, 1, 2, H))
    flexible = np.empty((Z, H)), np.empty(Z), np.empty((1, H)), np.empty(1)
    energy_days.fill_days(
        available, shaped, WEATHERLY, weather, SEGMENT_TECH, PORTION, profile, 1.1, loads, 0.3,
        ai, by_tech, capacity, base, demand, shed, *whole, *flexible,
    )  # fmt: skip
    total = loads[service.FIRM] + loads[service.NONFIRM]
    assert ai == pytest.approx(np.stack([total, 0.3 * total]))
    share = np.where(WEATHERLY[:, None], np.minimum(shaped * weather, 1.0), shaped)
    assert by_tech == pytest.approx(available[:, :, None] * share)
    assert capacity == pytest.approx(by_tech[:, :, SEGMENT_TECH] * PORTION[:, None])
    assert base == pytest.approx(profile * 1.1 + loads[service.FAB][:, None])
    assert demand == pytest.approx(base + 0.7 * total[:, None])
    cut = np.minimum(loads[service.NONFIRM], 0.7 * total)
    assert shed[:, :, 0] == pytest.approx(np.broadcast_to(cut[:, None], (D, Z, H)))
    assert shed.sum(2) == pytest.approx(demand)
    for one, zones in zip(whole, (capacity, demand, shed), strict=True):
        assert one[:, 0] == pytest.approx(zones.sum(1))
    mean = 0.3 * total
    assert flexible[0] == pytest.approx(np.repeat(1.5 * mean[:, None], H, axis=1))
    assert flexible[1] == pytest.approx(mean * H)
    for one, zones in zip(flexible[2:], flexible[:2], strict=True):
        assert one[0] == pytest.approx(zones.sum(0))


def test_segments_that_must_run_bid_below_their_cost() -> None:
    cost, ties = np.array([10.0, 20.0, 30.0]), np.random.default_rng(3).random((4, H))
    zonal, single = np.empty((Z, 4, H)), np.empty((1, 4, H))
    must = np.array([False, False, False, True])
    energy_days.price_segments(cost, SEGMENT_TECH, must, 5.0, 0.01, ties, zonal, single)
    expected = np.where(must, -5.0, cost[SEGMENT_TECH])[:, None] + 0.01 * ties
    assert np.array_equal(single[0], expected)
    assert np.array_equal(zonal, np.stack([expected] * Z))
