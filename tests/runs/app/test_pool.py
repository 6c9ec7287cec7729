"""The pool of processes: the latest question wins, askers take turns, and a process that dies is replaced."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runs.app.pool import Pool
from runs.app.runs import Runs
from runs.app.worker import BAD, DONE, FAILED, GivenUp, Question, answer, compute
from tests.runs.app import slow as slow_process
from tests.runs.app.slow import wait_until

TOY = Question("toy", "baseline", "no-policy", 1)


class Told:
    """Answers, in the order in which they came."""

    def __init__(self) -> None:
        self.answers: list[tuple[Any, str, Any]] = []
        self._came = threading.Condition()

    def to(self, label: Any) -> Any:
        def told(kind: str, payload: Any) -> None:
            with self._came:
                self.answers.append((label, kind, payload))
                self._came.notify_all()

        return told

    def wait(self, count: int, seconds: float = 60.0) -> list[tuple[Any, str, Any]]:
        with self._came:
            assert self._came.wait_for(lambda: len(self.answers) >= count, seconds), self.answers
            return list(self.answers)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    made = Pool(1, TOY)
    yield made
    made.close()


def toy(seed: int) -> Question:
    return Question("toy", "baseline", "no-policy", seed)


def test_a_question_is_answered_with_the_figures_of_the_same_run_in_this_process(pool):
    told = Told()
    pool.ask("a", toy(5), told.to("a"))
    _, kind, payload = told.wait(1)[0]
    assert kind == DONE
    there, here = pickle.loads(payload), compute(toy(5), lambda: False)
    assert there["run_id"] == here["run_id"]
    assert there["values"].tobytes() == here["values"].tobytes()


def test_of_many_questions_of_one_asker_only_few_are_run_and_the_last_is_answered(pool):
    told = Told()
    for seed in range(40):
        pool.ask("drag", toy(seed), told.to(seed))
    deadline = time.monotonic() + 60
    while not (told.answers and told.answers[-1][0] == 39) and time.monotonic() < deadline:
        time.sleep(0.02)
    labels = [label for label, _, _ in told.answers]
    assert labels[-1] == 39
    assert labels == sorted(labels)
    assert len(labels) < 10  # never a queue


def test_a_hand_that_never_rests_is_answered_while_it_moves(pool):
    told = Told()
    began = time.monotonic()
    seed = 100
    while len(told.answers) < 3 and time.monotonic() - began < 60:
        seed += 1
        pool.ask("restless", toy(seed), told.to(seed))
        time.sleep(0.004)
    assert len(told.answers) >= 3
    assert all(kind == DONE for _, kind, _ in told.answers)


def test_askers_take_turns(pool):
    told = Told()
    for asker in ("x", "y", "z"):
        for seed in (1, 2, 3):
            pool.ask(asker, toy(seed), told.to((asker, seed)))
    deadline = time.monotonic() + 60
    wanted = {("x", 3), ("y", 3), ("z", 3)}
    while not wanted <= {label for label, _, _ in told.answers} and time.monotonic() < deadline:
        time.sleep(0.02)
    assert wanted <= {label for label, _, _ in told.answers}


def test_what_is_foreseen_is_run_while_nobody_waits_and_kept(pool):
    runs, told = Runs(pool), Told()
    runs.foresee("a", [toy(201), toy(202)])
    deadline = time.monotonic() + 60
    while runs.kept(toy(202)) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    view = runs.kept(toy(201))
    assert view is not None
    runs.want("a", toy(201), told.to("asked"))
    assert told.wait(1)[0][2] is view


def _running_ahead(pool: Pool) -> bool:
    return any(worker.job is not None and worker.job.ahead for worker in pool._workers)


def test_a_question_takes_over_the_run_that_was_begun_for_it(pool):
    told, early = Told(), Told()
    asked = Question("korea", "baseline", "as-announced", 31)
    pool.foresee("a", [(asked, early.to("ahead"))])
    deadline = time.monotonic() + 20
    while not _running_ahead(pool) and time.monotonic() < deadline:
        time.sleep(0.002)
    [job] = [worker.job for worker in pool._workers if worker.job]
    pool.ask("a", asked, told.to("asked"))
    assert told.wait(1)[0][:2] == ("asked", DONE)
    assert not early.answers
    with pool._lock:
        assert pool._tickets == job.ticket + 1, "no second run was begun"


def test_what_is_foreseen_anew_ends_what_was_foreseen_before_and_goes_on_with_the_same(pool):
    old, new = Told(), Told()
    first, second = (Question("korea", "baseline", "as-announced", seed) for seed in (34, 35))
    pool.foresee("a", [(first, old.to("first"))])
    deadline = time.monotonic() + 20
    while not _running_ahead(pool) and time.monotonic() < deadline:
        time.sleep(0.002)
    [job] = [worker.job for worker in pool._workers if worker.job]
    pool.foresee("a", [(first, new.to("again"))])
    assert [worker.job for worker in pool._workers if worker.job] == [job]
    assert not any(worker.stopping for worker in pool._workers)
    pool.foresee("a", [(second, new.to("second"))])
    assert new.wait(1)[0][:2] == ("second", DONE)
    assert not old.answers


def test_any_other_question_ends_what_runs_ahead(pool):
    told, early = Told(), Told()
    pool.foresee("a", [(Question("korea", "baseline", "as-announced", 32), early.to("ahead"))])
    deadline = time.monotonic() + 20
    while not _running_ahead(pool) and time.monotonic() < deadline:
        time.sleep(0.002)
    pool.ask("b", toy(33), told.to("asked"))
    assert told.wait(1)[0][:2] == ("asked", DONE)
    assert not early.answers
    pool.forget("a")


def test_the_run_that_warmed_a_process_up_answers_whoever_asks_for_it_later(pool):
    told = Told()
    pool.ask("early", toy(9), told.to("another"))
    told.wait(1)
    for asker in ("late", "later"):
        pool.ask(asker, TOY, told.to(asker))
    _, late, later = told.wait(3)
    assert late[1:] == later[1:] == (DONE, pool._warmth)
    assert pickle.loads(late[2])["run_id"] == compute(TOY, lambda: False)["run_id"]


def test_a_second_process_waits_until_the_first_answer_has_been_drawn(monkeypatch):
    monkeypatch.setattr("runs.app.pool.FIRST_PAGE_S", 0.5)
    pool = Pool(2, TOY)
    try:
        deadline = time.monotonic() + 60
        while not pool._warmth and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.7)
        assert len(pool.pids()) == 1, "nobody has been answered yet"
        told = Told()
        pool.ask("a", TOY, told.to("a"))
        told.wait(1)
        assert len(pool.pids()) == 1
        while len(pool.pids()) == 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(pool.pids()) == 2
    finally:
        pool.close()


def test_a_bad_question_is_told_and_the_next_is_answered(pool):
    told = Told()
    pool.ask("a", Question("toy", "no-such", "no-policy", 1), told.to("bad"))
    told.wait(1)
    pool.ask("a", Question("toy", "baseline", "no-policy", 1, (("pue", 99.0),)), told.to("range"))
    told.wait(2)
    pool.ask("a", toy(8), told.to("good"))
    answers = told.wait(3)
    assert [(label, kind) for label, kind, _ in answers] == [("bad", BAD), ("range", BAD), ("good", DONE)]
    assert "no-such" in answers[0][2]


def test_a_process_that_dies_is_told_of_and_replaced():
    pool = Pool(1, None)
    try:
        told = Told()
        pool.ask("a", toy(1), told.to("first"))
        told.wait(1)
        [pid] = pool.pids()
        pool.ask("a", Question("korea", "baseline", "as-announced", 1), told.to("killed"))
        deadline = time.monotonic() + 20
        while not any(worker.job for worker in pool._workers) and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(pid, signal.SIGKILL)
        label, kind, text = told.wait(2)[1]
        assert (label, kind) == ("killed", FAILED)
        assert "ended" in text
        pool.ask("a", toy(2), told.to("after"))
        assert told.wait(3)[2][:2] == ("after", DONE)
        assert pool.pids() != [pid]
    finally:
        pool.close()


def test_a_run_stops_within_a_month_of_being_given_up():
    asked = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) > 3

    with pytest.raises(GivenUp):
        compute(toy(1), stopped)
    assert len(asked) == 4


def test_a_run_that_raises_is_an_answer_not_an_end(monkeypatch):
    from runs.app import worker

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a month without days")

    monkeypatch.setattr(worker, "compute", broken)
    kind, text = answer(toy(1), lambda: False)
    assert kind == FAILED
    assert "ZeroDivisionError: a month without days" in text


def test_finished_runs_are_kept_once_for_everybody_and_no_more_than_asked(pool):
    runs = Runs(pool, kept=2)
    told = Told()
    for seed in (11, 12, 13):
        runs.want("a", toy(seed), told.to(seed))
        told.wait(seed - 10)
    assert runs.kept(toy(11)) is None
    assert runs.kept(toy(13)) is not None
    before = len(told.answers)
    runs.want("b", toy(13), told.to("again"))
    again = told.wait(before + 1)[-1]
    assert again[2] is runs.kept(toy(13))
    with pytest.raises(ValueError, match="read-only"):
        again[2].values("gpus_online")[0] = 1.0


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    """A pool whose runs take a set time."""
    monkeypatch.setattr("runs.app.process.serve", slow_process.serve)
    made = Pool(1, None)
    wait_until(lambda: made._workers[0].ready)
    made.usual, made._timed = slow_process.RUN_S, True
    yield made
    made.close()


def labels(told: Told) -> list[Any]:
    return [label for label, _, _ in told.answers]


def test_what_a_hand_leads_to_runs_in_place_of_the_questions_in_between_and_is_taken_over_on_arrival(slow):
    told = Told()
    for seed in range(10, 14):
        slow.lead("hand", (toy(14), told.to("early")))
        slow.ask("hand", toy(seed), told.to(seed), patience=5.0)
        time.sleep(0.03)
    question, seconds = slow.leading("hand")
    assert question == toy(14)
    assert 0.0 < seconds < slow_process.RUN_S
    began = time.monotonic()
    slow.ask("hand", toy(14), told.to(14), patience=5.0)
    told.wait(1)
    assert labels(told) == [14], "nothing in between was run, and who arrives takes the run over"
    assert time.monotonic() - began < 0.95 * slow_process.RUN_S, "it had begun before"


def test_a_patient_question_is_run_once_its_asker_rests_or_its_patience_is_over(slow):
    for patience in (0.1, 0.7 * slow_process.RUN_S):
        told = Told()
        slow.lead("hand", (toy(20), told.to("early")))
        wait_until(lambda: slow.leading("hand"))
        slow.ask("hand", toy(21), told.to("asked"), patience=patience)
        if patience > 0.1:
            slow.rest("hand")
        told.wait(1)
        assert labels(told) == ["asked"], patience
        assert slow.leading("hand") is None


def test_what_a_hand_leads_to_is_kept_while_it_is_the_same_and_given_up_for_another(slow):
    told = Told()
    slow.lead("hand", (toy(30), told.to(30)))
    wait_until(lambda: slow.leading("hand"))
    slow.lead("hand", (toy(30), told.to("again")))
    assert slow.leading("hand")[0] == toy(30)
    slow.lead("hand", (toy(31), told.to(31)))
    told.wait(1)
    assert labels(told) == [31]
    slow.lead("hand", (toy(32), told.to(32)))
    wait_until(lambda: slow.leading("hand"))
    slow.lead("hand", None)
    slow.ask("other", toy(33), told.to(33))
    told.wait(2)
    assert labels(told) == [31, 33]


def test_a_hand_that_always_goes_elsewhere_is_answered_all_the_same(slow):
    told, end = Told(), time.monotonic() + 6 * slow_process.RUN_S
    seed = 40
    while not told.answers and time.monotonic() < end:
        seed += 1
        slow.lead("hand", (toy(1000 + seed), told.to("early")))
        slow.ask("hand", toy(seed), told.to("asked"), patience=30.0)
        time.sleep(0.25 * slow_process.RUN_S)
    assert labels(told) == ["asked"]


def test_who_has_an_answer_from_elsewhere_needs_nothing_of_what_was_asked_before(slow):
    told = Told()
    slow.ask("hand", toy(50), told.to(50))
    wait_until(lambda: slow._workers[0].job)
    slow.ask("hand", toy(51), told.to(51))
    slow.drop("hand")
    slow.ask("other", toy(52), told.to(52))
    told.wait(1)
    assert labels(told) == [52]


def test_the_question_of_a_hand_that_comes_to_rest_takes_the_place_of_one_that_is_further_on(slow):
    for settling, answers in ((True, [61]), (False, [62, 63])):
        told = Told()
        first, second = (61, 60) if settling else (63, 62)
        slow.ask("hand", toy(second), told.to(second))
        time.sleep(0.35 * slow_process.RUN_S)
        slow.ask("hand", toy(first), told.to(first), settling=settling)
        told.wait(len(answers))
        assert labels(told) == answers


def test_where_processes_are_to_spare_the_questions_in_between_are_run_as_well(monkeypatch):
    monkeypatch.setattr("runs.app.process.serve", slow_process.serve)
    monkeypatch.setattr("runs.app.pool.FIRST_PAGE_S", 0.0)
    pool, told = Pool(4, None), Told()
    try:
        pool.ask("other", toy(69), told.to("first"))
        told.wait(1)
        wait_until(lambda: len(pool._workers) == 4 and all(worker.ready for worker in pool._workers))
        pool.lead("hand", (toy(72), told.to("early")))
        pool.ask("hand", toy(70), told.to(70), patience=30.0)
        wait_until(lambda: len(pool._of("hand")) == 2)
        assert pool.leading("hand")[0] == toy(72)
        pool.ask("other", toy(71), told.to(71))
        told.wait(4)
        assert sorted(map(str, labels(told))) == ["70", "71", "early", "first"]
    finally:
        pool.close()


def test_hands_that_lead_leave_processes_to_those_who_ask(slow):
    told, hands = Told(), Told()
    for turn in range(3):
        slow.lead(f"hand {turn}", (toy(800 + turn), hands.to(turn)))
    wait_until(lambda: any(worker.job for worker in slow._workers))
    slow.ask("other", toy(80), told.to("other"))
    end = time.monotonic() + 8 * slow_process.RUN_S
    turn = 3
    while not told.answers and time.monotonic() < end:
        turn += 1
        slow.lead(f"hand {turn % 3}", (toy(800 + turn), hands.to(turn)))
        slow.ask(f"hand {turn % 3}", toy(900 + turn), hands.to(turn), patience=5.0)
        time.sleep(0.05)
    assert labels(told) == ["other"]


def test_a_process_that_dies_leaves_nobody_starving(slow):
    told = Told()
    slow.ask("hand", toy(90), told.to("first"))
    wait_until(lambda: slow._workers[0].job)
    os.kill(slow.pids()[0], signal.SIGKILL)
    told.wait(1)
    time.sleep(2.5 * slow_process.RUN_S)
    slow.lead("hand", (toy(91), told.to("early")))
    told.wait(2)
    assert labels(told) == ["first", "early"]


def test_a_run_that_a_hand_has_left_behind_is_given_up_for_what_it_leads_to_unless_it_is_far_on(slow):
    for begun_for, answers in ((0.3, ["early"]), (0.8, ["first", "early"])):
        told = Told()
        slow.ask("hand", toy(95), told.to("first"))
        wait_until(lambda: slow._workers[0].job)
        time.sleep(begun_for * slow_process.RUN_S)
        slow.lead("hand", (toy(97), told.to("early")))
        slow.ask("hand", toy(96), told.to("between"), patience=5.0)
        told.wait(len(answers))
        slow.drop("hand")
        assert labels(told) == answers
