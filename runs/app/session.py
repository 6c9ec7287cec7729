"""One user's page: what it shows, what it asked for, where it was before.

Nothing here is shared between users. What a component reads stands in ``solara.reactive`` variables, so that
only what changed is drawn again.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import solara

from runs.app.knobs import Knobs
from runs.app.runs import Runs
from runs.app.state import State, link_of, parse_link
from runs.app.worker import DONE
from runs.views.runview import RunView
from runs.views.texts import LANGUAGES, Texts, texts

MOST_PAST = 100
NO_POLICY = "no-policy"


@dataclass(frozen=True)
class Shown:
    """The run on the page, the pinned one, and the one without policy; None while it is computed."""

    view: RunView | None = None
    state: State | None = None
    pinned: RunView | None = None
    bare: RunView | None = None
    stamp: int = 0
    """Number of the slider move that ``view`` answers."""


@dataclass(frozen=True)
class Status:
    """Whether something is being computed, and what went wrong last."""

    busy: bool = False
    error: str = ""
    seconds: float = 0.0
    run_id: str = ""


class Session:
    """Made once for each page that is opened, inside Solara's kernel context."""

    def __init__(self, runs: Runs, knobs: Knobs, query: str = ""):
        self.runs, self.knobs = runs, knobs
        self.start = State(
            world=knobs.world_name, package="as-announced" if "as-announced" in knobs.packages else ""
        )
        state, pinned, extras, wrong = parse_link(query, self.start, knobs)
        language = extras.get("lang", "")
        self.language = solara.reactive(language if language in LANGUAGES else LANGUAGES[0])
        self.state = solara.reactive(state)
        self.pinned = solara.reactive(pinned)
        self.shown = solara.reactive(Shown())
        self.status = solara.reactive(Status(busy=True))
        self.link_problems = solara.reactive(tuple(wrong))
        self.past: solara.Reactive[tuple[State, ...]] = solara.reactive((state,))
        self.at = solara.reactive(0)
        self.dialog = solara.reactive("")
        self.opened: solara.Reactive[Any] = solara.reactive(None)
        self.work: solara.Reactive[dict[str, Any]] = solara.reactive({})
        """The ensemble that this page has started: job, folder, how far it is."""
        self.parcel: solara.Reactive[dict[str, Any]] = solara.reactive({})
        month = extras.get("month", "")
        self.month = solara.reactive(
            int(month) if month.isdecimal() and month.isascii() and len(month) < 5 else 0
        )
        self.subject = solara.reactive(extras.get("ask", ""))
        self._context = _kernel()
        self._asked = itertools.count(1)
        self._latest = 0
        self._drawn = 0
        self._stamp = 0
        self._moved = "", 1
        """The slider that moved last, and which way."""
        self._lock = threading.Lock()
        self._publishing = (
            threading.Lock()
        )  # taken by tellers only: they draw, and drawing takes Solara's locks
        self._closed = False
        self._others: dict[str, State] = {}

    # -- what components read ----------------------------------------------------------------
    @property
    def t(self) -> Texts:
        return texts(self.language.value)

    def values(self) -> dict[str, float]:
        """What every knob stands at."""
        return self.values_of(self.state.value)

    def values_of(self, state: State) -> dict[str, float]:
        """What every knob stands at in a state."""
        return self.knobs.base(state.scenario, state.package) | state.values

    def link(self, extras: Mapping[str, str] | None = None) -> str:
        """The query that restores this page."""
        parts = {"lang": self.language.value if self.language.value != LANGUAGES[0] else "", **(extras or {})}
        return link_of(self.state.value, self.pinned.value, self.start, parts)

    @property
    def can_undo(self) -> bool:
        return self.at.value > 0

    @property
    def can_redo(self) -> bool:
        return self.at.value < len(self.past.value) - 1

    # -- what people do ----------------------------------------------------------------------
    def begin(self) -> None:
        """Ask for what the page shows first."""
        self._ask(self.state.value)
        self._ask_others()

    def move(self, name: str, value: float, stamp: int = 0) -> None:
        """A slider moves: the decade is asked for at once; history waits for the end of the move."""
        knob = self.knobs.of.get(name)
        if knob is None or knob.complaint(value):
            return
        self._stamp = stamp
        self._moved = name, 1 if value >= self.values()[name] else -1
        self._show_state(self.state.value.having(name, value))

    def point(self, name: str, value: float) -> None:
        """The pointer rests on a slider: what a press there would ask for is foreseen."""
        knob = self.knobs.of.get(name)
        nearest = None if knob is None else knob.nearest(value)
        if nearest is not None and nearest != self.values()[name]:
            self.runs.foresee(self, [self.state.value.having(name, nearest).question])

    def commit(self) -> None:
        """The move has ended: it becomes a state to come back to."""
        state = self.state.value
        past = self.past.value[: self.at.value + 1]
        if past[-1] == state:
            return
        past = (*past, state)[-MOST_PAST:]
        self.past.value = past
        self.at.value = len(past) - 1

    def set(self, state: State) -> None:
        """Show another state, and remember it."""
        self._show_state(state)
        self.commit()

    def reset_one(self, name: str) -> None:
        self.set(self.state.value.having(name, None))

    def reset(self) -> None:
        """Back to the start; undo brings back what was."""
        self.set(self.start)

    def undo(self) -> None:
        self.commit()
        if self.can_undo:
            self.go(self.at.value - 1)

    def redo(self) -> None:
        if self.can_redo:
            self.go(self.at.value + 1)

    def go(self, at: int) -> None:
        """Show the state number ``at`` of the history, which stays as it is."""
        if 0 <= at < len(self.past.value):
            self.at.value = at
            self._show_state(self.past.value[at])

    def pin(self, state: State | None = None) -> None:
        """Compare with ``state`` from now on; with what is shown where none is given."""
        self.pinned.value = state or self.state.value
        self._ask_others()

    def forgive(self) -> None:
        """The message about what went wrong has been read."""
        self.status.value = replace(self.status.value, error="")

    def close(self) -> None:
        """The page has gone."""
        self._closed = True
        if self.work.peek().get("job") is not None:
            self.work.peek()["job"].cancel()
        for asker in (self, (id(self), "pinned"), (id(self), "bare")):
            self.runs.pool.forget(asker)

    # -- asking and being told ---------------------------------------------------------------
    def _show_state(self, state: State) -> None:
        if state == self.state.value and self.shown.value.state == state:
            return
        bare_before = self._bare_of(self.state.value)
        if self.runs.kept(state.question) is None:
            self._ask(state)  # first, so that the run goes on while the page draws where the sliders stand
            self.state.value = state
        else:  # told at once, by another thread: two must not draw at a time
            self.state.value = state
            self._ask(state)
        if self._bare_of(state) != bare_before:
            self._ask_others()

    @staticmethod
    def _bare_of(state: State) -> State:
        return replace(state, package=NO_POLICY, settings=())

    def _ask(self, state: State) -> None:
        with self._lock:
            self._latest = number = next(self._asked)
            stamp = self._stamp
        if not self.status.value.busy or self.status.value.error:
            self.status.value = replace(self.status.value, busy=True, error="")

        def told(kind: str, what: Any) -> None:
            with self.in_kernel(), self._publishing:
                if self._closed or number < self._drawn:
                    return  # a newer one is on the page
                latest = number == self._latest
                if kind != DONE:
                    if latest:
                        self.status.value = replace(self.status.value, busy=False, error=str(what))
                    return
                self._drawn = number
                self.shown.value = replace(self.shown.value, view=what, state=state, stamp=stamp)
                self.status.value = Status(not latest, "", what.record.wall_s, what.run_id)
                if latest and number != self._latest:  # the hand moved on while this was drawn
                    latest = False
                    self.status.value = replace(self.status.value, busy=True)
            if latest and not self._closed:
                self._foresee(state)

        self.runs.want(self, state.question, told)

    def _foresee(self, state: State) -> None:
        """The next step of the slider that moved last, the way it went, then the other way, may be asked for next."""
        name, way = self._moved
        if name not in self.knobs.of:
            return
        knob, value = self.knobs.of[name], self.values_of(state)[name]
        steps = (knob.beside(value, step) for step in (way, -way))
        self.runs.foresee(self, [state.having(name, step).question for step in steps if step is not None])

    def _ask_others(self) -> None:
        """The pinned run, and the one without policy that winners and losers are held against."""
        wanted = {"pinned": self.pinned.value}
        if NO_POLICY in self.knobs.packages:
            wanted["bare"] = self._bare_of(self.state.value)
        for place, state in wanted.items():
            self._others[place] = state

            def told(kind: str, what: Any, place: str = place, state: State = state) -> None:
                with self.in_kernel(), self._publishing:
                    if self._closed or self._others.get(place) != state:
                        return
                    if kind == DONE:
                        self.shown.value = replace(self.shown.value, **{place: what})
                    else:
                        self.status.value = replace(self.status.value, error=str(what))

            self.runs.want((id(self), place), state.question, told)

    def in_kernel(self) -> AbstractContextManager[Any]:
        """Solara's context of this user, for threads that draw."""
        return self._context if self._context is not None else nullcontext()


def _kernel() -> Any:
    """Solara's context of this user; None outside of a server."""
    from solara.server import kernel_context

    try:
        return kernel_context.get_current_context()
    except RuntimeError:
        return None
