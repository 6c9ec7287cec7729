"""One user's page: moves, history, what is compared, and what happens when things go wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runs.app.knobs import knobs_of
from runs.app.runs import Runs, view_of
from runs.app.session import Session
from runs.app.state import State
from runs.app.worker import BAD, DONE, FAILED, Question, compute
from runs.views.runview import RunView

_VIEWS: dict[Question, RunView] = {}


def view(question: Question) -> RunView:
    if question not in _VIEWS:
        _VIEWS[question] = view_of(question, compute(question, lambda: False))
    return _VIEWS[question]


class FakePool:
    usual = 0.39

    def __init__(self) -> None:
        self.led: tuple[Question, float] | None = None

    def forget(self, asker: Any) -> None:
        """Nothing waits here."""

    rest = forget

    def leading(self, asker: Any) -> tuple[Question, float] | None:
        return self.led


class FakeRuns(Runs):
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.pool = FakePool()  # type: ignore[assignment]
        self.asked: list[tuple[Any, Question, Any]] = []
        self.foreseen: list[Question] = []
        self.leads: list[tuple[Question | None, Any]] = []
        self.patience: list[float] = []
        self.have: dict[Question, RunView] = {}
        self.told: list[tuple[RunView, Any]] = []
        self.settling = False

    def kept(self, question: Question) -> RunView | None:
        return self.have.get(question)

    def want(
        self, asker: Any, question: Question, told: Any, patience: float = 0.0, settling: bool = False
    ) -> None:
        self.asked.append((asker, question, told))
        self.patience.append(patience)
        self.settling = settling

    def lead(self, asker: Any, question: Question | None, told: Any) -> None:
        self.leads.append((question, told))

    def tell(self, view: RunView, told: Any) -> None:
        self.told.append((view, told))

    def foresee(self, asker: Any, questions: Any) -> None:
        self.foreseen = list(questions)

    def answer(self, at: int, kind: str = DONE, what: Any = None) -> None:
        _, question, told = self.asked[at]
        told(kind, view(question) if what is None else what)

    def of(self, session: Session) -> list[int]:
        return [at for at, (asker, _, _) in enumerate(self.asked) if asker is session]


@pytest.fixture
def pair() -> tuple[Session, FakeRuns]:
    runs = FakeRuns()
    session = Session(runs, knobs_of("toy"))
    session.start = State(world="toy", package="no-policy", seed=1)
    session.state.value = session.pinned.value = session.start
    session.past.value = (session.start,)
    return session, runs


def test_after_a_move_the_next_steps_of_the_same_slider_are_foreseen_the_way_it_went_first(pair):
    session, runs = pair
    session.move("pue", 1.2)
    session.move("pue", 1.21)
    runs.answer(runs.of(session)[0])
    assert not runs.foreseen, "the hand is already further on"
    runs.answer(runs.of(session)[1])
    step = session.knobs.of["pue"].step
    assert [dict(question.settings)["pue"] for question in runs.foreseen] == [
        round(1.21 + step, 9), round(1.21 - step, 9)
    ]  # fmt: skip
    session.move("pue", session.knobs.of["pue"].high)
    runs.answer(runs.of(session)[2])
    assert len(runs.foreseen) == 1, "beyond its end there is no step"


def test_where_the_pointer_rests_on_a_slider_the_run_of_a_press_there_is_foreseen(pair):
    session, runs = pair
    knob = session.knobs.of["pue"]
    session.point("pue", knob.low + 3.4 * knob.step)
    pointed = runs.foreseen
    session.move("pue", knob.beside(knob.low, 3))
    assert pointed == [runs.asked[runs.of(session)[0]][1]], "just what a press then asks for"
    for name, value in (
        ("pue", knob.beside(knob.low, 3)),
        ("no-such", 1.0),
        ("pue", float("nan")),
        ("pue", 1e9),
    ):
        runs.foreseen = []
        session.point(name, value)
        assert not runs.foreseen, (name, value)


def test_a_move_asks_at_once_and_its_end_makes_one_state_of_history(pair):
    session, runs = pair
    for value in (1.1, 1.15, 1.2):
        session.move("pue", value)
    assert [runs.asked[at][1].settings for at in runs.of(session)] == [
        (("pue", 1.1),),
        (("pue", 1.15),),
        (("pue", 1.2),),
    ]
    assert len(session.past.value) == 1
    session.commit()
    session.commit()
    assert [state.values for state in session.past.value] == [{}, {"pue": 1.2}]


def test_undo_redo_and_reset_give_back_exactly_what_was(pair):
    session, _ = pair
    session.set(session.state.value.having("pue", 1.1))
    session.set(replace(session.state.value, seed=3))
    session.reset()
    assert session.state.value == session.start
    session.undo()
    assert session.state.value == replace(session.start, seed=3, settings=(("pue", 1.1),))
    session.undo()
    assert session.state.value.seed == 1
    session.redo()
    assert session.state.value.seed == 3
    session.reset_one("pue")
    assert session.state.value.settings == ()
    assert not session.can_redo


def test_undo_in_the_middle_of_a_drag_takes_the_drag_back(pair):
    session, _ = pair
    session.move("pue", 1.3)
    session.undo()
    assert session.state.value == session.start
    session.redo()
    assert session.state.value.values == {"pue": 1.3}


def test_a_late_answer_to_an_old_question_never_replaces_a_newer_one(pair):
    session, runs = pair
    session.move("pue", 1.1, 1)
    session.move("pue", 1.2, 2)
    first, second = runs.of(session)
    runs.answer(second)
    assert session.shown.value.state.values == {"pue": 1.2}
    assert session.shown.value.stamp == 2
    runs.answer(first)
    assert session.shown.value.state.values == {"pue": 1.2}
    assert not session.status.value.busy


def test_an_answer_that_comes_while_dragging_is_shown_and_the_page_stays_busy(pair):
    session, runs = pair
    session.move("pue", 1.1, 1)
    session.move("pue", 1.2, 2)
    runs.answer(runs.of(session)[0])
    assert session.shown.value.state.values == {"pue": 1.1}
    assert session.status.value.busy


@pytest.mark.parametrize("kind", [BAD, FAILED])
def test_a_run_that_fails_is_told_in_place_and_the_last_result_stays(pair, kind):
    session, runs = pair
    session.move("pue", 1.1)
    runs.answer(runs.of(session)[0])
    shown = session.shown.value
    session.move("pue", 1.2)
    runs.answer(runs.of(session)[1], kind, "it broke")
    assert session.shown.value == shown
    assert session.status.value.error == "it broke"
    assert not session.status.value.busy
    session.move("pue", 1.3)
    assert session.status.value.error == ""
    runs.answer(runs.of(session)[2])
    assert session.shown.value.state.values == {"pue": 1.3}


def test_an_overtaken_failure_is_not_told(pair):
    session, runs = pair
    session.move("pue", 1.1)
    session.move("pue", 1.2)
    runs.answer(runs.of(session)[0], FAILED, "old news")
    assert session.status.value.error == ""


def test_what_is_out_of_range_or_unknown_moves_nothing(pair):
    session, runs = pair
    for name, value in (("pue", 99.0), ("pue", float("nan")), ("no-such", 1.0)):
        session.move(name, value)
    assert session.state.value == session.start
    assert runs.of(session) == []


def test_pinning_compares_with_that_state_from_then_on(pair):
    session, runs = pair
    session.set(session.state.value.having("pue", 1.1))
    session.pin()
    assert session.pinned.value.values == {"pue": 1.1}
    pinned = [at for at, (asker, _, _) in enumerate(runs.asked) if asker == (id(session), "pinned")]
    runs.answer(pinned[-1])
    assert session.shown.value.pinned is view(session.pinned.value.question)
    session.pin(session.start)
    runs.answer(pinned[-1])  # too late: something else is pinned now
    assert session.pinned.value == session.start


def test_a_closed_page_is_told_nothing(pair):
    session, runs = pair
    session.move("pue", 1.1)
    before = session.shown.value
    session.close()
    runs.answer(runs.of(session)[0])
    assert session.shown.value == before


def test_two_sessions_share_nothing_that_changes():
    runs = FakeRuns()
    one, two = (Session(runs, knobs_of("toy")) for _ in range(2))
    one.set(one.state.value.having("pue", 1.1))
    one.language.value = "ko"
    assert two.state.value.settings == ()
    assert two.language.value == "en"
    assert len(two.past.value) == 1


def test_a_link_opens_where_it_was_made(pair):
    session, runs = pair
    session.set(session.state.value.having("pue", 1.1))
    session.language.value = "ko"
    link = session.link({"month": "12", "ask": "Ulsan 1"})
    again = Session(runs, knobs_of("toy"), link)
    assert again.state.value == session.state.value
    assert again.language.value == "ko"
    assert again.month.value == 12
    assert again.subject.value == "Ulsan 1"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moment that a session takes it to be."""
    now = [100.0]
    monkeypatch.setattr("runs.app.session.time.monotonic", lambda: now[0])
    return now


def drag(
    session: Session, clock: list[float], values: list[float], first: int = 1, between: float = 0.1
) -> None:
    for stamp, value in enumerate(values, first):
        session.move("pue", value, stamp)
        clock[0] += between


def test_while_a_hand_drags_what_it_will_be_at_when_a_run_has_ended_is_computed_first(pair, clock):
    session, runs = pair
    drag(session, clock, [1.1, 1.11])
    assert runs.leads[-1][0] is None, "too little is known of the hand"
    assert runs.patience[-1] == 0.0
    drag(session, clock, [1.12], first=3)
    question, _ = runs.leads[-1]
    assert dict(question.settings) == {"pue": 1.16}, "a run of 0.4 s at a step every 0.1 s"
    assert runs.patience[-1] > 0.1, "where the hand is now can wait while it moves"
    runs.pool.led = question, 0.1
    drag(session, clock, [1.13, 1.14, 1.15], first=4)
    assert {asked for asked, _ in runs.leads[2:]} == {question}, "it is still on its way there"
    leads = len(runs.leads)
    drag(session, clock, [1.16], first=7)
    assert len(runs.leads) == leads, "it is there: what it asks takes the run over"
    session.commit()
    drag(session, clock, [1.2], first=8)
    assert runs.leads[-1][0] is None, "it let go in between"


def test_a_hand_that_turns_or_slows_is_taken_at_its_place(pair, clock):
    session, runs = pair
    drag(session, clock, [1.1, 1.11, 1.12])
    runs.pool.led = runs.leads[-1][0], 0.1
    drag(session, clock, [1.1], first=4)
    assert runs.leads[-1][0] is None, "it turned"
    drag(session, clock, [1.12, 1.14, 1.16], first=5, between=0.05)
    far = runs.leads[-1][0]
    runs.pool.led = far, 0.0
    assert not runs.settling
    drag(session, clock, [1.165, 1.17], first=8, between=0.05)
    assert runs.leads[-1][0] is None, "it slows down: where it is may be where it stays"
    assert runs.settling
    assert runs.patience[-1] == 0.0


def test_what_the_hand_has_just_gone_past_is_shown_for_the_move_before_and_the_page_stays_busy(pair, clock):
    session, runs = pair
    drag(session, clock, [1.1, 1.11, 1.12])
    question, arrived = runs.leads[-1]
    runs.have[question] = view(question)
    arrived(DONE, runs.have[question])
    assert not runs.told
    assert session.shown.value.view is None, "the hand is not there yet"
    drag(session, clock, [1.13, 1.15, 1.17], first=4)
    ((found, told),) = runs.told
    told(DONE, found)
    assert session.shown.value.state.values == {"pue": 1.16}
    assert session.shown.value.stamp == 5
    assert session.status.value.busy
    runs.answer(runs.of(session)[-1])
    assert session.shown.value.stamp == 6
    assert not session.status.value.busy
    told(DONE, found)
    assert session.shown.value.stamp == 6, "a newer one is on the page"


def test_a_run_that_ends_just_after_the_hand_went_past_is_shown(pair, clock):
    session, runs = pair
    drag(session, clock, [1.1, 1.11, 1.12])
    question, arrived = runs.leads[-1]
    runs.pool.led = question, 0.3
    drag(session, clock, [1.15, 1.17], first=4)
    assert runs.leads[-1][0] == question, "it has nearly ended"
    arrived(DONE, view(question))
    assert session.shown.value.stamp == 4
    runs.pool.led = None
    drag(session, clock, [1.19], first=6)
    assert runs.leads[-1][0] != question, "and the next begins"


def test_a_move_is_drawn_with_what_comes_of_it(pair):
    session, runs = pair
    session.move("pue", 1.1, 1)
    session.commit()
    assert session.page.expected, "or soon, where that takes long"
    assert (session.state.value.values, len(session.past.value)) == ({"pue": 1.1}, 2), (
        "but it is true at once"
    )
    assert session.state._drawn == session.start
    runs.answer(runs.of(session)[-1])
    assert session.state._drawn.values == {"pue": 1.1}
    assert session.status._drawn.stamp == 1
    session.close()


def test_a_move_that_changes_nothing_leaves_nobody_waiting(pair):
    session, runs = pair
    session.move("pue", 1.1, 1)
    runs.answer(runs.of(session)[-1])
    asked = len(runs.asked)
    session.move("pue", 1.1, 2)
    assert session.status.value.stamp == 2
    session.move("pue", 1e9, 3)
    assert session.status.value.stamp == 3
    assert len(runs.asked) == asked


def test_a_failure_is_not_undone_by_an_older_answer(pair):
    session, runs = pair
    session.move("pue", 1.1, 1)
    session.move("pue", 1.2, 2)
    first, second = runs.of(session)
    runs.answer(second, FAILED, "no")
    runs.answer(first)
    assert (session.status.value.busy, session.status.value.error) == (False, "no")
    assert session.status.value.stamp == 2


def test_a_move_that_is_refused_does_not_come_back(pair):
    session, runs = pair
    session.move("pue", 1.1, 1)
    session.move("pue", 1e9, 2)
    runs.answer(runs.of(session)[-1])
    assert (session.status.value.stamp, session.taken) == (2, 2)
    assert not session.status.value.busy


def test_a_closed_page_leads_nowhere(pair, clock):
    session, runs = pair
    drag(session, clock, [1.1, 1.11, 1.12])
    leads = len(runs.leads)
    session.close()
    runs.answer(runs.of(session)[-1])
    assert len(runs.leads) == leads
