"""A process that answers like the app's, but takes a set time for it and computes nothing."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection

from runs.app.worker import DONE, GIVEN_UP, READY, Question

RUN_S = 0.4


def serve(line: Connection, warm: Question | None) -> None:
    line.send((0, READY, b""))
    try:
        while True:
            message = line.recv()
            if message is None:
                continue
            ticket, question = message
            stopped = line.poll(RUN_S)
            line.send((ticket, GIVEN_UP if stopped else DONE, "" if stopped else question.seed))
    except (EOFError, OSError):
        return


def wait_until(there: object, seconds: float = 20.0) -> None:
    """Wait for a function to say yes."""
    end = time.monotonic() + seconds
    while not there():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)
