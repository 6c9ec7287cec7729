"""From names to a model: world, scenario, package and settings are checked first, the model is built after.

``prepare`` imports nothing heavy, so that bad input is answered at once; ``build`` checks the cast and
makes the model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abm.phases.outside import SERIES, Shock
from abm.quantities import Quantity
from abm.series import Indicator
from abm.supply import Disruption
from abm.world import World
from policies.catalogue import catalogue
from policies.lever import Lever
from policies.package import Package
from runs.checking import BadInput, Complaint
from runs.scenario import Scenario, load_package, load_scenario
from runs.spec import RunSpec, Settled
from runs.supply_shocks import SupplyShock, edges_of
from runs.worlds import loader

if TYPE_CHECKING:
    from abm.core.power import Backend
    from abm.model import Model


@dataclass(frozen=True)
class Prepared:
    """A run that has been checked and can be built."""

    spec: RunSpec
    world: World
    settled: Settled
    levers: Mapping[str, Lever]
    indicators: tuple[Indicator, ...]

    @property
    def scenario(self) -> Scenario:
        return self.spec.scenario

    @property
    def package(self) -> Package:
        return self.spec.package

    @property
    def parameters(self) -> dict[str, float]:
        """All quantities of the world by public name, uncertainties as this run sets them."""
        defaults = {name: quantity.default for name, quantity in self.world.quantities.items()}
        return {**defaults, **self.settled.uncertainties, **self.settled.parameters}

    def canonical(self) -> dict[str, Any]:
        """What determines the run, less the model itself."""
        return self.spec.canonical(self.world, self.levers)

    def supply_shocks(self) -> tuple[SupplyShock, ...]:
        """Shocks to the supply graph, those of the scenario and those set, without what changes nothing."""
        first = self.settled.calendar.first
        return tuple(
            SupplyShock(start + first, supplier, buyer, good, months, factor, delay)
            for supplier, buyer, good, start, months, factor, delay in self.settled.supply_shocks
        )

    def run_id(self) -> str:
        return self.spec.id(self.world, self.levers)

    def build(self, power_backend: Backend | None = None) -> Model:
        """The model, at its first month."""
        from abm.model import Model
        from agents import cast

        complaints = cast_complaints(self.world)
        if complaints:
            raise BadInput(complaints)
        model = Model(
            self.world,
            cast.build,
            self.indicators,
            list(self.levers.values()),
            self.settled.schedule,
            self.settled.triggers,
            self._settings(),
            [Shock(*shock) for shock in self.settled.shocks],
            self.spec.root,
            power_backend,
            [Disruption(*shock) for shock in self.settled.supply_shocks],
        )
        model.spec = self.spec
        return model

    def _settings(self) -> dict[str, float]:
        registry: Mapping[str, Quantity] = self.world.quantities
        given = {**self.settled.uncertainties, **self.settled.parameters}
        return {name: value for name, value in given.items() if name in registry}


def series_names(world: World) -> tuple[str, ...]:
    """Outside series that a scenario's shocks may name."""
    return (*SERIES, *(f"fuel:{fuel}" for fuel in world.fuels.keys))


def indicators(world: World) -> tuple[Indicator, ...]:
    """The world's indicators, families spread over those they are about."""
    table = world.indicators
    found: list[Indicator] = []
    for row, name in enumerate(table.keys):
        measure, who, later = table.measure[row], table.who[row], table.later[row]
        members = _members(world, measure) if who == "*" else (who,)
        for member in members:
            key = f"{name.removesuffix('.*')}.{member}" if who == "*" else name
            unit, about = table.unit[row], table.about[row]
            if measure == "score":
                unit = world.cast.objective[world.cast.row(member)]
                about = f"{world.cast.name[world.cast.row(member)]}: {unit}"
            found.append(Indicator(key, measure, member, unit, table.yearly[row], about, later))
    return tuple(found)


def _members(world: World, measure: str) -> tuple[str, ...]:
    cast, kinds = world.cast.keys, world.cast.kind
    owners = [cast[row] for row in sorted(set(world.sites.owner.tolist()))]
    if measure == "gpus_by_owner":
        return tuple(owners)
    if measure == "deployed_by":
        capital = [
            who for who, kind in zip(cast, kinds, strict=True) if kind in ("fund", "pension", "policy-bank")
        ]
        return tuple(dict.fromkeys([*owners, *capital]))
    if measure == "hosted_share":
        return tuple(world.countries.keys)
    if measure == "generation":
        return tuple(world.technologies.keys)
    if measure in ("zone_price", "ai_load"):
        return tuple(world.zones.keys)
    return tuple(cast)


def prepare(
    world: str | World = "korea",
    scenario: str | Scenario = "baseline",
    package: str | Package = "as-announced",
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Prepared:
    """Check everything that a run needs; :class:`runs.checking.BadInput` with all complaints."""
    found = loader.load(world) if isinstance(world, str) else world
    name = found.name
    levers, edges = catalogue(), edges_of(found)
    complaints: list[Complaint] = []
    chosen: Scenario | None = None
    bundle: Package | None = None
    if isinstance(scenario, Scenario):
        chosen = scenario
    else:
        try:
            chosen = load_scenario(
                scenario,
                scenario_folder(str(world) if isinstance(world, str) else name),
                found.quantities,
                series_names(found),
                found.calendar,
                world=name,
                currency=found.currency,
                edges=edges,
            )
        except BadInput as bad:
            complaints += bad.complaints
    watched = indicators(found)
    units = {indicator.name: indicator.unit for indicator in watched} if not complaints or chosen else {}
    if isinstance(package, Package):
        bundle = package
    else:
        try:
            bundle = load_package(package, levers, indicators=units, currency=found.currency)
        except BadInput as bad:
            complaints += bad.complaints
    if complaints or chosen is None or bundle is None:
        raise BadInput(complaints)
    spec = RunSpec(name, chosen, bundle, dict(settings or {}), seed)
    settled = spec.settle(found.quantities, levers, found.calendar, edges)
    if settled.calendar.first != found.calendar.first:
        raise BadInput(
            [
                Complaint(
                    chosen.file or chosen.name,
                    0,
                    "start",
                    (
                        f"found {settled.calendar.text(0)}, but the tables of this world begin in {found.calendar.text(0)}; "
                        "a later start is not built yet: leave start out and read the months you want"
                    ),
                )
            ]
        )
    if settled.calendar != found.calendar:
        found = dataclasses.replace(found, calendar=settled.calendar)
    return Prepared(spec, found, settled, levers, watched)


def scenario_folder(world: str) -> Path:
    """Folder of the scenarios that ship with a world (by name or path)."""
    path = Path(world)
    base = path.parent if path.name == "world.toml" else path
    return (base if base.is_dir() else Path(loader.__file__).parent / world) / "scenarios"


def cast_complaints(world: World) -> list[Complaint]:
    """What is wrong with kinds and traits of the cast; it takes the kinds of stakeholder, and so Mesa, to tell."""
    from agents import cast

    return [
        Complaint(f"{world.name}/{'cast' if key == 'kind' else 'traits'}.csv", 0, who, message, key)
        for who, key, message in cast.complaints(world)
    ]
