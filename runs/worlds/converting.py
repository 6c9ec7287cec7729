"""Cells to columns, checked against the form of their table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from abm.calendar import NEVER, Calendar
from abm.quantities import nearest
from abm.schema import SOURCED, Column, TableForm
from runs.checking import Complaint, unknown
from runs.worlds.reading import RawFile

WITHOUT_UNITS_ROW = ("traits", "parameters")
"""Tables whose rows carry their unit in a column of their own."""

IDENTITY: dict[str, tuple[str, ...]] = {
    "fuel_prices": ("fuel", "month"),
    "availability": ("technology", "zone", "calendar_month"),
    "day_weights": ("calendar_month", "day"),
    "days": ("calendar_month", "day", "hour", "zone"),
    "traits": ("who", "trait"),
    "edges": ("supplier", "buyer", "good"),
    "rationing": ("supplier", "good"),
    "recipes": ("output", "input"),
    "stock": ("site", "vintage"),
    "resources": ("zone", "technology"),
    "elections": ("month",),
}
"""Columns that together name a row where a table has no key column."""


@dataclass(slots=True)
class Draft:
    """A table while it is being checked: cells, converted columns, and whether it is clean so far."""

    form: TableForm
    raw: RawFile
    columns: dict[str, Any] = field(default_factory=dict)
    clean: bool = True
    complaints: list[Complaint] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        key = self.form.key
        return list(self.columns.get(key, ())) if key else []

    def label(self, row: int) -> str:
        """What a reader calls the row: its key, or the cells that name it."""
        header, cells = self.raw.header, self.raw.rows[row]
        names = (self.form.key,) if self.form.key else IDENTITY.get(self.form.name, ())
        parts = [cells[header.index(name)] for name in names if name in header]
        if not names:
            parts = [cell for cell in cells[:3] if cell]
        return "/".join(part or "(blank)" for part in parts) or "row"

    def complain(self, row: int, message: str, column: str = "") -> None:
        """Book one complaint about a row; ``row`` -1 means the header."""
        self.clean = False
        line, key = (1, "header") if row < 0 else (self.raw.lines[row], self.label(row))
        self.complaints.append(Complaint(self.raw.file, line, key, message, column))


def file_of(form: TableForm) -> str:
    """Path of a table's file inside the world's folder."""
    return f"{form.folder}/{form.name}.csv" if form.folder else f"{form.name}.csv"


def columns_of(form: TableForm) -> tuple[Column, ...]:
    """The form's columns, with source, confidence and note where rows carry them."""
    return form.columns + (SOURCED if form.sourced else ())


def check_header(draft: Draft, currency: str) -> None:
    """Unknown, missing and doubled columns, and units that are not the form's."""
    known = {column.name: column for column in columns_of(draft.form)}
    header = draft.raw.header
    for position, name in enumerate(header):
        if name not in known:
            draft.complain(-1, unknown(name, "column of this table", known), name)
        elif name in header[:position]:
            draft.complain(-1, "column given twice", name)
    for name, column in known.items():
        if name not in header and not column.optional:
            draft.complain(-1, "missing column", name)
    if draft.form.name in WITHOUT_UNITS_ROW:
        return
    if draft.raw.units is None:
        expected = ",".join(_unit(known[name], currency) for name in header if name in known)
        draft.complain(-1, f"line 2 must give the units; expected #{expected}")
        return
    if len(draft.raw.units) != len(header):
        draft.complain(-1, f"found {len(draft.raw.units)} units on line 2, expected {len(header)}")
    for name, found in zip(header, draft.raw.units, strict=False):
        if name in known and (found or "-") != (expected := _unit(known[name], currency)):
            draft.clean = False
            message = f"found unit {found!r}, expected {expected!r}"
            draft.complaints.append(Complaint(draft.raw.file, 2, "units", message, name))


def _unit(column: Column, currency: str) -> str:
    return column.unit.replace("currency", currency)


def convert(draft: Draft, calendar: Calendar | None) -> None:
    """All columns but references; afterwards ``draft.columns`` holds arrays and tuples."""
    for column in columns_of(draft.form):
        if column.name not in draft.raw.header or column.kind == "ref":
            continue
        position = draft.raw.header.index(column.name)
        cells = [row[position] for row in draft.raw.rows]
        draft.columns[column.name] = _CONVERTERS[column.kind](draft, column, cells, calendar)
    _check_identity(draft)


def resolve(draft: Draft, keys: dict[str, dict[str, int]]) -> None:
    """References to row numbers of the tables they point to (-1 where blank)."""
    for column in draft.form.columns:
        if column.kind != "ref" or column.name not in draft.raw.header:
            continue
        position = draft.raw.header.index(column.name)
        rows = keys.get(column.to, {})
        out = np.full(len(draft.raw.rows), -1, dtype=np.int64)
        for row, cells in enumerate(draft.raw.rows):
            cell = cells[position]
            if cell in rows:
                out[row] = rows[cell]
            elif cell:
                draft.complain(row, unknown(cell, f"row of {column.to}", rows), column.name)
            elif not column.blank:
                draft.complain(row, f"missing; expected a key of {column.to}", column.name)
        draft.columns[column.name] = out


def _texts(draft: Draft, column: Column, cells: list[str], calendar: Calendar | None) -> tuple[str, ...]:
    if not column.blank:
        for row, cell in enumerate(cells):
            if not cell:
                draft.complain(row, "missing", column.name)
    return tuple(cells)


def _keys(draft: Draft, column: Column, cells: list[str], calendar: Calendar | None) -> tuple[str, ...]:
    first: dict[str, int] = {}
    for row, cell in enumerate(cells):
        if not cell:
            draft.complain(row, "missing", column.name)
        elif cell in first:
            draft.complain(row, f"key given twice; first on line {draft.raw.lines[first[cell]]}", column.name)
        first.setdefault(cell, row)
    return tuple(cells)


def _choices(draft: Draft, column: Column, cells: list[str], calendar: Calendar | None) -> tuple[str, ...]:
    allowed = ", ".join(column.choices)
    for row, cell in enumerate(cells):
        if cell not in column.choices:
            near = nearest(cell, column.choices)
            hint = f"; did you mean {near!r}?" if near else ""
            draft.complain(row, f"found {cell!r}, allowed: {allowed}{hint}", column.name)
    return tuple(cells)


def _flags(draft: Draft, column: Column, cells: list[str], calendar: Calendar | None) -> np.ndarray:
    for row, cell in enumerate(cells):
        if cell not in ("0", "1"):
            draft.complain(row, f"found {cell!r}, allowed: 0, 1", column.name)
    return np.array([cell == "1" for cell in cells], dtype=bool)


def _months(draft: Draft, column: Column, cells: list[str], calendar: Calendar | None) -> np.ndarray:
    out = np.full(len(cells), NEVER, dtype=np.int64)
    for row, cell in enumerate(cells):
        if not cell:
            if not column.blank:
                draft.complain(row, "missing; write a month as YYYY-MM", column.name)
            continue
        try:
            out[row] = calendar.index(cell) if calendar else Calendar(0, 1).index(cell)
        except ValueError as error:
            draft.complain(row, f"found {error}", column.name)
    return out


def _numbers(draft: Draft, column: Column, cells: list[str], calendar: Calendar | None) -> np.ndarray:
    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError:
        return _one_by_one(draft, column, cells)
    if np.isfinite(values).all() and not _outside(values, column).any():
        return values
    return _one_by_one(draft, column, cells)


def _one_by_one(draft: Draft, column: Column, cells: list[str]) -> np.ndarray:
    out = np.full(len(cells), math.nan)
    for row, cell in enumerate(cells):
        if not cell:
            if not column.blank:
                draft.complain(row, f"missing; expected a number in {column.unit}", column.name)
            continue
        try:
            out[row] = float(cell)
        except ValueError:
            draft.complain(row, f"found {cell!r}, expected a number in {column.unit}", column.name)
            continue
        if not math.isfinite(out[row]):
            draft.complain(row, f"found {cell}, expected a finite number in {column.unit}", column.name)
        elif _outside(out[row], column):
            message = f"found {cell}, allowed {column.low:g} to {column.high:g} {column.unit}"
            draft.complain(row, message, column.name)
    return out


def _outside(values: Any, column: Column) -> Any:
    return (values < column.low) | (values > column.high)


def _wholes(draft: Draft, column: Column, cells: list[str], calendar: Calendar | None) -> np.ndarray:
    values = _numbers(draft, column, cells, calendar)
    for row in np.flatnonzero(np.isfinite(values) & (values != np.floor(values))):
        draft.complain(int(row), f"found {cells[row]}, expected a whole number", column.name)
    return np.where(np.isfinite(values), values, -1).astype(np.int64)


_Converter = Callable[[Draft, Column, list[str], "Calendar | None"], Any]
_CONVERTERS: dict[str, _Converter] = {
    "key": _keys,
    "text": _texts,
    "number": _numbers,
    "whole": _wholes,
    "month": _months,
    "flag": _flags,
    "choice": _choices,
}


def _check_identity(draft: Draft) -> None:
    names: Sequence[str] = IDENTITY.get(draft.form.name, ())
    if not names or any(name not in draft.raw.header for name in names):
        return
    positions = [draft.raw.header.index(name) for name in names]
    first: dict[tuple[str, ...], int] = {}
    for row, cells in enumerate(draft.raw.rows):
        identity = tuple([cells[position] for position in positions])
        if identity in first:
            draft.complain(row, f"row given twice; first on line {draft.raw.lines[first[identity]]}")
        else:
            first[identity] = row
