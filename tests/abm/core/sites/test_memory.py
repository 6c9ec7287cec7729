"""Memory: what is ordered where, what is due, and what a month moved, against the same in plain Python."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.allocate import Network, State
from abm.core.sites import memory as core

FREE, MAKERS, EDGES, NODES = 6, 3, 14, 8
FEEDS = np.array([[e, e % 2, e // 2] for e in range(FREE)] + [[6, 0, 2], [7, 1, 2]], np.int64)
"""Two memory makers to three chip makers; the last of these has reserves too."""
RESERVE, ABROAD = np.array([2, 3]), np.array([8, 9])


def _split(
    feeds: list[list[int]], volume: list[float], left: list[float], orders: np.ndarray, capped: bool
) -> None:
    total = [
        sum(size for feed, size in zip(feeds, volume, strict=True) if feed[2] == c) for c in range(MAKERS)
    ]
    before = list(left)
    for (edge, _, c), size in zip(feeds, volume, strict=True):
        asked = before[c] * size / total[c] if total[c] > 0.0 else 0.0
        orders[edge] = min(asked, size) if capped else asked
        left[c] -= orders[edge]


@pytest.mark.parametrize("seed", range(5))
def test_reserves_are_ordered_first_and_the_rest_by_what_is_under_contract(seed: int) -> None:
    luck = np.random.default_rng(seed)
    offered, output, held = (
        luck.uniform(1.0, 9.0, 4),
        luck.uniform(0.0, 1.0, 2),
        luck.uniform(0.0, 0.4, MAKERS),
    )
    wanted, passes, stock = (
        luck.uniform(0.0, 20.0, MAKERS),
        luck.uniform(0.0, 1.0, 8),
        luck.uniform(0.0, 2.0, NODES),
    )
    held[0] = 0.0  # nothing under contract, nothing ordered
    orders, left = np.full(EDGES, np.nan), wanted.copy()
    sold = core.sell(
        offered, output, held, left, FEEDS, FREE, passes, RESERVE, stock, ABROAD, np.empty(8), np.empty((2, MAKERS)),
        orders,
    )  # fmt: skip
    free = offered[:2] * output
    kept = stock[RESERVE] + offered[2:] * output
    by_hand, rest, feeds = np.full(EDGES, np.nan), wanted.tolist(), FEEDS.tolist()
    _split(feeds[FREE:], [kept[m] * passes[FREE + m] for m in range(2)], rest, by_hand, True)
    _split(feeds[:FREE], [held[c] * free[m] * passes[e] for e, m, c in feeds[:FREE]], rest, by_hand, False)
    by_hand[ABROAD] = 2.0 * offered[:2]
    assert orders == pytest.approx(by_hand, rel=1e-12, nan_ok=True)
    assert left == pytest.approx(np.maximum(rest, 0.0), abs=1e-12)
    assert sold == pytest.approx(free.sum())
    assert orders[:2].tolist() == [0.0, 0.0]


def test_what_is_due_is_read_from_the_pipelines_in_the_order_of_months() -> None:
    pipeline = np.random.default_rng(1).uniform(0.0, 5.0, (4, EDGES))
    found = np.full((MAKERS, 3), np.nan)
    core.due(6, pipeline, FEEDS, found)
    for c in range(MAKERS):
        edges = FEEDS[FEEDS[:, 2] == c, 0]
        assert found[c] == pytest.approx([pipeline[row, edges].sum() for row in (2, 3, 0)])


def test_what_is_due_is_what_will_arrive() -> None:
    """Held against the months themselves: nothing new is ordered after the first."""
    state = State(Network(2, [0, 0, 0], [1, 1, 1], lead=[1, 2, 4], slack=3))
    for orders in ([1.0, 2.0, 4.0], [8.0, 16.0, 32.0]):
        state.month(orders)
    some, found = [0, 2], np.empty((1, 6))
    core.due(state.now, state.pipeline, np.array([[edge, 0, 0] for edge in some]), found)
    due = found[0].tolist()
    came = [float(state.month([0.0, 0.0, 0.0]).arrived[some].sum()) for _ in range(6)]
    assert due == came
    assert sum(due) == 8.0 + 4.0 + 32.0


def test_what_moved_is_told_by_kind_and_by_maker() -> None:
    luck = np.random.default_rng(2)
    granted, arrived, made = luck.uniform(size=EDGES), luck.uniform(size=EDGES), luck.uniform(size=NODES)
    used, sold, moved = (
        luck.uniform(size=5),
        np.array([1.0, 2.0]),
        np.full(core.BY_MAKER + 2 * MAKERS, np.nan),
    )
    core.book(granted, arrived, made, used, FEEDS, FREE, RESERVE, ABROAD, sold, moved)
    assert moved[core.ABROAD] == pytest.approx(granted[ABROAD].sum())
    assert moved[core.FREELY] == pytest.approx(granted[:FREE].sum())
    assert moved[core.KEPT] == pytest.approx(made[RESERVE].sum())
    assert moved[core.RESERVED] == pytest.approx(granted[6] + granted[7])
    for c in range(MAKERS):
        assert moved[core.BY_MAKER + 2 * c] == pytest.approx(arrived[FEEDS[FEEDS[:, 2] == c, 0]].sum())
        assert moved[core.BY_MAKER + 2 * c + 1] == used[c]
    freely = [granted[FEEDS[:FREE][FEEDS[:FREE, 1] == m, 0]].sum() for m in range(2)]
    assert sold == pytest.approx([1.0, 2.0] + granted[ABROAD] + freely)
