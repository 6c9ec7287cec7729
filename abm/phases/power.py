"""Phase 7: the hours of the representative days, dispatched with and without line limits.

The solve without limits is one node: its balance duals are the system price that generators are
settled on. The solve with limits gives zonal prices, congestion, curtailment and what could not be
served. Both use :mod:`abm.core.power`; days are weighted so that they add up to the month.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from abm.core.energy import readout
from abm.core.power import PowerCase, PowerResult, dispatch_many
from abm.decisions import Intent
from abm.phases.adequacy import loss_of_load_hours
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
        world, p = model.world, model.parameters
        self.model = model
        self.zones = len(world.zones)
        tech = world.technologies
        self.tech = tech
        days, weights = world.days, world.day_weights
        self.hours = int(days.hour.max()) + 1
        self.days: list[list[tuple[float, str, dict[str, np.ndarray]]]] = [[] for _ in range(12)]
        names = np.array(days.day)
        for month, day, count in zip(weights.calendar_month, weights.day, weights.days, strict=True):
            rows = np.flatnonzero((days.calendar_month == month) & (names == day))
            shapes = {}
            for name in ("demand_mw", "solar", "wind", "hydro"):
                shape = np.zeros((self.zones, self.hours))
                shape[days.zone[rows], days.hour[rows].astype(int)] = getattr(days, name)[rows]
                shapes[name] = shape
            self.days[int(month) - 1].append((float(count), day, shapes))
        must = np.flatnonzero(tech.must_run > 0.0)
        self.segment_tech = np.concatenate([np.arange(len(tech)), must])
        self.segment_must = np.concatenate([np.zeros(len(tech), bool), np.ones(len(must), bool)])
        lines = world.lines
        self.lines = np.flatnonzero(lines.from_zone != lines.to_zone)
        self.table = np.ones((12, self.zones, len(tech)))
        rows_av = world.availability
        for t, zone, month, factor in zip(
            rows_av.technology, rows_av.zone, rows_av.calendar_month, rows_av.factor, strict=True
        ):
            where: Any = slice(None) if zone < 0 else int(zone)
            self.table[int(month) - 1, where, int(t)] *= factor
        self.mean = tech.availability.copy()
        for i, key in enumerate(tech.keys):
            if f"{key}_availability" in p:
                self.mean[i] = p[f"{key}_availability"]
        self.profile = np.array([("none", "solar", "wind", "hydro").index(name) for name in tech.profile])
        self.weatherly = (self.profile == 1) | (self.profile == 2)
        self.is_coal = np.array([i >= 0 and world.fuels.keys[i] == "coal" for i in tech.fuel])
        self.tie = p["tie_break"] * _ties(
            tech.keys, tuple(self.segment_tech.tolist()), tuple(self.segment_must.tolist()), self.hours
        )
        self.warm: dict[tuple[int, int, int], Any] = {}
        self.thermal_rows = np.flatnonzero(self.profile == 0)
        self.weather_kind = np.where(
            self.profile == 0,
            readout.DISPATCHABLE,
            np.where(self.weatherly, readout.SUN_OR_WIND, readout.OTHER_WEATHER),
        )
        self.settlement_share = tech.settlement_share.astype(float)
        self.renewable, self.carbon_free = tech.renewable.astype(bool), tech.carbon_free.astype(bool)
        # By calendar month: output over capacity (days, zones, technologies, hours) and load (days, zones, hours).
        self.shaped = [np.stack([self._shaped(shape) for _, _, shape in plan]) for plan in self.days]
        self.demand_shape = [np.stack([shape["demand_mw"] for _, _, shape in plan]) for plan in self.days]
        must_share = tech.must_run[self.segment_tech]
        has_must = np.isin(self.segment_tech, self.segment_tech[self.segment_must])
        self.portion = np.where(self.segment_must, must_share, 1.0 - np.where(has_must, must_share, 0.0))
        stores = world.stores
        eff = np.full(self.zones, float(np.sqrt(p["battery_round_trip"])))
        self.store_zone = np.concatenate([stores.zone, np.arange(self.zones)])
        self.store_in_one_node = np.zeros(len(self.store_zone), np.int64)
        self.store_in = np.concatenate([stores.charge_efficiency, eff])
        self.store_out = np.concatenate([stores.discharge_efficiency, eff])
        self.buses = [f"zone {key}" for key in world.zones.keys]

    def _shaped(self, shape: dict[str, np.ndarray]) -> np.ndarray:
        """Output over available capacity on one day, (zones, technologies, hours)."""
        flat = np.ones((self.zones, self.hours))
        profile = np.stack([flat, shape["solar"], shape["wind"], shape["hydro"]])
        return np.ascontiguousarray(profile[self.profile].transpose(1, 0, 2))

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

    def stores(self, month: int) -> dict[str, Any]:
        state, p = self.model.state, self.model.parameters
        table = self.model.world.stores
        alive = (table.commissioned <= month) & (table.retires > month)
        mw = np.concatenate([np.where(alive, table.mw, 0.0), state.added_store_mw])
        mwh = np.where(alive, table.mwh, 0.0)
        return {
            "store_zone": self.store_zone,
            "charge_mw": mw,
            "discharge_mw": mw,
            "store_mwh": np.concatenate([mwh, state.added_store_mw * p["battery_hours"]]),
            "charge_efficiency": self.store_in,
            "discharge_efficiency": self.store_out,
        }

    # -- a month -----------------------------------------------------------------------------
    def run(self, month: int) -> PowerMonth:
        model, world, state, p = self.model, self.model.world, self.model.state, self.model.parameters
        calendar = model.calendar.month_of_year(month)
        z, h = self.zones, self.hours
        available = self.installed(month) * self.mean * self.table[calendar]
        for agent in model.acting("offers"):
            for intent in agent.act("offers", month):
                available[:, self.is_coal] *= 1.0 - min(intent.amount, 1.0)
                if calendar == 11:
                    model.decisions.note(month, intent)
        cost = self.costs(month)
        segment_cost = np.where(self.segment_must, -p["must_run_bid"], cost[self.segment_tech])
        # Hours and segments of equal cost are told apart by their names, so that the optimum is one,
        # whichever solver finds it and in whatever order zones and lines are listed.
        segment_cost = segment_cost[:, None] + self.tie
        firm, nonfirm = self.ai_power()
        ai_total = firm + nonfirm
        flexible = p["flexible_share"] * ai_total
        sites = state.sites
        fabs = sites.rows(ENERGISED)
        fabs = fabs[sites.kind[fabs] == FAB]
        fab_mw = np.zeros(z)
        np.add.at(fab_mw, sites.zone[fabs], sites.mw[fabs] * p["fab_load_factor"])
        lines = world.lines
        on = state.line_ready[self.lines] <= month
        limit = p["transfer_limit_factor"]
        forward = np.where(on, lines.forward_mw[self.lines], 0.0) * limit
        backward = np.where(on, lines.backward_mw[self.lines], 0.0) * limit
        store = self.stores(month)
        growth = float(model.outside.demand[month]) * float(model.outside.weather_demand[month])
        weather = float(model.outside.weather_renewables[month])
        plan = self.days[calendar]
        stretch = model.calendar.days(month) / sum(days for days, _, _ in plan) * 24.0 / h
        by_tech = available[:, :, None] * self.shaped[calendar]
        if weather != 1.0:
            windy = np.minimum(self.shaped[calendar][:, :, self.weatherly] * weather, 1.0)
            by_tech[:, :, self.weatherly] = available[None, :, self.weatherly, None] * windy
        capacity = by_tech[:, :, self.segment_tech] * self.portion[:, None]
        base = self.demand_shape[calendar] * growth + fab_mw[:, None]
        firm_load = ai_total - flexible
        demand = base + firm_load[:, None]
        shed = np.empty((len(plan), z, 2, h))
        shed[:, :, 0] = np.minimum(nonfirm, firm_load)[:, None]
        shed[:, :, 1] = demand - shed[:, :, 0]
        zone_cost = np.ascontiguousarray(np.broadcast_to(segment_cost, (z, *segment_cost.shape)))
        prices: dict[str, Any] = {
            "shed_cost": np.array([p["nonfirm_value"], p["lost_load_value"]]),
            "unserved_flexible_cost": p["deferred_compute_value"],
        }  # currency/MWh
        grid: dict[str, Any] = {
            "line_from": lines.from_zone[self.lines],
            "line_to": lines.to_zone[self.lines],
            "line_forward_mw": forward,
            "line_backward_mw": backward,
            "flexible_zone": np.arange(z),
            "flexible_mw": np.repeat((1.5 * flexible)[:, None], h, axis=1),
            "flexible_mwh": flexible * h,
        }
        one_node: dict[str, Any] = {
            "flexible_zone": np.zeros(1, np.int64),
            "flexible_mw": np.full((1, h), 1.5 * flexible.sum()),
            "flexible_mwh": np.array([flexible.sum() * h]),
        }
        merged = {**store, "store_zone": self.store_in_one_node}
        demand_all, capacity_all, shed_all = demand.sum(1), capacity.sum(1), shed.sum(1)
        zonal = [
            PowerCase(demand[d], capacity[d], zone_cost, shed_mw=shed[d], **grid, **store, **prices)
            for d in range(len(plan))
        ]
        single = [
            PowerCase(
                demand_all[d][None],
                capacity_all[d][None],
                segment_cost[None],
                shed_mw=shed_all[d][None],
                **one_node,
                **merged,
                **prices,
            )
            for d in range(len(plan))
        ]
        # Warm starts come from the same month a year earlier in this run, never from another run.
        at = calendar
        warm_zonal = [self.warm.get((0, at, d)) for d in range(len(plan))]
        warm_single = [self.warm.get((1, at, d)) for d in range(len(plan))]
        limited = dispatch_many(zonal, warm_zonal, backend=model.power_backend)
        free = dispatch_many(single, warm_single, backend=model.power_backend)
        for d in range(len(plan)):
            self.warm[0, at, d], self.warm[1, at, d] = limited[d].basis, free[d].basis
        share = min(
            model.board.value("direct_purchase_openness", month), model.direct_share(float(ai_total.sum()))
        )
        model.direct_share_now = share
        weights = [days * stretch for days, _, _ in plan]
        rules = share, model.price_cap, model.board.value("regional_pricing", month)
        return self._read(
            month, rules, weights, zonal, limited, free, available, cost, base, by_tech, ai_total, flexible
        )

    def _read(
        self,
        month: int,
        rules: tuple[float, float, float],
        weights: list[float],
        zonal: list[PowerCase],
        limited: list[PowerResult],
        free: list[PowerResult],
        available: np.ndarray,
        cost: np.ndarray,
        base: np.ndarray,
        by_tech: np.ndarray,
        ai_total: np.ndarray,
        flexible: np.ndarray,
    ) -> PowerMonth:
        """Sums of the month from its days with (``limited``) and without (``free``) line limits.

        ``rules``: share of AI load bought directly, cap on the settlement price, share of zonal pricing.
        """
        tech, z, t = self.tech, self.zones, len(self.tech)
        generation, settlement = np.zeros((z, t)), np.zeros(t)
        sums, by_zone = np.zeros(readout.SCALARS), np.zeros((readout.BY_ZONE, z))
        flow, spare = np.zeros(len(self.lines)), np.zeros((len(weights), self.hours))
        congestion = gap = 0.0
        for d, (weight, case, r, s) in enumerate(zip(weights, zonal, limited, free, strict=True)):
            readout.add_day(
                weight,
                base[d],
                by_tech[d],
                case.demand_mw,
                ai_total,
                flexible,
                *map(_plain, (r.generation, r.shed, r.flow, r.charge, r.discharge, r.flexible)),
                case.store_zone,
                case.flexible_zone,
                _plain(r.price),
                _plain(s.price[0]),
                self.segment_tech,
                self.weather_kind,
                self.renewable,
                self.carbon_free,
                *rules,
                cost,
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
        stores = zonal[0]
        reserve = float(np.minimum(stores.discharge_mw, stores.store_mwh / 4.0).sum())
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
            lole_hours=loss_of_load_hours(self, available.sum(0), reserve, zip(weights, spare, strict=True)),
            renewable_share=float(sums[readout.GREEN] / total) if total else 0.0,
            ai_carbon_free=float(sums[readout.MATCHED] / needed) if needed > 0.0 else float("nan"),
            settlement=settlement,
            fuel_cost=by_tech_made * cost,
            capacity_payment=available.sum(0) * tech.capacity_payment,
            gap=gap,
            pivots=sum(found.pivots for found in (*limited, *free)),
            fallbacks=sum(found.fallbacks for found in (*limited, *free)),
            solves=len(limited) + len(free),
        )


def _plain(array: np.ndarray) -> np.ndarray:
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


@lru_cache(maxsize=8)
def _ties(keys: tuple[str, ...], techs: tuple[int, ...], must: tuple[bool, ...], hours: int) -> np.ndarray:
    """Numbers in [0, 1) by segment and hour, from their names alone; (segments, hours)."""

    def number(text: str) -> float:
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "little") / 2.0**48

    return np.array(
        [
            [number(f"{keys[t]} {bool(m)} {hour}") for hour in range(hours)]
            for t, m in zip(techs, must, strict=True)
        ]
    )


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
