"""``parameters.csv``: the quantities of a world, each with unit, range, distribution and source."""

from __future__ import annotations

import math
from pathlib import Path

from abm.quantities import CONFIDENCE, DISTRIBUTIONS, Quantity
from runs.checking import Complaint, unknown
from runs.worlds.reading import RawFile, read_raw

FILE = "parameters.csv"
COLUMNS = (
    "name",
    "handle",
    "role",
    "unit",
    "default",
    "low",
    "high",
    "distribution",
    "source",
    "confidence",
    "moves",
)
NUMBERS = ("default", "low", "high")
_CHOICES = {"role": ("uncertainty", "parameter"), "distribution": DISTRIBUTIONS, "confidence": CONFIDENCE}


def read_quantities(folder: Path, complaints: list[Complaint]) -> dict[str, Quantity]:
    """Name to ``Quantity``; rows with a complaint are left out."""
    raw = read_raw(folder, FILE, False, complaints)
    if raw is None or not _header_is_right(raw, complaints):
        return {}
    quantities: dict[str, Quantity] = {}
    read_as: dict[str, int] = {}
    for cells, line in zip(raw.rows, raw.lines, strict=True):
        row = dict(zip(raw.header, cells, strict=True))
        found = _row_complaints(row, line)
        key = row["handle"] or row["name"]
        if row["name"] in quantities:
            found.append(Complaint(FILE, line, row["name"], "name given twice", "name"))
        elif key in read_as:
            message = f"{key!r} is taken on line {read_as[key]}"
            found.append(Complaint(FILE, line, row["name"], message, "handle"))
        complaints.extend(found)
        if not found:
            read_as[key] = line
            values = {column: float(row[column]) for column in NUMBERS}
            texts = {column: row[column] for column in COLUMNS if column not in NUMBERS}
            quantities[row["name"]] = Quantity(**texts, **values)  # type: ignore[arg-type]
    return quantities


def _header_is_right(raw: RawFile, complaints: list[Complaint]) -> bool:
    found = [
        Complaint(FILE, 1, "header", unknown(name, "column of this table", COLUMNS), name)
        for name in raw.header
        if name not in COLUMNS
    ]
    missing = [name for name in COLUMNS if name not in raw.header]
    found += [Complaint(FILE, 1, "header", "missing column", name) for name in missing]
    complaints.extend(found)
    return not found


def _row_complaints(row: dict[str, str], line: int) -> list[Complaint]:
    def complaint(column: str, message: str) -> Complaint:
        return Complaint(FILE, line, row["name"] or "row", message, column)

    needed = ("name", "unit", "source", "moves")
    found = [complaint(column, "missing") for column in needed if not row[column]]
    for column, allowed in _CHOICES.items():
        if row[column] not in allowed:
            found.append(complaint(column, f"found {row[column]!r}, allowed: {', '.join(allowed)}"))
    values: dict[str, float] = {}
    for column in NUMBERS:
        try:
            values[column] = float(row[column])
        except ValueError:
            found.append(complaint(column, f"found {row[column]!r}, expected a number in {row['unit']}"))
            continue
        if not math.isfinite(values[column]):
            found.append(complaint(column, f"found {row[column]}, expected a finite number in {row['unit']}"))
    if found:
        return found
    if not values["low"] <= values["default"] <= values["high"]:
        allowed_range = f"{values['low']:g} to {values['high']:g} (low <= default <= high)"
        found.append(complaint("default", f"found {values['default']:g}, allowed {allowed_range}"))
    if row["distribution"] == "loguniform" and values["low"] <= 0:
        message = f"found {values['low']:g}, a loguniform distribution needs more than 0"
        found.append(complaint("low", message))
    return found
