"""A persistent pool of worker processes that survives what its runs do.

Workers are forks of this process while it has a single thread, else of a fork server that has imported what
they need; either way one that dies is replaced in milliseconds. Every worker says which case it begins, so
that a death, a time-out or a growth is put down to that case alone. Time is measured by a clock that nobody
can set.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import connection
from multiprocessing.process import BaseProcess, current_process
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]

from runs.batches import worker
from runs.batches.lock import release_in_child
from runs.batches.tasks import Lost, Refused, Report, Setup, Task

LOOK_S = 0.2
"""How often time and memory of the workers are looked at."""

STARTS = 30
"""Workers in a row that may be killed before they run anything; of those that end by themselves, three."""

START_S = 60.0
"""A worker that has not spoken by then is given up."""

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
    at: Any
    """Shared with it: the case that it is at, and how many it has begun."""
    told: str = ""
    """Key of the study that it has been told of."""
    task: Task | None = None
    begun: int = 0
    since: float = 0.0
    """When it was first seen at that case."""
    ready: bool = False

    @property
    def case(self) -> int | None:
        return None if self.task is None or self.at[0] == worker.NOTHING else int(self.at[0])


class Pool:
    """``workers`` processes, started when first needed and kept until :meth:`close`."""

    TARGET_S = 6.0

    def __init__(self, workers: int | None = None, target_s: float = TARGET_S):
        self._size = max(cores() if workers is None else workers, 1)
        self.target_s = target_s
        self._workers: list[_Worker] = []
        self._setup: Setup | None = None
        self._time_s, self._memory = float("inf"), float("inf")
        self._start_failures = 0
        self._looked = 0.0
        self._memory_seen: dict[int, psutil.Process] = {}
        self._may_fork = True

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
        found.task, found.since = task, time.monotonic()
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
        for held in [w for w in self._workers if w.task is not None]:
            self._end(held)
        for held in self._workers:
            held.pipe.close()  # an idle worker ends by itself when its parent hangs up
        for held in self._workers:
            held.process.join(2.0)
            if held.process.is_alive():
                held.process.kill()
                held.process.join()
        self._workers.clear()

    def prepare(self, imports: tuple[str, ...] = ()) -> None:
        """Start all workers now, while this process may still have but one thread."""
        while len(self._workers) < self._size:
            self._spawn(imports)

    # -- workers -----------------------------------------------------------------------------
    def _spawn(self, imports: tuple[str, ...] | None = None) -> _Worker:
        self._workers = [w for w in self._workers if w.process.is_alive() or w.task is not None]
        wanted = imports if imports is not None else (self._setup.imports if self._setup else ())
        context = self._context(wanted)
        ours, theirs = context.Pipe()
        forked = context.get_start_method() == "fork"
        at = context.RawArray("q", [worker.NOTHING, 0])
        target, given = (self._forked, (theirs, at, ours)) if forked else (worker.main, (theirs, at))
        process = context.Process(target=target, args=given, name="madang-worker", daemon=False)
        with _may_have_children(), _single_threaded(), warnings.catch_warnings():
            # Libraries' own threads make Python warn of forks; a worker uses none of those libraries.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        theirs.close()
        made = _Worker(process, ours, at, since=time.monotonic())
        self._workers.append(made)
        return made

    def _forked(self, theirs: connection.Connection, at: Any, ours: connection.Connection) -> None:
        """What a fork does first: let go of all that is its parent's, so that hang-ups and locks mean what they say."""
        ours.close()
        for held in self._workers:
            held.pipe.close()
        release_in_child()
        worker.main(theirs, at)

    def _context(self, imports: tuple[str, ...]) -> Any:
        methods = multiprocessing.get_all_start_methods()
        if (
            "fork" in methods
            and sys.platform != "darwin"
            and self._may_fork
            and threading.active_count() == 1
        ):
            for name in imports:
                import_module(name)
            return multiprocessing.get_context("fork")
        if "forkserver" not in methods:
            return multiprocessing.get_context("spawn")
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["__main__", "runs.batches.worker", *imports])
        return context

    def _hear(self, held: _Worker) -> list[Report]:
        """All that a worker has said; its hang-up is its death."""
        found: list[Report] = []
        try:
            while held.pipe.poll():
                kind, what = held.pipe.recv()
                if kind == "ready":
                    held.ready = True
                elif kind == "report":
                    found.append(what)
                    held.task = None
                    self._start_failures = 0
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
        for held in [w for w in self._workers if w.task is not None and not w.ready]:
            if now - held.since > START_S:
                self._may_fork = False
                found += self._bury(held, f"the worker did not start within {START_S:g} s", final=False)
        for held in [w for w in self._workers if w.case is not None]:
            if held.at[1] != held.begun:
                held.begun, held.since = int(held.at[1]), now
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
                # Gone on to another case in that very moment: then this one is not to blame.
                blamed = held.at[1] == held.begun
                found += self._bury(held, reason, final=blamed)
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
            # Somebody who kills workers (the kernel, out of memory) may hit one that is just starting; one that
            # ends by itself will do so again.
            killed = (held.process.exitcode or 0) < 0
            self._start_failures += 1 if killed else STARTS // 3
            if self._start_failures >= STARTS:
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
