"""A persistent pool of worker processes that survives what its runs do.

Workers come from a fork server that has imported what they need, so that one that dies is replaced in
milliseconds. Every worker says which case it begins, so that a death, a time-out or a growth is put down to
that case alone. Time is measured by a clock that nobody can set.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess, current_process
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]

from runs.batches import worker
from runs.batches.tasks import Lost, Refused, Report, Setup, Task

LOOK_S = 0.2
"""How often time and memory of the workers are looked at."""

START_FAILURES = 3
PRELOADED = ("runs.batches.warm",)
SINGLE = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "NUMBA_NUM_THREADS",
)


def cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


@dataclass
class _Worker:
    process: BaseProcess
    pipe: connection.Connection
    told: str = ""
    """Key of the study that it has been told of."""
    task: Task | None = None
    case: int | None = None
    since: float = 0.0
    ready: bool = False
    reported: bool = False


class Pool:
    """``workers`` processes, started when first needed and kept until :meth:`close`."""

    def __init__(self, workers: int | None = None, target_s: float = 6.0):
        self._size = max(cores() if workers is None else workers, 1)
        self.target_s = target_s
        self._workers: list[_Worker] = []
        self._setup: Setup | None = None
        self._time_s, self._memory = float("inf"), float("inf")
        self._start_failures = 0
        self._looked = 0.0
        self._memory_seen: dict[int, psutil.Process] = {}

    @property
    def workers(self) -> int:
        return self._size

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that live."""
        return [w.process.pid for w in self._workers if w.process.pid and w.process.is_alive()]

    @property
    def room(self) -> int:
        return self._size - sum(w.task is not None for w in self._workers)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, setup: Setup, time_s: float, memory_mb: float | None) -> None:
        self._setup, self._time_s = setup, time_s
        total = psutil.virtual_memory().total
        self._memory = memory_mb * 1e6 if memory_mb else 0.8 * total / self._size
        self._start_failures = 0

    def submit(self, task: Task) -> None:
        idle = next((w for w in self._workers if w.task is None and w.process.is_alive()), None)
        found = idle or self._spawn()
        found.task, found.case, found.since = task, None, time.monotonic()
        # A worker that cannot be spoken to any more is noticed by its hang-up, as a lost task.
        with suppress(OSError):
            assert self._setup is not None
            if found.told != self._setup.key:
                found.pipe.send(self._setup)
                found.told = self._setup.key
            found.pipe.send(task)

    def reports(self, timeout: float) -> list[Report]:
        found: list[Report] = []
        deadline = time.monotonic() + timeout
        while True:
            busy = {w.pipe: w for w in self._workers if w.task is not None or not w.ready}
            wait = max(min(deadline - time.monotonic(), LOOK_S), 0.0)
            if not busy:
                return found
            for pipe in connection.wait(list(busy), 0.0 if found else wait):
                found += self._hear(busy[pipe])  # type: ignore[index]
            found += self._look()
            if found or time.monotonic() >= deadline:
                return found

    def cancel(self) -> None:
        for held in [w for w in self._workers if w.task is not None]:
            self._end(held)

    def close(self) -> None:
        for held in list(self._workers):
            if held.task is not None:
                self._end(held)
                continue
            held.pipe.close()  # an idle worker ends by itself when its parent hangs up
            held.process.join(2.0)
            if held.process.is_alive():
                held.process.kill()
                held.process.join()
        self._workers.clear()

    # -- workers -----------------------------------------------------------------------------
    def _spawn(self) -> _Worker:
        self._workers = [w for w in self._workers if w.process.is_alive() or w.task is not None]
        context = _context()
        ours, theirs = context.Pipe()
        process = context.Process(target=worker.main, args=(theirs,), name="madang-worker", daemon=False)
        with _may_have_children(), _single_threaded():
            process.start()
        theirs.close()
        made = _Worker(process, ours)
        self._workers.append(made)
        return made

    def _hear(self, held: _Worker) -> list[Report]:
        """All that a worker has said; its hang-up is its death."""
        found: list[Report] = []
        try:
            while held.pipe.poll():
                kind, what = held.pipe.recv()
                if kind == "ready":
                    held.ready = True
                elif kind == "begin":
                    held.case, held.since = what, time.monotonic()
                    self._start_failures = 0
                elif kind == "report":
                    found.append(what)
                    held.task = held.case = None
        except (EOFError, OSError):
            held.process.join(5.0)
            found += self._bury(held, f"the worker died ({_ended(held.process.exitcode)})", final=False)
        return found

    def _look(self) -> list[Report]:
        """End workers whose run takes too long or too much."""
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return []
        self._looked = now
        found: list[Report] = []
        for held in [w for w in self._workers if w.task is not None and w.case is not None]:
            reason = ""
            if now - held.since > self._time_s:
                reason = f"over the time limit of {self._time_s:g} s"
            elif (size := self._resident(held)) > self._memory:
                reason = f"over the memory limit of {self._memory / 1e6:,.0f} MB, at {size / 1e6:,.0f} MB"
            if reason:
                heard = self._hear(held)  # it may have finished a moment ago
                if heard or held.task is None:
                    found += heard
                    continue
                held.process.kill()
                held.process.join()
                found += self._bury(held, reason, final=True)
        return found

    def _resident(self, held: _Worker) -> int:
        pid = held.process.pid or 0
        try:
            seen = self._memory_seen.get(pid) or self._memory_seen.setdefault(pid, psutil.Process(pid))
            return int(seen.memory_info().rss)
        except psutil.Error:  # it has just gone; the pipe will say so
            return 0

    def _bury(self, held: _Worker, reason: str, final: bool) -> list[Report]:
        task, case, seconds = held.task, held.case, time.monotonic() - held.since
        self._end(held)
        if task is None:
            return []
        if case is None:
            self._start_failures += 1
            if self._start_failures >= START_FAILURES:
                return [
                    Refused(
                        task,
                        f"workers end before they run anything: {reason}; a script that runs a batch needs "
                        'its call below `if __name__ == "__main__":`',
                    )
                ]
        return [Lost(task, case, reason, final, seconds)]

    def _end(self, held: _Worker) -> None:
        with suppress(OSError):
            held.process.kill()
        held.process.join()
        held.pipe.close()
        self._memory_seen.pop(held.process.pid or 0, None)
        if held in self._workers:
            self._workers.remove(held)


def _context() -> Any:
    methods = multiprocessing.get_all_start_methods()
    if "forkserver" not in methods:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", *PRELOADED])
    return context


@contextmanager
def _may_have_children() -> Iterator[None]:
    """Dask starts its workers as daemons, which Python forbids to have children; ours end with their parent."""
    config: dict[str, Any] = current_process()._config  # type: ignore[attr-defined]
    daemon = config.pop("daemon", None)
    try:
        yield
    finally:
        if daemon is not None:
            config["daemon"] = daemon


@contextmanager
def _single_threaded() -> Iterator[None]:
    """The fork server takes its environment from whoever starts it first."""
    before = {name: os.environ.get(name) for name in SINGLE}
    os.environ.update(dict.fromkeys(SINGLE, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _ended(code: int | None) -> str:
    if code is None:
        return "it hung up"
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"
