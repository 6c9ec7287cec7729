"""Suppliers: accelerators, memory, home-made processors, power equipment, cooling, builders."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from abm.decisions import Intent
from abm.stakeholder import Stakeholder
from agents.owners import SiteHolder

if TYPE_CHECKING:
    from abm.model import Model


LONGEST_LEAD = 121
"""Months ahead that a maker plans at most: the longest lead time that an edge may have, and one."""


def npu_share(model: Model, month: int) -> float:
    """Share of orders for home-made processors by a logit of cost per H100-equivalent (capital and power)."""
    makers = model.by_kind("npu-maker")
    if not makers:
        return 0.0
    p, v = model.parameters, model.world.vintages

    price = model.mean_site_price()

    def cost(vintage: int) -> float:
        power = float(v.kw[vintage]) * p["gpu_power_factor"] * p["pue"] / 1000.0 * 8760.0 * p["load_factor"]
        running = power * price * p["gpu_life_months"] / 12.0
        return (model.chip_price(vintage, month) + running) / float(v.h100e[vintage])

    own, other = model.chips.vintage(makers[0].who, month), model.vintage_for(month)
    if own < 0:
        return 0.0
    advantage = math.log(cost(other) / cost(own))
    return 1.0 / (1.0 + math.exp(-(p["npu_taste"] + p["npu_price_response"] * advantage)))


class ChipMaker(Stakeholder):
    """What makers of accelerators have in common: they buy memory ahead of what they plan to make.

    Each month they order what the month of its arrival will use, less what will lie there by then: the
    stock and what is due, less the use of the months until then. What was missing is not made up for, since
    the machines that it would have gone into were not made.
    """

    PHASES: ClassVar[tuple[str, ...]] = ("memory-orders", "supply")

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self._per_chip: list[float] | None = None

    def plans(self, month: int, months: int) -> list[float]:
        """Output that the maker plans, in ``month``, for each of so many months from then on."""
        return [0.0] * months

    def memory_contract(self) -> float:
        """Share of each memory maker's free output that is under contract to this maker."""
        return self.trait["memory_share"]

    def memory_uses(self, month: int, months: int) -> list[float]:
        """Memory that the plan for each of so many months uses, GB."""
        if self._per_chip is None:
            self._per_chip = self.world_model.chips.memory_per_chip(self.who)
        each = self._per_chip[month : month + months]
        return [made * holds for made, holds in zip(self.plans(month, months), each, strict=True)]

    def order_memory(self, month: int) -> Iterable[Intent]:
        chips = self.world_model.chips
        if not chips.uses_memory(self.who):
            return ()
        held, due = chips.memory_ahead(self.who)
        *uses, use = self.memory_uses(month, len(due) + 1)
        for arriving, used in zip(due, uses, strict=True):
            held = max(held + arriving - used, 0.0)
        short = max(use - held, 0.0)
        return (Intent(self.who, "order", "hbm", short, "GB", {"use": use, "left": held}),)

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        return self.order_memory(month) if phase == "memory-orders" else self.make(month)

    def make(self, month: int) -> Iterable[Intent]:
        """What it lets go this month at most."""
        return (Intent(self.who, "make", "gpu", self.plans(month, 1)[0], "GPU"),)

    def score(self, month: int) -> float:
        """Accelerators delivered to the home country so far."""
        return self.world_model.delivered_by.get(self.who, 0.0)


class GpuMaker(ChipMaker):
    """Allocates scarce accelerators among countries, then among buyers.

    World output (trait ``output_year``, growing) is cut to what memory carries. Countries share it by
    proportional fairness: the home country with weight ``home_weight`` plus a bonus for memory reserved
    at home, rivals with their own weight, the rest of the world with what remains. Export licences cap
    what all makers abroad may ship home; what the home country gets goes to its buyers by the maker's
    rule of rationing.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        "output_year": "GPU/year",
        "output_growth": "1/year",
        "home_weight": "share",
        "rival_weight": "share",
    }
    READS: ClassVar[tuple[str, ...]] = ("domestic_hbm_reserve",)

    def memory_contract(self) -> float:
        return self.world_model.parameters["maker_memory_share"]

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        fade = model.parameters["growth_fade"]
        years = np.arange(model.calendar.months + LONGEST_LEAD) / 12.0
        reach = years if fade >= 1.0 else (fade**years - 1.0) / math.log(fade)
        growth = math.log1p(self.trait["output_growth"])
        self._trend: list[float] = (self.trait["output_year"] / 12.0 * np.exp(growth * reach)).tolist()

    def plans(self, month: int, months: int) -> list[float]:
        """Growth fades; the supply of packaging is expected to stay as it is now."""
        supply = self.world_model.outside.gpu_supply.item(month)
        return [made * supply for made in self._trend[month : month + months]]

    def make(self, month: int) -> Iterable[Intent]:
        p = self.world_model.parameters
        (output,) = self.plans(month, 1)
        bonus = p["reserve_weight_bonus"] * self.lever("domestic_hbm_reserve")
        values = {
            "abroad": output * p["world_order_pressure"],
            "home_weight": self.trait["home_weight"] + bonus,
            "rival_weight": self.trait["rival_weight"],
        }
        return (Intent(self.who, "make", "gpu", output, "GPU", values),)


class RivalGpuMaker(ChipMaker):
    """Sells to the home country what the leader's rationing leaves over, up to its own small output."""

    TRAITS: ClassVar[Mapping[str, str]] = {
        "home_output_year": "GPU/year",
        "output_growth": "1/year",
        "memory_share": "share",
    }

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        start, growth = self.trait["home_output_year"] / 12.0, 1.0 + self.trait["output_growth"]
        months = model.calendar.months + LONGEST_LEAD
        self._trend = [start * growth ** (month / 12.0) for month in range(months)]

    def plans(self, month: int, months: int) -> list[float]:
        supply = self.world_model.outside.gpu_supply.item(month)
        return [made * supply for made in self._trend[month : month + months]]


class NpuMaker(ChipMaker):
    """Makes home processors as orders and memory allow; expands by what it had to turn away.

    Output a month is limited by capacity and by the memory it has bought: from the reserve at home
    first, then from what is sold freely, of which ``memory_share`` is under contract. The trait
    ``expansion`` of orders turned away for lack of capacity becomes capacity over a year.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        "capacity_year": "NPU/year",
        "memory_share": "share",
        "expansion": "share",
    }
    READS: ClassVar[tuple[str, ...]] = ("domestic_hbm_reserve",)
    PHASES: ClassVar[tuple[str, ...]] = ("memory-orders", "supply")

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self.capacity = self.trait["capacity_year"] / 12.0

    def plans(self, month: int, months: int) -> list[float]:
        return [self.capacity] * months

    def make(self, month: int) -> Iterable[Intent]:
        ready = self.world_model.chips.vintage(self.who, month) >= 0
        return (Intent(self.who, "make", "npu", self.capacity, "NPU"),) if ready else ()

    def learn(self, month: int) -> None:
        turned_away = self.world_model.chips.turned_away.get(self.who, 0.0)
        self.capacity += self.trait["expansion"] / 12.0 * turned_away / 12.0

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

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        if phase == "investment":
            return self.review_plants(month)
        return self.sell(month)

    def sell(self, month: int) -> Iterable[Intent]:
        p = self.world_model.parameters
        fade = p["growth_fade"] ** (month / 12.0)
        boost = 1.5 if self.world_model.chips.memory.sold_out else 1.0
        if month:
            self.output *= (1.0 + self.trait["growth"] * fade * boost) ** (1.0 / 12.0)
        made = self.output * p["hbm_supply_factor"]
        kept = 0.0 if self.foreign else self.lever("domestic_hbm_reserve") * made
        return (Intent(self.who, "sell", "hbm", made - kept, "GB", {"kept": kept}),)

    def score(self, month: int) -> float:
        """Memory sold on the world market so far, GB."""
        return self.world_model.chips.memory.sold_by(self.who)


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
        return (Intent(self.who, "supply", self.GOOD, self.capacity, "MW/month", {"order_book": book}),)

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
