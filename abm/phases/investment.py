"""Phase 3: owners and investors value projects and commit.

Understanding -> letter of intent (the application) -> decision -> drawdown. A decision needs its
whole cost covered: lenders bring what the cash flow carries and their exposure allows, owners bring
their part, investors bid for the rest, public funds close what is left. What is not covered is not
decided, and the log says who would not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from abm.calendar import NEVER
from abm.core.sites.stale import stale
from abm.decisions import Intent
from abm.state import ANNOUNCED, APPLIED, DECIDED, FAB, WITHDRAWN

if TYPE_CHECKING:
    from abm.model import Model


@dataclass(slots=True)
class Offer:
    """A project that looks for equity this month; money in currency."""

    row: int
    key: str
    owner: str
    zone: int
    cost: float
    debt: float
    support: float
    equity: float
    own: float
    """Equity that the owner brings."""
    ratio: float
    revenue: float
    bids: dict[str, float] = field(default_factory=dict)

    @property
    def sought(self) -> float:
        """Equity still looked for."""
        return max(self.equity - self.own - sum(self.bids.values()), 0.0)


def run(model: Model, month: int) -> None:
    offers: list[Offer] = []
    for agent in model.on_turn("investment", month):
        for intent in agent.act("investment", month):
            _resolve(model, month, intent, offers)
    model.offers = offers
    if offers:
        _lend(model, month)
        _raise_equity(model, month)
        for offer in offers:
            _close(model, month, offer)
        model.offers = []


def _resolve(model: Model, month: int, intent: Intent, offers: list[Offer]) -> None:
    sites, row, verb = model.state.sites, intent.target, intent.verb
    if verb == "hold":
        model.decisions.repeat(month, intent, 0.0, "not yet", every=10_000)
    elif verb == "wait":
        sites.wait_reason[row] = intent.bound
        model.decisions.repeat(month, intent, 0.0)
    elif verb == "apply":
        _apply(model, month, intent)
    elif verb == "move":
        pool = int(intent.amount)
        if model.world.pools.zone[pool] != sites.zone[row]:
            # Another local government has to be asked.
            sites.permit_due[row] = sites.step["permitted"][row] = NEVER
        sites.pool[row], sites.zone[row] = pool, model.world.pools.zone[pool]
        model.decisions.note(
            month,
            Intent(
                intent.who,
                "move",
                intent.subject,
                float(sites.mw[row]),
                "MW",
                intent.values,
                model.world.pools.keys[pool],
            ),
        )
    elif verb == "withdraw":
        sites.status[row] = WITHDRAWN
        sites.wait_reason[row] = intent.bound
        model.release_headroom(row)
        model.return_deposit(month, row)
        model.decisions.note(month, intent, granted=0.0)
    elif verb == "originate":
        _originate(model, month, intent)
    elif verb == "anchor":
        sites.anchor[row] = min(sites.anchor[row] + intent.amount, 0.95)
        model.decisions.note(month, intent)
    elif verb == "decide":
        if sites.kind[row] == FAB:
            _decided(model, month, row)
            model.decisions.note(month, intent)
        else:
            offers.append(_offer(model, row, intent))
    else:
        raise ValueError(f"{intent.who}: {verb!r} is no act of the investment phase")


def _apply(model: Model, month: int, intent: Intent) -> None:
    sites, row = model.state.sites, intent.target
    sites.status[row] = APPLIED
    if sites.step["applied"][row] == NEVER:
        sites.step["applied"][row] = month
    sites.study_due[row] = NEVER
    deposit = model.board.value("queue_deposit", month) * float(sites.mw[row]) * 1000.0
    if deposit > 0.0 and sites.deposit[row] == 0.0:
        sites.deposit[row] = deposit
        model.ledger.post("deposits", model.account(sites.owner[row]), "money", deposit, "queue deposit")
        model.utility.deposits += deposit
    model.decisions.note(month, intent)


def _originate(model: Model, month: int, intent: Intent) -> None:
    sites, like = model.state.sites, intent.target
    row = sites.count
    sites.count += 1
    sites.key.append(intent.subject)
    sites.programme.append(intent.subject)
    for name in ("owner", "zone", "pool", "kind", "finance", "own_use", "anchor"):
        getattr(sites, name)[row] = getattr(sites, name)[like]
    sites.finance[row] = max(int(sites.finance[like]), 1)
    sites.mw[row] = intent.amount
    months = int(model.parameters["study_months"] + model.parameters["substation_months"])
    sites.announced[row] = month
    sites.expected[row] = month + max(months, int(model.parameters["build_months"]))
    kw = float(model.world.vintages.kw[model.vintage_for(int(sites.expected[row]))])
    sites.gpus[row] = (
        intent.amount * 1000.0 / (kw * model.parameters["gpu_power_factor"] * model.parameters["pue"])
    )
    sites.originated[row] = True
    sites.status[row] = ANNOUNCED
    model.decisions.note(month, intent)


def _offer(model: Model, row: int, intent: Intent) -> Offer:
    sites, v = model.state.sites, intent.values
    cost, debt = v["cost"], v["debt"]
    support = min(model.support_due(row, v), cost - debt)
    equity = max(cost - debt - support, 0.0)
    return Offer(
        row,
        intent.subject,
        intent.who,
        int(sites.zone[row]),
        cost,
        debt,
        support,
        equity,
        0.0,
        v["value_over_outlay"],
        v.get("revenue", 0.0),
    )


def _lend(model: Model, month: int) -> None:
    approved = {offer.row: 0.0 for offer in model.offers}
    for agent in model.acting("lending"):
        for wish in agent.act("lending", month):
            intent = model.supply.shocked(month, wish, model.owner_key(wish.target), "debt")
            approved[intent.target] += intent.amount
            if intent.bound:
                model.decisions.note(month, intent, bound=intent.bound)
    for offer in model.offers:
        lent = min(offer.debt, approved[offer.row])
        offer.equity += offer.debt - lent
        offer.debt = lent


def _raise_equity(model: Model, month: int) -> None:
    """Owners first, then leading funds, then those who follow, then public funds."""
    for round_ in ("own-equity", "lead-equity", "follow-equity", "public-equity"):
        # All bid on the same state of the offers; what is bid beyond an offer's need is cut in proportion.
        intents = [intent for agent in model.acting(round_) for intent in agent.act(round_, month)]
        for intent in intents:
            if intent.verb == "refuse":
                model.decisions.repeat(month, intent, 0.0)
        for offer in model.offers:
            bids = [
                model.supply.shocked(month, intent, offer.owner, "capital")
                for intent in intents
                if intent.verb == "invest" and intent.target == offer.row
            ]
            total = math.fsum(intent.amount for intent in bids)
            if total <= 0.0:
                continue
            part = min(1.0, offer.sought / total)
            for intent in bids:
                if round_ == "own-equity":
                    offer.own += intent.amount * part
                else:
                    offer.bids[intent.who] = offer.bids.get(intent.who, 0.0) + intent.amount * part
                    model.invested_by(intent.who, intent.amount * part)


def _close(model: Model, month: int, offer: Offer) -> None:
    sites, state, row = model.state.sites, model.state, offer.row
    intent = Intent(
        offer.owner,
        "decide",
        offer.key,
        offer.cost,
        "money",
        {
            "debt": offer.debt,
            "support": offer.support,
            "own_equity": offer.own,
            "outside_equity": sum(offer.bids.values()),
            "value_over_outlay": offer.ratio,
        },
    )
    if offer.sought > 1e-6 * offer.cost:
        for who, amount in offer.bids.items():
            model.invested_by(who, -amount)
        sites.wait_reason[row] = "equity"
        model.decisions.repeat(
            month,
            Intent(
                offer.owner,
                "wait",
                offer.key,
                float(sites.mw[row]),
                "MW",
                {"equity_missing": offer.sought, "equity_needed": offer.equity},
            ),
            0.0,
            "equity",
        )
        return
    _decided(model, month, row)
    sites.cost[row], sites.support[row] = offer.cost, offer.support / offer.cost
    sites.loan_share[row] = offer.debt / offer.cost
    sites.guaranteed[row] = model.board.value("guarantee_share", month) if sites.finance[row] == 2 else 0.0
    sites.tenor[row] = 12.0 * min(
        model.parameters["chip_loan_years"], model.parameters["gpu_life_months"] / 12.0
    )
    shares = {offer.owner: offer.own, **offer.bids}
    for who, amount in shares.items():
        state.equity[row, model.investor[who]] = amount / offer.cost
        model.owner_spent(who if who == offer.owner else "", amount)
        if who != offer.owner:
            model.decisions.note(
                month, Intent(who, "invest", offer.key, amount, "money", {"value_over_outlay": offer.ratio})
            )
    model.committed_total += offer.cost
    for who, amount in offer.bids.items():
        placed = getattr(model.agent_of[who], "placed", None)
        if placed is not None:
            placed(offer.zone, amount)
    for who, amount in shares.items():
        model.committed_by[who] = model.committed_by.get(who, 0.0) + amount
    model.decisions.note(month, intent)


def _decided(model: Model, month: int, row: int) -> None:
    sites = model.state.sites
    sites.status[row] = DECIDED
    sites.step["decided"][row] = month
    sites.wait_reason[row] = ""
    if not model.world.zones.capital_region[int(sites.zone[row])]:
        sites.waived[row] = model.board.value("regional_siting_incentive", month)


def give_up_stale(model: Model, month: int) -> None:
    """Announcements without a sponsor fade from the list some time after their date."""
    sites = model.state.sites
    grace = int(model.parameters["give_up_months"])
    rows = np.empty(sites.count, np.int64)
    found = stale(sites.count, ANNOUNCED, month - grace, sites.status, sites.sponsor, sites.expected, rows)
    for row in rows[:found].tolist():
        sites.status[row] = WITHDRAWN
        sites.wait_reason[row] = "no sponsor"
        model.decisions.note(
            month,
            Intent(model.owner_key(row), "withdraw", sites.key[row], float(sites.mw[row]), "MW"),
            granted=0.0,
            bound="no sponsor",
        )
