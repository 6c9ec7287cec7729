"""What is in service, against the same sums written in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.energy import service

Z, T, P, N, V = 3, 4, 40, 30, 5
ENERGISED, AI, FAB = 5, 0, 1


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(4)


def test_plants_between_commissioning_and_retirement_count(draw: np.random.Generator) -> None:
    month = 20
    commissioned, retires = draw.integers(-50, 50, P), draw.integers(10, 90, P)
    commissioned[0], retires[1] = month, month  # the first month counts, the last does not
    zone, technology, mw = draw.integers(0, Z, P), draw.integers(0, T, P), draw.uniform(10.0, 900.0, P)
    added, mean, seasonal = draw.uniform(0.0, 50.0, (Z, T)), draw.uniform(size=T), draw.uniform(size=(Z, T))
    available = np.empty((Z, T))
    service.plants(
        month, commissioned, retires, zone, technology, mw, added, mean, seasonal, available
    )  # fmt: skip
    on = (commissioned <= month) & (retires > month)
    installed = added.copy()
    np.add.at(installed, (zone[on], technology[on]), mw[on])
    assert np.array_equal(available, installed * mean * seasonal)


def test_sites_in_operation_draw_power(draw: np.random.Generator) -> None:
    status, kind = draw.integers(3, 7, N), draw.integers(0, 2, N)
    zone, nonfirm, mw = draw.integers(0, Z, N), draw.random(N) < 0.4, draw.uniform(10.0, 100.0, N)
    chips, kw, count = draw.uniform(0.0, 900.0, (N, V)), draw.uniform(0.5, 2.0, V), N - 5
    loads = np.full((service.LOADS, Z), np.nan)
    service.large_loads(
        count, np.array([ENERGISED, AI, FAB]), status, kind, zone, nonfirm, mw, chips, kw, 0.001, 0.8, 0.7, loads
    )  # fmt: skip
    on = (status == ENERGISED) & (np.arange(N) < count)
    drawn = chips @ kw * 0.001 * 0.8
    for row, rows, power in (
        (service.FIRM, on & (kind == AI) & ~nonfirm, drawn),
        (service.NONFIRM, on & (kind == AI) & nonfirm, drawn),
        (service.FAB, on & (kind == FAB), mw * 0.7),
    ):
        assert loads[row] == pytest.approx(np.bincount(zone[rows], power[rows], Z))


def test_lines_that_are_ready_and_stores_that_stand() -> None:
    limits, stores = np.empty((2, 2)), np.empty((2, 5))
    service.lines_and_stores(
        7, np.array([0, 2]), np.array([7, 0, 8]), np.array([10.0, 20.0]), np.array([5.0, 6.0]), 0.5,
        np.array([7, 0, 8]), np.array([99, 7, 99]), np.array([1.0, 2.0, 3.0]), np.array([4.0, 8.0, 12.0]),
        np.array([0.0, 50.0]), 4.0, limits, stores,
    )  # fmt: skip
    assert limits.tolist() == [[5.0, 0.0], [2.5, 0.0]]
    assert stores.tolist() == [[1.0, 0.0, 0.0, 0.0, 50.0], [4.0, 0.0, 0.0, 0.0, 200.0]]


def test_running_costs(draw: np.random.Generator) -> None:
    price, fuel = draw.uniform(10.0, 90.0, (3, 12)), np.array([2, -1, 0, 2])
    factor, variable, emission = draw.uniform(size=T), draw.uniform(size=T), draw.uniform(size=T)
    cost = np.empty(T)
    service.running_costs(5, price, fuel, factor, variable, 30.0, emission, cost)
    burnt = np.where(fuel >= 0, price[fuel, 5], 0.0) * factor
    assert np.array_equal(cost, burnt + variable + 30.0 * emission)
