"""Tasks are worth sending: enough work in each, and no worker left with much when the others are done."""

from __future__ import annotations

from pathlib import Path

import pytest

from runs.batches import InProcess
from runs.batches.executors import SHORTEST_S
from runs.batches.mesas import mesa_study
from runs.batches.runner import Runner
from runs.batches.tasks import Finished, Report, Task
from runs.folder import Folder
from tests.runs.batches.models import Cheap


class Pretending(InProcess):
    """Two workers for which every run takes ``cost`` seconds, and nothing is run."""

    workers = 2

    def __init__(self, cost: float):
        super().__init__()
        self.cost, self.tasks = cost, list[Task]()

    @property
    def room(self) -> int:
        return 2 - len(self._waiting)

    def reports(self, timeout: float) -> list[Report]:
        task = self._waiting.popleft()
        self.tasks.append(task)
        ran = min(max(int(task.budget_s / self.cost), 1), len(task.cases))
        done, rest = task.cases[:ran], task.cases[ran:]
        return [Finished(task, done, (True,) * ran, (0.0,) * ran, ran * self.cost, rest)]


@pytest.mark.parametrize("cost", [0.001, 0.02, 0.3, 1.0, 20.0])
def test_tasks_hold_enough_work_and_leave_a_short_tail(tmp_path: Path, cost: float) -> None:
    executor = Pretending(cost)
    Runner(mesa_study(Cheap, {"x": [0.0]}, replicates=2000), Folder.of(tmp_path), executor).run()
    work = [len(task.cases) * cost for task in executor.tasks]
    told = sorted(case for task in executor.tasks for case in task.cases)
    assert set(told) == set(range(2000))
    assert all(seconds >= min(SHORTEST_S, cost * 2000) * 0.99 for seconds in work[2:-1])
    assert all(seconds <= 1.5 * executor.target_s + cost for seconds in work[2:])
    assert work[-1] <= max(executor.target_s / 2, SHORTEST_S + cost, cost)
