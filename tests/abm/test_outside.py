"""Series that nobody controls: deterministic walks, shocks in their window, a bust that gives no warning."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.calendar import NEVER, Calendar
from abm.luck import Luck
from abm.phases.outside import SERIES, Outside, Shock
from abm.quantities import Parameters
from abm.world import World
from runs.worlds.loader import load

MONTHS = 48
EVERY = (*SERIES, "fuel_price", "efficiency", "weather_demand", "weather_renewables")


def toy(**defaults: float) -> World:
    """The toy world with other defaults, whatever their usual bounds."""
    world = load("toy")
    changed = {
        name: dataclasses.replace(world.quantities[name], default=value, low=-np.inf, high=np.inf)
        for name, value in defaults.items()
    }
    return dataclasses.replace(world, quantities={**world.quantities, **changed})


def outside(
    shocks: Sequence[Shock] = (), root: int = 0, world: World | None = None, **defaults: float
) -> Outside:
    world = world or toy(**defaults)
    return Outside(world, Parameters(world.quantities), shocks, Luck(root))


def test_the_same_root_gives_the_same_series_and_another_root_others() -> None:
    one, again, other = outside(root=3), outside(root=3), outside(root=4)
    for name in EVERY:
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    assert not np.array_equal(one.exchange_rate, other.exchange_rate)
    assert not np.array_equal(one.weather_demand, other.weather_demand)


def test_a_longer_run_meets_the_same_first_months() -> None:
    world = load("toy")
    longer = dataclasses.replace(world, calendar=Calendar(world.calendar.first, 2 * MONTHS))
    short, long = outside(), outside(world=longer)
    for name in EVERY:
        np.testing.assert_allclose(getattr(long, name)[..., :MONTHS], getattr(short, name), rtol=1e-12)


def test_another_fuel_shifts_nobodys_walk() -> None:
    world = load("toy")
    fuels, prices = world.fuels, world.fuel_prices
    added = fuels.__class__(
        "fuels",
        {
            "fuel": ["peat", *fuels.keys],
            "volatility": np.append(0.4, fuels.volatility),
            "exchange_share": np.append(0.0, fuels.exchange_share),
            "factor": ["", *fuels.factor],
        },
        "fuel",
    )
    moved = prices.replace(fuel=prices.fuel + 1)
    moved = moved.__class__(
        "fuel_prices",
        {
            "fuel": np.append(moved.fuel, 0),
            "month": np.append(moved.month, 0),
            "price": np.append(moved.price, 50.0),
        },
    )
    one = outside(
        world=dataclasses.replace(world, tables={**world.tables, "fuels": added, "fuel_prices": moved})
    )
    base = outside()
    np.testing.assert_array_equal(one.fuel_price[1:], base.fuel_price)
    np.testing.assert_array_equal(one.exchange_rate, base.exchange_rate)


def test_walks_share_as_much_as_the_correlation_says() -> None:
    def steps(loading: float, root: int) -> tuple[np.ndarray, np.ndarray]:
        one = outside(root=root, macro_correlation=loading, macro_persistence=1.0)
        return np.diff(np.log(one.exchange_rate)), np.diff(one.interest_rate)

    exchange, interest = steps(1.0, 0)
    assert np.corrcoef(exchange, interest)[0, 1] == pytest.approx(1.0)
    pooled = [np.concatenate(part) for part in zip(*(steps(0.6, root) for root in range(40)), strict=True)]
    assert np.corrcoef(*pooled)[0, 1] == pytest.approx(0.36, abs=4.0 / np.sqrt(40 * MONTHS))
    independent = [
        np.concatenate(part) for part in zip(*(steps(0.0, root) for root in range(40)), strict=True)
    ]
    assert abs(np.corrcoef(*independent)[0, 1]) < 4.0 / np.sqrt(40 * MONTHS)


def test_a_walk_has_the_yearly_volatility_asked_for() -> None:
    steps = np.concatenate(
        [np.diff(np.log(outside(root=root, macro_persistence=1.0).exchange_rate)) for root in range(40)]
    )
    assert steps.std() * np.sqrt(12.0) == pytest.approx(
        load("toy").quantities["exchange_volatility"].default, rel=0.08
    )


def test_without_volatility_rates_stand_still() -> None:
    one = outside(exchange_volatility=0.0, interest_volatility=0.0)
    assert np.ptp(one.exchange_rate) == np.ptp(one.interest_rate) == 0.0
    assert one.exchange_rate[0] == load("toy").quantities["krw_per_usd"].default


# -- shocks ----------------------------------------------------------------------------------


names = st.sampled_from([*SERIES, "fuel:gas"])


@settings(deadline=None, max_examples=60)
@given(names, st.integers(-30, 60), st.integers(0, 80), st.floats(0.2, 3.0), st.floats(-0.5, 0.5))
def test_a_shock_acts_in_its_window_on_its_series_alone(
    name: str, first: int, months: int, factor: float, add: float
) -> None:
    base, hit = outside(), outside([Shock(name, first, months, factor, add)])
    within = np.array([first <= month < first + months for month in range(MONTHS)])
    row = load("toy").fuels.row("gas")
    for series in EVERY:
        before, after = getattr(base, series), getattr(hit, series)
        if series == name:
            np.testing.assert_allclose(after, np.where(within, before * factor + add, before), rtol=1e-12)
        elif series == "fuel_price" and name == "fuel:gas":
            np.testing.assert_allclose(
                after[row], np.where(within, before[row] * factor + add, before[row]), rtol=1e-12
            )
            np.testing.assert_array_equal(np.delete(after, row, 0), np.delete(before, row, 0))
        else:
            np.testing.assert_array_equal(after, before)


def test_shocks_of_one_series_follow_each_other_in_their_order() -> None:
    double, more = Shock("country_risk", 0, 12, factor=2.0), Shock("country_risk", 6, 12, add=0.01)
    base = outside().country_risk[0]
    risk = outside([double, more]).country_risk
    assert risk[[0, 6, 12, 18]].tolist() == pytest.approx([2 * base, 2 * base + 0.01, base + 0.01, base])


def test_a_shock_that_never_ends_lasts_to_the_end() -> None:
    assert (outside([Shock("gpu_supply", 10, NEVER, factor=0.5)]).gpu_supply[10:] == 0.5).all()


def test_a_series_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match=r"no series 'weather'.*exchange_rate.*fuel:<fuel>"):
        outside([Shock("weather", 0, 12)])
    with pytest.raises(KeyError, match="peat"):
        outside([Shock("fuel:peat", 0, 12)])


# -- the bust --------------------------------------------------------------------------------


@pytest.mark.parametrize("month", [12, 20, 47])
def test_a_bust_changes_nothing_before_its_month(month: int) -> None:
    calm, bust = outside(ai_demand_bust_month=240.0), outside(ai_demand_bust_month=float(month))
    for name in EVERY:
        np.testing.assert_array_equal(getattr(bust, name)[..., :month], getattr(calm, name)[..., :month])
    assert (bust.ai_demand[month:] < calm.ai_demand[month:]).all()
    assert (bust.world_compute_price[month:] < calm.world_compute_price[month:]).all()


def test_a_bust_takes_its_depth_at_once_and_fades() -> None:
    calm = outside(ai_demand_bust_month=240.0)
    bust = outside(ai_demand_bust_month=12.0, bust_depth=0.6, bust_months=10.0)
    lost = 1.0 - bust.ai_demand / calm.ai_demand
    assert lost[12] == pytest.approx(0.6)
    assert lost[22] == pytest.approx(0.6 / np.e)
    assert (np.diff(lost[12:]) < 0.0).all()


# -- trends and fuels ------------------------------------------------------------------------


def test_growth_fades_geometrically() -> None:
    """After t years the logarithm of the level is the integral of log(1 + g) fade^s over s from 0 to t."""
    one = outside(ai_demand_growth=0.5, growth_fade=0.8)
    years = np.linspace(0.0, 3.0, 30_001)
    integral = np.trapezoid(np.log(1.5) * 0.8**years, years)
    assert np.log(one.ai_demand[36]) == pytest.approx(integral, rel=1e-6)
    assert outside(ai_demand_growth=0.5, growth_fade=1.0).ai_demand[24] == pytest.approx(1.5**2)


def test_the_last_year_of_fuel_prices_repeats_in_its_own_calendar_months() -> None:
    world = toy(macro_persistence=0.0, exchange_volatility=0.0)
    still = world.fuels.replace(volatility=np.zeros(len(world.fuels)))
    months = np.arange(-12, 0)
    prices = world.fuel_prices.__class__(
        "fuel_prices",
        {
            "fuel": np.repeat(np.arange(len(still)), 12),
            "month": np.tile(months, len(still)),
            "price": np.tile(100.0 + months, len(still)),
        },
    )
    one = outside(
        world=dataclasses.replace(world, tables={**world.tables, "fuels": still, "fuel_prices": prices})
    )
    np.testing.assert_allclose(one.fuel_price[0], np.tile(88.0 + np.arange(12), MONTHS // 12), rtol=1e-12)


def test_months_that_were_observed_carry_no_luck() -> None:
    """Prices known up to the sixth month of the run are the same under every root; from then on they wander."""
    world = load("toy")
    months = np.arange(-12, 6)
    fuels = len(world.fuels)
    prices = world.fuel_prices.__class__(
        "fuel_prices",
        {
            "fuel": np.repeat(np.arange(fuels), 18),
            "month": np.tile(months, fuels),
            "price": np.tile(100.0 + months, fuels),
        },
    )
    observed = dataclasses.replace(world, tables={**world.tables, "fuel_prices": prices})
    one, other = (outside(world=observed, root=root).fuel_price for root in (1, 2))
    np.testing.assert_allclose(one[:, :6], np.tile(100.0 + np.arange(6), (fuels, 1)), rtol=1e-12)
    np.testing.assert_array_equal(one[:, :6], other[:, :6])
    assert (one[:, 6:] != other[:, 6:]).all()


def test_only_the_fuel_a_factor_belongs_to_moves_with_it() -> None:
    world = load("toy")
    base, dear = outside(), outside(lng_price_factor=2.0)
    ratio = dear.fuel_price / base.fuel_price
    for row, factor in enumerate(world.fuels.factor):
        np.testing.assert_allclose(ratio[row], 2.0 if factor == "lng_price_factor" else 1.0, rtol=1e-12)
