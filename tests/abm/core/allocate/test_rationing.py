"""One supplier's orders: every rule by hand, against a reference, and in its invariants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, linprog, minimize

from abm.core.allocate import BOUNDS, RULES, ration

GROUPS = 3
amounts = st.just(0.0) | st.floats(1e-3, 1e6)
people = st.lists(
    st.tuples(
        amounts,  # order
        st.just(0.0) | st.floats(1e-2, 1e3),  # weight
        st.floats(0.0, 0.4),  # contract share
        st.integers(0, 3),  # tier
        st.integers(-1, GROUPS - 1),
    ),
    min_size=1,
    max_size=60,
)
caps = st.lists(st.just(0.0) | st.just(np.inf) | st.floats(1e-3, 1e6), min_size=GROUPS, max_size=GROUPS)
parts = st.just(0.0) | st.floats(1e-9, 1.5)
rules = st.sampled_from(RULES)


def split(rows: list[tuple], cap: list[float] | None) -> tuple[np.ndarray, dict[str, Any]]:
    orders, weights, share, tier, group = (np.array(column) for column in zip(*rows, strict=True))
    given = {"weights": weights, "share": share, "tier": tier}
    return orders, given if cap is None else {**given, "group": group, "group_cap": cap}


@settings(deadline=None)
@given(people, st.none() | caps, parts, rules)
def test_nobody_gets_more_than_asked_no_group_more_than_its_cap_and_all_no_more_than_there_is(
    rows: list, cap: list | None, part: float, rule: Any
) -> None:
    orders, given = split(rows, cap)
    supply = part * orders.sum()
    got = ration(orders, supply, rule=rule, **given)
    assert (got.granted >= 0.0).all()
    assert (got.granted <= orders * (1.0 + 1e-12)).all()
    assert got.granted.sum() <= supply * (1.0 + 1e-12)
    assert got.left == pytest.approx(supply - got.granted.sum(), abs=1e-12 * supply)
    if cap is not None:
        sent = np.bincount(given["group"] + 1, got.granted, GROUPS + 1)[1:]
        assert (sent <= np.array(cap) * (1.0 + 1e-12)).all()


@settings(deadline=None)
@given(people, st.none() | caps, parts, rules)
def test_nothing_is_held_back_while_somebody_may_have_it(
    rows: list, cap: list | None, part: float, rule: Any
) -> None:
    orders, given = split(rows, cap)
    supply = part * orders.sum()
    could = orders.sum()
    if cap is not None:
        asked = np.bincount(given["group"] + 1, orders, GROUPS + 1)
        could = asked[0] + np.minimum(asked[1:], cap).sum()
    assert ration(orders, supply, rule=rule, **given).granted.sum() == pytest.approx(
        min(supply, could), rel=1e-9, abs=1e-12
    )


@settings(deadline=None)
@given(people, st.none() | caps, st.floats(0.0, 0.999), rules, st.randoms(use_true_random=False))
def test_a_permutation_of_orders_permutes_what_they_get(
    rows: list, cap: list | None, part: float, rule: Any, random: Any
) -> None:
    orders, given = split(rows, cap)
    supply = part * float(np.sort(orders).sum())
    rank = list(range(len(orders)))
    random.shuffle(rank)
    shuffled = {key: value if key == "group_cap" else value[rank] for key, value in given.items()}
    one, other = (
        ration(orders, supply, rule=rule, **given),
        ration(orders[rank], supply, rule=rule, **shuffled),
    )
    np.testing.assert_allclose(one.granted[rank], other.granted, rtol=1e-9, atol=1e-12 * (1.0 + supply))


@settings(deadline=None)
@given(people, parts, parts, rules)
def test_nobody_loses_when_there_is_more(rows: list, one: float, other: float, rule: Any) -> None:
    orders, given = split(rows, None)
    less, more = sorted((one * orders.sum(), other * orders.sum()))
    before, after = (ration(orders, supply, rule=rule, **given).granted for supply in (less, more))
    assert (after >= before - 1e-9 * (1.0 + orders.sum())).all()


@settings(deadline=None)
@given(people, caps, parts, parts, st.sampled_from(("proportional", "priority", "first-come")))
def test_nobody_loses_when_there_is_more_also_under_caps(
    rows: list, cap: list, one: float, other: float, rule: Any
) -> None:
    orders, given = split(rows, cap)
    less, more = sorted((one * orders.sum(), other * orders.sum()))
    before, after = (ration(orders, supply, rule=rule, **given).granted for supply in (less, more))
    assert (after >= before - 1e-9 * (1.0 + orders.sum())).all()


@pytest.mark.parametrize("rule", RULES)
def test_orders_without_weight_share_what_all_others_leave(rule: Any) -> None:
    """6 for 2 with weight and 9, 1 and 9 without: 2, then 1 is met and 1.5 each is left for the others."""
    got = ration([9.0, 2.0, 1.0, 9.0], 6.0, weights=[0, 1, 0, 0], rule=rule, tier=[0, 5, 1, 2], share=[0] * 4)
    np.testing.assert_allclose(got.granted, [1.5, 2.0, 1.0, 1.5], rtol=1e-15)


@settings(deadline=None)
@given(people, caps, st.floats(0.01, 0.99))
def test_the_conditions_of_karush_kuhn_and_tucker_hold_under_caps(rows: list, cap: list, part: float) -> None:
    """x = min(order, w level) where the level is the group's if that is lower, and the common one else."""
    orders, given = split(rows, cap)
    weights, group = np.maximum(given["weights"], 0.1), given["group"]
    supply = part * orders.sum()
    got = ration(orders, supply, weights=weights, group=group, group_cap=cap).granted
    level = got / weights
    short = got < orders * (1.0 - 1e-9)
    sent = np.bincount(group + 1, got, GROUPS + 1)[1:]
    free = short & ((group < 0) | (sent < np.array(cap) * (1.0 - 1e-9))[group])
    price_is_paid = got.sum() >= supply * (1.0 - 1e-9)
    common = level[free].max() if free.any() else np.inf
    if free.any():
        assert price_is_paid
        assert np.ptp(level[free]) <= 1e-9 * common
    for g in range(-1, GROUPS):
        inside = group == g
        if not (inside & short).any():
            continue
        own = level[inside & short]
        assert np.ptp(own) <= 1e-9 * own.max() + 1e-300
        assert own.max() <= common * (1.0 + 1e-9)
        met = inside & ~short
        assert (level[met] <= own.max() * (1.0 + 1e-6)).all()


@pytest.mark.parametrize("seed", range(12))
def test_under_caps_it_equals_a_general_convex_solver(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 8))
    orders, weights = rng.uniform(1.0, 10.0, n), rng.uniform(0.2, 3.0, n)
    group = rng.integers(-1, 2, n)
    asked = np.array([orders[group == g].sum() for g in range(2)])
    cap = rng.uniform(0.3, 1.1, 2) * asked + 0.1
    supply = float(rng.uniform(0.2, 0.95) * orders.sum())
    rows = np.array([np.ones(n), *(1.0 * (group == g) for g in range(2))])
    start = orders * min(0.9 * supply / orders.sum(), *(0.9 * cap / np.maximum(asked, 1e-9)), 1.0)
    found = minimize(
        lambda x: -float(weights @ np.log(x)),
        start,
        jac=lambda x: -weights / x,
        bounds=[(1e-9, order) for order in orders],
        constraints=[LinearConstraint(rows, ub=[supply, *cap])],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    got = ration(orders, supply, weights=weights, group=group, group_cap=cap).granted
    np.testing.assert_allclose(got, found.x, rtol=2e-4)
    assert weights @ np.log(got) >= -found.fun - 1e-9


@pytest.mark.parametrize("seed", range(12))
def test_tiers_get_what_a_sequence_of_linear_programmes_gives_them(seed: int) -> None:
    """The most for the first class, then the most for the second given that, and so on."""
    rng = np.random.default_rng(seed)
    n = 12
    orders, tier, group = rng.uniform(1.0, 10.0, n), rng.integers(0, 3, n), rng.integers(-1, 2, n)
    cap = rng.uniform(0.2, 1.0, 2) * [orders[group == g].sum() for g in range(2)]
    supply = float(rng.uniform(0.2, 0.9) * orders.sum())
    got = ration(orders, supply, rule="priority", tier=tier, group=group, group_cap=cap).granted
    rows = [np.ones(n), *(1.0 * (group == g) for g in range(2))]
    bound = [supply, *cap]
    for level in range(3):
        ours = 1.0 * (tier <= level)
        best = linprog(-ours, A_ub=np.array(rows), b_ub=bound, bounds=list(zip([0] * n, orders, strict=True)))
        assert ours @ got == pytest.approx(-best.fun, rel=1e-9)
        rows.append(-ours)
        bound.append(best.fun + 1e-12)


def test_contract_shares_by_hand() -> None:
    """Of 100, A has 50 % and B 30 % by contract; A asks for 20 only, B and C for 100 each.

    Firm: A 20, B 30. The remaining 50 go to B (70 open) and C (100 open) by weight, 25 each.
    """
    got = ration([20.0, 100.0, 100.0], 100.0, rule="contract", share=[0.5, 0.3, 0.0])
    np.testing.assert_allclose(got.granted, [20.0, 55.0, 25.0], rtol=1e-15)
    assert [BOUNDS[b] for b in got.bound] == ["", "capacity", "capacity"]


def test_contracts_for_more_than_there_is_share_the_shortfall() -> None:
    got = ration([100.0, 100.0], 90.0, rule="contract", share=[1.0, 0.5])
    np.testing.assert_allclose(got.granted, [60.0, 30.0], rtol=1e-15)


def test_priority_by_hand() -> None:
    """8 for the first class' 5, then 3 left for the second class' 4 and 2: level 1.5 each."""
    got = ration([4.0, 5.0, 2.0, 9.0], 8.0, rule="priority", tier=[2, 1, 2, 7])
    np.testing.assert_allclose(got.granted, [1.5, 5.0, 1.5, 0.0], rtol=1e-15)
    assert [BOUNDS[b] for b in got.bound] == ["capacity", "", "capacity", "capacity"]


def test_first_come_by_hand() -> None:
    got = ration([4.0, 5.0, 2.0], 8.0, rule="first-come", tier=[30, 29, 31])
    np.testing.assert_allclose(got.granted, [3.0, 5.0, 0.0], rtol=1e-15)


def test_who_is_last_in_line_is_short_by_the_rule_if_that_is_the_larger_part() -> None:
    """9 for 9 and 3: an equal part would give the second 2.25, he gets 0; 2 for 9 and 3: 0.5 and 0."""
    late: dict[str, Any] = {"rule": "first-come", "tier": [0, 1]}
    assert [BOUNDS[b] for b in ration([9.0, 3.0], 9.0, **late).bound] == ["", "rule"]
    assert [BOUNDS[b] for b in ration([9.0, 3.0], 2.0, **late).bound] == ["capacity", "capacity"]


def test_a_cap_on_a_group_leaves_more_for_the_others_and_says_so() -> None:
    """12 for 10, 10 and 10, the first two together at most 4: 2, 2 and 8."""
    got = ration([10.0, 10.0, 10.0], 12.0, group=[0, 0, -1], group_cap=[4.0])
    np.testing.assert_allclose(got.granted, [2.0, 2.0, 8.0], rtol=1e-15)
    assert [BOUNDS[b] for b in got.bound] == ["group limit", "group limit", "capacity"]


def test_what_no_group_may_take_is_left() -> None:
    cap = np.array([4.0])
    got = ration([10.0, 10.0], 12.0, group=[0, 0], group_cap=cap)
    assert got.left == 8.0
    assert cap.tolist() == [4.0]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("supply", [0.0, -3.0])
def test_no_supply_serves_nobody(rule: Any, supply: float) -> None:
    got = ration([1.0, 2.0], supply, rule=rule, share=[0.5, 0.5], tier=[0, 1])
    assert got.granted.tolist() == [0.0, 0.0]
    assert got.left == 0.0


@pytest.mark.parametrize("rule", RULES)
def test_unlimited_supply_serves_all(rule: Any) -> None:
    got = ration([1.0, 2.0], np.inf, rule=rule, weights=[0.0, 1.0], share=[0.5, 0.0], tier=[0, 1])
    assert got.granted.tolist() == [1.0, 2.0]
    assert not got.bound.any()


@pytest.mark.parametrize("rule", RULES)
def test_nobody_asking_is_no_error(rule: Any) -> None:
    assert ration([], 5.0, rule=rule, share=[], tier=[]).granted.shape == (0,)


def test_arrays_that_may_not_be_written_to_are_read() -> None:
    orders = np.array([1.0, 2.0])
    orders.flags.writeable = False
    assert ration(orders, 10.0).granted.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"orders": [1.0, -2.0]}, "order 1 is -2.0"),
        ({"orders": [1.0, np.nan]}, "order 1 is nan"),
        ({"orders": [np.inf, 1.0]}, "order 0 is inf"),
        ({"orders": [[1.0]]}, "2 dimensions"),
        ({"weights": [1.0, -1.0]}, "weight 1 is -1.0"),
        ({"weights": [1.0]}, "1 weights"),
        ({"supply": np.nan}, "supply"),
        ({"rule": "lottery"}, "one of proportional, contract, priority, first-come"),
        ({"rule": "contract"}, "needs share"),
        ({"rule": "priority"}, "needs tier"),
        ({"group": [0, 1], "group_cap": [1.0]}, "order 1 is of group 1"),
        ({"group": [0, 0]}, "without group_cap"),
        ({"group": [0, 0], "group_cap": [-1.0]}, "cap"),
    ],
)
def test_bad_input_is_refused_and_named(given: dict[str, Any], said: str) -> None:
    call: dict[str, Any] = {"orders": [1.0, 2.0], "supply": 2.0, **given}
    with pytest.raises(ValueError, match=said):
        ration(call.pop("orders"), call.pop("supply"), **call)
