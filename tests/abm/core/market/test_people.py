"""Needs for people and announcements judged, against the same in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.market import needs, told

RUNNING, WITHDRAWN, AI = 5, 6, 0


@pytest.mark.parametrize("seed", range(5))
def test_owners_need_people_by_the_megawatts_that_they_run(seed: int) -> None:
    draw = np.random.default_rng(seed)
    sites, cast = 12, 6
    status, kind, owner = draw.integers(4, 7, sites), draw.integers(0, 2, sites), draw.integers(0, 3, sites)
    mw, load, living = draw.uniform(1.0, 50.0, sites), draw.uniform(0.0, 90.0, 4), draw.uniform(0.0, 9.0, 2)
    place = np.array([2, 0, 1, -1, -1, -1])
    need = np.empty(6)
    total = needs(
        sites, RUNNING, AI, status, kind, owner, mw, place, 3, 1.5, load, living, 4.0, 70.0, need
    )  # fmt: skip
    online = (status == RUNNING) & (kind == AI)
    by_owner = np.bincount(owner[online], mw[online], cast)[[1, 2, 0]]
    expected = 1.5 * load.sum() * by_owner / max(by_owner.sum(), 1e-300)
    np.testing.assert_allclose(need, [*expected, *(4.0 * living), 70.0])
    assert total == pytest.approx(need.sum())


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
