"""What phases and stakeholders ask of a model: who, which vintage, which price, how long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from abm.core.books import totals
from abm.core.market import power_cost
from abm.core.sites import ahead, census
from abm.holdings import Holdings
from abm.state import AI, DECIDED, ENERGISED, FINANCE, PASSED

if TYPE_CHECKING:
    from abm.stakeholder import Stakeholder

OUTLOOK_YEARS = 8
"""Years ahead for which owners reckon with a price, this year included."""


class Queries(Holdings):
    """Read-only questions; mixed into :class:`abm.model.Model`."""

    # -- people ------------------------------------------------------------------------------
    def acting(self, phase: str) -> Sequence[Stakeholder]:
        """Stakeholders that act in ``phase``, in the order of the cast."""
        return self._acting.get(phase, ())

    def on_turn(self, phase: str, month: int) -> Sequence[Stakeholder]:
        """Those whose turn it is in ``month``, for phases in which many act every few months only."""
        rhythms = self._rhythms.get(phase)
        if rhythms is None:
            rhythms = self._rhythms[phase] = [(agent, *agent.every(phase)) for agent in self.acting(phase)]
        return [agent for agent, months, offset in rhythms if (month + offset) % months == 0]

    def by_kind(self, kind: str) -> list[Any]:
        return self._of_kind.get(kind, [])

    def role(self, role: str) -> Stakeholder | None:
        """Who plays a role of the world (``grid``, ``finance``, ...), or None."""
        return self.agent_of.get(self.world.roles.get(role, ""))

    def owner_key(self, row: int) -> str:
        """Stakeholder that owns site ``row``."""
        key: str = self.world.cast.keys[int(self.state.sites.owner[row])]
        return key

    def account(self, cast_row: int) -> str:
        key: str = self.world.cast.keys[int(cast_row)]
        return key

    def is_foreign(self, who: str) -> bool:
        return bool(self.world.cast.foreign[self.world.cast.row(who)])

    # -- accelerators ------------------------------------------------------------------------
    def vintage_of(self, maker: str, month: int) -> int:
        """Newest vintage of ``maker`` that can be had in ``month``; -1 where there is none yet."""
        found = self._newest.get((maker, month))
        if found is None:
            v = self.world.vintages
            rows = np.flatnonzero((v.maker == self.world.cast.row(maker)) & (v.available <= month))
            found = int(rows[np.argmax(v.available[rows])]) if len(rows) else -1
            self._newest[maker, month] = found
        return found

    def vintage_for(self, month: int) -> int:
        """Vintage of the leading maker that a buyer counts on in ``month``."""
        known = self._leading
        return known[month] if 0 <= month < len(known) else max(self.vintage_of(self.leading_maker, month), 0)

    def chip_price(self, vintage: int, month: int) -> float:
        """Price of one accelerator with its share of server and network, in currency."""
        price: float = self.vintage_price.item(vintage) * self.outside.exchange_rate.item(month)
        return price

    def lead_months(self, buyer: str, good: str) -> int:
        """Longest lead time among the buyer's edges for ``good`` (0 where it has none)."""
        supply = self.supply
        return max((int(supply.lead[edge]) for edge in supply.into(buyer, good)), default=0)

    def backlog(self, maker: str) -> float:
        """What the home country's buyers still want of a maker."""
        return float(self.state.wanted[:, self.makers[maker]].sum())

    def recipe_share(self, good: str) -> float:
        """Megawatts of site that one unit of a supplier's monthly output serves."""
        quantity = self._per_mw.get(good, 1.0)
        return 1.0 / quantity if quantity > 0.0 else math.inf

    def order_book(self, good: str) -> float:
        """Megawatts of site that still needed ``good`` when this month's building began."""
        return self.still_needed[0 if good == "power-equipment" else 1]

    def h100e_per_mw(self) -> float:
        """H100-equivalents that a megawatt of today's newest accelerators holds."""
        p, v = self.parameters, self.world.vintages
        vintage = self.vintage_for(self.month)
        return 1000.0 / (float(v.kw[vintage]) * p["gpu_power_factor"] * p["pue"]) * float(v.h100e[vintage])

    # -- the compute market ------------------------------------------------------------------
    def demand_scale(self, month: int) -> float:
        """Growth of demand in H100-equivalents at an unchanged price, since the start.

        Demand for work ``A q^-e`` at the price ``q = p / efficiency`` of work needs
        ``A p^-e efficiency^(e - 1)`` H100-equivalent hours.
        """
        return self._demand_scale[month]

    def own_need(self) -> float:
        """H100-equivalents that owners need for themselves, before growth."""
        return self._own_need

    def running_cost_per_hour(self) -> float:
        """Cost of running an H100-equivalent for an hour, mean over what is installed."""
        p, state, newest = self.parameters, self.state, self.vintage_for(self.month)
        cost = power_cost(
            state.sites.count,
            state.chips,
            self.vintage_kw,
            self.vintage_h100e,
            self.vintage_kw.item(newest) / self.vintage_h100e.item(newest),
            state.site_price,
        )
        return float(cost) * p["gpu_power_factor"] * p["pue"] / 1000.0 * (1.0 + p["running_overhead"])

    def look_ahead(self, month: int) -> None:
        """Expected price of capacity, over the ceiling, one to seven years ahead.

        Demand at the world price goes on growing as it did in the last year (the prior before there
        is a year to look at). Supply is what stands, with machines that reach their age replaced by
        those that will then be had, and the pipeline at the chance that such sites were completed.
        """
        p, market, sites = self.parameters, self.state.market, self.state.sites
        e = p["compute_price_elasticity"]
        seen = self._demand_seen
        seen.append(market.demand_hours * (market.price / market.ceiling) ** e)
        growth = p["expected_demand_growth"]
        if len(seen) > 12 and seen[-13] > 0.0:
            growth = min(max(seen[-1] / seen[-13] - 1.0, -0.5), 1.5)
        terms = np.array(
            [
                month,
                p["gpu_life_months"],
                p["replacement_chance"],
                p["pipeline_chance"],
                p["gpu_power_factor"] * p["pue"] / 1000.0,
            ]
        )
        newest = np.array(self._leading[month : month + 12 * OUTLOOK_YEARS : 12])
        machines = np.empty(OUTLOOK_YEARS)
        ahead.supply_ahead(
            terms,
            sites.count,
            PASSED,
            DECIDED,
            sites.status,
            sites.kind,
            sites.expected,
            sites.ready,
            AI,
            sites.mw,
            self.state.chips,
            self.chip_age,
            self.vintage_h100e,
            self.vintage_kw,
            newest,
            machines,
        )
        hours = self.calendar.hours(month) * p["availability"]
        wanted = seen[-1]
        for k, supply in enumerate((machines * hours).tolist()):
            ratio = wanted / supply if supply > 0.0 else 1.0
            self._outlook_price[k] = max(ratio, 1e-3) ** (1.0 / e) if ratio < 1.0 else 1.0
            wanted *= 1.0 + growth

    def outlook_price(self, years: float) -> float:
        """Expected spot price over the ceiling ``years`` ahead."""
        return self._outlook_price[min(max(round(years), 0), OUTLOOK_YEARS - 1)]

    def expected_use(self, month: int) -> float:
        """Expected share of offered hours that is sold in ``month``: price falls first, then use."""
        years = (month - self.month) / 12.0
        fall = self.outlook_price(years)
        lowest = self.running_cost_per_hour() / max(self.state.market.ceiling, 1e-9)
        return (
            1.0 if fall >= lowest else max(fall / lowest, 0.1) ** self.parameters["compute_price_elasticity"]
        )

    @property
    def ai_demand_exists(self) -> bool:
        return self.state.market.demand_hours > 1e-9

    @property
    def credibility(self) -> float:
        """Mean of the Beta belief that what is announced is delivered."""
        good, bad = self.belief
        return float(good / (good + bad))

    def state_compute(self) -> float:
        """H100-equivalents at work at the state's sites."""
        return self._at_work(self.state.sites.finance, FINANCE.index("state"))

    def compute_of(self, owner: int) -> float:
        """H100-equivalents at work at the sites of ``owner`` (row of the cast)."""
        return self._at_work(self.state.sites.owner, owner)

    def machines_at_work(self) -> float:
        """Accelerators online."""
        found: float = totals.total(self.state.chips.ravel())
        return found

    def running_mw(self, zones: np.ndarray) -> float:
        """Capacity of AI sites that run in the ``zones`` (a mask), MW."""
        sites = self.state.sites
        found: float = census.running_mw(
            sites.count, AI, ENERGISED, zones, sites.kind, sites.status, sites.zone, sites.mw
        )
        return found

    def _at_work(self, trait: np.ndarray, which: int) -> float:
        sites = self.state.sites
        found: float = census.at_work(
            sites.count, ENERGISED, which, sites.status, trait, self.state.chips, self.vintage_h100e
        )
        return found

    # -- power -------------------------------------------------------------------------------
    def plant_name(self, row: int) -> str:
        """What the unit is, whatever its row: technology, zone, date, size, and a count among units alike."""
        return self._plant_names[row]

    def full_hours(self, zone: np.ndarray, technology: np.ndarray | None) -> np.ndarray:
        """Full-load hours a year of plants, one at least."""
        return np.maximum(self._full_hours[zone, technology], 1.0)

    def technology_split(self, technology: int) -> float:
        """Part of technology-neutral volumes (auctions, direct purchase) that goes to ``technology``."""
        name = self.world.technologies.profile[technology]
        solar = self.parameters["auction_solar_share"]
        return solar if name == "solar" else 1.0 - solar

    def direct_purchase_gap_mw(self) -> float:
        """Renewable capacity that AI sites would still buy directly from, if rules let them."""
        energy = (
            sum(self.state.ai_mw.tolist()) * 8760.0 * self.board.value("direct_purchase_openness", self.month)
        )
        return max(energy / self.parameters["direct_full_hours"] - self._direct_mw, 0.0)

    def direct_share(self, ai_mw: float) -> float:
        """Share of AI load that direct contracts cover with what has been built for them."""
        return (
            min(self._direct_mw * self.parameters["direct_full_hours"] / (ai_mw * 8760.0), 1.0)
            if ai_mw > 0.0
            else 0.0
        )

    def mean_site_price(self) -> float:
        """What a MWh cost an AI site last month, mean over zones."""
        prices: list[float] = self.state.site_price.tolist()
        return sum(prices) / len(prices)

    def thermal_cost(self, month: int) -> float:
        """Running cost of coal, the cheapest thermal fuel, currency/MWh; 0 where there is none."""
        coal = self.power.is_coal
        return float(self.power.costs(month)[coal].mean()) if coal.any() else 0.0

    def energy_of(self, technologies: Sequence[int]) -> float:
        """Energy generated so far by ``technologies``, MWh."""
        return sum([self._energy.item(technology) for technology in technologies])

    def seller_of(self, technology: int) -> tuple[str, str]:
        """Account and group (nuclear, renewable, thermal) of a technology's owner."""
        return self._sellers[technology]
