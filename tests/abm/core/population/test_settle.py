"""A month of more firms than a block holds: sums, ranks and counts against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.population import columns as at
from abm.core.population.settle import BLOCK, across
from tests.abm.firms import TRAITS, live, population

GROUPS = {"north": TRAITS, "south": {**TRAITS, "firms": 300.0}}


def test_rows_are_added_across() -> None:
    sums, totals = np.random.default_rng(1).random((3, BLOCK)), np.full(3, 9.0)
    across(sums, totals)
    np.testing.assert_allclose(totals, sums.sum(axis=1), rtol=1e-14)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 3 * BLOCK + 5), st.floats(0.0, 1.0), st.integers(0, 9))
def test_who_stays_moves_up_in_order_with_all_that_is_known_of_it(rows: int, share: float, seed: int) -> None:
    one = population(rows, seed, GROUPS, startup_first_runway=1.0)
    n = len(one)
    leaves = np.random.default_rng(seed).random(n) < share
    one.firm[at.CASH, :n][leaves] = -1e12
    before, tags, weight = one.firm.copy(), one.tag.copy(), one.weight.copy()
    found = live(one)
    stay = np.flatnonzero(~leaves)
    assert len(one) == len(stay)
    for column in (at.WEIGHT, at.NEED, at.BURN, at.QUALITY, at.PRUDENCE):
        np.testing.assert_array_equal(one.column(column), before[column, stay])
    np.testing.assert_array_equal(one.tag[:, : len(stay)], tags[:, stay])
    assert found["exits"] == pytest.approx(weight[leaves].sum(), rel=1e-12)
    assert found["burn"] == pytest.approx(weight @ before[at.BURN, :n], rel=1e-12)
    assert found["defaulted"] == pytest.approx(1e12 * weight[leaves].sum(), rel=1e-3)
    for g, who in enumerate(GROUPS):
        assert one.alive_of(who) == pytest.approx(weight[stay][tags[at.GROUP, stay] == g].sum(), rel=1e-12)


def test_stocks_are_the_weighted_sums_of_the_rows() -> None:
    one = population(2 * BLOCK + 7, groups=GROUPS)
    one.firm[at.DEBT] = np.linspace(0.0, 3e7, one.firm.shape[1])
    assert one.cash() == pytest.approx(one.weight @ one.column(at.CASH), rel=1e-13)
    assert one.debt() == pytest.approx(one.weight @ one.column(at.DEBT), rel=1e-13)
