"""Phase 7: the hours of the representative days, dispatched with and without line limits.

The solve without limits is one node: its balance duals are the system price that generators are
settled on. The solve with limits gives zonal prices, congestion, curtailment and what could not be
served. Both use :mod:`abm.core.power`; days are weighted so that they add up to the month.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from abm.core.power import PowerCase, dispatch_many
from abm.decisions import Intent
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
        for month, day, count in zip(weights.calendar_month, weights.day, weights.days, strict=True):
            rows = np.flatnonzero((days.calendar_month == month) & (np.array(days.day) == day))
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
        self.tie = p["tie_break"] * _ties(tech.keys, self.segment_tech, self.segment_must, self.hours)
        self.warm: dict[tuple[int, int, int], Any] = {}
        self.growing_store_eff = float(np.sqrt(p["battery_round_trip"]))

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
        sites, state = model.state.sites, model.state
        rows = sites.rows(ENERGISED)
        rows = rows[sites.kind[rows] == AI]
        full = state.chips[rows] @ model.world.vintages.kw * (p["gpu_power_factor"] * p["pue"] / 1000.0)
        idle = p["idle_share"]
        mw = full * p["load_factor"] * (idle + (1.0 - idle) * state.market.used_share)
        firm, nonfirm = np.zeros(self.zones), np.zeros(self.zones)
        np.add.at(firm, sites.zone[rows], np.where(sites.nonfirm[rows], 0.0, mw))
        np.add.at(nonfirm, sites.zone[rows], np.where(sites.nonfirm[rows], mw, 0.0))
        return firm, nonfirm

    def stores(self, month: int) -> dict[str, Any]:
        world, state, p = self.model.world, self.model.state, self.model.parameters
        table = world.stores
        alive = (table.commissioned <= month) & (table.retires > month)
        mw = np.where(alive, table.mw, 0.0)
        mwh = np.where(alive, table.mwh, 0.0)
        added = state.added_store_mw
        eff = np.full(self.zones, self.growing_store_eff)
        return {
            "store_zone": np.concatenate([table.zone, np.arange(self.zones)]),
            "charge_mw": np.concatenate([mw, added]),
            "discharge_mw": np.concatenate([mw, added]),
            "store_mwh": np.concatenate([mwh, added * p["battery_hours"]]),
            "charge_efficiency": np.concatenate([table.charge_efficiency, eff]),
            "discharge_efficiency": np.concatenate([table.discharge_efficiency, eff]),
        }

    # -- a month -----------------------------------------------------------------------------
    def run(self, month: int) -> PowerMonth:
        model, world, state, p, tech = (
            self.model,
            self.model.world,
            self.model.state,
            self.model.parameters,
            self.tech,
        )
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
        must = tech.must_run[self.segment_tech]
        portion = np.where(
            self.segment_must,
            must,
            1.0 - np.where(np.isin(self.segment_tech, self.segment_tech[self.segment_must]), must, 0.0),
        )
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
        zonal, single, kept = [], [], []
        for days, _, shape in plan:
            profile = np.stack([np.ones((z, h)), shape["solar"], shape["wind"], shape["hydro"]])
            shaped = profile[self.profile].transpose(1, 0, 2)
            if weather != 1.0:
                shaped = np.where(self.weatherly[None, :, None], np.minimum(shaped * weather, 1.0), shaped)
            by_tech = available[:, :, None] * shaped
            capacity = by_tech[:, self.segment_tech] * portion[None, :, None]
            base = shape["demand_mw"] * growth + fab_mw[:, None]
            demand = base + (ai_total - flexible)[:, None]
            shed = np.stack(
                [np.repeat(np.minimum(nonfirm, ai_total - flexible)[:, None], h, axis=1), demand], axis=1
            )
            shed[:, 1] -= shed[:, 0]
            common: dict[str, Any] = {
                "shed_cost": np.array([p["nonfirm_value"], p["lost_load_value"]]),
                "unserved_flexible_cost": p["deferred_compute_value"],
            }  # currency/MWh
            zonal.append(
                PowerCase(
                    demand,
                    capacity,
                    np.broadcast_to(segment_cost, (z, *segment_cost.shape)),
                    line_from=lines.from_zone[self.lines],
                    line_to=lines.to_zone[self.lines],
                    line_forward_mw=forward,
                    line_backward_mw=backward,
                    flexible_zone=np.arange(z),
                    flexible_mw=np.repeat((1.5 * flexible)[:, None], h, axis=1),
                    flexible_mwh=flexible * h,
                    shed_mw=shed,
                    **store,
                    **common,
                )
            )
            single.append(
                PowerCase(
                    demand.sum(0, keepdims=True),
                    capacity.sum(0, keepdims=True),
                    segment_cost[None],
                    flexible_zone=np.zeros(1, np.int64),
                    flexible_mw=np.full((1, h), 1.5 * flexible.sum()),
                    flexible_mwh=np.array([flexible.sum() * h]),
                    shed_mw=shed.sum(0, keepdims=True),
                    **{**store, "store_zone": np.zeros(len(store["store_zone"]), np.int64)},
                    **common,
                )
            )
            kept.append((days * stretch, base, by_tech))
        # Warm starts come from the same month a year earlier in this run, never from another run.
        at = calendar
        warm_zonal = [self.warm.get((0, at, d)) for d in range(len(plan))]
        warm_single = [self.warm.get((1, at, d)) for d in range(len(plan))]
        limited = dispatch_many(zonal, warm_zonal, backend=model.power_backend)
        free = dispatch_many(single, warm_single, backend=model.power_backend)
        for d in range(len(plan)):
            self.warm[0, at, d], self.warm[1, at, d] = limited[d].basis, free[d].basis
        return self._read(
            month, available, cost, zonal, single, limited, free, kept, ai_total, firm, nonfirm, flexible
        )

    def _read(
        self,
        month: int,
        available: np.ndarray,
        cost: np.ndarray,
        zonal: list[Any],
        single: list[Any],
        limited: list[Any],
        free: list[Any],
        kept: list[Any],
        ai_total: np.ndarray,
        firm: np.ndarray,
        nonfirm: np.ndarray,
        flexible: np.ndarray,
    ) -> PowerMonth:
        model, tech = self.model, self.tech
        z, t = self.zones, len(tech)
        generation, curtailed = np.zeros((z, t)), 0.0
        load, ai_load, ai_unserved, losses = np.zeros(z), np.zeros(z), np.zeros(z), np.zeros(z)
        flow = np.zeros(len(self.lines))
        unserved = nonfirm_cut = congestion = gap = 0.0
        price_sum = load_sum = 0.0
        zone_price_sum, zone_load = np.zeros(z), np.zeros(z)
        peak = green = total = 0.0
        matched = needed = 0.0
        settlement = np.zeros(t)
        cap = model.price_cap
        regional = model.board.value("regional_pricing", month)
        share = min(
            model.board.value("direct_purchase_openness", month), model.direct_share(float(ai_total.sum()))
        )
        model.direct_share_now = share
        margins: list[tuple[float, np.ndarray]] = []
        spread = np.zeros(z)
        for (weight, base, by_tech), case, r, s in zip(kept, zonal, limited, free, strict=True):
            made = np.zeros((z, t, self.hours))
            for g, at in enumerate(self.segment_tech):
                made[:, at] += r.generation[:, g]
            generation += weight * made.sum(2)
            curtailed += weight * float((by_tech[:, self.weatherly] - made[:, self.weatherly]).sum())
            served_flexible = np.zeros((z, self.hours))
            np.add.at(served_flexible, case.flexible_zone, r.flexible)
            cut, lost = r.shed[:, 0], r.shed[:, 1]
            inflexible = (ai_total - flexible)[:, None]
            # Load that is lost is shared by AI sites and others in proportion.
            fraction = np.divide(
                lost, case.demand_mw - cut, out=np.zeros_like(lost), where=case.demand_mw - cut > 0
            )
            ai_hour = (inflexible - cut) * (1.0 - fraction) + served_flexible
            load += weight * (base * (1.0 - fraction)).sum(1)
            ai_load += weight * ai_hour.sum(1)
            ai_unserved += weight * ((inflexible + flexible[:, None]) - ai_hour).sum(1)
            losses += weight * (r.charge - r.discharge).sum(1) @ _one_hot(case.store_zone, z)
            unserved += weight * float(lost.sum())
            nonfirm_cut += weight * float(cut.sum())
            flow += weight * r.flow.sum(1)
            dearer = r.objective - s.objective
            congestion += weight * (dearer if dearer > 1e-12 * abs(r.objective) else 0.0)
            gap = max(
                gap,
                (r.objective - r.lower_bound) / max(abs(r.objective), 1.0),
                (s.objective - s.lower_bound) / max(abs(s.objective), 1.0),
            )
            hourly = base + ai_total[:, None]
            price_sum += weight * float((s.price[0] * hourly.sum(0)).sum())
            load_sum += weight * float(hourly.sum())
            zone_price_sum += weight * (r.price * hourly).sum(1)
            zone_load += weight * hourly.sum(1)
            peak = max(peak, float(hourly.sum(0).max()))
            spread += weight * (r.price.max(1) - r.price.min(1))
            system = made.sum(0)
            clean = system[tech.carbon_free.astype(bool)].sum(0)
            everything = system.sum(0)
            green += weight * float(system[tech.renewable.astype(bool)].sum())
            total += weight * float(everything.sum())
            ai_all = ai_hour.sum(0)
            wind_sun = system[self.weatherly].sum(0)
            mean_sun = wind_sun.mean()
            direct = (
                np.minimum(share * ai_all, share * ai_all.mean() * wind_sun / mean_sun)
                if mean_sun > 0
                else 0.0 * ai_all
            )
            rest = np.divide(clean, everything, out=np.zeros_like(clean), where=everything > 0)
            matched += weight * float((direct + (ai_all - direct) * rest).sum())
            needed += weight * float(ai_all.sum())
            system_price = np.minimum(s.price[0], cap)
            paid = (1.0 - regional) * system_price[None, None, :] + regional * np.minimum(r.price, cap)[
                :, None, :
            ]
            above = np.maximum(paid - cost[None, :, None], 0.0)
            settlement += weight * (
                made * (cost[None, :, None] + tech.settlement_share[None, :, None] * above)
            ).sum((0, 2))
            margins.append((weight, available, by_tech, hourly.sum(0)))  # type: ignore[arg-type]
        price = price_sum / load_sum if load_sum else 0.0
        zone_price = np.divide(zone_price_sum, zone_load, out=np.zeros(z), where=zone_load > 0)
        model.daily_spread = spread / max(sum(weight for weight, *_ in kept), 1e-9)
        made_by_tech = generation.sum(0)
        from abm.phases.adequacy import loss_of_load_hours

        lole = loss_of_load_hours(model, self, month, margins)
        return PowerMonth(
            generation,
            max(curtailed, 0.0),
            unserved,
            nonfirm_cut,
            load,
            ai_load,
            np.maximum(ai_unserved, 0.0),
            losses,
            flow,
            price,
            zone_price,
            congestion,
            float(made_by_tech @ tech.emission_t_mwh),
            peak,
            lole,
            green / total if total else 0.0,
            matched / needed if needed > 0.0 else float("nan"),
            settlement,
            made_by_tech * cost,
            available.sum(0) * tech.capacity_payment,
            gap,
            sum(r.pivots for r in limited) + sum(s.pivots for s in free),
            sum(r.fallbacks for r in limited) + sum(s.fallbacks for s in free),
            len(limited) + len(free),
        )


def _ties(keys: tuple[str, ...], techs: np.ndarray, must: np.ndarray, hours: int) -> np.ndarray:
    """Numbers in [0, 1) by segment and hour, from their names alone; (segments, hours)."""

    def number(text: str) -> float:
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "little") / 2.0**48

    return np.array(
        [
            [number(f"{keys[t]} {bool(m)} {hour}") for hour in range(hours)]
            for t, m in zip(techs, must, strict=True)
        ]
    )


def _one_hot(zone: np.ndarray, zones: int) -> np.ndarray:
    table = np.zeros((len(zone), zones))
    table[np.arange(len(zone)), zone] = 1.0
    return table


def run(model: Model, month: int) -> None:
    """Dispatch the month, book its energy, remember what others will look at."""
    state, ledger, world = model.state, model.ledger, model.world
    month_result = model.power.run(month)
    model.power_month = month_result
    keys = world.zones.keys
    for zone, key in enumerate(keys):
        bus = f"zone {key}"
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
        ends = keys[world.lines.from_zone[line]], keys[world.lines.to_zone[line]]
        if energy < 0:
            ends = ends[1], ends[0]
        ledger.post(f"zone {ends[1]}", f"zone {ends[0]}", "mwh", abs(float(energy)), "line flow")
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
