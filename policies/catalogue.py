"""The levers there are: ``levers.csv``, read and checked once."""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path

from abm.quantities import CONFIDENCE
from policies.lever import ROLES, Lever

FILE = Path(__file__).with_name("levers.csv")
COLUMNS: tuple[str, ...] = (
    "name", "handle", "unit", "default", "low", "high", "owner", "lead_months", "cost", "cost_note", "moves",
    "source", "confidence",
)
_NUMBERS = ("default", "low", "high", "cost")


class BadCatalogue(Exception):
    """``levers.csv`` cannot be used; the message has one line for each thing wrong."""


def catalogue() -> dict[str, Lever]:
    """Name to lever, in the order of the file."""
    return dict(_shipped())


@cache
def _shipped() -> dict[str, Lever]:
    return read_levers(FILE.read_text(encoding="utf-8"), FILE.name)


def read_levers(text: str, file: str) -> dict[str, Lever]:
    """Levers from CSV ``text``; ``BadCatalogue`` with ``file``, line and column of everything wrong."""
    reader = csv.DictReader(text.splitlines())
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise BadCatalogue(f"{file}:1: header: expected {','.join(COLUMNS)}")
    levers: dict[str, Lever] = {}
    handles: set[str] = set()
    wrong: list[str] = []
    for row in reader:
        place = f"{file}:{reader.line_num}: {row['name'] or 'row'}"
        found = _row_complaints(row)
        if not found:
            lever = _lever(row)
            if lever.name in levers:
                found.append("column name: given twice")
            if lever.handle in handles:
                found.append(f"column handle: {lever.handle!r} is taken by another lever")
            levers[lever.name] = lever
            handles.add(lever.handle)
        wrong += [f"{place}, {complaint}" for complaint in found]
    if wrong:
        raise BadCatalogue("\n".join(wrong))
    return levers


def _lever(row: dict[str, str]) -> Lever:
    numbers = {column: float(row[column]) for column in _NUMBERS}
    texts = {column: row[column].strip() for column in COLUMNS if column not in (*_NUMBERS, "lead_months")}
    texts["handle"] = texts["handle"] or texts["name"]
    return Lever(**texts, **numbers, lead_months=int(row["lead_months"]))  # type: ignore[arg-type]


def _row_complaints(row: dict[str, str]) -> list[str]:
    if None in row or None in row.values():
        return [f"expected {len(COLUMNS)} cells; put texts with commas in quotes"]
    needed = [column for column in COLUMNS if column != "handle"]
    wrong = [f"column {column}: missing" for column in needed if not row[column].strip()]
    if row["owner"] not in ROLES:
        wrong.append(f"column owner: found {row['owner']!r}, allowed: {', '.join(ROLES)}")
    if row["confidence"] not in CONFIDENCE:
        wrong.append(f"column confidence: found {row['confidence']!r}, allowed: {', '.join(CONFIDENCE)}")
    if not row["lead_months"].isdecimal():
        wrong.append(f"column lead_months: found {row['lead_months']!r}, expected a whole number of months")
    values: dict[str, float] = {}
    for column in _NUMBERS:
        try:
            values[column] = float(row[column])
        except ValueError:
            values[column] = math.nan
        if not math.isfinite(values[column]):
            wrong.append(f"column {column}: found {row[column]!r}, expected a number")
    if not wrong and not values["low"] <= values["default"] <= values["high"]:
        wrong.append("column default: lies outside low to high")
    if not wrong and values["low"] == values["high"]:
        wrong.append("column high: a lever with one possible value is none")
    return wrong
