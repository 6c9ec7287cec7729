"""Loss-of-load expectation: forced outages convolved exactly on the grid of megawatts."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.energy.readout import lost_hours as hours_lost
from abm.phases.adequacy import STEP_MW, ThermalFleet

Fleet = list[tuple[int, float, float]]


def lost_hours(
    fleet: Fleet,
    load: list[float],
    weight: float = 1.0,
    weather: float = 0.0,
    store: tuple[float, float] = (0.0, 0.0),
) -> float:
    """Expected lost hours of a day of ``load``; forced outages are all that keeps a unit off."""
    thermal = [(at, unit, rate) for at, (_, unit, rate) in enumerate(fleet)]
    available = [units * unit * (1.0 - rate) for units, unit, rate in fleet] + [weather]
    reserve = min(store[0], store[1] / 4.0)
    firm, beyond = ThermalFleet(thermal).of(np.array([available]))
    return weight * hours_lost(weather - np.array(load), reserve + firm, beyond, STEP_MW)


def by_enumeration(fleet: Fleet, load: float) -> float:
    """Chance that the units left cannot carry the load, over every state of every unit."""
    units = [(unit, rate) for count, unit, rate in fleet for _ in range(count)]
    chance = 0.0
    for state in itertools.product((False, True), repeat=len(units)):
        left = sum(unit for (unit, _), out in zip(units, state, strict=True) if not out)
        if left < load:
            chance += math.prod(
                rate if out else 1.0 - rate for (_, rate), out in zip(units, state, strict=True)
            )
    return chance


@pytest.mark.parametrize(("load", "expected"), [(50.0, 0.01), (150.0, 0.19), (250.0, 1.0)])
def test_two_alike_units_by_hand(load: float, expected: float) -> None:
    """Two units of 100 MW, each out one hour in ten: both are out in 0.01, at least one in 0.19 of hours."""
    assert lost_hours([(2, 100.0, 0.1)], [load]) == pytest.approx(expected, rel=1e-9)


fleets = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([100.0, 200.0, 300.0, 500.0]), st.floats(0.005, 0.1)),
    min_size=1,
    max_size=3,
)


@settings(max_examples=60, deadline=None)
@given(fleets)
def test_equals_the_enumeration_of_every_state(fleet: Fleet) -> None:
    installed = sum(units * unit for units, unit, _ in fleet)
    loads = [load - 50.0 for load in np.arange(100.0, installed + 200.0, 100.0)]
    expected = [by_enumeration(fleet, load) for load in loads]
    found = [lost_hours(fleet, [load]) for load in loads]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-11)


def test_hours_of_the_day_and_days_of_the_month_add_up() -> None:
    fleet = [(2, 100.0, 0.1)]
    assert lost_hours(fleet, [50.0, 150.0, 250.0], weight=10.0) == pytest.approx(10.0 * 1.2, rel=1e-9)


@settings(deadline=None)
@given(fleets, st.floats(0.0, 3000.0), st.floats(0.0, 500.0))
def test_more_load_never_loses_fewer_hours_and_wind_never_more(
    fleet: Fleet, load: float, extra: float
) -> None:
    base = lost_hours(fleet, [load])
    assert 0.0 <= base <= 1.0
    assert lost_hours(fleet, [load + extra]) >= base
    assert lost_hours(fleet, [load], weather=extra) <= base


def test_weather_driven_power_and_stores_each_stand_in_for_a_unit() -> None:
    fleet = [(2, 100.0, 0.1)]
    assert lost_hours(fleet, [150.0], weather=100.0) == pytest.approx(0.01, rel=1e-9)
    assert lost_hours(fleet, [150.0], store=(100.0, 400.0)) == pytest.approx(0.01, rel=1e-9)


def test_a_store_counts_for_no_more_than_it_can_hold_for_four_hours() -> None:
    fleet = [(2, 100.0, 0.1)]
    assert lost_hours(fleet, [150.0], store=(100.0, 0.0)) == pytest.approx(0.19, rel=1e-9)
    assert lost_hours(fleet, [150.0], store=(1000.0, 100.0)) == pytest.approx(0.19, rel=1e-9)


def test_a_fleet_that_never_fails_loses_load_only_when_it_is_too_small() -> None:
    fleet = [(3, 100.0, 0.0)]
    assert lost_hours(fleet, [299.0]) == 0.0
    assert lost_hours(fleet, [301.0]) == 1.0


def test_many_small_units_are_safer_than_one_large_one() -> None:
    assert lost_hours([(10, 100.0, 0.05)], [750.0]) < lost_hours([(1, 1000.0, 0.05)], [750.0])


def test_without_thermal_plant_nothing_is_firm() -> None:
    firm, beyond = ThermalFleet([]).of(np.array([[100.0]]))
    assert firm == 0.0
    assert (beyond == 0.0).all()


def test_a_fleet_is_counted_in_all_zones_and_its_outages_are_added_back() -> None:
    thermal = [(2, 100.0, 0.1), (0, 250.0, 0.0)]
    available = np.array([[300.0, 9.0, 50.0], [210.0, 9.0, 110.0]])
    firm, beyond = ThermalFleet(thermal).of(available)
    assert firm == pytest.approx(510.0 + 160.0 + 2 * 100.0 * 0.1)  # 1.6 units are two
    _, of_two = ThermalFleet([(0, 100.0, 0.1)]).of(np.array([[180.0]]))
    assert beyond == pytest.approx(of_two)


def test_another_number_of_units_has_other_outages() -> None:
    fleet = ThermalFleet([(0, 100.0, 0.1)])
    few, many, again = (fleet.of(np.array([[mw]]))[1] for mw in (180.0, 360.0, 180.0))
    assert len(many) > len(few)
    assert again is few
