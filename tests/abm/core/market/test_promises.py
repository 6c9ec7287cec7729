"""Announcements judged, against the same in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.market import told

RUNNING, WITHDRAWN, AI = 5, 6, 0


@pytest.mark.parametrize("seed", range(5))
def test_each_announcement_is_judged_once(seed: int) -> None:
    draw = np.random.default_rng(seed)
    n = 40
    kind, status = draw.integers(0, 2, n), draw.integers(0, 7, n)
    announced, expected = draw.integers(-10, 40, n), draw.integers(-5, 60, n)
    judged, rows, seen = np.zeros(n, bool), np.empty(n, np.int64), np.zeros(n, bool)
    for month in (5, 25, 25, 45):
        due = (kind == AI) & (announced <= month) & (expected > 0)
        due &= (status == RUNNING) | (status == WITHDRAWN) | (month - expected >= 12)
        count = told(month, n, AI, RUNNING, WITHDRAWN, kind, status, announced, expected, judged, rows)
        assert rows[:count].tolist() == np.flatnonzero(due & ~seen).tolist()
        seen |= due
        np.testing.assert_array_equal(judged, seen)
