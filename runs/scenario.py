"""A scenario: values of the uncertainties, shocks to the outside series, and the months of the run.

Files are read here, scenarios and packages alike; what is wrong with them comes back as complaints with
file, line and key, all at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from abm.calendar import Calendar, month_text
from abm.quantities import Quantity
from policies.lever import Lever
from policies.library import FOLDER, Library, is_path, shipped_packages
from policies.package import Package
from policies.reading import (
    Problems,
    read_amount,
    read_month,
    read_table,
    read_tables,
    read_text,
    read_whole,
    unknown,
)
from runs.checking import BadInput, Complaint
from runs.located_toml import Document, read_document
from runs.supply_shocks import Edges, SupplyShock, read_entry

LARGEST_FACTOR = 100.0
"""A shock beyond this is taken for a slip of the pen."""

ADDITIVE = ("interest_rate", "country_risk")
"""Series that are rates: a shock may also add to them."""

_KEYS = ("title", "about", "world", "start", "end", "uncertainties", "parameters", "shocks", "supply_shocks")
_ELSEWHERE = {
    "uncertainty": "is a parameter of the world, no uncertainty; give it in the table [parameters]",
    "parameter": "is an uncertainty; give it in the table [uncertainties]",
}
_SHOCK_KEYS = ("series", "from", "months", "factor", "add")


@dataclass(frozen=True, slots=True)
class Shock:
    """``series`` times ``factor`` plus ``add`` for ``months`` months from the absolute month ``start`` on.

    Shocks to one series that overlap act one after the other, in order of their beginnings.
    """

    series: str
    start: int
    months: int
    factor: float = 1.0
    add: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """What lies outside everybody's control. ``start`` and ``end`` are absolute months, None: the world's."""

    name: str
    title: str
    about: str = ""
    world: str = ""
    start: int | None = None
    end: int | None = None
    uncertainties: Mapping[str, float] = field(default_factory=dict)
    shocks: tuple[Shock, ...] = ()
    file: str = ""
    supply_shocks: tuple[SupplyShock, ...] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)
    """Assumptions of the world that the scenario replaces."""

    def calendar(self, whole: Calendar) -> Calendar:
        """The months of the run: those of the world, or the part that the scenario asks for."""
        first = whole.first if self.start is None else self.start
        last = whole.first + whole.months - 1 if self.end is None else self.end
        return Calendar(first, last - first + 1)


def parse_scenario(
    data: Mapping[str, Any],
    name: str,
    quantities: Mapping[str, Quantity],
    series: Collection[str],
    calendar: Calendar,
    *,
    currency: str = "",
    file: str = "",
    edges: Edges | None = None,
) -> tuple[Scenario, Problems]:
    """A scenario from parsed TOML, and everything wrong with it.

    ``quantities``, ``calendar``, ``currency`` and ``edges`` are the world's; ``series`` are the names of the
    outside series that a shock may multiply. What is wrong is left out of the scenario; without ``edges`` the
    names in supply shocks are not checked.
    """
    problems = Problems()
    problems.keys((), data, _KEYS, "a scenario")
    texts = {key: problems.attempt((key,), read_text, data[key]) or "" for key in _KEYS[:3] if key in data}
    start, end = (_bound(key, data, calendar, problems) for key in ("start", "end"))
    if start is not None and end is not None and end < start:
        problems.note(("end",), f"found {month_text(end)}, which is before the start, {month_text(start)}")
        start = end = None
    values: dict[str, dict[str, float]] = {}
    for key, role in (("uncertainties", "uncertainty"), ("parameters", "parameter")):
        table = problems.attempt((key,), read_table, data.get(key, {})) or {}
        found = {
            name: _quantity((key, name), name, value, role, quantities, currency, problems)
            for name, value in table.items()
        }
        values[key] = {name: amount for name, amount in found.items() if amount is not None}
    uncertainties = values["uncertainties"]
    scenario = Scenario(
        name,
        texts.get("title", name),
        texts.get("about", ""),
        texts.get("world", ""),
        start,
        end,
        uncertainties,
        file=file,
    )
    months = scenario.calendar(calendar)
    shocks = []
    for at, entry in enumerate(problems.attempt(("shocks",), read_tables, data.get("shocks", [])) or ()):
        shock = _shock(at, entry, series, months, problems)
        if shock is not None:
            shocks.append(shock)
    supply_shocks = [
        read_entry(("supply_shocks", at), entry, edges, months, problems)
        for at, entry in enumerate(
            problems.attempt(("supply_shocks",), read_tables, data.get("supply_shocks", [])) or ()
        )
    ]
    return replace(
        scenario,
        shocks=tuple(shocks),
        supply_shocks=tuple(shock for shock in supply_shocks if shock),
        parameters=values["parameters"],
    ), problems


def _quantity(
    path: tuple[str | int, ...],
    name: str,
    value: object,
    role: str,
    quantities: Mapping[str, Quantity],
    currency: str,
    problems: Problems,
) -> float | None:
    """The value of the quantity ``name`` of ``role``; None, and a problem noted, where there is something wrong."""
    quantity = quantities.get(name)
    if quantity is None:
        known = [other for other, candidate in quantities.items() if candidate.role == role]
        problems.note(path, unknown(name, role, known))
        return None
    if quantity.role != role:
        problems.note(path, _ELSEWHERE[role])
        return None
    return problems.attempt(path, read_amount, value, quantity.unit, quantity.low, quantity.high, currency)


def _bound(key: str, data: Mapping[str, Any], calendar: Calendar, problems: Problems) -> int | None:
    if key not in data:
        return None
    month = problems.attempt((key,), read_month, data[key])
    if month is not None and not 0 <= month - calendar.first < calendar.months:
        message = f"found {month_text(month)}, allowed {_span(calendar)}, the months of the world"
        problems.note((key,), message)
        return None
    return month


def _span(calendar: Calendar) -> str:
    return f"{calendar.text(0)} to {calendar.text(calendar.months - 1)}"


def _shock(
    at: int, entry: Mapping[str, Any], series: Collection[str], calendar: Calendar, problems: Problems
) -> Shock | None:
    here = ("shocks", at)
    before = len(problems)
    problems.keys(here, entry, _SHOCK_KEYS, "a shock")
    for key in _SHOCK_KEYS[:3]:
        if key not in entry:
            problems.note(here, f"the key {key!r} is missing")
    if "factor" not in entry and "add" not in entry:
        problems.note(here, "the key 'factor' is missing")
    entry = {"series": next(iter(series), "-"), "from": calendar.text(0), "months": 1, **entry}
    name = problems.attempt((*here, "series"), read_text, entry["series"])
    if name is not None and name not in series:
        problems.note((*here, "series"), unknown(name, "series that a shock may change", series))
    start = problems.attempt((*here, "from"), read_month, entry["from"])
    if start is not None and not 0 <= start - calendar.first < calendar.months:
        message = f"found {month_text(start)}, allowed {_span(calendar)}, the months of the run"
        problems.note((*here, "from"), message)
    months = problems.attempt((*here, "months"), read_whole, entry["months"], "month", 1, 1200)
    factor = problems.attempt(
        (*here, "factor"), read_amount, entry.get("factor", 1), "ratio", 0.0, LARGEST_FACTOR
    )
    add = problems.attempt((*here, "add"), read_amount, entry.get("add", 0), "1/year", -1.0, 1.0)
    if "add" in entry and name in series and name not in ADDITIVE:
        problems.note((*here, "add"), f"only {' and '.join(ADDITIVE)} take it; use 'factor'")
    values = (start, months, factor, add)
    if len(problems) > before or name is None or None in values:
        return None
    return Shock(name, *values)  # type: ignore[arg-type]


def load_scenario(
    name_or_path: str | Path,
    folder: Path,
    quantities: Mapping[str, Quantity],
    series: Collection[str],
    calendar: Calendar,
    *,
    world: str = "",
    currency: str = "",
    edges: Edges | None = None,
) -> Scenario:
    """The scenario of that name in the world's ``folder`` of scenarios, or the user's own file.

    ``BadInput`` carries everything wrong with it. ``world`` is the name of the world that will run it.
    """
    file = _resolve(name_or_path, folder, shipped_scenarios(folder), "scenario of this world")
    document = read_document(file)
    scenario, problems = parse_scenario(
        document.data,
        file.stem,
        quantities,
        series,
        calendar,
        currency=currency,
        file=document.file,
        edges=edges,
    )
    if world and scenario.world and scenario.world != world:
        problems.note(("world",), f"found {scenario.world!r}, but this run is of the world {world!r}")
    if problems:
        raise BadInput([document.complaint(path, message) for path, message in problems])
    return scenario


def shipped_scenarios(folder: Path) -> tuple[str, ...]:
    """Names of the scenarios in a world's ``folder`` of scenarios."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def load_package(
    name_or_path: str | Path,
    levers: Mapping[str, Lever],
    *,
    indicators: Collection[str] | None = None,
    currency: str = "",
) -> Package:
    """The package of that name, or in the user's own file, with its bases and the levers its triggers switch.

    ``indicators`` are the names that a trigger may watch (a mapping gives their units as well); None: not
    checked. ``BadInput`` carries everything wrong with the file and with those it builds on.
    """
    file = _resolve(name_or_path, FOLDER, shipped_packages(), "package that ships")
    complaints: list[Complaint] = []
    documents: dict[Path, Document] = {}

    def read(path: Path) -> Mapping[str, Any] | None:
        try:
            documents[path] = read_document(path)
        except BadInput as bad:
            complaints.extend(bad.complaints)
            return None
        return documents[path].data

    library = Library(read, levers, indicators=indicators, currency=currency)
    package = library.package(file)
    complaints += [documents[file].complaint(path, message) for file, path, message in library.problems]
    if complaints or package is None:
        complaints.sort(key=lambda complaint: (complaint.file != str(file), complaint.file, complaint.line))
        raise BadInput(complaints)
    return package


def _resolve(name: str | Path, folder: Path, shipped: Collection[str], what: str) -> Path:
    """The file that a name or a path means; BadInput for a name that does not ship."""
    if isinstance(name, Path) or is_path(name):
        return Path(name)
    if name in shipped:
        return folder / f"{name}.toml"
    message = f"{unknown(name, what, shipped)}; the path of a file of your own ends in .toml"
    raise BadInput([Complaint(name, 0, what.split()[0], message)])
