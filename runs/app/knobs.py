"""What can be moved: levers, uncertainties and parameters as one kind of thing, with groups for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from abm.calendar import Calendar
from abm.world import World
from policies.catalogue import catalogue
from policies.library import shipped_packages
from policies.package import Package
from policies.reading import unit_text
from runs.assemble import scenario_folder
from runs.scenario import Scenario, load_package, load_scenario, shipped_scenarios
from runs.worlds import loader

GROUPS: Mapping[str, tuple[str, ...]] = {
    "chips": (
        "gpu_supply_factor", "hbm_supply_factor", "gpu_price_factor", "gpu_power_factor", "gpu_life_months",
        "export_cap_gpus", "compute_efficiency_growth",
    ),
    "sites": (
        "line_delay_months", "permit_delay_months", "announcement_realisation", "pue", "site_cost_factor",
        "transfer_limit_factor", "fab_load_gw",
    ),
    "demand": (
        "ai_demand_growth", "compute_price_elasticity", "world_compute_price_factor", "apac_demand_growth",
        "rival_response", "ai_demand_bust_month", "talent_outflow",
    ),
    "power": (
        "lng_price_factor", "coal_price_factor", "demand_growth", "nuclear_availability", "weather_draw",
        "solar_cost_factor", "wind_cost_factor", "storage_cost_factor",
    ),
    "money": ("interest_rate_shift", "country_risk_premium", "krw_per_usd", "kepco_bond_limit"),
}  # fmt: skip
"""Groups of uncertainties; one that is in none comes last, under ``money``."""

PARAMETERS = "parameters"
"""Group of the quantities that are no uncertainties; it has no sliders."""

OWNERS = ("energy", "science", "finance", "land", "data", "education", "presidential")
"""Groups of levers, by who owns them."""


@dataclass(frozen=True, slots=True)
class Knob:
    """A lever, an uncertainty, or a parameter of the world."""

    name: str
    handle: str
    lever: bool
    group: str
    unit: str
    default: float
    low: float
    high: float
    source: str
    confidence: str
    moves: str
    lead_months: int = 0
    parameter: bool = False
    """Changed on the Assumptions page only."""

    @property
    def kind(self) -> str:
        return "lever" if self.lever else "parameter" if self.parameter else "uncertainty"

    def complaint(self, value: float) -> str | None:
        """What is wrong with a value, or None."""
        if not math.isfinite(value):
            return f"found {value}, expected a finite number in {self.unit}"
        if not self.low <= value <= self.high:
            return f"found {value:g}, allowed {self.low:g} to {self.high:g} {self.unit}"
        return None

    @property
    def step(self) -> float:
        """A handy step: a hundredth of the range or so, a round number; whole months and units where they are whole."""
        if self.unit == "month":
            return 1.0
        raw = (self.high - self.low) / 100.0
        if not math.isfinite(raw):
            raw = abs(self.default) / 100.0
        size = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
        return next(size * m for m in (1.0, 2.0, 5.0, 10.0) if size * m >= raw * 0.999)

    def beside(self, value: float, steps: int) -> float | None:
        """The value that many steps of the slider from ``value``, None beyond its ends; exact as decimals are."""
        found = float(Decimal(repr(float(value))) + steps * Decimal(repr(self.step)))
        return found if self.low <= found <= self.high else None

    def nearest(self, value: float) -> float | None:
        """The value of the slider's step that is nearest to ``value``; None beyond its ends."""
        if not math.isfinite(value):
            return None
        return self.beside(self.low, round((value - self.low) / self.step))


class Knobs:
    """All levers and quantities of a world, and the scenarios and packages that ship."""

    def __init__(self, world_name: str):
        self.world_name = world_name
        self.world: World = loader.load(world_name)
        world = self.world
        by_name = {name: group for group, names in GROUPS.items() for name in names}
        self.of: dict[str, Knob] = {}
        for lever in catalogue().values():
            unit = unit_text(lever.unit, world.currency)
            self.of[lever.name] = Knob(
                lever.name, lever.handle, True, lever.owner, unit, lever.default, lever.low, lever.high,
                lever.source, lever.confidence, lever.moves, lever.lead_months,
            )  # fmt: skip
        for name, quantity in world.quantities.items():
            plain = quantity.role != "uncertainty"
            group = PARAMETERS if plain else by_name.get(name, "money")
            self.of[name] = Knob(
                name, quantity.key, False, group, unit_text(quantity.unit, world.currency), quantity.default,
                quantity.low, quantity.high, quantity.source, quantity.confidence, quantity.moves,
                parameter=plain,
            )  # fmt: skip
        folder = scenario_folder(world_name)
        self.scenarios: dict[str, Scenario] = {}
        for name in shipped_scenarios(folder):
            scenario = load_scenario(
                name, folder, world.quantities, _series(world), world.calendar, world=world.name,
                currency=world.currency,
            )  # fmt: skip
            if scenario.calendar(world.calendar).first == world.calendar.first:
                self.scenarios[name] = scenario
        levers = catalogue()
        self.packages: dict[str, Package] = {
            name: load_package(name, levers, currency=world.currency) for name in shipped_packages()
        }

    def base(self, scenario: str, package: str, calendar: Calendar | None = None) -> dict[str, float]:
        """What every knob stands at under a scenario and a package: levers at their last target."""
        values = {name: knob.default for name, knob in self.of.items()}
        values.update(self.scenarios[scenario].uncertainties)
        values.update(self.scenarios[scenario].parameters)
        targets = self.packages[package].targets((calendar or self.world.calendar).first)
        by_handle = {knob.handle: name for name, knob in self.of.items() if knob.lever}
        for handle, steps in targets.items():
            if steps:
                values[by_handle[handle]] = steps[-1][1]
        return values


def _series(world: World) -> tuple[str, ...]:
    from runs.assemble import series_names

    return series_names(world)


@lru_cache(maxsize=4)
def knobs_of(world: str) -> Knobs:
    """The knobs of a world, read once."""
    return Knobs(world)


__all__ = ["Knob", "Knobs", "knobs_of"]
