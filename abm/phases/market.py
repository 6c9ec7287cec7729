"""Phase 8: the compute market serves its owners, research, industry, startups and customers abroad.

Captive and reserved hours come first. What is left is sold at one spot price that clears
``sum A_i (p/p0)^-e_i + money/p = supply`` between the marginal cost of running and the world price
plus friction. At the ceiling the missing hours are imported; at the floor hours stay unused.
Everything is measured in H100-equivalent hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abm.decisions import Intent
from abm.population import ACCOUNT
from abm.state import AI, ENERGISED

if TYPE_CHECKING:
    from abm.model import Model


@dataclass(slots=True)
class ComputeMonth:
    """What the month's market came to; hours are H100-equivalent hours."""

    price: float
    supply: float
    used: float
    demand: float
    served_at_home: float
    imported: float
    startup_need: float
    startup_home: float
    foreign_hours: float
    residual: float
    site_revenue: dict[int, float]
    by_buyer: dict[str, float]
    """Money paid for spot and reserved hours, by kind of buyer."""


def clear(
    segments: list[tuple[float, float]],
    money: float,
    reference: float,
    supply: float,
    floor: float,
    ceiling: float,
) -> tuple[float, float]:
    """Spot price and demand at it.

    ``segments`` are (coefficient, elasticity): demand ``a (p/reference)^-e`` each, plus ``money / p``.
    Returns the price that equates demand with ``supply``, held between ``floor`` and ``ceiling``.
    """

    def demand(price: float) -> float:
        ratio = math.log(price / reference)
        return sum(a * math.exp(-e * ratio) for a, e in segments) + money / price

    if demand(ceiling) >= supply:
        return ceiling, demand(ceiling)
    if demand(floor) <= supply:
        return floor, demand(floor)
    low, high = math.log(floor), math.log(ceiling)
    for _ in range(200):
        middle = 0.5 * (low + high)
        if demand(math.exp(middle)) > supply:
            low = middle
        else:
            high = middle
        if high - low < 1e-15 * max(abs(low), 1.0):
            break
    price = math.exp(0.5 * (low + high))
    return price, demand(price)


def _book_hours(
    model: Model,
    month: int,
    open_of: dict[int, float],
    vouchers: dict[int, float],
    sold_share: float,
    startup_hours: float,
) -> None:
    """Hours that owners sold to startups, on the supply graph: each owner's part of all sales, spread over the groups."""
    offered: dict[str, float] = {}
    for row, hours in open_of.items():
        owner = model.owner_key(row)
        offered[owner] = offered.get(owner, 0.0) + hours * sold_share + vouchers.get(row, 0.0)
    total = sum(offered.values())
    firms = {who: model.startups.alive_of(who) for who in model.startups.groups}
    alive = sum(firms.values())
    if total <= 0.0 or alive <= 0.0:
        return
    for owner, hours in offered.items():
        for who, count in firms.items():
            model.supply.book(month, owner, who, "compute", startup_hours * hours / total * count / alive)


def levelised_share(model: Model, month: int) -> float:
    """Fixed price over today's spot price that is worth as much as the falling spot price over a machine's life."""
    p = model.parameters
    keep, years = 1.0 - p["world_compute_price_decline"], max(round(p["gpu_life_months"] / 12.0), 1)
    discount = 1.0 / (1.0 + float(model.outside.interest_rate[month]) + p["equity_premium"])
    worth = sum((keep * discount) ** k for k in range(years))
    return worth / sum(discount**k for k in range(years))


def run(model: Model, month: int) -> None:
    state, sites, p, v, board = (
        model.state,
        model.state.sites,
        model.parameters,
        model.world.vintages,
        model.board,
    )
    kept: dict[int, float] = {}
    for agent in model.acting("market"):
        for intent in agent.act("market", month):
            kept[intent.target] = intent.amount
    hours = model.calendar.hours(month) * p["availability"]
    online = sites.rows(ENERGISED)
    rows = [int(row) for row in online[sites.kind[online] == AI]]
    index, efficiency = float(model.outside.ai_demand[month]), float(model.outside.efficiency[month])
    e = p["compute_price_elasticity"]
    scale = index * efficiency ** (e - 1.0)
    rate = float(model.outside.exchange_rate[month])
    reference = model.reference_price
    world_price = float(model.outside.world_compute_price[month]) * rate
    ceiling = world_price * (1.0 + p["market_friction"])
    fixed = (1.0 - p["contract_discount"]) * state.market.price * levelised_share(model, month)
    vouchers_share = board.value("startup_voucher_share", month)
    total = spot = captive = reserved = reserved_paid = state_hours = voucher_hours = 0.0
    open_of: dict[int, float] = {}
    captive_of: dict[int, float] = {}
    reserved_of: dict[int, float] = {}
    voucher_of: dict[int, float] = {}
    for row in rows:
        h100e = float(state.chips[row] @ v.h100e)
        made = h100e * hours * (1.0 - float(state.unserved_share[sites.zone[row]]))
        total += made
        own = min(kept.get(row, float(sites.own_use[row]) * h100e) * hours, made)
        if sites.finance[row] == 0:
            voucher_of[row] = vouchers_share * made
            voucher_hours += voucher_of[row]
            state_hours += made - voucher_of[row]
            open_of[row] = 0.0
            continue
        ahead = float(sites.anchor[row]) * (made - own)
        captive_of[row], reserved_of[row], open_of[row] = own, ahead, made - own - ahead
        if sites.contract_until[row] < month:
            sites.contract_price[row], sites.contract_until[row] = fixed, month + int(p["gpu_life_months"])
        reserved_paid += ahead * float(sites.contract_price[row])
        captive += own
        reserved += ahead
        spot += open_of[row]
    need_own = model.own_need() * scale * hours
    research_need = p["research_need"] * scale * hours
    research_state = min(state_hours, research_need)
    spare_state = state_hours - research_state
    if spare_state > 0.0:
        for row in voucher_of:
            open_of[row] = (
                (
                    float(state.chips[row] @ v.h100e)
                    * hours
                    * (1.0 - float(state.unserved_share[sites.zone[row]]))
                    - voucher_of[row]
                )
                * spare_state
                / state_hours
            )
        spot += spare_state
    foreign_mw = 0.0
    if model.hosting:
        room = sum(
            float(sites.mw[row]) * (1.0 - float(sites.own_use[row]))
            for row in rows
            if sites.finance[row] != 0
        )
        foreign_mw = model.hosting.run(model, month, room)
    per_mw = model.h100e_per_mw()
    foreign_need = max(
        foreign_mw * per_mw * hours * p["foreign_load"] - p["foreign_reserved_share"] * reserved, 0.0
    )
    startup_scale = scale * hours
    coefficient = money = 0.0
    if model.startups.groups:
        coefficient, money = model.startups.plan(
            state.market.price, reference, startup_scale, e, voucher_hours
        )
    segments = [
        (p["industry_need"] * scale * hours + max(need_own - captive, 0.0), e),
        (max(research_need - research_state, 0.0), e * p["research_elasticity_ratio"]),
        (coefficient, e),
        (foreign_need * (world_price / reference) ** p["foreign_elasticity"], p["foreign_elasticity"]),
    ]
    running = model.running_cost_per_hour()
    floor = min(running, 0.999 * ceiling)
    price, demand = clear(segments, money, reference, spot, floor, ceiling)
    sold = min(demand, spot)
    imported = demand - sold
    at_home = sold / demand if demand > 0.0 else 0.0
    unused = spot - sold
    residual = abs(demand + unused - spot - imported) / max(spot, demand, 1.0)
    if floor < price < ceiling:
        residual = max(residual, abs(demand - spot) / max(spot, 1.0))
    ratio = (price / reference) ** -e
    startup_need = startup_home = taken = 0.0
    by_buyer = {
        "industry": segments[0][0] * ratio * price,
        "research": segments[1][0] * (price / reference) ** -segments[1][1] * price,
        "abroad": segments[3][0] * (price / reference) ** -segments[3][1] * price,
    }
    if model.startups.groups:
        voucher_price = p["voucher_price_share"] * price
        found = model.startups.settle(price, reference, world_price, startup_scale, e, voucher_price)
        startup_need = found["need_hours"]
        taken = found["voucher_hours"]
        startup_home = found["spot_hours"] * at_home + taken
        model.startup_month = found
        by_buyer["startups"] = found["spot_paid"]
    revenue: dict[int, float] = {}
    for row in rows:
        income = captive_of.get(row, 0.0) * price + reserved_of.get(row, 0.0) * float(
            sites.contract_price[row]
        )
        income += (open_of[row] / spot * sold * price) if spot > 0.0 else 0.0
        revenue[row] = income
    voucher_income = model.startup_month.get("voucher_paid", 0.0)
    if voucher_income > 0.0 and voucher_hours > 0.0:
        for row, part in voucher_of.items():
            revenue[row] += voucher_income * part / voucher_hours
    used = captive + reserved + research_state + taken + sold
    total_demand = captive + reserved + research_state + taken + demand
    model.compute_month = ComputeMonth(
        price,
        total,
        used,
        total_demand,
        used,
        imported,
        startup_need,
        startup_home,
        segments[3][0] * (price / reference) ** -segments[3][1] * at_home,
        residual,
        revenue,
        by_buyer,
    )
    _book_hours(model, month, open_of, voucher_of, sold / spot if spot > 0.0 else 0.0, startup_home)
    model.captive_paid = captive * price
    model.reserved_paid = reserved_paid
    model.sold_share = at_home
    market = state.market
    market.price, market.ceiling = price, ceiling
    market.used_share = used / total if total > 0.0 else 1.0
    market.supply_hours, market.demand_hours, market.imported_hours = total, total_demand, imported
    market.history.append(price)
    model.market_residual = max(model.market_residual, residual)
    model.look_ahead(month)
    if startup_need > 0.0 and month % 6 == 0 and at_home < 0.999:
        model.decisions.note(
            month,
            Intent(
                ACCOUNT,
                "ration",
                "compute",
                startup_need,
                "H100-equivalent hour",
                {"price": price, "home_share": at_home},
            ),
            granted=startup_home,
            bound="home supply",
        )
