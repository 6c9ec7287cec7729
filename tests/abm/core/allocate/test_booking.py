"""Sums by edge, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.allocate import book


def test_amounts_are_added_to_their_edges_and_to_no_other() -> None:
    draw = np.random.default_rng(3)
    edges, amounts, moved = draw.integers(-1, 7, 40), draw.random(40), np.ones(7)
    book(edges, amounts, moved)
    there = edges >= 0
    assert moved == pytest.approx(1.0 + np.bincount(edges[there], amounts[there], 7))
