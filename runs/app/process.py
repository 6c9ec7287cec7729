"""A process of the pool as the server sees it: what it runs, and how to begin and give up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runs.app.worker import Question, serve

Answer = Callable[[str, Any], None]
"""Called with the kind of the answer and its payload, from the pool's own thread."""


@dataclass
class Asked:
    """A question, and who asked it."""

    asker: object
    question: Question
    answer: Answer
    ticket: int
    ahead: bool = False
    """Nobody waits for it yet."""
    early: bool = False
    """What a leading asker is expected to ask."""
    patient_until: float = 0.0
    """Not before this is it run, unless a process is to spare: the asker leads."""
    settling: bool = False
    """The asker comes to rest: this may be the question that it stays with."""


class Process:
    """Started at once; ``ready`` once it has said so."""

    def __init__(self, context: Any, warm: Question | None):
        self.line, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, warm), daemon=True, name="madang-run")
        self.process.start()
        theirs.close()
        self.job: Asked | None = None
        self.began = 0.0
        self.ready = False
        self.stopping = False

    @property
    def runs_early(self) -> bool:
        """Whether it runs what a leading asker is expected to ask."""
        return self.job is not None and self.job.early

    def begin(self, asked: Asked) -> bool:
        """Hand it a question while it is free; False where the process is gone, which the pool's loop notices."""
        self.job, self.began, self.stopping = asked, time.monotonic(), False
        try:
            self.line.send((asked.ticket, asked.question))
        except OSError:
            return False
        return True

    def give_up(self) -> None:
        """Stop what it runs, within a month."""
        if not self.stopping:
            self.stopping = True
            try:
                self.line.send(None)
            except OSError:
                self.stopping = False  # the process is gone; the loop notices
