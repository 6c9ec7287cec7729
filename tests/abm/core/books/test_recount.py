"""Stocks counted by compiled code are the sums that NumPy finds."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.books import recount

SITES, OWNERS, MONTHS = 9, 3, 6


@pytest.mark.parametrize("count", range(SITES + 1))
def test_owners_hold_what_stands_at_their_sites(count: int) -> None:
    draw = np.random.default_rng(count)
    owner = draw.integers(0, OWNERS, SITES)
    chips, store, paid = draw.random((SITES, 5)), draw.random((SITES, 5)), draw.random((SITES, 4))
    held = np.full((recount.STOCKS, OWNERS), np.nan)
    recount.owners(count, owner, chips, store, paid, held)
    machines = np.bincount(owner[:count], (chips + store)[:count].sum(1), OWNERS)
    assert held[recount.MACHINES] == pytest.approx(machines)
    assert held[recount.EQUITY] == pytest.approx(-np.bincount(owner[:count], paid[:count].sum(1), OWNERS))


@pytest.mark.parametrize("count", range(SITES + 1))
def test_pipelines_are_summed_over_the_sites_there_are(count: int) -> None:
    first, makers = 4, 3
    pipeline = np.random.default_rng(count).random((MONTHS, first + makers * SITES))
    to_sites = pipeline[:, first:].reshape(MONTHS, makers, SITES)[:, :, :count]
    assert recount.on_the_way(pipeline, first, SITES, count) == pytest.approx(to_sites.sum())
    edges = np.array([3, 0, 17])
    assert recount.on_edges(pipeline, edges) == pytest.approx(pipeline[:, edges].sum())
