"""The state of one page: scenario, package, luck and settings; as a link, a command and files."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from abm.calendar import NEVER, month_text
from abm.quantities import nearest
from policies.package import FROM_START
from runs.app.worker import Question

if TYPE_CHECKING:
    from runs.app.knobs import Knobs
    from runs.assemble import Prepared

START_SEED = 7
LARGEST_SEED = 2**63 - 1
LONGEST_LINK = 8000


@dataclass(frozen=True, slots=True)
class State:
    """What determines the run that a page shows. ``settings`` are sorted by name, and win over both."""

    world: str = "korea"
    scenario: str = "baseline"
    package: str = "as-announced"
    seed: int = START_SEED
    settings: tuple[tuple[str, float], ...] = ()

    @property
    def question(self) -> Question:
        return Question(self.world, self.scenario, self.package, self.seed, self.settings)

    @property
    def values(self) -> dict[str, float]:
        return dict(self.settings)

    def having(self, name: str, value: float | None) -> State:
        """With one setting changed; None takes it back."""
        values = self.values
        values.pop(name, None)
        if value is not None:
            values[name] = float(value) + 0.0
        return replace(self, settings=tuple(sorted(values.items())))

    def bare(self) -> State:
        """Without settings."""
        return replace(self, settings=())


def query_of(state: State) -> str:
    """The state as a query string that a person can read."""
    pairs = [("scenario", state.scenario), ("package", state.package), ("seed", str(state.seed))]
    pairs += [("set", f"{name}={value!r}") for name, value in state.settings]
    return urlencode(pairs, safe="=/", quote_via=quote)


def link_of(state: State, pinned: State, start: State, extras: Mapping[str, str]) -> str:
    """The query of a link that restores the page: state, pinned state where it is not ``start``, and the rest."""
    query = query_of(state)
    if pinned != start:
        query += "&pin=" + quote(query_of(pinned), safe="")
    return "?" + "&".join(
        [query, *(f"{name}={quote(value, safe='')}" for name, value in extras.items() if value)]
    )


def parse_link(query: str, start: State, knobs: Knobs) -> tuple[State, State, dict[str, str], list[str]]:
    """State, pinned state, other parts of the link, and what could not be used of it, in words."""
    wrong: list[str] = []
    if len(query) > LONGEST_LINK:
        return start, start, {}, [f"the link is longer than {LONGEST_LINK} characters"]
    pairs = parse_qsl(query.lstrip("?"), keep_blank_values=True)
    rest = {name: value for name, value in pairs if name not in ("scenario", "package", "seed", "set", "pin")}
    state = _state(pairs, start, knobs, wrong)
    pinned = start
    for name, value in pairs:
        if name == "pin":
            pinned = _state(parse_qsl(value, keep_blank_values=True), start, knobs, wrong)
    return state, pinned, rest, wrong


def _state(pairs: Sequence[tuple[str, str]], start: State, knobs: Knobs, wrong: list[str]) -> State:
    state = start
    for name, value in pairs:
        if name == "scenario":
            state = replace(state, scenario=_known(value, "scenario", knobs.scenarios, state.scenario, wrong))
        elif name == "package":
            state = replace(state, package=_known(value, "package", knobs.packages, state.package, wrong))
        elif name == "seed":
            if value.isdecimal() and value.isascii() and int(value) <= LARGEST_SEED:
                state = replace(state, seed=int(value))
            else:
                wrong.append(f"seed={value!r}: expected a whole number from 0 on")
        elif name == "set":
            key, _, text = value.partition("=")
            if key not in knobs.of:
                near = nearest(key, knobs.of)
                wrong.append(
                    f"{key}: no lever, uncertainty or parameter has that name"
                    + (f"; did you mean {near}?" if near else "")
                )
                continue
            try:
                number = float(text)
            except ValueError:
                wrong.append(f"{key}={text!r}: expected a number")
                continue
            complaint = knobs.of[key].complaint(number)
            if complaint:
                wrong.append(f"{key}: {complaint}")
            else:
                state = state.having(key, number)
    return state


def _known(value: str, what: str, known: Mapping[str, Any], before: str, wrong: list[str]) -> str:
    if value in known:
        return value
    near = nearest(value, known)
    wrong.append(
        f"{what} {value!r} does not ship with this version" + (f"; did you mean {near!r}?" if near else "")
    )
    return before


def command_of(state: State, extra: str = "--json") -> str:
    """The command that gives the same run."""
    parts = ["madang", "run", state.scenario]
    if state.world != "korea":
        parts += ["--world", state.world]
    parts += ["--package", state.package, "--seed", str(state.seed)]
    for name, value in state.settings:
        parts += ["--set", f"{name}={value!r}"]
    return " ".join([*map(shlex.quote, parts), extra]).strip()


def files_command_of(state: State) -> str:
    """The command that gives the same run from the two files."""
    return f"madang run my-scenario.toml --package my-package.toml --seed {state.seed} --json"


def scenario_toml(ready: Prepared, world: str) -> str:
    """The scenario of a run, settings of uncertainties included, as a file of its own."""
    scenario, settings = ready.scenario, ready.spec.settings
    registry = ready.world.quantities
    given = {**scenario.uncertainties, **scenario.parameters}
    given.update({name: float(value) for name, value in settings.items() if name in registry})
    lines = [
        f"title = {_text(scenario.title)}",
        f"about = {_text(f'Made with madang ui from the scenario {scenario.name}.')}",
        f"world = {_text(world)}",
    ]
    for key, month in (("start", scenario.start), ("end", scenario.end)):
        if month is not None:
            lines.append(f"{key} = {_text(month_text(month))}")
    for table, role in (("uncertainties", "uncertainty"), ("parameters", "parameter")):
        lines += ["", f"[{table}]"]
        for name, value in sorted(given.items()):
            quantity = registry[name]
            if quantity.role == role:
                lines.append(f"{name} = {_number(value)}  # {quantity.unit}; default {quantity.default:g}")
    for shock in scenario.shocks:
        lines += [
            "",
            "[[shocks]]",
            f"series = {_text(shock.series)}",
            f"from = {_text(month_text(shock.start))}",
            f"months = {shock.months}",
            f"factor = {_number(shock.factor)}",
        ]
        if shock.add:
            lines.append(f"add = {_number(shock.add)}")
    for supply_shock in ready.supply_shocks():
        lines += ["", "[[supply_shocks]]", *supply_shock.toml()]
    return "\n".join(lines) + "\n"


def package_toml(ready: Prepared) -> str:
    """The package of a run, settings of levers included, as a file of its own that builds on no other."""
    package, levers = ready.package, ready.levers
    by_handle = {lever.handle: lever for lever in levers.values()}
    pinned = {levers[n].handle: float(value) for n, value in ready.spec.settings.items() if n in levers}
    first = ready.settled.calendar.first
    lines = [
        f"title = {_text(package.title)}",
        f"about = {_text(f'Made with madang ui from the package {package.name}.')}",
        "",
        "[levers]",
    ]
    schedule = {**package.schedule, **{handle: ((FROM_START, value),) for handle, value in pinned.items()}}
    for handle, steps in schedule.items():
        name, unit = by_handle[handle].name, by_handle[handle].unit
        if len(steps) == 1 and steps[0][0] == FROM_START:
            lines.append(f"{name} = {_number(steps[0][1])}  # {unit}")
            continue
        dated = [(month, value) for month, value in steps if month != FROM_START]
        always = [(first, value) for month, value in steps if month == FROM_START]
        told = dated if dated and dated[0][0] <= first else [*always, *dated]
        each = ", ".join(
            f"{{ from = {_text(month_text(month))}, value = {_number(value)} }}" for month, value in told
        )
        lines.append(f"{name} = [{each}]  # {unit}")
    for trigger in ready.settled.triggers:
        changes = {by_handle[handle].name: value for handle, value in trigger.changes.items()}
        lines += [
            "",
            "[[triggers]]",
            f"name = {_text(trigger.name)}",
            f"indicator = {_text(trigger.indicator)}",
            f"{'above' if trigger.comparison == '>' else 'below'} = {_number(trigger.value)}",
        ]
        if trigger.by != NEVER:
            lines.append(f"by = {_text(month_text(trigger.by))}")
        lines.append(f"switching_cost = {_number(trigger.switching_cost)}")
        each = ", ".join(f"{name} = {_number(value)}" for name, value in changes.items())
        lines.append(f"levers = {{ {each} }}")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(value: float | str) -> str:
    return _text(value) if isinstance(value, str) else repr(float(value))
