"""Capacity that the years ahead bring, against the same sums written in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.sites import ahead

PASSED, DECIDED, RUNNING, AI = 3, 4, 5, 0


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_standing_replaced_and_coming_machines_add_up(seed: int) -> None:
    draw = np.random.default_rng(seed)
    sites, vintages, years, month = 9, 3, 8, 40
    status, kind = draw.integers(2, 6, sites), draw.integers(0, 2, sites)
    expected = draw.integers(20, 160, sites)
    ready = np.where(draw.random(sites) < 0.5, draw.integers(20, 160, sites), ahead.FAR)
    mw = draw.uniform(1.0, 50.0, sites)
    chips = draw.uniform(0.0, 100.0, (sites, vintages)) * (draw.random((sites, vintages)) < 0.5)
    chips[:, 2] = 0.0  # a vintage that nobody has yet
    age = draw.uniform(-30.0, 40.0, (sites, vintages))
    h100e, kw = np.array([1.0, 2.5, 7.0]), np.array([1.0, 1.4, 2.0])
    newest = np.minimum(np.arange(years) // 2, 2)
    terms = np.empty(ahead.TERMS)
    terms[[ahead.MONTH, ahead.LIFE_MONTHS, ahead.REPLACEMENT_CHANCE]] = month, 60.0, 0.8
    terms[[ahead.PIPELINE_CHANCE, ahead.MW_PER_KW]] = 0.6, 1.3e-3
    out = np.empty(years)
    ahead.supply_ahead(
        terms,
        sites,
        PASSED,
        DECIDED,
        status,
        kind,
        expected,
        ready,
        AI,
        mw,
        chips,
        age,
        h100e,
        kw,
        newest,
        out,
    )

    slots = chips.sum(0)
    born = (chips * age).sum(0) / np.where(slots > 0.0, slots, 1.0)
    under_way = (kind == AI) & ((status == PASSED) | (status == DECIDED))
    chance = np.where(status == DECIDED, 0.6, 0.3)
    opening = np.maximum(expected, np.where(ready < ahead.FAR, ready, month))
    wait = np.maximum((opening - month) / 12.0, 0.0)
    for k in range(years):
        best = newest[k]
        lasts = month + 12 * k - born < 60.0
        standing = (slots * h100e)[lasts].sum()
        replaced = 0.8 * (slots * kw)[~lasts].sum() / kw[best] * h100e[best]
        coming = (mw * chance)[under_way & (wait <= k)].sum() / (kw[best] * 1.3e-3) * h100e[best]
        assert out[k] == pytest.approx(standing + replaced + coming)
