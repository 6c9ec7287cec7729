"""A batch that is cut off and taken up again is the batch that was never cut off."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from runs import Results, batch
from runs.batches import InProcess, Job, Limits, Pool, Progress, Stopped
from runs.batches.mesaplan import mesa_study
from runs.batches.runner import Runner
from runs.batches.tasks import Finished, Lost, Performer, Report, Task
from runs.checking import BadInput
from runs.folder import Folder
from tests.runs.batches.folders import assert_same, leftovers, runs_of, series_of
from tests.runs.batches.models import Cheap

GRID: dict[str, Any] = {"x": [0.0, 1.0, 2.0, 3.0]}


class Interrupting(InProcess):
    """Ends the batch, as control-C would, after a few tasks."""

    target_s = 0.0

    def __init__(self, after: int):
        super().__init__()
        self._left = after

    def reports(self, timeout: float) -> list[Report]:
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        return super().reports(timeout)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The undisturbed batch."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    batch(model=Cheap, parameters=GRID, replicates=5, max_steps=4, out=folder, workers=0)
    return folder


def again(folder: Path, **how: Any) -> Results:
    how = {"workers": 0, **how}
    return batch(model=Cheap, parameters=GRID, replicates=5, max_steps=4, out=folder, **how)


def test_every_case_is_there_once(whole: Path) -> None:
    runs = runs_of(whole)
    assert runs.height == 20
    assert runs["status"].unique().to_list() == ["done"]
    assert series_of(whole).height == 20 * 5
    manifest = json.loads((whole / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["counts"] == {"runs": 20, "done": 20, "failed": 0, "waiting": 0}
    assert {run["run_id"] for run in manifest["runs"]} == set(runs["run_id"])


@pytest.mark.parametrize("after", [0, 1, 3, 19])
def test_an_interrupted_batch_goes_on_to_the_same_bytes(whole: Path, tmp_path: Path, after: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        again(tmp_path, executor=Interrupting(after))
    assert len(list((tmp_path / "runs").glob("part-*"))) == after
    again(tmp_path)
    assert_same(tmp_path, whole)


def test_a_finished_folder_is_left_as_it_is(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "copy")
    before = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "copy").rglob("*.*") if path.name != ".lock"
    }
    seen: list[Progress] = []
    again(tmp_path / "copy", on_progress=seen.append)
    assert seen[-1].ran == 0
    assert seen[-1].done == 20
    assert before == {path: path.stat().st_mtime_ns for path in before}


@pytest.mark.parametrize("cut", [0, 4, 200, -30])
@pytest.mark.parametrize("table", ["runs", "series"])
def test_a_truncated_shard_is_named_and_its_runs_are_run_again(
    whole: Path, tmp_path: Path, table: str, cut: int
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(whole, folder)
    shard = sorted((folder / table).iterdir())[0]
    shard.write_bytes(shard.read_bytes()[:cut])
    seen: list[Progress] = []
    again(folder, on_progress=seen.append)
    assert_same(folder, whole)
    assert any(shard.name in note and "run again" in note for note in seen[-1].notes)


def test_a_lost_table_and_leftovers_of_a_dead_process_are_put_right(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(whole, folder)
    shard = sorted((folder / "series").iterdir())[0]
    shutil.copy(shard, folder / "series" / "part-ffffffffffffffff.parquet")
    shard.unlink()
    (folder / "runs" / ".part-0000.parquet.123-4").write_bytes(b"half")
    again(folder)
    assert_same(folder, whole)


def test_runs_that_two_workers_wrote_are_kept_once(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(whole, folder)
    for table in ("runs", "series"):
        shard = sorted((folder / table).iterdir())[0]
        shutil.copy(shard, folder / table / "part-eeeeeeeeeeeeeeee.parquet")
    (folder / "manifest.json").unlink()
    again(folder)
    assert_same(folder, whole)


def test_more_replicates_extend_a_folder(whole: Path, tmp_path: Path) -> None:
    batch(model=Cheap, parameters=GRID, replicates=2, max_steps=4, out=tmp_path, workers=0)
    seen: list[Progress] = []
    again(tmp_path, on_progress=seen.append)
    assert seen[-1].ran == 12
    assert_same(tmp_path, whole)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"parameters": {"x": [0.0, 1.0]}}, "does not ask for"),
        ({"max_steps": 5}, "does not ask for"),
        ({"seed": 9}, "does not ask for"),
        ({"series": False}, r"\[keep\]"),
    ],
)
def test_another_question_is_refused_and_nothing_is_touched(
    whole: Path, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(whole, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    asked = {"parameters": GRID, "replicates": 5, "max_steps": 4, **change}
    with pytest.raises(BadInput, match=says):
        batch(model=Cheap, out=folder, workers=0, **asked)
    assert before == {path: path.read_bytes() for path in folder.rglob("*.parquet")}


def test_another_model_is_refused_with_the_reason(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(whole, folder)
    monkeypatch.setattr("runs.batches.mesas.source_hash", lambda model: "0" * 64)
    with pytest.raises(BadInput, match="another version of the model"):
        again(folder)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(BadInput, match="no madang results"):
        again(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == ["thesis.tex"]


def test_two_processes_do_not_write_into_one_folder(tmp_path: Path) -> None:
    from runs.batches.lock import Lock

    with Lock(Folder.of(tmp_path)), pytest.raises(BadInput, match=f"process {os.getpid()} on .* is writing"):
        again(tmp_path)
    again(tmp_path)


def test_a_full_disk_stops_the_batch_and_loses_nothing(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Folder.write_table
    left = [7]

    def full(self: Folder, name: str, table: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        written(self, name, table)

    class Small(InProcess):
        target_s = 0.0

    monkeypatch.setattr(Folder, "write_table", full)
    with pytest.raises(Stopped, match="the disk is full"):
        again(tmp_path, executor=Small())
    monkeypatch.undo()
    assert runs_of(tmp_path).height == 3
    again(tmp_path)
    assert_same(tmp_path, whole)


def test_the_clock_may_be_set_while_a_batch_runs(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumps = iter([0.0, 4e9, -4e9, 1.0] * 100000)
    monkeypatch.setattr("time.time", lambda: next(jumps))
    again(tmp_path)
    monkeypatch.undo()
    assert_same(tmp_path, whole)


def test_a_failed_run_is_tried_again_only_when_asked(tmp_path: Path) -> None:
    flag = tmp_path / "mended"
    asked: dict[str, Any] = {
        "parameters": {"x": [0.0, 1.0]},
        "replicates": 2,
        "max_steps": 4,
        "out": tmp_path / "out",
    }
    how = {"model": Mended, "workers": 0, "indicators": {"level": "level"}}
    os.environ["MADANG_TEST_FLAG"] = str(flag)
    try:
        assert batch(**how, **asked).runs["status"].to_list().count("failed") == 2
        flag.touch()
        assert batch(**how, **asked).runs["status"].to_list().count("failed") == 2
        mended = batch(**how, **asked, retry_failed=True)
    finally:
        del os.environ["MADANG_TEST_FLAG"]
    assert mended.runs["status"].to_list() == ["done"] * 4
    assert runs_of(tmp_path / "out").height == 4
    assert leftovers(tmp_path / "out") == []


class Mended(Cheap):
    """Fails where x is 1 until a file is there."""

    def step(self) -> None:
        if self.x == 1.0 and not os.path.exists(os.environ["MADANG_TEST_FLAG"]):
            raise RuntimeError("not mended yet")
        super().step()


def test_a_job_in_the_background_is_cancelled_and_taken_up_again(tmp_path: Path) -> None:
    class Slow(InProcess):
        target_s = 0.0

    asked: dict[str, Any] = {**GRID, "pause": 0.03}
    study = mesa_study(Cheap, asked, replicates=5, max_steps=4)
    jobs: list[Job] = []

    def stop(progress: Progress) -> None:
        if progress.done >= 2:
            jobs[0].cancel()

    jobs.append(Job(study, Folder.of(tmp_path / "job"), Slow(), Limits(), None, stop))
    ended = jobs[0].wait(60)
    assert ended is not None
    assert ended.stopped == "cancelled"
    assert 2 <= ended.done < 20
    for folder in ("job", "calm"):
        batch(model=Cheap, parameters=asked, replicates=5, max_steps=4, out=tmp_path / folder, workers=0)
    assert_same(tmp_path / "job", tmp_path / "calm")


def test_a_job_hands_on_what_went_wrong(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("not ours", encoding="utf-8")
    job = Job(mesa_study(Cheap, GRID), Folder.of(tmp_path), InProcess(), Limits(), None, None)
    with pytest.raises(BadInput, match="no madang results"):
        job.wait(60)


def test_what_a_worker_wrote_before_it_died_is_found(tmp_path: Path) -> None:
    """A worker that dies after its shard is in place and before it says so has lost nothing."""
    study, folder = mesa_study(Cheap, GRID, max_steps=4), Folder.of(tmp_path)
    folder.make("runs", "series")
    task = Task(1, (0, 1, 2, 3), tuple(run_id.decode() for run_id in study.ids()), 60.0)
    Performer(study, folder).perform(task)
    runner = Runner(study, folder, InProcess())
    runner._schemas = study.schemas()
    found = runner._lost(Lost(task, 2, "the worker died", final=False))
    assert isinstance(found, Finished)
    assert sorted(found.cases) == [0, 1, 2, 3]
    assert all(found.done)


def test_a_pool_refuses_a_study_that_it_cannot_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = mesa_study(Cheap, GRID, max_steps=4)
    study.source = "0" * 64
    with Pool(1) as pool, pytest.raises(Stopped, match="another source of Cheap"):
        Runner(study, Folder.of(tmp_path), pool).run()
