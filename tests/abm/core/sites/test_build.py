"""Buildings under way: how far they come, what they still need, which sites open."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.sites import build as core
from abm.core.sites import settle
from abm.core.sites.draw import BUILDERS
from abm.state import AI, DECIDED, ENERGISED, FAB

SITES, COUNT, NEVER, AGAIN = 12, 10, 10**6, 24


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
    bound, is_shock = draw.integers(0, 2, (3, SITES)).astype(np.int8), np.array([False, True])
    money, shell, waived = (
        draw.uniform(0.5, 2.0, settle.TERMS),
        site["mw"] * 3.0,
        draw.uniform(0.0, 1.0, SITES),
    )
    said, said_in = draw.integers(0, 6, SITES), draw.integers(0, month, SITES)
    before, before_in = said.copy(), said_in.copy()
    rows, told, lacks, payees = np.ones((4, SITES), np.int64)
    spent = np.zeros(SITES)
    found, news = core.progress(
        month, AGAIN, COUNT, AI, money, site["kind"], site["mw"], shell, waived, built, built_in, equipment, want, left,
        got, bound, is_shock, said, said_in, rows, spent, payees, told, lacks,
    )  # fmt: skip
    paid = dict(zip(rows[:found].tolist(), spent.tolist(), strict=False))
    assert (payees[:found] == BUILDERS).all()
    heard = dict(zip(told[:news].tolist(), lacks.tolist(), strict=False))
    assert np.array_equal(equipment[:COUNT], (site["equipment"] + got[core.EQUIPMENT])[:COUNT])
    for row in range(COUNT):
        crews, cooling = got[core.CREWS, row], stock[row] + got[core.COOLING, row]
        reach = min(crews, cooling, (1.0 - site["built"][row]) * site["mw"][row])
        amount = reach if site["kind"][row] == AI else want[row]
        after = min(site["built"][row] + amount / site["mw"][row], 1.0)
        after = 1.0 if after > 1.0 - 1e-9 else after
        assert built[row] == pytest.approx(after, rel=1e-12)
        assert (built_in[row] == month) == (after == 1.0 and (want[row] > 0.0 or amount > 0.0))
        ai, share = site["kind"][row] == AI, after - site["built"][row]
        cost = settle.shell_budget(money, shell[row], site["mw"][row], waived[row]) * share
        assert paid.get(row, 0.0) == pytest.approx(cost if ai else 0.0, rel=1e-9, abs=1e-9)
        lack = 0
        if ai and amount < want[row] - 1e-9:
            lack = core.CREWS if crews <= cooling else core.COOLING
            lack += core.GOODS if is_shock[bound[lack, row]] else 0
        new = lack > 0 and (before[row] != lack or month - before_in[row] >= AGAIN)
        assert heard.get(row, 0) == (lack if new else 0)
        assert (said[row], said_in[row]) == ((lack, month) if new else (before[row], before_in[row]))
    assert np.array_equal(built[COUNT:], site["built"][COUNT:])


def test_order_books_count_sites_under_way() -> None:
    site = columns(7)
    under_way = (site["status"] == DECIDED) & (np.arange(SITES) < COUNT)
    given = site["status"], site["kind"], site["mw"], site["built"], site["equipment"]
    ai = under_way & (site["kind"] == AI)
    assert core.still_needed(COUNT, DECIDED, AI, *given) == pytest.approx(
        (
            float((site["mw"] - site["equipment"])[under_way].sum()),
            float((site["mw"] * (1.0 - site["built"]))[ai].sum()),
        )
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
