"""The grid utility, generators, developers of renewables and storage, the market operator."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from abm.calendar import NEVER
from abm.decisions import Intent, Programme
from abm.stakeholder import Stakeholder
from abm.state import APPLIED

if TYPE_CHECKING:
    from abm.model import Model


class GridUtility(Stakeholder):
    """Studies applications, invests in lines and substations, and sets the tariff.

    * Studies: planners work through a fixed number of megawatts a month, first come first served;
      speculative applications take their part of that time, fewer of them where a deposit is asked.
    * Investment: the plan times the lever, but never more than what cash flow and the room below
      the bond limit pay for; what is missing becomes delay of lines and substations.
    * Tariff: every ``tariff_months`` it closes the trait ``gap_share`` of the gap between cost and
      tariff, raising no more than ``step_most`` at once; it raises nothing in months frozen before elections
      and lowers nothing until capital and reserves stand above the trait ``lower_above`` again.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        "study_mw_month": "MW/month",
        "speculative_mw_month": "MW/month",
        "speculative_life": "month",
        "deposit_scale": "currency/kW",
        "plan_year": "currency/year",
        "gap_share": "share",
        "step_most": "currency/MWh",
        "tariff_months": "month",
        "freeze_months": "month",
        "lower_above": "currency",
    }
    READS: ClassVar[tuple[str, ...]] = (
        "queue_deposit",
        "grid_fast_track",
        "grid_investment",
        "tariff_adjustment",
    )
    PHASES: ClassVar[tuple[str, ...]] = ("connection", "grid-investment", "tariff")

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self.worked = 0.0
        self.speculative = 0.0

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        if phase == "connection":
            return self.study(month)
        return self.invest(month) if phase == "grid-investment" else self.set_tariff(month)

    def study(self, month: int) -> Iterator[Intent]:
        sites = self.state.sites
        rows = [row for row in sites.rows(APPLIED).tolist() if sites.study_due.item(row) == NEVER]
        rows.sort(key=lambda row: (sites.step["applied"].item(row), sites.key[row]))
        deterred = math.exp(-self.lever("queue_deposit") / self.trait["deposit_scale"])
        pace = self.trait["study_mw_month"] * (1.0 + self.lever("grid_fast_track"))
        real = sum([sites.mw.item(row) for row in rows])
        waiting = real + self.speculative
        part = real / waiting if waiting > 0.0 else 1.0
        self.worked += pace * part if real > 0.0 else 0.0
        # Speculative requests arrive, take their part of the planners' time, and lapse.
        self.speculative += self.trait["speculative_mw_month"] * deterred - pace * (1.0 - part)
        self.speculative = max(self.speculative * (1.0 - 1.0 / self.trait["speculative_life"]), 0.0)
        for row in rows:
            mw = float(sites.mw[row])
            size = min(mw, 0.5 * pace)
            if self.worked < size and self.trait["speculative_mw_month"] > 0.0:
                break
            self.worked = max(self.worked - size, 0.0)
            yield self.intent(
                "study",
                sites.key[row],
                mw,
                "MW",
                target=row,
                speculative_mw=self.speculative,
                waited=float(month - sites.step["applied"][row]),
            )

    def invest(self, month: int) -> Iterator[Intent]:
        model, books = self.world_model, self.world_model.utility
        base = self.trait["plan_year"] / 12.0
        plan = base * self.lever("grid_investment")
        room = (
            max(books.bond_multiple * books.capital - model.bonds(), 0.0)
            / model.parameters["bond_room_months"]
        )
        payable = max(model.utility_cash_flow, 0.0) + room
        granted = min(plan, payable)
        yield self.intent(
            "invest-grid",
            "grid plan",
            plan,
            "money/month",
            "bond limit" if granted < plan else "",
            granted=granted,
            base=base,
            room=room,
        )

    def set_tariff(self, month: int) -> Iterator[Intent]:
        model, books = self.world_model, self.world_model.utility
        if month < 1 or month % max(int(self.trait["tariff_months"]), 1):
            return
        gap = books.cost_per_mwh + self.lever("tariff_adjustment") * 1000.0 - books.tariff
        step = min(self.trait["gap_share"] * gap, self.trait["step_most"])
        if step < 0.0 and books.capital < self.trait["lower_above"]:
            yield self.intent(
                "hold-tariff",
                "tariff",
                step,
                "money/MWh",
                "losses to recover",
                gap=gap,
                capital=books.capital,
            )
            return
        frozen = any(0 <= at - month <= self.trait["freeze_months"] for at in model.world.elections.month)
        if step > 0.0 and frozen:
            yield self.intent("hold-tariff", "tariff", step, "money/MWh", "election", gap=gap)
        elif step != 0.0:
            yield self.intent("set-tariff", "tariff", books.tariff + step, "money/MWh", gap=gap)

    def score(self, month: int) -> float:
        """Debt, with a minus."""
        return -self.world_model.utility.debt


class NuclearGenerator(Stakeholder):
    """Asks for longer licences, earliest expiry first, as far as policy backs it."""

    READS: ClassVar[tuple[str, ...]] = ("nuclear_extension_gw",)
    PHASES: ClassVar[tuple[str, ...]] = ("policy",)

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        plants, tech = model.world.plants, model.world.technologies
        licensed = [row for row in range(len(plants)) if plants.retirement[row] == "licence"]
        self._by_expiry = sorted(licensed, key=lambda row: (int(plants.retires[row]), model.plant_name(row)))
        self._mw: list[float] = plants.mw.tolist()
        nuclear = tech.carbon_free.astype(bool) & ~tech.renewable.astype(bool)
        self._nuclear: list[int] = nuclear.nonzero()[0].tolist()

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        model, plants = self.world_model, self.world_model.world.plants
        backed = self.lever("nuclear_extension_gw") * 1000.0
        asked = sum(self._mw[row] for row in model.extension_asked)
        for row in self._by_expiry:
            if row in model.extension_asked:
                continue
            if asked + self._mw[row] > backed + 1e-9:
                break
            asked += self._mw[row]
            yield self.intent(
                "ask-extension",
                model.plant_name(row),
                self._mw[row],
                "MW",
                target=row,
                expires=float(plants.retires[row]),
            )

    def score(self, month: int) -> float:
        """Nuclear energy generated so far, MWh."""
        return self.world_model.energy_of(self._nuclear)


class ThermalGenerator(Stakeholder):
    """Keeps the thermal fleet: lays a part of its coal still in the fine-dust season, more while margins are bad.

    From December to March it stops the trait ``winter_stop`` of coal on top of what availability
    says, the more (up to twice) the closer coal's cost comes to the system price.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {"winter_stop": "share"}
    PHASES: ClassVar[tuple[str, ...]] = ("offers",)

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        model = self.world_model
        winter = model.calendar.month_of_year(month) in (11, 0, 1, 2)
        if not winter:
            return
        history = model.price_history
        margin = 1.0 if not history else max(min(model.thermal_cost(month) / max(history[-1], 1.0), 1.0), 0.0)
        yield self.intent(
            "stop", "coal", self.trait["winter_stop"] * (1.0 + margin) / 1.5, "share", "fine dust"
        )

    def score(self, month: int) -> float:
        """Margin of thermal plants so far: settlement less fuel and running cost."""
        return self.world_model.margin_of("thermal")


class Resources:
    """The resources that one developer builds, column by column, and what a megawatt of them costs.

    There are a dozen of them, so that their developers reckon one by one.
    """

    def __init__(
        self,
        model: Model,
        rows: np.ndarray,
        factor: Sequence[float],
        names: tuple[str, ...],
        goods: tuple[str, ...],
    ):
        table = model.world.resources
        self.rows, self.names, self.goods = rows, names, goods
        self.zone = table.zone[rows]
        self.technology = table.technology[rows] if len(rows) and table.technology[rows[0]] >= 0 else None
        self.lead = table.lead_months[rows].astype(np.int64)
        self.plain_capex: list[float] = table.capex[rows].tolist()
        self.capex: list[float] = (table.capex[rows] * factor).tolist()
        self.fixed: list[float] = table.fixed_cost[rows].tolist()
        self.share: list[float] = table.share[rows].tolist()
        self.base: list[float] = (table.base_mw_year[rows] / 12.0).tolist()
        """MW a month that are built where it pays, auctions apart."""
        self.potential: list[float] = table.potential_mw[rows].tolist()
        self._learning = 1.0 - model.parameters["technology_learning"]

    def annuity(self, model: Model, spread: float, life: float, month: int) -> float:
        """What a unit of capital cost of the first month comes to in a year, with what has been learned since, 1/year."""
        rate = max(float(model.outside.interest_rate[month]) + spread, 1e-6)
        return float(self._learning ** (month / 12.0) * (rate / (1.0 - (1.0 + rate) ** -life)))

    def programme(
        self,
        who: str,
        mw: Sequence[float],
        cost: Sequence[float],
        earned: Sequence[float],
        direct: Sequence[float],
        used: np.ndarray,
    ) -> Programme:
        """``mw``, as far as the potential goes."""
        taken = used[self.rows].tolist()
        mw = [
            max(min(wish, potential - there), 0.0)
            for wish, potential, there in zip(mw, self.potential, taken, strict=True)
        ]
        return Programme(
            who, "build", "power", sum(mw), "MW", rows=self.rows, mw=np.array(mw), cost=cost, earned=earned,
            lead=self.lead, zone=self.zone, technology=self.technology, goods=self.goods, subjects=self.names,
            direct=np.array(direct),
        )  # fmt: skip


class RenewableDeveloper(Stakeholder):
    """Builds what auctions award, what sites buy directly, and what the base support carries, if it pays.

    A technology is built when its levelised cost, at the interest rate plus the trait ``spread``, is
    below what it expects to earn: the mean system price plus the trait ``certificate``. Auction
    volumes are contracts for difference, so they are built up to ``auction_premium`` above that.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        "spread": "1/year",
        "certificate": "currency/MWh",
        "auction_premium": "share",
        "life_years": "year",
    }
    READS: ClassVar[tuple[str, ...]] = ("renewable_auction_gw", "direct_purchase_openness")
    PHASES: ClassVar[tuple[str, ...]] = ("power-building",)

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        table, tech, zones = model.world.resources, model.world.technologies, model.world.zones.keys
        rows = np.flatnonzero(table.technology >= 0)
        of = table.technology[rows].tolist()
        goods = tuple(str(tech.profile[t]) for t in of)
        names = tuple(
            f"{tech.keys[t]} {zones[z]}" for t, z in zip(of, table.zone[rows].tolist(), strict=True)
        )
        factor = [model.parameters.get(f"{good}_cost_factor", 1.0) for good in goods]
        self._resources = own = Resources(model, rows, factor, names, goods)
        hours = model.full_hours(own.zone, own.technology).tolist()
        share = [part * model.technology_split(t) for part, t in zip(own.share, of, strict=True)]
        self._each = list(zip(own.capex, own.fixed, own.base, hours, share, strict=True))

    def act(self, phase: str, month: int) -> Iterator[Programme]:
        model, own = self.world_model, self._resources
        auction = self.lever("renewable_auction_gw") * 1000.0 / 12.0
        direct = model.direct_purchase_gap_mw() / 24.0
        history = model.price_history[-12:]
        earned = (sum(history) / len(history) if history else model.first_price) + self.trait["certificate"]
        annuity = own.annuity(model, self.trait["spread"], self.trait["life_years"], month)
        highest_bid = earned * (1.0 + self.trait["auction_premium"])
        mw, costs, sold = [], [], []
        for capex, fixed, base, hours, share in self._each:
            cost = (capex * annuity + fixed) / hours
            sells = direct * share if cost <= earned else 0.0
            builds = base + sells if cost <= earned else base * earned / cost
            mw.append(builds + auction * share if cost <= highest_bid else builds)
            costs.append(cost)
            sold.append(sells)
        yield own.programme(self.who, mw, costs, [earned] * len(mw), sold, model.resource_used)

    def score(self, month: int) -> float:
        """Margin of solar and wind so far: settlement less running cost."""
        return self.world_model.margin_of("renewable")


class StorageDeveloper(Stakeholder):
    """Builds batteries that auctions award, and on its own account when the daily spread pays.

    Storage cost a year per MW is held against what a daily cycle earned at last month's zonal prices.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {"spread": "1/year", "life_years": "year", "hours": "hour"}
    READS: ClassVar[tuple[str, ...]] = ("storage_auction_gw",)
    PHASES: ClassVar[tuple[str, ...]] = ("power-building",)

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        table, zones = model.world.resources, model.world.zones.keys
        rows = np.flatnonzero(table.technology < 0)
        names = tuple(f"battery {zones[z]}" for z in table.zone[rows].tolist())
        factor = [model.parameters["storage_cost_factor"]] * len(rows)
        self._resources = own = Resources(model, rows, factor, names, ("batteries",) * len(rows))
        self._each = list(zip(own.capex, own.plain_capex, own.fixed, own.base, own.share, strict=True))

    def act(self, phase: str, month: int) -> Iterator[Programme]:
        model, own = self.world_model, self._resources
        auction = self.lever("storage_auction_gw") * 1000.0 / 12.0
        annuity = own.annuity(model, self.trait["spread"], self.trait["life_years"], month)
        earned = (model.daily_spread[own.zone] * (self.trait["hours"] * 365.0)).tolist()
        mw, costs = [], []
        for (capex, plain_capex, fixed, base, share), earns in zip(self._each, earned, strict=True):
            cost = capex * annuity + fixed
            # An auction buys what its money buys: dearer storage, fewer megawatts.
            awarded = auction * share * min((plain_capex * annuity + fixed) / cost, 1.5)
            mw.append(awarded + base if earns >= cost else awarded)
            costs.append(cost)
        yield own.programme(self.who, mw, costs, earned, [0.0] * len(mw), model.resource_used)

    def score(self, month: int) -> float:
        """Battery power in service, MW."""
        return sum(self.state.added_store_mw.tolist())


class MarketOperator(Stakeholder):
    """Caps the system price for settlement in emergencies.

    While the mean of three months exceeds the trait ``cap_at`` times the mean of all months before
    (as the rule of December 2022 did), settlement of the next month is capped at that level.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {"cap_at": "ratio"}
    PHASES: ClassVar[tuple[str, ...]] = ("settlement",)

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        history = self.world_model.price_history
        if len(history) < 6:
            return
        recent, usual = sum(history[-3:]) / 3.0, sum(history[:-3]) / (len(history) - 3)
        if recent > self.trait["cap_at"] * usual:
            yield self.intent(
                "cap-price",
                "system price",
                self.trait["cap_at"] * usual,
                "money/MWh",
                recent=recent,
                usual=usual,
            )

    def score(self, month: int) -> float:
        """Unserved energy so far, MWh, with a minus."""
        return -self.world_model.unserved_total
