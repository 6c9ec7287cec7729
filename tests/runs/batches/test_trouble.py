"""What one run does costs that run alone: it raises, hangs, grows, dies; workers and parents are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from runs import Results, batch
from runs.batches import Limits, Pool, Progress, Stopped
from tests.runs.batches.folders import assert_same, leftovers, runs_of
from tests.runs.batches.models import Cheap

ROOT = Path(__file__).resolve().parents[3]
XS = [0.0, 1.0, 2.0, 3.0]


def run(folder: Path, trouble: str = "", **how: Any) -> Results:
    asked: dict[str, Any] = {"x": XS, "trouble": trouble}
    how = {"replicates": 5, "workers": 2, **how}
    return batch(model=Cheap, parameters=asked, max_steps=4, out=folder, **how)


def test_a_run_that_raises_is_a_row_that_says_why_and_how_to_see_it(tmp_path: Path) -> None:
    results = run(tmp_path, "2=raise", workers=0)
    runs = results.runs
    failed = runs.filter(runs["status"] == "failed")
    assert failed["x.x"].unique().to_list() == [2.0]
    assert failed.height == 5
    assert runs.height == 20
    assert failed["error"].unique().to_list() == ["RuntimeError: told to fail"]
    assert failed["m.level"].null_count() == 5
    assert runs.filter(runs["status"] == "done")["m.level"].null_count() == 0
    command = failed["replay"][0]
    shown = subprocess.run(
        [sys.executable, *_words(command)[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 1
    assert "RuntimeError: told to fail" in shown.stderr


def _words(command: str) -> list[str]:
    import shlex

    return shlex.split(command)


def test_a_figure_that_is_undefined_is_null_and_poisons_nothing(tmp_path: Path) -> None:
    seen: list[Progress] = []
    results = run(tmp_path, "1=nan", workers=0, on_progress=seen.append)
    runs = results.runs
    assert runs["status"].unique().to_list() == ["done"]
    assert runs.filter(runs["x.x"] == 1.0)["m.level"].null_count() == 5
    assert runs.filter(runs["x.x"] != 1.0)["m.level"].null_count() == 0
    found = {parameters: interval for (_, parameters), interval in seen[-1].estimates.items()}
    assert {parameters: interval.n for parameters, interval in found.items()} == {
        "x=0.0": 5, "x=1.0": 0, "x=2.0": 5, "x=3.0": 5,
    }  # fmt: skip
    assert found["x=2.0"].low < found["x=2.0"].mean < found["x=2.0"].high


def test_deaths_hangs_and_growth_cost_their_own_runs_alone(tmp_path: Path) -> None:
    limits = Limits(time_s=4.0, memory_mb=700.0, attempts=2)
    hurt = run(tmp_path / "hurt", "1=hang;2=die;3=grow", replicates=2, limits=limits).runs
    why = {x: set(part["error"].to_list()) for (x,), part in hurt.group_by("x.x")}
    assert hurt.height == 8
    assert why[0.0] == {None}
    assert why[1.0] == {"over the time limit of 4 s"}
    assert why[2.0] == {"the worker died (signal SIGKILL) 2 times in a row"}
    assert all("over the memory limit of 700 MB" in error for error in why[3.0]), why[3.0]
    assert hurt["replay"].null_count() == 2
    calm = run(tmp_path / "calm", "", replicates=2, workers=0).runs
    # The healthy runs have the luck that they have without the others' trouble.
    assert _levels(hurt, 0.0) == _levels(calm, 0.0)
    assert leftovers(tmp_path / "hurt") == []


def _levels(runs: Any, x: float) -> list[float]:
    return runs.filter(runs["x.x"] == x).sort("replicate")["m.level"].to_list()


def test_a_worker_that_dies_once_costs_nothing(tmp_path: Path) -> None:
    results = run(tmp_path / "out", f"2=die-once {tmp_path / 'died'}", replicates=1)
    assert results.runs["status"].to_list() == ["done"] * 4
    assert (tmp_path / "died").exists()


def test_workers_killed_at_random_change_nothing(tmp_path: Path) -> None:
    _kill_workers(tmp_path, kills=3, replicates=8, pause=0.02, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_workers_killed_at_random_many_times_change_nothing(tmp_path: Path, seed: int) -> None:
    _kill_workers(tmp_path, kills=25, replicates=60, pause=0.01, seed=seed)


def _kill_workers(tmp_path: Path, kills: int, replicates: int, pause: float, seed: int) -> None:
    asked: dict[str, Any] = {"x": XS, "pause": pause}
    how: dict[str, Any] = {"model": Cheap, "parameters": asked, "replicates": replicates, "max_steps": 4}
    luck = random.Random(seed)
    with Pool(2, target_s=0.3) as pool:
        left, following = [kills], [time.monotonic() + 0.1]

        def kill(progress: Progress) -> None:
            if left[0] and pool.pids and time.monotonic() >= following[0]:
                left[0] -= 1
                following[0] = time.monotonic() + luck.uniform(0.0, 0.4)
                os.kill(luck.choice(pool.pids), signal.SIGKILL)

        limits = Limits(attempts=50)
        batch(out=tmp_path / "hurt", executor=pool, limits=limits, on_progress=kill, **how)
    assert left[0] < kills
    batch(out=tmp_path / "calm", workers=0, **how)
    assert_same(tmp_path / "hurt", tmp_path / "calm")


def test_a_killed_parent_leaves_no_workers_and_nothing_half_done(tmp_path: Path) -> None:
    _kill_parents(tmp_path, kills=1, replicates=20, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_parents_killed_many_times_lose_nothing(tmp_path: Path, seed: int) -> None:
    _kill_parents(tmp_path, kills=12, replicates=60, seed=seed)


SCRIPT = """
import sys
from runs import batch
from runs.batches import Pool
from tests.runs.batches.models import Cheap

if __name__ == "__main__":
    with Pool(2, target_s=0.3) as pool:
        batch(model=Cheap, parameters={"x": [0.0, 1.0, 2.0, 3.0], "pause": 0.01}, replicates=int(sys.argv[2]), max_steps=4,
              out=sys.argv[1], executor=pool)
"""


def _kill_parents(tmp_path: Path, kills: int, replicates: int, seed: int) -> None:
    """Kill the whole program at random moments, take it up again at once, and let the last one finish."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    luck = random.Random(seed)
    hurt = tmp_path / "hurt"
    command = [sys.executable, str(script), str(hurt), str(replicates)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    cut_short = 0
    for _ in range(kills):
        parent = subprocess.Popen(command, cwd=ROOT, env=environment)
        for _ in range(600):
            if parent.poll() is not None or (hurt / "manifest.json").exists():
                break
            time.sleep(0.05)
        time.sleep(luck.uniform(0.1, 0.02 * replicates))
        if parent.poll() is None:
            family = psutil.Process(parent.pid).children(recursive=True)
            parent.kill()
            parent.wait()
            cut_short += 1
            assert _gone(family)
    assert cut_short
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    asked: dict[str, Any] = {"x": XS, "pause": 0.01}
    batch(model=Cheap, parameters=asked, replicates=replicates, max_steps=4, out=tmp_path / "calm", workers=0)
    assert_same(hurt, tmp_path / "calm")


def _gone(family: list[psutil.Process]) -> bool:
    """Whether they have ended, within five seconds (nobody may be there to reap them)."""
    for _ in range(100):
        if not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in family):
            return True
        time.sleep(0.05)
    return False


def test_number_of_workers_and_order_change_no_byte(tmp_path: Path) -> None:
    run(tmp_path / "here", workers=0)
    run(tmp_path / "one", workers=1)
    with Pool(2, target_s=0.01) as pool:
        run(tmp_path / "two", executor=pool)
    assert_same(tmp_path / "one", tmp_path / "here")
    assert_same(tmp_path / "two", tmp_path / "here")


@pytest.mark.long
def test_a_small_disk_that_fills_up_loses_nothing(tmp_path: Path) -> None:
    """A real file system of a few hundred kB; needs the right to mount one."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no right to mount a file system here")
    try:
        asked: dict[str, Any] = {"x": [float(x) for x in range(400)], "pause": 0.002}
        how: dict[str, Any] = {"model": Cheap, "parameters": asked, "replicates": 2, "max_steps": 4}
        with Pool(2, target_s=0.1) as pool, pytest.raises(Stopped, match="the disk is full"):
            batch(out=small / "out", executor=pool, **how)
        stored = runs_of(small / "out").height
        assert 0 < stored < 800
        assert leftovers(small / "out") == []
        subprocess.run(["mount", "-o", "remount,size=50m", str(small)], check=True)
        seen: list[Progress] = []
        batch(out=small / "out", workers=2, on_progress=seen.append, **how)
        assert seen[-1].ran == 800 - stored
        batch(out=tmp_path / "calm", workers=0, **how)
        assert_same(small / "out", tmp_path / "calm")
    finally:
        subprocess.run(["umount", str(small)], check=True)


UNGUARDED = """
import threading
from runs import batch
from tests.runs.batches.models import Cheap

threading.Thread(target=threading.Event().wait, daemon=True).start()  # so that workers do not come from a fork
batch(model=Cheap, parameters={"x": [0.0]}, max_steps=4, out=OUT, workers=1)
"""


def test_a_script_without_a_guard_is_told_what_it_lacks(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED.replace("OUT", repr(str(tmp_path / "out"))), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, str(script)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 1
    assert 'needs its call below `if __name__ == "__main__":`' in ended.stderr
