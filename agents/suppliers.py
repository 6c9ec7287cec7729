"""Suppliers: accelerators, memory, home-made processors, power equipment, cooling, builders."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from abm.decisions import Intent
from abm.rationing import proportional_fairness
from abm.stakeholder import Stakeholder
from agents.owners import SiteHolder

if TYPE_CHECKING:
    from abm.model import Model


def npu_share(model: Model, month: int) -> float:
    """Share of orders for home-made processors by a logit of cost per H100-equivalent (capital and power)."""
    makers = model.by_kind("npu-maker")
    if not makers:
        return 0.0
    p, v = model.parameters, model.world.vintages

    def cost(vintage: int) -> float:
        power = float(v.kw[vintage]) * p["gpu_power_factor"] * p["pue"] / 1000.0 * 8760.0 * p["load_factor"]
        running = power * float(model.state.site_price.mean()) * p["gpu_life_months"] / 12.0
        return (model.chip_price(vintage, month) + running) / float(v.h100e[vintage])

    own, other = model.vintage_of(makers[0].who, month), model.vintage_for(month)
    if own < 0:
        return 0.0
    advantage = math.log(cost(other) / cost(own))
    return 1.0 / (1.0 + math.exp(-(p["npu_taste"] + p["npu_price_response"] * advantage)))


class GpuMaker(Stakeholder):
    """Allocates scarce accelerators among countries, then among buyers.

    World output (trait ``output_year``, growing) is cut to what memory supply carries. Countries
    and the large clouds share it by proportional fairness with contract weights: the home country
    by ``home_weight`` plus a bonus for memory reserved at home, rivals by their own weight, the rest
    of the world by what remains. Export licences then cap what all makers abroad may ship home.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        "output_year": "GPU/year",
        "output_growth": "1/year",
        "home_weight": "share",
        "rival_weight": "share",
    }
    READS: ClassVar[tuple[str, ...]] = ("domestic_hbm_reserve",)
    PHASES: ClassVar[tuple[str, ...]] = ("supply",)

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        model, p = self.world_model, self.world_model.parameters
        growth = math.log1p(self.trait["output_growth"])
        fade = p["growth_fade"]
        years = month / 12.0
        reach = years if fade >= 1.0 else (fade**years - 1.0) / math.log(fade)
        output = (
            self.trait["output_year"]
            / 12.0
            * math.exp(growth * reach)
            * float(model.outside.gpu_supply[month])
        )
        per_chip = float(model.world.vintages.hbm_gb[model.vintage_of(self.who, month)])
        by_memory = (
            model.memory_gb * p["maker_memory_share"] / per_chip
            if per_chip > 0.0 and model.memory_gb > 0.0
            else math.inf
        )
        supply = min(output, by_memory)
        asked = model.backlog(self.who)
        rivals = model.by_kind("rival")
        orders = np.array([asked] + [r.chips_wanted for r in rivals] + [output * p["world_order_pressure"]])
        bonus = p["reserve_weight_bonus"] * self.lever("domestic_hbm_reserve")
        home = self.trait["home_weight"] + bonus
        weights = np.array(
            [home]
            + [self.trait["rival_weight"]] * len(rivals)
            + [max(1.0 - home - self.trait["rival_weight"] * len(rivals), 1e-6)]
        )
        shares = proportional_fairness(orders, weights, supply)
        for rival, got in zip(rivals, shares[1:-1], strict=True):
            rival.chips_received = float(got)
        home_share = float(shares[0])
        bound = "" if home_share >= asked - 1e-9 else ("memory" if by_memory < output else "world allocation")
        yield self.intent("allocate", "gpu", home_share, "GPU", bound, asked=asked, world=supply)

    def score(self, month: int) -> float:
        """Accelerators delivered to the home country so far."""
        return self.world_model.delivered_by.get(self.who, 0.0)


class RivalGpuMaker(Stakeholder):
    """Sells to the home country what the leader's rationing leaves over, up to its own small output."""

    TRAITS: ClassVar[Mapping[str, str]] = {"home_output_year": "GPU/year", "output_growth": "1/year"}
    PHASES: ClassVar[tuple[str, ...]] = ("supply",)

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        model = self.world_model
        output = self.trait["home_output_year"] / 12.0 * (1.0 + self.trait["output_growth"]) ** (month / 12.0)
        asked = model.backlog(self.who)
        granted = min(asked, output * float(model.outside.gpu_supply[month]))
        yield self.intent("allocate", "gpu", granted, "GPU", "output" if granted < asked else "", asked=asked)

    def score(self, month: int) -> float:
        """Accelerators delivered to the home country so far."""
        return self.world_model.delivered_by.get(self.who, 0.0)


class NpuMaker(Stakeholder):
    """Makes home processors as orders and memory allow; expands by what it had to turn away.

    Output a month is limited by capacity and by the memory it gets: the reserve at home plus the
    trait ``memory_share`` of what is sold freely. Half of the orders turned away become capacity a
    year later.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        "capacity_year": "NPU/year",
        "memory_share": "share",
        "expansion": "share",
    }
    READS: ClassVar[tuple[str, ...]] = ("domestic_hbm_reserve",)
    PHASES: ClassVar[tuple[str, ...]] = ("supply",)

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self.capacity = self.trait["capacity_year"] / 12.0

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        model = self.world_model
        vintage = model.vintage_of(self.who, month)
        if vintage < 0:
            return
        asked = model.backlog(self.who)
        per_chip = float(model.world.vintages.hbm_gb[vintage])
        memory = model.memory_reserved_gb + self.trait["memory_share"] * model.memory_gb
        by_memory = memory / per_chip if per_chip > 0.0 else math.inf
        granted = min(asked, self.capacity, by_memory)
        bound = "" if granted >= asked - 1e-9 else ("memory" if by_memory < self.capacity else "capacity")
        self.capacity += (
            self.trait["expansion"] / 12.0 * max(asked - granted, 0.0) * (bound == "capacity") / 12.0
        )
        yield self.intent("allocate", "npu", granted, "NPU", bound, asked=asked)

    def score(self, month: int) -> float:
        """Processors delivered so far."""
        return self.world_model.delivered_by.get(self.who, 0.0)


class HbmMaker(SiteHolder):
    """Splits its memory between the world market and the reserve for home chips; expands when sold out.

    A home maker keeps back what the reserve asks for. Output grows by the trait ``growth`` a year,
    faster by half while everything is sold.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {"output_gb_year": "GB/year", "growth": "1/year"}
    READS: ClassVar[tuple[str, ...]] = ("domestic_hbm_reserve",)
    PHASES: ClassVar[tuple[str, ...]] = ("memory", "investment")

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self.output = self.trait["output_gb_year"] / 12.0
        self.sold = 0.0

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        if phase == "investment":
            return self.review_plants(month) if self.due(month) else ()
        return self.sell(month)

    def sell(self, month: int) -> Iterator[Intent]:
        p = self.world_model.parameters
        fade = p["growth_fade"] ** (month / 12.0)
        boost = 1.5 if self.world_model.memory_sold_out else 1.0
        if month:
            self.output *= (1.0 + self.trait["growth"] * fade * boost) ** (1.0 / 12.0)
        made = self.output * p["hbm_supply_factor"]
        kept = 0.0 if self.foreign else self.lever("domestic_hbm_reserve") * made
        self.sold += made - kept
        yield self.intent("sell", "hbm", made - kept, "GB", kept=kept)

    def score(self, month: int) -> float:
        """Memory sold on the world market so far, GB."""
        return self.sold


class CapacitySupplier(Stakeholder):
    """A maker whose monthly output is shared among all sites under way (equipment, cooling, crews).

    It expands by the trait ``expansion`` a year while its order book is longer than the trait
    ``backlog_months`` of output, and not otherwise.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        "mw_month": "MW/month",
        "expansion": "1/year",
        "backlog_months": "month",
    }
    PHASES: ClassVar[tuple[str, ...]] = ("capacity",)
    GOOD: ClassVar = ""

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self.capacity = self.trait["mw_month"]
        self.supplied = 0.0

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        book = self.world_model.order_book(self.GOOD)
        if book > self.trait["backlog_months"] * self.capacity:
            self.capacity *= (1.0 + self.trait["expansion"]) ** (1.0 / 12.0)
        yield self.intent("supply", self.GOOD, self.capacity, "MW/month", order_book=book)

    def score(self, month: int) -> float:
        """Megawatts supplied so far."""
        return self.supplied


class PowerEquipmentMaker(CapacitySupplier):
    """Transformers and switchgear. See :class:`CapacitySupplier` for the rule."""

    GOOD = "power-equipment"


class CoolingMaker(CapacitySupplier):
    """Cooling plant. See :class:`CapacitySupplier` for the rule."""

    GOOD = "cooling"


class Builder(CapacitySupplier):
    """Construction crews. See :class:`CapacitySupplier` for the rule."""

    GOOD = "construction"
