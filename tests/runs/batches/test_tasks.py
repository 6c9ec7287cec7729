"""Tasks are worth sending: enough work in each, and no worker left with much when the others are done."""

from __future__ import annotations

from pathlib import Path

import pytest

from runs.batches import InProcess
from runs.batches.executors import SHORTEST_S
from runs.batches.mesaplan import mesa_study
from runs.batches.runner import Runner
from runs.batches.tasks import Finished, Report, Task
from runs.folder import Folder
from tests.runs.batches.models import Cheap


class Pretending(InProcess):
    """Two workers for which every run takes ``cost`` seconds of a clock of their own, and nothing is run."""

    workers = 2

    def __init__(self, cost: float):
        super().__init__()
        self.cost, self.now, self.tasks = cost, 0.0, list[Task]()
        self.ends = list[float]()
        """When each task was done, in the order of ``tasks``."""
        self._busy = list[tuple[float, int, Task]]()

    @property
    def room(self) -> int:
        return 2 - len(self._busy)

    def submit(self, task: Task) -> None:
        self._busy.append((self.now + self._cases(task) * self.cost, task.number, task))

    def reports(self, timeout: float) -> list[Report]:
        self._busy.sort()
        self.now, _, task = self._busy.pop(0)
        self.tasks.append(task)
        self.ends.append(self.now)
        ran = self._cases(task)
        done, rest = task.cases[:ran], task.cases[ran:]
        return [Finished(task, done, (True,) * ran, (0.0,) * ran, ran * self.cost, rest)]

    def _cases(self, task: Task) -> int:
        return min(max(int(task.budget_s / self.cost), 1), len(task.cases))


@pytest.mark.parametrize("cost", [0.001, 0.02, 0.3, 1.0, 20.0])
def test_tasks_hold_enough_work_and_leave_a_short_tail(
    tmp_path: Path, cost: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = Pretending(cost)
    monkeypatch.setattr("runs.batches.runner.time.monotonic", lambda: executor.now)
    Runner(mesa_study(Cheap, {"x": [0.0]}, replicates=2000), Folder.of(tmp_path), executor).run()
    work = [len(task.cases) * cost for task in executor.tasks]
    told = sorted(case for task in executor.tasks for case in task.cases)
    assert set(told) == set(range(2000))
    assert all(seconds >= min(SHORTEST_S, cost * 2000) * 0.99 for seconds in work[2:-2])
    assert all(seconds <= 1.5 * executor.target_s + cost for seconds in work[2:])
    assert work[-1] <= max(executor.target_s / 2, SHORTEST_S + cost, cost)
    assert executor.ends[-1] - executor.ends[-2] <= cost * 1.01  # both workers end together
