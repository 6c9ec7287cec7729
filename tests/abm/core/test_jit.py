"""Compiled code on disk follows its sources, those of callees in other files too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import abm.core.jit

CALLER = """
from abm.core.jit import kernel
from abm.core.callee import step

@kernel(["float64(float64)"], allocates=False)
def run(x):
    return step(x)
"""
CALLEE = """
from abm.core.jit import helper

@helper
def step(x):
    return x + {}
"""


def test_an_edited_callee_in_another_file_is_noticed(tmp_path: Path) -> None:
    core = tmp_path / "abm" / "core"
    core.mkdir(parents=True)
    (tmp_path / "abm" / "__init__.py").touch()
    (core / "__init__.py").touch()
    shutil.copy(abm.core.jit.__file__, core / "jit.py")
    (core / "caller.py").write_text(CALLER)

    def run(amount: float) -> tuple[float, bool]:
        (core / "callee.py").write_text(CALLEE.format(amount))
        code = "from abm.core.caller import run; print(run(1.0))"
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env=environment,
        )
        return float(done.stdout), "compiling" in done.stderr

    assert run(1.0) == (2.0, True)
    assert run(1.0) == (2.0, False)  # from the disk, silently
    assert run(5.0) == (6.0, True)
    assert run(1.0) == (2.0, False)


def test_rooms_of_the_core_share_no_kernels() -> None:
    """A room's compiled code is keyed by its own files and those of `abm/core` itself, so it may use no other's."""
    core = Path(abm.core.jit.__file__).parent
    rooms = [folder.name for folder in core.iterdir() if folder.is_dir() and any(folder.glob("*.py"))]
    assert "power" in rooms
    for room in rooms:
        for path in (core / room).rglob("*.py"):
            for other in rooms:
                if other != room:
                    assert f"abm.core.{other}" not in path.read_text(encoding="utf-8"), (path, other)


def test_only_a_few_old_versions_stay_on_disk(tmp_path: Path) -> None:
    folders = [tmp_path / f"kernels-power-{i}" for i in range(abm.core.jit.KEPT + 3)]
    for age, folder in enumerate(folders):
        folder.mkdir()
        os.utime(folder, (1e9 - age, 1e9 - age))
    (tmp_path / "kernels-other-1").mkdir()
    abm.core.jit._prune(tmp_path, "kernels-power-", folders[-1])
    assert folders[-1].is_dir()
    assert len(list(tmp_path.glob("kernels-power-*"))) == abm.core.jit.KEPT
    assert (tmp_path / "kernels-other-1").is_dir()
