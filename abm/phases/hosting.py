"""Who hosts the region's contestable computing demand: a nested logit with an outside option.

Utility falls with price, latency, strict data rules, carbon and risk (McFadden 1978 for the nesting).
What a country cannot hold overflows to the next choice among those with room.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from abm.core.market import choice, overflow

if TYPE_CHECKING:
    from abm.model import Model
    from abm.quantities import Parameters


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
        self.demand = 0.0
        self.home_share = self.home_share_first = 0.0
        self.started = False
        if self.home >= 0:
            self.constant = self._constants(table.attraction, model.parameters)
            self.usual = self._usual_terms(model)

    def __bool__(self) -> bool:
        return self.home >= 0

    def shares(self, utility: np.ndarray, open_to: np.ndarray, scale: float) -> np.ndarray:
        """Choice probabilities of the countries in ``open_to``; what is missing to one goes outside."""
        found = np.empty(len(utility))
        choice(utility, open_to, self.nest, self.nest_count, scale, found)
        return found

    @staticmethod
    def _terms(
        model: Model, price: np.ndarray, strict: np.ndarray, carbon: np.ndarray, risk: np.ndarray
    ) -> np.ndarray:
        """What speaks against each country: price in USD/MWh, latency, data rules, carbon in kg/MWh, risk."""
        p, table = model.parameters, model.world.countries
        return np.asarray(
            p["hosting_price"] * price / 100.0
            + p["hosting_latency"] * table.latency_ms / 100.0
            + p["hosting_data"] * strict
            + p["hosting_carbon"] * carbon / 1000.0
            + p["hosting_risk"] * risk * 10.0
        )

    def _usual_terms(self, model: Model) -> np.ndarray:
        """Terms under which today's shares were seen: no scenario and no package moves them."""
        p, table = model.parameters, model.world.countries
        price, strict, risk = (
            values.astype(float).copy()
            for values in (table.power_price_usd, table.data_strictness, table.risk)
        )
        price[self.home] = p["tariff_start"] * p["site_tariff_ratio"] / p.quantity("exchange_rate").default
        openness = model.board.levers.get("data_openness")
        strict[self.home] = 1.0 - (openness.default if openness else 0.5)
        risk[self.home] = p.quantity("country_risk_premium").default
        return self._terms(model, price, strict, table.carbon_kg_mwh.astype(float), risk)

    def _constants(self, attraction: np.ndarray, p: Parameters) -> np.ndarray:
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
        table, p = model.world.countries, model.parameters
        self.capacity += self.coming[month]
        self.capacity[self.home] = home_room_mw
        price, carbon = table.power_price_usd.astype(float), table.carbon_kg_mwh.astype(float)
        strict, risk = table.data_strictness.astype(float), table.risk.astype(float)
        price[self.home] = float(model.state.site_price.mean()) / float(model.outside.exchange_rate[month])
        strict[self.home] = 1.0 - model.board.value("data_openness", month)
        risk[self.home] = float(model.outside.country_risk[month])
        carbon[self.home] = model.carbon_kg_mwh
        utility = self.constant - (self._terms(model, price, strict, carbon, risk) - self.usual)
        self.demand = p["contestable_mw"] * float(model.outside.regional_demand[month])
        hosted = np.empty(len(utility))
        room = np.maximum(self.capacity * p["contestable_capacity_share"], 0.0)
        room[self.home] = home_room_mw
        overflow(utility, room, self.nest, self.nest_count, p["hosting_nest"], self.demand, hosted)
        self.hosted = hosted
        self.used = np.divide(hosted, room, out=np.zeros_like(hosted), where=room > 1e-9)
        total = float(hosted.sum())
        self.home_share = float(hosted[self.home]) / total if total > 0.0 else 0.0
        if not self.started:
            self.home_share_first, self.started = self.home_share, True
        return float(hosted[self.home])

    def share_of(self, country: int) -> float:
        return float(self.all_shares()[country])

    def all_shares(self) -> np.ndarray:
        """(countries,) of what is hosted in the region; NaN where nothing is."""
        total = float(self.hosted.sum())
        return self.hosted / total if total > 0.0 else np.full(len(self.hosted), math.nan)
