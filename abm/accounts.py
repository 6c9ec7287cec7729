"""Money of sites, investors, the state and the grid utility: who pays what to whom, through the ledger."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from abm.core.sites import settle as core
from abm.decisions import Intent
from abm.queries import Queries
from abm.state import DECIDED, ENERGISED

if TYPE_CHECKING:
    pass


class Accounts(Queries):
    """Postings and sums over them; mixed into :class:`abm.model.Model`."""

    # -- the state ---------------------------------------------------------------------------
    def spend(self, month: int, amount: float, cause: str) -> None:
        """A programme's cost, within the envelope."""
        self.ledger.post("households", "treasury", "money", amount, cause)
        self.budget.spent += amount
        self.budget.total += amount
        self.public_month += amount

    def running_costs_to_come(self, month: int) -> float:
        """What the levers in force will still cost the budget this year."""
        left = 11 - self.calendar.month_of_year(month)
        return sum(cost for _, cost in self.board.programme_costs(month)) * left / 12.0

    def pay_public(self, month: int, amount: float, to: str, cause: str) -> None:
        """A purchase whose cost was set aside when it was ordered."""
        self.ledger.post(to, "treasury", "money", amount, cause)
        self.budget.total += amount
        self.public_month += amount

    def expected_guarantee_loss(self) -> float:
        sites = self.state.sites
        return self.arrears_share() * float((sites.loan * sites.guaranteed).sum())

    # -- sites -------------------------------------------------------------------------------
    def shell_budget(self, row: int, waived: float | None = None) -> float:
        """Cost of a site's building and connection, in currency; ``waived`` as decided unless it is given."""
        sites, p = self.state.sites, self.parameters
        given, mw = float(sites.shell_cost[row]), float(sites.mw[row])
        shell = (mw * p["shell_cost"] if math.isnan(given) else given) * p["site_cost_factor"]
        spared = float(sites.waived[row]) if waived is None else waived
        return shell + mw * p["connection_cost"] * (1.0 - spared)

    def site_terms(self, month: int) -> np.ndarray:
        """The figures of the month and the run that sites' money depends on, for the compiled core."""
        p, terms = self.parameters, np.empty(core.TERMS)
        terms[core.RATE] = (float(self.outside.interest_rate[month]) + p["loan_spread"]) / 12.0
        terms[core.DIRECT_SHARE] = self.direct_share_now
        terms[core.DIRECT_PRICE] = p["direct_price"]
        terms[core.OPERATING_SHARE] = p["operating_share"]
        terms[core.SHELL_COST] = p["shell_cost"]
        terms[core.COST_FACTOR] = p["site_cost_factor"]
        terms[core.CONNECTION_COST] = p["connection_cost"]
        terms[core.PROFIT_TAX] = p["profit_tax"]
        terms[core.LIFE_MONTHS] = p["gpu_life_months"]
        terms[core.SHELL_MONTHS] = 12.0 * p["shell_life_years"]
        terms[core.MW_PER_KW] = p["gpu_power_factor"] * p["pue"] / 1000.0
        terms[core.MONTH] = month
        return terms

    def owner_number(self) -> np.ndarray:
        """(sites,) place of each site's owner in ``owner_rows``."""
        if self._owner_number[0] != self.state.sites.count:
            place = np.full(len(self.world.cast) + 1, -1, np.int64)
            place[self.owner_rows] = np.arange(len(self.owner_rows))
            self._owner_number = self.state.sites.count, place[self.state.sites.owner]
        return self._owner_number[1]

    def draw(self, month: int, row: int, amount: float, to: str) -> None:
        """Spend on a site: lenders, equity holders and public support pay their parts."""
        if amount <= 0.0:
            return
        sites, state, ledger = self.state.sites, self.state, self.ledger
        owner = self.owner_key(row)
        fresh = sites.status[row] == DECIDED or month - sites.step["energised"][row] <= 12
        shares = state.equity[row]
        holders = shares.nonzero()[0].tolist() if fresh else []
        support = amount * (
            float(sites.support[row])
            if fresh and sites.cost[row] > 0.0
            else self._support_of_chips(month, to)
        )
        debt = float(sites.loan_share[row]) * amount if fresh else 0.0
        rest = amount - support - debt
        ledger.post(owner, "treasury", "money", support, "support of sites")
        self.public_month += support
        self.budget.total += support
        ledger.post(owner, "lenders", "money", debt, "loan")
        ledger.post("lenders", owner, "debt", debt, "loan")
        sites.loan[row] += debt
        if debt > 0.0:
            self.supply.book(month, self.lender_account, owner, "debt", debt)
        if holders:
            total = float(shares.sum())
            for column in holders:
                self._pay_in(
                    month, self.investor_names[column], owner, row, rest * float(shares[column]) / total
                )
        else:
            self._pay_in(month, owner, owner, row, rest)
        ledger.post(to, owner, "money", amount, "investment in sites")
        self.paid_in[row] += amount
        if not fresh or sites.cost[row] == 0.0:
            # Refills, and sites under way at the start, are committed when they are paid for.
            self.committed_total += amount
        sites.drawn[row] += amount
        self.deployed_total += amount - support

    def _support_of_chips(self, month: int, maker: str) -> float:
        """Share of a refill's price that subsidy and tax credit pay, as the levers stand this month."""
        if maker not in self.makers:
            return 0.0
        subsidy = self.board.value("gpu_subsidy", month)
        return subsidy + (1.0 - subsidy) * self.board.value("tax_credit", month)

    def _pay_in(self, month: int, who: str, owner: str, row: int, amount: float) -> None:
        if amount <= 0.0:
            return
        if who != owner:
            self.ledger.post(owner, who, "money", amount, "equity")
            self.supply.book(month, who, owner, "capital", amount)
        self.ledger.post(who, f"equity of {owner}", "equity", amount, "equity")
        self.deployed_by[who] = self.deployed_by.get(who, 0.0) + amount
        self.equity_paid[row, self.investor[who]] += amount
        self.cash_of[who] = self.cash_of.get(who, 0.0) - amount
        if self.state.sites.finance[row] == 2:
            self.pooled_flow[month] -= amount

    def book_shares(self) -> np.ndarray:
        """(sites,) share of each site's cost that is not written off."""
        sites, state = self.state.sites, self.state
        out = np.zeros(len(sites.mw))
        core.book_shares(
            self.site_terms(min(self.month, self.calendar.months - 1)),
            sites.count,
            sites.status,
            sites.step["energised"],
            ENERGISED,
            sites.shell_cost,
            sites.mw,
            sites.waived,
            self.paid_in,
            sites.gpus,
            state.chips,
            self.chip_age,
            out,
        )
        return out

    def book_values(self) -> np.ndarray:
        """(investors,) undepreciated equity held in sites, and what owners have deposited with chip makers.

        Kept until it is forgotten or a month is closed.
        """
        if self._book_values is None or self._book_values[0] != self.ledger.closed:
            values = self.book_shares() @ self.equity_paid
            # Owners are the first of the investors, in the order of their rows.
            values[: len(self.owner_rows)] += self.by_owner(self.chip_deposits)
            self._book_values = self.ledger.closed, values
        return self._book_values[1]

    def by_owner(self, by_site: np.ndarray) -> np.ndarray:
        """(owners,) sums over each owner's sites, in the order of ``owner_rows``."""
        n = self.state.sites.count
        return np.bincount(self.owner_number()[:n], by_site[:n], len(self.owner_rows))

    def forget_book_values(self) -> None:
        self._book_values = None

    def investor_profit(self, who: str) -> float:
        """Paid out less paid in, plus book value."""
        column = self.investor.get(who)
        if column is None:
            return float(self.cash_of.get(who, 0.0))
        return float(self.cash_of.get(who, 0.0)) + float(self.book_values()[column])

    def owner_profit(self, cast_row: int) -> float:
        return self.investor_profit(self.account(cast_row))

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

    def return_deposit(self, month: int, row: int) -> None:
        """A withdrawn application's deposit is forfeited; it stays with the utility."""
        deposit = float(self.state.sites.deposit[row])
        if deposit > 0.0:
            self.ledger.post(self.utility_account, "deposits", "money", deposit, "deposit forfeited")
            self.utility.deposits -= deposit
            self.state.sites.deposit[row] = 0.0

    def pay_chip_deposit(self, month: int, row: int, amount: float) -> None:
        """An owner pays ``amount`` with its order for accelerators; back it comes (< 0) when they are delivered."""
        owner = self.owner_key(row)
        if amount > 0.0:
            self.ledger.post("chip deposits", owner, "money", amount, "chip deposit")
        elif amount < 0.0:
            self.ledger.post(owner, "chip deposits", "money", -amount, "chip deposit returned")
        self.cash_of[owner] = self.cash_of.get(owner, 0.0) - amount
        self.chip_deposits[row] += amount
        if self.state.sites.finance[row] == 2:
            self.pooled_flow[month] -= amount

    def refund_deposit(self, row: int) -> None:
        deposit = float(self.state.sites.deposit[row])
        if deposit > 0.0:
            self.ledger.post(self.owner_key(row), "deposits", "money", deposit, "deposit refunded")
            self.utility.deposits -= deposit
            self.state.sites.deposit[row] = 0.0

    def note_scarcity(self, month: int, row: int, what: str) -> None:
        """Crews or cooling did not reach for what a site under way wanted."""
        sites = self.state.sites
        self.decisions.repeat(
            month,
            Intent(self.owner_key(row), "slow", sites.key[row], float(sites.mw[row]), "MW"),
            0.0,
            what,
            every=24,
        )

    def pooled_irr(self, month: int) -> float:
        """Yearly return of all equity in project-financed sites, with what is held at book value."""
        flows = self.pooled_flow[: month + 1].copy()
        sites = self.state.sites
        rows = np.flatnonzero(sites.finance[: sites.count] == 2)
        flows[-1] += float(self.equity_paid[rows].sum(axis=1) @ self.book_shares()[rows])
        flows[-1] += float(self.chip_deposits[rows].sum())
        if not (flows < 0.0).any() or not (flows > 0.0).any():
            return math.nan
        power = np.arange(len(flows))

        def value(rate: float) -> float:
            return float((flows * (1.0 + rate) ** -power).sum())

        low, high = -0.1, 0.2
        if value(low) < 0.0 or value(high) > 0.0:
            return math.nan
        for _ in range(80):
            middle = 0.5 * (low + high)
            if value(middle) > 0.0:
                low = middle
            else:
                high = middle
        return (1.0 + 0.5 * (low + high)) ** 12 - 1.0
