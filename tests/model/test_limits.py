"""Exact limits: worlds simple enough that one knows what must come out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from abm.calendar import NEVER
from abm.core.power import PowerCase, dispatch
from abm.model import Model
from abm.phases import power as power_phase
from abm.schema import BY_NAME
from abm.state import DECIDED, ENERGISED
from abm.world import World
from agents.startups import StartupGroup
from policies.catalogue import catalogue
from policies.package import FROM_START, Package
from policies.trigger import Trigger
from runs.assemble import Prepared
from runs.scenario import load_package
from tests.model import worlds
from tests.model.worlds import columns, differing, parameters, run, series, traits

POWER = (
    "power_price",
    "unserved",
    "curtailed",
    "renewable_share",
    "emissions",
    "peak",
    "lole",
    "congestion",
    "generation",
    "zone_price",
)
"""Indicators, by how their names begin, that dispatch alone decides."""


def power_names(model: Model) -> list[str]:
    return [name for name in worlds.names_of(model) if name.startswith(POWER)]


# -- no AI -----------------------------------------------------------------------------------
def test_without_ai_demand_and_announcements_nothing_is_built_and_power_is_that_of_a_world_without_ai() -> (
    None
):
    world = parameters(worlds.toy(), industry_need=0.0, research_need=0.0)
    world = traits(world, platform__own_need=0.0)
    nothing_announced = worlds.rows_of(world, "sites", lambda row: world.sites.status[row] == "operating")
    nothing_announced = columns(nothing_announced, "sites", anchor=0.0)  # a contract would be demand
    kept = run(nothing_announced)
    assert kept.state.sites.count == 1, "no site was originated"
    assert kept.committed_total == 0.0
    unbuilt = worlds.rows_of(world, "sites", lambda row: False)
    with_cast = run(unbuilt)
    assert with_cast.state.sites.count == 0
    nobody = worlds.rows_of(
        unbuilt, "cast", lambda row: world.cast.kind[row] in ("government", "grid-utility")
    )
    without_ai = run(
        worlds.added(
            nobody,
            "vintages",
            vintage=["v"],
            maker=[0],
            available=[-1],
            h100e=[1.0],
            kw=[1.0],
            price_usd=[1.0],
            hbm_gb=[0.0],
        )
    )
    names = [name for name in power_names(with_cast)]
    assert len(names) >= 10
    assert not differing(with_cast, without_ai, names)


def test_without_firms_their_shares_are_undefined_and_all_else_equals_firms_without_demand() -> None:
    world = worlds.toy()
    none = run(world)
    for name in ("startup_served_share", "startups_alive"):
        assert np.isnan(series(none, name)).all(), name
        assert none.recorder.final(name) is None
    row = len(world.cast)
    silent = worlds.added(
        world, "cast", who=["firms"], name=["Firms"], kind=["startups"], zone=[0], objective=["firms"]
    )
    numbers = {
        "firms": 100.0,
        "entry_year": 0.1,
        "need_h100e": 0.0,
        "spread": 0.5,
        "runway": 1e9,
        "burn_month": 1e6,
        "quality": 1.0,
    }
    units = [unit.replace("currency", world.currency) for unit in StartupGroup.TRAITS.values()]
    silent = worlds.added(
        silent,
        "traits",
        who=[row] * len(numbers),
        trait=list(numbers),
        unit=units,
        value=list(numbers.values()),
    )
    quiet = run(silent)
    assert np.isnan(series(quiet, "startup_served_share")).all(), "no need, no share"
    assert (series(quiet, "startups_alive") > 0.0).all()
    assert not differing(none, quiet, worlds.names_of(none, "startup"))


# -- lines -----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["toy", "korea"])
def test_infinite_free_lines_give_one_price_equal_to_the_one_node_solve(name: str) -> None:
    world = worlds.toy() if name == "toy" else worlds.shortened(worlds.korea(), 12, rows=10)
    existing = ("existing",) * len(world.lines)
    free = run(columns(world, "lines", forward_mw=np.inf, backward_mw=np.inf, status=existing))
    prices = np.array([series(free, f"zone_price_krw_per_mwh.{zone}") for zone in world.zones.keys])
    system = series(free, "power_price_krw_per_mwh")
    cost = float(free._energy.sum()) * system.mean()
    assert np.abs(series(free, "congestion_krw")).max() <= 1e-9 * cost
    # Loads of zones weigh the hours differently; held hour by hour the prices are the same (below).
    assert (prices.max(0) >= system * (1 - 1e-9)).all()
    assert (prices.min(0) <= system * (1 + 1e-9)).all()
    captured = cases_of(free)
    for zonal, single in zip(*captured, strict=True):
        limited, one = dispatch(zonal), dispatch(single)
        assert limited.objective == pytest.approx(one.objective, rel=1e-9)
        assert limited.price == pytest.approx(
            np.repeat(one.price, len(limited.price), axis=0), rel=1e-9, abs=1e-6
        )


def cases_of(model: Model, month: int = 0) -> tuple[list[PowerCase], list[PowerCase]]:
    """The month's cases with line limits and without, as the model states them."""
    seen: list[list[PowerCase]] = []
    real = power_phase.dispatch_many

    def note(cases: Any, *args: Any, **named: Any) -> Any:
        seen.append(list(cases))
        return real(cases, *args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(power_phase, "dispatch_many", note)
        model.power.run(month)
    return seen[0], seen[1]


@pytest.mark.parametrize("name", ["toy", "korea"])
def test_without_lines_the_objectives_of_the_zones_add_up(name: str) -> None:
    world = worlds.toy() if name == "toy" else worlds.korea()
    model = worlds.built(columns(world, "lines", forward_mw=0.0, backward_mw=0.0))
    for case in cases_of(model)[0]:
        alone = 0.0
        for zone in range(case.shape.zones):
            stores, flexible = case.store_zone == zone, case.flexible_zone == zone
            alone += dispatch(
                PowerCase(
                    case.demand_mw[[zone]],
                    case.capacity_mw[[zone]],
                    case.cost[[zone]],
                    store_zone=np.zeros(stores.sum(), np.int64),
                    charge_mw=case.charge_mw[stores],
                    discharge_mw=case.discharge_mw[stores],
                    store_mwh=case.store_mwh[stores],
                    charge_efficiency=case.charge_efficiency[stores],
                    discharge_efficiency=case.discharge_efficiency[stores],
                    flexible_zone=np.zeros(flexible.sum(), np.int64),
                    flexible_mw=case.flexible_mw[flexible],
                    flexible_mwh=case.flexible_mwh[flexible],
                    shed_mw=case.shed_mw[[zone]],
                    shed_cost=case.shed_cost,
                    unserved_flexible_cost=case.unserved_flexible_cost,
                )
            ).objective
        assert dispatch(case).objective == pytest.approx(alone, rel=1e-9)


# -- nothing binds ---------------------------------------------------------------------------
def unbound(world: World) -> World:
    """Everybody means what was announced, everything is there in time, and it pays."""
    world = parameters(
        world,
        study_months=0,
        substation_months=0,
        build_months=0,
        letter_months=0,
        review_months=1,
        permit_spread=0,
        permit_delay_months=0,
        announcement_realisation=1,
        retry_months=0,
        handover_months=0,
        apply_ahead_months=600,
        line_slip_mean=0,
        line_slip_deviation=0,
        gpu_life_months=1200,
        power_overbooking=10,
        gpu_price_factor=1e-3,
        site_cost_factor=1e-3,
        connection_cost=0,
        world_compute_price=100,
        reference_delay_months=0,
        belief_bad=0,
        belief_good=1000,
        world_compute_price_decline=0,
        price_volatility=0,
        operating_share=0,
        industry_need=1e7,
        utility_capital_start=1e15,
        export_cap_gpus=1e12,
        gpu_supply_factor=1e3,
        lost_load_value=1e6,
    )
    world = columns(world, "pools", headroom_mw=1e9, pass_share=1.0 - 1e-15)
    world = columns(world, "edges", capacity=np.inf)
    world = traits(
        world,
        any__capital_budget=1e18,
        any__patience=0,
        any__apply_at=0,
        any__commit_year=1e18,
        any__appetite_mw=0,
        any__output_year=1e12,
        any__study_mw_month=1e9,
        any__speculative_mw_month=0,
    )
    return columns(world, "elections", month=NEVER)


def test_with_nothing_in_the_way_the_announced_schedule_comes_true() -> None:
    world = unbound(worlds.toy())
    model = run(world)
    months, expected = world.calendar.months, world.sites.expected
    for row, key in enumerate(world.sites.keys):
        if expected[row] >= months:
            continue
        assert model.state.sites.status[row] == ENERGISED, model.site_report()[row]
        assert model.state.sites.step["energised"][row] == expected[row], key
    planned_mw = [world.sites.mw[expected <= month].sum() for month in range(months)]
    planned_gpus = [world.sites.gpus[expected <= month].sum() for month in range(months)]
    assert series(model, "ai_sites_mw") == pytest.approx(planned_mw, rel=1e-12)
    assert series(model, "gpus_online") == pytest.approx(planned_gpus, rel=1e-9)
    for name, value in (("site_realisation_share", 1.0), ("site_delay_months", 0.0)):
        found = series(model, name)
        assert np.isfinite(found).any()
        assert found[np.isfinite(found)] == pytest.approx(value)


def test_each_thing_put_in_the_way_alone_makes_the_schedule_slip() -> None:
    """The limit above is no accident of a rule that never binds: any one obstacle delays it."""
    free = unbound(worlds.toy())
    whole = series(run(free), "gpus_online").sum()
    obstacles = {
        "building": parameters(free, build_months=40),
        "substation": parameters(free, substation_months=60),
        "permit": parameters(free, permit_delay_months=36),
        "assessment": columns(free, "pools", pass_share=1e-12),
        "headroom": columns(columns(free, "pools", headroom_mw=0.0, growth_mw=0.0), "lines", relief_mw=0.0),
        "accelerators": traits(free, any__output_year=0.0),
        "capital": traits(free, any__capital_budget=0.0, any__commit_year=0.0),
        "sponsors": parameters(free, announcement_realisation=1e-9),
        "hurdle": parameters(free, site_cost_factor=1e6),
    }
    for what, world in obstacles.items():
        model = run(world)
        assert series(model, "gpus_online").sum() < whole - 1000.0, what


# -- packages --------------------------------------------------------------------------------
def test_a_package_of_default_levers_is_no_policy() -> None:
    world = worlds.toy()
    defaults = {lever.handle: ((FROM_START, lever.default),) for lever in catalogue().values()}
    spoken = Package("defaults", "every lever said to stand where it stands", schedule=defaults)
    one, other, shipped = (
        run(world),
        run(world, package=spoken),
        run(world, package=shipped_package("no-policy")),
    )
    assert not differing(one, other)
    assert not differing(one, shipped)
    assert worlds.decision_lines(one) == worlds.decision_lines(other) == worlds.decision_lines(shipped)


def shipped_package(name: str) -> Package:
    return load_package(name, catalogue(), currency="KRW")


@pytest.mark.parametrize(
    "beyond", [("gpus_online", ">", 1e18), ("gpus_online", "<", -1.0), ("startups_alive", "<", 1e9)]
)
def test_triggers_out_of_reach_change_nothing(beyond: tuple[str, str, float]) -> None:
    """Neither do triggers on an indicator that is undefined."""
    world = worlds.toy()
    indicator, comparison, value = beyond
    trigger = Trigger("never", indicator, comparison, value, NEVER, 1e12, {"carbon_price": 100_000.0})  # type: ignore[arg-type]
    one, other = run(world, package="grid-first"), run(world, package="grid-first", triggers=[trigger])
    assert not other.board.fired
    assert not differing(one, other)
    assert worlds.decision_lines(one) == worlds.decision_lines(other)


def test_a_trigger_within_reach_does_change_something() -> None:
    world = worlds.toy()
    trigger = Trigger("at once", "gpus_online", ">", 0.0, NEVER, 1e12, {"carbon_price": 100_000.0})
    one, other = run(world, package="no-policy"), run(world, triggers=[trigger])
    assert other.board.fired == {"at once": 1}, "seen in the second month, which knows the first"
    assert differing(one, other)


@pytest.mark.long
def test_adaptive_with_triggers_out_of_reach_is_its_base() -> None:
    world = worlds.korea()
    adaptive = shipped_package("adaptive")
    far = tuple(
        dataclasses.replace(t, value=np.inf if t.comparison == ">" else -np.inf) for t in adaptive.triggers
    )
    assert far
    one = run(world, package="as-announced")
    other = run(world, package=dataclasses.replace(adaptive, triggers=far))
    assert not differing(one, other)
    assert worlds.decision_lines(one) == worlds.decision_lines(other)


# -- money is a unit -------------------------------------------------------------------------
def power_of(unit: str, money: str) -> int:
    """How often money stands in a unit: 1 in KRW/MWh, -1 in MW/KRW, 0 in USD."""
    above, _, below = unit.partition("/")
    return len(re.findall(rf"\b{money}\b", above)) - len(re.findall(rf"\b{money}\b", below))


def in_units_of_half(world: World) -> World:
    """The same world, its money counted in a unit worth half: every amount is twice the number."""
    scaled = world
    for name, form in BY_NAME.items():
        for column in form.columns:
            power = power_of(column.unit, "currency")
            if power:
                old = np.asarray(scaled.tables[name].columns[column.name], float)
                scaled = columns(scaled, name, **{column.name: old * 2.0**power})
    table = scaled.traits
    factor = np.array([2.0 ** power_of(unit, world.currency) for unit in table.unit])
    scaled = columns(scaled, "traits", value=table.value * factor)
    quantities = {}
    for name, quantity in world.quantities.items():
        by = 2.0 ** power_of(quantity.unit, world.currency)
        quantities[name] = dataclasses.replace(
            quantity, default=quantity.default * by, low=quantity.low * by, high=quantity.high * by
        )
    return dataclasses.replace(scaled, quantities=quantities)


def doubled(ready: Prepared, world: World) -> Prepared:
    """A run whose levers, settings and shocks are also counted in the smaller unit."""
    levers = {}
    for name, lever in ready.levers.items():
        by = 2.0 ** power_of(lever.unit, "currency")
        levers[name] = dataclasses.replace(
            lever,
            default=lever.default * by,
            low=lever.low * by,
            high=lever.high * by,
            cost=lever.cost * 2.0 / by,
        )
    by_handle = {lever.handle: lever for lever in ready.levers.values()}

    def times(handle: str) -> float:
        return 2.0 ** power_of(by_handle[handle].unit, "currency")

    units = {name: quantity.unit for name, quantity in world.quantities.items()}
    settled = dataclasses.replace(
        ready.settled,
        schedule={
            handle: tuple((month, value * times(handle)) for month, value in steps)
            for handle, steps in ready.settled.schedule.items()
        },
        uncertainties={
            name: value * 2.0 ** power_of(units[name], world.currency)
            for name, value in ready.settled.uncertainties.items()
        },
        triggers=tuple(
            dataclasses.replace(
                trigger,
                switching_cost=2.0 * trigger.switching_cost,
                changes={handle: value * times(handle) for handle, value in trigger.changes.items()},
            )
            for trigger in ready.settled.triggers
        ),
    )
    return dataclasses.replace(ready, world=world, levers=levers, settled=settled)


def test_units_are_read_rightly() -> None:
    assert [
        power_of(unit, "KRW") for unit in ("KRW", "bn KRW", "KRW/MW-year", "KRW/USD", "GW/year", "1/KRW")
    ] == [1, 1, 1, 1, 0, -1]


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("toy", "no-policy"),
        ("toy", "as-announced"),
        ("toy", "grid-first"),
        ("korea", "as-announced"),
        ("korea", "startup-access"),
    ],
)
def test_all_money_doubled_leaves_the_physical_world_as_it_is(name: str, package: str) -> None:
    world = worlds.toy() if name == "toy" else worlds.shortened(worlds.korea(), 60)
    ready = worlds.prepared(world, package=package)
    one = ready.build().run_model()
    other = doubled(ready, in_units_of_half(world)).build().run_model()
    assert not differing(one, other, worlds.physical(one), tolerance=1e-9)
    money = [
        indicator.name
        for indicator in one.indicators
        if power_of(indicator.unit, world.currency) == 1
        and not indicator.later
        and indicator.name != "congestion_krw"
    ]
    assert len(money) >= 8
    for key in money:
        a, b = series(one, key), series(other, key)
        size = np.nanmax(np.abs(a)) if np.isfinite(a).any() else 0.0
        assert 2.0 * a == pytest.approx(b, rel=1e-9, abs=1e-9 * size, nan_ok=True), key


# -- cutting a zone or a day in two ----------------------------------------------------------
def ample(world: World) -> World:
    """Capacity for every hour: which of two equal zones goes short is nobody's rule."""
    return columns(
        world, "plants", mw=np.where(np.array(world.plants.retirement) == "none", 4.0, 1.0) * world.plants.mw
    )


def split(world: World, zone: int, share: float = 0.5) -> World:
    """``zone`` cut in two by an infinite line; pools, plants, sites and stores stay in the first part."""
    name, days = world.zones.keys[zone], world.days
    new = len(world.zones)
    whole = {column: values[zone] for column, values in world.zones.columns.items()}
    demand = world.zones.demand_mwh.astype(float).copy()
    demand[zone] *= 1.0 - share
    cut = columns(world, "zones", demand_mwh=demand)
    cut = worlds.added(
        cut,
        "zones",
        **{
            column: [value]
            for column, value in {
                **whole,
                "zone": f"{name}-part",
                "demand_mwh": float(world.zones.demand_mwh[zone]) * share,
            }.items()
        },
    )
    rows = np.flatnonzero(days.zone == zone)
    load = days.demand_mw.astype(float).copy()
    load[rows] *= 1.0 - share
    parts = {column: [values[row] for row in rows] for column, values in days.columns.items()}
    parts |= {"zone": [new] * len(rows), "demand_mw": list(days.demand_mw[rows] * share)}
    cut = worlds.added(columns(cut, "days", demand_mw=load), "days", **parts)
    table = cut.availability
    here = [row for row in range(len(table)) if table.zone[row] == zone]
    if here:
        copies = {column: [values[row] for row in here] for column, values in table.columns.items()} | {
            "zone": [new] * len(here)
        }
        cut = worlds.added(cut, "availability", **copies)
    return worlds.added(
        cut,
        "lines",
        line=["cut"],
        from_zone=[zone],
        to_zone=[new],
        forward_mw=[np.inf],
        backward_mw=[np.inf],
        status=["existing"],
        relieves=[-1],
        relief_mw=[0.0],
    )


@pytest.mark.parametrize("levers", [{}, {"regional_pricing": 0.6}], ids=["one price", "regional prices"])
@pytest.mark.parametrize("zone", [0, 1])
def test_a_zone_cut_in_two_by_an_infinite_line_is_still_one(zone: int, levers: Mapping[str, float]) -> None:
    world = ample(worlds.toy())
    one, other = run(world, in_force=levers), run(split(world, zone), in_force=levers)
    assert not one.unserved_total
    names = worlds.names_of(
        one, "ai_carbon_free_share", "congestion", f"zone_price_krw_per_mwh.{world.zones.keys[zone]}"
    )
    assert not differing(one, other, names, tolerance=1e-9)


@pytest.mark.parametrize("name", ["toy", "korea"])
def test_a_day_listed_twice_at_half_the_weight_is_the_same_day(name: str) -> None:
    world = worlds.toy() if name == "toy" else worlds.shortened(worlds.korea(), 24)
    weights, days = world.day_weights, world.days
    again = {column: list(values) for column, values in weights.columns.items()}
    again["day"] = [f"{day} again" for day in weights.day]
    again["days"] = list(weights.days / 2.0)
    hours = {column: list(values) for column, values in days.columns.items()} | {
        "day": [f"{day} again" for day in days.day]
    }
    twice = worlds.added(columns(world, "day_weights", days=weights.days / 2.0), "day_weights", **again)
    twice = worlds.added(twice, "days", **hours)
    assert not differing(
        run(world), run(twice), worlds.names_of(run(world, months=1), "congestion"), tolerance=1e-9
    )


# -- nothing happens before its time ---------------------------------------------------------
LEVERS = sorted(catalogue())


@pytest.mark.parametrize("lever", LEVERS)
def test_a_lever_changes_nothing_before_its_lead_time(lever: str) -> None:
    chosen = catalogue()[lever]
    world = worlds.toy()
    for end in (chosen.low, chosen.high):
        one, other = run(world, {lever: chosen.default}), run(world, {lever: end})
        assert not differing(one, other, until=chosen.lead_months)
        in_force = other.board.values()[:, list(other.board.levers).index(chosen.handle)]
        assert in_force[chosen.lead_months] == pytest.approx(end), "and then it is in force"


@pytest.mark.long
@pytest.mark.parametrize("lever", LEVERS)
def test_a_lever_changes_nothing_before_its_lead_time_in_korea(lever: str) -> None:
    chosen = catalogue()[lever]
    world = worlds.shortened(worlds.korea(), chosen.lead_months + 1, rows=100)
    for end in (chosen.low, chosen.high):
        one, other = run(world, {lever: chosen.default}), run(world, {lever: end})
        assert not differing(one, other, until=chosen.lead_months)


@pytest.mark.parametrize("month", [12, 20, 33])
def test_a_bust_changes_nothing_before_its_month(month: int) -> None:
    world = worlds.toy()
    never, bust = (
        run(world, {"ai_demand_bust_month": 240.0}),
        run(world, {"ai_demand_bust_month": float(month)}),
    )
    assert not differing(never, bust, until=month)
    changed = differing(never, bust)
    assert changed
    assert min(at for at, _, _ in changed.values()) == month


def test_a_bust_changes_nothing_before_its_month_in_korea() -> None:
    world = worlds.shortened(worlds.korea(), 40)
    never, bust = (run(world, {"ai_demand_bust_month": at}, package="as-announced") for at in (240.0, 30.0))
    assert not differing(never, bust, until=30)
    assert differing(never, bust)


def test_a_shock_changes_nothing_before_its_month() -> None:
    world = worlds.toy()
    calm = run(world)
    for shock in (
        ("fuel:gas", 24, 12, 3.0, 0.0),
        ("country_risk", 24, 12, 1.0, 0.05),
        ("gpu_supply", 24, 12, 0.1, 0.0),
        ("exchange_rate", 24, 12, 1.5, 0.0),
    ):
        assert not differing(calm, run(world, shocks=[shock]), until=24), shock


def test_no_decided_site_is_left_behind_by_the_checks() -> None:
    """The toy world decides something under no policy, so that the tests above are about something."""
    model = run(worlds.toy())
    assert (model.state.sites.step["decided"][: model.state.sites.count] < NEVER).sum() > 0
    assert ((model.state.sites.status == DECIDED) | (model.state.sites.status == ENERGISED)).any()
