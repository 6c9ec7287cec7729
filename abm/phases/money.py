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
from abm.population import ACCOUNT

if TYPE_CHECKING:
    from abm.model import Model


def run(model: Model, month: int) -> None:
    income = _compute_is_paid(model)
    sites.settle(model, month, income)
    _startups_settle(model)
    _power_is_paid(model, month)


def _compute_is_paid(model: Model) -> float:
    """Buyers pay owners for hours at home, and the rest of the world for imported ones; what owners get."""
    ledger, found = model.ledger, model.compute_month
    home, pool = found.sold_share, "compute revenue"
    paid = 0.0
    for buyer, money in found.paid.items():
        who = {"abroad": "world", "startups": ACCOUNT, "research": "treasury"}.get(buyer, buyer)
        ledger.post(pool, who, "money", money * home, "compute")
        paid += money * home
        if buyer == "research":
            model.public_month += money
        if who != "world":
            ledger.post("world", who, "money", money * (1.0 - home), "imported compute")
    vouchers = model.startup_month.get("voucher_paid", 0.0)
    ahead = found.contract_paid
    ledger.post(pool, "industry", "money", found.captive_paid, "own compute")
    ledger.post(pool, "industry", "money", found.reserved_paid, "reserved compute")
    ledger.post(pool, ACCOUNT, "money", ahead, "reserved compute")
    ledger.post(pool, ACCOUNT, "money", vouchers, "vouchers")
    ledger.post("treasury", pool, "money", found.state_income, "hours of state machines")
    ledger.post(pool, "treasury", "money", found.hosting_paid, "hosting of state machines")
    model.public_month += found.hosting_paid
    model.budget.total += found.hosting_paid
    return float(
        paid
        + found.captive_paid
        + found.reserved_paid
        + ahead
        + vouchers
        + found.hosting_paid
        - found.state_income
    )


def _startups_settle(model: Model) -> None:
    if model.startups.groups:
        model.startups.book(model.ledger, model.startup_month)


def _energy_is_bought(model: Model, month: int) -> float:
    """The utility pays generators, and they pay for fuel and carbon; what it paid."""
    found, transfers = model.power_month, model.transfers
    amounts = np.empty((generators.PARTS, len(found.settlement)))
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
        amounts,
        model.generator_margin,
        model.supply.flow[month],
    )
    model.ledger.post_lines(transfers.generators, amounts.ravel())
    model.direct_mwh = 0.0
    return float(paid)


def _power_is_paid(model: Model, month: int) -> None:
    state, p, ledger, books = model.state, model.parameters, model.ledger, model.utility
    found, account = model.power_month, model.utility_account
    sales = float(found.load.sum()) * p["sales_share"]
    regional = model.board.value("regional_pricing", month)
    ledger.post(account, "households", "money", sales * books.tariff, "power of others")
    ai_bill = ledger.moved("money", "power of sites")
    purchases = _energy_is_bought(model, month)
    operation = p["utility_operation"] / 12.0
    ledger.post("households", account, "money", operation, "utility operation")
    interest = books.debt * (float(model.outside.interest_rate[month]) + p["utility_spread"]) / 12.0
    # A utility without debt earns interest on what it holds.
    ends = ("lenders", account) if interest >= 0.0 else (account, "lenders")
    ledger.post(*ends, "money", abs(interest), "utility interest")
    revenue = sales * books.tariff + ai_bill
    model.utility_cash_flow = revenue - purchases - operation - interest
    invested = 0.0
    for agent in model.acting("grid-investment"):
        for intent in agent.act("grid-investment", month):
            invested = intent.values["granted"]
            books.funded = invested / intent.values["base"] if intent.values["base"] > 0.0 else 1.0
            books.plan = intent.amount
            model.decisions.repeat(month, intent, invested, intent.bound)
            ledger.post("builders", account, "money", invested, "grid investment")
    extra = ledger.moved("money", "deposit forfeited")
    missing = purchases + operation + interest + invested - revenue - extra
    if missing >= 0.0:
        ledger.post(account, "lenders", "money", missing, "utility borrowing")
        ledger.post("lenders", account, "debt", missing, "utility borrowing")
    else:
        ledger.post("lenders", account, "money", -missing, "utility repayment")
        ledger.post(account, "lenders", "debt", -missing, "utility repayment")
    books.debt += missing
    depreciation = p["utility_depreciation"] / 12.0
    books.capital = max(
        books.capital + revenue - purchases - operation - interest - depreciation, p["utility_capital_floor"]
    )
    books.purchase_cost = purchases
    volume = sales + float(found.ai_load.sum())
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
    usual = books.tariff * p["site_tariff_ratio"] + regional * (found.zone_price - found.price)
    d = model.direct_share_now
    state.site_price[:] = (1.0 - d) * usual + d * (p["direct_price"] + p["wheeling_charge"])
    np.maximum(state.site_price, 0.0, out=state.site_price)
