"""Phase 9, sites: they earn, pay for power, operation, debt and tax, and pay out.

What a project cannot pay is called from guarantees and the rest becomes arrears, while a corporate
site's owner pays in. Everything is computed for all sites at once and booked by owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.state import AI, ENERGISED

if TYPE_CHECKING:
    from abm.model import Model

PROJECT = 2
"""Index of project finance in :data:`abm.state.FINANCE`."""


class _Books:
    """Sums of site figures by owner, posted to the ledger."""

    def __init__(self, model: Model, rows: np.ndarray):
        self.ledger = model.ledger
        self.owner = model.state.sites.owner[rows]
        self.owners = np.unique(self.owner)
        self.names = [model.account(int(owner)) for owner in self.owners]

    def sums(self, amounts: np.ndarray) -> list[float]:
        total = np.bincount(self.owner, amounts, int(self.owners[-1]) + 1)
        found: list[float] = total[self.owners].tolist()
        return found

    def pay(self, to: str, amounts: np.ndarray, cause: str, asset: str = "money") -> None:
        """Owners give ``amounts`` to ``to``."""
        for name, amount in zip(self.names, self.sums(amounts), strict=True):
            self.ledger.post(to, name, asset, amount, cause)

    def get(self, giver: str, amounts: np.ndarray, cause: str, asset: str = "money") -> None:
        """Owners receive ``amounts`` from ``giver``."""
        for name, amount in zip(self.names, self.sums(amounts), strict=True):
            self.ledger.post(name, giver, asset, amount, cause)


def settle(model: Model, month: int, income: float) -> None:
    """A month's cash of all sites; ``income`` is what buyers paid for compute (currency)."""
    sites, p = model.state.sites, model.parameters
    rate = (float(model.outside.interest_rate[month]) + p["loan_spread"]) / 12.0
    rows = sites.rows(ENERGISED)
    rows = rows[sites.kind[rows] == AI]
    if len(rows):
        books = _Books(model, rows)
        left = _operate(model, month, rows, books, income)
        left -= _serve_debt(model, rows, books, left, rate)
        young = month - sites.step["energised"][rows] < p["gpu_life_months"]
        written_off = np.where(young, model.paid_in[rows] / max(p["gpu_life_months"], 1.0), 0.0)
        tax = p["profit_tax"] * np.maximum(left - written_off, 0.0)
        books.pay("treasury", tax, "profit tax")
        _pay_out(model, month, rows, books, left - tax)
    _capitalise_interest(model, rate)


def _operate(model: Model, month: int, rows: np.ndarray, books: _Books, income: float) -> np.ndarray:
    """Revenue less power and operation, by site."""
    state, sites, p = model.state, model.state.sites, model.parameters
    revenue = model.compute_month.site_revenue
    shares = np.array([revenue.get(row, 0.0) for row in rows.tolist()])
    total = float(shares.sum())
    earned = shares * (income / total) if total > 0.0 else np.zeros(len(rows))
    books.get("compute revenue", earned, "compute")
    mw = model.site_powers(rows)
    zone = sites.zone[rows]
    by_zone = np.bincount(zone, mw, len(model.world.zones))[zone]
    energy = model.power_month.ai_load[zone] * np.divide(
        mw, by_zone, out=np.zeros(len(rows)), where=by_zone > 0.0
    )
    direct = model.direct_share_now * energy
    bill = energy * state.site_price[zone]
    straight = np.minimum(direct * p["direct_price"], bill)
    operation = p["operating_share"] * model.shell_budgets(rows) / 12.0
    books.pay(model.utility_account, bill - straight, "power of sites")
    books.pay(model.direct_seller, straight, "direct purchase")
    books.pay("households", operation, "operation")
    model.direct_mwh += float(direct.sum())
    for name, amount in zip(books.names, books.sums(energy), strict=True):
        model.supply.book(month, model.utility_account, name, "power", amount)
    found: np.ndarray = earned - bill - operation
    return found


def _serve_debt(
    model: Model, rows: np.ndarray, books: _Books, available: np.ndarray, rate: float
) -> np.ndarray:
    """Pay interest and principal; what left the owners' accounts, by site."""
    sites = model.state.sites
    loan = sites.loan[rows]
    owing = loan > 0.0
    if not owing.any():
        return np.zeros(len(rows))
    left = np.maximum(sites.tenor[rows] - model.months_served[rows], 1.0)
    due = loan * rate / (1.0 - (1.0 + rate) ** -left) if rate > 0.0 else loan / left
    model.months_served[rows] += owing
    due = np.minimum(due, loan * (1.0 + rate))
    interest = loan * rate
    recourse = sites.finance[rows] != PROJECT
    paid = np.where(recourse, due, np.minimum(due, np.maximum(available, 0.0)))
    called = sites.guaranteed[rows] * (due - paid)
    books.pay("lenders", paid, "debt service")
    calls = float(called.sum())
    model.ledger.post("lenders", "treasury", "money", calls, "guarantee call")
    model.public_month += calls
    model.budget.total += calls
    change = interest - paid - called
    books.pay("lenders", np.maximum(change, 0.0), "arrears", "debt")
    books.get("lenders", np.maximum(-change, 0.0), "repayment", "debt")
    sites.loan[rows] = np.maximum(loan + change, 0.0)
    short = due - paid - called
    model.arrears[rows] = np.where(
        owing,
        np.where(short > 1e-9, np.maximum(model.arrears[rows] + short, 0.0), 0.0),
        model.arrears[rows],
    )
    model.interest_earned += float((interest - np.maximum(short, 0.0)).sum())
    return paid


def _pay_out(model: Model, month: int, rows: np.ndarray, books: _Books, amount: np.ndarray) -> None:
    """Distribute what sites earned to their equity holders; a shortfall is paid in by the owner."""
    sites = model.state.sites
    held = model.equity_paid[rows]
    total = held.sum(axis=1)
    shared = (amount > 0.0) & (total > 0.0)
    alone = books.sums(np.where(shared, 0.0, amount))
    part = np.where(shared, amount, 0.0) / np.where(total > 0.0, total, 1.0)
    names = list(model.investor)
    cash = model.cash_of
    dividends = held * part[:, None]
    for owner, name, own in zip(books.owners.tolist(), books.names, alone, strict=True):
        cash[name] = cash.get(name, 0.0) + own
        to_each = dividends[books.owner == owner].sum(axis=0)
        for column in to_each.nonzero()[0].tolist():
            who, money = names[column], float(to_each[column])
            if who != name:
                model.ledger.post(who, name, "money", money, "dividend")
            cash[who] = cash.get(who, 0.0) + money
    model.pooled_flow[month] += float(amount[sites.finance[rows] == PROJECT].sum())


def _capitalise_interest(model: Model, rate: float) -> None:
    """Interest on what sites under construction have drawn is lent on top."""
    sites = model.state.sites
    n = sites.count
    rows = ((sites.loan[:n] > 0.0) & (sites.status[:n] != ENERGISED)).nonzero()[0]
    if not len(rows):
        return
    books = _Books(model, rows)
    interest = sites.loan[rows] * rate
    books.get("lenders", interest, "capitalised interest")
    books.pay("lenders", interest, "interest")
    books.pay("lenders", interest, "capitalised interest", "debt")
    sites.loan[rows] += interest
    model.interest_earned += float(interest.sum())
