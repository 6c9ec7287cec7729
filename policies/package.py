"""A package: what public bodies want every lever to stand at, from which month on, and its triggers.

A file becomes a ``Draft`` (what this file alone says); drafts of a package, of the packages it builds on and
of those its triggers switch on are put together in ``policies.library``.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from abm.calendar import NEVER, month_text
from policies.lever import Lever
from policies.reading import (
    Problems,
    read_amount,
    read_month,
    read_table,
    read_tables,
    read_text,
    shown,
    unknown,
)
from policies.trigger import Comparison, Trigger

FROM_START = 0
"""Absolute month that stands for the first month of a run, whenever that is."""

Step = tuple[int, float]
"""A lever's target from an absolute month on."""

Schedule = Mapping[str, tuple[Step, ...]]
"""Handle of a lever to its steps in order of time."""

_EXAMPLE = '{ from = "2026-01", value = 1 }'
_KEYS = ("title", "about", "base", "levers", "triggers")
_STEP_KEYS = ("from", "value")
_TRIGGER_KEYS = ("name", "indicator", "above", "below", "by", "switching_cost", "package", "levers")


@dataclass(frozen=True, slots=True)
class Package:
    """A package ready for a run: bases merged, triggers resolved."""

    name: str
    title: str
    about: str = ""
    base: str = ""
    schedule: Schedule = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    file: str = ""

    def targets(self, first: int) -> dict[str, list[Step]]:
        """The schedule in month indices of a run that starts in the absolute month ``first``.

        Negative indices lie before the run. What holds ``FROM_START`` has index 0, unless a dated step of
        the same lever, which comes later in the schedule, holds by then.
        """
        targets: dict[str, list[Step]] = {}
        for handle, steps in self.schedule.items():
            dated = [(month - first, value) for month, value in steps if month != FROM_START]
            always = [(0, value) for month, value in steps if month == FROM_START]
            targets[handle] = dated if dated and dated[0][0] <= 0 else [*always, *dated]
        return targets


@dataclass(frozen=True, slots=True)
class Draft:
    """What one file says, before bases and other packages are looked up."""

    name: str
    title: str
    about: str
    base: str
    schedule: Schedule
    triggers: tuple[Trigger, ...]
    file: str

    def value_at(self, handle: str, month: int) -> float:
        """The target in ``month``; before the first step, the first step's."""
        steps = self.schedule[handle]
        return steps[max(bisect_right(steps, (month, math.inf)) - 1, 0)][1]

    def on(self, base: Package | None) -> Package:
        """This draft on top of ``base``.

        From a lever's first step on, the draft's steps hold; a trigger of the draft replaces the base's
        of the same name.
        """
        schedule = dict(base.schedule) if base else {}
        for handle, steps in self.schedule.items():
            earlier = [step for step in schedule.get(handle, ()) if step[0] < steps[0][0]]
            schedule[handle] = (*earlier, *steps)
        own = {trigger.name for trigger in self.triggers}
        kept = [trigger for trigger in base.triggers if trigger.name not in own] if base else []
        triggers = (*kept, *self.triggers)
        return Package(self.name, self.title, self.about, self.base, schedule, triggers, self.file)

    def switched(self, trigger: Trigger) -> Trigger:
        """``trigger`` with this draft's own levers, as they stand at its deadline, as changes."""
        own = {handle: self.value_at(handle, trigger.by) for handle in self.schedule}
        return replace(trigger, changes={**own, **trigger.changes})


def parse(
    data: Mapping[str, Any],
    name: str,
    levers: Mapping[str, Lever],
    *,
    indicators: Collection[str] | None = None,
    currency: str = "",
    file: str = "",
) -> tuple[Draft, Problems]:
    """A draft from the parsed TOML ``data``, and everything wrong with it.

    ``levers`` by name; ``indicators`` are the known names (a mapping gives their units too; None: not
    checked); ``currency`` is what the world calls its money in units. A draft with problems is good for
    finding more of them, not for a run: what is wrong is left out or blank.
    """
    problems = Problems()
    problems.keys((), data, _KEYS, "a package")

    def text(key: str) -> str:
        return problems.attempt((key,), read_text, data[key]) or "" if key in data else ""

    schedule: dict[str, tuple[Step, ...]] = {}
    table = problems.attempt(("levers",), read_table, data.get("levers", {})) or {}
    for lever_name, value in table.items():
        lever = levers.get(lever_name)
        if lever is None:
            problems.note(("levers", lever_name), unknown(lever_name, "lever", levers))
            continue
        steps = _steps(value, lever, currency, problems)
        if steps:
            schedule[lever.handle] = steps
    triggers: list[Trigger] = []
    for at, entry in enumerate(problems.attempt(("triggers",), read_tables, data.get("triggers", [])) or ()):
        trigger = _trigger(at, entry, levers, indicators, currency, problems)
        if trigger.name and trigger.name in [other.name for other in triggers]:
            message = f"found {trigger.name!r} twice; each trigger has a name of its own"
            problems.note(("triggers", at, "name"), message)
        triggers.append(trigger)
    title = text("title") or name
    return Draft(name, title, text("about"), text("base"), schedule, tuple(triggers), file), problems


def _steps(value: object, lever: Lever, currency: str, problems: Problems) -> tuple[Step, ...]:
    """Steps of a plain value (from the start of the run) or of a list of ``{ from, value }``."""
    path = ("levers", lever.name)
    if not isinstance(value, list):
        amount = problems.attempt(path, read_amount, value, lever.unit, lever.low, lever.high, currency)
        return () if amount is None else ((FROM_START, amount),)
    if not value:
        problems.note(path, f"found an empty list, expected steps such as {_EXAMPLE}")
    steps: list[Step] = []
    for at, entry in enumerate(value):
        here = (*path, at)
        if not isinstance(entry, Mapping):
            problems.note(here, f"found {shown(entry)}, expected a step such as {_EXAMPLE}")
            continue
        problems.keys(here, entry, _STEP_KEYS, "a step")
        for key in _STEP_KEYS:
            if key not in entry:
                problems.note(here, f"the key {key!r} is missing")
        month = problems.attempt((*here, "from"), read_month, entry["from"]) if "from" in entry else None
        amount = None
        if "value" in entry:
            amount = problems.attempt(
                (*here, "value"), read_amount, entry["value"], lever.unit, lever.low, lever.high, currency)
        if month is None or amount is None:
            continue
        if steps and month <= steps[-1][0]:
            message = f"found {month_text(month)} after {month_text(steps[-1][0])}; steps go forward in time"
            problems.note((*here, "from"), message)
            continue
        steps.append((month, amount))
    return tuple(steps)


def _trigger(
    at: int,
    entry: Mapping[str, Any],
    levers: Mapping[str, Lever],
    indicators: Collection[str] | None,
    currency: str,
    problems: Problems,
) -> Trigger:
    here = ("triggers", at)
    problems.keys(here, entry, _TRIGGER_KEYS, "a trigger")
    for key in ("name", "indicator"):
        if key not in entry:
            problems.note(here, f"the key {key!r} is missing")
    name, indicator = (
        problems.attempt((*here, key), read_text, entry[key]) if key in entry else None
        for key in ("name", "indicator"))
    unit = ""
    if indicator is not None and indicators is not None:
        if indicator not in indicators:
            problems.note((*here, "indicator"), unknown(indicator, "indicator", indicators))
        elif isinstance(indicators, Mapping):
            unit = indicators[indicator]
    comparison, value = _threshold(here, entry, unit, currency, problems)
    by = problems.attempt((*here, "by"), read_month, entry["by"]) if "by" in entry else NEVER
    cost = problems.attempt((*here, "switching_cost"), read_amount, entry.get("switching_cost", 0),
                            "currency", 0.0, math.inf, currency)
    package = problems.attempt((*here, "package"), read_text, entry["package"]) if "package" in entry else ""
    changes = _changes((*here, "levers"), entry.get("levers", {}), levers, currency, problems)
    if "package" not in entry and not entry.get("levers"):
        problems.note(here, "nothing to change: name a package or give levers")
    return Trigger(
        name or "", indicator or "", comparison, value, NEVER if by is None else by, cost or 0.0, changes,
        package or "")


def _threshold(
    here: tuple[str | int, ...], entry: Mapping[str, Any], unit: str, currency: str, problems: Problems
) -> tuple[Comparison, float]:
    given = [key for key in ("above", "below") if key in entry]
    if len(given) != 1:
        found = "both" if given else "neither"
        problems.note(here, f"expected either 'above' or 'below', found {found}")
        return ">", math.nan
    key = given[0]
    value = problems.attempt((*here, key), read_amount, entry[key], unit, -math.inf, math.inf, currency)
    return (">" if key == "above" else "<"), math.nan if value is None else value


def _changes(
    path: tuple[str | int, ...], value: object, levers: Mapping[str, Lever], currency: str, problems: Problems
) -> dict[str, float]:
    changes: dict[str, float] = {}
    for name, wanted in (problems.attempt(path, read_table, value) or {}).items():
        lever = levers.get(name)
        if lever is None:
            problems.note((*path, name), unknown(name, "lever", levers))
            continue
        amount = problems.attempt(
            (*path, name), read_amount, wanted, lever.unit, lever.low, lever.high, currency)
        if amount is not None:
            changes[lever.handle] = amount
    return changes
