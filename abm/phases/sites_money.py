"""Phase 9, sites: they earn, pay for power, operation, debt and tax, and pay out.

What a project cannot pay is called from guarantees and the rest becomes arrears, while a corporate
site's owner pays in. All sites settle in one compiled pass (:mod:`abm.core.sites.settle`) and are
booked by owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.core.sites import settle as core
from abm.state import AI, ENERGISED

if TYPE_CHECKING:
    from abm.model import Model

_PAYS = (
    (core.DEBT_SERVICE, "lenders", "money", "debt service"),
    (core.ARREARS, "lenders", "debt", "arrears"),
    (core.TAX, "treasury", "money", "profit tax"),
    (core.OPERATION, "households", "money", "operation"),
)
"""What owners give: column, to whom, asset, cause. What goes to the utility and for direct purchases comes on top."""


def settle(model: Model, month: int, income: float) -> None:
    """A month's cash of all sites; ``income`` is what buyers paid for compute (currency)."""
    sites = model.state.sites
    rows = sites.rows(ENERGISED)
    rows = rows[sites.kind[rows] == AI]
    terms = model.site_terms(month)
    if len(rows):
        _run(model, month, rows, terms, income)
    _capitalise_interest(model, float(terms[core.RATE]))


def _run(model: Model, month: int, rows: np.ndarray, terms: np.ndarray, income: float) -> None:
    state, sites, ledger = model.state, model.state.sites, model.ledger
    revenue = model.compute_month.site_revenue
    shares = np.array([revenue.get(row, 0.0) for row in rows.tolist()])
    total = float(shares.sum())
    flows = np.zeros((len(model.owner_rows), core.FLOWS))
    dividends = np.zeros((len(model.owner_rows), len(model.investor)))
    sums = np.zeros(core.SUMS)
    core.settle(
        terms,
        rows,
        model.owner_number(),
        shares * (income / total if total > 0.0 else 0.0),
        sites.zone,
        sites.finance,
        sites.step["energised"],
        sites.shell_cost,
        sites.mw,
        sites.waived,
        sites.guaranteed,
        sites.tenor,
        model.paid_in,
        state.chips,
        model.vintage_kw,
        model.equity_paid,
        model.power_month.ai_load,
        state.site_price,
        sites.loan,
        model.months_served,
        model.arrears,
        flows,
        dividends,
        sums,
    )
    names, cash = model.investor_names, model.cash_of
    utility, seller = model.utility_account, model.direct_seller
    pays = (
        *_PAYS,
        (core.POWER, utility, "money", "power of sites"),
        (core.DIRECT, seller, "money", "direct purchase"),
    )
    for at in flows.any(axis=1).nonzero()[0].tolist():
        owner, own = model.account(model.owner_rows[at]), flows[at].tolist()
        ledger.post(owner, "compute revenue", "money", own[core.EARNED], "compute")
        for column, to, asset, cause in pays:
            ledger.post(to, owner, asset, own[column], cause)
        ledger.post(owner, "lenders", "debt", own[core.REPAYMENT], "repayment")
        model.supply.book(month, utility, owner, "power", own[core.ENERGY_MWH])
        cash[owner] = cash.get(owner, 0.0) + own[core.KEPT]
        for column in dividends[at].nonzero()[0].tolist():
            who, money = names[column], float(dividends[at, column])
            if who != owner:
                ledger.post(who, owner, "money", money, "dividend")
            cash[who] = cash.get(who, 0.0) + money
    calls = float(sums[core.CALLED])
    ledger.post("lenders", "treasury", "money", calls, "guarantee call")
    model.public_month += calls
    model.budget.total += calls
    model.interest_earned += float(sums[core.INTEREST])
    model.pooled_flow[month] += float(sums[core.POOLED])
    model.direct_mwh += float(sums[core.DIRECT_MWH])


def _capitalise_interest(model: Model, rate: float) -> None:
    """Interest on what sites under construction have drawn is lent on top."""
    sites, ledger = model.state.sites, model.ledger
    n = sites.count
    for row in ((sites.loan[:n] > 0.0) & (sites.status[:n] != ENERGISED)).nonzero()[0].tolist():
        interest, owner = float(sites.loan[row]) * rate, model.owner_key(row)
        ledger.post(owner, "lenders", "money", interest, "capitalised interest")
        ledger.post("lenders", owner, "money", interest, "interest")
        ledger.post("lenders", owner, "debt", interest, "capitalised interest")
        sites.loan[row] += interest
        model.interest_earned += interest
