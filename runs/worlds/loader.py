"""A folder of CSV and TOML to a ``World``: read, check everything, say all that is wrong at once."""

from __future__ import annotations

import hashlib
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from abm.calendar import Calendar
from abm.quantities import Quantity
from abm.schema import FORMS, TableForm
from abm.world import Table, World
from runs.checking import BadInput, Complaint, unknown
from runs.worlds import crosschecks
from runs.worlds.converting import (
    WITHOUT_UNITS_ROW,
    Draft,
    check_header,
    columns_of,
    convert,
    file_of,
    resolve,
)
from runs.worlds.reading import RawFile, read_raw
from runs.worlds.registry import FILE as PARAMETERS
from runs.worlds.registry import read_quantities

HOME = Path(__file__).parent
SETTINGS = "world.toml"
FILES: tuple[str, ...] = tuple(sorted([SETTINGS, PARAMETERS, *(file_of(form) for form in FORMS)]))
"""Everything that makes a world, and that its hash covers."""


def available() -> list[str]:
    """Names of the worlds that ship."""
    return sorted(path.parent.name for path in HOME.glob(f"*/{SETTINGS}"))


def load(name_or_path: str | Path) -> World:
    """The world of that name, or in that folder; ``BadInput`` with every complaint where it is not sound.

    A world is read once per process for as long as its files keep their bytes.
    """
    folder = _folder(name_or_path)
    return _load(folder, _hash(folder))


def check(name_or_path: str | Path) -> list[Complaint]:
    """Everything wrong with a world's files, in the order of the files; empty where it is sound."""
    try:
        folder = _folder(name_or_path)
    except BadInput as error:
        return list(error.complaints)
    return _read(folder)[1]


def _folder(name_or_path: str | Path) -> Path:
    for folder in (HOME / name_or_path, Path(name_or_path)):
        if (folder / SETTINGS).is_file():
            return folder.resolve()
    name = str(name_or_path)
    if Path(name).is_dir():
        raise BadInput([Complaint(name, 0, SETTINGS, "missing; a world's folder holds it")])
    raise BadInput([Complaint("world", 0, name, unknown(name, "world or folder of one", available()))])


@lru_cache(maxsize=8)
def _load(folder: Path, digest: str) -> World:
    world, complaints = _read(folder)
    if world is None or complaints:
        raise BadInput(complaints)
    return world


def _hash(folder: Path) -> str:
    """SHA-256 over names and bytes of the world's files; a missing file counts as its name alone."""
    digest = hashlib.sha256()
    for name in FILES:
        path = folder / name
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _read(folder: Path) -> tuple[World | None, list[Complaint]]:
    complaints: list[Complaint] = []
    settings = _settings(folder, complaints)
    calendar = _calendar(settings, complaints)
    read = {form.name: _draft(folder, form, complaints) for form in FORMS}
    drafts = {name: draft for name, draft in read.items() if draft is not None}
    currency = str(settings.get("currency", "currency"))
    for draft in drafts.values():
        check_header(draft, currency)
        convert(draft, calendar)
    keys = {name: {key: row for row, key in enumerate(draft.keys)} for name, draft in drafts.items()}
    for draft in drafts.values():
        resolve(draft, keys)
    quantities = read_quantities(folder, complaints)
    roles = _roles(settings, keys.get("cast", {}), _toml_lines(folder), complaints)
    registry_is_clean = all(complaint.file != PARAMETERS for complaint in complaints)
    crosschecks.run(drafts, quantities if registry_is_clean else None, calendar)
    for draft in drafts.values():
        complaints.extend(draft.complaints)
    if complaints or calendar is None:
        return None, complaints
    tables = {name: _table(draft) for name, draft in drafts.items()}
    return _world(folder, settings, calendar, tables, quantities, roles), complaints


def _world(
    folder: Path,
    settings: dict[str, Any],
    calendar: Calendar,
    tables: dict[str, Table],
    quantities: dict[str, Quantity],
    roles: dict[str, str],
) -> World:
    return World(
        name=folder.name,
        title=settings["title"],
        currency=settings["currency"],
        calendar=calendar,
        tables=tables,
        quantities=quantities,
        roles=roles,
        hash=_hash(folder),
        notes={key: str(value) for key, value in settings.get("notes", {}).items()},
    )


def _draft(folder: Path, form: TableForm, complaints: list[Complaint]) -> Draft | None:
    file = file_of(form)
    if form.optional and not (folder / file).exists():
        header = [column.name for column in columns_of(form)]
        return Draft(form, RawFile(file, header, [column.unit for column in columns_of(form)]))
    raw = read_raw(folder, file, form.name not in WITHOUT_UNITS_ROW, complaints)
    return None if raw is None else Draft(form, raw)


def _table(draft: Draft) -> Table:
    return Table(draft.form.name, draft.columns, draft.form.key)


def _toml_lines(folder: Path) -> list[str]:
    path = folder / SETTINGS
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []


def _line_of(lines: list[str], key: str) -> int:
    named = (number for number, line in enumerate(lines, 1) if line.split("=")[0].strip(' \t"') == key)
    return next(named, 0)


def _settings(folder: Path, complaints: list[Complaint]) -> dict[str, Any]:
    lines = _toml_lines(folder)
    try:
        settings = tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        complaints.append(Complaint(SETTINGS, 0, "file", f"not TOML: {error}"))
        return {}
    texts, tables = ("title", "currency", "start", "end"), ("roles", "notes")
    for key in settings:
        if key not in texts + tables:
            message = unknown(key, "setting of a world", texts + tables)
            complaints.append(Complaint(SETTINGS, _line_of(lines, key), key, message))
    for key in texts:
        if not isinstance(settings.get(key), str) or not settings[key]:
            found = f"found {settings[key]!r}, expected a text" if key in settings else "missing"
            complaints.append(Complaint(SETTINGS, _line_of(lines, key), key, found))
    for key in tables:
        if not isinstance(settings.get(key, {}), dict):
            complaints.append(Complaint(SETTINGS, _line_of(lines, key), key, f"expected a table [{key}]"))
            settings[key] = {}
    return settings


def _calendar(settings: dict[str, Any], complaints: list[Complaint]) -> Calendar | None:
    start, end = settings.get("start"), settings.get("end")
    if not isinstance(start, str) or not isinstance(end, str):
        return None
    try:
        return Calendar.between(start, end)
    except ValueError as error:
        complaints.append(Complaint(SETTINGS, 0, "start, end", str(error)))
        return None


def _roles(
    settings: dict[str, Any],
    cast: dict[str, int],
    lines: list[str],
    complaints: list[Complaint],
) -> dict[str, str]:
    roles: dict[str, str] = {}
    for role, who in settings.get("roles", {}).items():
        if who not in cast:
            message = unknown(str(who), "row of cast", cast)
            complaints.append(Complaint(SETTINGS, _line_of(lines, role), f"roles.{role}", message))
        roles[role] = str(who)
    return roles
