"""A results folder: what is written is what is read, whole or not at all."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

import runs
from runs import store
from runs.checking import BadInput
from runs.record import DONE, FAILED, RUNNING, RunRecord, Setting
from runs.results import FORMAT, Results
from runs.schema import SCHEMA_VERSION
from runs.store import abandon_folder, open_folder, write_run
from tests.runs import fakes


def record_of_fake(run_id: str = "0123456789abcdef") -> RunRecord:
    model = fakes.model()
    return RunRecord(
        run_id=run_id,
        world="toy",
        scenario="baseline",
        package="as-announced",
        seed=7,
        calendar=fakes.CALENDAR,
        indicators=fakes.INDICATORS,
        uncertainties={"lng_price_factor": Setting(1.0, "ratio")},
        levers={"grid_fast_track": Setting(0.5, "index")},
        recorder=model.recorder,
        decisions=model.decisions.records,
        sites=model.site_report(),
        wall_s=1.5,
    )


def manifest(run_id: str = "0123456789abcdef", status: str = DONE) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "world": {"name": "toy", "title": "Toy", "currency": "KRW"},
        "runs": [
            {
                "run_id": run_id,
                "scenario": "baseline",
                "package": "as-announced",
                "seed": 7,
                "status": status,
            }
        ],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written = tmp_path / "results" / "one"
    open_folder(written, manifest(status=RUNNING))
    write_run(written, record_of_fake(), manifest())
    return written


def complaint(error: pytest.ExceptionInfo[BadInput]) -> str:
    (only,) = error.value.complaints
    assert "\n" not in str(only)
    return str(only)


def test_frames_have_the_columns_that_the_design_names(folder: Path) -> None:
    results = Results(folder)
    assert results.runs.columns[:9] == [
        "run_id", "scenario", "package", "sample", "replicate", "seed", "status", "error", "wall_s",
    ]  # fmt: skip
    assert {"x.lng_price_factor", "l.grid_fast_track", "m.gpus_online"} < set(results.runs.columns)
    assert results.series.columns[:2] == ["run_id", "month"]
    assert results.series.schema["month"] == pl.Date
    assert results.series.height == 48
    assert results.decisions.height == 6
    assert {"site", "announced", "expected", "energised", "bound"} < set(results.sites.columns)


def test_a_record_comes_back_as_it_was(folder: Path) -> None:
    written, read = record_of_fake(), Results(folder).record()
    assert read.calendar == written.calendar
    assert read.indicators == written.indicators
    assert list(read.decisions) == list(written.decisions)
    assert list(read.sites) == list(written.sites)
    assert read.uncertainties == written.uncertainties
    assert read.levers == written.levers
    for indicator in written.indicators:
        assert read.yearly(indicator.name) == written.yearly(indicator.name)
        assert read.final(indicator.name) == written.final(indicator.name)
        assert read.monthly(indicator.name) == written.monthly(indicator.name)


def test_what_is_not_measured_is_null_and_keeps_its_type(folder: Path) -> None:
    results = Results(folder)
    assert results.runs["m.lole_hours"].to_list() == [None]
    assert results.series["lole_hours"].null_count() == 48
    assert results.series.schema["lole_hours"] == pl.Float64
    assert results.runs.schema["error"] == pl.String


def test_a_failed_run_has_the_same_leading_types(tmp_path: Path, folder: Path) -> None:
    other = tmp_path / "failed"
    open_folder(other, manifest("f" * 16, RUNNING))
    failed = replace(
        record_of_fake("f" * 16),
        recorder=None,
        indicators=(),
        status=FAILED,
        error="LedgerError: out of balance",
    )
    write_run(other, failed, manifest("f" * 16, FAILED))
    both = pl.concat([Results(folder).runs, Results(other).runs], how="diagonal")
    assert both["status"].to_list() == [DONE, FAILED]
    with pytest.raises(BadInput) as error:
        Results(other).record()
    assert "out of balance" in complaint(error)


def test_columns_carry_unit_meaning_and_version(folder: Path) -> None:
    schema = pq.read_schema(folder / "series" / "part-00000.parquet")
    assert schema.metadata[b"schema_version"] == str(SCHEMA_VERSION).encode()
    assert schema.field("gpus_online").metadata[b"unit"] == b"GPU"
    assert schema.field("lole_hours").metadata[b"later"] == b"a later issue"


def test_the_same_run_may_be_written_again(folder: Path) -> None:
    before = (folder / "series" / "part-00000.parquet").read_bytes()
    open_folder(folder, manifest(status=RUNNING))
    assert json.loads((folder / "manifest.json").read_text())["runs"][0]["status"] == DONE
    write_run(folder, record_of_fake(), manifest())
    assert (folder / "series" / "part-00000.parquet").read_bytes() == before


def test_another_run_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput) as error:
        open_folder(folder, manifest("e" * 16))
    assert "holds the results of another run (baseline, as-announced, seed 7" in complaint(error)


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("precious")
    with pytest.raises(BadInput) as error:
        open_folder(tmp_path, manifest())
    assert "no madang results" in complaint(error)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(BadInput) as error:
        open_folder(tmp_path / "out", manifest())
    assert "expected a folder" in complaint(error)
    with pytest.raises(BadInput) as error:
        open_folder(tmp_path / "out" / "below", manifest())
    assert "cannot write results there" in complaint(error)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    folder = tmp_path / "out"
    open_folder(folder, manifest(status=RUNNING))

    def refuse(_: int) -> None:
        raise OSError(number, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", refuse)
    with pytest.raises(BadInput) as error:
        write_run(folder, record_of_fake(), manifest())
    assert "cannot write results there: No space left on device; choose another folder" in complaint(error)
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["manifest.json"]
    assert json.loads((folder / "manifest.json").read_text())["runs"][0]["status"] == RUNNING


def test_an_unfinished_run_says_so_and_can_be_taken_back(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "one"
    open_folder(folder, manifest(status=RUNNING))
    with pytest.raises(BadInput) as error:
        _ = Results(folder).series
    assert "has not ended" in complaint(error)
    abandon_folder(folder)
    assert not folder.exists()


def test_finished_results_are_never_taken_back(folder: Path) -> None:
    abandon_folder(folder)
    assert Results(folder).runs.height == 1


def damage(change: Mapping[str, Any]) -> dict[str, Any]:
    return {**manifest(), **change}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"format": "something"}, "is not of the format 'madang results'"),
        ({"schema_version": 99}, "has schema version 99, and this madang reads 1"),
        ({"runs": []}, "is not of the format"),
    ],
)
def test_foreign_and_newer_manifests_are_refused(
    folder: Path, change: Mapping[str, Any], expected: str
) -> None:
    (folder / "manifest.json").write_text(json.dumps(damage(change)))
    with pytest.raises(BadInput) as error:
        Results(folder)
    assert expected in complaint(error)


def test_broken_files_are_named(folder: Path, tmp_path: Path) -> None:
    (folder / "series" / "part-00000.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(BadInput) as error:
        _ = Results(folder).series
    assert "series: cannot be read, so it is damaged" in complaint(error)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(BadInput) as error:
        Results(folder)
    assert "is no JSON" in complaint(error)
    with pytest.raises(BadInput) as error:
        Results(tmp_path / "nowhere")
    assert "there is no such folder" in complaint(error)


def test_a_run_is_found_by_the_start_of_its_id(folder: Path) -> None:
    results = Results(folder)
    assert results.run_id("0123") == "0123456789abcdef"
    with pytest.raises(BadInput) as error:
        results.run_id("zzz")
    assert "no run of this folder" in complaint(error)


def test_the_front_door_hands_on_results() -> None:
    assert runs.Results is Results
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = runs.nothing
