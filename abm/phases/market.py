"""Phase 8: the compute market serves its owners, research, industry, startups and customers abroad.

Captive and reserved hours come first, those that startups have reserved among them. What is left is sold
at one spot price that clears

    sum_s a_s (p/p0)^-e_s + sum_i w_i min(curve_i (p/p0)^-e, purse_i / p) = supply

(industry, research and customers abroad are the segments s, firms the rows i) between the marginal cost
of running and the world price plus friction. At the ceiling the missing hours are imported; at the
floor hours stay unused. Everything is measured in H100-equivalent hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from abm.core.market import deliver, divide, earn, offer
from abm.core.population import Month, clear
from abm.core.population import clearing as solution
from abm.core.population import columns as at
from abm.decisions import Intent
from abm.population import ACCOUNT
from abm.state import AI, ENERGISED, FINANCE

if TYPE_CHECKING:
    from abm.model import Model

STATE_OWNED = FINANCE.index("state")
TOLERANCE = 1e-9
"""Part of the supply by which what is bought may miss it; more than that is a failed run."""


class NotCleared(RuntimeError):
    """What buyers bought at the month's price is not what was offered; a run is not to be trusted."""


@dataclass(slots=True)
class ComputeMonth:
    """What the month's market came to; hours are H100-equivalent hours, money is currency."""

    price: float
    supply: float
    used: float = 0.0
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
    """By industry and customers abroad, under contracts for the life of machines."""
    contract_paid: float = 0.0
    """By startups, under contracts for a year."""
    state_income: float = 0.0
    """What the hours of state machines bring in: spare ones on the market, vouchers."""
    hosting_paid: float = 0.0
    """What the state pays the hosts of its machines for running them."""
    residual: float = 0.0
    """Spot hours bought over those offered, less one, where neither bound holds."""
    evaluations: int = 0
    """Times that the solver looked at all demand."""
    sites: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """(n,) AI sites at work"""
    site_revenue: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """(n,) what each of them earns"""
    paid: dict[str, float] = field(default_factory=dict)
    """Money paid on the spot market by kind of buyer, at home and abroad together."""


def levelised_share(model: Model, month: int) -> float:
    """Fixed price over today's spot price that is worth as much as the falling spot price over a machine's life."""
    p = model.parameters
    keep, years = 1.0 - p["world_compute_price_decline"], max(round(p["gpu_life_months"] / 12.0), 1)
    discount = 1.0 / (1.0 + float(model.outside.interest_rate[month]) + p["equity_premium"])
    worth = sum((keep * discount) ** k for k in range(years))
    return worth / sum(discount**k for k in range(years))


def mean_of_trend(yearly_change: float, months: float) -> float:
    """Mean of a price over its first value, over ``months``, where its logarithm changes by ``yearly_change``."""
    change = yearly_change * months / 12.0
    return math.expm1(change) / change if abs(change) > 1e-9 else 1.0 + 0.5 * change


@dataclass(slots=True)
class Offered:
    """The month's hours by site, as their owners divide them (``abm.core.market.offer``), and the totals."""

    count: int
    """Sites at work; the columns below are filled that far."""
    rows: np.ndarray
    parts: np.ndarray
    """(PARTS, sites) hours."""
    total: list[float]
    """(TOTALS,) sums of ``parts``, ``OPEN`` with spare hours of state machines; megawatts."""
    spare_share: float = 0.0
    """Part of the state's hours that neither firms nor researchers need, so that it goes to the market."""


@dataclass(slots=True)
class Ahead:
    """What is settled before the spot market opens."""

    vouchers: float
    """Hours that firms take on vouchers."""
    research: float
    """Hours that researchers get of state machines."""
    research_need: float
    contracts: float
    """Hours delivered to firms under contract."""
    terms: Month
    """What firms know of the month; the price is last month's until the market has cleared."""


def run(model: Model, month: int) -> None:
    p, market = model.parameters, model.state.market
    hours = model.calendar.hours(month) * p["availability"]
    scale = model.demand_scale(month) * hours
    reference, e = model.reference_price, p["compute_price_elasticity"]
    world_price = float(model.outside.world_compute_price[month]) * float(model.outside.exchange_rate[month])
    running_cost = model.running_cost_per_hour()
    ceiling = world_price * (1.0 + p["market_friction"])
    floor = min(running_cost, 0.999 * ceiling)
    offered = _divide(model, month, hours)
    ahead = _ahead(model, month, offered, hours, scale, world_price)
    captive, reserved, open_hours = (
        offered.total[k] for k in (offer.CAPTIVE, offer.RESERVED, offer.OPEN)
    )
    spot = max(open_hours - ahead.contracts, 0.0)

    # One price for all.
    abroad = _need_abroad(model, month, offered, hours, reserved)
    far = p["foreign_elasticity"]
    segments = {
        "industry": (p["industry_need"] * scale + max(model.own_need() * scale - captive, 0.0), e),
        "research": (max(ahead.research_need - ahead.research, 0.0), e * p["research_elasticity_ratio"]),
        "abroad": (abroad * (world_price / reference) ** far, far),
    }
    firms, answer = model.startups, np.zeros(solution.FOUND)
    clear(
        firms.firm, firms.count, e, np.array(list(segments.values())), reference,
        spot, floor, ceiling, market.price, answer,
    )  # fmt: skip
    known = answer.tolist()
    price, demand = known[solution.PRICE], known[solution.DEMAND]
    bought = {buyer: a * (price / reference) ** -rate for buyer, (a, rate) in segments.items()}
    found = ComputeMonth(price, offered.total[offer.MADE], evaluations=int(known[solution.EVALUATIONS]))
    found.paid = {buyer: amount * price for buyer, amount in bought.items()}
    if firms.groups:
        terms = ahead.terms._replace(price=price, voucher_price=p["voucher_price_share"] * price)
        model.startup_month = firms.settle(month, terms)
        bought["startups"] = model.startup_month["spot_hours"]
        found.paid["startups"] = model.startup_month["spot_paid"]
        found.contract_paid = model.startup_month["contract_paid"]
    found.residual = _residual(model, month, sum(bought.values()), spot, price, floor, ceiling)

    # Who is served at home. Below the ceiling the market clears: what is left of the difference is rounding.
    sold = min(demand, spot)
    at_home = 1.0 if price < ceiling else (sold / demand if demand > 0.0 else 0.0)
    found.imported, found.sold_share = (demand - bought["abroad"]) * (1.0 - at_home), at_home
    public = ahead.research + ahead.vouchers
    found.used = captive + reserved + public + ahead.contracts + sold
    served = captive + (1.0 - p["foreign_reserved_share"]) * reserved + public + ahead.contracts
    found.home_served = served + sold - bought["abroad"] * at_home
    found.home_demand = served + demand - bought["abroad"]
    if firms.groups:
        found.startup_need = model.startup_month["need_hours"]
        found.startup_home = bought["startups"] * at_home + ahead.vouchers + ahead.contracts

    used_share = (ahead.contracts + sold) / open_hours if open_hours > 0.0 else 0.0
    mean_price = (found.contract_paid + sold * price) / open_hours if open_hours > 0.0 else 0.0
    _revenue(model, month, found, offered, mean_price, running_cost, public, used_share)
    model.compute_month = found
    market.price, market.ceiling = price, ceiling
    market.used_share = found.used / found.supply if found.supply > 0.0 else 1.0
    market.supply_hours, market.imported_hours = found.supply, found.imported
    market.demand_hours = captive + reserved + public + ahead.contracts + demand
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


def _residual(
    model: Model, month: int, bought: float, spot: float, price: float, floor: float, ceiling: float
) -> float:
    """Relative residual of the market equation, from what was bought, not from what the solver says.

    At the ceiling demand may exceed supply, at the floor supply may exceed demand; between them they are equal.
    """
    short, over = max(bought - spot, 0.0), max(spot - bought, 0.0)
    missed = over if price >= ceiling else short if price <= floor else short + over
    residual = missed / max(spot, 1.0)
    if not residual <= TOLERANCE:
        raise NotCleared(
            f"month {model.calendar.text(month)}: at {price:.6g} {model.world.currency} buyers take {bought:.6g} "
            f"of {spot:.6g} hours; the market equation misses by {residual:.3g}"
        )
    return residual


def _ahead(
    model: Model, month: int, offered: Offered, hours: float, scale: float, world_price: float
) -> Ahead:
    """Vouchers, research and contracts, in this order; what state machines have to spare becomes open hours."""
    p, market, firms = model.parameters, model.state.market, model.startups
    reference, e, last = model.reference_price, p["compute_price_elasticity"], model.state.market.price
    last_factor = (last / reference) ** -e
    decline, term = math.log1p(-p["world_compute_price_decline"]), p["startup_contract_months"]
    # Sellers reckon with the decline of the world price, firms with the trend that they have seen.
    contract_price = last * (1.0 - p["contract_discount"]) * mean_of_trend(decline, term)
    seen = market.history[-13:]
    trend = math.log(seen[-1] / seen[0]) * 12.0 / (len(seen) - 1) if len(seen) > 3 else decline
    expected = last * mean_of_trend(trend, term)
    size = float(model.outside.ai_demand[month]) ** p["startup_market_exponent"]
    plans = firms.plan(month, scale * last_factor / hours, contract_price, expected, hours, size)

    # A voucher hour is cheap, so firms would use more of them than of hours at the full price.
    state_hours = offered.total[offer.STATE]
    cheap, most = p["voucher_price_share"], p["voucher_use_most"]
    more = min(cheap**-e, most) if cheap > 0.0 else most
    wanted = float(plans[at.WANT]) * scale * last_factor * more
    vouchers = min(model.board.value("startup_voucher_share", month) * state_hours, wanted)
    voucher_share = more * vouchers / wanted if wanted > 0.0 else 0.0
    # Then the state's researchers; what neither needs goes to the market.
    research_need = p["research_need"] * scale
    research = min(state_hours - vouchers, research_need)
    spare = max(state_hours - vouchers - research, 0.0)
    offered.spare_share = spare / state_hours if state_hours > 0.0 else 0.0
    offered.total[offer.OPEN] += spare

    open_hours = offered.total[offer.OPEN]
    standing, wished = float(plans[at.STANDING]), float(plans[at.WISHED])
    room = max(p["startup_contract_most"] * open_hours / hours - standing, 0.0)
    granted = min(room / wished, 1.0) if wished > 0.0 else 0.0
    contracts = (standing + granted * wished) * hours
    delivered = min(open_hours / contracts, 1.0) if contracts > 0.0 else 1.0
    terms = Month(
        price=last,
        reference=reference,
        world_price=world_price,
        elasticity=e,
        scale=scale,
        last_factor=last_factor,
        world_factor=(world_price / reference) ** -e,
        voucher_share=voucher_share,
        voucher_price=cheap * last,
        contract_hours=hours * delivered,
        takings=p["startup_break_even"] * firms.crowding,
        theta=p["startup_theta"],
        served_most=p["startup_served_most"],
        spend_share=p["startup_spend_share"],
        interest=max(float(model.outside.interest_rate[month]) + p["startup_credit_spread"], 0.0) / 12.0,
        credit_months=p["startup_credit_months"],
        cash_months=p["startup_cash_months"],
        growth=p["startup_growth"] / 12.0,
        spread=p["startup_quality_spread"],
        persistence=p["startup_quality_persistence"],
    )
    if firms.groups:
        firms.sign(month, granted, contract_price, terms)
    return Ahead(vouchers, research, research_need, contracts * delivered, terms)


def _divide(model: Model, month: int, hours: float) -> Offered:
    """Owners keep hours for themselves, sell some ahead, and offer the rest; the state's are set apart."""
    state, sites, p = model.state, model.state.sites, model.parameters
    asked = np.full(len(model.world.cast), -1.0)
    for agent in model.acting("market"):
        for intent in agent.act("market", month):
            asked[intent.target] = intent.amount * hours
    rows, parts = np.empty(sites.count, np.int64), np.empty((offer.PARTS, sites.count))
    total = np.empty(offer.TOTALS)
    count = divide(
        month, hours, sites.count, ENERGISED, AI, STATE_OWNED, sites.status, sites.kind, sites.finance,
        sites.owner, sites.zone, sites.mw, sites.own_use, sites.anchor, sites.contract_until,
        state.unserved_share, state.chips, model.vintage_h100e, asked, rows, parts, total,
    )  # fmt: skip
    offered = Offered(count, rows, parts, total.tolist())
    if offered.total[offer.DUE]:
        due = rows[:count]
        due = due[(sites.finance[due] != STATE_OWNED) & (sites.contract_until[due] < month)]
        sites.contract_price[due] = (
            state.market.price * (1.0 - p["contract_discount"]) * levelised_share(model, month)
        )
        sites.contract_until[due] = month + int(p["gpu_life_months"])
    return offered


def _need_abroad(model: Model, month: int, offered: Offered, hours: float, reserved: float) -> float:
    """Hours that customers abroad want here, at the world price, beyond what is reserved for them."""
    if not model.hosting:
        return 0.0
    p = model.parameters
    hosted_mw = model.hosting.run(model, month, offered.total[offer.ROOM])
    standing = offered.total[offer.MADE] / hours if hours > 0.0 else 0.0
    density = standing / offered.total[offer.MW] if standing > 0.0 else model.h100e_per_mw()
    wanted = hosted_mw * density * hours * p["foreign_load"]
    return max(wanted - p["foreign_reserved_share"] * reserved, 0.0)


def _revenue(
    model: Model,
    month: int,
    found: ComputeMonth,
    offered: Offered,
    mean_price: float,
    running_cost: float,
    public_hours: float,
    used_share: float,
) -> None:
    """What each site earns; hours sold to startups go on the supply graph, each owner's part spread over the groups."""
    sites, firms, supply = model.state.sites, model.startups, model.supply
    revenue, sold = np.empty(len(offered.rows)), np.empty(len(model.world.cast))
    paid = np.empty(offer.PAID)
    earn(
        offered.count, offered.rows, sites.owner, sites.contract_price, offered.parts, found.price, mean_price,
        running_cost, public_hours, offered.spare_share, used_share, revenue, sold, paid,
    )  # fmt: skip
    found.captive_paid, found.reserved_paid, spare, found.hosting_paid = paid.tolist()
    found.state_income = spare * mean_price + model.startup_month.get("voucher_paid", 0.0)
    found.sites, found.site_revenue = offered.rows[: offered.count], revenue[: offered.count]
    if firms.edges is None:
        firms.edges = _edges_to_firms(model)
    edges, group = firms.edges
    if len(edges):
        deliver(
            sold, edges, supply.supplier[edges], group, firms.living, found.startup_home, supply.flow[month]
        )


def _edges_to_firms(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the supply graph that bring hours to groups of startups, and to which of them."""
    supply = model.supply
    row_of = {model.world.cast.row(who): g for g, who in enumerate(model.startups.groups)}
    edges = [
        edge
        for edge in range(len(supply.good))
        if supply.goods[supply.good[edge]] == "compute" and int(supply.buyer[edge]) in row_of
    ]
    return np.array(edges, np.int64), np.array([row_of[int(supply.buyer[i])] for i in edges], np.int64)
