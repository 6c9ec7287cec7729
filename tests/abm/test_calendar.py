"""Months are counted, written and grouped into years as a calendar on the wall would have them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.calendar import NEVER, Calendar, month_text, parse_month

absolutes = st.integers(12, 12 * 9999 + 11)
calendars = st.builds(Calendar, st.integers(12 * 1900, 12 * 2200), st.integers(1, 600))


@settings(deadline=None)
@given(absolutes)
def test_a_month_survives_writing_and_reading(absolute: int) -> None:
    assert parse_month(month_text(absolute)) == absolute


@pytest.mark.parametrize(
    "text", ["", "2027", "2027-00", "2027-13", "2027-1", "27-01", "2027/01", "2027-01-01", "soon", "-2027-01"]
)
def test_what_is_no_month_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM"):
        parse_month(text)


def test_both_ends_belong_to_the_run() -> None:
    calendar = Calendar.between("2025-01", "2028-12")
    assert calendar.months == 48
    assert calendar.text(0) == "2025-01"
    assert calendar.text(47) == "2028-12"
    assert Calendar.between("2025-06", "2025-06").months == 1


def test_a_run_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ends \(2024-12\) before it starts \(2025-01\)"):
        Calendar.between("2025-01", "2024-12")


@settings(deadline=None)
@given(calendars, st.integers(-600, 1200))
def test_index_undoes_text_before_within_and_after_the_run(calendar: Calendar, month: int) -> None:
    assert calendar.index(calendar.text(month)) == month


@settings(deadline=None)
@given(calendars, st.integers(-600, 1200))
def test_year_month_days_and_date_agree_with_the_standard_library(calendar: Calendar, month: int) -> None:
    first, following = calendar.date(month), calendar.date(month + 1)
    assert (first.year, first.month - 1) == (calendar.year(month), calendar.month_of_year(month))
    assert calendar.days(month) == (following - first).days
    assert calendar.hours(month) == 24.0 * calendar.days(month)


def test_a_leap_year_has_its_extra_day() -> None:
    calendar = Calendar.between("2027-01", "2028-12")
    assert sum(map(calendar.hours, calendar.months_of_year(2027))) == 8760.0
    assert sum(map(calendar.hours, calendar.months_of_year(2028))) == 8784.0
    assert calendar.date(13) == datetime.date(2028, 2, 1)


@settings(deadline=None)
@given(calendars)
def test_the_years_of_a_run_share_out_its_months_exactly_once(calendar: Calendar) -> None:
    shared = [month for year in calendar.years for month in calendar.months_of_year(year)]
    assert shared == list(range(calendar.months))
    assert all(
        calendar.year(month) == year for year in calendar.years for month in calendar.months_of_year(year)
    )


def test_a_year_outside_the_run_has_no_months() -> None:
    calendar = Calendar.between("2025-07", "2026-06")
    assert not calendar.months_of_year(2024)
    assert not calendar.months_of_year(2027)
    assert len(calendar.months_of_year(2025)) == len(calendar.months_of_year(2026)) == 6


@settings(deadline=None)
@given(calendars)
def test_never_lies_beyond_every_run(calendar: Calendar) -> None:
    assert calendar.months < NEVER
