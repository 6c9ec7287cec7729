"""A small pool of warm processes that answer questions; for each asker the latest question wins.

No asker ever has a queue: a new question takes the place of one that waits, and a running one is given up
where it has only just begun. Different askers take turns. While nobody waits for anything, what askers may
want next is run ahead of its being asked for; a question takes over the run that was begun for it, and any
other question ends all that runs ahead.

An asker whose questions follow each other faster than runs end, as a hand's do that drags a slider, may *lead*: say
what it will ask when a run begun now has ended. That is run early, and the questions in between are patient.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Any

from runs.app.process import Answer, Asked, Process
from runs.app.worker import DONE, FAILED, GIVEN_UP, READY, Question

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

SETTLING = 0.6
"""Share of a usual run below which a running question is given up for what its asker leads to, or comes to rest at."""

STARVING = 2.0
"""Usual runs after which an asker that had no answer is given one, be it of a question in between."""


class Pool:
    """``ask`` from any thread; answers come on the pool's thread.

    ``workers`` processes at most; the second and later ones are started once somebody has had an answer for a while,
    so that the first page has the machine for itself.
    """

    def __init__(self, workers: int | None = None, warm: Question | None = None):
        self.size = max(1, workers if workers is not None else min(os.cpu_count() or 1, 8))
        self.warm = warm
        self._share = max(1, self.size - 1)
        """Processes that one asker may have: one is always left for others and for the browser."""
        self._context = multiprocessing.get_context("spawn")
        self._lock = threading.Lock()
        self._waiting: OrderedDict[object, Asked] = OrderedDict()
        self._ahead: OrderedDict[object, list[tuple[Question, Answer]]] = OrderedDict()
        self._lead: OrderedDict[object, tuple[Question, Answer]] = OrderedDict()
        self._quiet_from = 0.0
        """Not before this may what is foreseen be run."""
        self._grow_from = math.inf
        """Not before this is a further process started."""
        self._warmth = b""
        """The answer to ``warm``, as soon as a process is warm: whoever asks just that has it at once."""
        self._tickets = 0
        self.usual = 1.0
        """Seconds that a run takes, lately."""
        self._timed = False
        self._since: dict[object, float] = {}
        """When each asker's first question since its last answer was begun."""
        self._closed = False
        self._wake_read, self._wake_write = self._context.Pipe(duplex=False)
        self._workers = [Process(self._context, warm)]
        self._thread = threading.Thread(target=self._loop, name="madang-pool", daemon=True)
        self._thread.start()

    def ask(
        self, asker: object, question: Question, answer: Answer, patience: float = 0.0, settling: bool = False
    ) -> int:
        """Ask; an older question of ``asker`` that still waits is dropped. Returns the question's number.

        Numbers rise, so that an asker can tell a late answer to an older question. For ``patience`` seconds the
        question leaves the process to what the asker leads to. The question of one that is ``settling``, that comes
        to rest, takes the place of an older one that is further on.
        """
        with self._lock:
            self._tickets += 1
            until = time.monotonic() + patience
            asked = Asked(asker, question, answer, self._tickets, patient_until=until, settling=settling)
            self._waiting[asker] = asked  # keeps the asker's turn
        self._poke()
        return asked.ticket

    def lead(self, asker: object, expected: tuple[Question, Answer] | None) -> None:
        """What ``asker`` will ask when a run begun now has ended; None where that cannot be said.

        What else runs early for it is given up.
        """
        with self._lock:
            self._lead.pop(asker, None)
            early = self._early(asker)
            if early is not None and early.job is not None:
                if expected is not None and early.job.question == expected[0]:
                    return
                early.give_up()
            if expected is not None:
                self._lead[asker] = expected
        self._poke()

    def leading(self, asker: object) -> tuple[Question, float] | None:
        """What runs early for ``asker``, and for how many seconds it has."""
        with self._lock:
            early = self._early(asker)
            if early is None or early.job is None:
                return None
            return early.job.question, time.monotonic() - early.began

    def rest(self, asker: object) -> None:
        """``asker`` leads no more, and its question that waits is patient no longer."""
        with self._lock:
            self._lead.pop(asker, None)
            early, asked = self._early(asker), self._waiting.get(asker)
            if asked is not None:
                asked.patient_until = 0.0  # what runs early is taken over or given up for it
            elif early is not None:
                early.give_up()
                self._since.pop(asker, None)
        self._poke()

    def drop(self, asker: object) -> None:
        """``asker`` has an answer from elsewhere: what it asked before is of no use any more."""
        with self._lock:
            self._waiting.pop(asker, None)
            self._since.pop(asker, None)
            self._quiet_from = time.monotonic() + DRAWING_S
            for worker in self._workers:
                job = worker.job
                if job is not None and job.asker is asker and not (job.ahead or job.early):
                    worker.give_up()
        self._poke()

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
                    worker.give_up()
            self._ahead[asker] = wanted
            while len(self._ahead) > MOST_AHEAD:  # pages that went away in the meantime, at the latest
                self._ahead.popitem(last=False)
        self._poke()

    def forget(self, asker: object) -> None:
        """Drop whatever ``asker`` waits for."""
        with self._lock:
            self._waiting.pop(asker, None)
            self._ahead.pop(asker, None)
            self._lead.pop(asker, None)
            self._since.pop(asker, None)
            for worker in self._workers:
                if worker.job is not None and worker.job.asker is asker:
                    worker.give_up()
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
                took = time.monotonic() - worker.began
                self.usual = 0.7 * self.usual + 0.3 * took if self._timed else took
                self._timed = True
                self._tell(job, kind, payload)
            self._answer_from_warmth()
            self._hand_out()
            if self._may_grow() and time.monotonic() >= self._grow_from:
                self._workers.append(Process(self._context, self.warm))

    def _until_due(self) -> float | None:
        """Seconds until something is due that nobody calls for: a run, or a further process; None where nothing is."""
        with self._lock:
            now = time.monotonic()
            due = [asked.patient_until for asked in self._waiting.values() if asked.patient_until > now]
            if self._may_run_ahead():
                due.append(self._quiet_from + 0.01)
        if self._may_grow() and self._grow_from < math.inf:
            due.append(self._grow_from + 0.01)
        return max(min(due) - now, 0.0) if due else None

    def _may_grow(self) -> bool:
        return len(self._workers) < self.size and all(worker.ready for worker in self._workers)

    def _may_run_ahead(self) -> bool:
        busy = self._waiting or self._lead or any(worker.job is not None for worker in self._workers)
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
            if self._waiting or self._lead:
                self._take_over()
                if any(w.stopping and w.job and w.job.ahead for w in self._workers):
                    return  # it ends within a month, and is the process whose memory is at hand
            for asker in list(self._waiting):
                asked, mine, early = self._waiting[asker], self._of(asker), self._early(asker)
                patient = now < asked.patient_until and not self._starves(asker, now)
                if patient and len(mine) + (early is None) >= self._share:
                    continue  # one process is for what runs early
                young = [
                    w
                    for w in mine
                    if not w.stopping and (not patient if w is early else self._is_young(w, now))
                ]
                if young:
                    young[0].give_up()
                    continue  # its GIVEN_UP answer brings us back here
                if any(w.stopping for w in mine) or len(mine) >= self._share:
                    continue
                free = self._free()
                if free is None:
                    break
                self._waiting.pop(asker)
                if not patient:
                    self._lead.pop(asker, None)
                self._since.setdefault(asker, now)
                if not free.begin(asked):
                    self._waiting.setdefault(asker, asked)
            self._run_early(now)
            self._run_ahead(now)

    def _run_early(self, now: float) -> None:
        """Begin what askers lead to, where nothing else runs for them and their question can wait.

        Questions of others that have nothing running come first.
        """
        if any(now >= asked.patient_until and not self._of(asker) for asker, asked in self._waiting.items()):
            return
        for asker in list(self._lead):
            asked, mine = self._waiting.get(asker), self._of(asker)
            if any(w.runs_early or w.stopping for w in mine):
                continue
            if asked is not None and now >= asked.patient_until:
                continue
            if self._starves(asker, now):
                if asked is None:
                    del self._lead[asker]
                continue
            if len(mine) >= self._share:  # its hand has left what is run there
                if now - mine[0].began < SETTLING * self.usual:
                    mine[0].give_up()  # its GIVEN_UP answer brings us back here
                continue
            free = self._free()
            if free is None:
                return
            question, answer = self._lead.pop(asker)
            self._since.setdefault(asker, now)
            self._tickets += 1
            free.begin(Asked(asker, question, answer, self._tickets, early=True))

    def _is_young(self, worker: Process, now: float) -> bool:
        """Whether what it runs is given up for the question of the same asker that waits."""
        assert worker.job is not None
        asked = self._waiting[worker.job.asker]
        if asked.settling and not self._starves(asked.asker, now):
            return now - worker.began < SETTLING * self.usual
        return now - self._since.get(asked.asker, now) < YOUNG * self.usual

    def _starves(self, asker: object, now: float) -> bool:
        """Whether an asker has led for long without an answer."""
        return now - self._since.get(asker, now) > STARVING * self.usual

    def _of(self, asker: object) -> list[Process]:
        """Processes that run what ``asker`` waits for or leads to."""
        return [w for w in self._workers if w.job and w.job.asker is asker and not w.job.ahead]

    def _early(self, asker: object) -> Process | None:
        """The process that runs early for ``asker``."""
        found = (w for w in self._of(asker) if w.runs_early and not w.stopping)
        return next(found, None)

    def _free(self) -> Process | None:
        return next((worker for worker in self._workers if worker.ready and worker.job is None), None)

    def _take_over(self) -> None:
        """Questions take over the runs that were begun for them; whatever else runs ahead ends for them."""
        for worker in self._workers:
            job = worker.job
            if job is None or not (job.ahead or job.early) or worker.stopping:
                continue
            same = [asker for asker, asked in self._waiting.items() if asked.question == job.question]
            if same:
                asked = self._waiting.pop(same[0])
                worker.job = replace(asked, ticket=job.ticket)
                self._since.setdefault(same[0], worker.began)
            elif job.ahead:
                worker.give_up()

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
                free.begin(Asked(asker, question, answer, self._tickets, ahead=True))
                return

    def _replace(self, worker: Process) -> None:
        """A process died: tell who waited for it, and start another."""
        job = worker.job
        worker.line.close()
        worker.process.join(timeout=1)
        code = worker.process.exitcode
        self._workers[self._workers.index(worker)] = Process(self._context, self.warm)
        if job is not None and not job.ahead:
            self._since.pop(job.asker, None)
            self._tell(
                job, FAILED, f"the process that computed it ended (exit code {code}); another has started"
            )

    def _tell(self, job: Asked, kind: str, payload: Any) -> None:
        self._grow_from = min(self._grow_from, time.monotonic() + FIRST_PAGE_S)
        try:
            job.answer(kind, payload)
        except Exception:  # an asker whose page has just closed must not stop the others' answers
            import traceback

            traceback.print_exc()

    def _poke(self) -> None:
        with suppress(OSError):  # closed: nothing left to wake
            self._wake_write.send_bytes(b"!")
