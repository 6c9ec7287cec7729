"""Buildings under way: how far they come, what they still need, which sites open."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.sites import build as core
from abm.state import AI, DECIDED, ENERGISED, FAB

SITES, COUNT, NEVER = 12, 10, 10**6


def columns(seed: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    mw = draw.uniform(10.0, 200.0, SITES)
    return {
        "status": draw.choice([DECIDED, DECIDED, ENERGISED], SITES),
        "kind": draw.choice([AI, AI, FAB], SITES),
        "mw": mw,
        "built": draw.uniform(0.0, 1.0, SITES),
        "equipment": mw * draw.choice([0.3, 1.0], SITES),
    }


@pytest.mark.parametrize("seed", range(5))
def test_a_building_proceeds_as_crews_and_cooling_reach(seed: int) -> None:
    month, site, draw = 30, columns(seed), np.random.default_rng(100 + seed)
    want = (1.0 - site["built"]) * site["mw"] * draw.choice([0.0, 0.2, 1.0], SITES)
    stock, got = draw.uniform(0.0, 3.0, SITES), draw.uniform(0.0, 8.0, (3, SITES))
    built, equipment, left = site["built"].copy(), site["equipment"].copy(), stock.copy()
    built_in = np.full(SITES, NEVER, np.int64)
    rows, done, short = np.zeros(SITES, np.int64), np.zeros(SITES), np.zeros(SITES, np.int8)
    found = core.progress(
        month, COUNT, AI, site["kind"], site["mw"], built, built_in, equipment, want, left, got, rows, done, short
    )  # fmt: skip
    listed = dict(zip(rows[:found].tolist(), zip(done, short, strict=False), strict=False))
    assert np.array_equal(equipment[:COUNT], (site["equipment"] + got[core.EQUIPMENT])[:COUNT])
    for row in range(COUNT):
        crews, cooling = got[core.CREWS, row], stock[row] + got[core.COOLING, row]
        reach = min(crews, cooling, (1.0 - site["built"][row]) * site["mw"][row])
        amount = reach if site["kind"][row] == AI else want[row]
        after = min(site["built"][row] + amount / site["mw"][row], 1.0)
        after = 1.0 if after > 1.0 - 1e-9 else after
        assert built[row] == pytest.approx(after, rel=1e-12)
        assert (built_in[row] == month) == (after == 1.0 and row in listed)
        if row in listed:
            share, lacks = listed[row]
            assert share == pytest.approx(after - site["built"][row], abs=1e-12)
            scarce = site["kind"][row] == AI and amount < want[row] - 1e-9
            assert lacks == (scarce and (core.CREWS if crews <= cooling else core.COOLING))
        else:
            assert amount == want[row] == 0.0
    assert np.array_equal(built[COUNT:], site["built"][COUNT:])


def test_order_books_count_sites_under_way() -> None:
    site = columns(7)
    under_way = (site["status"] == DECIDED) & (np.arange(SITES) < COUNT)
    given = site["status"], site["kind"], site["mw"], site["built"], site["equipment"]
    assert core.still_needed(COUNT, DECIDED, AI, True, *given) == pytest.approx(
        float((site["mw"] - site["equipment"])[under_way].sum())
    )
    ai = under_way & (site["kind"] == AI)
    assert core.still_needed(COUNT, DECIDED, AI, False, *given) == pytest.approx(
        float((site["mw"] * (1.0 - site["built"]))[ai].sum())
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_site_opens_when_it_is_built_connected_and_due(seed: int) -> None:
    month, site, draw = 30, columns(seed), np.random.default_rng(200 + seed)
    ready, expected, built_in, connected = (draw.choice([20, 30, 31, NEVER], SITES) for _ in range(4))
    before, rows = connected.copy(), np.zeros(SITES, np.int64)
    found = core.opening(
        month, COUNT, DECIDED, NEVER, site["status"], site["mw"], site["equipment"], ready, expected, built_in,
        connected, rows,
    )  # fmt: skip
    under_way = (site["status"] == DECIDED) & (np.arange(SITES) < COUNT)
    now = under_way & (site["equipment"] >= site["mw"]) & (ready <= month) & (before == NEVER)
    assert np.array_equal(connected, np.where(now, month, before))
    opens = under_way & (built_in <= month) & (connected <= month) & (expected <= month)
    assert rows[:found].tolist() == np.flatnonzero(opens).tolist()
