"""What all builders of AI sites share: forecasts, reviews, applications, decisions, orders."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from abm.calendar import NEVER
from abm.decisions import Intent
from abm.phases.building import building_months
from abm.phases.connection import pass_chance
from abm.stakeholder import Stakeholder
from abm.state import ANNOUNCED, DECIDED, ENERGISED, FAB, HIDDEN, PASSED, WITHDRAWN
from agents.valuation import Appraisal, appraise, option_threshold

if TYPE_CHECKING:
    from abm.model import Model


class SiteHolder(Stakeholder):
    """Holds sites and brings its large loads (chip plants) through the grid queue on their announced dates."""

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self.review_months = max(int(model.parameters["review_months"]), 1)
        self._own_rows: list[int] = []
        self._plants: set[int] = set()
        self._counted = -1

    def standing(self) -> list[tuple[int, int]]:
        """The stakeholder's sites and what each stands at, as (row, status), in the order of rows."""
        sites = self.state.sites
        if self._counted != sites.count:
            self._own_rows = (sites.owner[: sites.count] == self.row).nonzero()[0].tolist()
            self._plants = {row for row in self._own_rows if sites.kind.item(row) == FAB}
            self._counted = sites.count
        status = sites.status.item
        return [(row, status(row)) for row in self._own_rows]

    def mine(self, *statuses: int) -> list[int]:
        """Rows of the stakeholder's sites that stand at one of ``statuses``."""
        return [row for row, status in self.standing() if status in statuses]

    def due(self, month: int) -> bool:
        """Whether this is one of the stakeholder's review months; reviews are staggered by name."""
        months, offset = self.every("investment")
        return (month + offset) % months == 0

    def every(self, phase: str) -> tuple[int, int]:
        """Investments are looked at in review months."""
        return (self.review_months, self.stagger) if phase == "investment" else (1, 0)

    def review_plants(self, month: int) -> Iterator[Intent]:
        """Chip plants apply and are decided without a valuation of ours: their owners' business is not modelled."""
        sites = self.state.sites
        standing = [(row, status) for row, status in self.standing() if row in self._plants]
        for row, status in standing:
            if status == ANNOUNCED:
                yield self._apply(row, month)
        for row, status in standing:
            if status == PASSED:
                yield self.intent("decide", sites.key[row], sites.mw.item(row), "MW", target=row)

    def _blocked(self, row: int, month: int) -> bool:
        sites, p = self.state.sites, self.world_model.parameters
        before = sites.after.item(row)
        if before >= 0 and sites.status[before] not in (DECIDED, ENERGISED):
            return True
        early = sites.expected.item(row) - month > p["apply_ahead_months"]
        ripe = max(sites.announced.item(row) + int(p["letter_months"]), sites.next_try.item(row))
        return bool(early or month < ripe)

    def _apply(self, row: int, month: int, **values: Any) -> Intent:
        sites = self.state.sites
        if self._blocked(row, month):
            return self.intent("hold", sites.key[row], sites.mw.item(row), "MW", target=row)
        return self.intent("apply", sites.key[row], sites.mw.item(row), "MW", target=row, **values)


class PriceRecord:
    """What two heuristics have said of the spot price, and how they have done.

    All owners see the same market, so those with the usual heuristics share one record.
    """

    def __init__(self) -> None:
        self.views: dict[tuple[int, float], tuple[float, float]] = {}
        """What they say, by months of market seen and years ahead."""
        self.error = [0.0, 0.0]
        """Mean squared error of their one-year forecasts (logarithms)."""
        self._said: list[tuple[float, float]] = []
        self._learned = -1

    def learn(self, month: int, said: tuple[float, float], price: float) -> None:
        """Keep what was ``said`` of a year ahead, and hold what was said a year ago against ``price``; once a month."""
        self._learned = month
        self._said.append(said)
        if len(self._said) > 12:
            for which, expected in enumerate(self._said.pop(0)):
                miss = math.log(expected / price)
                self.error[which] += 0.1 * (miss * miss - self.error[which])

    def knows(self, month: int) -> bool:
        """Whether the month has been taken in."""
        return self._learned == month


class Owner(SiteHolder):
    """Builds AI sites and runs them.

    Every ``review_months`` (staggered among owners) it looks at each site it has announced:

    * it applies for a grid connection once the understanding has ripened, unless the queue deposit
      makes a weak project not worth holding a place for;
    * refused by the grid, it moves the site to the pool with the best chance, if that is better by
      more than its attachment to the place;
    * passed and permitted, it decides when value over outlay passes 1 + patience x (b/(b-1) - 1),
      and waits otherwise; after ``give_up_months`` of waiting it withdraws;
    * with nothing of its own in the pipeline and a valuation well above the threshold, it
      announces a further site of its usual size.

    Prices are forecast by two heuristics, the world price and the market's own trend, mixed by how
    well each has done lately (Brock and Hommes 1997).
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        "beta": "ratio",
        "exposure": "ratio",
        "own_use_premium": "ratio",
        "capital_budget": "currency/year",
        "sponsor_share": "share",
        "patience": "share",
        "apply_at": "ratio",
        "unit_mw": "MW",
        "appetite_mw": "MW",
        "own_need": "H100-equivalents",
        "attachment": "share",
    }
    READS: ClassVar[tuple[str, ...]] = (
        "queue_deposit",
        "regional_siting_incentive",
        "tax_credit",
        "gpu_subsidy",
        "guarantee_share",
    )
    PHASES: ClassVar[tuple[str, ...]] = ("investment", "orders")
    RULES: ClassVar[Mapping[str, str]] = {"investment": "review", "orders": "order"}
    """Phase to the method that says what is done in it."""

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        usual = type(self).heuristics is Owner.heuristics
        self.record: PriceRecord = model.views.setdefault("" if usual else who, PriceRecord())
        self.spent_this_year = 0.0
        self._lead = model.lead_months(who, "gpu")

    # -- forecasts ---------------------------------------------------------------------------
    def heuristics(self, month: int, years: float) -> tuple[float, float]:
        """Spot price ``years`` ahead: as the world price goes, and as the market's own trend goes.

        All owners see the same market, so it is worked out once for each month and horizon.
        """
        model, market = self.world_model, self.state.market
        known = self.record.views.get((len(market.history), years))
        if known is not None:
            return known
        decline = model.parameters["world_compute_price_decline"]
        follow = market.ceiling * (1.0 - decline) ** years * model.outlook_price(years)
        history = market.history
        span = min(len(history) - 1, 12)
        slope = (
            math.log(history[-1] / history[-1 - span]) / (span / 12.0)
            if span >= 3
            else math.log(1.0 - decline)
        )
        trend = market.price * math.exp(max(min(slope, 0.2), -0.8) * years)
        self.record.views[len(market.history), years] = follow, trend
        return follow, trend

    def forecast(self, month: int, years: float) -> float:
        follow, trend = self.heuristics(month, years)
        error, choice = self.record.error, self.world_model.parameters["heuristic_choice"]
        weight = 1.0 / (1.0 + math.exp(max(min(choice * (error[1] - error[0]), 50.0), -50.0)))
        return follow ** (1.0 - weight) * trend**weight

    def learn(self, month: int) -> None:
        if not self.record.knows(month):
            self.record.learn(month, self.heuristics(month, 1.0), self.state.market.price)

    # -- appraisal ---------------------------------------------------------------------------
    def appraise(self, month: int, row: int, zone: int | None = None) -> Appraisal:
        """A site's value to this owner, on its own forecast."""
        return appraise(
            self.world_model,
            month,
            row,
            beta=self.trait["beta"],
            exposure=self.trait["exposure"],
            premium=self.trait["own_use_premium"],
            forecast=lambda years: self.forecast(month, years),
            credibility=self.world_model.credibility,
            zone=zone,
        )

    def threshold(self, row: int) -> float:
        """Value over outlay at which waiting stops being better."""
        p, sites = self.world_model.parameters, self.state.sites
        rate = float(self.world_model.outside.interest_rate[self.world_model.month])
        sure = sites.own_use.item(row) + (1.0 - sites.own_use.item(row)) * sites.anchor.item(row)
        option = option_threshold(p["price_volatility"] * (1.0 - sure), max(rate, 1e-4), p["project_payout"])
        return 1.0 + self.trait["patience"] * (option - 1.0)

    # -- acts --------------------------------------------------------------------------------
    def act(self, phase: str, month: int) -> Iterable[Intent]:
        found: Iterable[Intent] = getattr(self, self.RULES[phase])(month)
        return found

    def review(self, month: int) -> Iterator[Intent]:
        sites = self.state.sites
        standing = self.standing()
        if self._plants:
            yield from self.review_plants(month)
        announced = [row for row, status in standing if status == ANNOUNCED and row not in self._plants]
        passed = [row for row, status in standing if status == PASSED and row not in self._plants]
        for row in announced:
            if sites.finance.item(row) == 0:
                yield self._apply(row, month)
            elif sites.sponsor.item(row):
                yield from self._consider_applying(row, month)
        for row in passed:
            yield from self._consider_deciding(row, month)
        if announced or passed:
            standing = self.standing()  # what was asked for above has been resolved
        yield from self._consider_another(month, standing)

    def _consider_applying(self, row: int, month: int) -> Iterator[Intent]:
        sites = self.state.sites
        if self._blocked(row, month):
            return
        if sites.attempts.item(row) > 0:
            yield from self._consider_moving(row, month)
        found = self.appraise(month, row)
        deposit = self.lever("queue_deposit") * sites.mw.item(row) * 1000.0
        asked = self.trait["apply_at"] + 2.0 * deposit / found.equity
        if found.ratio >= asked:
            yield self._apply(row, month, **found.figures())
        else:
            yield self.intent(
                "wait",
                sites.key[row],
                sites.mw.item(row),
                "MW",
                "queue deposit" if found.ratio >= self.trait["apply_at"] else "hurdle",
                row,
                asked=asked,
                **found.figures(),
            )

    def _consider_moving(self, row: int, month: int) -> Iterator[Intent]:
        model, sites, pools = self.world_model, self.state.sites, self.world_model.world.pools
        here = pass_chance(model, month, row)
        incentive = self.lever("regional_siting_incentive")
        best, chance = -1, here
        for pool in range(len(pools)):
            zone = int(pools.zone[pool])
            gain = incentive if not model.world.zones.capital_region[zone] else 0.0
            there = (
                pass_chance(model, month, row, pool)
                if self.state.pool_headroom[pool] >= sites.mw.item(row)
                else 0.0
            )
            there = max(there * (1.0 + gain) - self.trait["attachment"] * (zone != sites.zone.item(row)), 0.0)
            if there > chance + 1e-12:
                best, chance = pool, there
        if best >= 0:
            yield self.intent(
                "move", sites.key[row], float(best), "pool", target=row, chance_here=here, chance_there=chance
            )

    def _consider_deciding(self, row: int, month: int) -> Iterator[Intent]:
        sites = self.state.sites
        key, mw = sites.key[row], sites.mw.item(row)
        before = sites.after.item(row)
        if before >= 0 and sites.status[before] not in (DECIDED, ENERGISED):
            return
        if sites.permit_due.item(row) > month:
            yield self.intent("wait", key, mw, "MW", "permit", row)
            return
        found = self.appraise(month, row)
        asked = self.threshold(row)
        if sites.finance.item(row) == 0:
            if self.lever("state_gpu_purchases") > 0.0:
                yield self.intent("decide", key, found.cost, "money", target=row, **found.figures())
            else:
                yield self.intent("wait", key, mw, "MW", "no state purchases", row)
        elif found.ratio >= asked:
            yield self.intent("decide", key, found.cost, "money", target=row, asked=asked, **found.figures())
        elif month - sites.step["assessed"].item(row) > self.world_model.parameters["give_up_months"]:
            yield self.intent("withdraw", key, mw, "MW", "hurdle", row, asked=asked, **found.figures())
        else:
            yield self.intent("wait", key, mw, "MW", "hurdle", row, asked=asked, **found.figures())

    def _consider_another(self, month: int, standing: list[tuple[int, int]]) -> Iterator[Intent]:
        """A further site, where the pipeline is empty and money would be well spent."""
        model, sites = self.world_model, self.state.sites
        mw = self.trait["unit_mw"]
        if mw <= 0.0 or self.trait["appetite_mw"] <= 0.0 or not model.ai_demand_exists:
            return
        already = [(row, status) for row, status in standing if HIDDEN < status < WITHDRAWN]
        for row, status in already:
            if status != ENERGISED and row not in self._plants and sites.sponsor.item(row):
                return  # something of its own is under way
        grown = sum(sites.mw.item(row) for row, _ in already if sites.originated.item(row))
        if grown + mw > self.trait["appetite_mw"] or sites.count >= len(sites.mw):
            return
        last = max((sites.announced.item(row) for row, _ in already), default=0)
        if month - max(last, 0) < model.parameters["origination_months"]:
            return
        own = [row for row, status in already if status == ENERGISED and row not in self._plants]
        if not own:
            return
        like = next((row for row in reversed(own) if sites.finance.item(row) != 0), own[-1])
        found = self.appraise(month, like)
        asked = self.threshold(like) * model.parameters["origination_margin"]
        if found.ratio >= asked:
            yield self.intent(
                "originate", f"{self.who}-{month}", mw, "MW", target=like, asked=asked, **found.figures()
            )

    # -- accelerators ------------------------------------------------------------------------
    def order(self, month: int) -> Iterator[Intent]:
        """Order for decided sites in time for their opening, and refill what has been scrapped if it pays."""
        model, sites, arrives = self.world_model, self.state.sites, month + self._lead
        refills = self.due(month)
        pays: bool | None = None
        for row, missing in model.short_of_chips.get(self.row, ()):
            if sites.status.item(row) == DECIDED:
                if sites.expected.item(row) > arrives or arrives < sites.ready.item(row) < NEVER:
                    continue
                left = (1.0 - sites.built.item(row)) * building_months(model, row)
                if math.floor(left) <= self._lead:
                    yield self._order(row, missing, month)
            elif refills:
                pays = self.refill_pays(month) if pays is None else pays
                if pays:
                    yield self._order(row, missing, month)

    def _order(self, row: int, amount: float, month: int) -> Intent:
        return self.intent("order", self.state.sites.key[row], amount, "GPU", target=row)

    def refill_pays(self, month: int) -> bool:
        """Whether one new accelerator in a standing building earns its price and the required return."""
        model, p = self.world_model, self.world_model.parameters
        vintage = model.vintage_for(month + self._lead)
        price = (
            model.chip_price(vintage, month)
            * (1.0 - self.lever("gpu_subsidy"))
            * (1.0 - self.lever("tax_credit"))
        )
        rent = (
            model.vintage_h100e.item(vintage)
            * 8760.0
            * p["availability"]
            * self.forecast(month, 1.0)
            * model.expected_use(month + 12)
        )
        cost = (
            model.vintage_kw.item(vintage)
            * p["gpu_power_factor"]
            * p["pue"]
            / 1000.0
            * 8760.0
            * p["load_factor"]
            * model.mean_site_price()
        )
        falls = 1.0 - p["world_compute_price_decline"]
        discount = 1.0 / (1.0 + float(model.outside.interest_rate[month]) + p["equity_premium"])
        value, weight = 0.0, discount
        for _ in range(round(p["gpu_life_months"] / 12.0)):
            value += (rent - cost) * weight
            rent, weight = rent * falls, weight * discount
        return bool(value >= price)

    def score(self, month: int) -> float:
        """Profit so far: what sites paid out less what they cost, and what stands at depreciated cost."""
        return self.world_model.profits().get(self.who, 0.0)
