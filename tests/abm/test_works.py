"""What sites need from home makers: conserved, shared by the stated rule, late where a shock makes it late."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from abm.core.allocate import ration
from abm.model import Model
from abm.state import AI, DECIDED
from abm.works import GOODS
from abm.world import World
from tests.model import worlds

CREWS = GOODS.index("construction")


@cache
def korea() -> World:
    return worlds.shortened(worlds.korea(), 36, rows=60)


def built(world: World | None = None, **settings: str) -> Model:
    named = {f"shock.{who}": text for who, text in settings.items()}
    return worlds.built(world or korea(), named, package="as-announced")


def test_equipment_at_sites_is_what_makers_delivered() -> None:
    model = built()
    before = float(model.state.sites.equipment.sum())
    for _ in range(36):
        model.step()
    delivered = model.ledger.balance("power-equipment at sites", "mw")
    assert delivered > 0.0
    assert float(model.state.sites.equipment.sum()) - before == pytest.approx(delivered, rel=1e-12)
    flows = model.supply.flow[:, model.supply.out_of("power-equipment", "power-equipment")].sum()
    assert flows <= delivered + 1e-6, "the graph has no edges to chip plants"


def test_crews_are_shared_by_the_water_level() -> None:
    """Each month's crews against one call of the reference, weights the megawatts of AI sites."""
    model = built()
    scarce = 0
    for _ in range(36):
        model.step()
        works = model.works
        asked, output = works.asked[CREWS], float(works.network.capacity[works.of_good[CREWS][0]])
        if not asked.any():
            continue
        flows = ration(asked, output, weights=works.weight[CREWS])
        edges = model.supply.out_of("builders", "construction")
        month = model.month - 1
        owners = model.state.sites.owner
        for edge in edges:
            mine = owners == model.supply.buyer[edge]
            assert model.supply.flow[month, edge] == pytest.approx(float(flows.granted[mine].sum()), abs=1e-9)
        scarce += asked.sum() > output
    assert scarce > 0, "otherwise this shows nothing"


def test_a_site_is_told_what_it_lacks_and_whose_shock_it_was() -> None:
    model = built(builders="0@2026-01+6")
    for _ in range(24):
        model.step()
    slow = [d for d in model.decisions.records if d.verb == "slow"]
    assert any(d.bound == "crews (shock at builders)" and 12 <= d.month < 18 for d in slow)
    assert all("shock" not in d.bound for d in slow if d.month < 12 or d.month >= 18)


def test_without_crews_nothing_is_built_and_the_other_months_make_up_for_it() -> None:
    calm, shocked = built(), built(builders="0@2026-01+6")
    for model in (calm, shocked):
        for _ in range(12):
            model.step()
    rows = np.flatnonzero((calm.state.sites.status == DECIDED) & (calm.state.sites.kind == AI))
    stood = shocked.state.sites.built[rows].copy()
    for _ in range(6):
        shocked.step()
    assert np.array_equal(shocked.state.sites.built[rows], stood)
    shocked.step()
    assert shocked.state.sites.built[rows].sum() > stood.sum()


def test_late_cooling_waits_for_nobody_and_is_not_lost() -> None:
    model = built(cooling="delay:5@2026-01+3")
    late = 0.0
    for _ in range(36):
        model.step()
        works = model.works
        on_way = float(works.on_way[GOODS.index("cooling")].sum())
        assert model.ledger.balance("works in transit", "mw") == pytest.approx(
            float(works.state.pipeline.sum()), abs=1e-9
        )
        assert on_way == pytest.approx(float(works.state.pipeline.sum()), abs=1e-6)
        late = max(late, on_way)
    assert late > 0.0
    assert model.works.on_way.sum() == pytest.approx(0.0, abs=1e-6)


def test_first_come_serves_the_site_that_was_decided_first() -> None:
    table = korea().rationing
    rules = tuple(
        "first-come" if korea().goods.keys[good] == "construction" else rule
        for good, rule in zip(table.good, table.rule, strict=True)
    )
    model = built(worlds.columns(korea(), "rationing", rule=rules))
    seen = 0
    for _ in range(36):
        model.step()
        works, sites = model.works, model.state.sites
        asked = works.asked[CREWS]
        rows = np.flatnonzero(asked > 0.0)
        bound = works.bound[CREWS][rows] > 0
        decided = sites.step["decided"][rows]
        if bound.any() and not bound.all():
            # Who is served in full was decided no later than anybody who is not.
            assert decided[~bound].max() <= decided[bound].min()
            seen += 1
    assert seen > 0
