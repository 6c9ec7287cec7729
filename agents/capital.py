"""Capital: funds, pension funds, policy banks, lenders, and customers who build."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from abm.decisions import Intent
from abm.stakeholder import Stakeholder
from abm.state import AI, ENERGISED, PASSED
from agents.owners import Owner

if TYPE_CHECKING:
    from abm.model import Model


class Investor(Stakeholder):
    """Shared by all who put equity into others' sites: a yearly budget and a score."""

    TRAITS: ClassVar[Mapping[str, str]] = {"commit_year": "currency/year", "largest_share": "share"}

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self.committed = 0.0

    def budget_left(self, month: int) -> float:
        """What may still be committed: a month's twelfth accrues, unused budget is kept for two years."""
        accrued = self.trait["commit_year"] / 12.0 * (month + 1)
        return float(max(min(accrued - self.committed, 2.0 * self.trait["commit_year"]), 0.0))

    def score(self, month: int) -> float:
        """Paid out so far plus the book value of what is held, less what was paid in."""
        return self.world_model.profits().get(self.who, 0.0)


class Fund(Investor):
    """A fund that leads (BlackRock, GIP and the like): appraises for itself, pilots before it scales.

    It bids for a project whose value over outlay, at its own required return, reaches one. Until
    the trait ``pilot_sites`` of the projects it backs are running, its commitments stay below the
    trait ``pilot``; after that its whole budget counts. Openness to foreign capital scales what a
    foreign fund may hold of one project; the credibility of the programme and the country's risk against
    the market's scale its appetite.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        **Investor.TRAITS,
        "beta": "ratio",
        "exposure": "ratio",
        "pilot": "currency",
        "pilot_sites": "site",
    }
    READS: ClassVar[tuple[str, ...]] = ("foreign_capital_openness",)
    PHASES: ClassVar[tuple[str, ...]] = ("lead-equity",)

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        model = self.world_model
        left = self.budget_left(month)
        proven = self.running_sites() >= self.trait["pilot_sites"]
        if not proven:
            left = min(left, self.trait["pilot"] - self.committed)
        left *= min(2.0 * model.credibility, 1.0) * self.risk_budget(month)
        for offer in sorted(model.offers, key=lambda o: (-o.ratio, o.row)):
            if self.state.sites.finance[offer.row] != 2 or offer.sought <= 0.0:
                continue
            excess = self.extra_return(month, offer.owner)
            worth = offer.ratio * math.exp(-excess * 3.0)
            if worth < 1.0:
                yield self.intent(
                    "refuse", offer.key, offer.sought, "money", "hurdle", offer.row, value_over_outlay=worth
                )
                continue
            share = self.trait["largest_share"]
            if self.foreign:
                share = min(share * 2.0 * self.lever("foreign_capital_openness"), 1.0)
            bid = min(share * offer.equity, offer.sought, max(left, 0.0))
            if bid <= 0.0:
                yield self.intent(
                    "refuse", offer.key, offer.sought, "money", "pilot" if not proven else "budget", offer.row
                )
                continue
            left -= bid
            yield self.intent("invest", offer.key, bid, "money", target=offer.row, value_over_outlay=worth)

    def risk_budget(self, month: int) -> float:
        """Share of the budget that country risk leaves: what the market's risk pays over what this country's asks."""
        premium = self.world_model.parameters["equity_premium"]
        risk = self.trait["exposure"] * float(self.world_model.outside.country_risk[month])
        return premium / (premium + risk) if premium + risk > 0.0 else 1.0

    def extra_return(self, month: int, owner: str) -> float:
        """How much more than the project's owner this investor asks for, a year (less, where it is negative)."""
        p, theirs = self.world_model.parameters, self.world_model.agent_of[owner].trait
        return float(
            (self.trait["beta"] - theirs["beta"]) * p["equity_premium"]
            + (self.trait["exposure"] - theirs["exposure"]) * self.world_model.outside.country_risk[month]
        )

    def running_sites(self) -> int:
        sites, column = self.state.sites, self.world_model.investor[self.who]
        held = self.state.equity[: sites.count, column] > 0.0
        return int((held & (sites.status[: sites.count] == ENERGISED)).sum())


class Pension(Investor):
    """Follows: joins a project only where a leading fund or its owner already carries a fifth of the equity."""

    PHASES: ClassVar[tuple[str, ...]] = ("follow-equity",)

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        left = self.budget_left(month)
        for offer in sorted(self.world_model.offers, key=lambda o: (-o.ratio, o.row)):
            led = offer.own + sum(offer.bids.values())
            if self.state.sites.finance[offer.row] != 2 or led < 0.2 * offer.equity:
                continue
            bid = min(self.trait["largest_share"] * offer.equity, offer.sought, left)
            if bid > 0.0:
                left -= bid
                yield self.intent("invest", offer.key, bid, "money", target=offer.row)


class PolicyBank(Investor):
    """Closes gaps with the growth fund: where private equity covers the trait ``private_first``.

    The yearly fund accrues by month; the trait ``regional_share`` of it is kept for sites outside
    the capital region.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        **Investor.TRAITS,
        "private_first": "share",
        "regional_share": "share",
    }
    READS: ClassVar[tuple[str, ...]] = ("growth_fund",)
    PHASES: ClassVar[tuple[str, ...]] = ("public-equity",)

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self.accrued = 0.0
        self.in_capital_region = 0.0
        self._seen = -1

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        world = self.world_model.world
        left = self.fund(month) - self.committed
        for offer in self.world_model.offers:
            if self.state.sites.finance[offer.row] != 2 or offer.sought <= 0.0:
                continue
            private = offer.own + sum(offer.bids.values())
            if private < self.trait["private_first"] * offer.equity:
                yield self.intent("refuse", offer.key, offer.sought, "money", "private share", offer.row)
                continue
            room = left
            if world.zones.capital_region[offer.zone]:
                room = min(room, (1.0 - self.trait["regional_share"]) * self.accrued - self.in_capital_region)
            bid = min(offer.sought, self.trait["largest_share"] * offer.equity, max(room, 0.0))
            if bid <= 0.0:
                yield self.intent("refuse", offer.key, offer.sought, "money", "fund", offer.row)
                continue
            left -= bid
            yield self.intent("invest", offer.key, bid, "money", target=offer.row)

    def placed(self, zone: int, amount: float) -> None:
        """A bid became a decision: it counts against the capital region's part."""
        if self.world_model.world.zones.capital_region[zone]:
            self.in_capital_region += amount

    def fund(self, month: int) -> float:
        """All of the growth fund that has accrued by now."""
        board = self.world_model.board
        while self._seen < month:
            self._seen += 1
            self.accrued += board.value("growth_fund", self._seen) / 12.0
        return self.accrued


class Lender(Stakeholder):
    """Lends what coverage allows until the sector limit is used up, best cover first.

    The limit (trait ``sector_limit``, outstanding and undrawn) is cut by the share of loans in
    arrears times the trait ``caution``.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {"sector_limit": "currency", "caution": "ratio"}
    PHASES: ClassVar[tuple[str, ...]] = ("lending",)

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        model = self.world_model
        limit = self.trait["sector_limit"] * max(1.0 - self.trait["caution"] * model.arrears_share(), 0.0)
        room = max(limit - model.loans_and_promises(), 0.0)
        for offer in sorted(model.offers, key=lambda o: (-o.ratio, o.row)):
            lent = min(offer.debt, room)
            room -= lent
            yield self.intent(
                "lend",
                offer.key,
                lent,
                "money",
                "sector limit" if lent < offer.debt - 1.0 else "",
                offer.row,
                asked=offer.debt,
            )

    def score(self, month: int) -> float:
        """Interest earned so far less what guarantees did not cover of arrears."""
        return self.world_model.interest_earned


class Developer(Owner):
    """Builds with other people's money: brings ``sponsor_share`` of the equity, sells what capacity it has."""

    PHASES: ClassVar[tuple[str, ...]] = ("investment", "own-equity", "orders")
    RULES: ClassVar[Mapping[str, str]] = {**Owner.RULES, "own-equity": "bring_equity"}

    def bring_equity(self, month: int) -> Iterator[Intent]:
        left = max(self.trait["capital_budget"] / 12.0 * (month + 1) - self.spent_this_year, 0.0)
        for offer in self.world_model.offers:
            if offer.owner != self.who:
                continue
            wish = (
                offer.equity
                if self.state.sites.finance[offer.row] != 2
                else self.trait["sponsor_share"] * offer.equity
            )
            bring = min(wish, left)
            left -= bring
            yield self.intent("invest", offer.key, bring, "money", target=offer.row)


class BuildingCustomer(Developer):
    """A cloud or model company from abroad that builds for itself and signs offtake with others.

    Once a year, where data rules are at least as open as the trait ``data_asked`` and regional
    demand grew, it signs for a share of one passed site that is not its own; contracted revenue
    lets that site carry more debt.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {**Owner.TRAITS, "data_asked": "index", "offtake": "share"}
    READS: ClassVar[tuple[str, ...]] = (*Owner.READS, "data_openness")

    def review(self, month: int) -> Iterator[Intent]:
        if self.lever("data_openness") >= self.trait["data_asked"]:
            yield from super().review(month)
            if month % 12 < max(int(self.world_model.parameters["review_months"]), 1):
                yield from self.sign(month)

    def sign(self, month: int) -> Iterator[Intent]:
        sites = self.state.sites
        rows = sites.rows(PASSED)
        rows = rows[(sites.kind[rows] == AI) & (sites.finance[rows] == 2) & (sites.owner[rows] != self.row)]
        if len(rows):
            row = int(rows[np.argmin(sites.anchor[rows])])
            yield self.intent("anchor", sites.key[row], self.trait["offtake"], "share", target=row)
