"""The body of `madang list`: what there is to choose from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.text import Text

from policies.catalogue import catalogue
from policies.library import FOLDER as PACKAGES
from policies.library import shipped_packages
from policies.reading import unit_text
from runs.assemble import scenario_folder
from runs.cli_text import console, number, table
from runs.located_toml import read_document
from runs.scenario import load_package, shipped_scenarios
from runs.worlds import loader

Row = dict[str, Any]

_HEADS: dict[str, tuple[str, ...]] = {
    "worlds": ("name", "title", "from", "to", "zones", "sites", "stakeholders"),
    "scenarios": ("name", "title", "about"),
    "packages": ("name", "title", "about"),
    "levers": ("name", "default", "range", "owner", "what it moves; source"),
    "uncertainties": ("name", "default", "range", "what it moves; source"),
    "parameters": ("name", "default", "range", "what it moves; source"),
    "indicators": ("name", "unit", "a year is the", "what it measures"),
    "stakeholders": ("name", "in full", "kind", "zone", "what its score counts"),
}
_NUMBERS = {"default", "zones", "sites", "stakeholders"}


def list_command(kind: str, world: str, as_json: bool) -> int:
    """Print the list; the exit code."""
    rows = _FIND[kind](world)
    if as_json:
        document: Row = {kind: rows} if kind in ("worlds", "packages") else {"world": world, kind: rows}
        print(json.dumps(document, ensure_ascii=False, allow_nan=False))
        return 0
    heads = _HEADS[kind]
    printed = table(*heads, right=[at for at, head in enumerate(heads) if head in _NUMBERS])
    printed.columns[0].no_wrap = True
    for row in rows:
        printed.add_row(*(_cell(row, head) for head in heads))
    console().print(printed)
    return 0


def _worlds(_: str) -> list[Row]:
    rows = []
    for name in loader.available():
        world = loader.load(name)
        calendar = world.calendar
        rows.append(
            {
                "name": name,
                "title": world.title,
                "from": calendar.text(0),
                "to": calendar.text(calendar.months - 1),
                "currency": world.currency,
                "zones": len(world.zones),
                "sites": len(world.sites),
                "stakeholders": len(world.cast),
            }
        )
    return rows


def _scenarios(world: str) -> list[Row]:
    loader.load(world)
    folder = scenario_folder(world)
    return [_headed(folder / f"{name}.toml") for name in shipped_scenarios(folder)]


def _packages(_: str) -> list[Row]:
    levers = catalogue()
    by_handle = {lever.handle: lever.name for lever in levers.values()}
    rows = []
    for name in shipped_packages():
        package = load_package(name, levers)
        rows.append(
            {
                **_headed(PACKAGES / f"{name}.toml"),
                "base": package.base or None,
                "levers": [by_handle[handle] for handle in package.schedule],
                "triggers": [trigger.name for trigger in package.triggers],
            }
        )
    return rows


def _headed(file: Path) -> Row:
    data = read_document(file).data
    return {"name": file.stem, "title": data.get("title", file.stem), "about": data.get("about", "")}


def _levers(world: str) -> list[Row]:
    currency = loader.load(world).currency
    return [
        {
            "name": lever.name,
            "unit": unit_text(lever.unit, currency),
            "default": lever.default,
            "low": lever.low,
            "high": lever.high,
            "owner": lever.owner,
            "lead_months": lever.lead_months,
            "cost": lever.cost,
            "cost_note": lever.cost_note,
            "moves": lever.moves,
            "source": lever.source,
            "confidence": lever.confidence,
        }
        for lever in catalogue().values()
    ]


def _uncertainties(world: str) -> list[Row]:
    return [row for row, role in _quantities(world) if role == "uncertainty"]


def _parameters(world: str) -> list[Row]:
    return [row for row, role in _quantities(world) if role != "uncertainty"]


def _quantities(world: str) -> list[tuple[Row, str]]:
    loaded = loader.load(world)
    return [
        (
            {
                "name": quantity.name,
                "unit": unit_text(quantity.unit, loaded.currency),
                "default": quantity.default,
                "low": _finite(quantity.low),
                "high": _finite(quantity.high),
                "distribution": quantity.distribution,
                "moves": quantity.moves,
                "source": quantity.source,
                "confidence": quantity.confidence,
            },
            quantity.role,
        )
        for quantity in loaded.quantities.values()
    ]


def _indicators(world: str) -> list[Row]:
    loaded = loader.load(world)
    found = loaded.indicators
    return [
        {
            "name": name,
            "unit": unit_text(unit, loaded.currency),
            "yearly": yearly,
            "about": about,
            "later": later or None,
        }
        for name, unit, yearly, about, later in zip(
            found.keys, found.unit, found.yearly, found.about, found.later, strict=True
        )
    ]


def _stakeholders(world: str) -> list[Row]:
    loaded = loader.load(world)
    zones = loaded.zones.keys
    columns = loaded.cast.columns  # as attributes, the column `name` would hide behind the table's own name
    return [
        {
            "name": key,
            "title": name,
            "title_ko": name_ko or None,
            "kind": kind,
            "zone": zones[zone] if zone >= 0 else None,
            "foreign": bool(foreign),
            "objective": objective,
        }
        for key, name, name_ko, kind, zone, foreign, objective in zip(
            loaded.cast.keys,
            *(columns[column] for column in ("name", "name_ko", "kind", "zone", "foreign", "objective")),
            strict=True,
        )
    ]


_FIND = {
    "worlds": _worlds,
    "scenarios": _scenarios,
    "packages": _packages,
    "levers": _levers,
    "uncertainties": _uncertainties,
    "parameters": _parameters,
    "indicators": _indicators,
    "stakeholders": _stakeholders,
}


def _cell(row: Mapping[str, Any], head: str) -> Text:
    """One cell; what belongs below it stands there, dim."""
    if head == "name":
        return _above(row["name"], row["unit"] if "default" in row else "")
    if head == "range":
        return Text(
            " to ".join("…" if row[bound] is None else number(row[bound]) for bound in ("low", "high"))
        )
    if head == "owner":
        return _above(row["owner"], f"+{row['lead_months']} months")
    if head == "what it moves; source":
        known = "" if row["confidence"] in row["source"].lower() else f" ({row['confidence']})"
        return _above(row["moves"], row["source"] + known)
    if head == "what it measures":
        return _above(row["about"], f"later: {row['later']}" if row["later"] else "")
    value = row[_KEYS.get(head, head)]
    return Text(number(value) if isinstance(value, (int, float)) else str(value or ""))


def _above(text: str, below: str) -> Text:
    return Text.assemble(text, ("\n" + below, "dim")) if below else Text(text)


_KEYS = {"a year is the": "yearly", "in full": "title", "what its score counts": "objective"}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
