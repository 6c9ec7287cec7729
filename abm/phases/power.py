"""Phase 7: the hours of the representative days, dispatched with and without line limits.

The solve without limits is one node: its balance duals are the system price that generators are
settled on. The solve with limits gives zonal prices, congestion, curtailment and what could not be
served. Both use :mod:`abm.core.power`; days are weighted so that they add up to the month.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from abm.calendar import NEVER
from abm.core.energy import readout, service
from abm.core.power import DayResults, dispatch_many
from abm.decisions import Intent
from abm.phases.adequacy import STEP_MW
from abm.phases.power_cases import MonthCases, Situation, cases_of
from abm.state import AI, ENERGISED, FAB

if TYPE_CHECKING:
    from abm.model import Model


@dataclass(slots=True)
class PowerMonth:
    """What a month of power came to; energy in MWh, prices in currency/MWh, money in currency."""

    generation: np.ndarray
    """(zones, technologies)"""
    made: np.ndarray
    """(technologies,) its sum over zones"""
    generated_mwh: float
    """Of all technologies in all zones."""
    curtailed: float
    unserved: float
    nonfirm_cut: float
    load: np.ndarray
    """(zones,) demand without AI sites, served"""
    ai_load: np.ndarray
    """(zones,) AI sites' energy served"""
    ai_unserved: np.ndarray
    ai_wanted: np.ndarray
    """(zones,) the two together"""
    load_mwh: float
    ai_mwh: float
    """Served in all zones: demand without AI sites, and AI sites'."""
    unserved_share: np.ndarray
    """(zones,) of it"""
    generated: np.ndarray
    """(zones,) of all technologies"""
    losses: np.ndarray
    flow: np.ndarray
    """(lines between zones,) net energy from the first end to the second"""
    price: float
    zone_price: np.ndarray
    congestion: float
    emissions_t: float
    peak_mw: float
    lole_hours: float
    renewable_share: float
    ai_carbon_free: float
    settlement: np.ndarray
    """(technologies,) paid to generators for energy"""
    fuel_cost: np.ndarray
    """(technologies,) fuel and variable cost"""
    capacity_payment: np.ndarray
    gap: float
    pivots: int
    fallbacks: int
    solves: int


class PowerSystem:
    """Turns state and calendar into power cases and reads results back."""

    def __init__(self, model: Model):
        world = model.world
        self.model = model
        self.cases = cases_of(world)
        tech = self.tech = world.technologies
        self.zones, self.hours = self.cases.zones, self.cases.hours
        self.lines, self.weatherly = self.cases.lines, self.cases.weatherly
        self.mean = self.cases.mean_availability(model.parameters)
        self.efficiency = self.cases.efficiency(model.parameters)
        self.is_coal = np.array([i >= 0 and world.fuels.keys[i] == "coal" for i in tech.fuel])
        self.coal = np.flatnonzero(self.is_coal).tolist()
        self.weather_kind = np.where(
            self.cases.profile == 0,
            readout.DISPATCHABLE,
            np.where(self.weatherly, readout.SUN_OR_WIND, readout.OTHER_WEATHER),
        )
        self.renewable, self.carbon_free = tech.renewable.astype(bool), tech.carbon_free.astype(bool)
        # Arrays that compiled code takes: the world's are read-only.
        self.settlement_share, self.emission, self.capacity_payment = (
            np.array(values, float)
            for values in (tech.settlement_share, tech.emission_t_mwh, tech.capacity_payment)
        )
        plants, stores, lines = world.plants, world.stores, world.lines
        self.plants = [
            np.array(values, np.int64) for values in (plants.commissioned, plants.zone, plants.technology)
        ]
        self.line_mw = [np.array(mw, float)[self.lines] for mw in (lines.forward_mw, lines.backward_mw)]
        self.store_months = [np.array(when, np.int64) for when in (stores.commissioned, stores.retires)]
        self.store_mw = [np.array(size, float) for size in (stores.mw, stores.mwh)]
        self.in_operation = np.array([ENERGISED, AI, FAB])
        self.burns = (
            np.array(tech.fuel, np.int64),
            np.array(tech.fuel_factor, float),
            np.array(tech.variable_cost, float),
        )
        self.buses = [f"zone {key}" for key in world.zones.keys]
        self._warm: dict[tuple[int, int], Any] | None = None
        """Bases of each (0 zonal or 1 single, calendar month) a year ago; of the opening world at first."""

    # -- what there is -----------------------------------------------------------------------
    def available(self, month: int, calendar: int) -> np.ndarray:
        """Capacity in service times its availability, (zones, technologies) in MW."""
        state, commissioned = self.model.state, self.plants[0]
        waiting = [row for row, back in self.model.plant_back.items() if month < back]
        if waiting:  # called back, but not there yet
            commissioned = commissioned.copy()
            commissioned[waiting] = NEVER
        available = np.empty(state.added_mw.shape)
        service.plants(
            month, commissioned, state.plant_retires, *self.plants[1:], state.plant_mw, state.added_mw,
            self.mean, self.cases.availability[calendar], available,
        )  # fmt: skip
        return available

    def costs(self, month: int) -> np.ndarray:
        """Running cost by technology, currency/MWh, carbon price included."""
        cost = np.empty_like(self.emission)
        carbon = self.model.board.value("carbon_price", month)
        service.running_costs(month, self.model.outside.fuel_price, *self.burns, carbon, self.emission, cost)
        return cost

    def large_loads(self) -> np.ndarray:
        """(LOADS, zones) MW that AI sites, firm and not, and fabs draw."""
        model, p = self.model, self.model.parameters
        state, sites = model.state, model.state.sites
        idle = p["idle_share"]
        loads = np.empty((service.LOADS, self.zones))
        service.large_loads(
            sites.count, self.in_operation, sites.status, sites.kind, sites.zone, sites.nonfirm, sites.mw,
            state.chips, model.vintage_kw, p["gpu_power_factor"] * p["pue"] / 1000.0,
            p["load_factor"] * (idle + (1.0 - idle) * state.market.used_share), p["fab_load_factor"], loads,
        )  # fmt: skip
        return loads

    def situation(self, month: int) -> Situation:
        """What the state, the owners of plants and the outside bring to the month."""
        model, state, p = self.model, self.model.state, self.model.parameters
        outside, calendar = model.outside, model.calendar.month_of_year(month)
        available = self.available(month, calendar)
        for agent in model.acting("offers"):
            for intent in agent.act("offers", month):
                for t in self.coal:
                    available[:, t] *= 1.0 - min(intent.amount, 1.0)
                if calendar == 11:
                    model.decisions.note(month, intent)
        limits, stores = np.empty((2, len(self.lines))), np.empty_like(self.efficiency)
        service.lines_and_stores(
            month, self.lines, state.line_ready, *self.line_mw, p["transfer_limit_factor"],
            *self.store_months, *self.store_mw, state.added_store_mw, p["battery_hours"], limits, stores,
        )  # fmt: skip
        return Situation(
            calendar=calendar,
            available=available,
            cost=self.costs(month),
            loads=self.large_loads(),
            limits=limits,
            growth=float(outside.demand[month]) * float(outside.weather_demand[month]),
            weather=float(outside.weather_renewables[month]),
            stores=stores,
            efficiency=self.efficiency,
        )

    # -- a month -----------------------------------------------------------------------------
    def run(self, month: int) -> PowerMonth:
        """Dispatch the month's days with and without line limits, and add them up."""
        model = self.model
        now = self.situation(month)
        cases = self.cases.month(now, model.parameters)
        # Warm starts come from the same month a year earlier in this run, or from the opening world:
        # never from another run.
        if self._warm is None:
            own = model.power_backend in (None, "simplex")
            self._warm = dict(self.cases.opening_bases()) if own else {}
        found: list[DayResults] = []
        for kind, days in enumerate((cases.zonal, cases.single)):
            results = dispatch_many(days, self._warm.get((kind, now.calendar)), backend=model.power_backend)
            self._warm[kind, now.calendar] = results.basis
            found.append(results)
        counts = self.cases.day_counts[now.calendar]
        stretch = model.calendar.days(month) / sum(counts) * 24.0 / self.hours
        share = min(
            model.board.value("direct_purchase_openness", month),
            model.direct_share(sum(cases.ai[0].tolist())),
        )
        model.direct_share_now = share
        rules = share, model.price_cap, model.board.value("regional_pricing", month)
        return self._read(now, rules, [days * stretch for days in counts], cases, *found)

    def _read(
        self,
        now: Situation,
        rules: tuple[float, float, float],
        weights: list[float],
        cases: MonthCases,
        limited: DayResults,
        free: DayResults,
    ) -> PowerMonth:
        """Sums of the month from its days with (``limited``) and without (``free``) line limits.

        ``rules``: share of AI load bought directly, cap on the settlement price, share of zonal pricing.
        """
        z, t = self.zones, len(self.tech)
        zeros = np.zeros
        generation, flow, spare = zeros((z, t)), zeros(len(self.lines)), zeros((len(weights), self.hours))
        total, by_tech, by_zone = (
            zeros(readout.SCALARS),
            zeros((readout.BY_TECH, t)),
            zeros((readout.BY_ZONE, z)),
        )
        case = cases.zonal
        readout.add_month(
            np.array(weights), cases.base, cases.by_tech, cases.zonal.demand_mw, cases.ai,
            limited.generation, limited.shed, limited.flow, limited.storage, limited.flexible,
            case.store_zone, case.flexible_zone, limited.price, free.price,
            self.cases.segment_tech, self.weather_kind, self.renewable, self.carbon_free, *rules,
            now.cost, self.settlement_share, self.emission, self.capacity_payment, now.available, now.stores,
            limited.figures, free.figures, *self.cases.thermal.of(now.available), STEP_MW,
            generation, total, by_tech, by_zone, flow, spare,
            np.empty((z, t, self.hours)), np.empty((2 * z + readout.HOURLY, self.hours)),
        )  # fmt: skip
        self.model.daily_spread = by_zone[readout.SPREAD]
        sums = total.tolist()
        energy, needed, load = sums[readout.TOTAL], sums[readout.NEEDED], sums[readout.LOAD_SUM]
        return PowerMonth(
            generation=generation,
            made=by_tech[readout.MADE],
            generated_mwh=energy,
            curtailed=max(sums[readout.CURTAILED], 0.0),
            unserved=sums[readout.UNSERVED],
            nonfirm_cut=sums[readout.NONFIRM_CUT],
            load=by_zone[readout.LOAD],
            ai_load=by_zone[readout.AI_LOAD],
            ai_unserved=by_zone[readout.AI_UNSERVED],
            ai_wanted=by_zone[readout.AI_WANTED],
            load_mwh=sums[readout.LOAD_SERVED],
            ai_mwh=sums[readout.AI_SERVED],
            unserved_share=by_zone[readout.UNSERVED_SHARE],
            generated=by_zone[readout.GENERATED],
            losses=by_zone[readout.LOSSES],
            flow=flow,
            price=sums[readout.PRICE_SUM] / load if load else 0.0,
            zone_price=by_zone[readout.ZONE_PRICE],
            congestion=sums[readout.CONGESTION],
            emissions_t=sums[readout.EMISSIONS],
            peak_mw=sums[readout.PEAK],
            lole_hours=sums[readout.LOST_HOURS],
            renewable_share=sums[readout.GREEN] / energy if energy else 0.0,
            ai_carbon_free=sums[readout.MATCHED] / needed if needed > 0.0 else math.nan,
            settlement=by_tech[readout.SETTLEMENT],
            fuel_cost=by_tech[readout.FUEL_COST],
            capacity_payment=by_tech[readout.CAPACITY_PAYMENT],
            gap=sums[readout.GAP],
            pivots=int(sums[readout.PIVOTS]),
            fallbacks=int(sums[readout.FALLBACKS]),
            solves=len(limited) + len(free),
        )


def run(model: Model, month: int) -> None:
    """Dispatch the month, book its energy, remember what others will look at."""
    state = model.state
    month_result = model.power.run(month)
    model.power_month = month_result
    model.transfers.book_energy(model.ledger, month_result)
    state.unserved_share = month_result.unserved_share
    state.ai_mw = month_result.ai_wanted / model.calendar.hours(month)
    model.price_history.append(month_result.price)
    model.emissions_total += month_result.emissions_t / 1e6
    model.unserved_total += month_result.unserved
    model.count_solves(month_result)
    if month_result.unserved > 1.0:
        operator = model.by_kind("market-operator") or model.by_kind("grid-utility")
        if operator:
            model.decisions.note(
                month, Intent(operator[0].who, "shed", "load", month_result.unserved, "MWh"), bound="capacity"
            )
