"""A run's specification, the form of it that settles everything, and the run's id.

The id is the hash of all that determines a run: values after types, defaults and units are settled, the
world's bytes, the root seed, the model's own source and the versions of the libraries it computes with.
Names, titles and what is kept of the output are no part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abm.calendar import Calendar
from abm.quantities import Quantity
from policies.lever import Lever
from policies.package import Package, Step
from policies.reading import Problems, read_amount, unknown
from policies.trigger import Trigger
from runs.checking import BadInput, Complaint
from runs.hashing import hash_text
from runs.scenario import Scenario
from runs.supply_shocks import PREFIX, Edges, SupplyShock, read_setting

if TYPE_CHECKING:
    from abm.world import World

ROOT = Path(__file__).resolve().parents[1]
MODEL_FOLDERS = ("abm", "agents", "policies")
"""Folders whose Python source and CSV tables make the model."""

MODEL_FILES = ("runs/assemble.py", "runs/worlds/*.py")
"""What turns a world's files and a specification into a model, seen from the root."""

LIBRARIES = ("numpy", "numba", "highspy", "mesa", "networkx")
"""Libraries whose version may change a result."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A specification with every default filled in, in the terms of one world's calendar."""

    calendar: Calendar
    uncertainties: Mapping[str, float]
    """All of the world's uncertainties, by name."""
    schedule: Mapping[str, tuple[Step, ...]]
    """Handle of a lever to (month index, target); what holds from before the run has a negative index."""
    triggers: tuple[Trigger, ...]
    shocks: tuple[tuple[str, int, int, float, float], ...]
    """Series, month index, months, factor, add: in the order in which they act."""
    supply_shocks: tuple[tuple[str, str, str, int, int, float, int], ...] = ()
    """Supplier, buyer, good (blank: all), month index, months, factor, delay; without those that change nothing."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    """Parameters of the world that stand elsewhere than the world has them, by name."""

    def lever_values(self, levers: Mapping[str, Lever], month: int = 0) -> dict[str, float]:
        """What the package wants every lever to stand at in ``month`` (triggers apart), by name."""
        values = {name: lever.default for name, lever in levers.items()}
        for name, lever in levers.items():
            for start, value in self.schedule.get(lever.handle, ()):
                if start <= month:
                    values[name] = value
        return values


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What is asked for: a world by name, a scenario, a package, settings on top, and a root seed.

    ``settings`` map names of uncertainties, levers and the world's parameters to values and win over scenario
    and package. A lever that is set stands at its value from the first month (its lead time later) to the end: the
    package's schedule for it is void, and no trigger moves it. Keys that begin with ``shock.`` are shocks to
    the supply graph, on top of the scenario's (see ``runs.supply_shocks``).
    """

    world: str
    scenario: Scenario
    package: Package
    settings: Mapping[str, float | str] = field(default_factory=dict)
    root: int = 0

    def settle(
        self,
        quantities: Mapping[str, Quantity],
        levers: Mapping[str, Lever],
        calendar: Calendar,
        edges: Edges | None = None,
    ) -> Settled:
        """Everything filled in; ``BadInput`` where a setting is unknown, no number or out of range.

        ``quantities``, ``calendar`` and ``edges`` are the world's; without ``edges`` the names in shocks to the
        supply graph are not checked.
        """
        months = self.scenario.calendar(calendar)
        numbers = {name: value for name, value in self.settings.items() if not name.startswith(PREFIX)}
        settings = read_settings(numbers, quantities, levers)
        supply_shocks = [*self.scenario.supply_shocks, *_shocks_set(self.settings, edges, months)]
        uncertainties = {
            name: float(quantity.default)
            for name, quantity in quantities.items()
            if quantity.role == "uncertainty"
        }
        uncertainties.update({name: float(value) for name, value in self.scenario.uncertainties.items()})
        uncertainties.update({name: value for name, value in settings.items() if name in uncertainties})
        assumed = {**self.scenario.parameters, **settings}
        parameters = {
            name: float(quantity_value)
            for name, quantity_value in sorted(assumed.items())
            if name in quantities
            and name not in uncertainties
            and name not in levers
            and quantity_value != quantities[name].default
        }
        pinned = {levers[name].handle: value for name, value in settings.items() if name in levers}
        schedule = {handle: tuple(steps) for handle, steps in self.package.targets(months.first).items()}
        schedule.update({handle: ((0, value),) for handle, value in pinned.items()})
        triggers = tuple(
            trigger for whole in self.package.triggers if (trigger := _without(whole, pinned)).changes
        )
        shocks = tuple(
            sorted(
                (
                    (
                        shock.series,
                        shock.start - months.first,
                        shock.months,
                        float(shock.factor),
                        float(shock.add),
                    )
                    for shock in self.scenario.shocks
                ),
                key=lambda shock: (shock[1], shock),
            )
        )
        network = tuple(
            sorted(
                (
                    shock.supplier,
                    shock.buyer,
                    shock.good,
                    shock.start - months.first,
                    shock.months,
                    float(shock.factor),
                    shock.delay,
                )
                for shock in supply_shocks
                if shock.acts
            )
        )
        return Settled(months, uncertainties, schedule, triggers, shocks, network, parameters)

    def canonical(self, world: World, levers: Mapping[str, Lever]) -> dict[str, Any]:
        """What determines the run, less the model itself: plain data, equal for equal runs."""
        settled = self.settle(world.quantities, levers, world.calendar)
        months = settled.calendar.months
        return {
            "world": world.hash,
            "start": settled.calendar.text(0),
            "months": months,
            "root": int(self.root),
            "uncertainties": {name: _number(value) for name, value in sorted(settled.uncertainties.items())},
            "parameters": {name: _number(value) for name, value in settled.parameters.items()},
            "levers": {
                lever.handle: steps
                for lever in sorted(levers.values(), key=lambda lever: lever.handle)
                if (steps := changes_in(settled.schedule.get(lever.handle, ()), lever.default, months))
            },
            "triggers": [
                [
                    trigger.indicator,
                    trigger.comparison,
                    _number(trigger.value),
                    trigger.by,
                    _number(trigger.switching_cost),
                    {handle: _number(value) for handle, value in sorted(trigger.changes.items())},
                ]
                for trigger in settled.triggers
            ],
            "shocks": [[*shock[:3], _number(shock[3]), _number(shock[4])] for shock in settled.shocks],
            "supply_shocks": [[*shock[:5], _number(shock[5]), shock[6]] for shock in settled.supply_shocks],
        }

    def id(self, world: World, levers: Mapping[str, Lever], model: str | None = None) -> str:
        """The run's id: 16 hexadecimal digits. ``model`` is the model's hash, by default this source's."""
        return hash_text([self.canonical(world, levers), model or model_hash()])

    def with_settings(self, settings: Mapping[str, float | str]) -> RunSpec:
        """A copy with ``settings`` on top of those it has."""
        return replace(self, settings={**self.settings, **settings})


def _shocks_set(
    settings: Mapping[str, object], edges: Edges | None, calendar: Calendar | None, file: str = "settings"
) -> list[SupplyShock]:
    """Shocks to the supply graph among the settings; ``BadInput`` with everything wrong with them."""
    problems = Problems()
    found = [
        shock
        for name, value in settings.items()
        if name.startswith(PREFIX)
        for shock in read_setting(name, value, edges, calendar, problems)
    ]
    if problems:
        raise BadInput([Complaint(file, 0, str(path[0]), message) for path, message in problems])
    return found


def _without(trigger: Trigger, pinned: Iterable[str]) -> Trigger:
    held = set(pinned)
    changes = {handle: value for handle, value in trigger.changes.items() if handle not in held}
    return replace(trigger, changes=changes)


def changes_in(steps: Sequence[Step], default: float, months: int) -> list[list[float]]:
    """The steps that change anything during the run."""
    changes: list[list[float]] = []
    stands = default
    for month, value in steps:
        if month < months and value != stands:
            changes.append([month, _number(value)])
            stands = value
    return changes


def _number(value: float) -> float:
    return float(value) + 0.0  # 1 and 1.0, 0.0 and -0.0 are the same number


@cache
def model_hash() -> str:
    """Hash of the model's own source and tables, and of the versions of the numerical libraries."""
    return hash_model(ROOT, library_versions())


def hash_model(root: Path, versions: Mapping[str, str]) -> str:
    """Hash of what lies below ``root`` in ``MODEL_FOLDERS`` and ``MODEL_FILES``, and of ``versions``.

    Line ends do not count, so that a checkout on Windows has the hash of one on Linux.
    """
    kinds = ("*.py", "*.csv")
    files = {path for folder in MODEL_FOLDERS for kind in kinds for path in (root / folder).rglob(kind)}
    files |= {path for pattern in MODEL_FILES for path in root.glob(pattern)}
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in files):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    digest.update(json.dumps(dict(versions), sort_keys=True).encode())
    return digest.hexdigest()


def library_versions() -> dict[str, str]:
    """Installed version of each of ``LIBRARIES``; ``missing`` where there is none."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "missing"
    return versions


def parse_settings(
    texts: Sequence[str],
    quantities: Mapping[str, Quantity],
    levers: Mapping[str, Lever],
    *,
    currency: str = "",
    file: str = "--set",
    edges: Edges | None = None,
    calendar: Calendar | None = None,
) -> dict[str, float | str]:
    """Values of ``["pue=1.2", "renewable_auction_gw=8 GW/year"]``; ``BadInput`` with everything wrong.

    Shocks to the supply graph (``shock.NAME=...``) are checked against ``edges`` and ``calendar`` where they are
    given, and stay text.
    """
    complaints: list[Complaint] = []
    given: dict[str, object] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            complaints.append(Complaint(file, 0, name or "setting", f"found {text!r}, expected name=value"))
        elif name in given:
            complaints.append(Complaint(file, 0, name, "given twice"))
        else:
            given[name] = value if name.startswith(PREFIX) else _number_or_text(value)
    shocks = {name: str(value) for name, value in given.items() if name.startswith(PREFIX)}
    settings: dict[str, float | str] = {}
    try:
        _shocks_set(shocks, edges, calendar, file)
    except BadInput as bad:
        complaints += bad.complaints
    try:
        numbers = {name: value for name, value in given.items() if name not in shocks}
        settings.update(read_settings(numbers, quantities, levers, currency=currency, file=file))
    except BadInput as bad:
        complaints += bad.complaints
    if complaints:
        raise BadInput(complaints)
    return settings | shocks


def _number_or_text(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


def read_settings(
    settings: Mapping[str, object],
    quantities: Mapping[str, Quantity],
    levers: Mapping[str, Lever],
    *,
    currency: str = "",
    file: str = "settings",
) -> dict[str, float]:
    """Settings of uncertainties, levers and parameters in their own units; ``BadInput`` with everything wrong."""
    problems = Problems()
    values: dict[str, float] = {}
    for name, value in settings.items():
        about = levers.get(name) or quantities.get(name)
        if about is None:
            problems.note((name,), unknown(name, "uncertainty, lever or parameter", [*quantities, *levers]))
            continue
        amount = problems.attempt((name,), read_amount, value, about.unit, about.low, about.high, currency)
        if amount is not None:
            values[name] = amount
    if problems:
        raise BadInput([Complaint(file, 0, str(path[0]), message) for path, message in problems])
    return values
