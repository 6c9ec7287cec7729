"""A results folder on object storage, against a local stand-in for S3."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from moto.server import ThreadedMotoServer

from runs import Results, batch
from runs.batches import InProcess, Progress
from runs.batches.lock import NAME, Lock
from runs.checking import BadInput
from runs.folder import Folder
from tests.runs.batches.models import Cheap

ROOT = Path(__file__).resolve().parents[3]
ASKED: dict[str, Any] = {
    "model": Cheap,
    "parameters": {"x": [0.0, 1.0, 2.0]},
    "replicates": 4,
    "max_steps": 4,
}


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A bucket on a server of this machine; the credentials are the stand-in's."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    fsspec.filesystem("s3").clear_instance_cache()
    try:
        fsspec.filesystem("s3").mkdir("results")
        yield "s3://results"
    finally:
        server.stop()
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        fsspec.filesystem("s3").clear_instance_cache()


def test_results_on_object_storage_are_those_on_a_disk(bucket: str, tmp_path: Path) -> None:
    there = batch(out=f"{bucket}/same", workers=0, **ASKED)
    here = batch(out=tmp_path, workers=0, **ASKED)
    assert there.runs.drop("wall_s").equals(here.runs.drop("wall_s"))
    assert there.series.sort("run_id", "step").equals(here.series.sort("run_id", "step"))
    query = 'select "x.x", count(*) as n, max("m.level") as top from runs group by 1 order by 1'
    assert there.sql(query).equals(here.sql(query))
    assert there.to_xarray(["level"]).identical(here.to_xarray(["level"]))
    assert there.scan("series").select("level").collect().height == 12 * 5
    assert Results(f"{bucket}/same").manifest["counts"]["done"] == 12
    assert not Folder.of(f"{bucket}/same").exists(NAME)


def test_a_batch_is_taken_up_again_and_a_damaged_object_repaired(bucket: str) -> None:
    place = Folder.of(f"{bucket}/again")

    class Short(InProcess):
        target_s = 0.0
        left = 5

        def reports(self, timeout: float) -> Any:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            return super().reports(timeout)

    with pytest.raises(KeyboardInterrupt):
        batch(out=str(place), executor=Short(), **ASKED)
    shards = place.names("runs")
    assert len(shards) == 5
    place.write(f"runs/{shards[0]}", place.read(f"runs/{shards[0]}")[:100])
    seen: list[Progress] = []
    whole = batch(out=str(place), workers=0, on_progress=seen.append, **ASKED)
    assert seen[-1].ran == 12 - 4
    assert any(shards[0] in note for note in seen[-1].notes)
    assert whole.runs.height == whole.runs["run_id"].n_unique() == 12
    batch(out=str(place), workers=0, on_progress=seen.append, **ASKED)
    assert seen[-1].ran == 0


def test_a_lock_that_beats_is_respected_and_a_dead_one_taken_over(bucket: str) -> None:
    place = Folder.of(f"{bucket}/lock")
    naps: list[float] = []
    place.write(NAME, b'{"pid": 1, "host": "elsewhere", "key": "theirs", "beat": 1}')

    def they_live(seconds: float) -> None:
        naps.append(seconds)
        place.write(NAME, f'{{"pid": 1, "host": "elsewhere", "key": "theirs", "beat": {len(naps)}}}'.encode())

    with pytest.raises(BadInput, match="process 1 on elsewhere is writing"), Lock(place, sleep=they_live):
        pass
    with Lock(place, sleep=naps.append):
        assert b"elsewhere" not in place.read(NAME)
    assert not place.exists(NAME)
    assert len(naps) > 10


def test_a_storage_that_is_not_installed_is_one_clear_error() -> None:
    with pytest.raises(BadInput, match="cannot be reached"):
        Folder.of("nonsense://bucket/prefix")


@pytest.mark.long
def test_the_command_line_takes_a_url_and_workers_write_there(bucket: str, tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(
        'world = "toy"\npackages = ["no-policy", "startup-access"]\nreplicates = 4\n[keep]\nseries = ["gpus_online"]\n',
        encoding="utf-8",
    )
    command = [
        sys.executable,
        "-c",
        "import madang; madang.main()",
        "batch",
        str(file),
        "-o",
        f"{bucket}/cli",
        "-w",
        "2",
    ]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert Results(f"{bucket}/cli").runs["status"].to_list() == ["done"] * 8
