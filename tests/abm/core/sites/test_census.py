"""What is counted of sites once a month, against masks in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.sites import census as core

SITES, VINTAGES, OWNERS, MONTH, NEVER = 12, 4, 3, 20, 2**31 - 1
AI, RUNNING, WITHDRAWN = 0, 5, 6
WAITING = np.array([False, False, True, True, True, False, False])
IS_NPU = np.array([False, True, False, False])
IS_LEADER = np.array([True, False, False, True])
H100E = np.array([1.0, 0.4, 2.0, 3.5])


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 10_000), st.integers(0, SITES), st.integers(0, SITES))
def test_every_figure_is_the_sum_over_the_sites_it_is_about(
    seed: int, count: int, announced_rows: int
) -> None:
    draw = np.random.default_rng(seed)
    announced_rows = min(announced_rows, count)

    def months() -> np.ndarray:
        return np.where(draw.random(SITES) < 0.3, NEVER, draw.integers(-5, 40, SITES))

    kind, status, owner = (
        draw.integers(0, 2, SITES),
        draw.integers(0, 7, SITES),
        draw.integers(0, OWNERS, SITES),
    )
    mw, loan, guaranteed = draw.uniform(1.0, 99.0, SITES), draw.random(SITES), draw.random(SITES)
    connected, expected, announced, energised = months(), months(), months(), months()
    before = draw.random(SITES) < 0.2
    chips, store = draw.random((2, SITES, VINTAGES))
    chips[count:] = store[count:] = 0.0
    by_owner, out = np.full(OWNERS, np.nan), np.full(core.FIGURES, np.nan)
    core.census(
        MONTH, count, announced_rows, AI, RUNNING, WITHDRAWN, NEVER, WAITING, kind, status, mw, connected, before,
        expected, announced, energised, owner, chips, store, IS_NPU, IS_LEADER, H100E, loan, guaranteed, by_owner, out,
    )  # fmt: skip

    there = np.arange(SITES) < count
    ai = there & (kind == AI)
    running = ai & (status == RUNNING)
    queue = ai & WAITING[status] & (connected == NEVER) & ~before
    due = (
        ai
        & (np.arange(SITES) < announced_rows)
        & (announced <= MONTH)
        & (expected >= 0)
        & (expected <= MONTH)
    )
    late = np.where(status == RUNNING, np.minimum(energised, MONTH), MONTH) - expected
    alive = due & (status != WITHDRAWN)
    gpus = chips[:, ~IS_NPU].sum(1)
    owned = np.bincount(owner, gpus, OWNERS)
    wanted = {
        core.GPUS: gpus.sum(),
        core.H100E: (chips @ H100E).sum(),
        core.LEADER_H100E: (chips[:, IS_LEADER] @ H100E[IS_LEADER]).sum(),
        core.NPU_H100E: (chips[:, IS_NPU] @ H100E[IS_NPU]).sum(),
        core.OWNED_H100E: ((chips + store) @ H100E).sum(),
        core.SQUARES: (owned**2).sum(),
        core.RUNNING_MW: mw[running].sum(),
        core.QUEUE_MW: mw[queue].sum(),
        core.DUE_MW: mw[due].sum(),
        core.DUE_RUNNING_MW: mw[due & running].sum(),
        core.ALIVE_MW: mw[alive].sum(),
        core.LATE_MW_MONTHS: (mw * np.maximum(late, 0))[alive].sum(),
        core.GUARANTEED: (loan * guaranteed)[there].sum(),
    }
    assert sorted(wanted) == list(range(core.FIGURES))
    assert out == pytest.approx(np.array([wanted[i] for i in range(core.FIGURES)]))
    assert by_owner == pytest.approx(owned)
    for which in range(OWNERS):
        at_work = core.at_work(count, RUNNING, which, status, owner, chips, H100E)
        rows = there & (status == RUNNING) & (owner == which)
        assert at_work == pytest.approx((chips[rows] @ H100E).sum())


@pytest.mark.parametrize("seed", range(5))
def test_capacity_that_runs_is_counted_in_the_zones_asked_for(seed: int) -> None:
    draw, count = np.random.default_rng(seed), SITES - 2
    kind, status, zone = (draw.integers(0, n, SITES) for n in (2, 7, 4))
    status[:4], mw, wanted = RUNNING, draw.uniform(1.0, 99.0, SITES), draw.random(4) < 0.5
    rows = (np.arange(SITES) < count) & (kind == AI) & (status == RUNNING) & wanted[zone]
    found = core.running_mw(count, AI, RUNNING, wanted, kind, status, zone, mw)
    assert found == pytest.approx(mw[rows].sum())
