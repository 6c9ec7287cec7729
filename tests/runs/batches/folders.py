"""What tests ask of a results folder, read with nothing of ours: every file that a glob finds counts."""

from __future__ import annotations

from pathlib import Path

import polars as pl

TIMING = ["wall_s"]


def runs_of(folder: Path) -> pl.DataFrame:
    """The runs table as a stranger would read it, sorted, timings apart."""
    frame = pl.read_parquet(str(folder / "runs" / "*.parquet")).drop(TIMING)
    return frame.sort("run_id", "scenario", "package", "sample", "replicate")


def series_of(folder: Path) -> pl.DataFrame:
    """The series as a stranger would read them, sorted."""
    frame = pl.read_parquet(str(folder / "series" / "*.parquet"))
    return frame.sort(frame.columns[:2])


def leftovers(folder: Path) -> list[str]:
    """Files that are neither shards nor the manifest nor the lock."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and path.name not in ("manifest.json", ".lock")
        and not (path.name.startswith("part-") and path.suffix == ".parquet")
    )


def assert_same(one: Path, other: Path) -> None:
    """The same runs and series, bit for bit; nothing lost, nothing twice, nothing mixed."""
    left, right = runs_of(one), runs_of(other)
    assert left.height == left.unique(["run_id", "scenario", "package", "sample", "replicate"]).height
    assert left.equals(right)
    assert series_of(one).equals(series_of(other))
    assert leftovers(one) == []
