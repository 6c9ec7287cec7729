"""Proportional fairness: one water level, found exactly, for any orders, weights and supply."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize

from abm.core.allocate import ration

amounts = st.floats(1e-3, 1e6)
people = st.lists(st.tuples(amounts, st.floats(1e-2, 1e3)), min_size=1, max_size=25)
some_idle = st.lists(
    st.tuples(st.just(0.0) | amounts, st.just(0.0) | st.floats(1e-2, 1e3)), min_size=1, max_size=25
)
shares_of_total = st.just(0.0) | st.floats(1e-9, 1.5)


def proportional_fairness(orders: np.ndarray, weights: np.ndarray, supply: float) -> np.ndarray:
    return ration(orders, supply, weights=weights).granted


def split(pairs: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    orders, weights = np.array(pairs, float).T
    return orders, weights


def bisected(orders: np.ndarray, weights: np.ndarray, supply: float) -> np.ndarray:
    """The same water level by halving, which needs no sorting."""
    low, high = 0.0, float((orders / weights).max())
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if np.minimum(orders, middle * weights).sum() < supply else (low, middle)
    return np.minimum(orders, high * weights)


@settings(deadline=None)
@given(some_idle, shares_of_total)
def test_nobody_gets_more_than_asked_and_all_together_no_more_than_there_is(pairs: list, part: float) -> None:
    orders, weights = split(pairs)
    supply = part * orders.sum()
    got = proportional_fairness(orders, weights, supply)
    assert (got >= 0.0).all()
    assert (got <= orders).all()
    assert got.sum() <= supply * (1.0 + 1e-12)


@settings(deadline=None)
@given(people, shares_of_total)
def test_nothing_is_held_back_while_somebody_wants_it(pairs: list, part: float) -> None:
    orders, weights = split(pairs)
    supply = part * orders.sum()
    assert proportional_fairness(orders, weights, supply).sum() == pytest.approx(
        min(supply, orders.sum()), rel=1e-9
    )


@settings(deadline=None)
@given(people, st.floats(0.01, 0.99))
def test_one_water_level_serves_all_whose_order_is_not_met(pairs: list, part: float) -> None:
    """The conditions of Karush, Kuhn and Tucker: w / x is one price, lower for those who are met."""
    orders, weights = split(pairs)
    got = proportional_fairness(orders, weights, part * orders.sum())
    short = got < orders * (1.0 - 1e-9)
    assert short.any()
    levels = got[short] / weights[short]
    assert np.ptp(levels) <= 1e-9 * levels.max()
    assert (orders[~short] <= levels.max() * weights[~short] * (1.0 + 1e-6)).all()


@settings(deadline=None)
@given(people, st.floats(0.01, 0.99))
def test_equals_the_level_found_by_halving(pairs: list, part: float) -> None:
    orders, weights = split(pairs)
    supply = part * orders.sum()
    np.testing.assert_allclose(
        proportional_fairness(orders, weights, supply), bisected(orders, weights, supply), rtol=1e-6
    )


@pytest.mark.parametrize("seed", range(8))
def test_equals_a_general_convex_solver(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    orders, weights = rng.uniform(1.0, 10.0, n), rng.uniform(0.2, 3.0, n)
    supply = float(rng.uniform(0.2, 0.95) * orders.sum())
    found = minimize(
        lambda x: -float(weights @ np.log(x)),
        orders * supply / orders.sum(),
        jac=lambda x: -weights / x,
        bounds=[(1e-9, order) for order in orders],
        constraints=[LinearConstraint(np.ones(n), ub=supply)],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    got = proportional_fairness(orders, weights, supply)
    np.testing.assert_allclose(got, found.x, rtol=1e-4)
    assert weights @ np.log(got) >= -found.fun - 1e-9


@settings(deadline=None)
@given(people, shares_of_total, shares_of_total)
def test_nobody_loses_when_there_is_more(pairs: list, one: float, other: float) -> None:
    orders, weights = split(pairs)
    less, more = sorted((one * orders.sum(), other * orders.sum()))
    before, after = (proportional_fairness(orders, weights, supply) for supply in (less, more))
    assert (after >= before * (1.0 - 1e-9)).all()


@settings(deadline=None)
@given(people, shares_of_total, st.randoms(use_true_random=False))
def test_the_order_of_people_plays_no_part(pairs: list, part: float, random: object) -> None:
    orders, weights = split(pairs)
    supply = part * orders.sum()
    rank = list(range(len(orders)))
    random.shuffle(rank)  # type: ignore[attr-defined]
    shuffled = proportional_fairness(orders[rank], weights[rank], supply)
    np.testing.assert_allclose(shuffled, proportional_fairness(orders, weights, supply)[rank], rtol=1e-9)


@settings(deadline=None)
@given(people, st.floats(0.01, 0.99), st.floats(0.01, 100.0))
def test_only_the_proportions_of_weights_matter(pairs: list, part: float, scale: float) -> None:
    orders, weights = split(pairs)
    supply = part * orders.sum()
    np.testing.assert_allclose(
        proportional_fairness(orders, weights * scale, supply),
        proportional_fairness(orders, weights, supply),
        rtol=1e-9,
    )


@settings(deadline=None)
@given(st.lists(st.tuples(amounts, st.floats(1e-2, 1e3)), min_size=1, max_size=40), st.integers(-3, 3))
def test_supply_a_rounding_error_from_the_total_is_still_given_out(pairs: list, steps: int) -> None:
    orders, weights = split(pairs)
    supply = float(orders.sum())
    for _ in range(abs(steps)):
        supply = float(np.nextafter(supply, np.inf if steps > 0 else 0.0))
    assert proportional_fairness(orders, weights, supply).sum() == pytest.approx(supply, rel=1e-9)


def test_a_rounding_error_short_of_many_orders_is_still_given_out() -> None:
    """Sums taken one by one and pairwise differ in the last digit; no level may be lost between them."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        n = int(rng.integers(9, 20))
        orders, weights = rng.uniform(0.0, 100.0, n), rng.uniform(0.1, 2.0, n)
        supply = float(np.nextafter(orders.sum(), 0.0))
        np.testing.assert_allclose(proportional_fairness(orders, weights, supply), orders, rtol=1e-6)


def test_by_hand() -> None:
    """12 for orders 2, 10 and 10 of weights 1, 1 and 3: level 2.5 meets the first and fills 2.5 and 7.5."""
    got = proportional_fairness(np.array([2.0, 10.0, 10.0]), np.array([1.0, 1.0, 3.0]), 12.0)
    np.testing.assert_allclose(got, [2.0, 2.5, 7.5], rtol=1e-15)


@settings(deadline=None)
@given(some_idle, st.floats(0.0, 0.999))
def test_without_weight_there_is_nothing_unless_all_with_weight_are_served(pairs: list, part: float) -> None:
    orders, weights = split(pairs)
    total = orders.sum()
    assume(total > 0.0)
    got = proportional_fairness(orders, weights, part * total)
    served = got[weights > 0.0] >= orders[weights > 0.0] * (1.0 - 1e-9)
    assert served.all() or not got[weights == 0.0].any()
    np.testing.assert_allclose(
        proportional_fairness(orders, weights, total), orders, rtol=1e-9, atol=1e-15 * total
    )


@pytest.mark.parametrize("supply", [5e-324, 1e-310, 1e-300])
def test_a_supply_too_small_to_be_divided_goes_to_nobody_without_weight(supply: float) -> None:
    assert proportional_fairness(np.array([8.0, 3.5]), np.array([0.0, 1.6]), supply)[0] == 0.0


@pytest.mark.parametrize("supply", [0.0, -5.0])
def test_no_supply_serves_nobody(supply: float) -> None:
    assert proportional_fairness(np.array([1.0, 2.0]), np.array([1.0, 1.0]), supply).tolist() == [0.0, 0.0]


def test_nobody_asking_is_no_error() -> None:
    assert proportional_fairness(np.zeros(0), np.zeros(0), 5.0).shape == (0,)


def test_the_orders_handed_in_are_left_as_they_were() -> None:
    orders, weights = np.array([1.0, 2.0]), np.ones(2)
    got = proportional_fairness(orders, weights, 10.0)
    got[:] = 0.0
    assert orders.tolist() == [1.0, 2.0]
