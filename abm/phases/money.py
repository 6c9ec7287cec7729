"""Phase 9: money moves, all of it through the ledger.

Compute is paid for, sites settle (:mod:`abm.phases.sites_money`), startups settle, and the grid utility
buys energy, pays capacity, operation and interest, invests, and borrows what is missing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from abm.core.books import generators
from abm.phases import sites_money as sites
from abm.population import BOOKS
from abm.transfers import BUYERS

if TYPE_CHECKING:
    from abm.model import Model


def run(model: Model, month: int) -> None:
    """All that moves is written into one row of amounts, line by line of ``model.transfers``, and posted together."""
    amounts = np.zeros(len(model.transfers.money))
    income = _compute_is_paid(model, amounts)
    billed = sites.settle(model, month, income, amounts)
    if model.startups.groups:
        amounts[model.transfers.startups] = [model.startup_month[total] for _, total in BOOKS]
    _power_is_paid(model, month, amounts, billed)
    model.ledger.post_lines(model.transfers.money, amounts)


def _compute_is_paid(model: Model, amounts: np.ndarray) -> float:
    """Buyers pay owners for hours at home, and the rest of the world for imported ones; what owners get."""
    found, share = model.compute_month, model.compute_month.sold_share
    spot = [found.paid.get(buyer, 0.0) for buyer in BUYERS]
    home, away = [money * share for money in spot], [money * (1.0 - share) for money in spot[:-1]]
    vouchers = model.startup_month.get("voucher_paid", 0.0)
    others = [found.captive_paid, found.reserved_paid, found.contract_paid, vouchers, found.hosting_paid]
    amounts[model.transfers.compute] = [*home, *away, *others, found.state_income]
    model.public_month += found.paid["research"] + found.hosting_paid
    model.budget.total += found.hosting_paid
    return float(sum(home) + sum(others) - found.state_income)


def _energy_is_bought(model: Model, month: int, amounts: np.ndarray) -> float:
    """The utility pays generators, and they pay for fuel and carbon; what it paid."""
    found, transfers = model.power_month, model.transfers
    paid = generators.buy(
        found.generation,
        found.settlement,
        found.capacity_payment,
        found.fuel_cost,
        model.power.emission,
        model.power.weatherly,
        transfers.generator_group,
        transfers.generator_edge,
        model.board.value("carbon_price", month),
        model.direct_mwh,
        amounts[transfers.generators].reshape(generators.PARTS, -1),
        model.generator_margin,
        model.supply.flow[month],
    )
    model.direct_mwh = 0.0
    return float(paid)


def _power_is_paid(model: Model, month: int, amounts: np.ndarray, billed: float) -> None:
    """``billed``: what the utility gets from AI sites."""
    p, books, transfers, found = model.parameters, model.utility, model.transfers, model.power_month
    sales = found.load_mwh * p["sales_share"]
    regional = model.board.value("regional_pricing", month)
    sold = sales * books.tariff
    purchases = _energy_is_bought(model, month, amounts)
    operation = p["utility_operation"] / 12.0
    interest = books.debt * (float(model.outside.interest_rate[month]) + p["utility_spread"]) / 12.0
    revenue = sold + billed
    model.utility_cash_flow = revenue - purchases - operation - interest
    invested = 0.0
    for agent in model.acting("grid-investment"):
        for intent in agent.act("grid-investment", month):
            invested = intent.values["granted"]
            books.funded = invested / intent.values["base"] if intent.values["base"] > 0.0 else 1.0
            books.plan = intent.amount
            model.decisions.repeat(month, intent, invested, intent.bound)
    extra = model.ledger.moved("money", "deposit forfeited")
    missing = purchases + operation + interest + invested - revenue - extra
    lent, repaid = max(missing, 0.0), max(-missing, 0.0)
    # A utility without debt earns interest on what it holds.
    charged, earned = max(interest, 0.0), max(-interest, 0.0)
    amounts[transfers.of_utility] = [
        sold, operation, invested, charged, earned, lent, lent, repaid, repaid,
    ]  # fmt: skip
    books.debt += missing
    depreciation = p["utility_depreciation"] / 12.0
    books.capital = max(
        books.capital + revenue - purchases - operation - interest - depreciation, p["utility_capital_floor"]
    )
    books.purchase_cost = purchases
    volume = sales + found.ai_mwh
    model.cost_history.append((purchases + operation + interest + depreciation, volume))
    recent = model.cost_history[-12:]
    costs, volumes = zip(*recent, strict=True)
    books.cost_per_mwh = math.fsum(costs) / max(math.fsum(volumes), 1.0)
    for agent in model.acting("tariff"):
        for intent in agent.act("tariff", month):
            if intent.verb == "set-tariff":
                books.tariff = max(intent.amount, 0.0)
                model.decisions.note(month, intent)
            else:
                model.decisions.repeat(month, intent, 0.0, every=6)
    model.price_cap = math.inf
    for agent in model.acting("settlement"):
        for intent in agent.act("settlement", month):
            model.price_cap = intent.amount
            model.decisions.repeat(month, intent, intent.amount, "emergency", every=3)
    usual, d = books.tariff * p["site_tariff_ratio"], model.direct_share_now
    direct = d * (p["direct_price"] + p["wheeling_charge"])
    model.state.site_price[:] = [
        max((1.0 - d) * (usual + regional * (price - found.price)) + direct, 0.0)
        for price in found.zone_price.tolist()
    ]
