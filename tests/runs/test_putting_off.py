"""What is put off comes when it is asked for, as though it had been there; in somebody else's process nothing is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEAN = """
import sys, threading
import madang
from runs import putting_off
putting_off.unused_libraries()
import mesa
import abm.core.philox
UNUSED = ("pandas", "scipy.linalg", "networkx", "scipy.spatial", "mesa.discrete_space", "mesa.experimental.continuous_space")
assert not set(UNUSED) & set(sys.modules)
"""

GRIDS = """
from mesa.discrete_space import OrthogonalMooreGrid
assert mesa.discrete_space is sys.modules["mesa.discrete_space"]
class Walker(mesa.discrete_space.CellAgent): pass
model = mesa.Model(rng=1)
grid = OrthogonalMooreGrid((3, 3), random=model.random)
walker = Walker(model)
walker.cell = grid[1, 1]
assert len(walker.cell.neighborhood) == 8
assert mesa.experimental.continuous_space.ContinuousSpace([[0, 1], [0, 1]], random=model.random).x_max == 1
"""

FRAMES = """
class Counting(mesa.Model):
    def __init__(self):
        super().__init__(rng=1)
        self.collector = mesa.DataCollector(model_reporters={"time": "time"})
        self.collector.collect(self)
model = Counting()
assert "pandas" not in sys.modules
frame = model.collector.get_model_vars_dataframe()
import pandas
from pandas import DataFrame
assert type(frame) is DataFrame is pandas.DataFrame is mesa.agent.pd.DataFrame
assert sys.modules["pandas"] is pandas and "Series" in dir(mesa.agent.pd)
made = mesa.Agent.create_agents(model, 2)
assert len(made) == 2
"""

SUBMODULE_FIRST = """
import pandas.api.types as types
import networkx.algorithms as algorithms
from mesa.discrete_space.grid import Grid
import pandas, networkx
assert pandas.api.types is types and networkx.algorithms is algorithms
assert issubclass(mesa.discrete_space.OrthogonalMooreGrid, Grid)
"""

THREADS = """
sys.setswitchinterval(1e-4)
together, found = threading.Barrier(8), []
def one(at):
    together.wait()
    if at % 2:
        import pandas as pd
    else:
        pd = mesa.agent.pd
    found.append(pd.Series)
threads = [threading.Thread(target=one, args=(at,), daemon=True) for at in range(8)]
[thread.start() for thread in threads]
[thread.join(60) for thread in threads]
assert len(found) == 8 and len(set(found)) == 1
"""

PICKLES = """
import copy, pickle, cloudpickle
held = mesa.discrete_space
assert type(held) is putting_off.StandIn
for pack in (pickle, cloudpickle):
    assert pack.loads(pack.dumps(held)) is sys.modules["mesa.discrete_space"]
assert copy.deepcopy(mesa.agent.pd) is sys.modules["pandas"]
model = mesa.Model(rng=3)
assert pickle.loads(pickle.dumps(model)).rng.random() == model.rng.random()
"""

WRITTEN_TO = """
held = mesa.discrete_space
held.mine = 1
import mesa.discrete_space
assert mesa.discrete_space.mine == 1 == held.mine and not hasattr(held, "yours")
"""

LOOKED_INTO = """
import importlib.resources, inspect
assert inspect.getmodule(mesa.Model) is sys.modules["mesa.model"]
assert importlib.resources.files("mesa").joinpath("model.py").is_file()
assert "putting_off" not in repr(mesa.__spec__.loader) + repr(mesa.__loader__)
"""

ALGEBRA = """
import numba
import numpy as np
@numba.njit
def solved(a, b):
    return np.linalg.solve(a, b) @ b
assert solved(np.eye(2), np.array([3.0, 4.0])) == 25.0
assert "scipy.linalg.cython_blas" in sys.modules
"""

SCRIPT = """
import sys
import madang
from runs import simulate
simulate(world="toy")
assert {"pandas", "networkx", "mesa.discrete_space"} <= set(sys.modules)
assert not [one for one in sys.meta_path if type(one).__module__.startswith("runs")]
"""

COMMAND = """
import sys
import madang
try:
    madang.main()
finally:
    assert "mesa" in sys.modules
    heavy = {"pandas", "networkx", "asyncio", "scipy.spatial", "scipy.linalg"} & set(sys.modules)
    assert not heavy, heavy
"""

WORKER = """
import sys
import madang
from multiprocessing import Pipe
from runs.app import worker
ours, theirs = Pipe()
ours.send((1, worker.Question("toy", "baseline", "as-announced", 1)))
ours.send((2, worker.Question("toy", "baseline", "as-announced", 2)))
import threading
thread = threading.Thread(target=lambda: [ours.recv() for _ in range(3)] and ours.close())
thread.start()
worker.serve(theirs, None)
assert "mesa" in sys.modules
heavy = {"pandas", "networkx", "asyncio", "scipy.spatial", "scipy.linalg"} & set(sys.modules)
assert not heavy, heavy
"""


def _done(script: str) -> None:
    """Run it in a process of its own: what is imported is a matter of the whole process."""
    found = subprocess.run(
        [sys.executable, "-c", script], check=False, cwd=ROOT, timeout=120, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    "then",
    [GRIDS, FRAMES, SUBMODULE_FIRST, THREADS, PICKLES, WRITTEN_TO, LOOKED_INTO, ALGEBRA],
    ids=[
        "grids",
        "data frames",
        "a submodule first",
        "threads",
        "pickles",
        "written to",
        "looked into",
        "algebra",
    ],
)
def test_what_was_put_off_is_there_as_soon_as_it_is_asked_for(then: str) -> None:
    _done(LEAN + then)


@pytest.mark.parametrize("arguments", ["validate runs/worlds/toy", "run --world toy --quiet --out"])
def test_a_command_does_without_what_only_grids_and_frames_need(tmp_path: Path, arguments: str) -> None:
    given = arguments.split() + [os.fspath(tmp_path / "out")] * arguments.endswith("--out")
    _done(f"import sys; sys.argv = {['madang', *given]!r}" + COMMAND)


def test_a_worker_of_the_app_does_without_what_only_grids_and_frames_need() -> None:
    _done(WORKER)


def test_a_script_that_imports_us_has_mesa_as_it_is() -> None:
    _done(SCRIPT)


def test_a_batch_of_a_model_with_a_network_runs_in_a_lean_process(tmp_path: Path) -> None:
    file = tmp_path / "virus.py"
    file.write_text(
        "from mesa import discrete_space\n"
        "from mesa.examples import VirusOnNetwork as Virus\n"
        "assert discrete_space.Network\n",
        encoding="utf-8",
    )
    _done(
        LEAN
        + f"""
sys.path.insert(0, {os.fspath(tmp_path)!r})
from virus import Virus
from runs import batch
out = {os.fspath(tmp_path / "out")!r}
results = batch(model=Virus, parameters={{"num_nodes": [10, 20]}}, max_steps=3, workers=0, out=out)
assert results.runs.height == 2 and results.runs["m.Infected"].null_count() == 0
"""
    )
