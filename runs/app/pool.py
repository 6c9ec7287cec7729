"""A small pool of warm processes that answer questions; for each asker the latest question wins.

No asker ever has a queue: a new question takes the place of one that waits, and a running one is given up
where it has only just begun. Different askers take turns. While nobody waits for anything, what askers may
want next is run ahead of its being asked for; a question takes over the run that was begun for it, and any
other question ends all that runs ahead.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import Any

from runs.app.worker import DONE, FAILED, GIVEN_UP, READY, Question, serve

YOUNG = 0.15
"""Share of a usual run below which a running question is given up for a newer one of the same asker.

Counted from the first question since the last answer, so that a hand that never rests is answered all the same.
"""

DRAWING_S = 0.25
"""An answer is drawn in this time; what is foreseen begins after it, so that it does not slow the drawing."""

FIRST_PAGE_S = 2.0
"""The first page is drawn in this time after its answer; the second process is started after it."""

MOST_AHEAD = 16
"""Askers for whom something is foreseen."""

Answer = Callable[[str, Any], None]
"""Called with the kind of the answer and its payload, from the pool's own thread."""


@dataclass
class _Asked:
    asker: object
    question: Question
    answer: Answer
    ticket: int
    ahead: bool = False
    """Nobody waits for it yet."""


class _Worker:
    def __init__(self, context: Any, warm: Question | None):
        self.line, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, warm), daemon=True, name="madang-run")
        self.process.start()
        theirs.close()
        self.job: _Asked | None = None
        self.began = 0.0
        self.ready = False
        self.stopping = False


class Pool:
    """``ask`` from any thread; answers come on the pool's thread.

    ``workers`` processes at most; the second and later ones are started once somebody has had an answer for a while,
    so that the first page has the machine for itself.
    """

    def __init__(self, workers: int | None = None, warm: Question | None = None):
        self.size = max(1, workers if workers is not None else min(os.cpu_count() or 1, 8))
        self.warm = warm
        self._context = multiprocessing.get_context("spawn")
        self._lock = threading.Lock()
        self._waiting: OrderedDict[object, _Asked] = OrderedDict()
        self._ahead: OrderedDict[object, list[tuple[Question, Answer]]] = OrderedDict()
        self._quiet_from = 0.0
        """Not before this may what is foreseen be run."""
        self._grow_from = math.inf
        """Not before this is a further process started."""
        self._warmth = b""
        """The answer to ``warm``, as soon as a process is warm: whoever asks just that has it at once."""
        self._tickets = 0
        self._usual = 1.0
        self._since: dict[object, float] = {}
        """When each asker's first question since its last answer was begun."""
        self._closed = False
        self._wake_read, self._wake_write = self._context.Pipe(duplex=False)
        self._workers = [_Worker(self._context, warm)]
        self._thread = threading.Thread(target=self._loop, name="madang-pool", daemon=True)
        self._thread.start()

    def ask(self, asker: object, question: Question, answer: Answer) -> int:
        """Ask; an older question of ``asker`` that still waits is dropped. Returns the question's number.

        Numbers rise, so that an asker can tell a late answer to an older question.
        """
        with self._lock:
            self._tickets += 1
            asked = _Asked(asker, question, answer, self._tickets)
            self._waiting[asker] = asked  # keeps the asker's turn
        self._poke()
        return asked.ticket

    def foresee(self, asker: object, questions: Iterable[tuple[Question, Answer]]) -> None:
        """What ``asker`` may ask next, the likeliest first: run while there is nothing else to do.

        Takes the place of what was foreseen before, of a run under way too. A run that is given up for a question
        is not begun again.
        """
        wanted = list(questions)
        with self._lock:
            for worker in self._workers:
                job = worker.job
                if job is None or not job.ahead or job.asker is not asker:
                    continue
                same = [one for one in wanted if one[0] == job.question and not worker.stopping]
                if same:
                    wanted.remove(same[0])
                else:
                    self._give_up(worker)
            self._ahead[asker] = wanted
            while len(self._ahead) > MOST_AHEAD:  # pages that went away in the meantime, at the latest
                self._ahead.popitem(last=False)
        self._poke()

    def forget(self, asker: object) -> None:
        """Drop whatever ``asker`` waits for."""
        with self._lock:
            self._waiting.pop(asker, None)
            self._ahead.pop(asker, None)
            self._since.pop(asker, None)
            for worker in self._workers:
                if worker.job is not None and worker.job.asker is asker:
                    self._give_up(worker)
        self._poke()

    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.process.pid for worker in self._workers if worker.process.pid]

    def close(self) -> None:
        """End the processes; questions under way get no answer."""
        self._closed = True
        self._poke()
        self._thread.join(timeout=5)
        for worker in self._workers:
            worker.line.close()
            worker.process.terminate()

    # -- the pool's own thread ---------------------------------------------------------------
    def _loop(self) -> None:
        while not self._closed:
            lines: list[Connection | int] = [self._wake_read]
            lines += [worker.line for worker in self._workers]
            for line in wait(lines, self._until_due()):
                if line is self._wake_read:
                    self._wake_read.recv_bytes()
                    continue
                worker = next(worker for worker in self._workers if worker.line is line)
                try:
                    ticket, kind, payload = worker.line.recv()
                except (EOFError, OSError):
                    self._replace(worker)
                    continue
                if kind == READY:
                    worker.ready = True
                    if isinstance(payload, bytes):  # else what was wrong with it, in words
                        self._warmth = payload
                    continue
                job, worker.job = worker.job, None
                if job is None or job.ticket != ticket:
                    continue
                if kind == GIVEN_UP:
                    continue
                if not job.ahead:
                    self._since.pop(job.asker, None)
                    self._quiet_from = time.monotonic() + DRAWING_S
                self._usual = 0.7 * self._usual + 0.3 * (time.monotonic() - worker.began)
                self._tell(job, kind, payload)
            self._answer_from_warmth()
            self._hand_out()
            if self._may_grow() and time.monotonic() >= self._grow_from:
                self._workers.append(_Worker(self._context, self.warm))

    def _until_due(self) -> float | None:
        """Seconds until what is foreseen may begin, or a further process be started; None where neither is to come."""
        with self._lock:
            due = [self._quiet_from] if self._may_run_ahead() else []
        if self._may_grow() and self._grow_from < math.inf:
            due.append(self._grow_from)
        return max(min(due) - time.monotonic(), 0.0) + 0.01 if due else None

    def _may_grow(self) -> bool:
        return len(self._workers) < self.size and all(worker.ready for worker in self._workers)

    def _may_run_ahead(self) -> bool:
        busy = self._waiting or any(worker.job is not None for worker in self._workers)
        return bool(self._ahead) and not busy and any(worker.ready for worker in self._workers)

    def _answer_from_warmth(self) -> None:
        """The run with which a process warmed up answers whoever asks just that."""
        if not self._warmth:
            return
        with self._lock:
            same = [asker for asker, asked in self._waiting.items() if asked.question == self.warm]
            asked = [self._waiting.pop(asker) for asker in same]
        for one in asked:
            self._tell(one, DONE, self._warmth)

    def _hand_out(self) -> None:
        with self._lock:
            now = time.monotonic()
            if self._waiting:
                self._take_over()
                if any(w.stopping and w.job and w.job.ahead for w in self._workers):
                    return  # it ends within a month, and is the process whose memory is at hand
            for asker in list(self._waiting):
                mine = [w for w in self._workers if w.job and w.job.asker is asker and not w.job.ahead]
                fresh = now - self._since.get(asker, now) < YOUNG * self._usual
                young = next((worker for worker in mine if fresh and not worker.stopping), None)
                if young is not None:
                    self._give_up(young)
                    continue  # its GIVEN_UP answer brings us back here
                if any(w.stopping for w in mine):
                    continue
                if mine and len(mine) >= max(1, self.size - 1):
                    continue  # one process is always left for others and for the browser
                free = next((worker for worker in self._workers if worker.ready and worker.job is None), None)
                if free is None:
                    return
                asked = self._waiting.pop(asker)
                self._since.setdefault(asker, now)
                if not self._begin(free, asked, now):
                    self._waiting.setdefault(asker, asked)
            self._run_ahead(now)

    def _begin(self, worker: _Worker, asked: _Asked, now: float) -> bool:
        """Hand a question to a free worker; False where its process is gone, which the loop notices."""
        worker.job, worker.began, worker.stopping = asked, now, False
        try:
            worker.line.send((asked.ticket, asked.question))
        except OSError:
            return False
        return True

    def _take_over(self) -> None:
        """Questions take over the runs that were begun for them; whatever else runs ahead ends for them."""
        for worker in self._workers:
            job = worker.job
            if job is None or not job.ahead or worker.stopping:
                continue
            same = [asker for asker, asked in self._waiting.items() if asked.question == job.question]
            if same:
                asked = self._waiting.pop(same[0])
                worker.job = replace(asked, ticket=job.ticket)
                self._since.setdefault(same[0], worker.began)
            else:
                self._give_up(worker)

    def _run_ahead(self, now: float) -> None:
        """One run ahead at a time, and only while no question waits or is run; askers take turns."""
        if now < self._quiet_from or not self._may_run_ahead():
            return
        free = next(worker for worker in self._workers if worker.ready)
        while self._ahead:
            asker, questions = self._ahead.popitem(last=False)
            if questions:
                question, answer = questions[0]
                if questions[1:]:
                    self._ahead[asker] = questions[1:]
                self._tickets += 1
                self._begin(free, _Asked(asker, question, answer, self._tickets, ahead=True), now)
                return

    def _give_up(self, worker: _Worker) -> None:
        if not worker.stopping:
            worker.stopping = True
            try:
                worker.line.send(None)
            except OSError:
                worker.stopping = False  # the process is gone; the loop notices

    def _replace(self, worker: _Worker) -> None:
        """A process died: tell who waited for it, and start another."""
        job = worker.job
        worker.line.close()
        worker.process.join(timeout=1)
        code = worker.process.exitcode
        self._workers[self._workers.index(worker)] = _Worker(self._context, self.warm)
        if job is not None and not job.ahead:
            self._tell(
                job, FAILED, f"the process that computed it ended (exit code {code}); another has started"
            )

    def _tell(self, job: _Asked, kind: str, payload: Any) -> None:
        self._grow_from = min(self._grow_from, time.monotonic() + FIRST_PAGE_S)
        try:
            job.answer(kind, payload)
        except Exception:  # an asker whose page has just closed must not stop the others' answers
            import traceback

            traceback.print_exc()

    def _poke(self) -> None:
        with suppress(OSError):  # closed: nothing left to wake
            self._wake_write.send_bytes(b"!")
