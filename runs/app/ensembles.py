"""Results folders that the app may open, what it reads of them, and small ensembles that it starts.

Nothing outside the results root is opened or written, whatever is typed and wherever links lead.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runs.checking import BadInput, Complaint
from runs.results import MANIFEST, Results
from runs.views.ensembles import Difference, Fan

if TYPE_CHECKING:
    from runs.batches import Batch, Job, Progress

DEEPEST = 3
MOST_LISTED = 200
MOST_FAN_RUNS = 2000
"""Runs of a package that a fan is made of; of more, the first."""


def folders(root: Path) -> list[str]:
    """Results folders below ``root``, the newest first, by their path from there."""
    if not root.is_dir():
        return []
    found: list[tuple[float, str]] = []

    def look(folder: Path, depth: int) -> None:
        for child in folder.iterdir():
            if child.is_symlink() or not child.is_dir() or child.name.startswith("."):
                continue
            manifest = child / MANIFEST
            if manifest.is_file():
                found.append((manifest.stat().st_mtime, child.relative_to(root).as_posix()))
            elif depth < DEEPEST:
                look(child, depth + 1)

    look(root, 1)
    return [name for _, name in sorted(found, reverse=True)[:MOST_LISTED]]


def confined(root: Path, name: str) -> Path:
    """The folder ``name`` below ``root``; BadInput for one that lies elsewhere."""
    home = root.resolve()
    try:
        found = (home / name.strip()).resolve()
    except (OSError, ValueError, RuntimeError):
        found = Path("/")
    if not name.strip() or not found.is_relative_to(home) or found == home:
        raise BadInput(
            [Complaint(name, 0, "folder", f"lies outside {root.name}; only folders below it can be opened")]
        )
    return found


@dataclass(frozen=True)
class Opened:
    """A results folder, as the page needs it."""

    name: str
    results: Results
    scenarios: tuple[str, ...]
    packages: tuple[str, ...]
    runs: int
    failed: int
    units: dict[str, str]
    """Indicators with a final value, by name."""
    series: tuple[str, ...]
    """Indicators kept month by month."""


def open_folder(root: Path, name: str) -> Opened:
    """Open a folder below ``root``; BadInput where it is none of ours, or damaged."""
    results = Results(confined(root, name))
    runs = results.runs
    schema = results.arrow_schema("runs")
    units = {
        field.name.removeprefix("m."): (field.metadata or {}).get(b"unit", b"").decode()
        for field in schema
        if field.name.startswith("m.")
    }
    try:
        kept = tuple(i.name for i in results.indicators)
    except BadInput:
        kept = ()  # a batch may keep no series
    return Opened(
        name,
        results,
        tuple(runs["scenario"].unique(maintain_order=True).to_list()),
        tuple(runs["package"].unique(maintain_order=True).to_list()),
        len(runs),
        int((runs["status"] != "done").sum()),
        units,
        kept,
    )


def fans(
    opened: Opened, indicator: str, scenario: str, label: Callable[[str], str]
) -> tuple[list[str], list[Fan]]:
    """Months, and the indicator of each package: months x runs."""
    import polars as pl

    runs = opened.results.scan("runs").filter((pl.col("scenario") == scenario) & (pl.col("status") == "done"))
    chosen = runs.select("run_id", "package").collect()
    months: list[str] = []
    found = []
    for package in opened.packages:
        ids = chosen.filter(pl.col("package") == package)["run_id"].to_list()[:MOST_FAN_RUNS]
        if not ids:
            continue
        wide = (
            opened.results.scan("series")
            .filter(pl.col("run_id").is_in(ids))
            .select("run_id", "month", pl.col(indicator).cast(pl.Float64))
            .collect()
            .pivot(on="run_id", index="month", values=indicator, aggregate_function="first")
            .sort("month")
        )
        months = [date.strftime("%Y-%m") for date in wide["month"].to_list()]
        found.append(Fan(label(package), wide.drop("month").fill_null(float("nan")).to_numpy()))
    return months, found


def compared(opened: Opened, a: str, b: str, scenario: str, names: list[str]) -> list[Difference]:
    """Paired differences of package ``b`` from package ``a``."""
    table = opened.results.paired(a, b, indicators=names)
    return [
        Difference(
            row["indicator"], row["unit"], int(row["n"]), _float(row["a"]), _float(row["b"]), _float(row["difference"]),
            _float(row["low"]), _float(row["high"]),
        )
        for row in table.iter_rows(named=True)
        if row["scenario"] == scenario
    ]  # fmt: skip


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)


class Ensembles:
    """Starts ensembles, one at a time for the whole server, so that pages stay quick."""

    def __init__(self, root: Path, most_runs: int):
        self.root, self.most_runs = root, most_runs
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._pool: Any = None

    def start(self, spec: Batch, name: str, tell: Callable[[Progress], None]) -> tuple[Job, str]:
        """Start ``spec`` in a new folder below the root; the job, and the folder's name.

        BadInput where something is wrong with it, where it is too large, or another one is running.
        """
        from runs.batches import Pool, start

        with self._lock:
            if self._job is not None and not self._job.done():
                raise BadInput(
                    [
                        Complaint(
                            "ensemble",
                            0,
                            "start",
                            "another one is running on this server; wait until it has ended",
                        )
                    ]
                )
            if self._pool is None:
                self._pool = Pool(workers=1)
            safe = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-") or "ensemble"
            folder = f"{safe}-{time.strftime('%Y%m%d-%H%M%S')}"
            self._job = start(spec, out=confined(self.root, folder), executor=self._pool, on_progress=tell)
            return self._job, folder

    def close(self) -> None:
        """Cancel what runs, and end the processes."""
        with self._lock:
            if self._job is not None and not self._job.done():
                self._job.cancel()
                try:
                    self._job.wait(10)
                except Exception as error:  # the server is going away; say why the ensemble ended
                    print(f"madang: ensemble: {error}")
            if self._pool is not None:
                self._pool.close()
                self._pool = None


@lru_cache(maxsize=4)
def ensembles_of(root: Path, most_runs: int) -> Ensembles:
    """The one starter of ensembles of this server."""
    return Ensembles(root, most_runs)
