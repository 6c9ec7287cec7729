"""Finished runs for all pages of a server: computed by the pool, kept by what determines them, never changed."""

from __future__ import annotations

import pickle
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import Any, overload

import numpy as np

from abm.decisions import Decision
from abm.series import Recorder
from runs.app.knobs import knobs_of
from runs.app.pool import Pool
from runs.app.process import Answer
from runs.app.worker import DONE, FAILED, Question
from runs.views.runview import RunView
from runs.worlds import loader

MOST_KEPT = 48
"""Runs kept for all users together, about a megabyte each."""

Told = Callable[[str, "RunView | str"], None]


class Log(Sequence[Decision]):
    """A decision log that stays packed (a tenth of the memory) until somebody reads it."""

    def __init__(self, packed: bytes):
        self._packed = packed

    @cached_property
    def _read(self) -> tuple[Decision, ...]:
        found: tuple[Decision, ...] = pickle.loads(self._packed)
        return found

    def __len__(self) -> int:
        return len(self._read)

    @overload
    def __getitem__(self, at: int) -> Decision: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Decision, ...]: ...
    def __getitem__(self, at: int | slice) -> Decision | tuple[Decision, ...]:
        return self._read[at]


class Runs:
    """``want`` a run; it is told from a thread of this object's own, at once where it is kept."""

    def __init__(self, pool: Pool, kept: int = MOST_KEPT):
        self.pool = pool
        self._kept: OrderedDict[Question, RunView] = OrderedDict()
        self._most = kept
        self._lock = threading.Lock()
        self._tell = ThreadPoolExecutor(max_workers=4, thread_name_prefix="madang-tell")

    def kept(self, question: Question) -> RunView | None:
        """The run, where it is kept."""
        with self._lock:
            view = self._kept.get(question)
            if view is not None:
                self._kept.move_to_end(question)
            return view

    def want(
        self, asker: object, question: Question, told: Told, patience: float = 0.0, settling: bool = False
    ) -> None:
        """Compute ``question`` for ``asker``, whose older question, if it still waits, is dropped.

        ``told`` gets ``("done", view)``, or ``("bad" | "failed", reason)``. ``patience`` and ``settling`` are those of
        :meth:`runs.app.pool.Pool.ask`.
        """
        view = self.kept(question)
        if view is not None:
            self.pool.drop(asker)
            self.tell(view, told)
            return
        self.pool.ask(asker, question, self._answer(question, told), patience, settling)

    def lead(self, asker: object, question: Question | None, told: Told) -> None:
        """Compute what ``asker`` will ask when a run begun now has ended, and keep it; ``told`` gets it too."""
        self.pool.lead(asker, None if question is None else (question, self._answer(question, told)))

    def tell(self, view: RunView, told: Told) -> None:
        """Tell a run that is kept, from a thread of this object's own."""
        self._tell.submit(_guarded, told, DONE, view)

    def foresee(self, asker: object, questions: Iterable[Question]) -> None:
        """Compute what ``asker`` may want next while there is nothing else to do, and keep it."""

        def nobody(kind: str, what: RunView | str) -> None:
            """What is wrong is told when somebody asks for it."""

        new = [
            (question, self._answer(question, nobody)) for question in questions if self.kept(question) is None
        ]
        self.pool.foresee(asker, new)

    def _answer(self, question: Question, told: Told) -> Answer:
        """What the pool is to do with an answer: keep it and tell it, from a thread of this object's own."""

        def answered(kind: str, payload: Any) -> None:
            self._tell.submit(_guarded, self._deliver, question, told, kind, payload)

        return answered

    def _deliver(self, question: Question, told: Told, kind: str, payload: Any) -> None:
        if kind != DONE:
            told(kind, str(payload))
            return
        try:
            view = view_of(question, pickle.loads(payload))
        except Exception as error:  # told to the page; the server goes on
            traceback.print_exc()
            told(FAILED, f"{type(error).__name__}: {error}")
            return
        with self._lock:
            self._kept[question] = view
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        told(DONE, view)

    def close(self) -> None:
        self.pool.close()
        self._tell.shutdown(wait=False, cancel_futures=True)


def _guarded(call: Callable[..., None], *args: Any) -> None:
    """An answer to a page that has gone must not end the thread silently."""
    try:
        call(*args)
    except Exception:
        traceback.print_exc()


def view_of(question: Question, answer: dict[str, Any]) -> RunView:
    """The view of a worker's answer."""
    from runs.assemble import prepare
    from runs.cli_run import planned

    knobs = knobs_of(question.world)
    world = loader.load(question.world)
    ready = prepare(
        world,
        knobs.scenarios[question.scenario],
        knobs.packages[question.package],
        dict(question.settings),
        question.seed,
    )
    record = planned(ready)
    recorder = Recorder(record.indicators, record.calendar)
    recorder.values = np.asarray(answer["values"])
    recorder.values.setflags(write=False)
    recorder.recorded = record.calendar.months
    record = replace(
        record,
        run_id=answer["run_id"],
        recorder=recorder,
        sites=tuple(answer["sites"]),
        decisions=Log(answer["decisions"]),
        residual=answer["residual"],
        power=answer["power"],
        wall_s=answer["wall_s"],
    )
    return RunView(
        record,
        world,
        answer["flows"],
        answer["carried"],
        answer["in_service"],
        answer["in_force"],
        tuple(answer["lever_handles"]),
        dict(question.settings),
    )
