"""`madang explain` and `madang picture` answer from a stored run."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runs.cli import app
from runs.picture import plan_of
from runs.record import RunRecord
from runs.results import FORMAT, Results
from runs.schema import SCHEMA_VERSION
from runs.store import open_folder, write_run
from runs.summary import binding, goals_of, scores_of, slips_of
from runs.worlds import load
from tests.runs import fakes

RUN = "0123456789abcdef"


def fake_record() -> RunRecord:
    model = fakes.model()
    return RunRecord(
        run_id=RUN,
        world="toy",
        scenario="baseline",
        package="as-announced",
        seed=7,
        calendar=fakes.CALENDAR,
        indicators=fakes.INDICATORS,
        recorder=model.recorder,
        decisions=model.decisions.records,
        sites=model.site_report(),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    listed = {"run_id": RUN, "scenario": "baseline", "package": "as-announced", "seed": 7, "status": "done"}
    manifest = {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "world": {"name": "toy", "title": "Toy", "currency": "KRW"},
        "runs": [listed],
    }
    written = tmp_path / "results" / "one"
    open_folder(written, manifest)
    write_run(written, fake_record(), manifest)
    return written


def madang(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_without_options_the_latest_sites_are_explained(folder: Path) -> None:
    answer = madang("explain", folder)
    assert answer.exit_code == 0
    text = " ".join(answer.stdout.split())
    assert "2 of the 2 sites that were due during the run are late" in text
    assert "Announced for 2027-03, energised 2028-03: 12 months late. What bound: connection." in text
    assert "still in the grid queue in 2028-12, 6 months later. What binds: no headroom in pool." in text
    assert "2025-11 utility refuse 0 MW of 40 MW grid assessment chance 21 %, headroom 12 MW" in text
    assert "2026-07 fund invest 250 bn KRW value over outlay 1.3" in text
    assert "connected 2028-03 36 5 came last" in text
    assert "building stands 2027-10 31 15 longest wait" in text
    assert "expected 2027-03" in text


def test_without_a_folder_the_newest_is_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parents[1])
    assert madang("explain").exit_code == 0
    monkeypatch.chdir(folder)
    answer = madang("explain")
    assert answer.exit_code == 2
    assert "holds no results; `madang run` writes some" in answer.stderr


def test_all_that_one_stakeholder_decided(folder: Path) -> None:
    answer = madang("explain", folder, "--who", "utility")
    assert "2 decisions: pass 1, refuse 1." in answer.stdout
    assert "platform" not in answer.stdout


def test_one_month(folder: Path) -> None:
    answer = madang("explain", folder, "--month", "2025-11")
    assert "gpus_online 4,000 GPU (before: 4,000 GPU)" in answer.stdout
    assert answer.stdout.count("2025-11") == 2
    assert "Nothing was decided" in madang("explain", folder, "--month", "2025-11", "--who", "fund").stdout


def test_one_site_and_one_run(folder: Path) -> None:
    answer = madang("explain", folder, "--site", "south-two", "--run", RUN[:4])
    assert answer.exit_code == 0
    assert "south-one" not in answer.stdout
    assert "In operation since 2023-06" in madang("explain", folder, "--site", "north-one").stdout


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--who", "utilty", "did you mean 'utility'?"),
        ("--site", "south-too", "did you mean 'south-two'?"),
        ("--month", "2031-01", "allowed 2025-01 to 2028-12"),
        ("--month", "yesterday", "write it as YYYY-MM"),
        ("--run", "zz", "no run of this folder"),
    ],
)
def test_wrong_names_get_the_nearest(folder: Path, option: str, value: str, expected: str) -> None:
    answer = madang("explain", folder, option, value)
    assert answer.exit_code == 2
    assert expected in answer.stderr
    assert answer.stdout == ""


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    answer = madang("explain", tmp_path)
    assert answer.exit_code == 2
    assert answer.stderr.count("\n") == 1
    assert "no results folder" in answer.stderr


def test_the_latest_comes_first_and_what_was_there_is_left_out() -> None:
    slips = slips_of(fake_record())
    assert [(slip.site, slip.months, slip.late_text) for slip in slips] == [
        ("south-one", 12.0, "+12"),
        ("south-two", 6.0, "> 6"),
    ]
    assert binding(slips) == [("connection", 1, 12.0), ("no headroom in pool", 1, 6.0)]


def test_goals_are_held_against_the_outcome() -> None:
    (goal,) = goals_of(fake_record(), load("toy"))
    assert (goal.by, goal.promised, goal.reached, goal.kept, goal.met) == (
        "2028-12",
        40000.0,
        22000.0,
        False,
        None,
    )


def test_scores_say_what_they_count() -> None:
    platform, utility = scores_of(fake_record())
    assert (platform.who, platform.what, platform.unit, platform.negative) == (
        "platform", "operating surplus", "KRW", False)  # fmt: skip
    assert (platform.first, platform.last) == (11e9, 47e9)
    assert (utility.who, utility.what, utility.unit, utility.negative) == ("utility", "debt", "KRW", True)
    assert utility.size(utility.last) == 1.247e14


def test_the_announced_plan_is_cumulative_and_leaves_out_what_came_up_later() -> None:
    record = fake_record()
    plan = plan_of(record)
    assert [plan[month] for month in (0, 25, 26, 40, 41, 47)] == [4e3, 4e3, 22e3, 22e3, 49e3, 49e3]
    later = [{**site, "originated": site["site"] == "south-two"} for site in record.sites]
    assert plan_of(replace(record, sites=later))[47] == 22e3


def test_the_picture_is_drawn_and_is_the_same_twice(folder: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    assert madang("picture", folder, "--out", first).exit_code == 0
    assert madang("picture", folder, "--out", second).exit_code == 0
    assert first.stat().st_size > 20_000
    assert first.read_bytes() == second.read_bytes()


def test_a_picture_needs_a_known_ending_and_a_place(folder: Path, tmp_path: Path) -> None:
    answer = madang("picture", folder, "--out", tmp_path / "a.docx")
    assert answer.exit_code == 2
    assert "ends in .png, .svg or .pdf" in answer.stderr
    answer = madang("picture", folder, "--out", tmp_path / "nowhere" / "a.png")
    assert answer.exit_code == 2
    assert "cannot be written: No such file or directory" in answer.stderr


def test_the_world_may_have_gone_since(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["world"]["name"] = "atlantis"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    os.utime(folder)
    assert Results(folder).record().world == "atlantis"
    assert madang("explain", folder, "--who", "utility").exit_code == 0
