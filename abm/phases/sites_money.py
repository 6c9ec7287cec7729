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
    state, sites, transfers = model.state, model.state.sites, model.transfers
    revenue = model.compute_month.site_revenue
    shares = np.array([revenue.get(row, 0.0) for row in rows.tolist()])
    total = float(shares.sum())
    owners, investors = len(model.owner_rows), len(model.cash)
    amounts = np.zeros(owners * (core.FLOWS + investors))
    flows = amounts[: owners * core.FLOWS].reshape(owners, core.FLOWS)
    dividends = amounts[owners * core.FLOWS :].reshape(owners, investors)
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
        model.cash,
        flows,
        dividends,
        sums,
    )
    model.ledger.post_lines(transfers.sites, amounts)
    model.supply.book_all(month, transfers.powered, amounts[: transfers.powered.size])
    called, interest, pooled, direct_mwh = sums.tolist()
    model.ledger.post("lenders", "treasury", "money", called, "guarantee call")
    model.public_month += called
    model.budget.total += called
    model.interest_earned += interest
    model.pooled_flow[month] += pooled
    model.direct_mwh += direct_mwh


def _capitalise_interest(model: Model, rate: float) -> None:
    """Interest on what sites under construction have drawn is lent on top."""
    sites = model.state.sites
    lent = np.zeros((len(model.owner_rows), 3))
    interest = core.capitalise(
        rate, sites.count, ENERGISED, sites.status, model.owner_number(), sites.loan, lent
    )
    model.ledger.post_lines(model.transfers.capitalised, lent.ravel())
    model.interest_earned += interest
