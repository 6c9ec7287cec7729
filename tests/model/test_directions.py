"""Which way things go: exact with the rest frozen, as paired means over seeds with everything live."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest

from abm.calendar import NEVER
from abm.core.power import PowerCase
from abm.model import Model
from abm.phases import power as power_phase
from abm.phases.hosting import Hosting
from abm.phases.power import PowerMonth
from abm.state import AI
from abm.world import World
from agents.valuation import appraise
from tests.model import worlds
from tests.model.worlds import columns, parameters, series

ROUNDING = 1e-9


# -- dispatch, frozen ------------------------------------------------------------------------
def month_of_power(
    world: World,
    settings: Mapping[str, float] | None = None,
    *,
    month: int = 0,
    in_force: Mapping[str, float] | None = None,
    change: Callable[[Model], None] | None = None,
) -> tuple[PowerMonth, float]:
    """One month's dispatch at the start of a run, all else frozen: what it came to, and what it cost."""
    model = worlds.built(world, settings, in_force=in_force)
    if change:
        change(model)
    cost: list[float] = []
    real = power_phase.dispatch_many

    def note(cases: list[PowerCase], *args: Any, **named: Any) -> Any:
        found = real(cases, *args, **named)
        cost.append(sum(result.objective for result in found))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(power_phase, "dispatch_many", note)
        return model.power.run(month), cost[0]


@cache
def world_of(name: str) -> World:
    return worlds.toy() if name == "toy" else worlds.shortened(worlds.korea(), 24, rows=10)


both = pytest.mark.parametrize("name", ["toy", "korea"])
some_months = pytest.mark.parametrize("month", [0, 4, 7])


@both
@some_months
def test_higher_demand_lowers_no_price_neither_unserved_energy_nor_emissions(name: str, month: int) -> None:
    world = world_of(name)
    found = []
    for more in (1.0, 1.03, 1.1, 1.4):
        larger = columns(world, "days", demand_mw=world.days.demand_mw * more)
        found.append(month_of_power(larger, month=month)[0])
    for less, more_ in itertools.pairwise(found):
        assert (more_.zone_price >= less.zone_price * (1 - ROUNDING) - 1e-6).all()
        assert more_.unserved >= less.unserved - ROUNDING
        assert more_.emissions_t >= less.emissions_t * (1 - ROUNDING)


@both
@some_months
def test_dearer_gas_burns_no_more_gas(name: str, month: int) -> None:
    world = world_of(name)
    gas = np.array(
        [world.fuels.keys[fuel] in ("gas", "lng") if fuel >= 0 else False for fuel in world.technologies.fuel]
    )
    assert gas.any()
    burnt = [
        month_of_power(world, {"lng_price_factor": factor}, month=month)[0].generation[:, gas].sum()
        for factor in (0.5, 0.8, 1.0, 1.5, 3.0)
    ]
    assert (np.diff(burnt) <= ROUNDING * burnt[0]).all()


@both
@some_months
def test_a_carbon_price_raises_no_emissions(name: str, month: int) -> None:
    world = world_of(name)
    emitted = [
        month_of_power(world, in_force={"carbon_price": price}, month=month)[0].emissions_t
        for price in (0.0, 20_000.0, 50_000.0, 100_000.0, 150_000.0)
    ]
    assert (np.diff(emitted) <= ROUNDING * emitted[0]).all()


@both
@some_months
@pytest.mark.parametrize("technology", ["nuclear", "solar"])
def test_built_nuclear_and_renewables_raise_no_price(name: str, month: int, technology: str) -> None:
    world = world_of(name)
    assert technology in world.technologies
    at = world.technologies.row(technology)
    found = []
    for share in (0.0, 0.02, 0.1):

        def build(model: Model, share: float = share) -> None:
            peak = float(world.days.demand_mw.max())
            model.state.added_mw[:, at] += share * peak

        found.append(month_of_power(world, month=month, change=build)[0])
    for before, after in itertools.pairwise(found):
        assert after.price <= before.price * (1 + ROUNDING)
        assert (after.zone_price <= before.zone_price * (1 + ROUNDING) + 1e-6).all()


@both
@some_months
def test_storage_and_lines_raise_no_system_cost(name: str, month: int) -> None:
    world = world_of(name)

    def store(mw: float) -> Callable[[Model], None]:
        def build(model: Model) -> None:
            model.state.added_store_mw += mw

        return build

    with_stores = [month_of_power(world, month=month, change=store(mw))[1] for mw in (0.0, 50.0, 500.0)]
    assert (np.diff(with_stores) <= ROUNDING * abs(with_stores[0])).all()
    wider = [
        month_of_power(
            columns(
                world,
                "lines",
                forward_mw=world.lines.forward_mw * times,
                backward_mw=world.lines.backward_mw * times,
            ),
            month=month,
        )[1]
        for times in (0.5, 1.0, 2.0, 10.0)
    ]
    assert (np.diff(wider) <= ROUNDING * abs(wider[0])).all()


# -- valuation, frozen -----------------------------------------------------------------------
def appraisals(knob: str, values: tuple[float, ...], **fixed: float) -> list[float]:
    """Value over outlay of an announced site of Korea in the first month, at each value of a knob."""
    world = world_of("korea")
    ratios = []
    for value in values:
        model = worlds.built(world, {knob: value, **fixed})
        row = next(
            r
            for r in range(model.state.sites.count)
            if model.state.sites.kind[r] == AI and model.state.sites.finance[r] == 2
        )
        ratios.append(
            appraise(
                model,
                0,
                row,
                beta=1.2,
                exposure=1.0,
                premium=1.0,
                forecast=lambda years: 2000.0,
                credibility=0.5,
            ).ratio
        )
    return ratios


@pytest.mark.parametrize(
    ("knob", "values"),
    [
        ("interest_rate_shift", (-0.02, 0.0, 0.02, 0.05)),
        ("country_risk_premium", (0.0, 0.01, 0.03, 0.08)),
        ("gpu_price_factor", (0.5, 1.0, 1.5, 2.0)),
        ("site_cost_factor", (0.7, 1.0, 1.3, 1.6)),
        ("krw_per_usd", (1100.0, 1420.0, 1900.0)),
    ],
)
def test_what_costs_more_is_worth_no_more(knob: str, values: tuple[float, ...]) -> None:
    ratios = appraisals(knob, values)
    assert (np.diff(ratios) < 0.0).all(), ratios


@pytest.mark.parametrize(
    ("lever", "values"),
    [
        ("tax_credit", (0.0, 0.1, 0.35)),
        ("gpu_subsidy", (0.0, 0.2, 0.5)),
        ("guarantee_share", (0.0, 0.3, 0.6)),
    ],
)
def test_support_makes_a_site_worth_no_less(lever: str, values: tuple[float, ...]) -> None:
    world = world_of("korea")
    ratios = []
    for value in values:
        model = worlds.built(world, in_force={lever: value})
        row = next(
            r
            for r in range(model.state.sites.count)
            if model.state.sites.kind[r] == AI and model.state.sites.finance[r] == 2
        )
        ratios.append(
            appraise(
                model,
                0,
                row,
                beta=1.2,
                exposure=1.0,
                premium=1.0,
                forecast=lambda years: 2000.0,
                credibility=0.5,
            ).ratio
        )
    assert (np.diff(ratios) >= -ROUNDING).all(), ratios


# -- hosting, frozen -------------------------------------------------------------------------
def hosted(openness: float = 0.5, risk: float = 1.0, carbon: float = 400.0, room: float = 1e6) -> Hosting:
    """Who hosts what in the second month, after a first month that is the same for all."""
    model = worlds.built(world_of("korea"), shocks=[("country_risk", 1, 1, risk, 0.0)])
    model.carbon_kg_mwh = 400.0
    model.hosting.run(model, 0, room)
    lead = model.board.levers["data_openness"].lead_months
    model.board.enact("data_openness", openness, 1 - lead, "test")
    model.carbon_kg_mwh = carbon
    model.hosting.run(model, 1, room)
    return model.hosting


def test_open_data_lowers_no_hosted_share() -> None:
    shares = [hosted(openness=value).home_share for value in (0.0, 0.3, 0.5, 0.8, 1.0)]
    assert (np.diff(shares) > 0.0).all(), shares


def test_risk_and_carbon_raise_no_hosted_share() -> None:
    risky = [hosted(risk=value).home_share for value in (0.0, 1.0, 5.0)]
    dirty = [hosted(carbon=value).home_share for value in (0.0, 200.0, 800.0)]
    assert (np.diff(risky) < 0.0).all(), risky
    assert (np.diff(dirty) < 0.0).all(), dirty


@pytest.mark.parametrize("room", [0.0, 5.0, 1e6])
def test_demand_of_the_region_is_hosted_once_and_where_there_is_room(room: float) -> None:
    found = hosted(room=room)
    assert 0.0 < found.hosted.sum() <= found.demand * (1 + ROUNDING)
    assert found.hosted[found.home] <= room * (1 + ROUNDING)


# -- everything live -------------------------------------------------------------------------
def final(model: Model, name: str) -> float:
    return float(series(model, name)[-1])


def paired(
    world: World,
    name: str,
    low: Mapping[str, float],
    high: Mapping[str, float],
    seeds: range,
    measure: Callable[[Model], float] | None = None,
    **options: Any,
) -> np.ndarray:
    """``high`` less ``low``, seed by seed: the same luck, another setting."""
    read = measure or (lambda model: final(model, name))
    return np.array(
        [
            read(worlds.run(world, high, seed=seed, **options))
            - read(worlds.run(world, low, seed=seed, **options))
            for seed in seeds
        ]
    )


SEEDS = range(8)
MANY = range(6)


@cache
def lively() -> World:
    """The toy world with enough demand for its sites to be a close call."""
    return parameters(worlds.toy(), industry_need=40_000.0, export_cap_gpus=1e9)


@cache
def korea_live() -> World:
    return worlds.shortened(worlds.korea(), 1000, rows=60)


def test_dearer_money_commits_no_more_capital_and_lowers_no_debt() -> None:
    low, high = {"interest_rate_shift": -0.02}, {"interest_rate_shift": 0.05}
    assert paired(lively(), "capital_committed_krw", low, high, SEEDS).mean() <= 0.0
    assert paired(lively(), "utility_debt_krw", low, high, SEEDS).mean() >= 0.0


def test_interest_on_what_the_utility_owes_rises_with_the_rate() -> None:
    """Frozen: nothing but interest is different after a month."""
    owed = [
        final(worlds.run(worlds.toy(), {"interest_rate_shift": shift}, months=1), "utility_debt_krw")
        for shift in (-0.02, 0.0, 0.02, 0.05)
    ]
    assert (np.diff(owed) > 0.0).all()


def test_higher_country_risk_deploys_no_more_foreign_capital() -> None:
    low, high = {"country_risk_premium": 0.0}, {"country_risk_premium": 0.08}
    assert paired(lively(), "capital_deployed_krw.fund", low, high, SEEDS).mean() <= 0.0


@pytest.mark.parametrize(
    ("knob", "less", "more"), [("gpu_supply_factor", 0.3, 2.0), ("gpu_price_factor", 2.0, 0.5)]
)
def test_scarcer_or_dearer_accelerators_put_no_more_online(knob: str, less: float, more: float) -> None:
    assert (paired(lively(), "gpus_online", {knob: less}, {knob: more}, SEEDS)).mean() >= 0.0


def opening_months(model: Model) -> np.ndarray:
    sites = model.state.sites
    opened = sites.step["energised"][: sites.announced_rows].astype(float)
    return np.where(opened == NEVER, 10_000.0, opened)


@pytest.mark.parametrize(
    ("knob", "short", "long"),
    [
        ("line_delay_months", -12.0, 60.0),
        ("permit_delay_months", -6.0, 36.0),
        ("permit_delay_months", 0.0, 12.0),
    ],
)
def test_longer_delays_of_lines_or_permits_energise_nothing_earlier(
    knob: str, short: float, long: float
) -> None:
    for seed in SEEDS:
        quick, slow = (
            opening_months(worlds.run(lively(), {knob: value}, seed=seed)) for value in (short, long)
        )
        assert (slow >= quick).all(), seed


def test_a_line_that_comes_later_never_serves_earlier() -> None:
    """Frozen: each planned line's remaining work rises with the delay, whatever its own slip."""
    world = world_of("korea")
    left = [
        worlds.built(world, {"line_delay_months": value}).state.line_left
        for value in (-12.0, 0.0, 24.0, 60.0)
    ]
    for earlier, later in itertools.pairwise(left):
        assert (later >= earlier).all()


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "knob", "low", "high", "sign"),
    [
        ("capital_committed_krw", "interest_rate_shift", -0.02, 0.05, -1),
        ("kepco_debt_krw", "interest_rate_shift", -0.02, 0.05, +1),
        ("foreign", "country_risk_premium", 0.0, 0.08, -1),
        ("gpus_online", "gpu_supply_factor", 0.3, 2.0, +1),
        ("gpus_online", "gpu_price_factor", 0.5, 2.0, -1),
        ("gpus_online", "export_cap_gpus", 20_000.0, 1_000_000.0, +1),
        ("opened", "line_delay_months", -12.0, 60.0, +1),
        ("opened", "permit_delay_months", -6.0, 36.0, +1),
        ("apac_share", "data_openness", 0.0, 1.0, +1),
        ("npu_share", "npu_preference", 0.0, 0.8, +1),
        ("emissions", "carbon_price", 0.0, 150_000.0, -1),
        ("kepco_debt_krw", "tariff_adjustment", -30.0, 60.0, -1),
        ("talent_stock", "talent_outflow", 0.0, 0.15, -1),
        ("power_price_krw_per_mwh", "nuclear_extension_gw", 0.0, 10.0, -1),
    ],
)
def test_korea_goes_the_expected_way(name: str, knob: str, low: float, high: float, sign: int) -> None:
    """Paired means over seeds, the rest live, under the announced package."""
    world = korea_live()
    foreign = [who for row, who in enumerate(world.cast.keys) if world.cast.foreign[row]]

    def measure(model: Model) -> float:
        if name == "foreign":
            return sum(model.deployed_by.get(who, 0.0) for who in foreign)
        if name == "opened":
            return float(np.minimum(opening_months(model), model.calendar.months).sum())
        if name == "emissions":
            return float(model.emissions_total)
        return float(np.nanmean(series(model, name)[-24:]))

    found = paired(world, name, {knob: low}, {knob: high}, MANY, measure, package="as-announced")
    assert sign * found.mean() >= -ROUNDING * np.abs(found).max(), found


def test_preference_for_home_processors_lowers_no_share_of_theirs() -> None:
    world = worlds.shortened(worlds.korea(), 60, rows=60)
    for seed in range(2):
        none, most = (
            worlds.run(world, {"npu_preference": value, "state_gpu_purchases": 20_000.0}, seed=seed)
            for value in (0.0, 0.8)
        )
        assert final(most, "npu_share") >= final(none, "npu_share")


def test_open_data_lowers_no_hosted_share_with_everything_live() -> None:
    world = worlds.shortened(worlds.korea(), 60, rows=60)
    shares = paired(
        world, "apac_share", {"data_openness": 0.0}, {"data_openness": 1.0}, range(3), package="as-announced"
    )
    assert shares.mean() >= 0.0
