"""Needs for people and who has how many, against the same in NumPy and by :func:`ration`."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.allocate import RULES, Rule, join, ration, staff
from abm.core.allocate.people import FOUND, NEEDED, WORST

RUNNING, AI = 5, 0


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("enough", [0.0, 0.3, 0.9, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_people_go_where_megawatts_and_firms_are_and_are_shared_by_the_rule(
    seed: int, enough: float, rule: Rule
) -> None:
    draw = np.random.default_rng(seed)
    sites, cast = 12, 6
    status, kind, owner = draw.integers(4, 7, sites), draw.integers(0, 2, sites), draw.integers(0, 3, sites)
    mw, load, living = draw.uniform(1.0, 50.0, sites), draw.uniform(0.0, 90.0, 4), draw.uniform(0.0, 9.0, 2)
    living[seed % 2] = 0.0
    place, tier = np.array([2, 0, 1, -1, -1, -1]), draw.integers(1, 4, 6)
    online = (status == RUNNING) & (kind == AI)
    by_owner = np.bincount(owner[online], mw[online], cast)[[1, 2, 0]]
    expected = np.array([*(1.5 * load.sum() * by_owner / max(by_owner.sum(), 1e-300)), *(4.0 * living), 70.0])
    whole = expected.sum()
    need, served, found = np.empty(6), np.full(6, 0.125), np.empty(FOUND)
    staff(
        sites, RUNNING, AI, status, kind, owner, mw, place, 3, 1.5, load, living, 4.0, 70.0, RULES.index(rule), tier,
        enough * whole, need, served, found,
    )  # fmt: skip
    np.testing.assert_allclose(need, expected)
    assert found[NEEDED] == pytest.approx(whole)
    if found[NEEDED] <= enough * whole:
        assert found[WORST] == 1.0
        assert (served == 1.0).all()
        return
    got = ration(
        need, enough * whole, weights=need, rule=rule, share=need / max(found[NEEDED], 1.0), tier=tier
    ).granted
    some = need > 0.0
    np.testing.assert_allclose(served[some], got[some] / need[some], rtol=1e-14)
    assert found[WORST] == served[some].min()
    assert (served[~some] == 0.125).all(), "who needs nobody has what he had"


@pytest.mark.parametrize("short", [0.0, 1.0])
def test_those_trained_go_where_people_are_missing(short: float) -> None:
    draw = np.random.default_rng(4)
    edges, need = np.array([3, -1, 0, 3]), draw.uniform(1.0, 9.0, 4)
    served = 1.0 - short * draw.uniform(0.1, 0.9, 4)
    moved, asked = np.full(5, 1.0), np.full(5, 2.0)
    join(60.0, edges, need, served, moved, asked)
    missing = need * (1.0 - served) * (edges >= 0)
    by_edge = np.bincount(edges[edges >= 0], missing[edges >= 0], 5)
    assert asked - 2.0 == pytest.approx(by_edge)
    assert moved - 1.0 == pytest.approx(60.0 * by_edge / max(by_edge.sum(), 1e-300))
