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


def test_the_server_is_up_without_the_model_and_its_compiler() -> None:
    """Half a second of the first page, in a process that never runs a decade."""
    root = Path(__file__).parents[3]
    found = subprocess.run(
        [sys.executable, "-c", SERVER], check=False, cwd=root, timeout=60, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
