"""A process that computes decades for the app: one question at a time, given up when a newer one comes.

The process keeps Mesa, the kernels and the world in memory, so that a question costs a run and nothing else.
What goes back is arrays and bytes, not a model.
"""

from __future__ import annotations

import gc
import pickle
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from runs import collecting, putting_off

if TYPE_CHECKING:
    from runs.assemble import Prepared

READY, DONE, BAD, FAILED, GIVEN_UP = "ready", "done", "bad", "failed", "given up"


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that determines a run, in names and numbers."""

    world: str
    scenario: str
    package: str
    seed: int
    settings: tuple[tuple[str, float], ...] = ()


class GivenUp(Exception):
    """The run was stopped because nobody waits for it any longer."""


def serve(line: Connection, warm: Question | None) -> None:
    """Answer questions until the line closes.

    Each is ``(ticket, Question)``; anything sent while a run is under way, other than the next question,
    stops it. Answers are ``(ticket, kind, pickled payload or text)``; the first says that the process is ready, and
    carries the run of ``warm`` with which it warmed up.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collecting.take_over()
    putting_off.unused_libraries()
    try:
        line.send((0, READY, b"" if warm is None else answer(warm, lambda: False)[1]))
        gc.collect()
        collecting.settle()
        while True:
            message = line.recv()
            if message is not None:  # else a stop that came too late
                ticket, question = message
                line.send((ticket, *answer(question, line.poll)))
    except (EOFError, OSError):
        return  # the server has gone


def answer(question: Question, stopped: Callable[[], bool]) -> tuple[str, Any]:
    """Kind of the answer, and the payload as bytes or the reason as text."""
    from runs.checking import BadInput

    try:
        return DONE, pickle.dumps(compute(question, stopped), protocol=5)
    except GivenUp:
        return GIVEN_UP, ""
    except BadInput as bad:
        return BAD, "\n".join(map(str, bad.complaints))
    except Exception as error:  # a run that fails is told to its user, and the process goes on
        return FAILED, f"{type(error).__name__}: {error}"


@lru_cache(maxsize=64)
def _sources(world: str, scenario: str, package: str) -> tuple[Any, Any, Any]:
    """World, scenario and package as objects, read once for each combination of names."""
    from runs.assemble import prepare
    from runs.worlds import loader

    found = loader.load(world)
    prepared = prepare(found, scenario, package)
    return found, prepared.scenario, prepared.package


def prepared(question: Question) -> Prepared:
    """The question, checked and ready to build; ``BadInput`` where something is wrong with it."""
    from runs.assemble import prepare

    world, scenario, package = _sources(question.world, question.scenario, question.package)
    return prepare(world, scenario, package, dict(question.settings), question.seed)


def compute(question: Question, stopped: Callable[[], bool]) -> dict[str, Any]:
    """Run the whole decade; ``stopped`` is asked once a month."""
    import numpy as np  # here, so that a server starts its processes before it has read it

    ready = prepared(question)
    started = time.perf_counter()
    model = ready.build()
    world = ready.world
    months = model.calendar.months
    carried = np.zeros((months, len(world.lines)), np.float32)
    while model.month < months:
        if stopped():
            raise GivenUp
        month = model.month
        model.step()
        carried[month, model.power.lines] = model.power_month.flow / model.calendar.hours(month)
    return {
        "run_id": ready.run_id(),
        "values": model.recorder.values,
        "sites": model.site_report(),
        "decisions": pickle.dumps(tuple(model.decisions.records), protocol=5),
        "flows": model.supply.flow.astype(np.float32),
        "carried": carried,
        "in_service": np.minimum(model.state.line_ready, 1_000_000),
        "in_force": model.board.values().astype(np.float32),
        "lever_handles": tuple(model.board.levers),
        "residual": dict(model.balance_residual),
        "power": dict(model.power_report),
        "wall_s": time.perf_counter() - started,
    }
