"""Phase 7, before the solve: a month's situation becomes power cases, one for each representative day.

Each day gives two cases: one with zones and lines, and one in which all zones are one node, for the
system price. What depends on the world's tables alone is made once and shared by its runs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from abm.core.energy.days import fill_days
from abm.core.power import PowerCase, dispatch
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
    firm: np.ndarray
    """(Z,) MW of AI sites"""
    nonfirm: np.ndarray
    """(Z,) MW of AI sites that may be cut first"""
    fab_mw: np.ndarray
    """(Z,) other new large loads, flat"""
    forward: np.ndarray
    """(L,) MW"""
    backward: np.ndarray
    growth: float
    """of demand without AI, over the profiles' year"""
    weather: float
    """factor on sun and wind"""
    store_mw: np.ndarray
    """(S,)"""
    store_mwh: np.ndarray


@dataclass(slots=True)
class MonthCases:
    """A month's cases, and what reading their results needs; D days."""

    zonal: list[PowerCase]
    single: list[PowerCase]
    base: np.ndarray
    """(D,Z,H) MW of load without AI sites"""
    by_tech: np.ndarray
    """(D,Z,T,H) MW available"""
    ai_total: np.ndarray
    """(Z,) MW"""
    flexible: np.ndarray
    """(Z,) part of it that can wait within the day"""


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
        self.line_ends = {"line_from": lines.from_zone[self.lines], "line_to": lines.to_zone[self.lines]}
        self.store_zone = np.concatenate([stores.zone, np.arange(z)])
        self.own_efficiency = stores.charge_efficiency, stores.discharge_efficiency
        self._one_node = np.zeros(len(self.store_zone), np.int64)
        self._every_zone = np.arange(z)
        self._bases: dict[tuple[int, int, int], Any] | None = None

    def mean_availability(self, p: Parameters) -> np.ndarray:
        """(T,) of technologies; a quantity named ``<technology>_availability`` replaces the table's."""
        tech = self.world.technologies
        given = [p.get(f"{key}_availability") for key in tech.keys]
        return np.array(
            [own if value is None else value for own, value in zip(tech.availability, given, strict=True)]
        )

    def month(self, now: Situation, p: Parameters) -> MonthCases:
        """The cases of a month."""
        z, h, calendar = self.zones, self.hours, now.calendar
        segment_cost = np.where(self.segment_must, -p["must_run_bid"], now.cost[self.segment_tech])
        # Hours and segments of equal cost are told apart by their names, so that the optimum is one,
        # whichever solver finds it and in whatever order zones and lines are listed.
        segment_cost = segment_cost[:, None] + p["tie_break"] * self.ties
        ai_total = now.firm + now.nonfirm
        flexible = p["flexible_share"] * ai_total
        shaped, profile = self.shaped[calendar], self.demand[calendar]
        days, _, techs, _ = shaped.shape
        segments = len(self.segment_tech)
        by_tech, capacity = np.empty((days, z, techs, h)), np.empty((days, z, segments, h))
        base, demand, shed = np.empty((days, z, h)), np.empty((days, z, h)), np.empty((days, z, 2, h))
        whole = np.empty((days, 1, h)), np.empty((days, 1, segments, h)), np.empty((days, 1, 2, h))
        fill_days(
            now.available,
            shaped,
            self.weatherly,
            now.weather,
            self.segment_tech,
            self.portion,
            profile,
            now.growth,
            now.fab_mw,
            ai_total - flexible,
            now.nonfirm,
            by_tech,
            capacity,
            base,
            demand,
            shed,
            whole[1],
            whole[0],
            whole[2],
        )
        zone_cost = np.empty((z, *segment_cost.shape))
        zone_cost[:] = segment_cost
        efficiency = np.full(z, float(np.sqrt(p["battery_round_trip"])))
        store = {
            "charge_mw": now.store_mw,
            "discharge_mw": now.store_mw,
            "store_mwh": now.store_mwh,
            "charge_efficiency": np.concatenate([self.own_efficiency[0], efficiency]),
            "discharge_efficiency": np.concatenate([self.own_efficiency[1], efficiency]),
        }
        prices: dict[str, Any] = {
            "shed_cost": np.array([p["nonfirm_value"], p["lost_load_value"]]),
            "unserved_flexible_cost": p["deferred_compute_value"],
        }  # currency/MWh
        zonal: dict[str, Any] = {
            "cost": zone_cost,
            **self.line_ends,
            "line_forward_mw": now.forward,
            "line_backward_mw": now.backward,
            "store_zone": self.store_zone,
            "flexible_zone": self._every_zone,
            "flexible_mw": np.repeat((1.5 * flexible)[:, None], h, axis=1),
            "flexible_mwh": flexible * h,
            **store,
            **prices,
        }
        single: dict[str, Any] = {
            "cost": segment_cost[None],
            "store_zone": self._one_node,
            "flexible_zone": self._one_node[:1],
            "flexible_mw": np.full((1, h), 1.5 * flexible.sum()),
            "flexible_mwh": np.array([flexible.sum() * h]),
            **store,
            **prices,
        }
        # The days of a month share everything but these three.
        first = PowerCase(demand[0], capacity[0], shed_mw=shed[0], **zonal)
        one = PowerCase(whole[0][0], whole[1][0], shed_mw=whole[2][0], **single)
        return MonthCases(
            [
                first,
                *(
                    first.replace(demand_mw=demand[d], capacity_mw=capacity[d], shed_mw=shed[d])
                    for d in range(1, days)
                ),
            ],
            [
                one,
                *(
                    one.replace(demand_mw=whole[0][d], capacity_mw=whole[1][d], shed_mw=whole[2][d])
                    for d in range(1, days)
                ),
            ],
            base,
            by_tech,
            ai_total,
            flexible,
        )

    def opening_bases(self) -> dict[tuple[int, int, int], Any]:
        """A basis for each (0 zonal or 1 single, calendar month, day): where a run's first year starts from.

        They are those of the world as it opens, at its default figures, before growth, new sites and
        luck: the same for every run, so that no result depends on what a process has solved before.
        """
        if self._bases is None:
            world, p = self.world, Parameters(self.world.quantities)
            bases: dict[tuple[int, int, int], Any] = {}
            for calendar in range(12):
                if not len(self.demand[calendar]):
                    continue
                cases = self.month(_opening(self, world, p, calendar), p)
                for kind, days in enumerate((cases.zonal, cases.single)):
                    for d, case in enumerate(days):
                        bases[kind, calendar, d] = dispatch(case, bases.get((kind, calendar - 1, d))).basis
            self._bases = bases
        return self._bases


def _opening(cases: DayCases, world: World, p: Parameters, calendar: int) -> Situation:
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
    return Situation(
        calendar=calendar,
        available=mw * cases.mean_availability(p) * cases.availability[calendar],
        cost=price[tech.fuel] * tech.fuel_factor + tech.variable_cost,
        firm=nothing,
        nonfirm=nothing,
        fab_mw=nothing,
        forward=np.where(existing, lines.forward_mw[cases.lines], 0.0),
        backward=np.where(existing, lines.backward_mw[cases.lines], 0.0),
        growth=1.0,
        weather=1.0,
        store_mw=np.concatenate([np.where(standing, stores.mw, 0.0), nothing]),
        store_mwh=np.concatenate([np.where(standing, stores.mwh, 0.0), nothing]),
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
