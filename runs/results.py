"""Reading a results folder.

manifest.json            what was asked, versions, world and model hashes, runs with status
runs/part-*.parquet      one row for each run
series/part-*.parquet    one row for each run and month
decisions/part-*.parquet the decision log
sites/part-*.parquet     one row for each run and site, from announced to energised
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abm.calendar import Calendar
from abm.decisions import Decision
from abm.series import Indicator, Recorder
from runs.checking import BadInput, Complaint, unknown
from runs.folder import Folder
from runs.record import DONE, RUNNING, RunRecord, Setting

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa
    import xarray

FORMAT = "madang results"
MANIFEST = "manifest.json"
TRACEBACK = "traceback.txt"


TABLES = ("runs", "series", "decisions", "sites")
_ORDER = {"runs": ["sample", "replicate", "scenario", "package"]}


class Results:
    """A results folder, on a disk or (as a URL such as ``s3://bucket/prefix``) on object storage.

    ``runs``, ``series``, ``decisions`` and ``sites`` are whole polars frames, read when first asked for.
    What is larger than memory is read in part: ``scan`` gives a lazy frame, ``sql`` a query's answer,
    ``to_xarray`` and ``paired`` the indicators asked for. Runs that are still being written are not seen
    until they are whole. :class:`BadInput` where the folder is none of ours, was written by a newer
    madang, or is damaged.
    """

    def __init__(self, folder: str | Path):
        place = Folder.of(folder)
        self.place = place
        self.folder: Path = place.path if place.path is not None else Path(place.url)
        self.head = read_head(place)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What was asked, versions and hashes, and the list of all runs."""
        return read_manifest(self.place)

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
        """What the series measure (or, where none are kept, the runs table), with unit and meaning."""
        from runs.schema import indicators_of

        return indicators_of(self.arrow_schema("series" if self._names("series") else "runs"))

    def arrow_schema(self, table: str) -> pa.Schema:
        """Columns of a table, with units and meanings in their metadata."""
        from runs.schema import with_columns

        with self.place.open_parquet(f"{table}/{self._parts(table)[0]}") as file:
            found = file.schema_arrow
        columns = self.head.get("columns", {}).get(table)
        return found if columns is None else with_columns(found, columns)

    def scan(self, table: str) -> pl.LazyFrame:
        """A table as a lazy frame: select and filter before ``collect()``, and only that is read.

        >>> Results(folder).scan("series").filter(pl.col("month").dt.year() == 2030).collect()  # doctest: +SKIP
        """
        import polars as pl

        parts = [f"{table}/{name}" for name in self._parts(table)]
        if self.place.path is not None:
            return pl.scan_parquet([self.place.path / part for part in parts], glob=False)
        return pl.scan_pyarrow_dataset(self.place.dataset(parts))

    def sql(self, query: str) -> pl.DataFrame:
        """The answer of DuckDB; ``runs``, ``series``, ``decisions`` and ``sites`` are the tables.

        Column names with a point stand in double quotes. :class:`BadInput` with DuckDB's words where the
        query is wrong.

        >>> Results(folder).sql('select package, avg("m.gpus_online") from runs group by 1')  # doctest: +SKIP
        """
        import duckdb

        connection = duckdb.connect()
        try:
            for table in TABLES:
                names = self._names(table)
                if names and self.place.path is not None:
                    files = [str(self.place.path / table / name) for name in names]
                    connection.read_parquet(files).create_view(table)  # type: ignore[arg-type]
                elif names:
                    connection.register(table, self.place.dataset([f"{table}/{name}" for name in names]))
            return connection.sql(query).pl()
        except duckdb.Error as error:
            raise BadInput([Complaint(str(self.place), 0, "sql", str(error).splitlines()[0])]) from error
        finally:
            connection.close()

    def to_xarray(self, indicators: Sequence[str] | None = None) -> xarray.Dataset:
        """Final values by scenario, package, sample and replicate, and series by month as well.

        Series carry the name of the indicator, final values ``final.`` before it; ``indicators`` names
        those to read (None: all that are kept). Runs that failed, or are not there yet, are NaN.
        """
        from runs.cubes import to_xarray

        return to_xarray(self, indicators)

    def paired(
        self, a: str, b: str, indicators: Sequence[str] | None = None, level: float = 0.95
    ) -> pl.DataFrame:
        """Package ``b`` less package ``a`` under the same scenario, sample and luck.

        One row for each scenario and indicator: ``scenario, indicator, unit, n`` (pairs in which both are
        defined)``, a, b`` (means over the pairs)``, difference, low, high`` (mean of the differences and
        its confidence interval, which takes samples and replicates as crossed). With one replicate the
        interval is that under one and the same luck.
        """
        from runs.pairs import paired

        return paired(self, a, b, indicators, level)

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
        found = self.scan("runs").filter(pl.col("run_id") == run_id).collect()
        if found.is_empty():
            raise self._bad(f"run {run_id[:12]}", "has not been run yet; give the same command again")
        row = found.row(0, named=True)
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
        if not self._names("series"):
            raise self._bad("series", "the folder keeps none, so that a single run cannot be shown")
        series = self.scan("series").filter(pl.col("run_id") == run_id).sort("month").collect()
        first = series["month"][0]
        calendar = Calendar(first.year * 12 + first.month - 1, len(series))
        recorder = Recorder(self.indicators, calendar)
        for indicator in self.indicators:
            column = series[indicator.name].fill_null(float("nan"))
            recorder.values[:, recorder.column[indicator.name]] = column.to_numpy()
        recorder.recorded = len(series)
        mine = self._of_run("decisions", run_id)
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
        sites = self._of_run("sites", run_id).drop("run_id", strict=False)
        return RunRecord(
            run_id,
            self.head["world"]["name"],
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

    def _of_run(self, table: str, run_id: str) -> pl.DataFrame:
        """The rows of one run; none where the folder does not keep the table."""
        import polars as pl

        if not self._names(table) and self.head.get("asked", {}).get("kind"):
            return pl.DataFrame()
        return self.scan(table).filter(pl.col("run_id") == run_id).collect()

    def _settings(self, row: Mapping[str, Any], prefix: str) -> dict[str, Setting]:
        return {
            column.name.removeprefix(prefix): Setting(
                row[column.name], (column.metadata or {}).get(b"unit", b"").decode()
            )
            for column in self.arrow_schema("runs")
            if column.name.startswith(prefix)
        }

    def _names(self, table: str) -> list[str]:
        """Shards that count: those whose runs are there."""
        names = [name for name in self.place.names(table) if _is_shard(name)]
        if table == "runs":
            return names
        there = set(self.place.names("runs"))
        return [name for name in names if name in there]

    def _parts(self, table: str) -> list[str]:
        parts = self._names(table)
        if not parts:
            ended = self.head.get("ended", True) and not any(
                run["status"] == RUNNING for run in self.manifest["runs"]
            )
            raise self._bad(
                table,
                f"the folder keeps no {table}"
                if ended
                else "the run has not ended; give the same command again",
            )
        return parts

    def _bad(self, key: str, message: str) -> BadInput:
        return BadInput([Complaint(str(self.place), 0, key, message)])

    def _frame(self, table: str) -> pl.DataFrame:
        import polars as pl

        try:
            return self.scan(table).sort(_ORDER.get(table, ["run_id"]), maintain_order=True).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            first = str(error).splitlines()[0]
            raise BadInput(
                [Complaint(f"{self.place}/{table}", 0, table, f"cannot be read, so it is damaged ({first})")]
            ) from error


def _is_shard(name: str) -> bool:
    return name.startswith("part-") and name.endswith(".parquet")


def index_of(calendar: Calendar, date: Any) -> int:
    return int(date.year) * 12 + int(date.month) - 1 - calendar.first


def _month(value: Any) -> Any:
    return value.strftime("%Y-%m") if hasattr(value, "strftime") else value


def _mapping(values: Any) -> dict[str, float]:
    """A Parquet map as polars hands it over: a dict, or a list of key and value (older versions)."""
    if isinstance(values, Mapping):
        return dict(values)
    return {item["key"]: item["value"] for item in values or ()}


def read_manifest(folder: str | Path | Folder) -> dict[str, Any]:
    """The whole manifest, run list included."""
    return _read(Folder.of(folder), whole=True)


def read_head(folder: str | Path | Folder) -> dict[str, Any]:
    """The manifest without its run list, which may be long."""
    return _read(Folder.of(folder), whole=False)


def _read(folder: Folder, whole: bool) -> dict[str, Any]:
    def bad(message: str) -> BadInput:
        return BadInput([Complaint(str(folder), 0, MANIFEST, message)])

    try:
        text = folder.read(MANIFEST).decode("utf-8")
        if not whole:
            # The list is the last key, written at the left margin of the outermost table.
            start = text.find('\n  "runs": [')
            text = text if start < 0 else f'{text[:start]}\n  "runs": [{{}}]\n}}'
        manifest = json.loads(text)
    except FileNotFoundError:
        what = (
            "missing, so this is no results folder" if folder.exists() else "missing: there is no such folder"
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
