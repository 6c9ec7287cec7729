"""A worker process: takes tasks from a pipe, runs them, writes their shards, and says what is there.

A thread of its own listens to the pipe, so that a worker whose parent is gone ends at once, in the middle
of whatever it does: an orphan must not write into a folder that somebody else may have taken up.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import threading
from multiprocessing.connection import Connection
from typing import Any

from runs import collecting
from runs.batches.tasks import Performer, Refused, Report, Setup, Task
from runs.folder import Folder

NOTHING = -1
"""Case of a worker that is between runs."""


def main(pipe: Connection, at: Any) -> None:
    """Serve until the parent hangs up. ``at`` is shared memory: the case in work, and how many were begun."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption means
    _one_thread()
    collecting.settle()
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, inbox), daemon=True).start()
    pipe.send(("ready", os.getpid()))
    performer: Performer | str = "no study yet"

    def begin(case: int) -> None:
        at[0] = case
        at[1] += 1

    while True:
        message = inbox.get()
        if isinstance(message, Setup):
            performer = _prepare(message)
            continue
        task: Task = message
        report: Report = (
            Refused(task, performer) if isinstance(performer, str) else performer.perform(task, begin)
        )
        at[0] = NOTHING
        pipe.send(("report", report))


def _listen(pipe: Connection, inbox: queue.SimpleQueue[Any]) -> None:
    while True:
        try:
            inbox.put(pipe.recv())
        except (EOFError, OSError):
            os._exit(0)


def _prepare(setup: Setup) -> Performer | str:
    """The study, ready to run, or why it cannot be."""
    try:
        study = pickle.loads(setup.study)
        study.check_source()
        return Performer(study, Folder.of(setup.folder))
    except Exception as error:
        return f"a worker cannot load what it is to run: {type(error).__name__}: {error}"


def _one_thread() -> None:
    """One worker, one core: libraries that start threads of their own would only get in each other's way."""
    import pyarrow

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
