"""Reading a results folder.

manifest.json            what was asked, versions, world and model hashes, runs with status
runs/part-*.parquet      one row for each run
series/part-*.parquet    one row for each run and month
decisions/part-*.parquet the decision log
sites/part-*.parquet     one row for each run and site, from announced to energised
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abm.calendar import Calendar
from abm.decisions import Decision
from abm.series import Indicator, Recorder
from runs.checking import BadInput, Complaint, unknown
from runs.record import DONE, RUNNING, RunRecord, Setting

if TYPE_CHECKING:
    import polars as pl

FORMAT = "madang results"
MANIFEST = "manifest.json"
TRACEBACK = "traceback.txt"


class Results:
    """A results folder; frames are read when first asked for.

    ``runs``, ``series``, ``decisions`` and ``sites`` are polars frames. :class:`BadInput` where the
    folder is none of ours, was written by a newer madang, or is damaged.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)

    @cached_property
    def runs(self) -> pl.DataFrame:
        return self._frame("runs")

    @cached_property
    def series(self) -> pl.DataFrame:
        return self._frame("series")

    @cached_property
    def decisions(self) -> pl.DataFrame:
        return self._frame("decisions")

    @cached_property
    def sites(self) -> pl.DataFrame:
        return self._frame("sites")

    @cached_property
    def indicators(self) -> tuple[Indicator, ...]:
        """What the series measure, with unit and meaning."""
        import pyarrow.parquet as pq

        from runs.schema import indicators_of

        return indicators_of(pq.read_schema(self._parts("series")[0]))

    def run_id(self, start: str | None = None) -> str:
        """The run whose id begins so; the only or first one where nothing is asked."""
        known = [run["run_id"] for run in self.manifest["runs"]]
        found = [run_id for run_id in known if start is None or run_id.startswith(start)]
        if len(found) == 1 or (found and start is None):
            return str(found[0])
        if found:
            raise BadInput(
                [
                    Complaint(
                        str(self.folder),
                        0,
                        "run",
                        f"found {start!r}, with which {len(found)} run ids begin; write more of it",
                    )
                ]
            )
        raise BadInput(
            [Complaint(str(self.folder), 0, "run", unknown(str(start), "run of this folder", known))]
        )

    def record(self, run_id: str | None = None) -> RunRecord:
        """One run as it was when it ended."""
        import polars as pl

        run_id = run_id or self.run_id()
        row = self.runs.filter(pl.col("run_id") == run_id).row(0, named=True)
        if row["status"] != DONE:
            raise BadInput(
                [
                    Complaint(
                        str(self.folder),
                        0,
                        f"run {run_id[:12]}",
                        f"failed, so there is nothing to show: {row['error']}",
                    )
                ]
            )
        series = self.series.filter(pl.col("run_id") == run_id).sort("month")
        first = series["month"][0]
        calendar = Calendar(first.year * 12 + first.month - 1, len(series))
        recorder = Recorder(self.indicators, calendar)
        for indicator in self.indicators:
            column = series[indicator.name].fill_null(float("nan"))
            recorder.values[:, recorder.column[indicator.name]] = column.to_numpy()
        recorder.recorded = len(series)
        mine = self.decisions.filter(pl.col("run_id") == run_id)
        decisions = [
            Decision(
                index_of(calendar, line["month"]),
                line["who"],
                line["verb"],
                line["subject"],
                line["amount"],
                line["granted"],
                line["unit"],
                line["bound"],
                _mapping(line["values"]),
            )
            for line in mine.iter_rows(named=True)
        ]
        sites = self.sites.filter(pl.col("run_id") == run_id).drop("run_id")
        return RunRecord(
            run_id,
            self.manifest["world"]["name"],
            row["scenario"],
            row["package"],
            row["seed"],
            calendar,
            self.indicators,
            self._settings(row, "x."),
            self._settings(row, "l."),
            recorder,
            decisions,
            [{name: _month(value) for name, value in site.items()} for site in sites.iter_rows(named=True)],
            status=row["status"],
            error=row["error"],
            wall_s=row["wall_s"],
            sample=row["sample"],
            replicate=row["replicate"],
        )

    def _settings(self, row: Mapping[str, Any], prefix: str) -> dict[str, Setting]:
        import pyarrow.parquet as pq

        found = pq.read_schema(self._parts("runs")[0])
        return {
            column.name.removeprefix(prefix): Setting(
                row[column.name], (column.metadata or {}).get(b"unit", b"").decode()
            )
            for column in found
            if column.name.startswith(prefix)
        }

    def _parts(self, name: str) -> list[Path]:
        parts = sorted((self.folder / name).glob("part-*.parquet"))
        if not parts:
            unfinished = any(run["status"] == RUNNING for run in self.manifest["runs"])
            why = (
                "the run has not ended; give the same command again"
                if unfinished
                else f"the folder keeps no {name}"
            )
            raise BadInput([Complaint(str(self.folder), 0, name, why)])
        return parts

    def _frame(self, name: str) -> pl.DataFrame:
        import polars as pl

        parts = self._parts(name)
        try:
            return pl.concat([pl.read_parquet(part) for part in parts], how="diagonal")
        except (pl.exceptions.PolarsError, OSError) as error:
            first = str(error).splitlines()[0]
            raise BadInput(
                [Complaint(str(parts[0].parent), 0, name, f"cannot be read, so it is damaged ({first})")]
            ) from error


def index_of(calendar: Calendar, date: Any) -> int:
    return int(date.year) * 12 + int(date.month) - 1 - calendar.first


def _month(value: Any) -> Any:
    return value.strftime("%Y-%m") if hasattr(value, "strftime") else value


def _mapping(values: Any) -> dict[str, float]:
    """A Parquet map as polars hands it over: a dict, or a list of key and value (older versions)."""
    if isinstance(values, Mapping):
        return dict(values)
    return {item["key"]: item["value"] for item in values or ()}


def read_manifest(folder: Path) -> dict[str, Any]:
    def bad(message: str) -> BadInput:
        return BadInput([Complaint(str(folder), 0, MANIFEST, message)])

    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        what = (
            "missing, so this is no results folder" if folder.is_dir() else "missing: there is no such folder"
        )
        raise bad(f"{what}; `madang run --out DIR` writes one") from None
    except NotADirectoryError:
        raise bad("missing: this is a file, and results are a folder") from None
    except OSError as error:
        raise bad(f"cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise bad(f"is no JSON ({error})") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or not manifest.get("runs"):
        raise bad(f"is not of the format {FORMAT!r}")
    from runs.schema import SCHEMA_VERSION

    if manifest.get("schema_version") != SCHEMA_VERSION:
        raise bad(
            f"has schema version {manifest.get('schema_version')}, and this madang reads {SCHEMA_VERSION}; "
            "use the madang version that wrote it, or run again"
        )
    return manifest
