"""Sums by edge and by month, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.allocate import Network, State, book


def test_amounts_are_added_to_their_edges_and_to_no_other() -> None:
    draw = np.random.default_rng(3)
    edges, amounts, moved = draw.integers(-1, 7, 40), draw.random(40), np.ones(7)
    book(edges, amounts, moved)
    there = edges >= 0
    assert moved == pytest.approx(1.0 + np.bincount(edges[there], amounts[there], 7))


def test_what_is_due_is_what_will_arrive() -> None:
    """Held against the months themselves: nothing new is ordered after the first."""
    state = State(Network(2, [0, 0, 0], [1, 1, 1], lead=[1, 2, 4], slack=3))
    for orders in ([1.0, 2.0, 4.0], [8.0, 16.0, 32.0]):
        state.month(orders)
    some = [0, 2]
    due = state.due(some, 6)
    came = [float(state.month([0.0, 0.0, 0.0]).arrived[some].sum()) for _ in range(6)]
    assert due == came
    assert sum(due) == 8.0 + 4.0 + 32.0
