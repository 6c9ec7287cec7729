"""The month of a supply graph: conservation, hand-made cases, references, closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from abm.core.allocate import BOUNDS, RULES, Network, State, imbalance, ration
from tests.abm.core.allocate.graphs import draw, draw_month

seeds = st.integers(0, 2**31)
MONTHS = 6


def why(flows: Any) -> list[str]:
    return [BOUNDS[b] for b in flows.bound]


@settings(deadline=None, max_examples=300)
@given(seeds)
def test_every_unit_is_accounted_for(seed: int) -> None:
    drawn = draw(seed)
    network = drawn.network()
    state = State(network, drawn.stock, drawn.input_stock)
    for m in range(MONTHS):
        month = draw_month(seed + m, network)
        before = state.copy()
        flows = state.month(**month)
        assert max(imbalance(before, state, month["orders"], flows).values()) <= 1e-13
        for stock in (state.stock, state.input_stock, state.backlog, state.queue, state.pipeline, *flows[:8]):
            assert (stock >= 0.0).all()
        np.testing.assert_allclose(flows.used, flows.made[network.slot_node] * network.per_unit, rtol=1e-12)


@settings(deadline=None, max_examples=300)
@given(seeds)
def test_no_bound_is_broken_and_what_is_short_says_why(seed: int) -> None:
    drawn = draw(seed)
    network = drawn.network()
    state = State(network, drawn.stock, drawn.input_stock)
    for m in range(MONTHS):
        month = draw_month(seed + m, network)
        flows = state.month(**month)
        with np.errstate(invalid="ignore"):
            most = np.where(month["node_factor"] == 0.0, 0.0, network.capacity * month["node_factor"])
            room = np.where(month["edge_factor"] == 0.0, 0.0, network.edge_capacity * month["edge_factor"])
        assert (flows.made <= most * (1.0 + 1e-12)).all()
        assert (flows.granted <= np.minimum(flows.asked, room) * (1.0 + 1e-12)).all()
        inside = network.group >= 0
        sent = np.bincount(network.group[inside], flows.granted[inside], network.groups)
        assert (sent <= month["group_cap"] * (1.0 + 1e-9)).all()
        short = flows.granted < flows.asked * (1.0 - 1e-9)
        np.testing.assert_array_equal(flows.bound != 0, short)
        np.testing.assert_array_equal(flows.node_bound != 0, flows.made < flows.wanted)


@settings(deadline=None, max_examples=150)
@given(seeds)
def test_a_supplier_keeps_nothing_that_a_buyer_waits_for(seed: int) -> None:
    drawn = draw(seed, groups=False)
    drawn.values["target"] = np.zeros(drawn.nodes)
    network = drawn.network()
    state = State(network, drawn.stock, drawn.input_stock)
    for m in range(MONTHS):
        month = draw_month(seed + m, network)
        month.pop("group_cap")
        had = state.stock.copy()
        flows = state.month(**month)
        with np.errstate(invalid="ignore"):
            room = np.where(
                np.isinf(network.edge_capacity),
                flows.asked * np.minimum(month["edge_factor"], 1.0),
                np.minimum(flows.asked, network.edge_capacity * month["edge_factor"]),
            )
        could = np.bincount(network.supplier, room, network.nodes)
        sent = np.bincount(network.supplier, flows.granted, network.nodes)
        np.testing.assert_allclose(sent, np.minimum(had + flows.made, could), rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=100)
@given(seeds, st.booleans())
def test_first_come_over_the_months_is_first_come_of_all_open_orders(seed: int, capped: bool) -> None:
    """The same by a list of orders with their months, rationed by `ration`."""
    rng = np.random.default_rng(seed)
    buyers, months = 4, 8
    group = np.array([0, 0, 1, -1]) if capped else np.full(buyers, -1)
    network = Network(
        buyers + 1, [0] * buyers, range(1, buyers + 1), rule="first-come", weight=rng.uniform(0.5, 2.0, buyers),
        ages=months + 1, group=group, groups=2 * capped, capacity=0.0,
    )  # fmt: skip
    state = State(network, stock=[1e-3, 0.0, 0.0, 0.0, 0.0])
    placed, who, left = np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    for m in range(months):
        orders = rng.uniform(0.0, 10.0, buyers) * (rng.random(buyers) < 0.7)
        placed, who = np.append(placed, [m] * buyers), np.append(who, range(buyers))
        left = np.append(left, orders)
        supply = float(rng.uniform(0.0, 20.0))
        cap = rng.uniform(0.0, 10.0, 2) if capped else None
        state.stock[0] = supply
        given = {"group": group[who], "group_cap": cap} if capped else {}
        wanted = ration(
            left, supply, weights=network.weight[who], rule="first-come", tier=placed, **given
        ).granted
        flows = state.month(orders, group_cap=cap)
        np.testing.assert_allclose(flows.granted, np.bincount(who, wanted, buyers), rtol=1e-9, atol=1e-9)
        left = left - wanted


@settings(deadline=None, max_examples=150)
@given(seeds, st.randoms(use_true_random=False))
def test_permuting_nodes_slots_and_edges_changes_nothing(seed: int, random: Any) -> None:
    """To rounding: a supplier's total is a sum in the order of its edges."""
    drawn = draw(seed)
    network = drawn.network()
    nodes, edges = list(range(network.nodes)), list(range(network.edges))
    random.shuffle(nodes)
    random.shuffle(edges)
    place = np.argsort(nodes)
    moved = place[network.slot_node]
    slots = np.argsort(moved, kind="stable")
    slot_place = np.append(np.argsort(slots), -1)
    v = dict(drawn.values)
    for name in ("lead", "edge_capacity", "weight", "share", "tier", "group", "lapse"):
        v[name] = v[name][edges]
    for name in ("capacity", "target"):
        v[name] = v[name][nodes]
    for name in ("per_unit", "hold"):
        v[name] = v[name][slots]
    v["rule"] = [v["rule"][i] for i in nodes]
    v["slot_node"], v["slot"] = moved[slots], slot_place[drawn.values["slot"][edges]]
    twin = Network(network.nodes, place[drawn.supplier[edges]], place[drawn.buyer[edges]], **v)
    one = State(network, drawn.stock, drawn.input_stock)
    other = State(twin, drawn.stock[nodes], drawn.input_stock[slots])
    for m in range(MONTHS):
        month = draw_month(seed + m, network)
        same = {
            key: value[nodes] if key.startswith("node") else value if key == "group_cap" else value[edges]
            for key, value in month.items()
        }
        a, b = one.month(**month), other.month(**same)
        for name in ("asked", "granted", "arrived", "lapsed", "cancelled"):
            np.testing.assert_allclose(
                getattr(b, name), getattr(a, name)[edges], rtol=1e-9, atol=1e-10, err_msg=name
            )
        np.testing.assert_allclose(b.made, a.made[nodes], rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(b.used, a.used[slots], rtol=1e-9, atol=1e-10)


@settings(deadline=None, max_examples=150)
@given(seeds, st.floats(1.0, 3.0))
def test_nobody_gets_less_when_there_is_more_of_everything(seed: int, more: float) -> None:
    drawn = draw(seed, groups=False)
    network = drawn.network()
    month = draw_month(seed, network)
    month.pop("group_cap")
    lean = State(network, drawn.stock, drawn.input_stock).month(**month)
    rich = State(network, drawn.stock * more, drawn.input_stock * more).month(
        **month, capacity=network.capacity * more
    )
    assert (rich.granted >= lean.granted - 1e-9).all()
    assert (rich.made + drawn.stock * (more - 1.0) >= lean.made - 1e-9).all()


@settings(deadline=None, max_examples=50)
@given(seeds)
def test_without_orders_nothing_moves(seed: int) -> None:
    drawn = draw(seed)
    drawn.values["target"] = np.zeros(drawn.nodes)
    network = drawn.network()
    state = State(network, drawn.stock, drawn.input_stock)
    for m in range(MONTHS):
        flows = state.month(**{**draw_month(seed + m, network), "orders": np.zeros(network.edges)})
        for moved in (flows.made, flows.used, flows.asked, flows.granted, flows.arrived, flows.cancelled):
            assert not moved.any()
        assert not flows.bound.any()
    np.testing.assert_array_equal(state.stock, drawn.stock)
    np.testing.assert_array_equal(state.input_stock, drawn.input_stock)


@pytest.mark.parametrize("rule", RULES)
def test_without_capacity_and_stock_orders_wait(rule: str) -> None:
    state = State(Network(3, [0, 0], [1, 2], capacity=0.0, rule=rule, share=0.5))
    for _ in range(4):
        flows = state.month([1.0, 2.0])
        assert not flows.granted.any()
        assert why(flows) == ["capacity", "capacity"]
    assert state.backlog.tolist() == [4.0, 8.0]


@pytest.mark.parametrize("leads", [[1], [3], [2, 1], [1, 4, 2], [0, 2, 0, 1], [0]])
@pytest.mark.parametrize("capacity", [np.inf, 10.0, 4.0])
def test_a_chain_delivers_after_the_sum_of_its_lead_times(leads: list[int], capacity: float) -> None:
    """10 ordered on every edge each month: the last arrives min(10, c) a month from month L = sum of leads on.

    So arrivals up to month t are min(10, c) max(t - L + 1, 0), and Little's law holds on every edge:
    on the way at the end of a month is the rate times the lead time, where the chain has filled.
    """
    n = len(leads)
    network = Network(
        n + 1, range(n), range(1, n + 1), lead=leads, slot=[*range(n - 1), -1], slot_node=range(1, n),
        capacity=[capacity, *[np.inf] * n],
    )  # fmt: skip
    state = State(network)
    rate, came, total = min(10.0, capacity), 0.0, sum(leads)
    for t in range(20):
        flows = state.month([10.0] * n)
        came += flows.arrived[-1]
        assert came == pytest.approx(rate * max(t - total + 1, 0), abs=1e-12)
        for e in range(n):
            begun = t - sum(leads[:e]) + 1
            on_way = rate * min(max(begun, 0), leads[e])
            # What is due next month is still on its way: a lead of 1 holds one month's dispatch.
            assert state.pipeline[:, e].sum() == pytest.approx(on_way, abs=1e-12)
        assert state.backlog[0] == pytest.approx((10.0 - rate) * (t + 1), abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_an_assembly_tree_makes_what_the_linear_programme_makes(seed: int) -> None:
    """Every part has one user, all within the month: the most that can be assembled is assembled."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 12))
    user = [int(rng.integers(0, i)) for i in range(1, n)]  # node i > 0 feeds an earlier node; 0 is the last
    order = np.argsort(user, kind="stable")
    slot = np.argsort(order)
    per_unit = rng.uniform(0.2, 3.0, n - 1)
    capacity, inputs = rng.uniform(1.0, 30.0, n), rng.uniform(0.0, 3.0, n - 1)
    network = Network(
        n + 1, [*range(1, n), 0], [*user, n], slot=[*slot.tolist(), -1], slot_node=np.array(user)[order],
        per_unit=per_unit[order], capacity=[*capacity, 0.0],
    )  # fmt: skip
    flows = State(network, input_stock=inputs[order]).month([1e3] * n)
    a = np.zeros((n - 1, n))
    for part, whole in enumerate(user):
        a[part, whole] += per_unit[part]
        a[part, part + 1] -= 1.0
    best = linprog([-1.0] + [0.0] * (n - 1), A_ub=a, b_ub=inputs, bounds=[(0.0, c) for c in capacity])
    assert flows.granted[-1] == pytest.approx(-best.fun, rel=1e-9)


def test_two_inputs_and_a_second_source_by_hand() -> None:
    """A rack takes 8 chips and 1 switch. Two makers send 20 and 30 chips, one 5 switches: 5 racks, 10 chips left."""
    network, node = Network.of_goods(
        [("a", "racks", "chip"), ("b", "racks", "chip"), ("c", "racks", "switch"), ("racks", "site", "rack")],
        {"rack": {"chip": 8.0, "switch": 1.0}},
        capacity=[20.0, 30.0, 5.0, 100.0, 0.0],
    )
    state = State(network)
    flows = state.month([100.0, 100.0, 100.0, 7.0])
    assert flows.made[node["racks", "rack"]] == 5.0
    assert state.input_stock.tolist() == [10.0, 0.0]
    assert [BOUNDS[b] for b in flows.node_bound] == ["capacity", "capacity", "capacity", "input", ""]
    assert flows.node_which[node["racks", "rack"]] == 1
    assert why(flows) == ["capacity", "capacity", "capacity", "input"]
    assert flows.which.tolist() == [-1, -1, -1, 1]


def test_goods_with_a_lead_time_are_used_when_they_arrive() -> None:
    network = Network(3, [0, 1], [1, 2], lead=[2, 1], slot=[0, -1], slot_node=[1], per_unit=2.0)
    state = State(network)
    rows = [state.month([4.0, 2.0] if t == 0 else [0.0, 0.0]) for t in range(5)]
    assert [row.made.tolist() for row in rows] == [[4, 0, 0], [0, 0, 0], [0, 2, 0], [0, 0, 0], [0, 0, 0]]
    assert [row.arrived.tolist() for row in rows] == [[0, 0], [0, 0], [4, 0], [0, 2], [0, 0]]


def test_inputs_that_must_lie_there_cut_output_before_they_run_out() -> None:
    """Use of 2 a unit, three months' worth to be held: 30 in stock let 5 be made, though 15 could be."""
    network = Network(2, [0], [1], slot_node=[0], per_unit=2.0, hold=3.0)
    flows = State(network, input_stock=30.0).month([9.0])
    assert flows.made[0] == 5.0
    assert flows.used[0] == 10.0


def test_finished_goods_are_sold_first_and_made_up_to_the_target() -> None:
    network = Network(2, [0], [1], capacity=10.0, target=4.0)
    state = State(network, stock=[6.0, 0.0])
    assert state.month([1.0]).made[0] == 0.0
    assert state.month([3.0]).made[0] == 2.0
    assert state.stock[0] == 4.0
    flat_out = State(Network(2, [0], [1], capacity=[10.0, 0.0], target=[np.inf, 0.0]))
    assert flat_out.month([3.0]).made[0] == 10.0
    assert flat_out.stock[0] == 7.0


def test_a_limit_over_two_suppliers_is_split_by_what_each_would_send() -> None:
    """60 and 30 would go to the group, 45 may. No claim counts for more than the limit: 45 to 30 is 27 to 18.

    What the first keeps from the group goes to its other buyer, who has 40 otherwise.
    """
    network = Network(
        4,
        [0, 0, 1],
        [2, 3, 2],
        capacity=[100.0, 30.0, 0.0, 0.0],
        weight=[3.0, 2.0, 1.0],
        group=[0, -1, 0],
        groups=1,
    )
    asked = [100.0, 60.0, 100.0]
    np.testing.assert_allclose(State(network).month(asked, group_cap=[np.inf]).granted, [60.0, 40.0, 30.0])
    flows = State(network).month(asked, group_cap=[45.0])
    np.testing.assert_allclose(flows.granted, [27.0, 60.0, 18.0], rtol=1e-12)
    assert why(flows) == ["group limit", "", "group limit"]
    assert flows.which.tolist() == [0, -1, 0]


def test_a_limit_that_binds_because_another_did_is_kept_too() -> None:
    """A has 6 for both groups, B 5 for the first, C 3 for the second; the first may take 4, the second 6.5.

    First group: A would send 3 and B 4, so 12/7 and 16/7. That leaves A 30/7 for the second, which with
    C's 3 is more than 6.5: 30/51 and 21/51 of it. What A cannot place stays in its stock.
    """
    network = Network(
        5, [0, 0, 1, 2], [3, 4, 3, 4], capacity=[6.0, 5.0, 3.0, 0.0, 0.0], group=[0, 1, 0, 1], groups=2
    )
    state = State(network)
    flows = state.month([10.0] * 4, group_cap=[4.0, 6.5])
    np.testing.assert_allclose(flows.granted, [12 / 7, 6.5 * 30 / 51, 16 / 7, 6.5 * 21 / 51], rtol=1e-12)
    assert why(flows) == ["group limit"] * 4
    assert state.stock[0] == pytest.approx(6.0 - 12 / 7 - 6.5 * 30 / 51)


def test_the_oldest_orders_are_served_first_over_the_months() -> None:
    network = Network(3, [0, 0], [1, 2], rule="first-come", capacity=4.0, ages=3)
    state = State(network)
    assert state.month([6.0, 0.0]).granted.tolist() == [4.0, 0.0]
    assert state.month([0.0, 6.0]).granted.tolist() == [2.0, 2.0]
    flows = state.month([2.0, 0.0])
    assert flows.granted.tolist() == [0.0, 4.0]
    assert why(flows) == ["rule", ""]
    assert state.backlog.tolist() == [2.0, 0.0]


def test_orders_older_than_the_queue_tells_apart_count_as_one_month() -> None:
    network = Network(3, [0, 0], [1, 2], rule="first-come", ages=2)
    state = State(network)
    for orders in ([3.0, 0.0], [0.0, 5.0], [1.0, 1.0]):
        state.month(orders, capacity=0.0)
    assert state.queue.tolist() == [[3.0, 1.0], [5.0, 1.0]]
    assert state.month([0.0, 0.0], capacity=4.0).granted.tolist() == [2.0, 2.0]


@pytest.mark.parametrize("rule", RULES)
def test_what_is_cancelled_leaves_the_queue_newest_first_and_no_more_than_waits(rule: str) -> None:
    state = State(Network(2, [0], [1], rule=rule, capacity=0.0, share=1.0, ages=3))
    state.month([5.0])
    flows = state.month([2.0], cancel=[3.0])
    assert flows.cancelled.tolist() == [3.0]
    assert state.backlog.tolist() == [4.0]
    if rule == "first-come":
        assert state.queue.tolist() == [[0.0, 4.0, 0.0]]
    assert state.month([0.0], cancel=[np.inf]).cancelled.tolist() == [4.0]
    assert state.backlog.tolist() == [0.0]


def test_orders_that_lapse_do_not_come_back() -> None:
    network = Network(3, [0, 0], [1, 2], capacity=6.0, lapse=[True, False])
    state = State(network)
    flows = state.month([10.0, 10.0])
    assert flows.granted.tolist() == [3.0, 3.0]
    assert flows.lapsed.tolist() == [7.0, 0.0]
    assert state.backlog.tolist() == [0.0, 7.0]


def test_an_edge_taken_out_or_halved() -> None:
    network = Network(3, [0, 0], [1, 2], edge_capacity=[8.0, np.inf])
    state = State(network)
    flows = state.month([10.0, 10.0], edge_factor=[0.0, 1.0])
    assert flows.granted.tolist() == [0.0, 10.0]
    assert why(flows) == ["edge shock", ""]
    flows = state.month([0.0, 10.0], edge_factor=[0.5, 0.5])
    assert flows.granted.tolist() == [4.0, 5.0]
    assert why(flows) == ["edge shock", "edge shock"]
    flows = state.month([10.0, 0.0])
    assert flows.granted.tolist() == [8.0, 5.0]
    assert why(flows) == ["edge capacity", ""]


def test_a_node_taken_out_makes_nothing_but_sells_its_stock() -> None:
    network = Network(3, [0, 0], [1, 2], capacity=10.0)
    state = State(network, stock=[4.0, 0.0, 0.0])
    flows = state.month([5.0, 5.0], node_factor=[0.0, 1.0, 1.0])
    assert flows.granted.tolist() == [2.0, 2.0]
    assert why(flows) == ["node shock", "node shock"]
    assert state.month([5.0, 5.0], node_factor=[0.5, 1.0, 1.0]).granted.sum() == 5.0


def test_half_of_an_unlimited_node_makes_half_of_what_is_wanted() -> None:
    flows = State(Network(2, [0], [1])).month([8.0], node_factor=[0.5, 1.0])
    assert flows.made[0] == 4.0


@pytest.mark.parametrize(("at_node", "at_edge"), [(2, 0), (0, 2), (1, 1)])
def test_a_delay_moves_what_is_dispatched_in_its_months_and_nothing_else(at_node: int, at_edge: int) -> None:
    state = State(Network(2, [0], [1], lead=1, slack=2))
    came = []
    for t in range(7):
        late = t in (1, 2)
        came.append(
            state.month([1.0], node_delay=[at_node * late, 0], edge_delay=[at_edge * late]).arrived[0]
        )
    assert came == [0.0, 1.0, 0.0, 0.0, 2.0, 2.0, 1.0]


def test_a_month_that_is_refused_moves_nothing() -> None:
    network = Network(2, [0], [1], lead=1, slack=2, groups=1, group=0)
    state = State(network)
    state.month([3.0], group_cap=[2.0])
    for wrong, said in (
        ({"orders": [-1.0]}, "order on edge 0 is -1.0"),
        ({"orders": [np.nan]}, "order on edge 0 is nan"),
        ({"orders": [1.0, 1.0]}, "orders has shape"),
        ({"cancel": [-1.0]}, "edge 0 cancels -1.0"),
        ({"node_factor": [1.0, -0.5]}, "factor of node 1 is -0.5"),
        ({"edge_factor": [np.inf]}, "factor of edge 0 is inf"),
        ({"edge_delay": [3]}, "delayed by 3 months; 0 to 2 are allowed"),
        ({"edge_delay": [-1]}, "delayed by -1 months"),
        ({"node_factor": [1.0]}, "node_factor has shape"),
        ({"capacity": [1.0, -1.0]}, "capacity 1 is -1.0"),
        ({"group_cap": None}, "group_cap is missing"),
        ({"target": [np.inf, 0.0]}, "node 0 has an infinite target"),
    ):
        twin = state.copy()
        with pytest.raises(ValueError, match=said):
            state.month(**{"orders": [1.0], "group_cap": [2.0], **wrong})
        assert state.now == twin.now
        for name in ("stock", "input_stock", "backlog", "queue", "pipeline"):
            np.testing.assert_array_equal(getattr(state, name), getattr(twin, name))


def test_a_copy_goes_its_own_way() -> None:
    state = State(Network(2, [0], [1], lead=2, capacity=1.0, rule="first-come"))
    state.month([5.0])
    twin = state.copy()
    for _ in range(3):
        state.month([0.0])
    assert twin.backlog.tolist() == [4.0]
    assert [twin.month([0.0]).arrived[0] for _ in range(3)] == [0.0, 1.0, 1.0]


@settings(deadline=None, max_examples=100)
@given(seeds)
def test_edges_out_of_use_are_as_good_as_not_there_and_may_come_into_use(seed: int) -> None:
    """Months of a network that uses its first half of edges, then all, against one in which only these have orders."""
    drawn = draw(seed)
    part, whole = drawn.network(), drawn.network()
    states = [State(network, drawn.stock, drawn.input_stock) for network in (part, whole)]
    half = whole.edges // 2
    part.use(np.arange(half))
    last = None
    for m in range(MONTHS):
        month = draw_month(seed + m, whole)
        if m == MONTHS // 2:
            part.use(np.arange(whole.edges))
        elif m < MONTHS // 2:
            month["orders"][half:] = 0.0
        last = states[0].month(**month, out=last)
        for ours, theirs in zip(last, states[1].month(**month), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
    for name in ("stock", "input_stock", "backlog", "queue", "pipeline"):
        np.testing.assert_allclose(getattr(states[0], name), getattr(states[1], name), rtol=1e-12, atol=1e-12)


def test_flows_handed_in_are_written_over() -> None:
    state = State(Network(2, [0], [1], capacity=1.0))
    first = state.month([5.0])
    second = state.month([0.0], out=first)
    assert second is first
    assert second.asked.tolist() == [4.0]
    assert state.month([0.0]).asked.tolist() == [3.0]
    assert first.asked.tolist() == [4.0]


def test_what_is_handed_on_of_another_network_is_refused() -> None:
    small, large = Network(["a"], [0], [0]), Network(["a"], [0, 0], [0, 0])
    with pytest.raises(ValueError, match="another network"):
        State(large).month([1.0, 1.0], out=State(small).no_flows())


@pytest.mark.parametrize("edges", [[-1], [2], [0, 0]])
def test_edges_in_use_are_the_networks_own_each_once(edges: list[int]) -> None:
    with pytest.raises(ValueError, match="0 to 1, each at most once"):
        Network(["a"], [0, 0], [0, 0]).use(np.array(edges))
