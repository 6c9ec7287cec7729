"""The supply graph is the same thing as arrays and as a NetworkX graph, and remembers what moved."""

from __future__ import annotations

import functools
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.calendar import Calendar
from abm.supply import SupplyGraph
from abm.world import Table, World
from runs.engine import simulate

PEOPLE = ("maker", "owner", "state", "utility")
GOODS = ("gpu", "power", "capital")
MONTHS = 3

links = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.sampled_from(GOODS))
numbers = st.tuples(st.floats(0.0, 1e6) | st.just(np.nan), st.integers(0, 60), st.floats(0.0, 1.0))
graphs = st.dictionaries(links, numbers, max_size=20)


def compiled(edges: dict[tuple[str, str, str], tuple[float, int, float]]) -> SupplyGraph:
    who = {key: row for row, key in enumerate(PEOPLE)}
    good = {key: row for row, key in enumerate(GOODS)}
    columns: dict[str, Any] = {
        "supplier": np.array([who[supplier] for supplier, _, _ in edges], np.int64),
        "buyer": np.array([who[buyer] for _, buyer, _ in edges], np.int64),
        "good": np.array([good[one] for _, _, one in edges], np.int64),
        "capacity": np.array([capacity for capacity, _, _ in edges.values()], float),
        "lead_months": np.array([lead for _, lead, _ in edges.values()], float),
        "share": np.array([share for _, _, share in edges.values()], float),
    }
    tables = {
        "cast": Table(
            "cast", {"who": PEOPLE, "name": [p.title() for p in PEOPLE], "kind": ["kind"] * 4}, "who"
        ),
        "goods": Table("goods", {"good": GOODS}, "good"),
        "edges": Table("edges", columns),
    }
    return SupplyGraph(World("w", "", "KRW", Calendar(24300, MONTHS), tables, {}, {}), MONTHS)


def drawn(edges: dict[tuple[str, str, str], tuple[float, int, float]]) -> nx.MultiDiGraph:
    """The graph that NetworkX makes of the same edges, without our code."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from((who, {"name": who.title(), "kind": "kind"}) for who in PEOPLE)
    for (supplier, buyer, good), (capacity, lead, share) in edges.items():
        graph.add_edge(
            supplier,
            buyer,
            key=good,
            good=good,
            lead_months=lead,
            share=share,
            capacity=np.inf if np.isnan(capacity) else capacity,
        )
    return graph


@settings(deadline=None)
@given(graphs)
def test_the_arrays_read_back_as_the_graph(edges: dict) -> None:
    assert nx.utils.graphs_equal(compiled(edges).graph(), drawn(edges))


@settings(deadline=None)
@given(graphs)
def test_the_graph_is_found_again_in_the_compressed_rows(edges: dict) -> None:
    supply, graph = compiled(edges), drawn(edges)
    for row, supplier in enumerate(PEOPLE):
        rows = range(supply.first[row], supply.first[row + 1])
        found = {
            (PEOPLE[supply.buyer[i]], GOODS[supply.good[i]]): (
                supply.capacity[i],
                supply.lead[i],
                supply.share[i],
            )
            for i in rows
        }
        assert len(found) == len(rows) == graph.out_degree(supplier)
        assert found == {
            (buyer, good): (data["capacity"], data["lead_months"], data["share"])
            for _, buyer, good, data in graph.out_edges(supplier, keys=True, data=True)
        }
        assert {supply.who_supplies(i) for i in rows} <= {supplier}


@settings(deadline=None)
@given(graphs)
def test_look_ups_from_either_end_agree_with_the_graph(edges: dict) -> None:
    supply, graph = compiled(edges), drawn(edges)
    for who in PEOPLE:
        for good in GOODS:
            sold = {b for _, b, key in graph.out_edges(who, keys=True) if key == good}
            bought = {s for s, _, key in graph.in_edges(who, keys=True) if key == good}
            assert {PEOPLE[supply.buyer[i]] for i in supply.out_of(who, good)} == sold
            assert {supply.who_supplies(i) for i in supply.into(who, good)} == bought
            for other in PEOPLE:
                edge = supply.edge(who, other, good)
                assert (edge is not None) == graph.has_edge(who, other, key=good)
                assert edge is None or edge in supply.out_of(who, good)
                for _ in range(2):
                    assert supply.edges(who, other, (good,)).tolist() == [-1 if edge is None else edge]


@settings(deadline=None)
@given(graphs, st.randoms(use_true_random=False))
def test_the_order_of_rows_in_the_table_plays_no_part(edges: dict, random: Any) -> None:
    items = list(edges.items())
    random.shuffle(items)
    one, other = compiled(edges), compiled(dict(items))
    for column in ("supplier", "buyer", "good", "capacity", "lead", "share"):
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column))


def test_parallel_edges_for_different_goods_are_kept_apart() -> None:
    supply = compiled(
        {("maker", "owner", "gpu"): (10.0, 6, 0.5), ("maker", "owner", "capital"): (np.nan, 0, 0.1)}
    )
    edges = np.array([supply.edge("maker", "owner", good) for good in ("gpu", "capital")])
    supply.book_all(0, edges, np.array([7.0, 3.0]))
    graph = supply.graph(0)
    assert graph.number_of_edges("maker", "owner") == 2
    assert {key: data["flow"] for _, _, key, data in graph.edges(keys=True, data=True)} == {
        "gpu": 7.0,
        "capital": 3.0,
    }


def test_values_of_edges_are_read_at_their_numbers_and_otherwise_where_there_is_none() -> None:
    supply = compiled({("maker", "owner", "gpu"): (10.0, 6, 0.5)})
    edges = np.array([-1, 0])
    assert supply.at(supply.share, edges, 9.0).tolist() == [9.0, 0.5]
    none = compiled({})
    assert none.at(none.share, np.array([-1, -1]), 9.0).tolist() == [9.0, 9.0]


def test_flows_add_up_within_a_month_and_stay_in_it() -> None:
    supply = compiled({("maker", "owner", "gpu"): (10.0, 6, 0.5)})
    for month, amount in ((0, 1.0), (2, 5.0), (2, 2.5)):
        supply.book_all(month, np.array([supply.edge("maker", "owner", "gpu")]), np.array([amount]))
    assert [supply.graph(month)["maker"]["owner"]["gpu"]["flow"] for month in range(MONTHS)] == [
        1.0,
        0.0,
        7.5,
    ]
    assert "flow" not in supply.graph()["maker"]["owner"]["gpu"]


@pytest.mark.parametrize(
    "link", [("owner", "maker", "gpu"), ("maker", "owner", "power"), ("nobody", "owner", "gpu")]
)
def test_what_moves_off_the_graph_is_not_booked_on_it(link: tuple[str, str, str]) -> None:
    supply = compiled({("maker", "owner", "gpu"): (10.0, 6, 0.5)})
    assert supply.edge(*link) is None
    supply.book_all(0, np.array([-1]), np.array([7.0]))
    assert not supply.flow.any()


@functools.cache
def finished() -> Any:
    return simulate(world="toy", package="no-policy")


def test_a_finished_run_gives_back_the_worlds_edges() -> None:
    model = finished()
    world, edges = model.world, model.world.edges
    graph = model.supply.graph()
    assert set(graph.nodes) == set(world.cast.keys)
    assert set(graph.edges(keys=True)) == {
        (world.cast.keys[s], world.cast.keys[b], world.goods.keys[g])
        for s, b, g in zip(edges.supplier, edges.buyer, edges.good, strict=True)
    }


def test_the_accelerators_on_the_graph_are_those_in_the_books() -> None:
    """Every delivery of the toy world travels over an edge, and the ledger counted it too."""
    model = finished()
    by_month = [
        sum(
            data["flow"]
            for _, _, key, data in model.supply.graph(month).edges(keys=True, data=True)
            if key == "gpu"
        )
        for month in range(model.calendar.months)
    ]
    assert sum(by_month) > 0.0
    assert sum(by_month) == pytest.approx(-model.ledger.balance("gpus world", "gpu"), rel=1e-12)
