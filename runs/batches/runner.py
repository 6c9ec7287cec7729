"""A batch from beginning to end: what is there is kept, what is missing is run, and nothing twice.

The runner holds a status and one watched value for each case, and nothing of the results: those go from
the workers to the folder.
"""

from __future__ import annotations

import math
import pickle
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from runs.batches import inventory as stock
from runs.batches.executors import SHORTEST_S, Executor
from runs.batches.inventory import DONE, FAILED, Inventory
from runs.batches.lock import Lock
from runs.batches.manifests import agrees, check_folder, finish_manifest, open_manifest
from runs.batches.precision import LEVEL, Interval, Until, interval, next_stop
from runs.batches.shards import write_failures
from runs.batches.spec import Limits
from runs.batches.study import Ran, Study
from runs.batches.tasks import Finished, Lost, Performer, Refused, Report, Setup, Task
from runs.checking import BadInput, Complaint
from runs.folder import Folder, why_not

FIRST_TASK = 200
"""Cases in a task while nobody knows how long one takes; its budget ends it."""

LARGEST_TASK = 5000

MOST_CELLS, MOST_AT_END = 100, 1000
"""So many scenarios with packages have their estimates made again and again while a batch runs, and at its end."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is; ``estimates`` of the watched indicator by (scenario, package)."""

    total: int
    done: int
    failed: int
    running: int
    rate: float
    """Runs a second since this process began."""
    left_s: float
    """Seconds that are left at this rate, NaN while unknown."""
    watch: str
    estimates: dict[tuple[str, str], Interval]
    finished: bool = False
    stopped: str = ""
    """Why it ended before all was run: a precision that was reached, or a cancellation."""
    notes: tuple[str, ...] = ()
    ran: int = 0
    """Runs of this process; 0 when there was nothing to do."""
    cells: int = 0
    """All (scenario, package); estimates are made of the first of them, where there are very many."""


class Stopped(Exception):
    """The batch cannot go on; what is on disk stays, and the same command takes it up again."""


@dataclass
class Runner:
    """Runs what is missing of ``study`` in ``folder``."""

    study: Study
    folder: Folder
    executor: Executor
    limits: Limits = field(default_factory=Limits)
    until: Until | None = None
    retry_failed: bool = False
    on_progress: Callable[[Progress], None] | None = None
    cancelled: Callable[[], bool] = lambda: False
    afterwards: str = ""
    """A module that this process wants when all is run, to read the results."""
    _queue: deque[int] = field(default_factory=deque)
    _again: deque[tuple[int, ...]] = field(default_factory=deque)
    _attempts: Counter[int] = field(default_factory=Counter)
    _number: int = 0
    _sent: dict[int, float] = field(default_factory=dict)
    """When each task was handed out."""

    def run(self) -> Progress:
        """Run to the end; :class:`BadInput` where the folder does not fit, :class:`Stopped` where work cannot go on."""
        try:
            self.folder.make()
        except OSError as error:
            raise self._cannot(error) from error
        with Lock(self.folder):
            return self._run_locked()

    def _run_locked(self) -> Progress:
        if self.until is not None:
            self.study.watch = self.until.indicator
        self._schemas = self.study.schemas()
        self._inventory = Inventory.empty(self.study)
        self._notes: list[str] = []
        self._started = time.monotonic()
        self._ran = self._running = self._ran_failed = 0
        self._mean_s = math.nan
        self._shown = -math.inf
        self._tried = np.zeros(self.study.size, bool)
        # Runs that are tried again must not be taken for those that failed before.
        self._salt = uuid.uuid4().hex if self.retry_failed else ""
        try:
            self._take_stock()
            missing = self._wanted(len(self._inventory.status))
            if self._is_complete(missing):
                return self._progress(finished=True)
            self.folder.make(*self._schemas)
            open_manifest(self.folder, self.study, self._inventory)
            stopped = self._work()
            return self._finish(stopped)
        except OSError as error:
            raise self._cannot(error) from error

    def _is_complete(self, missing: NDArray[np.int64]) -> bool:
        """Whether there is nothing at all to do."""
        return (
            not len(missing)
            and not stock.needs_same(self.folder, self._inventory)
            and agrees(self.folder, self.study, self._inventory)
        )

    def _take_stock(self) -> None:
        if not check_folder(self.folder, self.study):
            return
        stock.survey(self.folder, self.study, self._schemas, self._inventory)
        if self._inventory.strangers:
            done = int(np.count_nonzero(np.isin(self._inventory.status, (DONE, FAILED))))
            raise BadInput(
                [
                    Complaint(
                        str(self.folder), 0, "--out",
                        f"holds {self._inventory.strangers:,} runs that this batch does not ask for (and {done:,} "
                        "that it does): the specification was changed in more than adding runs; choose another folder",
                    )
                ]
            )  # fmt: skip
        self._notes += self._inventory.notes

    # -- working -----------------------------------------------------------------------------
    def _work(self) -> str:
        """Run what is missing, in rounds where a precision is asked for; why it stopped early."""
        key = f"{id(self)}-{time.monotonic_ns()}"
        setup = Setup(key, pickle.dumps(self.study), str(self.folder), self.study.imports)
        self.executor.start(setup, self.limits.time_s, self.limits.memory_mb)
        per_draw = len(self.study.cells)
        whole = self.study.size // per_draw
        draws = whole
        if self.until is not None:
            draws = min(next_stop(0), whole)
        try:
            while True:
                self._round(draws * per_draw)
                if self.cancelled():
                    return "cancelled"
                if self.until is not None and self._precise(draws):
                    return f"reached {self.until} after {draws * per_draw:,} of {self.study.size:,} runs"
                if draws >= whole:
                    return ""
                draws = min(next_stop(draws), whole)
        except BaseException:
            self.executor.cancel()
            raise

    def _wanted(self, end: int) -> NDArray[np.int64]:
        status = self._inventory.status[:end]
        wanted = status == stock.WAITING
        if self.retry_failed:
            wanted |= (status == FAILED) & ~self._tried[:end]
        return np.flatnonzero(wanted)

    def _round(self, end: int) -> None:
        """Run all that is missing among the first ``end`` cases."""
        self._queue = deque(self._wanted(end).tolist())
        out: dict[int, Task] = {}
        while True:
            if self.cancelled():
                self.executor.cancel()
                self._running = 0
                return
            while self.executor.room > 0 and (task := self._next(out.values())) is not None:
                out[task.number] = task
                self._sent[task.number] = time.monotonic()
                self.executor.submit(task)
            self._running = sum(len(task.cases) for task in out.values())
            if not out:
                return
            if self.afterwards:  # while the first tasks run, this process has time to import it
                import_module(self.afterwards)
            for report in self.executor.reports(0.25):
                if out.pop(report.task.number, None) is not None:
                    del self._sent[report.task.number]
                    self._take(report)
            self._show()

    def _next(self, running: Collection[Task]) -> Task | None:
        """The next task, None where nothing is left to hand out; what came back from lost workers goes first."""
        cases = self._again.popleft() if self._again else self._cut(running)
        if not cases:
            return None
        self._number += 1
        ids = tuple(self._inventory.ids[case].decode() for case in cases)
        target = self.executor.target_s
        budget = 1.5 * target if math.isfinite(self._mean_s) else min(2.0, target)
        return Task(self._number, cases, ids, budget, self._salt)

    def _cut(self, running: Collection[Task]) -> tuple[int, ...]:
        """The next cases of the queue: enough for a task, few enough that no worker ends long after the others."""
        if not self._queue:
            return ()
        workers, waiting = self.executor.workers, len(self._queue)
        if math.isnan(self._mean_s):
            size = min(FIRST_TASK, max(waiting // (2 * workers), 1))
        else:
            mean = max(self._mean_s, 1e-6)
            most = min(self.executor.target_s / mean, LARGEST_TASK)
            least = min(SHORTEST_S / mean, LARGEST_TASK)
            if waiting > workers * least:
                size = math.ceil(max(min(most, 0.5 * waiting / workers), least))
            else:  # the last task of each worker: all are to end at the same time
                left = waiting + sum(self._left(task, mean) for task in islice(running, workers))
                left += sum(len(task.cases) for task in islice(running, workers, None))  # they wait for a worker
                size = max(round(min(left / workers, most)), 1)
        together = self.study.together
        taken: list[int] = []
        while self._queue and (
            len(taken) < size or (taken and self._queue[0] // together == taken[-1] // together)
        ):
            taken.append(self._queue.popleft())
        return tuple(taken)

    def _left(self, task: Task, mean: float) -> float:
        """Cases that a running task still has before it, at ``mean`` seconds each."""
        return max(len(task.cases) - (time.monotonic() - self._sent[task.number]) / mean, 0.0)

    def _take(self, report: Report) -> None:
        """Note what came back, and what must go out again."""
        if isinstance(report, Refused):
            raise Stopped(report.reason)
        if isinstance(report, Lost):
            report = self._lost(report)
            if isinstance(report, Lost):
                return
        ids = self._inventory
        cases = np.array(report.cases, np.int64)
        good = np.array(report.done, bool)
        ids.status[cases] = np.where(good, DONE, FAILED)
        ids.watched[cases] = report.watched
        self._tried[cases] = True
        self._ran += len(cases)
        self._ran_failed += int((~good).sum())
        if len(cases) and report.seconds > 0.0:
            mean = report.seconds / len(cases)
            self._mean_s = mean if math.isnan(self._mean_s) else 0.7 * self._mean_s + 0.3 * mean
        if report.rest:
            self._queue.extendleft(reversed(report.rest))

    def _lost(self, lost: Lost) -> Lost | Finished:
        """What is to become of the cases of a worker that is gone."""
        with suppress(OSError, ValueError):
            # It may have died between writing its shard and saying so.
            found = Performer(self.study, self.folder, self._schemas).found(lost.task)
            if found is not None:
                return found
        others = tuple(case for case in lost.task.cases if case != lost.culprit)
        if lost.culprit is None and lost.unknown:
            # Halves, until the one that kills its worker stands alone.
            if len(others) == 1:
                return self._lost(replace(lost, culprit=others[0]))
            half = (len(others) + 1) // 2
            self._again.extend(part for part in (others[:half], others[half:]) if part)
            return lost
        if lost.culprit is None:
            self._queue.extendleft(reversed(others))
            return lost
        self._attempts[lost.culprit] += 1
        attempts = self._attempts[lost.culprit]
        if lost.final or attempts >= self.limits.attempts:
            tries = "" if lost.final else f" {attempts} times in a row"
            self._fail(lost.culprit, f"{lost.reason}{tries}", lost.seconds)
        else:
            self._again.append((lost.culprit,))
        self._queue.extendleft(reversed(others))
        return lost

    def _fail(self, case: int, reason: str, seconds: float) -> None:
        ran = Ran(case, None, reason, seconds)
        run_id = self._inventory.ids[case].decode()
        write_failures(self.study, self.folder, self._schemas, [ran], [run_id])
        self._inventory.status[case] = FAILED
        self._tried[case] = True
        self._ran += 1
        self._ran_failed += 1

    # -- precision ---------------------------------------------------------------------------
    def estimates(
        self, draws: int | None = None, level: float = LEVEL, most: int | None = None
    ) -> dict[tuple[str, str], Interval]:
        """Interval of the watched indicator by scenario and package (the first ``most``), over the first ``draws`` draws."""
        cells = self.study.cells
        values = self._inventory.values().reshape(-1, len(cells))[:draws]
        replicates = self.study.replicates
        found = {}
        for at, cell in enumerate(cells[:most]):
            column = values[:, at]
            if len(column) % replicates:
                column = np.append(column, np.full(-len(column) % replicates, math.nan))
            found[cell] = interval(column.reshape(-1, replicates), level)
        return found

    def _precise(self, draws: int) -> bool:
        assert self.until is not None
        return all(self.until.met(found) for found in self.estimates(draws, self.until.level).values())

    # -- the end -----------------------------------------------------------------------------
    def _finish(self, stopped: str) -> Progress:
        if stopped != "cancelled":
            if self._attempts or self.retry_failed:
                # Workers died: look once more at what is really there.
                stock.survey(self.folder, self.study, self._schemas, self._inventory)
            stock.write_same(self.folder, self.study, self._inventory)
        finish_manifest(self.folder, self.study, self._inventory)
        return self._progress(finished=True, stopped=stopped)

    def _show(self) -> None:
        now = time.monotonic()
        if self.on_progress is not None and now - self._shown >= 0.1:
            self._shown = now
            self.on_progress(self._progress())

    def _progress(self, finished: bool = False, stopped: str = "") -> Progress:
        found = self._inventory
        seconds = time.monotonic() - self._started
        rate = self._ran / seconds if seconds > 0.0 else 0.0
        left = int(np.count_nonzero(found.status == stock.WAITING))
        progress = Progress(
            total=self.study.size,
            done=found.count(DONE),
            failed=found.count(FAILED),
            running=self._running,
            rate=rate,
            left_s=left / rate if rate > 0.0 else math.nan,
            watch=self.study.watch,
            estimates=self.estimates(most=MOST_AT_END if finished else MOST_CELLS)
            if self.study.watch
            else {},
            cells=len(self.study.cells),
            finished=finished,
            stopped=stopped,
            notes=tuple(self._notes),
            ran=self._ran,
        )
        if finished and self.on_progress is not None:
            self.on_progress(progress)
        return progress

    def _cannot(self, error: OSError) -> BadInput:
        message = (
            f"cannot write results there: {why_not(error)}; what is stored is safe, and the same command goes on "
            "from there once that is put right"
        )
        return BadInput([Complaint(str(self.folder), 0, "--out", message)])


__all__ = ["Progress", "Runner", "Stopped"]
