"""What is begun joins what is to come, against NumPy's sums."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.energy import programmes as core


@pytest.mark.parametrize("seed", range(4))
def test_what_is_begun_is_used_and_comes_once(seed: int) -> None:
    draw = np.random.default_rng(seed)
    n, resources, months, zones, technologies = 12, 20, 30, 4, 3
    ready, rows = draw.integers(0, 40, n), draw.permutation(resources)[:n]
    zone, technology = draw.integers(0, zones, n), draw.integers(0, technologies, n)
    mw, direct = draw.uniform(0.0, 50.0, n), draw.uniform(0.0, 50.0, n)
    used, coming, sold = np.ones(resources), np.ones((months, zones, technologies)), np.ones(months)
    edges, moved = draw.integers(-1, 6, n), np.ones(6)
    core.begin(ready, rows, zone, technology, mw, direct, edges, used, coming, sold, moved)
    at = np.minimum(ready, months - 1)
    expected = np.ones_like(coming)
    np.add.at(expected, (at, zone, technology), mw)
    assert coming == pytest.approx(expected)
    assert moved == pytest.approx(1.0 + np.bincount(edges[edges >= 0], mw[edges >= 0], 6))
    assert used == pytest.approx(1.0 + np.bincount(rows, mw, resources))
    assert sold == pytest.approx(1.0 + np.bincount(at, np.minimum(direct, mw), months))
