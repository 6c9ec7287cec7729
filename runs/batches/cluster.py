"""Batches on a Dask cluster: workers that somebody started elsewhere, reached through a scheduler.

Every Dask worker runs tasks through a pool of one process of its own, so that a run that hangs, grows or
dies costs that run alone and never the Dask worker. Workers write shards and return reports of a few bytes;
what a dead Dask worker had written stays written, and a task that Dask runs again finds its shard there.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from runs.batches.pool import Pool
from runs.batches.tasks import Lost, Refused, Report, Setup, Task
from runs.checking import BadInput, Complaint

AHEAD = 2
"""Tasks on their way for each thread of the cluster: one that runs, one that waits."""


class Cluster:
    """The workers of the Dask scheduler at ``address``, however many there are at the time."""

    def __init__(self, address: str, target_s: float = 30.0, timeout_s: float = 30.0):
        try:
            from distributed import Client  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            raise _bad("needs the extra `cluster`: pip install 'madang[cluster]'") from None
        self.target_s = target_s
        try:
            self._client: Any = Client(address, timeout=timeout_s, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise _bad(f"found no scheduler at {address!r} ({type(error).__name__}: {error})") from None
        self._out: dict[Any, Task] = {}
        self._setup: Any = None
        self._limits: tuple[float, float | None] = (float("inf"), None)
        self._seen_at, self._threads = -1e9, 0

    @property
    def workers(self) -> int:
        """Threads of all Dask workers, looked up every few seconds: clusters grow and shrink."""
        if time.monotonic() - self._seen_at > 5.0 or not self._threads:
            self._threads = sum(self._client.nthreads().values())
            self._seen_at = time.monotonic()
        return max(self._threads, 1)

    @property
    def room(self) -> int:
        return AHEAD * self.workers - len(self._out)

    def start(self, setup: Setup, time_s: float, memory_mb: float | None) -> None:
        self._limits = (time_s, memory_mb)
        # By value on the scheduler: workers that join later ask for it as well.
        self._setup = self._client.submit(_the_same, setup, key=f"madang-setup-{setup.key}", pure=False)

    def submit(self, task: Task) -> None:
        future = self._client.submit(
            perform_on_worker, self._setup, task, *self._limits, pure=False, retries=0,
            key=f"madang-{task.number}-{time.monotonic_ns()}",
        )  # fmt: skip
        self._out[future] = task

    def reports(self, timeout: float) -> list[Report]:
        from distributed import wait

        if not self._out:
            return []
        try:
            with self._client.as_current():
                ended = wait(list(self._out), timeout=timeout, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            return []
        return [self._report(future, self._out.pop(future)) for future in ended]

    def _report(self, future: Any, task: Task) -> Report:
        from distributed.scheduler import KilledWorker

        try:
            found: Report = future.result()
            return found
        except KilledWorker:
            return Lost(task, None, "its machine or Dask worker went away with it", final=False, unknown=True)
        except Exception as error:
            return Refused(task, f"the cluster failed: {type(error).__name__}: {error}")
        finally:
            future.release()

    def cancel(self) -> None:
        self._client.cancel(list(self._out), force=True)
        self._out.clear()

    def close(self) -> None:
        self.cancel()
        self._setup = None
        self._client.close()


_HERE = threading.local()
"""A pool of one process for each thread of a Dask worker."""


def perform_on_worker(setup: Setup, task: Task, time_s: float, memory_mb: float | None) -> Report:
    """Run one task in this thread's own process; always a report."""
    pool: Pool | None = getattr(_HERE, "pool", None)
    if pool is None:
        pool = _HERE.pool = Pool(1)
    pool.cancel()  # a task that Dask gave up in this thread, if there was one
    if getattr(_HERE, "key", setup.key) != setup.key:
        pool.close()  # a process that has run another study may have imported what has changed since
    _HERE.key = setup.key
    pool.start(setup, time_s, memory_mb)
    pool.submit(task)
    while True:
        for report in pool.reports(1.0):
            return report


def _the_same(setup: Setup) -> Setup:
    return setup


def _bad(message: str) -> BadInput:
    return BadInput([Complaint("command line", 0, "--scheduler", message)])
