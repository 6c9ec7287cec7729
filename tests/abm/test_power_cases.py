"""Power cases of a month: what worlds share, and where a run's first solves start from."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.power import dispatch
from abm.phases import power_cases
from abm.quantities import Parameters
from abm.world import World
from tests.model import worlds


@pytest.fixture(scope="module")
def korea() -> World:
    return worlds.shortened(worlds.korea(), 14)


def test_day_cases_are_made_once_for_the_same_tables(korea: World) -> None:
    made = power_cases.cases_of(korea)
    assert power_cases.cases_of(korea) is made
    other = worlds.built(korea, settings={"transfer_limit_factor": 0.6}, seed=1)
    assert worlds.built(korea, seed=2).power.cases is other.power.cases is made
    # Other defaults are another world, and so are other tables.
    assert power_cases.cases_of(worlds.parameters(korea, lost_load_value=2e7)) is not made
    assert power_cases.cases_of(worlds.shortened(worlds.korea(), 14)) is not made


def test_first_solves_do_not_depend_on_what_the_process_did_before(korea: World) -> None:
    power_cases._made.clear()
    first = worlds.run(korea, seed=3)
    worlds.run(korea, settings={"transfer_limit_factor": 0.6}, seed=9)
    again = worlds.run(korea, seed=3)
    power_cases._made.clear()
    afresh = worlds.run(korea, settings={"transfer_limit_factor": 0.6}, seed=9)
    assert first.recorder.values.tobytes() == again.recorder.values.tobytes()
    other = worlds.run(korea, settings={"transfer_limit_factor": 0.6}, seed=9)
    assert afresh.recorder.values.tobytes() == other.recorder.values.tobytes()


def test_the_first_year_starts_from_the_opening_world(korea: World) -> None:
    """Its bases are of the cases' shape, and spare most pivots of a cold start."""
    cases = power_cases.cases_of(korea)
    model = worlds.built(korea, seed=3)
    month = cases.month(model.power.situation(0), model.parameters)
    bases = cases.opening_bases()
    pivots = np.zeros(2)
    for kind, days in enumerate((month.zonal, month.single)):
        cold, warm = dispatch(days[0]), dispatch(days[0], bases[kind, 0][0])
        assert warm.objective == pytest.approx(cold.objective, rel=1e-12)
        pivots += cold.pivots, warm.pivots
    assert pivots[1] < 0.5 * pivots[0]


def test_a_months_cases_add_up(korea: World) -> None:
    """The one-node case is the sum of the zones; what must run and the rest are the technology's capacity."""
    model = worlds.built(korea, seed=3)
    cases, now = model.power.cases, model.power.situation(0)
    month = cases.month(now, model.parameters)
    for zonal, single, by_tech in zip(month.zonal, month.single, month.by_tech, strict=True):
        assert single.demand_mw[0] == pytest.approx(zonal.demand_mw.sum(0))
        assert single.capacity_mw[0] == pytest.approx(zonal.capacity_mw.sum(0))
        together = np.zeros_like(by_tech)
        for segment, tech in enumerate(cases.segment_tech):
            together[:, tech] += zonal.capacity_mw[:, segment]
        assert together == pytest.approx(by_tech)
        assert (zonal.shed_mw.sum(1) == pytest.approx(zonal.demand_mw)) is True


def test_an_availability_of_the_run_replaces_the_tables(korea: World) -> None:
    cases = power_cases.cases_of(korea)
    usual = cases.mean_availability(Parameters(korea.quantities))
    set_to = cases.mean_availability(Parameters(korea.quantities, {"nuclear_availability": 0.7}))
    nuclear = korea.technologies.keys.index("nuclear")
    assert set_to[nuclear] == 0.7
    assert np.array_equal(np.delete(usual, nuclear), np.delete(set_to, nuclear))
