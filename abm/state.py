"""What changes during a run: arrays of sites, plants, lines, pools, orders and loans.

Only phases write here. Months are month indices; ``NEVER`` means "has not happened".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from abm.calendar import NEVER
from abm.quantities import Parameters
from abm.world import World

HIDDEN, ANNOUNCED, APPLIED, PASSED, DECIDED, ENERGISED, WITHDRAWN = range(7)
STATUS = ("hidden", "announced", "applied", "passed", "decided", "energised", "withdrawn")
STEPS = ("applied", "assessed", "permitted", "decided", "built", "connected", "equipped", "energised")
"""Dates that a site passes through; ``equipped`` is when accelerators for nine tenths of it are there."""

AI, FAB = 0, 1
FINANCE = ("state", "corporate", "project")
GROWTH_SLOTS = 160
"""Room for sites that owners originate during a run, beyond the announced ones."""


@lru_cache(maxsize=64)
def one_of(statuses: tuple[int, ...]) -> np.ndarray:
    """(statuses,) True at each of ``statuses``."""
    table = np.zeros(len(STATUS), bool)
    table[list(statuses)] = True
    return table


class Sites:
    """Large loads, one row each: the announced ones first, then those originated during the run."""

    def __init__(self, world: World, parameters: Parameters):
        table = world.sites
        n = len(table)
        self.announced_rows = n
        self.count = n
        size = n + GROWTH_SLOTS
        self.key = list(table.keys)
        self.programme = list(table.programme)
        pad = GROWTH_SLOTS

        def column(values: Any, fill: float, dtype: Any = float) -> np.ndarray:
            return np.concatenate([np.asarray(values), np.full(pad, fill)]).astype(dtype)

        self.owner = column(table.owner, -1, np.int64)
        self.zone = column(table.zone, 0, np.int64)
        self.pool = column(table.pool, 0, np.int64)
        self.kind = column([AI if kind == "ai" else FAB for kind in table.kind], AI, np.int64)
        self.finance = column([FINANCE.index(f) for f in table.finance], 2, np.int64)
        self.mw = column(table.mw, 0.0)
        fabs = self.kind == FAB
        if fabs[:n].any() and "fab_load_gw" in parameters:
            self.mw[fabs] *= parameters["fab_load_gw"] * 1000.0 / self.mw[fabs].sum()
        self.gpus = column(table.gpus, 0.0)
        nothing = fabs & (self.mw <= 0.0)
        self.announced = column(table.announced, NEVER, np.int64)
        self.announced[nothing] = NEVER
        self.expected = column(table.expected, NEVER, np.int64)
        self.after = column(table.after, -1, np.int64)
        self.own_use = column(table.own_use, 0.0)
        self.anchor = column(table.anchor, 0.0)
        self.shell_cost = column(np.asarray(table.shell_bn, float) * 1e9, np.nan)
        self.originated = np.zeros(size, bool)
        operating = np.array([s == "operating" for s in table.status] + [False] * pad)
        building = np.array([s == "building" for s in table.status] + [False] * pad) & ~nothing
        self.started_before = operating | building
        # What is under construction but was announced after the start is known to nobody before.
        known = building & (self.announced <= 0)
        self.status = np.where(operating, ENERGISED, np.where(known, DECIDED, HIDDEN))
        self.step = {name: np.full(size, NEVER, np.int64) for name in STEPS}
        for name in STEPS:
            self.step[name][operating] = self.expected[operating]
        for name in ("applied", "assessed", "permitted", "decided"):
            self.step[name][known] = self.announced[known]
        self.ready = np.full(size, NEVER, np.int64)
        """Month in which the substation (and line, where one is needed) can be energised, as now foreseen."""
        self.needs_line = np.full(size, -1, np.int64)
        self.study_due = np.full(size, NEVER, np.int64)
        self.permit_due = np.full(size, NEVER, np.int64)
        self.attempts = np.zeros(size, np.int64)
        self.next_try = np.zeros(size, np.int64)
        self.built = np.where(operating, 1.0, 0.0)
        """Share of the building that stands."""
        self.equipment = np.where(operating, self.mw, 0.0)
        """MW of transformers and switchgear delivered."""
        self.nonfirm = np.zeros(size, bool)
        self.in_special_zone = np.zeros(size, bool)
        self.pool_taken = np.zeros(size)
        """MW of its pool's own headroom that a site has taken; the rest of it hangs on its line."""
        self.waived = np.zeros(size)
        """Share of connection cost waived by the siting incentive when the site was decided."""
        self.deposit = np.zeros(size)
        self.sponsor = np.ones(size, bool)
        """Whether a real sponsor stands behind the announcement (drawn once, luck of the site)."""
        self.cost = np.zeros(size)
        self.support = np.zeros(size)
        self.drawn = np.zeros(size)
        """Capital spent so far."""
        self.loan = np.zeros(size)
        self.loan_share = np.zeros(size)
        self.guaranteed = np.zeros(size)
        self.tenor = np.full(size, 60.0)
        self.contract_price = np.zeros(size)
        """Price of hours sold ahead, currency per H100-equivalent hour; fixed for the life of the machines."""
        self.contract_until = np.full(size, -1, np.int64)
        self.wait_reason = [""] * size

    @property
    def live(self) -> slice:
        return slice(0, self.count)

    def rows(self, *statuses: int) -> np.ndarray:
        """Row numbers of the sites that stand at one of ``statuses``."""
        found: np.ndarray = one_of(statuses)[self.status[: self.count]].nonzero()[0]
        return found


@dataclass(slots=True)
class Utility:
    """The grid utility's books, as last month left them."""

    tariff: float
    """Average price to customers, currency/MWh."""
    debt: float
    capital: float
    """Capital and reserves, to which the bond limit is a multiple."""
    funded: float = 1.0
    """Share of the grid plan that this month's investment pays for."""
    plan: float = 0.0
    """Grid investment that the plan asks for, currency/month."""
    bond_multiple: float = 5.0
    purchase_cost: float = 0.0
    cost_per_mwh: float = 0.0
    """Full cost of a MWh sold, mean of the last twelve months."""
    deposits: float = 0.0


@dataclass(slots=True)
class Market:
    """The compute market as last month left it; prices in currency per H100-equivalent hour."""

    price: float
    ceiling: float
    used_share: float = 1.0
    supply_hours: float = 0.0
    demand_hours: float = 0.0
    imported_hours: float = 0.0
    history: list[float] = field(default_factory=list)


class State:
    """All arrays of a run."""

    def __init__(self, world: World, parameters: Parameters, months: int):
        self.world = world
        self.sites = Sites(world, parameters)
        s = len(self.sites.mw)
        self.vintages = len(world.vintages)
        self.chips = np.zeros((s, self.vintages))
        self.store = np.zeros((s, self.vintages))
        """Delivered accelerators that wait for power or a building."""
        for site, vintage, gpus in zip(world.stock.site, world.stock.vintage, world.stock.gpus, strict=True):
            self.chips[site, vintage] += gpus
        self.ordered = np.zeros(s)
        """Accelerators ordered and not delivered, by site."""
        self.wanted = np.zeros(s)
        """Accelerators that the site still wants to order."""
        self.investors: list[str] = []
        self.equity = np.zeros((s, 0))
        zones, technologies = len(world.zones), len(world.technologies)
        self.plant_mw = world.plants.mw.copy()
        self.plant_retires = world.plants.retires.copy()
        self.added_mw = np.zeros((zones, technologies))
        self.coming_mw = np.zeros((months + 241, zones, technologies))
        self.added_store_mw = np.zeros(zones)
        self.coming_store_mw = np.zeros((months + 241, zones))
        lines = world.lines
        existing = np.array([status == "existing" for status in lines.status])
        self.line_ready = np.where(existing, -1, NEVER)
        self.line_left = np.where(existing, 0.0, np.maximum(lines.due, 0).astype(float))
        """Months of fully funded work left on a planned line, slip included."""
        self.pool_headroom = world.pools.headroom_mw.astype(float).copy()
        self.pool_start = np.maximum(world.pools.headroom_mw.astype(float), 1.0)
        self.pool_growth = world.pools.growth_mw.astype(float).copy()
        """Headroom that a pool gains where the grid plan is paid for, MW a year."""
        self.market: Market
        self.utility: Utility
        self.unserved_share = np.zeros(zones)
        """Share of AI load that the last dispatch did not serve, by zone."""
        self.ai_mw = np.zeros(zones)
        self.site_price = np.zeros(zones)
        """What a MWh cost an AI site last month, by zone."""
