"""Indicators by month and by year; what no month defined stays undefined instead of turning into zero."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.calendar import Calendar
from abm.series import Indicator, Recorder

CALENDAR = Calendar.between("2025-11", "2027-02")
RULES = ("last", "sum", "mean", "max")


def recorder(*rules: str, calendar: Calendar = CALENDAR) -> Recorder:
    return Recorder([Indicator(rule, rule, "", "unit", rule, "") for rule in rules], calendar)


def filled(values: list[float | None], calendar: Calendar = CALENDAR) -> Recorder:
    one = recorder(*RULES, calendar=calendar)
    for month, value in enumerate(values):
        one.record(month, {} if value is None else dict.fromkeys(RULES, value))
    return one


def test_a_year_is_made_of_its_months_as_the_indicator_declares() -> None:
    one = filled([float(month) for month in range(CALENDAR.months)])
    assert one.yearly("last") == {2025: 1.0, 2026: 13.0, 2027: 15.0}
    assert one.yearly("sum") == {2025: 1.0, 2026: 90.0, 2027: 29.0}
    assert one.yearly("mean") == {2025: 0.5, 2026: 7.5, 2027: 14.5}
    assert one.yearly("max") == {2025: 1.0, 2026: 13.0, 2027: 15.0}


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(-1e9, 1e9), min_size=CALENDAR.months, max_size=CALENDAR.months))
def test_undefined_months_are_left_out_and_an_undefined_year_is_none(values: list[float | None]) -> None:
    one = filled(values)
    for year in CALENDAR.years:
        months = [values[month] for month in CALENDAR.months_of_year(year)]
        known = [value for value in months if value is not None]
        if not known:
            assert all(one.yearly(rule)[year] is None for rule in RULES)
            continue
        assert one.yearly("last")[year] == months[-1]
        assert one.yearly("max")[year] == max(known)
        assert one.yearly("sum")[year] == math.fsum(known)
        assert one.yearly("mean")[year] == pytest.approx(math.fsum(known) / len(known), rel=1e-12, abs=1e-12)


def test_the_end_of_a_run_is_its_last_month_or_its_last_year() -> None:
    one = filled([float(month) for month in range(CALENDAR.months)])
    assert [one.final(rule) for rule in RULES] == [15.0, 29.0, 14.5, 15.0]
    assert one.last("sum") == 15.0


def test_before_the_first_month_nothing_is_known() -> None:
    one = recorder(*RULES)
    assert math.isnan(one.last("sum"))
    assert all(one.final(rule) is None for rule in RULES)
    assert one.frame().height == 0


def test_an_indicator_that_comes_later_stays_undefined_even_if_measured() -> None:
    one = Recorder([Indicator("a", "m", "", "", "sum", "", later="needs a mechanism")], CALENDAR)
    one.record(0, {"m": 5.0})
    assert one.yearly("a") == {2025: None, 2026: None, 2027: None}


def test_a_measure_goes_to_whoever_it_is_about() -> None:
    one = Recorder([Indicator(f"score.{who}", "score", who, "", "last", "") for who in ("a", "b")], CALENDAR)
    one.name_members({"score": ["c", "b"], "other": ["a"]})
    one.record(0, {"score": 9.0}, {"score": [5.0, 2.0], "other": np.array([9.0])})
    assert math.isnan(one.last("score.a"))
    assert one.last("score.b") == 2.0
    one.record(1, {}, {})
    assert math.isnan(one.last("score.b"))


def test_one_measure_may_be_of_all_and_of_each() -> None:
    whos = ("", "b", "a")
    one = Recorder([Indicator(f"share{who}", "share", who, "", "last", "") for who in whos], CALENDAR)
    one.name_members({"share": ["a", "b"]})
    one.record(0, {"share": 1.0}, {"share": [0.25, 0.75]})
    assert [one.last(f"share{who}") for who in whos] == [1.0, 0.75, 0.25]


def test_the_frame_has_a_row_a_recorded_month_and_null_where_undefined() -> None:
    one = filled([1.0, None, 3.0])
    frame = one.frame()
    assert frame.columns == ["month", *RULES]
    assert frame["month"].to_list() == [
        datetime.date(2025, 11, 1),
        datetime.date(2025, 12, 1),
        datetime.date(2026, 1, 1),
    ]
    assert frame["mean"].to_list() == [1.0, None, 3.0]
    assert np.isnan(one.values[3:]).all()


def test_a_name_that_is_not_recorded_is_an_error() -> None:
    with pytest.raises(KeyError, match="nonesuch"):
        recorder("sum").yearly("nonesuch")
