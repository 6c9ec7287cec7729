"""How processes that are ours look for cycles; somebody else's is left alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WORKER = """
import gc
from runs import collecting
collecting.settle()
assert gc.get_freeze_count() > 0
assert gc.get_threshold()[0] == collecting.YOUNG > 2000
assert gc.isenabled(), "models are full of cycles, so somebody has to look"
"""

COMMAND = """
import atexit, gc, sys
atexit.register(lambda: print(gc.get_freeze_count() > 10_000, flush=True))  # called last
import madang
sys.argv = ["madang", "--version"]
try:
    madang.main()
finally:
    from runs import collecting
    assert gc.get_threshold()[0] == collecting.YOUNG
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
"""

SCRIPT = """
import atexit, gc
atexit.register(lambda: print(gc.get_freeze_count(), flush=True))
before = gc.get_threshold(), gc.get_freeze_count()
from runs import simulate
if __name__ == "__main__":
    simulate(world="toy")
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
"""


def _said_by(script: str) -> str:
    """What a process of its own prints last: these are settings of the whole process."""
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", script], check=True, cwd=root, timeout=60, capture_output=True, text=True
    )
    return found.stdout.strip().rpartition("\n")[2]


def test_a_process_that_only_runs_models_looks_for_cycles_less_often() -> None:
    _said_by(WORKER)


def test_the_command_ends_without_looking_through_all_that_it_imported() -> None:
    assert _said_by(COMMAND) == "True"


def test_a_process_that_only_imports_us_ends_as_it_would_have_ended() -> None:
    assert _said_by(SCRIPT) == "0"
