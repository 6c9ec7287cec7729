"""What a site is worth to whoever would build it.

Cash flows reach from completion over the accelerators' life; the rent of a given chip falls with
the market's price. Debt is what the cash flow covers (never more than gearing allows); equity is
discounted at risk-free + beta x premium + lambda x country risk (Damodaran), so country risk is in
the rate and nowhere else. An investment that can wait is made only when value over outlay passes a
threshold above one (Dixit and Pindyck 1994).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from abm.model import Model


class Appraisal(NamedTuple):
    """One appraisal of a site; money in currency, rates a year, ``delay`` in years from now to revenue."""

    cost: float
    shell: float
    chips: float
    support: float
    debt: float
    equity: float
    value: float
    """Present value, at completion less equity outlay excluded, of what equity receives."""
    ratio: float
    """Value over equity outlay; 1 earns the required return exactly."""
    required_return: float
    delay: float
    price: float
    revenue: float
    running_cost: float

    def figures(self) -> dict[str, Any]:
        """What the decision log keeps."""
        return {
            "cost": self.cost,
            "debt": self.debt,
            "equity": self.equity,
            "value_over_outlay": self.ratio,
            "required_return": self.required_return,
            "years_to_revenue": self.delay,
            "price_forecast": self.price,
            "support": self.support,
            "revenue": self.revenue,
        }


def required_return(model: Model, month: int, beta: float, exposure: float) -> float:
    """Equity return asked for: risk-free + beta x market premium + exposure x country risk premium."""
    p = model.parameters
    risk_free: float = model.outside.interest_rate.item(month)
    return risk_free + beta * p["equity_premium"] + exposure * model.outside.country_risk.item(month)


def option_threshold(volatility: float, rate: float, payout: float) -> float:
    """b / (b - 1) of the option to wait; 1 where waiting is worth nothing."""
    if volatility <= 1e-9:
        return 1.0
    half = 0.5 * volatility * volatility
    tilt = rate - payout - half
    b = (-tilt + math.sqrt(tilt * tilt + 4.0 * half * rate)) / (2.0 * half)
    return b / (b - 1.0) if b > 1.0 + 1e-9 else 1e6


def debt_capacity(
    cash: float, decline: float, years: float, rate: float, cover: float, limit: float
) -> float:
    """Largest loan that a cash flow carries: min(limit, sum of cash/(cover (1+r)^t)) over ``years``.

    The cash flow starts at ``cash`` a year and falls by ``decline`` a year.
    """
    if cash <= 0.0:
        return 0.0
    factor = (1.0 - decline) / (1.0 + rate)
    whole, present = int(years), 0.0
    for k in range(whole):
        present += cash * (1.0 - decline) ** k / (1.0 + rate) ** (k + 1)
    part = years - whole
    if part > 0.0:
        present += part * cash * factor**whole / (1.0 + rate)
    return max(min(limit, present / cover), 0.0)


def appraise(
    model: Model,
    month: int,
    row: int,
    *,
    beta: float,
    exposure: float,
    premium: float,
    forecast: Callable[[float], float],
    credibility: float,
    zone: int | None = None,
) -> Appraisal:
    """Appraise site ``row`` as its owner or an investor sees it in ``month``.

    ``forecast(years)`` is the spot price expected so many years ahead (currency per H100-equivalent
    hour); it is asked for the date for which the machines are chosen, so price and machine match.
    ``premium`` what an hour of own use is worth over the spot price,
    ``credibility`` in [0, 1] shortens the delay that is added to promised dates.
    """
    p, sites, state, board = model.parameters, model.state.sites, model.state, model.board
    zone = sites.zone.item(row) if zone is None else zone
    outside = not model.world.zones.capital_region[zone]
    waived = board.value("regional_siting_incentive", month) if outside else 0.0
    ready = max(sites.expected.item(row), month + int(p["build_months"] * (1.0 - min(sites.built.item(row), 1.0))))
    if sites.ready.item(row) < 100_000:
        ready = max(ready, sites.ready.item(row))
    else:
        ready = max(ready, month + int(p["study_months"] + p["substation_months"]))
    delay = (ready - month + (1.0 - credibility) * p["reference_delay_months"]) / 12.0
    vintage = model.vintage_for(ready)
    price = forecast(min((ready - month) / 12.0, 7.0))
    mw = sites.mw.item(row)
    kw = model.vintage_kw.item(vintage) * p["gpu_power_factor"] * p["pue"]
    count = sites.gpus.item(row) or mw * 1000.0 / kw
    shell = model.shell_budget(row, waived)
    # Machines of state sites are bought by the state, outside the project.
    chips = 0.0 if sites.finance.item(row) == 0 else count * model.chip_price(vintage, month)
    credit, subsidy = board.value("tax_credit", month), board.value("gpu_subsidy", month)
    support = credit * (shell + chips * (1.0 - subsidy)) + subsidy * chips
    cost = shell + chips
    hours = 8760.0 * p["availability"]
    own, anchor = sites.own_use.item(row), sites.anchor.item(row)
    contracted = own + (1.0 - own) * anchor
    used = contracted + (1.0 - contracted) * model.expected_use(ready)
    worth = own * premium + (1.0 - own)
    h100e = count * model.vintage_h100e.item(vintage)
    revenue = h100e * hours * used * worth * price
    power = count * kw / 1000.0 * 8760.0 * p["load_factor"] * state.site_price.item(zone)
    running = power + p["operating_share"] * shell
    decline = p["world_compute_price_decline"]
    years = p["gpu_life_months"] / 12.0
    rate = model.outside.interest_rate.item(month) + p["loan_spread"]
    guarantee = board.value("guarantee_share", month) if sites.finance.item(row) == 2 else 0.0
    cover = p["cover_merchant"] + (p["cover_contracted"] - p["cover_merchant"]) * contracted
    cover = cover + (1.0 - cover) * p["guarantee_effect"] * guarantee
    tenor = min(years, p["chip_loan_years"])
    cash = max(revenue - running, 0.0)
    gearing = min(p["gearing"] + p["gearing_guarantee"] * guarantee, 0.95)
    debt = debt_capacity(cash, decline, tenor, rate, cover, gearing * max(cost - support, 0.0))
    equity = max(cost - support - debt, 1.0)
    asked = required_return(model, month, beta, exposure)
    service = (
        debt * rate / (1.0 - (1.0 + rate) ** -tenor) if debt > 0.0 and rate > 0.0 else debt / max(tenor, 1e-9)
    )
    value, tax = 0.0, p["profit_tax"]
    whole = max(round(years), 1)
    written_off = cost / whole
    for k in range(whole):
        gross = revenue * (1.0 - decline) ** k - running
        paid = service if k < tenor else 0.0
        profit = gross - written_off - 0.5 * paid
        taxed = tax * profit if profit > 0.0 else 0.0
        value += (gross - paid - taxed) / (1.0 + asked) ** (k + 1 + delay)
    rest = shell * max(1.0 - years / p["shell_life_years"], 0.0) * p["residual_share"]
    value += rest / (1.0 + asked) ** (whole + delay)
    # Outlay is spread over the building time; half of it is discounted on average.
    outlay = equity / (1.0 + asked) ** (0.5 * delay)
    return Appraisal(
        cost,
        shell,
        chips,
        support,
        debt,
        equity,
        value,
        value / outlay,
        asked,
        delay,
        price,
        revenue,
        running,
    )
