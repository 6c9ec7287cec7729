"""Shock experiments: what a supplier or an edge that fails costs whom, when, and along which path."""

from __future__ import annotations

import dataclasses
from functools import cache

import networkx as nx
import numpy as np
import pytest

from abm.calendar import parse_month
from abm.world import World
from runs.checking import BadInput
from runs.engine import simulate
from runs.shocks import ShockExperiment, shock_experiment
from runs.shortfalls import routes
from tests.model import worlds

MONTHS = 60
WINDOW = "2026-01+9"
FIRST = parse_month("2026-01") - parse_month("2025-01")


@cache
def small() -> World:
    """Five years of Korea, with little memory, so that chips hang on every maker of it."""
    return worlds.parameters(worlds.shortened(worlds.korea(), MONTHS, rows=60), hbm_supply_factor=0.5)


@cache
def experiment(*shocks: str) -> ShockExperiment:
    return shock_experiment(shocks, world=small())


@cache
def toy(*shocks: str) -> ShockExperiment:
    return shock_experiment(shocks, package="no-policy", world="toy")


def delivered(found: ShockExperiment, supplier: str, good: str) -> tuple[np.ndarray, np.ndarray]:
    """(months,) of all that a supplier delivered without and with the shock."""
    edges = found.baseline.supply.out_of(supplier, good)
    one, other = (
        found.baseline.supply.flow[:, edges].sum(axis=1),
        found.shocked.supply.flow[:, edges].sum(axis=1),
    )
    return one, other


def series(found: ShockExperiment) -> tuple[np.ndarray, np.ndarray]:
    return found.baseline.recorder.values, found.shocked.recorder.values


@pytest.mark.parametrize("shock", [
    f"sk-hynix=0@{WINDOW}", f"nvidia=0@{WINDOW}", f"nvidia/aws/gpu=0@{WINDOW}", f"builders=0@{WINDOW}",
    f"cooling=delay:4@{WINDOW}", f"power-equipment=0@{WINDOW}", f"renewable-developers=0@{WINDOW}",
    "lenders=0@2026-01+40", "education-ministry=0@2026-01+48", "blackrock=0@2026-01+48",
])  # fmt: skip
def test_nothing_changes_before_the_shock_and_something_after(shock: str) -> None:
    found = experiment(shock)
    one, other = series(found)
    assert np.array_equal(one[:FIRST], other[:FIRST], equal_nan=True)
    assert np.array_equal(found.baseline.supply.flow[:FIRST], found.shocked.supply.flow[:FIRST])
    assert not np.array_equal(found.baseline.supply.flow, found.shocked.supply.flow)
    assert len(found.indicators) > 0
    assert found.losses["first"].min() >= "2026-01"


def test_a_shock_that_changes_nothing_is_refused_and_a_run_without_one_is_the_baseline() -> None:
    with pytest.raises(BadInput, match="no shock that changes anything"):
        shock_experiment("nvidia=1@2026-01+9", world=small())
    plain = simulate(world=small())
    nothing = simulate(world=small(), settings={"shock.nvidia": "1@2026-01+9"})
    for model in (nothing, experiment(f"nvidia=0@{WINDOW}").baseline):
        assert np.array_equal(plain.recorder.values, model.recorder.values, equal_nan=True)
        assert np.array_equal(plain.supply.flow, model.supply.flow)
        assert worlds.decision_lines(plain) == worlds.decision_lines(model)


def test_a_supplier_taken_out_sends_nothing_in_these_months() -> None:
    found = experiment(f"sk-hynix=0@{WINDOW}")
    without, shocked = delivered(found, "sk-hynix", "hbm")
    window = slice(FIRST, FIRST + 9)
    assert (without[window] > 0.0).all()
    assert not shocked[window].any()
    assert (shocked[FIRST + 9 :] > 0.0).all()


@pytest.mark.parametrize(
    ("supplier", "good"), [("sk-hynix", "hbm"), ("builders", "construction"), ("nvidia", "gpu")]
)
def test_half_lies_between_nothing_and_all(supplier: str, good: str) -> None:
    """Of what the supplier delivers while the shock lasts, its lead time later."""
    lead = {"gpu": 10}.get(good, 0)
    window = slice(FIRST + lead, FIRST + lead + 9)
    whole, none = delivered(experiment(f"{supplier}=0@{WINDOW}"), supplier, good)
    _, half = delivered(experiment(f"{supplier}=0.5@{WINDOW}"), supplier, good)
    assert none[window].sum() < half[window].sum() < whole[window].sum()


def test_less_memory_means_fewer_accelerators_later_and_never_earlier() -> None:
    found = experiment(f"sk-hynix=0@{WINDOW}")
    without, shocked = delivered(found, "nvidia", "gpu")
    lead = 3 + 10
    assert np.array_equal(without[: FIRST + 3], shocked[: FIRST + 3])
    to_sites = [
        e for e in found.baseline.supply.out_of("nvidia", "gpu") if found.baseline.supply.lead[e] == 10
    ]
    one, other = (model.supply.flow[:, to_sites].sum(axis=1) for model in (found.baseline, found.shocked))
    assert np.array_equal(one[: FIRST + lead], other[: FIRST + lead]), (
        "three months to the maker, ten to the site"
    )
    assert np.cumsum(other)[FIRST + lead + 11] < np.cumsum(one)[FIRST + lead + 11]


def test_a_delay_shifts_what_was_under_way() -> None:
    """What the maker lets go in the months of the shock arrives later by exactly the delay."""
    calm = simulate(world="toy", package="no-policy")
    edge, lead = calm.supply.edge("chipmaker", "platform", "gpu"), 6
    first = int(np.argmax(calm.supply.flow[:, edge] > 0.0)) - lead
    found = toy(f"chipmaker=delay:5@{calm.calendar.text(first)}+1")
    without, shocked = delivered(found, "chipmaker", "gpu")
    assert without[first + lead] > 0.0
    assert shocked[first + lead] == 0.0
    assert shocked[first + lead + 5] >= without[first + lead]
    later = experiment(f"cooling=delay:4@{WINDOW}")
    one, other = delivered(later, "cooling", "cooling")
    assert not other[FIRST : FIRST + 4].any()
    assert one[FIRST : FIRST + 4].any()
    assert other[FIRST + 4] > 0.0


def test_an_edge_cut_hurts_its_buyer_and_spares_the_others_their_part() -> None:
    found = experiment(f"nvidia/aws/gpu=0@{WINDOW}")
    supply = found.baseline.supply
    cut = supply.edge("nvidia", "aws", "gpu")
    assert found.shocked.supply.flow[FIRST + 10 : FIRST + 19, cut].sum() == 0.0
    assert found.baseline.supply.flow[FIRST + 10 : FIRST + 19, cut].sum() > 0.0
    others = [e for e in supply.out_of("nvidia", "gpu") if e != cut and supply.lead[e] == 10]
    one, other = (
        model.supply.flow[FIRST + 10 : FIRST + 19, others].sum() for model in (found.baseline, found.shocked)
    )
    assert other >= one * (1.0 - 1e-9)


def test_units_are_conserved_in_the_ledger_whatever_the_shock() -> None:
    for shock in (f"sk-hynix=0@{WINDOW}", f"nvidia=delay:7@{WINDOW}", f"cooling=0.3,delay:2@{WINDOW}"):
        model = experiment(shock).shocked
        assert max(model.ledger.worst.values()) < 1e-9
        ledger, chips = model.ledger, model.chips
        assert ledger.balance("gpus in transit", "gpu") == pytest.approx(
            float(model.state.ordered.sum()), abs=1e-6
        )
        made = -ledger.balance("hbm makers", "hbm")
        kept = sum(
            ledger.balance(name, "hbm")
            for name in (
                "hbm abroad",
                "hbm in transit",
                "hbm reserve",
                "hbm built in",
                *(f"hbm of {who}" for who in chips.makers),
            )
        )
        opened = ledger.balance("opening", "hbm")
        assert made - opened == pytest.approx(kept, rel=1e-12)


def test_paths_lead_from_the_shocked_node_to_the_losers() -> None:
    found = experiment(f"sk-hynix=0@{WINDOW}")
    graph, losses = found.graph, found.losses
    losers = losses.filter((losses["worst"] > 0.0) & (losses["path"].list.len() > 1))
    assert {"nvidia", "samsung"} & set(losers["who"])
    for row in losers.iter_rows(named=True):
        assert (row["path"][0], row["path"][-1]) == ("sk-hynix", row["who"])
        for here, there, good in zip(row["path"], row["path"][1:], row["goods"], strict=False):
            step = (there, here, good[1:]) if good.startswith("<") else (here, there, good)
            assert graph.has_edge(*step), step
    nvidia = losses.filter(losses["who"] == "nvidia")
    assert nvidia["path"].to_list() == [["sk-hynix", "nvidia"]]
    assert nvidia["goods"].to_list() == [["hbm"]]
    assert graph.nodes["sk-hynix"]["shocked"]
    data = graph["sk-hynix"]["nvidia"]["hbm"]
    assert data["first"] == FIRST
    assert data["by_month"].sum() == pytest.approx(data["final"])
    assert not data["by_month"][:FIRST].any()


def test_the_loss_of_a_stakeholder_is_the_difference_of_its_scores() -> None:
    found = experiment(f"builders=0@{WINDOW}")
    row = found.losses.filter(found.losses["who"] == "builders").row(0, named=True)
    one, other = (
        model.recorder.values[:, model.recorder.column["stakeholder_score.builders"]]
        for model in (found.baseline, found.shocked)
    )
    assert row["worst"] == pytest.approx((one - other).max())
    assert row["final"] == pytest.approx(one[-1] - other[-1])
    assert row["path"] == ["builders"]


def test_the_table_of_shortfalls_adds_up_to_the_graph() -> None:
    found = toy("chipmaker=0@2025-01+36")
    data = found.graph["chipmaker"]["platform"]["gpu"]
    table = found.shortfalls
    mine = table.filter(
        (table["supplier"] == "chipmaker") & (table["buyer"] == "platform") & (table["good"] == "gpu")
    )
    assert mine["missing"].sum() == pytest.approx(data["final"], abs=1e-6)
    assert (mine["without"] - mine["with"] - mine["missing"]).abs().max() < 1e-9


def test_routes_prefer_goods_that_do_not_come_over_sales_that_are_lost() -> None:
    """A small graph solved by hand: a supplies b and c, b supplies d, e sells to b."""
    graph = nx.MultiDiGraph()
    for supplier, buyer, good, first in (
        ("a", "b", "x", 2),
        ("b", "d", "y", 5),
        ("e", "b", "z", 6),
        ("a", "c", "x", 1),
    ):
        graph.add_edge(supplier, buyer, key=good, first=first, worst_month=first + 3)
    found = routes(graph, {"a": 0})
    assert {who: (route.nodes, route.goods, route.month) for who, route in found.items()} == {
        "a": (("a",), (), 0),
        "b": (("a", "b"), ("x",), 2),
        "c": (("a", "c"), ("x",), 1),
        "d": (("a", "b", "d"), ("x", "y"), 5),
        "e": (("a", "b", "e"), ("x", "<z"), 6),
    }
    only = routes(graph, {"a": 0}, {("a", "c", "x")})
    assert set(only) == {"a", "c"}


def test_who_sells_less_to_one_passes_no_shortfall_on_to_another() -> None:
    graph = nx.MultiDiGraph()
    for supplier, buyer, good in (("a", "b", "x"), ("s", "b", "y"), ("s", "c", "y"), ("t", "s", "z")):
        graph.add_edge(supplier, buyer, key=good, first=1, worst_month=9)
    found = routes(graph, {"a": 0})
    assert found["t"].goods == ("x", "<y", "<z")
    assert set(found) == {"a", "b", "s", "t"}


def test_an_old_shortfall_is_not_blamed_on_a_later_shock() -> None:
    graph = nx.MultiDiGraph()
    graph.add_edge("a", "b", key="x", first=10, worst_month=12)
    graph.add_edge("b", "c", key="y", first=1, worst_month=4)
    assert set(routes(graph, {"a": 10})) == {"a", "b"}


def test_shocks_of_a_scenario_are_left_out_of_its_baseline() -> None:
    world = small()
    from runs.assemble import prepare
    from runs.shocks import prepare_both

    scenario = dataclasses.replace(
        prepare(world).scenario, supply_shocks=prepare_scenario_shocks("nvidia", "0@2026-01+9")
    )
    without, with_shock = prepare_both((), scenario, "as-announced", 0, None, world)
    assert without.settled.supply_shocks == ()
    assert with_shock.settled.supply_shocks == (("nvidia", "", "", 12, 9, 0.0, 0),)
    assert without.run_id() != with_shock.run_id()


def prepare_scenario_shocks(name: str, value: str):  # type: ignore[no-untyped-def]
    from policies.reading import Problems
    from runs.supply_shocks import read_setting

    return read_setting(f"shock.{name}", value, None, None, Problems())
