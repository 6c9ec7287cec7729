"""A lever moves when its owner acts, a lead time later, and never past its bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.board import Board

MONTHS = 48


@dataclass(frozen=True)
class Lever:
    handle: str
    lead_months: int = 0
    default: float = 10.0
    low: float = 0.0
    high: float = 100.0
    name: str = "a lever"
    unit: str = "ratio"
    owner: str = "energy"
    cost: float = 0.0


def board(*levers: Lever, schedule: Mapping[str, Sequence[tuple[int, float]]] | None = None) -> Board:
    return Board(levers, schedule or {}, (), MONTHS)


def path(one: Board, handle: str = "a") -> list[float]:
    return [one.value(handle, month) for month in range(MONTHS)]


def test_without_acts_every_lever_stands_at_its_default() -> None:
    one = board(Lever("a"), Lever("b", default=3.0))
    assert set(path(one, "a")) == {10.0}
    assert set(path(one, "b")) == {3.0}
    assert one.announced("b") == 3.0
    assert one.acts == []


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, MONTHS - 1), st.floats(0.0, 100.0))
def test_nothing_moves_before_the_lead_time_and_everything_after(lead: int, month: int, value: float) -> None:
    one = board(Lever("a", lead_months=lead))
    act = one.enact("a", value, month, "ministry")
    assert act.effective == month + lead
    assert path(one) == [value if at >= month + lead else 10.0 for at in range(MONTHS)]


def test_an_act_is_announced_at_once_even_where_it_comes_too_late_for_the_run() -> None:
    one = board(Lever("a", lead_months=100))
    one.enact("a", 20.0, 5, "ministry")
    assert one.announced("a") == 20.0
    assert set(path(one)) == {10.0}
    assert [(act.handle, act.value, act.decided, act.effective, act.who) for act in one.acts] == [
        ("a", 20.0, 5, 105, "ministry")
    ]


@settings(deadline=None)
@given(st.floats(-1e6, 1e6))
def test_an_act_is_held_within_the_bounds(value: float) -> None:
    one = board(Lever("a"))
    assert one.enact("a", value, 0, "ministry").value == float(np.clip(value, 0.0, 100.0))
    assert 0.0 <= one.value("a", MONTHS - 1) <= 100.0
    assert one.announced("a") == one.value("a", MONTHS - 1)


def test_a_second_act_waits_its_own_lead_time_while_the_first_holds() -> None:
    one = board(Lever("a", lead_months=6))
    one.enact("a", 20.0, 0, "ministry")
    one.enact("a", 30.0, 2, "ministry")
    assert path(one)[:10] == [10.0] * 6 + [20.0] * 2 + [30.0] * 2


def test_an_act_on_one_lever_leaves_the_others_alone() -> None:
    one = board(Lever("a"), Lever("b"))
    one.enact("b", 50.0, 3, "ministry")
    assert set(path(one, "a")) == {10.0}


@pytest.mark.parametrize("lead", [0, 1, 12])
def test_a_step_decided_a_lead_time_before_the_run_is_in_force_at_its_start(lead: int) -> None:
    decided = min(-lead, -1)
    one = board(Lever("a", lead_months=lead), schedule={"a": [(decided, 40.0)]})
    assert set(path(one)) == {40.0}
    assert one.announced("a") == 40.0


def test_a_step_decided_too_late_before_the_run_is_wanted_but_not_in_force() -> None:
    one = board(Lever("a", lead_months=12), schedule={"a": [(-11, 40.0)]})
    assert set(path(one)) == {10.0}
    assert one.announced("a") == 10.0
    assert one.target("a", 0) == 40.0


def test_the_last_step_before_the_run_wins() -> None:
    one = board(Lever("a"), schedule={"a": [(-24, 40.0), (-12, 60.0)]})
    assert one.value("a", 0) == one.target("a", 0) == 60.0


def test_a_step_during_the_run_is_a_wish_until_somebody_acts() -> None:
    one = board(Lever("a"), schedule={"a": [(0, 40.0), (24, 60.0)]})
    assert [one.target("a", month) for month in (0, 23, 24, MONTHS - 1)] == [40.0, 40.0, 60.0, 60.0]
    assert set(path(one)) == {10.0}


def test_a_trigger_changes_what_is_wanted_from_its_month_on_and_nothing_in_force() -> None:
    one = board(Lever("a"), Lever("b"), schedule={"a": [(0, 40.0), (30, 70.0)]})
    one.retarget({"a": 55.0}, 20)
    assert [one.target("a", month) for month in (0, 19, 20, 30, MONTHS - 1)] == [40.0, 40.0, 55.0, 55.0, 55.0]
    assert one.target("b", 20) == 10.0
    assert set(path(one)) == {10.0}


def test_the_table_of_values_is_what_value_says_and_cannot_be_written() -> None:
    one = board(Lever("a", lead_months=3), Lever("b"))
    one.enact("a", 20.0, 4, "ministry")
    table = one.values()
    np.testing.assert_array_equal(table, np.column_stack([path(one, "a"), path(one, "b")]))
    with pytest.raises(ValueError, match="read-only"):
        table[0, 0] = 1.0


def test_a_lever_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError, match="nonesuch"):
        board(Lever("a")).enact("nonesuch", 1.0, 0, "ministry")


def test_what_is_unsettled_is_what_is_wanted_and_not_yet_decided() -> None:
    one = board(Lever("a", lead_months=12), Lever("b"), schedule={"a": [(5, 40.0)], "b": [(9, 70.0)]})
    assert one.unsettled(("a", "b"), 4) == []
    assert one.unsettled(("b", "a"), 9) == [("b", 70.0, 10.0), ("a", 40.0, 10.0)]
    one.enact("a", 40.0, 9, "ministry")  # decided, if not in force yet
    assert one.unsettled(("a", "b"), 9) == [("b", 70.0, 10.0)]
    assert one.unsettled(("a",), 4) == [("a", 10.0, 40.0)]


def test_levers_above_their_default_cost_what_they_stand_above_it() -> None:
    one = board(
        Lever("a", cost=5.0, default=10.0),
        Lever("b"),
        Lever("c", cost=2.0, default=10.0),
        Lever("d", cost=3.0),
    )
    one.enact("a", 12.0, 0, "ministry")
    one.enact("b", 50.0, 0, "ministry")
    one.enact("c", 4.0, 0, "ministry")
    assert one.programme_costs(1) == [10.0, 0.0, 0.0, 0.0]
