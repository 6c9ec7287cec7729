"""What the utility pays for energy, against the same sums in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.books import generators

ZONES, TECHNOLOGIES = 3, 5
GROUP, EDGE = np.array([0, 1, 1, 2, 2]), np.array([1, 0, 0, -1, 2])
WEATHERLY = np.array([False, True, True, False, False])


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.floats(0.0, 1e6), st.floats(0.0, 200.0))
def test_the_utility_pays_settlement_less_direct_purchases_and_capacity(
    seed: int, direct: float, carbon: float
) -> None:
    draw = np.random.default_rng(seed)
    generation = draw.uniform(0.0, 1e5, (ZONES, TECHNOLOGIES)) * (draw.random(TECHNOLOGIES) < 0.7)
    settlement, capacity, fuel_cost = draw.uniform(0.0, 1e7, (3, TECHNOLOGIES))
    emission = draw.uniform(0.0, 1.0, TECHNOLOGIES)
    amounts, margin, flow = np.zeros((generators.PARTS, TECHNOLOGIES)), np.full(3, 7.0), np.ones(3)
    paid = generators.buy(
        generation, settlement, capacity, fuel_cost, emission, WEATHERLY, GROUP, EDGE, carbon, direct, amounts,
        margin, flow,
    )  # fmt: skip
    made = generation.sum(axis=0)
    clean = made[WEATHERLY].sum()
    share = 1.0 - WEATHERLY * (min(direct / clean, 1.0) if clean > 0.0 else 0.0)
    pay, levy = settlement * share + capacity, carbon * emission * made
    fuel = np.maximum(fuel_cost - levy, 0.0)
    assert paid == pytest.approx(pay.sum())
    assert amounts == pytest.approx(np.array([pay, fuel, levy]))
    assert margin - 7.0 == pytest.approx(np.bincount(GROUP, pay - fuel - levy, 3), rel=1e-9, abs=1e-6)
    there = EDGE >= 0
    assert flow - 1.0 == pytest.approx(np.bincount(EDGE[there], made[there], 3), rel=1e-9, abs=1e-6)
