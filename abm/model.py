"""The model: a month is the list of phases in :meth:`Model.step`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import mesa
import numpy as np

from abm import snapshot
from abm.accounts import Accounts, site_terms_of, spending_room
from abm.board import Board, LeverLike, TriggerLike
from abm.calendar import NEVER, Calendar
from abm.chips import ChipChain
from abm.core.books import recount
from abm.core.power import Backend
from abm.decisions import Decisions
from abm.ledger import OPENING, Ledger
from abm.luck import Luck
from abm.phases import (
    beliefs,
    building,
    connection,
    investment,
    market,
    money,
    orders,
    policy,
    power,
    recording,
)
from abm.phases.hosting import Hosting
from abm.phases.outside import Outside, Shock
from abm.phases.policy import Budget
from abm.population import ACCOUNT, Startups
from abm.quantities import Parameters
from abm.queries import OUTLOOK_YEARS
from abm.reporting import Reporting
from abm.series import Indicator, Recorder
from abm.site_machines import SiteMachines
from abm.snapshot import Snapshot
from abm.stakeholder import Stakeholder
from abm.state import AI, DECIDED, Market, State, Utility
from abm.supply import Disruption, SupplyGraph
from abm.talent import TalentPool
from abm.transfers import GENERATORS, Transfers
from abm.works import SiteWorks
from abm.world import Table, World


class Model(Accounts, Reporting, mesa.Model):
    """One run. Built by ``runs.assemble``; nothing in it reads a clock, a disk or a global.

    ``people`` makes the agents (one for each row of the cast), ``levers`` and ``schedule`` come
    from the package, ``settings`` replace defaults of the world's quantities by their public names.
    """

    def __init__(
        self,
        world: World,
        people: Callable[[Model], list[Stakeholder]],
        indicators: Sequence[Indicator],
        levers: Sequence[LeverLike],
        schedule: Mapping[str, Sequence[tuple[int, float]]],
        triggers: Sequence[TriggerLike] = (),
        settings: Mapping[str, float] | None = None,
        shocks: Sequence[Shock] = (),
        root: int = 0,
        power_backend: Backend | None = None,
        supply_shocks: Sequence[Disruption] = (),
    ):
        # Mesa's own generators are never drawn from; the seed only keeps it from reading the clock.
        super().__init__(rng=root)
        self.quantities = Parameters(world.quantities, settings)
        self.parameters = dict(self.quantities)
        self.world = world = _in_slots(world, self.quantities)
        self.calendar = world.calendar
        months = self.calendar.months
        self.month = 0
        self.root = root
        self.power_backend = power_backend
        self.luck = Luck(root)
        self.outside = Outside(world, self.quantities, shocks, self.luck)
        self.board = Board(levers, schedule, triggers, months)
        self.state = State(world, self.quantities, months)
        self.ledger, self.decisions = Ledger(), Decisions()
        self.recorder = Recorder(indicators, self.calendar)
        self.indicators = self.recorder.indicators
        self.supply = SupplyGraph(world, months, supply_shocks)
        self._prepare_lists(months)
        self.stakeholders = people(self)
        self.agent_of = {agent.who: agent for agent in self.stakeholders}
        self._acting: dict[str, list[Stakeholder]] = {}
        self._rhythms: dict[str, list[tuple[Stakeholder, int, int]]] = {}
        self._of_kind: dict[str, list[Stakeholder]] = {}
        self._demand_scale = [
            demand * efficiency ** (self.parameters["compute_price_elasticity"] - 1.0)
            for demand, efficiency in zip(
                self.outside.ai_demand.tolist(), self.outside.efficiency.tolist(), strict=True
            )
        ]
        self._own_need = sum(agent.trait.get("own_need", 0.0) for agent in self.stakeholders)
        for agent in self.stakeholders:
            self._of_kind.setdefault(agent.kind, []).append(agent)
            for phase in agent.PHASES:
                self._acting.setdefault(phase, []).append(agent)
        # Whose class learns and whose keeps a score is settled here, as who acts is.
        self.learners = [agent for agent in self.stakeholders if type(agent).learn is not Stakeholder.learn]
        self.scorers = [
            (place, agent)
            for place, agent in enumerate(self.stakeholders)
            if type(agent).score is not Stakeholder.score
        ]
        self._prepare_sellers()
        self.chips = ChipChain(self)
        self.works = SiteWorks(self)
        self.site_machines = SiteMachines(self)
        self.startups = Startups(self, [agent.who for agent in self.by_kind("startups")])
        self.people = TalentPool(self)
        self.hosting = Hosting(self)
        self.power = power.PowerSystem(self)
        self._open_books()
        connection.draw_line_slips(self)

    # -- a month -----------------------------------------------------------------------------
    def step(self) -> None:
        """One month, in the order in which things happen."""
        month = self.month
        policy.run(self, month)
        investment.run(self, month)
        connection.run(self, month)
        investment.give_up_stale(self, month)
        orders.run(self, month)
        building.run(self, month)
        power.run(self, month)
        market.run(self, month)
        money.run(self, month)
        beliefs.run(self, month)
        recording.run(self, month)
        self.month += 1

    def run_model(self, progress: Callable[[int, int], None] | None = None) -> Model:
        """Step to the end of the calendar; ``progress(months done, months)`` after each month."""
        while self.month < self.calendar.months:
            self.step()
            if progress:
                progress(self.month, self.calendar.months)
        self.check_parameters()
        return self

    def check_parameters(self) -> None:
        """``TypeError`` where somebody has written to ``parameters``: some rules would have seen it, others not."""
        if self.parameters != dict(self.quantities):
            raise TypeError("parameters are settled when a run is built")

    def snapshot(self) -> Snapshot:
        """The run as it stands between two months, to be continued later and more than once."""
        self.check_parameters()
        return snapshot.take(self)

    @staticmethod
    def resume(saved: Snapshot, board: Board | None = None) -> Model:
        """A new model that goes on from ``saved``, under another package's ``board`` where one is given."""
        return snapshot.resume(saved, board)

    # -- preparation -------------------------------------------------------------------------
    def _prepare_lists(self, months: int) -> None:
        world, p = self.world, self.parameters
        cast, v, sites = world.cast, world.vintages, self.state.sites
        self.maker_of = [cast.keys[row] for row in v.maker]
        kinds = dict(zip(cast.keys, cast.kind, strict=True))
        self.is_npu = np.array([kinds[maker] == "npu-maker" for maker in self.maker_of], bool)
        self.makers = {maker: i for i, maker in enumerate(dict.fromkeys(self.maker_of))}
        leaders = [maker for maker in self.makers if kinds[maker] == "gpu-maker"]
        self.leading_maker = leaders[0] if leaders else next(iter(self.makers), "")
        self.vintage_kw, self.vintage_h100e = np.array(v.kw, float), np.array(v.h100e, float)
        self.vintage_price = np.array(v.price_usd, float) * p["gpu_price_factor"]
        self.is_leader = np.array([maker == self.leading_maker for maker in self.maker_of], bool)
        self._leading = _newest_by_month(v, np.flatnonzero(self.is_leader), months + 241)
        self.state.wanted = np.zeros((len(sites.mw), max(len(self.makers), 1)))
        self._newest: dict[tuple[str, int], int] = {}
        self._per_mw = {
            world.goods.keys[i]: float(q)
            for i, q in zip(world.recipes.input, world.recipes.quantity, strict=True)
        }
        self.owner_rows = sorted({int(row) for row in sites.owner[: sites.count] if row >= 0})
        names = [cast.keys[row] for row in self.owner_rows]
        names += [
            who
            for who, kind in zip(cast.keys, cast.kind, strict=True)
            if kind in ("fund", "pension", "policy-bank")
        ]
        self.investor_names = list(dict.fromkeys(names))
        self.investor = {who: i for i, who in enumerate(self.investor_names)}
        size = (len(sites.mw), len(self.investor))
        self.state.equity = np.zeros(size)
        self.equity_paid = np.zeros(size)
        self.chip_age = np.broadcast_to(v.available + 9.0, self.state.chips.shape).copy()
        self._plant_names = _name_plants(world.plants, world.technologies, world.zones, self.calendar)
        plants = world.plants
        closing = [row for row in range(len(plants)) if plants.retirement[row] == "policy"]
        self.closing_order = sorted(
            closing, key=lambda row: (plants.commissioned[row], self._plant_names[row])
        )
        self.special_mw = np.zeros(len(world.pools))
        self.special_given = 0.0
        self.announcements = connection.announcements(sites)
        self.promised_mw: dict[int, float] = {}
        self.extension_asked: dict[int, int] = {}
        self.extension_granted: set[int] = set()
        self.plant_back: dict[int, int] = {}
        self.closed_by_policy_mw = 0.0
        self.export_quota = np.inf
        self.imported_this_quarter = self.imported_total = 0.0
        self.state_purchased = np.zeros(len(sites.mw), bool)
        self.spending = spending_room(len(sites.mw) * (1 + len(self.makers)))
        self.delivered_by: dict[str, float] = {}
        self.resource_used = np.zeros(len(world.resources))
        self.offers: list[Any] = []
        self.committed_total = self.deployed_total = 0.0
        self.committed_by: dict[str, float] = {}
        self.cash, self.deployed = np.zeros(len(self.investor)), np.zeros(len(self.investor))
        self.site_terms_of_run = site_terms_of(p)
        self.still_needed = 0.0, 0.0
        self._profits = None
        self._owner_number = -1, np.zeros(0, np.int64)
        self.pooled_flow = np.zeros(months)
        self.paid_in = np.zeros(len(sites.mw))
        self.arrears = np.zeros(len(sites.mw))
        self.chip_deposits = np.zeros(len(sites.mw))
        self.months_served = np.zeros(len(sites.mw))
        self.interest_earned = 0.0
        self.public_month = 0.0
        self.budget = Budget()
        self.judged = np.zeros(sites.announced_rows, bool)
        self.views: dict[str, Any] = {}
        self.belief = [p["belief_good"], p["belief_bad"]]
        self.talent = p["talent_start"]
        self.talent_needed = p["talent_start"]
        self.entered = 0.0
        self.startup_month: dict[str, float] = {}
        self.price_history: list[float] = []
        self.cost_history: list[tuple[float, float]] = []
        self.price_cap = np.inf
        self.first_price = p["first_power_price"]
        self.daily_spread = np.zeros(len(world.zones))
        self.emissions_total = self.unserved_total = 0.0
        self.utility_cash_flow = 0.0
        self.generator_margin = np.zeros(len(GENERATORS))
        self._energy = np.zeros(len(world.technologies))
        self._full_hours = _hours_of_profiles(
            world.days, world.day_weights, world.technologies, len(world.zones)
        )
        self._outlook_price = [1.0] * OUTLOOK_YEARS
        self._demand_seen: list[float] = []
        self.coming_direct = np.zeros(months + 241)
        self._direct_mw = 0.0
        self.direct_share_now = self.direct_mwh = 0.0
        self.solves = self.fallbacks = 0
        self.max_gap = self.market_residual = 0.0
        self.reference_price = p["world_compute_price"] * p["exchange_rate"]
        self.state.market = Market(
            self.reference_price * p["world_compute_price_factor"],
            self.reference_price * p["world_compute_price_factor"] * (1.0 + p["market_friction"]),
        )
        self.power_month = self.compute_month = None

    def _prepare_sellers(self) -> None:
        tech = self.world.technologies
        kinds = {
            "nuclear": "nuclear-generator",
            "renewable": "renewable-developer",
            "thermal": "thermal-generator",
        }
        self._sellers: list[tuple[str, str]] = []
        for i in range(len(tech)):
            group = "renewable" if tech.renewable[i] else ("nuclear" if tech.carbon_free[i] else "thermal")
            agents = self.by_kind(kinds[group])
            self._sellers.append((agents[0].who if agents else "generators", group))

        sellers = [who for who, group in self._sellers if group == "renewable"]
        self.direct_seller = sellers[0] if sellers else "generators"

    def _open_books(self) -> None:
        """Opening balances against the opening account, and the stocks that every close is held against."""
        p, state, sites, ledger = self.parameters, self.state, self.state.sites, self.ledger
        grid = self.role("grid")
        self.utility_account = grid.who if grid is not None else "utility"
        lenders = self.by_kind("lender")
        self.lender_account = lenders[0].who if lenders else "lenders"
        self.utility = state.utility = Utility(
            tariff=p["tariff_start"], debt=p["utility_debt_start"], capital=p["utility_capital_start"]
        )
        state.site_price = np.full(len(self.world.zones), p["tariff_start"] * p["site_tariff_ratio"])
        self._programme_lines = np.array(
            [ledger.line("households", "treasury", "money", f"programme {lever}") for lever in self.board.levers],
            np.int64,
        )
        ledger.post(OPENING, self.utility_account, "debt", p["utility_debt_start"], "opening")
        for row in range(sites.count):
            if sites.kind[row] == AI:
                ledger.post(
                    f"gpus {self.owner_key(row)}", OPENING, "gpu", float(state.chips[row].sum()), "opening"
                )
            if sites.started_before[row]:
                state.equity[row, self.investor[self.owner_key(row)]] = 1.0
            if sites.started_before[row] and sites.status[row] == DECIDED:
                self.start_building(row, 0)
        ledger.post(ACCOUNT, "savings", "money", self.startups.take_capital(), "founders' capital")
        owners = [self.world.cast.keys[row] for row in self.owner_rows]
        self._debt_at_start = p["utility_debt_start"]
        ledger.check_stocks([ACCOUNT, ACCOUNT], ["money", "debt"], self._startups_hold)
        ledger.check_stock(self.utility_account, "debt", self._utility_owes)
        self.chips.check_books(ledger)
        self.works.check_books(ledger)
        of_owners = [f"{what}{owner}" for what in ("gpus ", "equity of ") for owner in owners]
        ledger.check_stocks(
            ["lenders", "deposits", *of_owners],
            ["debt", "money", *(["gpu"] * len(owners)), *(["equity"] * len(owners))],
            self._sites_hold,
        )
        ledger.check_zero([f"zone {key}" for key in self.world.zones.keys], "mwh")
        ledger.check_zero(["compute revenue"], "money")
        self.transfers = Transfers(self)
        self.recorder.name_members(recording.members(self))

    # What accounts must show, counted anew from the arrays at each close.
    def _startups_hold(self) -> tuple[float, float]:
        """Money and, with a minus, debt."""
        cash, debt = self.startups.stocks()
        return cash, -debt

    def _utility_owes(self) -> float:
        return -self.utility.debt

    def _sites_hold(self) -> np.ndarray:
        """What is lent to sites and the utility since the start, and deposited; accelerators by owner, then equity."""
        state, sites = self.state, self.state.sites
        held = np.empty(recount.SUMS + 2 * len(self.owner_rows))
        recount.sites(
            sites.count, self.owner_number(), state.chips, state.store, self.equity_paid, sites.loan, sites.deposit, held
        )  # fmt: skip
        held[recount.LOANS] += self.utility.debt - self._debt_at_start
        return held

    def start_building(self, row: int, month: int) -> None:
        """A site that is already under construction in ``month``: built as far as its announced date calls for."""
        months = max(building.building_months(self, row), 1e-9)
        left = float(self.state.sites.expected[row]) - month
        self.state.sites.built[row] = min(max(1.0 - left / months, 0.0), 0.95)

    # -- small book-keeping ------------------------------------------------------------------
    def count_solves(self, found: power.PowerMonth) -> None:
        self.solves += found.solves
        self.fallbacks += found.fallbacks
        self.max_gap = max(self.max_gap, found.gap)
        self._energy += found.made
        self._direct_mw += float(self.coming_direct[self.month])
        total = found.generated_mwh
        self.carbon_kg_mwh = found.emissions_t * 1000.0 / total if total > 0.0 else 0.0

    def release_headroom(self, row: int) -> None:
        """A withdrawn site gives back what its connection had taken: of its special zone, its line, or its pool."""
        sites = self.state.sites
        if sites.step["assessed"][row] == NEVER or sites.nonfirm[row]:
            return
        mw, pool, line = float(sites.mw[row]), int(sites.pool[row]), int(sites.needs_line[row])
        if sites.in_special_zone[row]:
            self.special_mw[pool] += mw
            return
        taken = float(sites.pool_taken[row])
        if line >= 0 and self.state.line_ready[line] == NEVER:
            self.promised_mw[line] = max(self.promised_mw.get(line, 0.0) - (mw - taken), 0.0)
            self.state.pool_headroom[pool] += taken
        else:
            self.state.pool_headroom[pool] += mw
        sites.pool_taken[row] = 0.0


def _newest_by_month(vintages: Any, rows: np.ndarray, months: int) -> list[int]:
    """Of ``rows`` the vintage that came last by each month, of those that came together the first; 0: none yet."""
    newest = [0] * months
    for row in sorted(rows.tolist(), key=lambda row: (vintages.available[row], -row)):
        first = min(max(int(vintages.available[row]), 0), months)
        newest[first:] = [row] * (months - first)
    return newest


# Tables are frozen, so what follows from them alone is kept for the next run of the same world.
@lru_cache(maxsize=8)
def _name_plants(plants: Table, technologies: Table, zones: Table, calendar: Calendar) -> tuple[str, ...]:
    """A name for each plant that does not depend on the order of the table."""
    seen, names = dict[str, int](), []
    for row in range(len(plants)):
        name = (
            f"{technologies.keys[plants.technology[row]]} {zones.keys[plants.zone[row]]} "
            f"{calendar.text(int(plants.commissioned[row]))} {float(plants.mw[row]):g} MW"
        )
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


@lru_cache(maxsize=8)
def _hours_of_profiles(days: Table, weights: Table, technologies: Table, zones: int) -> np.ndarray:
    """(zones, technologies) full-load hours a year, from the representative days; read-only."""
    weight = {
        (int(m), d): w for m, d, w in zip(weights.calendar_month, weights.day, weights.days, strict=True)
    }
    share = np.array([weight[int(m), d] for m, d in zip(days.calendar_month, days.day, strict=True)])
    share = share * 24.0 / (float(days.hour.max()) + 1.0)
    hours = np.full((zones, len(technologies)), 8760.0)
    for i, profile in enumerate(technologies.profile):
        if profile != "none":
            by_zone = np.zeros(zones)
            np.add.at(by_zone, days.zone, share * getattr(days, profile))
            hours[:, i] = by_zone * float(technologies.availability[i])
    hours.setflags(write=False)
    return hours


def _in_slots(world: World, parameters: Parameters) -> World:
    """Count home-made processors by the pack that takes one accelerator's place, so that counts compare."""
    pack = parameters["npus_per_slot"]
    kinds = world.cast.kind
    v = world.vintages
    factor = np.array([pack if kinds[maker] == "npu-maker" else 1.0 for maker in v.maker])
    vintages = v.replace(
        h100e=v.h100e * factor, kw=v.kw * factor, price_usd=v.price_usd * factor, hbm_gb=v.hbm_gb * factor
    )
    return dataclasses.replace(world, tables={**world.tables, "vintages": vintages})
