"""The log keeps who decided what on which values, and does not repeat a standing answer every month."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from abm.decisions import Decisions, Intent

WISH = Intent("platform", "apply", "south-one", 40.0, "MW", {"headroom_mw": 12}, "own capital", 3)


def test_an_intent_is_granted_in_full_unless_said_otherwise() -> None:
    log = Decisions()
    log.note(4, WISH)
    log.note(5, WISH, granted=0.0)
    assert [(r.month, r.amount, r.granted) for r in log.records] == [(4, 40.0, 40.0), (5, 40.0, 0.0)]
    first = log.records[0]
    assert (first.who, first.verb, first.subject, first.unit) == ("platform", "apply", "south-one", "MW")


def test_what_bound_the_phase_stands_before_what_bound_the_wish() -> None:
    log = Decisions()
    log.note(0, WISH)
    log.note(0, WISH, bound="grid assessment")
    log.note(0, replace(WISH, bound=""))
    assert [record.bound for record in log.records] == ["own capital", "grid assessment", ""]


def test_values_are_written_down_as_they_were() -> None:
    log, values = Decisions(), {"headroom_mw": 12}
    log.note(0, replace(WISH, values=values))
    values["headroom_mw"] = 99
    assert log.records[0].values == {"headroom_mw": 12.0}
    assert isinstance(log.records[0].values["headroom_mw"], float)


def test_the_log_is_read_by_subject_and_by_person_in_order() -> None:
    log = Decisions()
    for month, (who, subject) in enumerate([("a", "x"), ("b", "x"), ("a", "y"), ("a", "x")]):
        log.note(month, replace(WISH, who=who, subject=subject))
    assert [record.month for record in log.about("x")] == [0, 1, 3]
    assert [record.month for record in log.by("a")] == [0, 2, 3]
    assert list(log.about("nothing")) == []


@settings(deadline=None)
@given(st.integers(1, 24), st.integers(0, 30))
def test_a_standing_answer_is_written_once_a_period(every: int, start: int) -> None:
    log = Decisions()
    for month in range(start, start + 60):
        log.repeat(month, WISH, 0.0, "no headroom", every)
    assert [record.month for record in log.records] == list(range(start, start + 60, every))


def test_a_new_reason_is_written_at_once_and_starts_a_new_period() -> None:
    log = Decisions()
    reasons = ["no headroom"] * 5 + ["no line"] * 14 + ["no headroom"]
    for month, reason in enumerate(reasons):
        log.repeat(month, WISH, 0.0, reason)
    assert [(record.month, record.bound) for record in log.records] == [
        (0, "no headroom"),
        (5, "no line"),
        (17, "no line"),
        (19, "no headroom"),
    ]


def test_each_person_verb_and_subject_has_a_standing_answer_of_its_own() -> None:
    log = Decisions()
    wishes = [
        WISH,
        replace(WISH, who="fund"),
        replace(WISH, verb="invest"),
        replace(WISH, subject="south-two"),
    ]
    for month in (0, 1):
        for wish in wishes:
            log.repeat(month, wish, 0.0, "no headroom")
    assert [record.month for record in log.records] == [0, 0, 0, 0]


def test_a_change_in_what_bound_the_wish_itself_counts_as_a_new_reason() -> None:
    log = Decisions()
    log.repeat(0, WISH, 0.0)
    log.repeat(1, WISH, 0.0)
    log.repeat(2, replace(WISH, bound="patience"), 0.0)
    assert [record.month for record in log.records] == [0, 2]
