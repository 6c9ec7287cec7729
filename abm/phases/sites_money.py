"""Phase 9, sites: they earn, pay for power, operation, debt and tax, and pay out.

What a project cannot pay is called from guarantees and the rest becomes arrears, while a corporate
site's owner pays in. All sites settle in one compiled pass (:mod:`abm.core.sites.settle`) and are
booked by owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.core.sites import settle as core
from abm.state import ENERGISED

if TYPE_CHECKING:
    from abm.model import Model


def settle(model: Model, month: int, income: float, amounts: np.ndarray) -> float:
    """A month's cash of all sites, written to ``amounts``; ``income`` is what buyers paid for compute (currency).

    Returns what sites pay the grid utility.
    """
    terms = model.site_terms(month)
    billed = _run(model, month, terms, income, amounts) if len(model.compute_month.sites) else 0.0
    _capitalise_interest(model, float(terms[core.RATE]), amounts)
    return billed


def _run(model: Model, month: int, terms: np.ndarray, income: float, amounts: np.ndarray) -> float:
    state, sites, transfers = model.state, model.state.sites, model.transfers
    flows = amounts[transfers.flows]
    sums = np.zeros(core.SUMS)
    core.settle(
        terms,
        model.compute_month.sites,
        model.owner_number(),
        model.compute_month.site_revenue,
        income,
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
        flows.reshape(-1, core.FLOWS),
        amounts[transfers.dividends].reshape(-1, len(model.cash)),
        sums,
        np.empty(len(model.compute_month.sites)),
        np.empty(len(state.site_price)),
    )
    model.supply.book_all(month, transfers.powered, flows)
    called, interest, pooled, direct_mwh, billed = sums.tolist()
    amounts[transfers.called] = called
    model.public_month += called
    model.budget.total += called
    model.interest_earned += interest
    model.pooled_flow[month] += pooled
    model.direct_mwh += direct_mwh
    return float(billed)


def _capitalise_interest(model: Model, rate: float, amounts: np.ndarray) -> None:
    """Interest on what sites under construction have drawn is lent on top."""
    sites = model.state.sites
    lent = amounts[model.transfers.capitalised].reshape(-1, 3)
    interest = core.capitalise(
        rate, sites.count, ENERGISED, sites.status, model.owner_number(), sites.loan, lent
    )
    model.interest_earned += interest
