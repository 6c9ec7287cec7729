"""Phase 9: money moves, all of it through the ledger.

Sites earn, pay for power, operation, debt and tax, and pay out; what a project cannot pay is called
from guarantees and the rest becomes arrears, while a corporate site's owner pays in. The grid
utility buys energy, pays capacity, operation and interest, invests, and borrows what is missing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from abm.population import ACCOUNT
from abm.state import AI, ENERGISED

if TYPE_CHECKING:
    from abm.model import Model


def run(model: Model, month: int) -> None:
    _compute_is_paid(model)
    _sites_settle(model, month)
    _startups_settle(model)
    _power_is_paid(model, month)


def _compute_is_paid(model: Model) -> None:
    """Buyers pay owners for hours at home, and the rest of the world for imported ones."""
    ledger, found = model.ledger, model.compute_month
    home, pool = found.sold_share, "compute revenue"
    for buyer, money in found.paid.items():
        who = {"abroad": "world", "startups": ACCOUNT, "research": "treasury"}.get(buyer, buyer)
        ledger.post(pool, who, "money", money * home, "compute")
        if buyer == "research":
            model.public_month += money
        if who != "world":
            ledger.post("world", who, "money", money * (1.0 - home), "imported compute")
    ledger.post(pool, "industry", "money", found.captive_paid, "own compute")
    ledger.post(pool, "industry", "money", found.reserved_paid, "reserved compute")
    ledger.post(pool, ACCOUNT, "money", model.startup_month.get("voucher_paid", 0.0), "vouchers")
    ledger.post("treasury", pool, "money", found.state_income, "hours of state machines")
    ledger.post(pool, "treasury", "money", found.hosting_paid, "hosting of state machines")
    model.public_month += found.hosting_paid
    model.budget.total += found.hosting_paid


def _sites_settle(model: Model, month: int) -> None:
    state, sites, p, ledger = model.state, model.state.sites, model.parameters, model.ledger
    revenue = model.compute_month.site_revenue
    rows = sites.rows(ENERGISED)
    rows = rows[sites.kind[rows] == AI]
    power = np.array([model.site_power(int(row)) for row in rows])
    by_zone = np.zeros(len(model.world.zones))
    np.add.at(by_zone, sites.zone[rows], power)
    rate = (float(model.outside.interest_rate[month]) + p["loan_spread"]) / 12.0
    paid_total = sum(revenue.values())
    pool = ledger.balance("compute revenue", "money")
    # Rounding of the split between sites stays out of the books: the last site takes what is left.
    scale = pool / paid_total if paid_total > 0.0 else 0.0
    order = [int(row) for row in rows if revenue.get(int(row), 0.0) > 0.0]
    for row, mw in zip(rows, power, strict=True):
        row, zone = int(row), int(sites.zone[row])
        owner = model.owner_key(row)
        income = revenue.get(row, 0.0) * scale
        if order and row == order[-1]:
            income = ledger.balance("compute revenue", "money")
        ledger.post(owner, "compute revenue", "money", max(income, 0.0), "compute")
        energy = float(model.power_month.ai_load[zone]) * (mw / by_zone[zone] if by_zone[zone] > 0.0 else 0.0)
        direct = model.direct_share_now * energy
        bill = energy * float(state.site_price[zone])
        straight = min(direct * p["direct_price"], bill)
        ledger.post(model.utility_account, owner, "money", bill - straight, "power of sites")
        ledger.post(model.direct_seller, owner, "money", straight, "direct purchase")
        model.direct_mwh += direct
        model.supply.book(month, model.utility_account, owner, "power", energy)
        operation = p["operating_share"] * model.shell_budget(row) / 12.0
        ledger.post("households", owner, "money", operation, "operation")
        available = income - bill - operation
        available -= _serve_debt(model, row, owner, available, rate)
        young = month - int(sites.step["energised"][row]) < p["gpu_life_months"]
        profit = available - (model.paid_in[row] / max(p["gpu_life_months"], 1.0) if young else 0.0)
        tax = p["profit_tax"] * max(profit, 0.0)
        ledger.post("treasury", owner, "money", tax, "profit tax")
        model.pay_out(month, row, available - tax)
    for row in np.flatnonzero((sites.loan[: sites.count] > 0.0) & (sites.status[: sites.count] != ENERGISED)):
        interest = float(sites.loan[row]) * rate
        owner = model.owner_key(int(row))
        ledger.post(owner, "lenders", "money", interest, "capitalised interest")
        ledger.post("lenders", owner, "money", interest, "interest")
        ledger.post("lenders", owner, "debt", interest, "capitalised interest")
        sites.loan[row] += interest
        model.interest_earned += interest


def _serve_debt(model: Model, row: int, owner: str, available: float, rate: float) -> float:
    """Pay interest and principal; returns what left the owner's account."""
    sites, ledger = model.state.sites, model.ledger
    loan = float(sites.loan[row])
    if loan <= 0.0:
        return 0.0
    left = max(sites.tenor[row] - model.months_served[row], 1.0)
    due = loan * rate / (1.0 - (1.0 + rate) ** -left) if rate > 0.0 else loan / left
    model.months_served[row] += 1
    due = min(due, loan * (1.0 + rate))
    interest = loan * rate
    recourse = sites.finance[row] != 2
    paid = due if recourse else min(due, max(available, 0.0))
    called = float(sites.guaranteed[row]) * (due - paid)
    ledger.post("lenders", owner, "money", paid, "debt service")
    if called > 0.0:
        ledger.post("lenders", "treasury", "money", called, "guarantee call")
        model.public_month += called
        model.budget.total += called
    change = interest - paid - called
    if change >= 0.0:
        ledger.post("lenders", owner, "debt", change, "arrears")
    else:
        ledger.post(owner, "lenders", "debt", -change, "repayment")
    sites.loan[row] = max(loan + change, 0.0)
    model.arrears[row] = (
        max(model.arrears[row] + due - paid - called, 0.0) if paid + called < due - 1e-9 else 0.0
    )
    model.interest_earned += interest - max(due - paid - called, 0.0)
    return paid


def _startups_settle(model: Model) -> None:
    found, ledger = model.startup_month, model.ledger
    if not model.startups.groups:
        return
    ledger.post(ACCOUNT, "industry", "money", found["earned"], "startup revenue")
    ledger.post("households", ACCOUNT, "money", found["burn"], "startup wages")
    ledger.post(ACCOUNT, "households", "money", found["defaulted"], "startup defaults")


def _power_is_paid(model: Model, month: int) -> None:
    state, p, ledger, books = model.state, model.parameters, model.ledger, model.utility
    found = model.power_month
    account, tech = model.utility_account, model.world.technologies
    sales = float(found.load.sum()) * p["sales_share"]
    regional = model.board.value("regional_pricing", month)
    ledger.post(account, "households", "money", sales * books.tariff, "power of others")
    ai_bill = ledger.moved("money", "power of sites")
    carbon = model.board.value("carbon_price", month)
    made = found.generation.sum(0)
    purchases = 0.0
    # What sites buy directly is not bought by the utility: it leaves the renewables' settlement in proportion.
    clean = float(made[model.power.weatherly].sum())
    straight = min(model.direct_mwh / clean, 1.0) if clean > 0.0 else 0.0
    model.direct_mwh = 0.0
    for i in range(len(tech)):
        share = 1.0 - straight if model.power.weatherly[i] else 1.0
        pay = float(found.settlement[i]) * share + float(found.capacity_payment[i])
        purchases += pay
        seller, kind = model.seller_of(i)
        levy = carbon * float(tech.emission_t_mwh[i]) * float(made[i])
        fuel = max(float(found.fuel_cost[i]) - levy, 0.0)
        ledger.post(seller, account, "money", pay, "power purchase")
        model.supply.book(month, seller, account, "power", float(made[i]))
        ledger.post("world", seller, "money", fuel, "fuel")
        ledger.post("treasury", seller, "money", levy, "carbon price")
        model.margin_of[kind] += pay - fuel - levy
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
    books.cost_per_mwh = math.fsum(cost for cost, _ in recent) / max(math.fsum(mwh for _, mwh in recent), 1.0)
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
