"""The same batch on a Dask cluster: a scheduler, and workers started by hand."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from runs import batch
from runs.batches import Limits, Progress
from runs.batches.cluster import Cluster
from runs.checking import BadInput
from tests.runs.batches.folders import assert_same, leftovers
from tests.runs.batches.models import Cheap

ROOT = Path(__file__).resolve().parents[3]
XS = [0.0, 1.0, 2.0, 3.0]


class Hand:
    """Processes started by hand, as somebody would on the nodes of a cluster."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._all: list[subprocess.Popen[bytes]] = []
        self.log = folder / "scheduler.log"
        self.start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", log=self.log)
        self.address = self._wait_for(r"Scheduler at:\s+(tcp://\S+)", self.log)

    def worker(self) -> subprocess.Popen[bytes]:
        log = self._folder / f"worker-{len(self._all)}.log"
        made = self.start(
            "dask_worker", self.address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1", log=log
        )
        self._wait_for(r"Registered to:", log)
        return made

    def start(self, what: str, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as file:
            made = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{what}", *arguments],
                cwd=self._folder, stdout=file, stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        self._all.append(made)
        return made

    @staticmethod
    def _wait_for(pattern: str, log: Path) -> str:
        for _ in range(600):
            found = re.search(pattern, log.read_text(encoding="utf-8", errors="replace"))
            if found:
                return found[found.lastindex or 0]
            time.sleep(0.1)
        raise TimeoutError(log.read_text(encoding="utf-8", errors="replace"))

    def stop(self) -> None:
        for process in reversed(self._all):
            if process.poll() is None:
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
                process.kill()
            process.wait()


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    made = Hand(tmp_path_factory.mktemp("cluster"))
    try:
        for _ in range(2):
            made.worker()
        yield made
    finally:
        made.stop()


def test_an_address_without_a_scheduler_is_one_clear_error() -> None:
    with pytest.raises(BadInput, match=r"--scheduler: found no scheduler at 'tcp://127.0.0.1:1'"):
        Cluster("tcp://127.0.0.1:1", timeout_s=1.0)


@pytest.mark.long
def test_a_cluster_gives_the_bytes_of_one_process(hand: Hand, tmp_path: Path) -> None:
    how: dict[str, Any] = {"model": Cheap, "parameters": {"x": XS}, "replicates": 10, "max_steps": 4}
    batch(out=tmp_path / "cluster", scheduler=hand.address, **how)
    batch(out=tmp_path / "calm", workers=0, **how)
    assert_same(tmp_path / "cluster", tmp_path / "calm")


@pytest.mark.long
def test_a_cluster_runs_a_batch_file_and_a_model_that_was_changed_since(hand: Hand, tmp_path: Path) -> None:
    code = "from tests.runs.batches.models import Cheap\nclass WalkOfCluster(Cheap):\n    step_size = {}\n"
    file = tmp_path / "walk.toml"
    file.write_text('model = "walk_of_cluster.py:WalkOfCluster"\nreplicates = 4\nmax_steps = 4\n', "utf-8")
    command = [sys.executable, "-c", "import madang; madang.main()", "batch", str(file)]
    for turn in (1, 2):
        (tmp_path / "walk_of_cluster.py").write_text(code.format(turn), encoding="utf-8")
        for out, how in (("cluster", ["--scheduler", hand.address]), ("calm", ["-w", "0"])):
            ended = subprocess.run(
                [*command, "-o", str(tmp_path / f"{out}-{turn}"), *how],
                capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
            assert ended.returncode == 0, ended.stderr
        assert_same(tmp_path / f"cluster-{turn}", tmp_path / f"calm-{turn}")


@pytest.mark.long
def test_on_a_cluster_too_a_run_costs_itself_alone(hand: Hand, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"x": XS, "trouble": "1=hang;2=die;3=raise"}
    runs = batch(
        model=Cheap, parameters=asked, replicates=2, max_steps=4, out=tmp_path, scheduler=hand.address,
        limits=Limits(time_s=2.0, attempts=2),
    ).runs  # fmt: skip
    why = {x: set(part["error"].to_list()) for (x,), part in runs.group_by("x.x")}
    assert why == {
        0.0: {None},
        1.0: {"over the time limit of 2 s"},
        2.0: {"the worker died (signal SIGKILL) 2 times in a row"},
        3.0: {"RuntimeError: told to fail"},
    }
    assert leftovers(tmp_path) == []


@pytest.mark.long
def test_a_machine_of_the_cluster_may_go_away(hand: Hand, tmp_path: Path) -> None:
    how: dict[str, Any] = {
        "model": Cheap, "parameters": {"x": XS, "pause": 0.02}, "replicates": 20, "max_steps": 4,
    }  # fmt: skip
    lost = hand.worker()
    gone: list[int] = []

    def pull_the_plug(progress: Progress) -> None:
        if progress.done >= 8 and not gone:
            for child in psutil.Process(lost.pid).children(recursive=True):
                child.kill()
            os.kill(lost.pid, signal.SIGKILL)
            gone.append(lost.pid)

    executor = Cluster(hand.address, target_s=0.5)
    try:
        batch(out=tmp_path / "cluster", executor=executor, on_progress=pull_the_plug, **how)
    finally:
        executor.close()
    assert gone
    batch(out=tmp_path / "calm", workers=0, **how)
    assert_same(tmp_path / "cluster", tmp_path / "calm")
