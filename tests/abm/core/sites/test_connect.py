"""Dates of the connection, against the rule written site by site."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.sites import connect

NEVER, PASSED, DECIDED = 1_000_000, 3, 4
MONTH, HANDOVER, SUBSTATION, NONFIRM = 40, 3, 24, 10


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000))
def test_dates_are_those_of_each_site_by_itself(seed: int) -> None:
    draw = np.random.default_rng(seed)
    sites, counted, lines, speed = 14, 12, 4, draw.uniform(0.2, 1.5)
    status = draw.integers(0, 7, sites)
    permit_due = draw.choice([20, MONTH, MONTH + 1, NEVER], sites)
    before, nonfirm = draw.random(sites) < 0.3, draw.random(sites) < 0.3
    assessed, expected = draw.integers(10, MONTH + 1, sites), draw.integers(MONTH - 10, MONTH + 30, sites)
    line = draw.integers(-1, lines, sites)
    line_ready, line_left = draw.choice([12, 55, NEVER], lines), draw.uniform(-1.0, 30.0, lines)
    mw = draw.uniform(5.0, 90.0, sites)
    equipment = mw * draw.choice([0.5, 1.0], sites)
    permitted, connected = draw.choice([30, NEVER], sites), draw.choice([35, NEVER, NEVER], sites)
    ready = np.full(sites, NEVER)
    was = permitted.copy(), ready.copy(), connected.copy()
    terms = np.array([MONTH, PASSED, DECIDED, NEVER, HANDOVER, SUBSTATION, NONFIRM])
    connect.foresee(
        terms, speed, counted, status, permit_due, before, nonfirm, assessed, expected, line, line_ready, line_left,
        equipment, mw, permitted, ready, connected,
    )  # fmt: skip

    for row in range(sites):
        permit, at, done = (int(column[row]) for column in was)
        if row < counted and status[row] in (PASSED, DECIDED):
            if permit == NEVER and permit_due[row] <= MONTH:
                permit = MONTH
            if done == NEVER:
                at = int(assessed[row]) + (NONFIRM if nonfirm[row] else SUBSTATION)
                if before[row]:
                    at = int(expected[row]) - HANDOVER
                if line[row] >= 0 and line_ready[line[row]] < NEVER:
                    at = max(at, int(line_ready[line[row]]))
                elif line[row] >= 0:
                    at = max(at, MONTH + 1 + max(math.ceil(line_left[line[row]] / speed - 1e-9), 0))
                if at <= MONTH and status[row] == DECIDED and equipment[row] == mw[row]:
                    done = MONTH
        assert (permitted[row], ready[row], connected[row]) == (permit, at, done)


def test_lines_serve_when_their_work_is_done_and_pools_gain_what_is_paid_for() -> None:
    """A line is looked at before the month's work; one that serves already is left alone."""
    ready, left = np.array([NEVER, NEVER, -1, NEVER]), np.array([0.0, 0.5, 0.0, 3.0])
    headroom = np.array([10.0, -4.0])
    growth = np.array([120.0, 24.0])
    assert connect.advance(MONTH, NEVER, 0.8, 0.5, growth, ready, left, headroom) == 1
    assert ready.tolist() == [MONTH, NEVER, -1, NEVER]
    assert left.tolist() == [-0.8, 0.5 - 0.8, 0.0, 3.0 - 0.8]
    assert headroom.tolist() == [15.0, -3.0]
    assert connect.advance(MONTH + 1, NEVER, 0.0, 0.0, growth, ready, left, headroom) == 1
    assert ready.tolist() == [MONTH, MONTH + 1, -1, NEVER]
    assert headroom.tolist() == [15.0, -3.0]
