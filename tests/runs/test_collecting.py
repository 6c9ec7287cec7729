"""Processes that only run models: what was there before stays, and cycles are looked for less often."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import gc
from runs import collecting
collecting.settle()
assert gc.get_freeze_count() > 0
assert gc.get_threshold()[0] == collecting.YOUNG > 2000
assert gc.isenabled(), "models are full of cycles, so somebody has to look"
"""


def test_a_process_that_only_runs_models_looks_for_cycles_less_often() -> None:
    """In a process of its own: it is a setting of the whole process."""
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, cwd=Path(__file__).parents[2], timeout=60)
