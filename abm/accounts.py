"""Money of sites, investors, the state and the grid utility: who pays what to whom, through the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from abm.core.books import returns
from abm.core.sites import draw as drawing
from abm.core.sites import settle as core
from abm.queries import Queries
from abm.state import DECIDED, ENERGISED
from abm.transfers import GENERATORS


class Spending(NamedTuple):
    """Room for what is spent on sites in a month, in the order in which it is listed."""

    rows: np.ndarray
    """Sites; one may come more than once."""
    amounts: np.ndarray
    """Currency."""
    payees: np.ndarray
    """Whom it goes to: place among ``transfers.payee``."""


def spending_room(size: int) -> Spending:
    """For at most ``size`` payments."""
    return Spending(np.zeros(size, np.int64), np.zeros(size), np.zeros(size, np.int64))


def site_terms_of(p: Mapping[str, float]) -> np.ndarray:
    """Terms of sites' money that no month changes; the others are left at zero."""
    terms = np.zeros(core.TERMS)
    terms[core.DIRECT_PRICE] = p["direct_price"]
    terms[core.OPERATING_SHARE] = p["operating_share"]
    terms[core.SHELL_COST] = p["shell_cost"]
    terms[core.COST_FACTOR] = p["site_cost_factor"]
    terms[core.CONNECTION_COST] = p["connection_cost"]
    terms[core.PROFIT_TAX] = p["profit_tax"]
    terms[core.LIFE_MONTHS] = p["gpu_life_months"]
    terms[core.SHELL_MONTHS] = 12.0 * p["shell_life_years"]
    terms[core.MW_PER_KW] = p["gpu_power_factor"] * p["pue"] / 1000.0
    return terms


class Accounts(Queries):
    """Postings and sums over them; mixed into :class:`abm.model.Model`."""

    # -- the state ---------------------------------------------------------------------------
    def spend(self, month: int, amount: float, cause: str) -> None:
        """A programme's cost, within the envelope."""
        self.ledger.post("households", "treasury", "money", amount, cause)
        self._spent(amount)

    def pay_programmes(self, month: int) -> None:
        """What the levers in force cost this month, within the envelope."""
        costs = np.array(self.board.programme_costs(month)) / 12.0
        self.ledger.post_lines(self._programme_lines, costs)
        self._spent(sum(costs.tolist()))

    def _spent(self, amount: float) -> None:
        self.budget.spent += amount
        self.budget.total += amount
        self.public_month += amount

    def running_costs_to_come(self, month: int) -> float:
        """What the levers in force will still cost the budget this year."""
        left = 11 - self.calendar.month_of_year(month)
        return sum(self.board.programme_costs(month)) * left / 12.0

    def pay_public(self, month: int, amount: float, to: str, cause: str) -> None:
        """A purchase whose cost was set aside when it was ordered."""
        self.ledger.post(to, "treasury", "money", amount, cause)
        self.budget.total += amount
        self.public_month += amount

    @property
    def deployed_by(self) -> dict[str, float]:
        """Equity paid in so far, by investor."""
        return dict(zip(self.investor_names, self.deployed.tolist(), strict=True))

    def expected_guarantee_loss(self) -> float:
        sites = self.state.sites
        return self.arrears_share() * float((sites.loan * sites.guaranteed).sum())

    # -- sites -------------------------------------------------------------------------------
    def shell_budget(self, row: int, waived: float | None = None) -> float:
        """Cost of a site's building and connection, in currency; ``waived`` as decided unless it is given."""
        sites = self.state.sites
        spared = sites.waived[row] if waived is None else waived
        budget: float = core.shell_budget(self.site_terms_of_run, sites.shell_cost[row], sites.mw[row], spared)
        return budget

    def site_terms(self, month: int) -> np.ndarray:
        """The figures of the month and the run that sites' money depends on, for the compiled core."""
        terms = self.site_terms_of_run.copy()
        terms[core.RATE] = (float(self.outside.interest_rate[month]) + self.parameters["loan_spread"]) / 12.0
        terms[core.DIRECT_SHARE] = self.direct_share_now
        terms[core.MONTH] = month
        return terms

    def owner_number(self) -> np.ndarray:
        """(sites,) place of each site's owner in ``owner_rows``."""
        if self._owner_number[0] != self.state.sites.count:
            place = np.full(len(self.world.cast) + 1, -1, np.int64)
            place[self.owner_rows] = np.arange(len(self.owner_rows))
            self._owner_number = self.state.sites.count, place[self.state.sites.owner]
        return self._owner_number[1]

    def draw_all(self, month: int, count: int) -> None:
        """Spend on sites the first ``count`` of ``spending``: lenders, equity holders and public support pay their parts."""
        if not count:
            return
        sites, state, transfers = self.state.sites, self.state, self.transfers
        rows, amounts, payees = self.spending
        by_owner, sums = transfers.drawing
        drawing.draw(
            month,
            DECIDED,
            rows[:count],
            amounts[:count],
            payees[:count],
            self._support_of_refills(month),
            self.owner_number(),
            sites.status,
            sites.step["energised"],
            sites.finance,
            sites.cost,
            sites.support,
            sites.loan_share,
            state.equity,
            sites.loan,
            sites.drawn,
            self.paid_in,
            self.equity_paid,
            self.deployed,
            self.cash,
            transfers.drawn_edge,
            self.supply.flow[month],
            by_owner,
            sums,
        )
        self.ledger.post_lines(transfers.drawn, by_owner.ravel())
        supported, committed, deployed, pooled = sums.tolist()
        self.public_month += supported
        self.budget.total += supported
        self.committed_total += committed
        self.deployed_total += deployed
        self.pooled_flow[month] -= pooled

    def _support_of_refills(self, month: int) -> np.ndarray:
        """(payees,) share of a refill's price that subsidy and tax credit pay, as the levers stand this month."""
        subsidy, share = self.board.value("gpu_subsidy", month), self.transfers.support_of_refills
        share[drawing.CHIP_MAKERS :] = subsidy + (1.0 - subsidy) * self.board.value("tax_credit", month)
        return share

    def book_shares(self) -> np.ndarray:
        """(sites,) share of each site's cost that is not written off."""
        out = np.zeros(len(self.state.sites.mw))
        core.book_shares(*self._book_columns(), out)
        return out

    def _book_columns(self) -> tuple[Any, ...]:
        """What sites' book values depend on, as the compiled core takes it."""
        sites = self.state.sites
        return (
            self.site_terms(min(self.month, self.calendar.months - 1)), sites.count, sites.status,
            sites.step["energised"], ENERGISED, sites.shell_cost, sites.mw, sites.waived, self.paid_in, sites.gpus,
            self.state.chips, self.chip_age,
        )  # fmt: skip

    def profits(self) -> dict[str, float]:
        """By investor: paid out less paid in, plus the book value of what it holds (sites, deposits with chip makers).

        Worked out when first asked for in a month, and kept until it is closed or forgotten: what moves in between
        does not show.
        """
        kept = self._profits
        if kept is not None and kept[0] == self.ledger.closed:
            return kept[1]
        values = np.empty(len(self.investor))
        core.profits(
            *self._book_columns(), self.owner_number(), self.equity_paid, self.chip_deposits, self.cash,
            np.empty(len(self.state.sites.mw)), values,
        )  # fmt: skip
        found = dict(zip(self.investor_names, values.tolist(), strict=True))
        self._profits = self.ledger.closed, found
        return found

    def forget_profits(self) -> None:
        self._profits = None

    def invested_by(self, who: str, amount: float) -> None:
        """Move an investor's committed budget by a bid taken or given back."""
        agent = self.agent_of[who]
        if hasattr(agent, "committed"):
            agent.committed += amount

    def owner_spent(self, who: str, amount: float) -> None:
        agent = self.agent_of.get(who)
        if agent is not None and hasattr(agent, "spent_this_year"):
            agent.spent_this_year += amount

    def support_due(self, row: int, figures: Any) -> float:
        return float(figures.get("support", 0.0))

    # -- lenders and the grid utility --------------------------------------------------------
    def arrears_share(self) -> float:
        loans = float(self.state.sites.loan.sum())
        return min(float(self.arrears.sum()) / loans, 1.0) if loans > 0.0 else 0.0

    def loans_and_promises(self) -> float:
        """Loans outstanding and what decided sites may still draw."""
        sites = self.state.sites
        rows = sites.rows(DECIDED)
        undrawn = np.maximum(sites.cost[rows] - sites.drawn[rows], 0.0) * sites.loan_share[rows]
        return float(sites.loan.sum() + undrawn.sum())

    def bonds(self) -> float:
        """The part of the grid utility's debt that counts against the bond limit."""
        return float(self.utility.debt) * self.parameters["utility_bond_share"]

    def margin_of(self, group: str) -> float:
        """What a group of generators has kept so far: settlement less fuel, running cost and carbon."""
        return float(self.generator_margin[GENERATORS.index(group)])

    def return_deposit(self, month: int, row: int) -> None:
        """A withdrawn application's deposit is forfeited; it stays with the utility."""
        deposit = float(self.state.sites.deposit[row])
        if deposit > 0.0:
            self.ledger.post(self.utility_account, "deposits", "money", deposit, "deposit forfeited")
            self.utility.deposits -= deposit
            self.state.sites.deposit[row] = 0.0

    def pay_chip_deposit(self, month: int, row: int, amount: float) -> None:
        """An owner pays ``amount`` with its order for accelerators; it gets it back when they are delivered."""
        owner = self.owner_key(row)
        self.ledger.post("chip deposits", owner, "money", amount, "chip deposit")
        self.cash[self.investor[owner]] -= amount
        self.chip_deposits[row] += amount
        if self.state.sites.finance[row] == 2:
            self.pooled_flow[month] -= amount

    def refund_deposit(self, row: int) -> None:
        deposit = float(self.state.sites.deposit[row])
        if deposit > 0.0:
            self.ledger.post(self.owner_key(row), "deposits", "money", deposit, "deposit refunded")
            self.utility.deposits -= deposit
            self.state.sites.deposit[row] = 0.0

    def pooled_irr(self, month: int) -> float:
        """Yearly return of all equity in project-financed sites, with what is held at book value."""
        flows = self.pooled_flow[: month + 1].copy()
        sites = self.state.sites
        rows = np.flatnonzero(sites.finance[: sites.count] == 2)
        flows[-1] += float(self.equity_paid[rows].sum(axis=1) @ self.book_shares()[rows])
        flows[-1] += float(self.chip_deposits[rows].sum())
        monthly = returns.internal_rate(flows)
        return float((1.0 + monthly) ** 12 - 1.0)
