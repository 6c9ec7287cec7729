"""The graph of memory and accelerators inside the model: what is asked, made, shared, delivered, and why not more."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abm.chip_graph import Made, Source
from abm.core.allocate import RULES, ration
from abm.model import Model
from abm.world import World
from tests.model import worlds

MONTHS = 36


@cache
def korea(**changed: float) -> World:
    return worlds.parameters(worlds.shortened(worlds.korea(), MONTHS, rows=60), **changed)


def ruled(world: World, supplier: str, good: str, rule: str) -> World:
    """``world`` in which one supplier rations by another rule."""
    table = world.rationing
    rows = [
        rule if (world.cast.keys[who], world.goods.keys[what]) == (supplier, good) else old
        for who, what, old in zip(table.supplier, table.good, table.rule, strict=True)
    ]
    return worlds.columns(world, "rationing", rule=tuple(rows))


def stepped(world: World, months: int, **options: Any) -> Model:
    return worlds.run(world, months=months, package="as-announced", **options)


def test_what_is_on_its_way_is_in_the_books_and_in_the_arrays() -> None:
    model = worlds.built(korea(), package="as-announced")
    for _ in range(MONTHS):
        model.step()
        assert model.chips.on_the_way() == pytest.approx(
            float(model.state.ordered.sum()), rel=1e-12, abs=1e-6
        )
        backlog = model.chips.state.backlog[model.chips.graph.first_site :].reshape(
            len(model.chips.makers), -1
        )
        assert np.array_equal(model.state.wanted, backlog.T)


def test_every_gigabyte_is_made_sold_kept_or_built_in() -> None:
    model = stepped(korea(), MONTHS, settings={"domestic_hbm_reserve": 0.2})
    ledger, chips = model.ledger, model.chips
    names = ["hbm abroad", "hbm in transit", "hbm reserve", "hbm built in", "hbm makers", "opening"]
    names += [f"hbm of {maker}" for maker in chips.makers]
    total = sum(ledger.balance(name, "hbm") for name in names)
    assert total == pytest.approx(0.0, abs=1e-9 * ledger.balance("hbm abroad", "hbm"))
    assert ledger.balance("hbm reserve", "hbm") > 0.0, "what home chips do not need stays in the reserve"
    assert ledger.balance("hbm built in", "hbm") > 0.0


def test_memory_limits_accelerators_after_its_lead_time() -> None:
    """With a tenth of the memory the leader makes a tenth of what its packaging could."""
    model = stepped(korea(hbm_supply_factor=0.1), 24)
    chips = model.chips
    leader = chips.makers.index(model.leading_maker)
    flows = chips.flows
    assert flows is not None
    made = float(flows.made[chips.graph.maker[leader]])
    assert made < 0.5 * model.agent_of[model.leading_maker].plans(23, 1)[0]
    assert made * chips._per_unit[leader] == pytest.approx(float(flows.used[leader]))
    assert chips.memory.sold_out


def test_licences_cap_what_comes_from_abroad_by_quarter() -> None:
    model = worlds.built(korea(), {"export_cap_gpus": 8_000.0}, package="as-announced")
    seen = 0.0
    for month in range(MONTHS):
        model.step()
        if month % 3 == 2:
            assert model.imported_total - seen <= 2_000.0 * (1.0 + 1e-9)
            seen = model.imported_total
    assert seen > 10_000.0
    assert any(d.verb == "allocate" and d.bound == "export licence" for d in model.decisions.records)


def test_the_log_says_of_every_site_why_it_got_less() -> None:
    model = stepped(korea(), MONTHS)
    sites = set(model.state.sites.key)
    log = [d for d in model.decisions.records if d.verb == "allocate"]
    assert log
    for decision in log:
        assert decision.subject in sites
        assert decision.who in model.makers
        assert decision.granted < decision.amount
        assert decision.bound
    assert {"world allocation"} <= {d.bound for d in log}


def test_the_leaders_share_for_home_is_the_water_level_of_its_orders() -> None:
    """Held against one call of the reference, month by month."""
    model = worlds.built(korea(), package="as-announced")
    leader = model.leading_maker
    column = model.makers[leader]
    for _ in range(18):
        model.step()
        chips, flows = model.chips, model.chips.flows
        assert flows is not None
        edges = [chips.graph.to_desk[column], *chips.graph.to_rivals[column], chips.graph.to_world[column]]
        asked, weights = flows.asked[edges], chips._weight[edges]
        reference = ration(asked, float(flows.made[chips.graph.maker[column]]), weights=weights)
        assert flows.granted[edges] == pytest.approx(reference.granted, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_closes_the_books_and_gives_no_more_than_is_asked(rule: str) -> None:
    world = korea(gpu_supply_factor=0.4)
    for supplier, good in (
        ("nvidia", "gpu"),
        ("npu-makers", "npu"),
        ("sk-hynix", "hbm"),
        ("builders", "construction"),
        ("power-equipment", "power-equipment"),
    ):
        world = ruled(world, supplier, good, rule)
    model = worlds.built(world, package="as-announced")
    for _ in range(MONTHS):
        model.step()
        flows = model.chips.flows
        assert flows is not None
        assert (flows.granted <= flows.asked * (1.0 + 1e-12) + 1e-9).all()
        assert max(model.ledger.worst.values()) < 1e-9
    assert model.delivered_by[model.leading_maker] > 0.0


def test_the_rule_decides_who_is_served_first() -> None:
    """Under first come an early small order is served in full before a late large one; proportionally both get a part."""

    def granted(rule: str) -> tuple[float, float]:
        world = korea(gpu_supply_factor=0.3)
        model = worlds.built(ruled(world, "nvidia", "gpu", rule), package="as-announced")
        model.chips.deposit_share = [0.0] * len(model.makers)
        early, late = _two_rows(model)
        for row, month in ((early, 0), (late, 1)):
            model.chips.place(month, row, _nvidia(model, row), 50_000.0, public=False)
            _month_of_chips(model, month)
        return (50_000.0 - model.state.wanted[early, 0], 50_000.0 - model.state.wanted[late, 0])

    first, second = granted("first-come")
    assert second == 0.0
    assert first > 0.0
    first, second = granted("proportional")
    assert min(first, second) > 0.0


def test_priority_serves_the_better_class_first() -> None:
    world = ruled(korea(gpu_supply_factor=0.3), "nvidia", "gpu", "priority")
    model = worlds.built(world, package="as-announced")
    one, other = _two_rows(model)
    buyer = model.owner_key(other)
    edge = model.supply.edge("nvidia", buyer, "gpu")
    model.supply.priority[:] = 5
    model.supply.priority[edge] = 1
    for row in (one, other):
        model.chips.place(0, row, _nvidia(model, row), 50_000.0, public=False)
    _month_of_chips(model, 0)
    assert model.state.wanted[one, 0] == 50_000.0
    assert model.state.wanted[other, 0] < 50_000.0


def _nvidia(model: Model, row: int) -> Source:
    """What supplies a site's owner with accelerators of the leader."""
    column = model.makers["nvidia"]
    return next(
        source for source in model.chips.sources(model.owner_key(row), "gpu") if source.column == column
    )


def _two_rows(model: Model) -> tuple[int, int]:
    """Sites of two different private owners."""
    rows = [
        row
        for row in range(model.state.sites.count)
        if model.supply.edge("nvidia", model.owner_key(row), "gpu")
    ]
    first = rows[0]
    return first, next(row for row in rows if model.owner_key(row) != model.owner_key(first))


def _month_of_chips(model: Model, month: int) -> None:
    agent = model.agent_of["nvidia"]
    intent = next(iter(agent.act("supply", month)))
    values = intent.values
    made = {"nvidia": Made(intent.amount, values["abroad"], values["home_weight"], values["rival_weight"])}
    use = {"nvidia": agent.memory_uses(month, 4)[3]}
    sold = {who: (1e9, 0.0) for who in model.chips.graph.memory}
    model.chips.month(month, sold, use, made, 1e12)


def test_deposits_come_back_with_the_machines() -> None:
    model = worlds.built(korea(), package="as-announced")
    paid = 0.0
    for _ in range(MONTHS):
        model.step()
        held = model.ledger.balance("chip deposits", "money")
        paid = max(paid, held)
        assert held == pytest.approx(float(model.chips.deposit.sum()), rel=1e-12, abs=1.0)
        waiting = (model.state.wanted.sum(axis=1) + model.state.ordered) > 0.0
        assert not (model.chip_deposits[~waiting] > 1.0).any(), "no deposit without an open order"
    assert paid > 0.0


def test_deposits_move_what_owners_count() -> None:
    """They tie capital up, so some owner's objective differs in some month."""
    world = worlds.shortened(worlds.korea(), 96, rows=60)
    free = worlds.columns(world, "rationing", deposit=0.0)
    with_them, without = (
        worlds.run(one, package="as-announced", settings={"announcement_realisation": 1.0})
        for one in (world, free)
    )
    name = "stakeholder_score.samsung"
    assert worlds.series(with_them, name)[:80].sum() != worlds.series(without, name)[:80].sum()


PROFILE = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=8, **PROFILE)
@given(
    who=st.sampled_from(["nvidia", "sk-hynix", "micron", "amd", "npu-makers", "cooling", "builders", "power-equipment"]),
    factor=st.floats(0.0, 1.0), delay=st.integers(0, 9), start=st.integers(0, 20), months=st.integers(1, 12),
)  # fmt: skip
def test_books_close_under_any_shock(who: str, factor: float, delay: int, start: int, months: int) -> None:
    text = f"{factor},delay:{delay}@{2025 + start // 12}-{start % 12 + 1:02d}+{months}"
    model = worlds.built(korea(), {f"shock.{who}": text}, package="as-announced")
    for _ in range(30):
        model.step()
        assert max(model.ledger.worst.values()) < 1e-9
        for array in (
            model.state.wanted,
            model.state.ordered,
            model.chips.state.input_stock,
            model.works.stock,
        ):
            assert (array >= -1e-6).all()


def test_sites_announced_during_a_run_are_served_as_well() -> None:
    model = worlds.run(worlds.korea(), package="open-hub")
    count, graph = model.state.sites.count, model.chips.graph
    assert count > model.state.sites.announced_rows, "otherwise this shows nothing"
    assert graph.network.out.size == graph.first_site + len(graph.makers) * count
    assert model.works.network.out.size == len(model.works.makers) * count
    late = slice(model.state.sites.announced_rows, count)
    assert (model.state.chips[late].sum(axis=1) > 0.0).any(), "some have machines at the end"
