"""Who runs tasks: one small interface, and the simplest of those behind it, this very process."""

from __future__ import annotations

import pickle
from collections import deque
from typing import Protocol

from runs.batches.study import Study
from runs.batches.tasks import Performer, Report, Setup, Task
from runs.folder import Folder

SHORTEST_S = 0.3
"""A task is worth sending from this much work on; the last of each worker may hold less."""


class Executor(Protocol):
    """Takes tasks while there is room, and gives back one report for each, in any order."""

    target_s: float
    """Seconds of work that a task should hold."""

    @property
    def workers(self) -> int: ...
    @property
    def room(self) -> int:
        """How many more tasks can be taken now."""

    def start(self, setup: Setup, time_s: float, memory_mb: float | None) -> None:
        """Get ready for a study; may be called again for another one."""

    def submit(self, task: Task) -> None: ...
    def reports(self, timeout: float) -> list[Report]:
        """What has come back, waiting up to ``timeout`` seconds for the first."""

    def cancel(self) -> None:
        """Drop all tasks that are out; what is half done leaves nothing behind."""

    def close(self) -> None:
        """Let go of all workers."""


class InProcess:
    """Runs tasks in this process, one after the other. It cannot end a run that hangs or grows."""

    target_s = 6.0
    workers = 1

    def __init__(self) -> None:
        self._waiting: deque[Task] = deque()
        self._performer: Performer | None = None
        self._cancelled = False

    @property
    def room(self) -> int:
        return 1 - len(self._waiting)

    def start(self, setup: Setup, time_s: float, memory_mb: float | None) -> None:
        study: Study = pickle.loads(setup.study)
        self._performer = Performer(study, Folder.of(setup.folder))
        self._waiting.clear()
        self._cancelled = False

    def submit(self, task: Task) -> None:
        self._waiting.append(task)

    def reports(self, timeout: float) -> list[Report]:
        if not self._waiting or self._performer is None:
            return []
        return [self._performer.perform(self._waiting.popleft(), stop=lambda: self._cancelled)]

    def cancel(self) -> None:
        self._cancelled = True
        self._waiting.clear()

    def close(self) -> None:
        self.cancel()
