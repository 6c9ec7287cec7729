"""`madang batch`: what it prints, what it returns, what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from runs import Results
from runs.batches.display import Display, duration, line, panel, size
from runs.batches.precision import Interval
from runs.batches.runner import Progress
from runs.cli import app

ROOT = Path(__file__).resolve().parents[3]
FILE = """\
world = "toy"
packages = ["no-policy", "startup-access"]
replicates = 3
watch = "emissions_mt"
[keep]
series = ["gpus_online"]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(FILE, encoding="utf-8")
    return Path("small.toml")


def madang(*words: object) -> tuple[int, str, str]:
    ended = CliRunner().invoke(app, ["batch", *map(str, words)])
    return ended.exit_code, ended.stdout, ended.stderr


def test_a_batch_runs_and_the_same_command_says_that_there_is_nothing_to_do(file: Path) -> None:
    code, out, err = madang(file, "-o", "out", "-w", 0)
    assert (code, err.count("fault")) == (0, 0)
    assert "6 of 6 runs" in out
    assert "startup-access" in out
    assert Results("out").runs.height == 6
    code, out, _ = madang(file, "-o", "out", "-w", 0)
    assert code == 0
    assert "nothing to do: all 6 runs of small.toml are in out" in out


def test_json_is_one_object_and_nothing_else(file: Path) -> None:
    code, out, _ = madang(file, "-o", "out", "-w", 0, "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["runs"], found["done"], found["failed"], found["ran_now"]) == (6, 6, 0, 6)
    assert [cell["n"] for cell in found["estimates"]] == [3, 3]
    assert found["estimates"][0]["low"] < found["estimates"][0]["mean"] < found["estimates"][0]["high"]


def test_without_out_the_folder_is_named_after_the_question(file: Path) -> None:
    _, out, _ = madang(file, "-w", 0, "--json")
    folder = json.loads(out)["folder"]
    assert folder.startswith("results/small-")
    assert json.loads(madang(file, "-w", 0, "--json")[1])["ran_now"] == 0
    file.write_text(FILE.replace("replicates = 3", "replicates = 4"), encoding="utf-8")
    assert json.loads(madang(file, "-w", 0, "--json")[1])["folder"] != folder


def test_a_dry_run_says_how_many_how_long_how_large_and_writes_nothing(file: Path) -> None:
    code, out, _ = madang(file, "-o", "out", "--dry-run")
    assert code == 0
    assert "6 runs: 1 scenario x 2 packages x 1 sample x 3 replicates" in out
    assert " a run" in out
    assert "kB in out" in out
    assert not Path("out").exists()
    found = json.loads(madang(file, "-o", "out", "--dry-run", "--json")[1])
    assert found["runs"] == found["different_runs"] == 6
    assert found["seconds"] > 0
    assert found["bytes"] > 1000


def test_what_a_dry_run_says_of_the_size_is_about_right(file: Path) -> None:
    file.write_text(FILE.replace("replicates = 3", "replicates = 40"), encoding="utf-8")
    said = json.loads(madang(file, "-o", "out", "--dry-run", "--json", "-w", 1)[1])["bytes"]
    madang(file, "-o", "out", "-w", 1)
    really = sum(path.stat().st_size for path in Path("out").rglob("part-*"))
    assert said / 4 < really < 4 * said


def test_bad_input_is_one_line_each_and_exit_code_two(file: Path) -> None:
    file.write_text(FILE.replace("no-policy", "no-polcy"), encoding="utf-8")
    code, out, err = madang(file)
    assert (code, out) == (2, "")
    assert err.startswith(
        "small.toml:2: packages[1]: found 'no-polcy', which is no package that ships; did you mean"
    )
    for words, says in (
        (["nowhere.toml"], "found no such file"),
        ([file, "--until", "gpus ci95 < 2%"], "--until"),
        ([file, "-w", 1, "--scheduler", "tcp://127.0.0.1:1"], "either --workers or --scheduler"),
        ([file, "--only", "zzz"], "--only: found 'zzz'"),
    ):
        file.write_text(FILE, encoding="utf-8")
        code, out, err = madang(*words)
        assert (code, out) == (2, "")
        assert says in err
        assert "Traceback" not in err


def test_a_batch_file_is_validated_like_the_others(file: Path) -> None:
    ended = CliRunner().invoke(app, ["validate", str(file)])
    assert (ended.exit_code, ended.stdout) == (0, "small.toml: batch, no complaints\n")
    file.write_text(FILE.replace("gpus_online", "gpu_online"), encoding="utf-8")
    ended = CliRunner().invoke(app, ["validate", str(file)])
    assert ended.exit_code == 2
    assert "small.toml:6: keep.series[1]: found 'gpu_online'" in ended.stderr


def test_explain_reads_a_run_of_a_batch_that_keeps_decisions(file: Path) -> None:
    file.write_text(FILE + "decisions = true\nsites = true\n", encoding="utf-8")
    madang(file, "-o", "out", "-w", 0)
    run_id = Results("out").runs["run_id"][1]
    ended = CliRunner().invoke(app, ["explain", "out", "--run", run_id[:9]])
    assert ended.exit_code == 0, ended.stderr
    assert len(ended.stdout.splitlines()) > 3


def test_explain_says_what_a_batch_does_not_keep(file: Path) -> None:
    madang(file, "-o", "out", "-w", 0)
    ended = CliRunner().invoke(app, ["explain", "out"])
    assert "Traceback" not in ended.stderr
    assert "fault" not in ended.stderr


def test_a_folder_that_cannot_be_written_to_is_one_clear_line(file: Path) -> None:
    Path("taken").write_text("a file", encoding="utf-8")
    code, _, err = madang(file, "-o", "taken", "-w", 0)
    assert code == 2
    assert "taken: --out: cannot write results there" in err


def test_one_run_is_shown_by_itself(file: Path) -> None:
    madang(file, "-o", "out", "-w", 0)
    row = Results("out").runs.row(0, named=True)
    code, out, _ = madang(file, "--only", row["run_id"][:8], "--json")
    assert code == 0
    assert json.loads(out)["indicators"]["emissions_mt"] == row["m.emissions_mt"]


def test_failed_runs_make_exit_code_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from abm.model import Model

    stepped = Model.step

    def breaks(self: Model) -> None:
        if self.month == 3 and self.spec.package.name == "startup-access":
            raise RuntimeError("no vouchers today")
        stepped(self)

    monkeypatch.setattr(Model, "step", breaks)
    code, out, _ = madang(file, "-o", "out", "-w", 0)
    assert code == 1
    assert "3 of them failed" in out
    failed = Results("out").runs.filter(Results("out").runs["status"] == "failed")
    assert failed["package"].to_list() == ["startup-access"] * 3
    assert failed["error"].unique().to_list() == ["RuntimeError: no vouchers today"]
    assert failed["replay"][0].startswith("madang run baseline --world toy --package startup-access --seed ")
    monkeypatch.setattr(Model, "step", stepped)
    assert madang(file, "-o", "out", "-w", 0)[0] == 1
    assert madang(file, "-o", "out", "-w", 0, "--retry-failed")[0] == 0
    assert Results("out").runs["status"].to_list() == ["done"] * 6


def test_control_c_keeps_what_is_done_and_the_same_command_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "long.toml"
    file.write_text(FILE.replace("replicates = 3", "replicates = 400"), encoding="utf-8")
    command = [
        sys.executable, "-c", "import madang; madang.main()", "batch", str(file), "-o", str(tmp_path / "out"), "-w", "2",
    ]  # fmt: skip
    started = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )
    for _ in range(600):
        if list((tmp_path / "out" / "runs").glob("part-*")) or started.poll() is not None:
            break
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "interrupted" in err
    assert "goes on from there" in err
    stored = Results(tmp_path / "out").runs.height
    assert 0 < stored < 800


def progress(**changes: Any) -> Progress:
    cells = {("baseline", "no-policy"): Interval(100.0, 90.0, 110.0, 40)}
    given = {
        "total": 1000, "done": 390, "failed": 10, "running": 20, "rate": 8.0, "left_s": 75.0,
        "watch": "ai_sites_mw", "estimates": cells, **changes,
    }  # fmt: skip
    return Progress(**given)


def test_progress_says_rate_time_left_failures_and_the_interval() -> None:
    assert line(progress()) == (
        "400 of 1,000 runs, 10 of them failed, 8 a second, 75 s left; ai_sites_mw (no-policy) 100 ± 10"
    )
    from rich.console import Console

    screen = Console(width=100, record=True, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    screen.print(panel(progress(), "MW"))
    text = screen.export_text()
    for words in (
        "400 / 1,000",
        "8/s",
        "75 s left",
        "10 failed",
        "ai_sites_mw, MW",
        "90 to 110",
        "(± 10.0 %)",
    ):
        assert words in text


def test_progress_names_only_the_parts_that_say_something_and_counts_what_is_not_shown() -> None:
    from rich.console import Console

    screen = Console(width=100, record=True, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    cells = {("Cheap", ""): Interval(100.0, 90.0, 110.0, 40)}
    screen.print(panel(progress(estimates=cells), heads=("model", "parameters")))
    one = screen.export_text()
    assert "model" in one
    assert "parameters" not in one
    assert "more" not in one
    many = {("Cheap", f"x={x}"): Interval(100.0, 90.0, 110.0, 40) for x in range(100)}
    screen.print(panel(progress(estimates=many, cells=2500), heads=("model", "parameters")))
    text = screen.export_text()
    assert "x=11" in text
    assert "x=12" not in text
    assert "and 2,488 more" in text


def test_elsewhere_than_on_a_terminal_a_line_comes_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with Display(shown=True) as display:
        for done in range(390, 400):
            display.update(progress(done=done))
    assert capsys.readouterr().err.count("\n") == 1
    with Display(shown=False) as display:
        display.update(progress())
    assert capsys.readouterr().err == ""


def test_times_and_sizes_are_said_as_people_say_them() -> None:
    assert [duration(s) for s in (0.0, 5.0, 75.0, 600.0, 7200.0, 864000.0, float("nan"))] == [
        "0 s", "5 s", "75 s", "10 min", "2.0 h", "10.0 days", "–",
    ]  # fmt: skip
    assert [size(n) for n in (500, 82_500, 3.2e6, 1.5e9, 2e12)] == [
        "500 bytes",
        "82.5 kB",
        "3.2 MB",
        "1.5 GB",
        "2 TB",
    ]
