"""Amounts with units, months and texts: what is accepted, and what is said otherwise."""

from __future__ import annotations

import datetime
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.calendar import parse_month
from policies.reading import (
    Problems,
    Unreadable,
    read_amount,
    read_month,
    read_text,
    read_whole,
    same_unit,
    unknown,
)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (8, "GW/year"),
        (8.0, "GW/year"),
        ("8 GW/year", "GW/year"),
        ("8GW/yr", "GW/year"),
        ("8e0 GW / year", "GW/year"),
        ("8 months", "month"),
        ("8 month", "months"),
        ("8 KRW/t", "currency/t"),
        ("8 currency/t", "currency/t"),
        ("+8.0 GPUs/year", "GPU/year"),
        ("8 share", "share"),
    ],
)
def test_an_amount_may_carry_its_unit(value: object, unit: str) -> None:
    assert read_amount(value, unit, 0, 10, currency="KRW") == 8.0


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (13, "found 13, allowed 0 to 12 GW/year"),
        (12.0000001, "found 12.0000001, allowed 0 to 12 GW/year"),
        ("13 GW/year", "found 13, allowed 0 to 12 GW/year"),
        ("8 GW", "found the unit 'GW', expected the unit 'GW/year'"),
        ("8 MW/year", "found the unit 'MW/year', expected the unit 'GW/year'"),
        ("8", "found the text '8', expected a number, such as 15 or \"15 GW/year\""),
        ("much", "found 'much', expected a number"),
        ("", "found '', expected a number"),
        (True, "found true, expected a number in GW/year"),
        ([1], "found a list, expected a number in GW/year"),
        ({"a": 1}, "found a table, expected a number in GW/year"),
        (math.nan, "found nan, expected a finite number in GW/year"),
        (math.inf, "found inf, expected a finite number in GW/year"),
        (10**400, "found a number with more than 20 digits, expected a number in GW/year"),
        (datetime.date(2025, 1, 1), "found 2025-01-01, expected a number in GW/year"),
    ],
)
def test_an_unusable_amount_says_what_was_found_and_what_is_allowed(value: object, says: str) -> None:
    with pytest.raises(Unreadable, match="^" + re.escape(says)):
        read_amount(value, "GW/year", 0, 12)


def test_messages_speak_the_worlds_currency() -> None:
    with pytest.raises(Unreadable, match=re.escape("found the unit 'USD/t', expected the unit 'KRW/t'")):
        read_amount("5 USD/t", "currency/t", 0, 10, currency="KRW")
    with pytest.raises(Unreadable, match="found -1, allowed 0 KRW or more"):
        read_amount(-1, "currency", 0, math.inf, currency="KRW")


def test_per_cent_is_told_apart_from_a_share() -> None:
    with pytest.raises(Unreadable, match=re.escape("(1 % is 0.01 share)")):
        read_amount("15 %", "share", 0, 1)


def test_there_is_no_negative_zero() -> None:
    assert math.copysign(1, read_amount(-0.0, "share", 0, 1)) == 1


@settings(deadline=None)
@given(st.floats(-1e12, 1e12), st.sampled_from(["GW", "currency/t", "month", "share"]))
def test_number_and_text_with_unit_read_the_same(number: float, unit: str) -> None:
    assert read_amount(f"{number!r} {unit}", unit) == read_amount(number, unit) == number


@settings(deadline=None)
@given(st.text(st.sampled_from("0123456789eE+-._ %/GWinfa\n²٣"), max_size=12))
def test_no_text_breaks_the_reader(text: str) -> None:
    problems = Problems()
    problems.attempt((), read_amount, text, "GW")
    problems.attempt((), read_month, text)
    problems.attempt((), read_text, text)
    assert all(message.startswith("found ") for _, message in problems)


def test_units_that_differ_are_told_apart() -> None:
    assert same_unit("persons/year", "person/year")
    assert not same_unit("GW", "MW")
    assert not same_unit("mW", "MW")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("2027-13", "found '2027-13', expected a month"),
        ("27-11", "found '27-11', expected a month"),
        ("November 2027", "found 'November 2027', expected a month"),
        (2027, "found 2027, expected a month in quotes"),
        (datetime.date(2027, 11, 3), 'found the date 2027-11-03, expected a month in quotes: "2027-11"'),
        ("0227-11", "found 0227-11, allowed 1990-01 to 2100-12"),
    ],
)
def test_a_bad_month(value: object, says: str) -> None:
    with pytest.raises(Unreadable, match="^" + re.escape(says)):
        read_month(value)


def test_a_good_month() -> None:
    assert read_month("2027-11") == parse_month("2027-11") == 2027 * 12 + 10


def test_whole_numbers() -> None:
    assert read_whole(3.0, "month", 1, 12) == 3
    with pytest.raises(Unreadable, match="whole number of months"):
        read_whole(3.5, "month", 1, 12)


def test_the_nearest_name_or_the_whole_list() -> None:
    assert (
        unknown("gird", "lever", ["grid", "tax"]) == "found 'gird', which is no lever; did you mean 'grid'?"
    )
    assert unknown("xyz", "lever", ["tax", "grid"]) == "found 'xyz', which is no lever; allowed: grid, tax"
    assert "20 names" in unknown("xyz", "lever", [f"lever-{n}" for n in range(20)])


def test_problems_gather_instead_of_stopping() -> None:
    problems = Problems()
    problems.keys(("levers",), {"good": 1, "bda": 2}, ["good", "bad"], "a table")
    assert problems.attempt(("x",), read_text, 5) is None
    assert problems.attempt(("y",), read_text, " text ") == "text"
    assert [path for path, _ in problems] == [("levers", "bda"), ("x",)]
