"""Where the hand goes: what is on its way, and when nothing can be said."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.app.hand import STILL_S, Hand


def moving(speed: float, between: float = 0.05, moves: int = 8, start: float = 10.0) -> Hand:
    hand = Hand()
    for turn in range(moves):
        hand.moved("pue", start + speed * between * turn, between * turn)
    return hand


@given(
    speed=st.floats(0.01, 1e4) | st.floats(-1e4, -0.01),
    between=st.floats(0.01, 0.2),
    seconds=st.floats(0.0, 2.0),
)
def test_a_steady_hand_is_expected_at_its_first_move_after_that_time(speed, between, seconds):
    hand = moving(speed, between, moves=5)
    now = hand._trail[-1][1]
    gone = (hand.value_in(seconds) - now) / speed
    assert seconds * (1 - 1e-6) - 1e-9 <= gone <= (seconds + between) * (1 + 1e-6) + 1e-9


def test_too_few_moves_say_nothing():
    assert Hand().value_in(0.4) is None
    assert moving(3.0, moves=2).value_in(0.4) is None
    assert moving(3.0, moves=3).value_in(0.4) is not None


@pytest.mark.parametrize(
    ("name", "value", "after"), [("pue", 10.1, 0.05), ("pue", 11.0, STILL_S[1] + 0.1), ("other", 11.0, 0.05)]
)
def test_a_turn_a_pause_and_another_slider_begin_anew(name, value, after):
    hand = moving(10.0, moves=4)
    hand.aim(14.0)
    hand.moved(name, value, 0.15 + after)
    assert hand.value_in(0.4) is None
    assert not hand.ahead
    assert hand.name == name


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_what_the_hand_goes_past_is_told_once_and_in_order(way):
    hand = moving(10.0 * way, moves=3)  # now at 10 + way
    far, near, on = (hand.aim(10.0 + way * at) for at in (1.8, 1.4, 2.0))
    assert not hand.passed()
    hand.moved("pue", 10.0 + 2.0 * way, 0.15)
    assert hand.passed() == [near, far]
    assert on not in hand.ahead, "it is there"
    near.number = far.number = 7
    assert not hand.passed()
    hand.moved("pue", 10.0 + 2.5 * way, 0.2)
    assert not hand.passed()


def test_how_long_until_it_is_there():
    hand = moving(10.0, moves=3)
    assert hand.until(hand.aim(13.0)) == pytest.approx(0.2)
    assert hand.until(hand.aim(10.5)) == 0.0
    still = Hand()
    still.moved("pue", 1.0, 0.0)
    assert math.isinf(still.until(still.aim(2.0)))


def test_a_slow_hand_has_more_patience_with_itself_within_limits():
    assert moving(10.0, between=0.02).patience() == STILL_S[0]
    assert moving(10.0, between=0.15, moves=4).patience() == pytest.approx(0.3)
    assert moving(10.0, between=0.4, moves=3).patience() <= STILL_S[1]
    assert Hand().still_for(5.0) == math.inf


def test_a_hand_that_comes_to_rest_slows_and_a_steady_one_does_not():
    assert not moving(10.0).slows()
    hand = moving(10.0, moves=6)
    hand.moved("pue", 12.6, 0.3)
    assert not hand.slows(), "once may be chance"
    hand.moved("pue", 12.7, 0.35)
    assert hand.slows()
    few = moving(10.0, moves=3)
    few.moved("pue", 11.1, 0.15)
    few.moved("pue", 11.2, 0.2)
    assert not few.slows()
