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
    loan, deposit = draw.random((2, SITES))
    held = np.full(recount.SUMS + 2 * OWNERS, np.nan)
    recount.sites(count, owner, chips, store, paid, loan, deposit, held)
    machines, equity = held[recount.SUMS :].reshape(2, OWNERS)
    assert held[recount.LOANS] == pytest.approx(loan[:count].sum())
    assert held[recount.DEPOSITS] == pytest.approx(deposit[:count].sum())
    assert machines == pytest.approx(np.bincount(owner[:count], (chips + store)[:count].sum(1), OWNERS))
    assert equity == pytest.approx(-np.bincount(owner[:count], paid[:count].sum(1), OWNERS))


@pytest.mark.parametrize("count", range(SITES + 1))
def test_pipelines_are_summed_over_the_sites_there_are(count: int) -> None:
    first, makers = 4, 3
    pipeline = np.random.default_rng(count).random((MONTHS, first + makers * SITES))
    to_sites = pipeline[:, first:].reshape(MONTHS, makers, SITES)[:, :, :count]
    assert recount.on_the_way(pipeline, first, SITES, count) == pytest.approx(to_sites.sum())


def test_memory_is_counted_where_it_travels_waits_and_is_held() -> None:
    draw = np.random.default_rng(0)
    pipeline, stock, held = draw.random((MONTHS, 20)), draw.random(7), draw.random(5)
    feeds, reserve = np.array([3, 0, 17]), np.array([6, 2])
    out = np.full(recount.HELD + 4, np.nan)
    recount.memory(pipeline, feeds, stock, reserve, held, out)
    assert out == pytest.approx([pipeline[:, feeds].sum(), stock[reserve].sum(), *held[:4]])
