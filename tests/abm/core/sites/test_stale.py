"""Announcements that fade, against the rule written site by site."""

from __future__ import annotations

import numpy as np

from abm.core.sites.stale import stale


def test_only_announced_sites_without_a_sponsor_and_past_their_time_are_found() -> None:
    draw = np.random.default_rng(0)
    status, sponsor = draw.integers(0, 3, 200), draw.random(200) < 0.5
    expected, rows = draw.integers(10, 20, 200), np.empty(200, np.int64)
    found = stale(150, 1, 15, status, sponsor, expected, rows)
    by_hand = [r for r in range(150) if status[r] == 1 and not sponsor[r] and expected[r] < 15]
    assert rows[:found].tolist() == by_hand
    assert by_hand
