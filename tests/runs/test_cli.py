"""The command line: what it prints where, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import madang
from runs import store
from runs.checking import BadInput
from runs.cli import app
from runs.results import Results
from tests.runs import fakes

Simulate = Callable[..., Any]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs in a folder of its own, since results go below the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cli(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def with_engine(monkeypatch: pytest.MonkeyPatch, simulate: Simulate) -> None:
    """Exchange the engine, so that what surrounds it can be tested at once."""
    engine = ModuleType("runs.engine")
    engine.__dict__["simulate"] = simulate
    monkeypatch.setitem(sys.modules, "runs.engine", engine)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """An engine that hands back a ready-made model and keeps what it was asked."""
    asked: list[Mapping[str, Any]] = []

    def simulate(scenario: str, *, progress: Callable[[int, int], None], **how: Any) -> Any:
        asked.append({"scenario": scenario, **how})
        for done in range(1, fakes.CALENDAR.months + 1):
            progress(done, fakes.CALENDAR.months)
        return fakes.model()

    with_engine(monkeypatch, simulate)
    return asked


# --- run ---------------------------------------------------------------------------------------------


def test_run_prints_the_whole_story(quick: list[Any], elsewhere: Path) -> None:
    answer = cli("run", "--world", "toy", "--seed", 7)
    assert answer.exit_code == 0, answer.stderr
    text = answer.stdout
    for heading in (
        "What was promised, and what came",
        "The decade",
        "What slipped, and why",
        "Who won, who lost",
        "Where the power price went",
    ):
        assert heading in text
    assert "missed" in text
    assert "12 months late on average" in text
    (folder,) = (elsewhere / "results").iterdir()
    assert folder.name.startswith("baseline-as-announced-7-")
    assert f"madang explain results/{folder.name}" in text
    assert quick == [
        {"scenario": "baseline", "package": "as-announced", "seed": 7, "settings": {}, "world": "toy"}
    ]


def test_progress_goes_to_standard_error_alone(quick: list[Any]) -> None:
    answer = cli("run", "--world", "toy", "--json")
    assert answer.stderr.splitlines() == [
        f"{year} done ({12 * (at + 1)} of 48 months)" for at, year in enumerate(range(2025, 2029))
    ]
    assert cli("run", "--world", "toy", "--json", "--quiet").stderr == ""


def test_json_is_one_object_and_the_same_twice(quick: list[Any]) -> None:
    first, second = (cli("run", "--world", "toy", "--json", "-q") for _ in range(2))
    assert first.stdout.count("\n") == 1
    found, again = json.loads(first.stdout), json.loads(second.stdout)
    assert list(found) == [
        "run_id", "world", "scenario", "package", "seed", "start", "end", "months", "wall_s",
        "balance_residual", "power", "indicators",
    ]  # fmt: skip
    assert (found["start"], found["end"], found["months"]) == ("2025-01", "2028-12", 48)
    assert found["power"] == {"solves": 96, "max_gap": 2e-14, "fallbacks": 0}
    assert found["indicators"]["gpus_online"] == {
        "unit": "GPU", "final": 22000.0,
        "yearly": {"2025": 4000.0, "2026": 4000.0, "2027": 4000.0, "2028": 22000.0},
    }  # fmt: skip
    assert found["indicators"]["lole_hours"]["final"] is None
    assert found["indicators"]["lole_hours"]["yearly"] == dict.fromkeys(["2025", "2026", "2027", "2028"])
    found.pop("wall_s"), again.pop("wall_s")
    assert found == again


def test_settings_reach_the_engine_as_numbers(quick: list[Any]) -> None:
    answer = cli("run", "--world", "toy", "--set", "lng_price_factor=1.5", "--set", "grid_fast_track=1")
    assert answer.exit_code == 0, answer.stderr
    assert quick[0]["settings"] == {"lng_price_factor": 1.5, "grid_fast_track": 1.0}


def test_results_are_kept_and_say_what_was_asked(quick: list[Any], elsewhere: Path) -> None:
    answer = cli("run", "--world", "toy", "--set", "lng_price_factor=1.5", "--out", "mine", "-q")
    assert answer.exit_code == 0
    results = Results(elsewhere / "mine")
    row = results.runs.row(0, named=True)
    assert (row["status"], row["x.lng_price_factor"], row["x.coal_price_factor"]) == ("done", 1.5, 1.0)
    assert "l.grid_fast_track" in row
    assert row["m.gpus_online"] == 22000.0
    asked = results.manifest["asked"]
    assert (asked["world"], asked["scenario"], asked["package"], asked["seed"]) == (
        "toy", "baseline", "as-announced", 0)  # fmt: skip
    assert asked["settings"] == {"lng_price_factor": 1.5}
    assert results.manifest["versions"]["madang"] == madang.__version__
    assert results.decisions.height == len(fakes.decisions().records)


def test_another_run_is_not_overwritten(quick: list[Any]) -> None:
    assert cli("run", "--world", "toy", "--out", "mine").exit_code == 0
    assert cli("run", "--world", "toy", "--out", "mine").exit_code == 0
    answer = cli("run", "--world", "toy", "--seed", 1, "--out", "mine")
    assert answer.exit_code == 2
    assert "mine: --out: holds the results of another run (baseline, as-announced, seed 0" in answer.stderr
    assert len(quick) == 2


def test_a_full_disk_is_one_line(quick: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write_part", full)
    answer = cli("run", "--world", "toy", "--out", "mine", "-q")
    assert answer.exit_code == 2
    assert answer.stderr == (
        "mine: --out: cannot write results there: No space left on device; choose another folder\n"
    )


def test_an_interrupted_run_says_so_and_leaves_nothing_half_done(
    monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    def simulate(*_: object, progress: Callable[[int, int], None], **__: object) -> None:
        progress(4, 48)
        raise KeyboardInterrupt

    with_engine(monkeypatch, simulate)
    answer = cli("run", "--world", "toy", "--out", "mine")
    assert answer.exit_code == 130
    assert answer.stdout == ""
    assert "interrupted after 2025-04 (4 of 48 months)" in answer.stderr
    assert "give the same command again" in answer.stderr
    assert not (elsewhere / "mine").exists()


def test_a_failed_run_has_a_row_a_line_and_a_traceback(
    monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    def simulate(*_: object, **__: object) -> None:
        raise RuntimeError("month 3: account x is out\nof balance")

    with_engine(monkeypatch, simulate)
    answer = cli("run", "--world", "toy", "--out", "mine", "--json")
    assert answer.exit_code == 1
    assert answer.stdout == ""
    (line,) = answer.stderr.splitlines()
    assert "RuntimeError: month 3: account x is out of balance" in line
    assert "Traceback" in (elsewhere / "mine" / "traceback.txt").read_text()
    row = Results(elsewhere / "mine").runs.row(0, named=True)
    assert row["status"] == "failed"
    assert "out of balance" in row["error"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "basline"], ["did you mean 'baseline'?"]),
        (["run", "-p", "grid-frist"], ["did you mean 'grid-first'?"]),
        (["run", "--set", "coal_pric=1"], ["--set: coal_pric: ", "did you mean 'coal_price_factor'?"]),
        (["run", "--set", "lng_price_factor=99"], ["found 99, allowed "]),
        (["run", "--set", "lng_price_factor"], ["found 'lng_price_factor', expected name=value"]),
        (["run", "--set", "lng_price_factor=1 EUR"], ["found the unit 'EUR'"]),
        (["run", "--set", "lng_price_factor=1", "--set", "lng_price_factor=2"], ["given twice"]),
        (["run", "nowhere.toml"], ["nowhere.toml: file: found no such file"]),
        (["run", "--seed", str(2**63)], ["--seed: found 9223372036854775808, allowed 0 to"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    quick: list[Any], arguments: list[str], expected: list[str]
) -> None:
    answer = cli(*arguments, "--world", "toy")
    assert answer.exit_code == 2
    assert answer.stdout == ""
    (line,) = answer.stderr.splitlines()
    for words in expected:
        assert words in line
    assert not quick


def test_a_world_that_is_none(quick: list[Any]) -> None:
    answer = cli("run", "--world", "tooy")
    assert answer.exit_code == 2
    assert "did you mean 'toy'?" in answer.stderr


def test_several_complaints_come_at_once() -> None:
    answer = cli("run", "--world", "toy", "--set", "lng_price_factor=99", "--set", "coal_price_factor=x")
    assert len(answer.stderr.splitlines()) == 2


def test_a_fault_of_ours_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from runs import cli_list

    def broken(*_: object) -> int:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(cli_list, "list_command", broken)
    answer = cli("list", "worlds")
    assert answer.exit_code == 1
    (line,) = answer.stderr.splitlines()
    assert "ZeroDivisionError: division by zero; this is a fault of madang" in line
    saved = Path(line.rsplit(" ", 1)[1])
    assert "Traceback" in saved.read_text()
    saved.unlink()


# --- run, for real -----------------------------------------------------------------------------------


def test_two_processes_print_the_same_bytes(elsewhere: Path) -> None:
    command = ("run", "--world", "toy", "--seed", "7", "--json", "--quiet")
    first, second = (installed(*command, cwd=elsewhere, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert first.returncode == 0, first.stderr
    found, again = json.loads(first.stdout), json.loads(second.stdout)
    assert max(found["balance_residual"].values()) < 1e-9
    assert found["power"]["max_gap"] < 1e-9
    assert found["power"]["fallbacks"] == 0
    found.pop("wall_s"), again.pop("wall_s")
    assert json.dumps(found) == json.dumps(again)
    other = json.loads(cli("run", "--world", "toy", "--seed", 8, "--json", "-q").stdout)
    assert other["run_id"] != found["run_id"]
    assert other["indicators"] != found["indicators"]


def test_a_real_run_can_be_read_explained_and_drawn(elsewhere: Path) -> None:
    answer = cli("run", "shortage", "--world", "toy", "-p", "no-policy", "--out", "mine", "-q")
    assert answer.exit_code == 0, answer.stderr
    results = Results(elsewhere / "mine")
    assert results.series.height == 48
    assert results.decisions.height > 0
    assert results.runs["status"].to_list() == ["done"]
    for question in ([], ["--month", "2026-06"], ["--who", "utility"], ["--site", "south-one"]):
        assert cli("explain", "mine", *question).exit_code == 0, question
    assert cli("picture", "mine", "--out", "mine.svg").exit_code == 0
    assert (elsewhere / "mine.svg").stat().st_size > 10_000


# --- validate ----------------------------------------------------------------------------------------


def test_validate_reports_everything_at_once(elsewhere: Path) -> None:
    (elsewhere / "p.toml").write_text('title = "x"\n[levers]\ngrid_fast_trac = 1\ncarbon_price = "much"\n')
    (elsewhere / "s.toml").write_text(
        '[uncertainties]\nlng_price_factor = 99\n[[shocks]]\nseries = "demand"\n'
    )
    (elsewhere / "good.toml").write_text('title = "x"\n[levers]\ngrid_fast_track = 1\n')
    answer = cli("validate", "p.toml", "s.toml", "good.toml", "none.toml", "--world", "toy")
    assert answer.exit_code == 2
    lines = answer.stderr.splitlines()
    assert lines[0] == (
        "p.toml:3: levers.grid_fast_trac: found 'grid_fast_trac', which is no lever; "
        "did you mean 'grid_fast_track'?"
    )
    assert lines[1].startswith("p.toml:4: levers.carbon_price: found 'much'")
    assert lines[2].startswith("s.toml:2: uncertainties.lng_price_factor: found 99, allowed ")
    assert any(line.startswith("s.toml:3: shocks[1]") for line in lines[3:])
    assert lines[-1] == "none.toml: file: found no such file"
    assert answer.stdout == "good.toml: package, no complaints\n"


def test_validate_takes_worlds(elsewhere: Path) -> None:
    toy = madang.ROOT / "runs" / "worlds" / "toy"
    assert cli("validate", toy).stdout == f"{toy}: world, no complaints\n"
    assert cli("validate", toy / "world.toml").exit_code == 0
    answer = cli("validate", elsewhere)
    assert answer.exit_code == 2
    assert "world.toml: missing" in answer.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = [\n", "no valid TOML"),
        ('colour = "red"\n', "found no key that tells what it is; a scenario has world, start"),
        ("[levers]\n[uncertainties]\n", "a file is one of them"),
    ],
)
def test_a_file_that_is_neither(elsewhere: Path, text: str, expected: str) -> None:
    (elsewhere / "f.toml").write_text(text)
    answer = cli("validate", "f.toml", "--world", "toy")
    assert answer.exit_code == 2
    (line,) = answer.stderr.splitlines()
    assert expected in line


def test_validate_as_json(elsewhere: Path) -> None:
    (elsewhere / "p.toml").write_text("[levers]\ngrid_fast_trac = 1\n")
    answer = cli("validate", "p.toml", "--world", "toy", "--json")
    assert answer.exit_code == 2
    found = json.loads(answer.stdout)
    assert found["valid"] is False
    assert found["complaints"][0]["line"] == 2


# --- list --------------------------------------------------------------------------------------------

KINDS = (
    "worlds", "scenarios", "packages", "levers", "uncertainties", "parameters", "indicators", "stakeholders",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_lists_can_be_read_and_parsed(kind: str) -> None:
    answer = cli("list", kind, "--world", "toy", "--json")
    assert answer.exit_code == 0, answer.stderr
    rows = json.loads(answer.stdout)[kind]
    assert rows
    assert all(row["name"] for row in rows)
    table = cli("list", kind, "--world", "toy").stdout
    assert max(map(len, table.splitlines())) <= 110
    for row in rows:
        assert row["name"] in table


def test_levers_and_uncertainties_say_all_that_the_design_asks_for() -> None:
    for kind in ("levers", "uncertainties", "parameters"):
        for row in json.loads(cli("list", kind, "--world", "toy", "--json").stdout)[kind]:
            assert row["low"] <= row["default"] <= row["high"]
            assert row["unit"]
            assert row["moves"]
            assert row["source"]
            assert "currency" not in row["unit"]


def test_listing_of_no_kind() -> None:
    answer = cli("list", "leevers")
    assert answer.exit_code == 2
    assert "Traceback" not in answer.stderr


# --- the command as installed ------------------------------------------------------------------------


def installed(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "madang", *arguments], capture_output=True, text=True, check=False, cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(madang.ROOT), **environment},
    )  # fmt: skip


def test_help_teaches_and_imports_nothing_heavy(elsewhere: Path) -> None:
    answer = installed("run", "--help", cwd=elsewhere, PYTHONPROFILEIMPORTTIME="1")
    assert answer.returncode == 0
    assert "Examples" in answer.stdout
    assert "madang run grid-delay" in answer.stdout
    for heavy in ("mesa", "numpy", "polars", "pyarrow", "numba", "scipy", "matplotlib", "solara", "pandas"):
        assert not any(line.endswith(f" {heavy}") for line in answer.stderr.splitlines()), heavy


def test_the_front_door_is_cheap_too(elsewhere: Path) -> None:
    code = "import sys, runs; assert not {'numpy', 'mesa', 'polars', 'typer'} & set(sys.modules), sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(madang.ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_reader_that_stops_listening_is_no_fault(elsewhere: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m madang list levers | head -n 1", shell=True, capture_output=True, text=True,
        check=False, cwd=elsewhere, env={**os.environ, "PYTHONPATH": str(madang.ROOT)},
    )  # fmt: skip
    assert done.stdout.startswith("name")
    assert done.stderr == ""


def test_version() -> None:
    assert cli("--version").stdout == f"madang {madang.__version__}\n"


def test_bad_input_is_a_value_for_scripts_too() -> None:
    from runs.assemble import prepare

    with pytest.raises(BadInput) as error:
        prepare("toy", "baseline", "as-announced", {"nothing": 1.0}, 0)
    assert "nothing" in str(error.value)
