"""Phase 7: the hours of the representative days, dispatched with and without line limits.

The solve without limits is one node: its balance duals are the system price that generators are
settled on. The solve with limits gives zonal prices, congestion, curtailment and what could not be
served. Both use :mod:`abm.core.power`; days are weighted so that they add up to the month.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from abm.core.energy import readout
from abm.core.power import PowerResult, dispatch_many
from abm.decisions import Intent
from abm.phases.adequacy import loss_of_load_hours
from abm.phases.power_cases import MonthCases, Situation, cases_of
from abm.state import AI, ENERGISED, FAB

if TYPE_CHECKING:
    from abm.model import Model


@dataclass(slots=True)
class PowerMonth:
    """What a month of power came to; energy in MWh, prices in currency/MWh, money in currency."""

    generation: np.ndarray
    """(zones, technologies)"""
    curtailed: float
    unserved: float
    nonfirm_cut: float
    load: np.ndarray
    """(zones,) demand without AI sites, served"""
    ai_load: np.ndarray
    """(zones,) AI sites' energy served"""
    ai_unserved: np.ndarray
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
        self.is_coal = np.array([i >= 0 and world.fuels.keys[i] == "coal" for i in tech.fuel])
        self.thermal_rows = np.flatnonzero(self.cases.profile == 0)
        self.weather_kind = np.where(
            self.cases.profile == 0,
            readout.DISPATCHABLE,
            np.where(self.weatherly, readout.SUN_OR_WIND, readout.OTHER_WEATHER),
        )
        self.settlement_share = tech.settlement_share.astype(float)
        self.renewable, self.carbon_free = tech.renewable.astype(bool), tech.carbon_free.astype(bool)
        self.buses = [f"zone {key}" for key in world.zones.keys]
        self._warm: dict[tuple[int, int, int], Any] | None = None
        """Basis of each (0 zonal or 1 single, calendar month, day) a year ago; of the opening world at first."""

    # -- what there is -----------------------------------------------------------------------
    def installed(self, month: int) -> np.ndarray:
        """Capacity in service, (zones, technologies) in MW."""
        model, plants, state = self.model, self.model.world.plants, self.model.state
        alive = (plants.commissioned <= month) & (state.plant_retires > month)
        for row, back in model.plant_back.items():
            alive[row] = alive[row] and month >= back
        mw = state.added_mw.copy()
        np.add.at(mw, (plants.zone[alive], plants.technology[alive]), state.plant_mw[alive])
        return mw

    def costs(self, month: int) -> np.ndarray:
        """Running cost by technology, currency/MWh, carbon price included."""
        model, tech = self.model, self.tech
        fuel = np.where(tech.fuel >= 0, model.outside.fuel_price[np.maximum(tech.fuel, 0), month], 0.0)
        carbon = model.board.value("carbon_price", month)
        return np.asarray(fuel * tech.fuel_factor + tech.variable_cost + carbon * tech.emission_t_mwh)

    def ai_power(self) -> tuple[np.ndarray, np.ndarray]:
        """Electric load of AI sites by zone, firm and not firm, MW."""
        model, p = self.model, self.model.parameters
        state, sites = model.state, model.state.sites
        rows = sites.rows(ENERGISED)
        rows = rows[sites.kind[rows] == AI]
        full = model.site_powers(rows)
        idle = p["idle_share"]
        mw = full * p["load_factor"] * (idle + (1.0 - idle) * state.market.used_share)
        firm, nonfirm = np.zeros(self.zones), np.zeros(self.zones)
        np.add.at(firm, sites.zone[rows], np.where(sites.nonfirm[rows], 0.0, mw))
        np.add.at(nonfirm, sites.zone[rows], np.where(sites.nonfirm[rows], mw, 0.0))
        return firm, nonfirm

    def situation(self, month: int) -> Situation:
        """What the state, the owners of plants and the outside bring to the month."""
        model, state, p = self.model, self.model.state, self.model.parameters
        lines, stores, sites = model.world.lines, model.world.stores, model.state.sites
        calendar = model.calendar.month_of_year(month)
        available = self.installed(month) * self.mean * self.cases.availability[calendar]
        for agent in model.acting("offers"):
            for intent in agent.act("offers", month):
                available[:, self.is_coal] *= 1.0 - min(intent.amount, 1.0)
                if calendar == 11:
                    model.decisions.note(month, intent)
        firm, nonfirm = self.ai_power()
        fabs = sites.rows(ENERGISED)
        fabs = fabs[sites.kind[fabs] == FAB]
        on = state.line_ready[self.lines] <= month
        limit = p["transfer_limit_factor"]
        alive = (stores.commissioned <= month) & (stores.retires > month)
        added = state.added_store_mw
        return Situation(
            calendar=calendar,
            available=available,
            cost=self.costs(month),
            firm=firm,
            nonfirm=nonfirm,
            fab_mw=np.bincount(sites.zone[fabs], sites.mw[fabs] * p["fab_load_factor"], self.zones).astype(
                float
            ),
            forward=np.where(on, lines.forward_mw[self.lines], 0.0) * limit,
            backward=np.where(on, lines.backward_mw[self.lines], 0.0) * limit,
            growth=float(model.outside.demand[month]) * float(model.outside.weather_demand[month]),
            weather=float(model.outside.weather_renewables[month]),
            store_mw=np.concatenate([np.where(alive, stores.mw, 0.0), added]),
            store_mwh=np.concatenate([np.where(alive, stores.mwh, 0.0), added * p["battery_hours"]]),
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
        found: list[Any] = []
        for kind, days in enumerate((cases.zonal, cases.single)):
            warm = [self._warm.get((kind, now.calendar, d)) for d in range(len(days))]
            results = dispatch_many(days, warm, backend=model.power_backend)
            for d, result in enumerate(results):
                self._warm[kind, now.calendar, d] = result.basis
            found.append(results)
        counts = self.cases.day_counts[now.calendar]
        stretch = model.calendar.days(month) / sum(counts) * 24.0 / self.hours
        share = min(
            model.board.value("direct_purchase_openness", month),
            model.direct_share(float(cases.ai_total.sum())),
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
        limited: list[PowerResult],
        free: list[PowerResult],
    ) -> PowerMonth:
        """Sums of the month from its days with (``limited``) and without (``free``) line limits.

        ``rules``: share of AI load bought directly, cap on the settlement price, share of zonal pricing.
        """
        tech, z, t = self.tech, self.zones, len(self.tech)
        generation, settlement = np.zeros((z, t)), np.zeros(t)
        sums, by_zone = np.zeros(readout.SCALARS), np.zeros((readout.BY_ZONE, z))
        flow, spare = np.zeros(len(self.lines)), np.zeros((len(weights), self.hours))
        congestion = gap = 0.0
        for d, (weight, case, r, s) in enumerate(zip(weights, cases.zonal, limited, free, strict=True)):
            readout.add_day(
                weight,
                cases.base[d],
                cases.by_tech[d],
                case.demand_mw,
                cases.ai_total,
                cases.flexible,
                *map(_plain, (r.generation, r.shed, r.flow, r.charge, r.discharge, r.flexible)),
                case.store_zone,
                case.flexible_zone,
                _plain(r.price),
                _plain(s.price[0]),
                self.cases.segment_tech,
                self.weather_kind,
                self.renewable,
                self.carbon_free,
                *rules,
                now.cost,
                self.settlement_share,
                generation,
                sums,
                by_zone,
                flow,
                settlement,
                spare[d],
            )
            dearer = r.objective - s.objective
            congestion += weight * (dearer if dearer > 1e-12 * abs(r.objective) else 0.0)
            for found in (r, s):
                gap = max(gap, (found.objective - found.lower_bound) / max(abs(found.objective), 1.0))
        zone_load = by_zone[readout.ZONE_LOAD]
        self.model.daily_spread = by_zone[readout.SPREAD] / max(sum(weights), 1e-9)
        by_tech_made = generation.sum(0)
        reserve = float(np.minimum(now.store_mw, now.store_mwh / 4.0).sum())
        available = now.available.sum(0)
        total, needed = sums[readout.TOTAL], sums[readout.NEEDED]
        return PowerMonth(
            generation=generation,
            curtailed=max(float(sums[readout.CURTAILED]), 0.0),
            unserved=float(sums[readout.UNSERVED]),
            nonfirm_cut=float(sums[readout.NONFIRM_CUT]),
            load=by_zone[readout.LOAD],
            ai_load=by_zone[readout.AI_LOAD],
            ai_unserved=np.maximum(by_zone[readout.AI_UNSERVED], 0.0),
            losses=by_zone[readout.LOSSES],
            flow=flow,
            price=float(sums[readout.PRICE_SUM] / sums[readout.LOAD_SUM]) if sums[readout.LOAD_SUM] else 0.0,
            zone_price=np.divide(
                by_zone[readout.ZONE_PRICE_SUM], zone_load, out=np.zeros(z), where=zone_load > 0
            ),
            congestion=congestion,
            emissions_t=float(by_tech_made @ tech.emission_t_mwh),
            peak_mw=float(sums[readout.PEAK]),
            lole_hours=loss_of_load_hours(self, available, reserve, zip(weights, spare, strict=True)),
            renewable_share=float(sums[readout.GREEN] / total) if total else 0.0,
            ai_carbon_free=float(sums[readout.MATCHED] / needed) if needed > 0.0 else float("nan"),
            settlement=settlement,
            fuel_cost=by_tech_made * now.cost,
            capacity_payment=available * tech.capacity_payment,
            gap=gap,
            pivots=sum(found.pivots for found in (*limited, *free)),
            fallbacks=sum(found.fallbacks for found in (*limited, *free)),
            solves=len(limited) + len(free),
        )


def _plain(array: np.ndarray) -> np.ndarray:
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def run(model: Model, month: int) -> None:
    """Dispatch the month, book its energy, remember what others will look at."""
    state, ledger, world = model.state, model.ledger, model.world
    month_result = model.power.run(month)
    model.power_month = month_result
    buses = model.power.buses
    for zone, bus in enumerate(buses):
        ledger.post(
            bus, "generation", "mwh", max(float(month_result.generation[zone].sum()), 0.0), "generation"
        )
        ledger.post("load", bus, "mwh", max(float(month_result.load[zone]), 0.0), "load")
        ledger.post("ai load", bus, "mwh", max(float(month_result.ai_load[zone]), 0.0), "ai load")
        loss = float(month_result.losses[zone])
        ledger.post(
            *(("storage losses", bus) if loss >= 0.0 else (bus, "storage losses")),
            "mwh",
            abs(loss),
            "storage losses",
        )
    for line, energy in zip(model.power.lines, month_result.flow, strict=True):
        ends = buses[world.lines.from_zone[line]], buses[world.lines.to_zone[line]]
        if energy < 0:
            ends = ends[1], ends[0]
        ledger.post(ends[1], ends[0], "mwh", abs(float(energy)), "line flow")
    full = month_result.ai_load + month_result.ai_unserved
    state.unserved_share = np.divide(
        month_result.ai_unserved, full, out=np.zeros_like(full), where=full > 1e-9
    )
    state.ai_mw = full / model.calendar.hours(month)
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
