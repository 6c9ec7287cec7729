"""The compiled graph: made from goods and recipes, checked before anything runs."""

from __future__ import annotations

import doctest
import importlib
from typing import Any

import numpy as np
import pytest

from abm.core.allocate import Network, State


def test_a_network_of_goods_feeds_the_inputs_of_recipes() -> None:
    network, node = Network.of_goods(
        [
            ("hynix", "nvidia", "hbm"),
            ("samsung", "nvidia", "hbm"),
            ("nvidia", "kt", "gpu"),
            ("nvidia", "hynix", "gpu"),
        ],
        {"gpu": {"hbm": 141.0, "substrate": 1.0}},
    )
    assert network.names == ("hynix hbm", "samsung hbm", "nvidia gpu", "kt")
    assert node["nvidia", "gpu"] == 2
    assert node["kt", ""] == 3
    assert network.slot.tolist() == [0, 0, -1, -1]
    assert network.slot_node.tolist() == [2, 2]
    assert network.per_unit.tolist() == [141.0, 1.0]
    assert network.buyer.tolist() == [2, 2, 3, 0]


def test_slots_of_several_makers_stay_in_the_order_of_their_nodes() -> None:
    network, _ = Network.of_goods(
        [("m", "a", "hbm"), ("a", "c", "gpu"), ("m", "b", "hbm"), ("b", "c", "npu")],
        {"npu": {"hbm": 32.0}, "gpu": {"hbm": 141.0}},
    )
    assert network.names == ("m hbm", "a gpu", "b npu", "c")
    assert network.per_unit.tolist() == [141.0, 32.0]
    assert network.slot.tolist() == [0, -1, 1, -1]


def test_an_input_of_two_goods_of_one_maker_is_ambiguous() -> None:
    with pytest.raises(ValueError, match="a uses hbm for more than one good"):
        Network.of_goods(
            [("m", "a", "hbm"), ("a", "c", "gpu"), ("a", "c", "npu")],
            {"npu": {"hbm": 32.0}, "gpu": {"hbm": 141.0}},
        )


def test_compressed_rows_hold_every_edge_once_by_supplier() -> None:
    rng = np.random.default_rng(0)
    supplier = rng.integers(0, 7, 50)
    network = Network(9, supplier, rng.integers(0, 9, 50))
    assert sorted(network.out.tolist()) == list(range(50))
    for i in range(9):
        assert (supplier[network.out[network.first[i] : network.first[i + 1]]] == i).all()


def test_makers_come_before_whom_they_feed_within_the_month() -> None:
    network = Network(4, [2, 0, 1], [0, 1, 3], slot=[0, 1, -1], slot_node=[0, 1])
    order = network.levels.tolist()
    assert order.index(2) < order.index(0) < order.index(1)
    flows = State(network).month([5.0, 5.0, 5.0])
    assert flows.arrived.tolist() == [5.0, 5.0, 5.0]


def test_goods_may_go_in_a_circle_with_a_lead_time_but_not_within_the_month() -> None:
    ring: dict[str, Any] = {"slot": [1, 0], "slot_node": [0, 1]}
    with pytest.raises(
        ValueError, match="circle within the month, among them a, b; give an edge a lead time"
    ):
        Network(["a", "b"], [0, 1], [1, 0], **ring)
    Network(["a", "b"], [0, 1], [1, 0], lead=[0, 1], **ring)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"supplier": [0, 5]}, "supplier 1 is 5; allowed are 0 to 2"),
        ({"buyer": [1]}, None),
        ({"buyer": [1, 2, 0]}, "buyer: .* there are 2"),
        ({"lead": [1, -1]}, "lead 1 is -1"),
        ({"lead": [0.5, 1.0]}, "lead has numbers that are not whole"),
        ({"slot": [0, 1]}, "slot 0 is 0; allowed are -1 to -1"),
        ({"slot": [0, -1], "slot_node": [2]}, "edge 0 goes to node 1 but feeds a slot of node 2"),
        ({"slot_node": [2, 1]}, "slot_node is out of order"),
        ({"slot_node": [1], "hold": 0.5}, "hold 0 is 0.5; it is at least 1"),
        ({"slot_node": [1], "per_unit": np.inf}, "per_unit 0 is inf; it is a finite number >= 0"),
        ({"capacity": [1.0, -1.0, 0.0]}, "capacity 1 is -1.0"),
        ({"capacity": np.nan}, "capacity 0 is nan"),
        ({"target": np.inf}, "node 0 has an infinite target"),
        ({"rule": "lottery"}, "'lottery' is unknown"),
        ({"rule": ["priority"]}, "1 rules for 3 nodes"),
        ({"group": [0, 0]}, "group 0 is 0; allowed are -1 to -1"),
        ({"weight": [1.0, -0.5]}, "weight 1 is -0.5"),
        ({"ages": 1}, "ages is 1"),
        ({"supplier": [[0, 1]]}, "2 dimensions"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_position(given: dict[str, Any], said: str | None) -> None:
    call: dict[str, Any] = {"supplier": [0, 0], "buyer": [1, 2], **given}
    if said is None:  # one buyer for all edges is meant as such
        assert Network(3, **call).buyer.tolist() == [1, 1]
        return
    with pytest.raises(ValueError, match=said):
        Network(3, **call)


def test_an_endless_target_is_fine_where_inputs_limit_it() -> None:
    network = Network(2, [0], [1], slot_node=[0], target=[np.inf, 0.0])
    flows = State(network, input_stock=5.0).month([1.0])
    assert flows.made[0] == 5.0


@pytest.mark.parametrize("module", ["network", "rationing"])
def test_the_examples_in_the_docstrings_hold(module: str) -> None:
    found = doctest.testmod(importlib.import_module(f"abm.core.allocate.{module}"))
    assert found.attempted
    assert not found.failed
