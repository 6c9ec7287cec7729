"""Phase 8: the compute market serves its owners, research, industry, startups and customers abroad.

Captive and reserved hours come first. What is left is sold at one spot price that clears
``sum A_i (p/p0)^-e_i + money/p = supply`` between the marginal cost of running and the world price
plus friction. At the ceiling the missing hours are imported; at the floor hours stay unused.
Everything is measured in H100-equivalent hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from abm.decisions import Intent
from abm.population import ACCOUNT
from abm.state import AI, ENERGISED

if TYPE_CHECKING:
    from abm.model import Model


@dataclass(slots=True)
class ComputeMonth:
    """What the month's market came to; hours are H100-equivalent hours, money is currency."""

    price: float
    supply: float
    used: float
    home_demand: float = 0.0
    home_served: float = 0.0
    """Home demand that capacity at home serves."""
    imported: float = 0.0
    sold_share: float = 0.0
    """Share of spot demand that is served at home."""
    startup_need: float = 0.0
    startup_home: float = 0.0
    captive_paid: float = 0.0
    reserved_paid: float = 0.0
    state_income: float = 0.0
    """What the hours of state machines bring in: spare ones on the spot market, vouchers."""
    hosting_paid: float = 0.0
    """What the state pays the hosts of its machines for running them."""
    residual: float = 0.0
    site_revenue: dict[int, float] = field(default_factory=dict)
    paid: dict[str, float] = field(default_factory=dict)
    """Money paid on the spot market by kind of buyer, at home and abroad together."""


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


def levelised_share(model: Model, month: int) -> float:
    """Fixed price over today's spot price that is worth as much as the falling spot price over a machine's life."""
    p = model.parameters
    keep, years = 1.0 - p["world_compute_price_decline"], max(round(p["gpu_life_months"] / 12.0), 1)
    discount = 1.0 / (1.0 + float(model.outside.interest_rate[month]) + p["equity_premium"])
    worth = sum((keep * discount) ** k for k in range(years))
    return worth / sum(discount**k for k in range(years))


@dataclass(slots=True)
class Offered:
    """The month's hours by site row, as their owners divide them, and the totals."""

    rows: list[int]
    made: dict[int, float] = field(default_factory=dict)
    captive: dict[int, float] = field(default_factory=dict)
    reserved: dict[int, float] = field(default_factory=dict)
    state: dict[int, float] = field(default_factory=dict)
    open: dict[int, float] = field(default_factory=dict)

    def total(self, part: str) -> float:
        return math.fsum(getattr(self, part).values())


def run(model: Model, month: int) -> None:
    p, market = model.parameters, model.state.market
    hours = model.calendar.hours(month) * p["availability"]
    offered = _divide(model, month, hours)
    scale = model.demand_scale(month) * hours
    reference = model.reference_price
    world_price = float(model.outside.world_compute_price[month]) * float(model.outside.exchange_rate[month])
    ceiling = world_price * (1.0 + p["market_friction"])
    e = p["compute_price_elasticity"]
    state_hours = offered.total("state")
    vouchers = model.board.value("startup_voucher_share", month) * state_hours
    coefficient = money = taken = 0.0
    if model.startups.groups:
        coefficient, money = model.startups.plan(market.price, reference, scale, e, vouchers)
        taken = min(model.startups.planned_vouchers(), vouchers)
    # Vouchers first, then the state's researchers; what neither needs goes to the market.
    research_need = p["research_need"] * scale
    research = min(state_hours - taken, research_need)
    spare = max(state_hours - taken - research, 0.0)
    for row, part in offered.state.items():
        offered.open[row] = spare * part / state_hours if state_hours > 0.0 else 0.0
    spot, captive, reserved = offered.total("open"), offered.total("captive"), offered.total("reserved")
    abroad = _need_abroad(model, month, offered, hours, reserved)
    segments = {
        "industry": (p["industry_need"] * scale + max(model.own_need() * scale - captive, 0.0), e),
        "research": (max(research_need - research, 0.0), e * p["research_elasticity_ratio"]),
        "startups": (coefficient, e),
        "abroad": (abroad * (world_price / reference) ** p["foreign_elasticity"], p["foreign_elasticity"]),
    }
    floor = min(model.running_cost_per_hour(), 0.999 * ceiling)
    price, demand = clear(list(segments.values()), money, reference, spot, floor, ceiling)
    sold = min(demand, spot)
    # Below the ceiling the market clears: what is left of the difference is rounding.
    at_home = 1.0 if price < ceiling else (sold / demand if demand > 0.0 else 0.0)
    bought = {buyer: a * (price / reference) ** -rate for buyer, (a, rate) in segments.items()}
    bought["startups"] += money / price
    imported = (demand - bought["abroad"]) * (1.0 - at_home)
    found = ComputeMonth(price, offered.total("made"), captive + reserved + research + taken + sold)
    # At the ceiling demand may exceed supply, at the floor supply may exceed demand; between them they are equal.
    short, over = max(demand - spot, 0.0), max(spot - demand, 0.0)
    missed = over if price >= ceiling else short if price <= floor else short + over
    found.residual = missed / max(spot, 1.0)
    found.paid = {buyer: amount * price for buyer, amount in bought.items()}
    found.imported, found.sold_share = imported, at_home
    reserved_abroad = p["foreign_reserved_share"] * reserved
    served = captive + reserved - reserved_abroad + research + taken
    found.home_served = served + sold - bought["abroad"] * at_home
    found.home_demand = served + demand - bought["abroad"]
    if model.startups.groups:
        model.startup_month = model.startups.settle(
            price, reference, world_price, scale, e, p["voucher_price_share"] * price
        )
        found.paid["startups"] = model.startup_month["spot_paid"]
        found.startup_need = model.startup_month["need_hours"]
        found.startup_home = model.startup_month["spot_hours"] * at_home + taken
    sold_share = sold / spot if spot > 0.0 else 0.0
    _revenue(model, found, offered, sold_share)
    # State machines: the state has what their hours bring and pays the hosts what running them costs.
    spare_sold = spare * sold_share
    found.state_income = spare_sold * price + model.startup_month.get("voucher_paid", 0.0)
    _pay_hosts(
        model, found, offered, state_hours, (research + taken + spare_sold) * model.running_cost_per_hour()
    )
    _book_hours(model, month, offered, sold_share, found)
    model.compute_month = found
    market.price, market.ceiling = price, ceiling
    market.used_share = found.used / found.supply if found.supply > 0.0 else 1.0
    market.supply_hours, market.imported_hours = found.supply, imported
    market.demand_hours = captive + reserved + research + taken + demand
    market.history.append(price)
    model.market_residual = max(model.market_residual, found.residual)
    model.look_ahead(month)
    if found.startup_need > 0.0 and month % 6 == 0 and at_home < 0.999:
        intent = Intent(
            ACCOUNT,
            "ration",
            "compute",
            found.startup_need,
            "H100-equivalent hour",
            {"price": price, "home_share": at_home},
        )
        model.decisions.note(month, intent, granted=found.startup_home, bound="home supply")


def _divide(model: Model, month: int, hours: float) -> Offered:
    """Owners keep hours for themselves, sell some ahead, and offer the rest; the state's are set apart."""
    state, sites = model.state, model.state.sites
    kept = {
        intent.target: intent.amount
        for agent in model.acting("market")
        for intent in agent.act("market", month)
    }
    online = sites.rows(ENERGISED)
    offered = Offered([int(row) for row in online[sites.kind[online] == AI]])
    compute = state.chips @ model.world.vintages.h100e
    fixed = (
        model.state.market.price
        * (1.0 - model.parameters["contract_discount"])
        * levelised_share(model, month)
    )
    life = int(model.parameters["gpu_life_months"])
    for row in offered.rows:
        h100e = float(compute[row])
        made = h100e * hours * (1.0 - float(state.unserved_share[sites.zone[row]]))
        offered.made[row] = made
        if sites.finance[row] == 0:
            offered.state[row] = made
            continue
        own = min(kept.get(row, float(sites.own_use[row]) * h100e) * hours, made)
        ahead = float(sites.anchor[row]) * (made - own)
        offered.captive[row], offered.reserved[row], offered.open[row] = own, ahead, made - own - ahead
        if sites.contract_until[row] < month:
            sites.contract_price[row], sites.contract_until[row] = fixed, month + life
    return offered


def _need_abroad(model: Model, month: int, offered: Offered, hours: float, reserved: float) -> float:
    """Hours that customers abroad want here, at the world price, beyond what is reserved for them."""
    if not model.hosting:
        return 0.0
    p, sites = model.parameters, model.state.sites
    room = sum(
        float(sites.mw[row]) * (1.0 - float(sites.own_use[row])) for row in offered.rows if sites.finance[row]
    )
    hosted_mw = model.hosting.run(model, month, room)
    open_mw = sum(float(sites.mw[row]) for row in offered.rows)
    standing = offered.total("made") / hours if hours > 0.0 else 0.0
    density = standing / open_mw if standing > 0.0 else model.h100e_per_mw()
    wanted = hosted_mw * density * hours * p["foreign_load"]
    return max(wanted - p["foreign_reserved_share"] * reserved, 0.0)


def _revenue(model: Model, found: ComputeMonth, offered: Offered, sold_share: float) -> None:
    """What each site earns: own use and spot at the spot price, reserved hours at the contract's."""
    sites = model.state.sites
    for row in offered.rows:
        if row in offered.state:
            continue
        captive = offered.captive[row] * found.price
        ahead = offered.reserved[row] * float(sites.contract_price[row])
        found.captive_paid += captive
        found.reserved_paid += ahead
        found.site_revenue[row] = captive + ahead + offered.open[row] * sold_share * found.price


def _pay_hosts(model: Model, found: ComputeMonth, offered: Offered, state_hours: float, cost: float) -> None:
    for row, hours in offered.state.items():
        found.site_revenue[row] = cost * hours / state_hours if state_hours > 0.0 else 0.0
    found.hosting_paid = math.fsum(found.site_revenue[row] for row in offered.state)


def _book_hours(model: Model, month: int, offered: Offered, sold_share: float, found: ComputeMonth) -> None:
    """Hours sold to startups, on the supply graph: each owner's part of all sales, spread over the groups."""
    sold: dict[str, float] = {}
    for row, hours in offered.open.items():
        owner = model.owner_key(row)
        sold[owner] = sold.get(owner, 0.0) + hours * sold_share + offered.state.get(row, 0.0)
    total = sum(sold.values())
    firms = {who: model.startups.alive_of(who) for who in model.startups.groups}
    alive = sum(firms.values())
    if total <= 0.0 or alive <= 0.0:
        return
    for owner, hours in sold.items():
        for who, count in firms.items():
            model.supply.book(
                month, owner, who, "compute", found.startup_home * hours / total * count / alive
            )
