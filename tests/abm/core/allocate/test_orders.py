"""Restocking, cancelled orders and deposits: what keeps orders honest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.allocate import Network, State, deposits, ration, restock
from tests.abm.core.allocate.graphs import draw, draw_month

MONTHS = 6


def line(lead: int, **values: object) -> Network:
    """A maker of parts, who feeds a maker of goods, who sells."""
    return Network(3, [0, 1], [1, 2], lead=[lead, 0], slot=[0, -1], slot_node=[1], per_unit=2.0, **values)


@pytest.mark.parametrize("lead", [0, 1, 4])
@pytest.mark.parametrize("months", [1.0, 5.0])
def test_stock_at_its_target_is_replaced_as_it_is_used(lead: int, months: float) -> None:
    state = State(line(lead), input_stock=40.0)
    for _ in range(lead):
        state.month([20.0, 0.0])
    for _ in range(12):
        orders = restock(state, [0.0, 10.0, 0.0], 2.0 + lead, months=months)
        np.testing.assert_allclose(orders, [20.0, 0.0], atol=1e-9)
        state.month(orders + [0.0, 10.0])
    np.testing.assert_allclose(state.input_stock, [40.0], atol=1e-9)


def test_a_gap_is_closed_over_the_months_given() -> None:
    """Half the target is missing: with 4 months the gap of 20 shrinks by a quarter each month."""
    state = State(line(0), input_stock=20.0)
    gaps = []
    for _ in range(5):
        state.month(restock(state, [0.0, 10.0, 0.0], 2.0, months=4.0) + [0.0, 10.0])
        gaps.append(40.0 - float(state.input_stock[0]))
    np.testing.assert_allclose(gaps, 20.0 * 0.75 ** np.arange(1, 6))


def test_second_sources_share_an_order_by_their_contract_shares() -> None:
    network = Network(4, [0, 1, 2], [2, 2, 3], slot=[0, 0, -1], slot_node=[2], share=[0.6, 0.2, 0.0])
    assert restock(State(network), [0, 0, 4.0, 0], 0.0).tolist() == pytest.approx([3.0, 1.0, 0.0])
    network = Network(4, [0, 1, 2], [2, 2, 3], slot=[0, 0, -1], slot_node=[2])
    assert restock(State(network), [0, 0, 4.0, 0], 0.0).tolist() == [2.0, 2.0, 0.0]


def test_months_to_close_a_gap_are_positive() -> None:
    with pytest.raises(ValueError, match="months must be > 0"):
        restock(State(line(0)), 1.0, months=0.0)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**31))
def test_deposits_held_are_the_part_of_what_waits(seed: int) -> None:
    """Paid less credited less forfeited, summed over the months, is the deposit on the backlog."""
    drawn = draw(seed)
    drawn.values["deposit"] = np.random.default_rng(seed).uniform(0.0, 0.5, len(drawn.supplier))
    network = drawn.network()
    state = State(network, drawn.stock, drawn.input_stock)
    held = np.zeros(network.edges)
    for m in range(MONTHS):
        month = draw_month(seed + m, network)
        money = deposits(network, month["orders"], state.month(**month))
        held += money.paid - money.credited - money.forfeited
        assert (money.forfeited >= 0.0).all()
    np.testing.assert_allclose(held, network.deposit * state.backlog, atol=1e-9)


MARGIN, DEPOSIT = 1.0, 0.25
NEED, SUPPLY = 60.0, 80.0


def profit(order: float, others: float, deposit: float, *, by_order: bool) -> float:
    """What is left to a buyer who needs 60, orders ``order``, and cancels what he has not got by then.

    Goods beyond the need are worthless; the margin counts on needed ones. ``by_order`` shares in
    proportion to orders (the allocation of Lee, Padmanabhan and Whang 1997); else by fixed weights.
    """
    network = Network(
        3, [0, 0], [1, 2], capacity=SUPPLY, weight=[order, others] if by_order else 1.0, deposit=deposit
    )
    state = State(network)
    first = state.month([order, others])
    orders = np.zeros(2)
    last = state.month(orders, cancel=[np.inf, 0.0], capacity=0.0)
    lost = deposits(network, orders, last).forfeited[0]
    got = first.granted[0]
    paid_for_nothing = max(got - NEED, 0.0)
    return MARGIN * min(got, NEED) - paid_for_nothing - lost


def best(others: float, deposit: float, *, by_order: bool) -> float:
    """Best order in answer to the other's; the smallest where several are best."""
    orders = np.arange(20.0, 401.0, 5.0)
    return float(orders[int(np.argmax([profit(o, others, deposit, by_order=by_order) for o in orders]))])


def test_rationing_by_size_of_order_inflates_orders_and_fixed_weights_do_not() -> None:
    """The order game of Lee, Padmanabhan and Whang: two buyers need 60 each, there are 80."""
    answer = NEED
    for _ in range(6):
        answer = best(answer, 0.0, by_order=True)
    assert answer == 400.0  # no bound of its own: they outbid each other up to the largest order allowed
    assert best(NEED, 0.0, by_order=False) <= NEED
    assert best(400.0, 0.0, by_order=False) <= NEED


def test_a_deposit_makes_an_inflated_order_dearer_than_what_it_brings() -> None:
    """With a quarter down the orders stop where the margin of one more unit pays its deposit."""
    answer = NEED
    for _ in range(40):
        answer = best(answer, DEPOSIT, by_order=True)
    assert answer < 200.0
    for order in (80.0, 120.0, 200.0):
        assert profit(order, NEED, DEPOSIT, by_order=False) < profit(NEED, NEED, DEPOSIT, by_order=False)


def test_under_fixed_weights_no_order_above_the_need_brings_more_of_what_is_needed() -> None:
    needs = ration([60.0, 60.0], SUPPLY).granted
    for order in (61.0, 100.0, 1e6):
        assert ration([order, 60.0], SUPPLY).granted.tolist() == needs.tolist()
