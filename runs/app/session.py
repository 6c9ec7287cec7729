"""One user's page: what it shows, what it asked for, where it was before.

Nothing here is shared between users. What a component reads stands in ``solara.reactive`` variables, so that
only what changed is drawn again.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import solara

from runs.app.drawing import Late, Page
from runs.app.hand import Ahead, Hand
from runs.app.knobs import Knob, Knobs
from runs.app.runs import Runs, Told
from runs.app.state import State, link_of, parse_link
from runs.app.worker import DONE, Question
from runs.views.runview import RunView
from runs.views.texts import LANGUAGES, Texts, texts

MOST_PAST = 100
NO_POLICY = "no-policy"

ECHO_S = 0.9
"""After a move the page draws where the sliders stand together with what comes of it, or after this time.

The browser shows both by itself; what it is told sooner costs the run that it waits for.
"""

EARLY, LATE = 0.5, 0.4
"""What runs ahead of the hand goes on where it will end at most so much of a run before, or after, the hand is there."""


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
    stamp: int = 0
    """The last slider move that nothing more will come of."""


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
        self.state = Late(state)
        self.pinned = solara.reactive(pinned)
        self.shown = solara.reactive(Shown())
        self.status = Late(Status(busy=True))
        self.link_problems = solara.reactive(tuple(wrong))
        self.past: Late[tuple[State, ...]] = Late((state,))
        self.at = Late(0)
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
        self.page = Page(self.state, self.past, self.at, self.status)
        self._asked = itertools.count(1)
        self._latest = 0
        self._drawn = 0
        self._stamp = 0
        self._moved = "", 1
        """The slider that moved last, and which way."""
        self._hand = Hand()
        self._moving = threading.Lock()
        """Taken by those who follow the hand."""
        self._lock = threading.Lock()
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
    def taken(self) -> int:
        """Number of the last slider move that is in the state."""
        return self._stamp

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
            self._stamp = stamp
            self.status.value = replace(self.status.peek(), stamp=stamp)
            return
        self._moved = name, 1 if value >= self.values()[name] else -1
        state = self.state.value.having(name, value)
        with self._moving:
            self._hand.moved(name, value, time.monotonic())
            self._went_past(name)
            self._stamp = stamp
            patience = self._hand.patience() if self._lead(state) else 0.0
            settling = self._hand.slows()
        self._show_state(state, late=True, patience=patience, settling=settling)

    def point(self, name: str, value: float) -> None:
        """The pointer rests on a slider: what a press there would ask for is foreseen."""
        knob = self.knobs.of.get(name)
        nearest = None if knob is None else knob.nearest(value)
        if nearest is not None and nearest != self.values()[name]:
            self.runs.foresee(self, [self.state.value.having(name, nearest).question])

    def commit(self) -> None:
        """The move has ended: it becomes a state to come back to."""
        with self._moving:
            self._hand.rest()
            self.runs.pool.rest(self)
        state = self.state.value
        past = self.past.value[: self.at.value + 1]
        if past[-1] == state:
            return
        past = (*past, state)[-MOST_PAST:]
        self.past.put(past)
        self.at.put(len(past) - 1)
        if not self.page.expected:  # else it is drawn with the move
            self.page.draw()

    def set(self, state: State) -> None:
        """Show another state, and remember it."""
        with self.page.together():
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
        self.page.close()
        if self.work.peek().get("job") is not None:
            self.work.peek()["job"].cancel()
        for asker in (self, (id(self), "pinned"), (id(self), "bare")):
            self.runs.pool.forget(asker)

    # -- asking and being told ---------------------------------------------------------------
    def _show_state(self, state: State, late: bool = False, **how: Any) -> None:
        """Ask for a state. ``late``: the browser shows by itself where its sliders stand, and that it waits."""
        if state == self.state.value and self.shown.value.state == state:
            self.status.put(replace(self.status.value, stamp=self._stamp))
            self.page.draw()
            return
        bare_before = self._bare_of(self.state.value)
        # The question goes out first, so that the run goes on while the page draws. Where the run is kept, the
        # answer is drawn by another thread, at once.
        self.state.put(state)
        kept = self.runs.kept(state.question) is not None
        self._ask(state, **how)
        if late and not kept:
            self.page.draw_soon(ECHO_S)
        elif not kept:
            self.page.draw()
        if self._bare_of(state) != bare_before:
            self._ask_others()

    @staticmethod
    def _bare_of(state: State) -> State:
        return replace(state, package=NO_POLICY, settings=())

    def _ask(self, state: State, **how: Any) -> None:
        with self._lock:
            self._latest = number = next(self._asked)
            stamp = self._stamp
        self.status.put(replace(self.status.value, busy=True, error=""))
        self.runs.want(self, state.question, self._teller(number, state, stamp), **how)

    def _teller(self, number: int, state: State, stamp: int) -> Told:
        """What is to happen with the answer that stands at ``number`` among the answers."""

        def told(kind: str, what: Any) -> None:
            self._go_on()
            with self.page.publishing:
                if self._closed or number < self._drawn:
                    return  # a newer one is on the page
                latest = number == self._latest
                with self.page.together():
                    self._publish(kind, what, number, latest, state, stamp)
                if latest and number != self._latest:  # the hand moved on while this was drawn
                    latest = False
                    self.status.put(replace(self.status.peek(), busy=True))
                    self.page.draw()
            if kind == DONE and latest and not self._closed:
                self._foresee(state)

        return told

    def _publish(self, kind: str, what: Any, number: int, latest: bool, state: State, stamp: int) -> None:
        """Put an answer on the page; one that fails is of interest where nothing newer was asked."""
        status = self.status.peek()
        dealt = max(stamp, status.stamp) if latest else status.stamp
        if kind == DONE:
            self._drawn = number
            self.shown.value = replace(self.shown.value, view=what, state=state, stamp=stamp)
            self.status.put(Status(not latest, "", what.record.wall_s, what.run_id, dealt))
        elif latest:
            self._drawn = number  # what was asked before comes too late, too
            self.status.put(replace(status, busy=False, error=str(what), stamp=dealt))
        self.page.draw()

    # -- ahead of the hand -------------------------------------------------------------------
    def _lead(self, state: State) -> bool:
        """Have computed what lies on the way of the hand, from ``state`` on; whether there is something."""
        runs = self.runs.pool.leading(self)
        if runs is not None and runs[0] == state.question:
            return False  # the hand is there: the question takes the run over
        knob = self.knobs.of[self._hand.name]
        found = self._aim(knob, state, runs)
        if found is None:
            self.runs.lead(self, None, lambda *_: None)
            return False
        there = state.having(knob.name, found.value)

        def told(kind: str, what: Any) -> None:
            if kind == DONE and found.number:  # the hand has just gone past it
                self._teller(found.number, there, found.stamp)(kind, what)
            elif kind == DONE:
                self._go_on()

        self.runs.lead(self, there.question, told)
        return True

    def _go_on(self) -> None:
        """A run has ended: while the hand moves, the next begins at once."""
        with self._moving:
            if not self._closed and self._hand.still_for(time.monotonic()) < self._hand.patience():
                self._lead(self.state.peek())

    def _aim(self, knob: Knob, state: State, runs: tuple[Question, float] | None) -> Ahead | None:
        """What the hand will be at when a run begun now has ended; what ``runs`` early stays while it is on the way."""
        hand, usual = self._hand, self.runs.pool.usual
        if hand.slows():
            return None
        if runs is not None and hand.ahead:
            question, seconds = runs
            last, left = hand.ahead[-1], max(usual - seconds, 0.0)
            if state.having(knob.name, last.value).question == question:
                if last.number and left < LATE * usual:
                    return last
                if not last.number and hand.until(last) < left + EARLY * usual:
                    return last
        there = hand.value_in(usual + hand.still_for(time.monotonic()))
        if there is None:
            return None
        target = knob.nearest(min(max(there, knob.low), knob.high))
        if target is None or target == state.values.get(knob.name):
            return None
        if self.runs.kept(state.having(knob.name, target).question) is not None:
            return None
        return hand.aim(target)

    def _went_past(self, name: str) -> None:
        """Show the last of what the hand went past just now, where it is there already."""
        ready = None
        for one in self._hand.passed():
            state = self.state.value.having(name, one.value)
            one.number, one.stamp = next(self._asked), self._stamp
            view = self.runs.kept(state.question)
            if view is not None:
                ready = view, self._teller(one.number, state, one.stamp)
        if ready is not None:
            self.runs.tell(*ready)

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
                with self.page.publishing, self.page.together():
                    if self._closed or self._others.get(place) != state:
                        return
                    if kind == DONE:
                        self.shown.value = replace(self.shown.value, **{place: what})
                    else:
                        self.status.value = replace(self.status.value, error=str(what))

            self.runs.want((id(self), place), state.question, told)
