"""Who hosts the region's contestable computing demand: a nested logit with an outside option.

Utility falls with price, latency, strict data rules, carbon and risk (McFadden 1978 for the nesting).
What a country cannot hold overflows to the next choice among those with room.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from abm.core.market import choice, host

if TYPE_CHECKING:
    from abm.model import Model


class Hosting:
    """Capacity, demand and shares of the countries that compete."""

    def __init__(self, model: Model):
        table = model.world.countries
        n = len(table)
        self.capacity = table.capacity_mw.astype(float).copy()
        self.coming = np.zeros((model.calendar.months + 121, n))
        self.hosted = np.zeros(n)
        self.used = np.ones(n)
        self.home = int(np.flatnonzero(table.home)[0]) if n and np.any(table.home) else -1
        nests = list(dict.fromkeys(table.nest))
        self.nest = np.array([nests.index(nest) for nest in table.nest], np.int64)
        self.nest_count = len(nests)
        self.demand = self.total = 0.0
        self.home_share = self.home_share_first = 0.0
        self.started = False
        if self.home >= 0:
            self.constant = self._constants(table.attraction, model.parameters)
            self.usual = self._usual_terms(model)
            self.home_latency = float(table.latency_ms[self.home])
            self.weigh(model)

    def __bool__(self) -> bool:
        return self.home >= 0

    def shares(self, utility: np.ndarray, open_to: np.ndarray, scale: float) -> np.ndarray:
        """Choice probabilities of the countries in ``open_to``; what is missing to one goes outside."""
        found = np.empty(len(utility))
        choice(utility, open_to, self.nest, self.nest_count, scale, found)
        return found

    @staticmethod
    def _terms(p: Mapping[str, float], price: Any, latency: Any, strict: Any, carbon: Any, risk: Any) -> Any:
        """What speaks against countries: price in USD/MWh, latency in ms, data rules, carbon in kg/MWh, risk.

        Numbers of one country, or arrays of all.
        """
        return (
            p["hosting_price"] * price / 100.0
            + p["hosting_latency"] * latency / 100.0
            + p["hosting_data"] * strict
            + p["hosting_carbon"] * carbon / 1000.0
            + p["hosting_risk"] * risk * 10.0
        )

    def _usual_terms(self, model: Model) -> np.ndarray:
        """Terms under which today's shares were seen: no scenario and no package moves them."""
        p, table = model.quantities, model.world.countries
        price, strict, risk = (
            values.astype(float).copy()
            for values in (table.power_price_usd, table.data_strictness, table.risk)
        )
        price[self.home] = p["tariff_start"] * p["site_tariff_ratio"] / p.quantity("exchange_rate").default
        openness = model.board.levers.get("data_openness")
        strict[self.home] = 1.0 - (openness.default if openness else 0.5)
        risk[self.home] = p.quantity("country_risk_premium").default
        return np.asarray(self._terms(p, price, table.latency_ms, strict, table.carbon_kg_mwh, risk))

    def weigh(self, model: Model) -> None:
        """Utility of all countries as the table has them: abroad nothing moves it in a run, at home each month does."""
        table = model.world.countries
        terms = self._terms(
            model.parameters, table.power_price_usd, table.latency_ms, table.data_strictness,
            table.carbon_kg_mwh, table.risk,
        )  # fmt: skip
        self.utility = self.constant - (terms - self.usual)

    def _constants(self, attraction: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
        """Constants that give the shares of the first month, terms being counted from there.

        The table's attractions are logarithms of shares; ``hosting_outside`` of all demand goes
        outside. Inverting the nested logit: V = ln(s_nest / s_out) + nest * ln(s / s_nest).
        """
        share = np.exp(attraction - attraction.max())
        share *= (1.0 - p["hosting_outside"]) / share.sum()
        constant = np.empty(len(share))
        for number in range(self.nest_count):
            nest = self.nest == number
            whole = float(share[nest].sum())
            constant[nest] = np.log(whole / p["hosting_outside"]) + p["hosting_nest"] * np.log(
                share[nest] / whole
            )
        return constant

    def run(self, model: Model, month: int, home_room_mw: float) -> float:
        """Share the month's contestable demand; returns MW that the home country hosts for abroad."""
        p, outside, home = model.parameters, model.outside, self.home
        terms = self._terms(
            p,
            model.mean_site_price() / outside.exchange_rate.item(month),
            self.home_latency,
            1.0 - model.board.value("data_openness", month),
            model.carbon_kg_mwh,
            outside.country_risk.item(month),
        )
        self.utility[home] = self.constant[home] - (terms - self.usual[home])
        self.demand = p["contestable_mw"] * outside.regional_demand.item(month)
        total = self.total = host(
            self.capacity, self.coming[month], home, home_room_mw, p["contestable_capacity_share"], self.utility,
            self.nest, self.nest_count, p["hosting_nest"], self.demand, self.hosted, self.used,
        )  # fmt: skip
        hosted = self.hosted.item(home)
        self.home_share = hosted / total if total > 0.0 else 0.0
        if not self.started:
            self.home_share_first, self.started = self.home_share, True
        return hosted

    def share_of(self, country: int) -> float:
        return float(self.all_shares()[country])

    def all_shares(self) -> np.ndarray:
        """(countries,) of what is hosted in the region; NaN where nothing is."""
        return self.hosted / self.total if self.total > 0.0 else np.full(len(self.hosted), math.nan)
