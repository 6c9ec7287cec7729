"""Writing a results folder: every file whole or not at all, and the manifest last.

The manifest is also written before anything is computed (status ``running``), so that a folder always
says what it holds, and a disk that cannot be written to is found at the start.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abm.calendar import Calendar, parse_month
from abm.decisions import Decision
from runs.checking import BadInput, Complaint
from runs.folder import rename
from runs.record import DONE, RunRecord
from runs.results import MANIFEST, TRACEBACK, read_manifest

if TYPE_CHECKING:
    import pyarrow as pa

PART = "part-00000.parquet"


def open_folder(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Make ``folder`` ready for the runs that ``manifest`` lists.

    :class:`BadInput` where the folder holds something else or the disk refuses.
    """
    held = _held(folder, [run["run_id"] for run in manifest["runs"]])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_manifest(
            folder, held or manifest
        )  # the same runs again: what is there stays good until it is replaced
    except OSError as error:
        raise cannot_write(folder, error) from error


def abandon_folder(folder: Path) -> None:
    """Take back what :func:`open_folder` made, where only the manifest of an unfinished run is there."""
    with suppress(OSError):
        if [path.name for path in folder.iterdir()] == [MANIFEST]:
            (folder / MANIFEST).unlink()
            folder.rmdir()


def write_run(folder: Path, record: RunRecord, manifest: Mapping[str, Any]) -> None:
    """Write one run's shards, then the manifest that calls it finished."""
    try:
        for name, table in tables_of(record).items():
            write_part(folder / name / PART, table)
        write_manifest(folder, manifest)
        if record.status == DONE:
            (folder / TRACEBACK).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def write_part(path: Path, table: pa.Table) -> None:
    """One shard, whole or not at all."""
    import pyarrow.parquet as pq

    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        rename(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    temporary = folder / f".{MANIFEST}.{os.getpid()}"
    try:
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(manifest, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        rename(temporary, folder / MANIFEST)
    finally:
        temporary.unlink(missing_ok=True)


def cannot_write(folder: Path, error: OSError) -> BadInput:
    return _refusal(folder, f"cannot write results there: {error.strerror or error}; choose another folder")


def _refusal(folder: Path, message: str) -> BadInput:
    return BadInput([Complaint(str(folder), 0, "--out", message)])


def tables_of(record: RunRecord) -> dict[str, pa.Table]:
    """The record as Arrow tables by the name of their folder."""
    from runs import schema
    from runs.columns import table_of_columns, table_of_rows

    runs_schema = schema.runs_schema(
        {name: setting.unit for name, setting in record.uncertainties.items()},
        {name: setting.unit for name, setting in record.levers.items()},
        record.indicators,
    )
    row = {
        "run_id": record.run_id,
        "scenario": record.scenario,
        "package": record.package,
        "sample": record.sample,
        "replicate": record.replicate,
        "seed": record.seed,
        "status": record.status,
        "error": record.error,
        "wall_s": record.wall_s,
        **{schema.X + name: setting.value for name, setting in record.uncertainties.items()},
        **{schema.L + name: setting.value for name, setting in record.levers.items()},
        **{schema.M + indicator.name: record.final(indicator.name) for indicator in record.indicators},
    }
    tables = {"runs": table_of_rows([row], runs_schema)}
    if record.recorder is None:
        return tables
    calendar = record.calendar
    months = record.recorder.recorded
    series: dict[str, Sequence[Any]] = {
        "run_id": [record.run_id] * months,
        "month": [calendar.date(month) for month in range(months)],
        **{indicator.name: record.monthly(indicator.name) for indicator in record.indicators},
    }
    tables["series"] = table_of_columns(series, schema.series_schema(record.indicators))
    tables["decisions"] = decisions_table(record.run_id, calendar, record.decisions)
    tables["sites"] = sites_table(record.run_id, record.sites)
    return tables


def decisions_table(run_id: str, calendar: Calendar, decisions: Sequence[Decision]) -> pa.Table:
    """The decision log of a run."""
    from runs import schema
    from runs.columns import table_of_rows

    return table_of_rows(
        [
            {
                "run_id": run_id,
                "month": calendar.date(decision.month),
                "who": decision.who,
                "verb": decision.verb,
                "subject": decision.subject,
                "amount": decision.amount,
                "granted": decision.granted,
                "unit": decision.unit,
                "bound": decision.bound,
                "values": list(decision.values.items()),
            }
            for decision in decisions
        ],
        schema.decisions_schema(),
    )


def sites_table(run_id: str, sites: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The sites of a run, months as dates."""
    import pyarrow as pa

    from runs import schema
    from runs.columns import table_of_rows

    sites_schema = schema.sites_schema()
    dates = {column.name for column in sites_schema if pa.types.is_date(column.type)}
    return table_of_rows(
        [
            {
                "run_id": run_id,
                **{name: _date(value) if name in dates else value for name, value in site.items()},
            }
            for site in sites
        ],
        sites_schema,
    )


def _date(month: str | None) -> Any:
    return Calendar(parse_month(month), 1).date(0) if month else None


def _held(folder: Path, run_ids: Iterable[str]) -> dict[str, Any] | None:
    """The manifest of a folder that holds these runs, None for a new or empty one; else BadInput."""
    try:
        if not folder.exists():
            return None
        if not folder.is_dir():
            raise _refusal(folder, "found a file, expected a folder")
        if not any(folder.iterdir()):
            return None
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        found = read_manifest(folder)
    except BadInput:
        raise _refusal(
            folder, "holds something that is no madang results; choose a new or an empty folder"
        ) from None
    if {run["run_id"] for run in found["runs"]} == set(run_ids):
        return found
    held = found["runs"][0]
    raise _refusal(
        folder,
        f"holds the results of another run ({held['scenario']}, {held['package']}, seed {held['seed']}, "
        f"id {held['run_id']}); choose another folder, or delete this one",
    )
