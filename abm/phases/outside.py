"""Phase 1: shocks and trends, the series that nobody in the model controls.

Fuel prices, exchange rate and interest rate follow mean-reverting random walks in logarithms that
share one common factor (they are correlated); demand and world prices follow trends. A scenario's
shocks multiply or add to a series over a window of months. All series are laid out at the start,
but stakeholders see them only up to the month they live in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from abm.luck import Luck
from abm.quantities import Parameters
from abm.world import World

SERIES = (
    "exchange_rate",
    "interest_rate",
    "world_compute_price",
    "ai_demand",
    "regional_demand",
    "gpu_supply",
    "demand",
    "country_risk",
    "line_progress",
)
"""Series a shock may name, beside ``fuel:<fuel>``. interest_rate and country_risk take ``add``."""


@dataclass(frozen=True, slots=True)
class Shock:
    """From month ``first`` on, for ``months``: the series times ``factor``, plus ``add``."""

    series: str
    first: int
    months: int
    factor: float = 1.0
    add: float = 0.0


class Outside:
    """Exogenous series by month."""

    def __init__(self, world: World, parameters: Parameters, shocks: Sequence[Shock], luck: Luck):
        calendar, p = world.calendar, parameters
        months = calendar.months
        t = np.arange(months)
        years = t / 12.0
        common = luck.normals("macro", "common", t)
        persistence = p["macro_persistence"]

        def walk(who: str, volatility: float, loading: float, start: int = 0) -> np.ndarray:
            own = luck.normals("macro", who, t)
            steps = volatility / math.sqrt(12.0) * (loading * common + math.sqrt(1 - loading**2) * own)
            level, path = 0.0, []
            for m, step in enumerate(steps.tolist()):
                path.append(level)
                if m >= start:
                    level = persistence * level + step
            return np.array(path)

        loading = p["macro_correlation"]
        exchange_walk = walk("exchange", p["exchange_volatility"], loading)
        self.exchange_rate = p["exchange_rate"] * np.exp(exchange_walk)
        self.interest_rate = (
            p["interest_rate"]
            + p["interest_rate_shift"]
            + walk("interest", p["interest_volatility"], loading)
        )
        self.interest_rate = np.maximum(self.interest_rate, p["interest_floor"])
        fuels = world.fuels
        self.fuel_price = np.empty((len(fuels), months))
        for row, fuel in enumerate(fuels.keys):
            rows = np.flatnonzero(world.fuel_prices.fuel == row)
            at, price = world.fuel_prices.month[rows], world.fuel_prices.price[rows]
            order = np.argsort(at)
            at, price = at[order], price[order]
            last = price[-12:]
            known = dict(zip(at.tolist(), price.tolist(), strict=True))
            # After the last known month the last twelve months repeat, each in its own calendar month.
            by_calendar = {int(month) % 12: value for month, value in zip(at[-12:], last, strict=True)}
            mean = float(np.mean(last))
            base = np.array([known.get(m, by_calendar.get(m % 12, mean)) for m in range(months)])
            factor = fuels.factor[row]
            if factor:
                base = base * p[factor]
            observed = int(at[-1])
            own = walk(f"fuel-{fuel}", float(fuels.volatility[row]), loading, max(observed, 0))
            moved = own + float(fuels.exchange_share[row]) * (
                exchange_walk - exchange_walk[min(max(observed, 0), months - 1)]
            )
            # Months that were observed before the information cut-off carry no luck.
            self.fuel_price[row] = base * np.exp(np.where(t > observed, moved, 0.0))
            parity = p["exchange_rate"] / p.quantity("exchange_rate").default
            self.fuel_price[row] *= 1.0 + float(fuels.exchange_share[row]) * (parity - 1.0)
        decline = p["world_compute_price_decline"]
        self.world_compute_price = (
            p["world_compute_price"] * p["world_compute_price_factor"] * np.exp(math.log1p(-decline) * years)
        )
        fade = p["growth_fade"]
        # Growth g fades geometrically: the logarithm of the level is the integral of log(1 + g) fade^t.
        reach = years if fade >= 1.0 else (fade**years - 1.0) / math.log(fade)
        self.ai_demand = np.exp(math.log1p(p["ai_demand_growth"]) * reach)
        self.efficiency = np.exp(math.log1p(p["compute_efficiency_growth"]) * reach)
        bust = int(p["ai_demand_bust_month"])
        after = t - bust
        hit = np.where(after >= 0, p["bust_depth"] * np.exp(-np.maximum(after, 0) / p["bust_months"]), 0.0)
        self.ai_demand = self.ai_demand * (1.0 - hit)
        self.world_compute_price = self.world_compute_price * (1.0 - 0.5 * hit)
        self.regional_demand = np.exp(math.log1p(p["regional_demand_growth"]) * years) * (1.0 - 0.5 * hit)
        self.gpu_supply = np.full(months, p["gpu_supply_factor"])
        self.demand = np.exp(math.log1p(p["demand_growth"]) * years)
        self.country_risk = np.full(months, p["country_risk_premium"])
        self.line_progress = np.ones(months)
        since = calendar.year(0) * 12 + calendar.month_of_year(0)
        weather = luck.normals("weather", "year", since + t) * p["weather_variability"]
        season = np.array(
            [abs(math.cos(2 * math.pi * (calendar.month_of_year(m) - 0.5) / 12)) for m in range(months)]
        )
        severity = weather + p["weather_draw"]
        self.weather_demand = 1.0 + p["weather_demand_effect"] * severity * season
        self.weather_renewables = np.maximum(1.0 - p["weather_renewable_effect"] * severity, 0.1)
        for shock in shocks:
            self._apply(shock, world)

    def _apply(self, shock: Shock, world: World) -> None:
        low = max(shock.first, 0)
        window = slice(low, max(min(shock.first + shock.months, world.calendar.months), low))
        if shock.series.startswith("fuel:"):
            series = self.fuel_price[world.fuels.row(shock.series[5:])]
        elif shock.series in SERIES:
            series = getattr(self, shock.series)
        else:
            raise ValueError(
                f"no series {shock.series!r} to shock; there are {', '.join(SERIES)} and fuel:<fuel>"
            )
        series[window] = series[window] * shock.factor + shock.add
