"""The allocation log says who got less, by how much and why, and where that began."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.allocate import Network, State, shortfalls, trace
from tests.abm.core.allocate.graphs import draw, draw_month


def test_every_bound_is_named_with_what_it_is() -> None:
    """One supplier for each reason; each has an order of 10 from a buyer of its own."""
    network = Network(
        ["memory", "chips", "racks", "lines", "switch", "tower", "buyer", "rival"],
        [1, 2, 3, 4, 5, 5],
        [6, 6, 6, 6, 6, 7],
        slot_node=[1],
        capacity=[np.inf, np.inf, 4.0, np.inf, np.inf, 12.0, 0.0, 0.0],
        edge_capacity=[np.inf, np.inf, 3.0, np.inf, np.inf, np.inf],
        tier=[0, 0, 0, 0, 1, 0],
        group=[-1, -1, -1, 0, -1, -1],
        groups=1,
        rule=["priority"] * 8,
    )
    flows = State(network, input_stock=2.0).month([10.0] * 6, group_cap=[1.0])
    said = [(row.supplier, row.granted, row.bound, row.by) for row in shortfalls(network, flows, ["Korea"])]
    assert said == [
        ("switch", 1.0, "group limit", "Korea"),
        ("chips", 2.0, "input", ""),
        ("tower", 2.0, "rule", "priority"),
        ("lines", 3.0, "edge capacity", ""),
        ("racks", 4.0, "capacity", ""),
    ]


def test_an_input_is_named_by_who_supplies_it() -> None:
    network, _ = Network.of_goods(
        [("hynix", "nvidia", "hbm"), ("micron", "nvidia", "hbm"), ("nvidia", "kt", "gpu")],
        {"gpu": {"hbm": 2.0}},
        capacity=[3.0, 5.0, np.inf, 0.0],
    )
    flows = State(network).month([10.0, 10.0, 10.0])
    row = next(row for row in shortfalls(network, flows) if row.buyer == "kt")
    assert (row.granted, row.short, row.bound, row.by) == (4.0, 6.0, "input", "hynix hbm, micron hbm")


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**31))
def test_the_log_holds_every_shortfall_and_what_the_rule_moves_adds_up_to_nothing(seed: int) -> None:
    drawn = draw(seed)
    network = drawn.network()
    state = State(network, drawn.stock, drawn.input_stock)
    flows = state.month(**draw_month(seed, network))
    log = shortfalls(network, flows)
    assert [row.short for row in log] == sorted((row.short for row in log), reverse=True)
    np.testing.assert_allclose(
        sum(row.short for row in log), flows.asked.sum() - flows.granted.sum(), rtol=1e-7, atol=1e-7
    )
    assert {row.edge for row in log} == set(
        np.flatnonzero(flows.asked * (1.0 - 1e-9) > flows.granted).tolist()
    )
    moved = np.zeros(network.nodes)
    np.add.at(moved, network.supplier, _by_rule(network, flows))
    np.testing.assert_allclose(moved, 0.0, atol=1e-9)
    for row in log:
        assert row.by_rule == pytest.approx(_by_rule(network, flows)[row.edge], abs=1e-9)


def _by_rule(network: Network, flows: object) -> np.ndarray:
    """What an equal part of the supplier's orders would give, less what was granted; by edge."""
    asked, granted = flows.asked, flows.granted  # type: ignore[attr-defined]
    gives = {
        i: granted[network.supplier == i].sum() / max(asked[network.supplier == i].sum(), 1e-300)
        for i in set(network.supplier.tolist())
    }
    return np.array([asked[e] * gives[i] - granted[e] for e, i in enumerate(network.supplier.tolist())])


def test_a_shortfall_is_traced_through_lead_times_to_where_it_began() -> None:
    """Wafers make memory (lead 1), memory makes chips (lead 2). The wafer plant fails in month 4.

    Memory is short in month 5, chips in month 7: three months after the failure.
    """
    network, _ = Network.of_goods(
        [("fab", "hynix", "wafer"), ("hynix", "nvidia", "hbm"), ("nvidia", "kt", "gpu")],
        {"hbm": {"wafer": 1.0}, "gpu": {"hbm": 1.0}},
        lead=[1, 2, 0],
        lapse=True,
    )
    state = State(network, input_stock=[1.0, 2.0])
    history = []
    for month in range(9):
        # In the first months stocks stand in for what has not arrived yet.
        orders = [1.0, 1.0, 1.0]
        history.append(state.month(orders, node_factor=[0.0 if month == 4 else 1.0, 1, 1, 1]))
    short = [[m for m in range(9) if history[m].bound[e]] for e in range(3)]
    assert short == [[4], [5], [7]]
    links = trace(network, history, 7, 2)
    assert [(link.month, link.edge, link.bound, link.depth) for link in links] == [
        (7, 2, "input", 0),
        (5, 1, "input", 1),
        (4, 0, "node shock", 2),
    ]
    assert [link.short for link in links] == [1.0, 1.0, 1.0]


def test_a_shortfall_with_no_one_behind_it_is_its_own_origin() -> None:
    network = Network(2, [0], [1], capacity=3.0)
    history = [State(network).month([5.0])]
    assert [tuple(link) for link in trace(network, history, 0, 0)] == [(0, 0, "capacity", 2.0, 0)]
