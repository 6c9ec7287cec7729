"""Phase 7, before the solve: a month's situation becomes power cases, one for each representative day.

Each day gives two cases: one with zones and lines, and one in which all zones are one node, for the
system price. What depends on the world's tables alone is made once and shared by its runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from abm.core.energy.days import fill_days, price_segments
from abm.core.energy.service import LOADS
from abm.core.power import PowerDays, dispatch_many
from abm.phases.adequacy import ThermalFleet
from abm.quantities import Parameters

if TYPE_CHECKING:
    from abm.world import World

_KEPT = 4
_made: list[tuple[tuple[Any, ...], DayCases]] = []
_TABLES = (
    "zones",
    "technologies",
    "days",
    "day_weights",
    "availability",
    "lines",
    "stores",
    "plants",
    "fuels",
    "fuel_prices",
)


@dataclass(slots=True)
class Situation:
    """What a month brings to the power system; Z zones, T technologies, L lines, S stores."""

    calendar: int
    """Month of the year, from 0."""
    available: np.ndarray
    """(Z,T) MW in service times availability, before the hour's weather"""
    cost: np.ndarray
    """(T,) currency/MWh"""
    loads: np.ndarray
    """(LOADS,Z) MW of AI sites, firm and not, and of other new large loads"""
    limits: np.ndarray
    """(2,L) MW forward and backward"""
    growth: float
    """of demand without AI, over the profiles' year"""
    weather: float
    """factor on sun and wind"""
    stores: np.ndarray
    """(2,S) MW and MWh"""
    efficiency: np.ndarray
    """(2,S) of charging and of discharging"""


@dataclass(slots=True)
class MonthCases:
    """A month's cases, and what reading their results needs; D days."""

    zonal: PowerDays
    single: PowerDays
    base: np.ndarray
    """(D,Z,H) MW of load without AI sites"""
    by_tech: np.ndarray
    """(D,Z,T,H) MW available"""
    ai: np.ndarray
    """(2,Z) MW of AI load, and of the part of it that can wait within the day"""


def cases_of(world: World) -> DayCases:
    """The world's day cases: made once for the same tables and defaults, whatever the run's settings."""
    tables = (*(getattr(world, name) for name in _TABLES), world.quantities)
    for known, made in _made:
        if all(a is b for a, b in zip(known, tables, strict=True)):
            return made
    made = DayCases(world)
    _made.append((tables, made))
    del _made[:-_KEPT]
    return made


class DayCases:
    """Representative days of a world, ready to be filled with a month's situation."""

    def __init__(self, world: World):
        tech, stores, lines = world.technologies, world.stores, world.lines
        self.world = world
        self.zones = z = len(world.zones)
        days, weights = world.days, world.day_weights
        self.hours = int(days.hour.max()) + 1
        self.profile = np.array([("none", "solar", "wind", "hydro").index(name) for name in tech.profile])
        self.weatherly = (self.profile == 1) | (self.profile == 2)
        self.thermal = ThermalFleet(
            (t, float(tech.unit_mw[t]), float(tech.forced_outage[t]))
            for t in np.flatnonzero(self.profile == 0).tolist()
        )
        self.day_counts: list[list[float]] = [[] for _ in range(12)]
        """By calendar month, how many days each representative day stands for."""
        shaped: list[list[np.ndarray]] = [[] for _ in range(12)]
        demand: list[list[np.ndarray]] = [[] for _ in range(12)]
        names = np.array(days.day)
        for month, day, count in zip(weights.calendar_month, weights.day, weights.days, strict=True):
            rows = np.flatnonzero((days.calendar_month == month) & (names == day))
            at = days.zone[rows], days.hour[rows].astype(int)
            shapes = {"flat": np.ones((z, self.hours))}
            for name in ("demand_mw", "solar", "wind", "hydro"):
                shapes[name] = np.zeros((z, self.hours))
                shapes[name][at] = getattr(days, name)[rows]
            outputs = np.stack([shapes[name] for name in ("flat", "solar", "wind", "hydro")])
            self.day_counts[int(month) - 1].append(float(count))
            shaped[int(month) - 1].append(outputs[self.profile].transpose(1, 0, 2))
            demand[int(month) - 1].append(shapes["demand_mw"])
        self.shaped = [np.ascontiguousarray(np.stack(plan)) for plan in shaped]
        """By calendar month: output over available capacity, (D,Z,T,H)."""
        self.demand = [np.stack(plan) for plan in demand]
        """By calendar month: MW without AI sites, (D,Z,H)."""
        self.availability = np.ones((12, z, len(tech)))
        factors = world.availability
        for t, zone, month, factor in zip(
            factors.technology, factors.zone, factors.calendar_month, factors.factor, strict=True
        ):
            where: Any = slice(None) if zone < 0 else int(zone)
            self.availability[int(month) - 1, where, int(t)] *= factor
        must = np.flatnonzero(tech.must_run > 0.0)
        self.segment_tech = np.concatenate([np.arange(len(tech)), must])
        self.segment_must = np.concatenate([np.zeros(len(tech), bool), np.ones(len(must), bool)])
        share = tech.must_run[self.segment_tech]
        split = np.isin(self.segment_tech, must)
        self.portion = np.where(self.segment_must, share, 1.0 - np.where(split, share, 0.0)).astype(float)
        """(G,) part of its technology's capacity that a segment has: what must run, or the rest."""
        self.ties = _ties(
            tech.keys, tuple(self.segment_tech.tolist()), tuple(self.segment_must.tolist()), self.hours
        )
        self.lines = np.flatnonzero(lines.from_zone != lines.to_zone)
        self.line_from, self.line_to = lines.from_zone[self.lines], lines.to_zone[self.lines]
        self.store_zone = np.concatenate([stores.zone, np.arange(z)])
        self.own_efficiency = np.stack([stores.charge_efficiency, stores.discharge_efficiency]).astype(float)
        """(2, stores of the world)"""
        self._one_node = np.zeros(len(self.store_zone), np.int64)
        self._every_zone = np.arange(z)
        self._bases: dict[tuple[int, int], Any] | None = None

    def mean_availability(self, p: Mapping[str, float]) -> np.ndarray:
        """(T,) of technologies; a quantity named ``<technology>_availability`` replaces the table's."""
        tech = self.world.technologies
        given = [p.get(f"{key}_availability") for key in tech.keys]
        return np.array(
            [own if value is None else value for own, value in zip(tech.availability, given, strict=True)]
        )

    def efficiency(self, p: Mapping[str, float]) -> np.ndarray:
        """(2,S) of charging and discharging: the world's stores, then those built in each zone."""
        built = np.full((2, self.zones), np.sqrt(p["battery_round_trip"]))
        return np.concatenate([self.own_efficiency, built], axis=1)

    def month(self, now: Situation, p: Mapping[str, float]) -> MonthCases:
        """The cases of a month."""
        z, h = self.zones, self.hours
        shaped, profile = self.shaped[now.calendar], self.demand[now.calendar]
        days, techs, segments = len(shaped), shaped.shape[2], len(self.segment_tech)
        empty = np.empty
        zonal_cost, single_cost = empty((z, segments, h)), empty((1, segments, h))
        price_segments(
            now.cost, self.segment_tech, self.segment_must, p["must_run_bid"], p["tie_break"], self.ties,
            zonal_cost, single_cost,
        )  # fmt: skip
        ai, by_tech, base = empty((2, z)), empty((days, z, techs, h)), empty((days, z, h))
        demand, capacity, shed = empty((days, z, h)), empty((days, z, segments, h)), empty((days, z, 2, h))
        whole = empty((days, 1, h)), empty((days, 1, segments, h)), empty((days, 1, 2, h))
        flexible = empty((z, h)), empty(z), empty((1, h)), empty(1)
        fill_days(
            now.available, shaped, self.weatherly, now.weather, self.segment_tech, self.portion,
            profile, now.growth, now.loads, p["flexible_share"],
            ai, by_tech, capacity, base, demand, shed, whole[1], whole[0], whole[2], *flexible,
        )  # fmt: skip
        common: dict[str, Any] = {
            "charge_mw": now.stores[0],
            "discharge_mw": now.stores[0],
            "store_mwh": now.stores[1],
            "charge_efficiency": now.efficiency[0],
            "discharge_efficiency": now.efficiency[1],
            "shed_cost": np.array([p["nonfirm_value"], p["lost_load_value"]]),
            "unserved_flexible_cost": p["deferred_compute_value"],
        }  # currency/MWh
        zonal = PowerDays(
            demand,
            capacity,
            zonal_cost,
            shed_mw=shed,
            line_from=self.line_from,
            line_to=self.line_to,
            line_forward_mw=now.limits[0],
            line_backward_mw=now.limits[1],
            store_zone=self.store_zone,
            flexible_zone=self._every_zone,
            flexible_mw=flexible[0],
            flexible_mwh=flexible[1],
            **common,
        )
        single = PowerDays(
            *whole[:2],
            single_cost,
            shed_mw=whole[2],
            store_zone=self._one_node,
            flexible_zone=self._one_node[:1],
            flexible_mw=flexible[2],
            flexible_mwh=flexible[3],
            **common,
        )
        return MonthCases(zonal, single, base, by_tech, ai)

    def opening_bases(self) -> dict[tuple[int, int], Any]:
        """Bases for each (0 zonal or 1 single, calendar month): where a run's first year starts from.

        They are those of the world as it opens, at its default figures, before growth, new sites and
        luck: the same for every run, so that no result depends on what a process has solved before.
        """
        if self._bases is None:
            world, p = self.world, Parameters(self.world.quantities)
            bases: dict[tuple[int, int], Any] = {}
            for calendar in range(12):
                if not len(self.demand[calendar]):
                    continue
                cases = self.month(_opening(self, world, p, calendar), p)
                for kind, days in enumerate((cases.zonal, cases.single)):
                    before = bases.get((kind, calendar - 1), ())
                    warm = [before[d] if d < len(before) else None for d in range(len(days))]
                    bases[kind, calendar] = dispatch_many(days, warm).basis
            self._bases = bases
        return self._bases


def _opening(cases: DayCases, world: World, p: Mapping[str, float], calendar: int) -> Situation:
    """The first month's fleet, lines and fuel prices, in the weather of ``calendar``."""
    plants, tech, stores, lines = world.plants, world.technologies, world.stores, world.lines
    alive = (plants.commissioned <= 0) & (plants.retires > 0)
    mw = np.zeros((cases.zones, len(tech)))
    np.add.at(mw, (plants.zone[alive], plants.technology[alive]), plants.mw[alive])
    price = np.zeros(len(world.fuels) + 1)
    for fuel in range(len(world.fuels)):
        rows = np.flatnonzero(world.fuel_prices.fuel == fuel)
        if len(rows):
            price[fuel] = world.fuel_prices.price[rows[np.argmin(world.fuel_prices.month[rows])]]
    existing = np.array([status == "existing" for status in lines.status], bool)[cases.lines]
    standing = (stores.commissioned <= 0) & (stores.retires > 0)
    nothing = np.zeros(cases.zones)
    forward, backward = lines.forward_mw[cases.lines], lines.backward_mw[cases.lines]
    return Situation(
        calendar=calendar,
        available=mw * cases.mean_availability(p) * cases.availability[calendar],
        cost=price[tech.fuel] * tech.fuel_factor + tech.variable_cost,
        loads=np.zeros((LOADS, cases.zones)),
        limits=np.where(existing, np.stack([forward, backward]), 0.0),
        growth=1.0,
        weather=1.0,
        stores=np.concatenate(
            [np.where(standing, np.stack([stores.mw, stores.mwh]), 0.0), np.stack([nothing, nothing])], axis=1
        ),
        efficiency=cases.efficiency(p),
    )


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
