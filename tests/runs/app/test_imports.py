"""What the server of the app does without: the model and its compiler are its workers' business."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SERVER = """
import sys
import runs.cli_ui
import runs.app.main
import runs.app.runs
import runs.views.months
from runs.assemble import prepare
prepare("toy")
heavy = {"numba", "scipy", "mesa", "polars", "pyarrow"} & set(sys.modules)
assert not heavy, heavy
"""


STARTED = """
import sys
import madang
import runs.cli_ui
import runs.app.state
large = {"numpy", "solara", "uvicorn"} & set(sys.modules)
assert not large, large
"""


def test_the_pool_is_started_before_anything_large_is_imported() -> None:
    """The first page waits for the pool's first process."""
    _done(STARTED)


def test_the_server_is_up_without_the_model_and_its_compiler() -> None:
    """Half a second of the first page, in a process that never runs a decade."""
    _done(SERVER)


def _done(script: str) -> None:
    root = Path(__file__).parents[3]
    found = subprocess.run(
        [sys.executable, "-c", script], check=False, cwd=root, timeout=60, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
