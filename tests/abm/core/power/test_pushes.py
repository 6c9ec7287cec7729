"""Flow pushed up a basis: one by one and many at once, against plain steps in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from abm.core.jit import helper
from abm.core.power.network import NODE
from abm.core.power.pushes import push, push_many
from abm.core.power.workspace import NONE, carve

NODES, PUSHES = 40, 30
SIZES = np.array([1, 1, NODES, 0, 0, 0, 1, NODES, 4, 80])


@helper
def pushed(sizes, floats, ints, parent, ratio, cyclic, at, amount, stop, together, flows, keys, left):  # type: ignore[no-untyped-def]
    """What arrived at `stop`; flows, keys and memory that has to be 0 again are written."""
    s = carve(sizes, ints, floats, ints)
    for i in range(NODES):
        node = s.nodes[i]
        node.parent, node.ratio, node.cyclic, node.inverse = parent[i], ratio[i], cyclic[i], 2.0
        node.x, node.low, node.high, node.size = 0.0, 0.0, 1.0, 1
    arrived = 0.0
    for k in range(PUSHES):
        s.pushes[k].at, s.pushes[k].amount = at[k], amount[k]
        if not together:
            arrived += push(s, at[k], amount[k], np.uint32(0), stop, 1e-9)
    if together:
        arrived = push_many(s, PUSHES, stop, 1e-9)
    for i in range(NODES):
        flows[i], keys[i], left[i] = s.nodes[i].x, s.keys[i], abs(s.residual[i]) + s.arriving[i]
    return arrived


def plain(
    parent: Any, ratio: Any, cyclic: Any, at: Any, amount: Any, stop: int
) -> tuple[np.ndarray[Any, Any], float]:
    """Each push step by step; around a cycle until nothing is left."""
    flows, arrived = np.zeros(NODES), 0.0
    for i, left in zip(at.tolist(), amount.tolist(), strict=True):
        while i != NONE and abs(left) > 1e-18:
            if i == stop and not cyclic[i]:
                arrived += left
                break
            flows[i] += 2.0 * left
            left *= ratio[i]
            i = int(parent[i])
    return flows, arrived


@pytest.mark.parametrize("seed", range(6))
def test_many_pushes_at_once_arrive_like_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parent = np.array([NONE, *(rng.integers(0, i) for i in range(1, NODES))], np.uint32)
    parent[rng.integers(3, NODES)] = NONE
    ratio, cyclic = rng.uniform(0.5, 1.0, NODES), np.zeros(NODES, np.uint32)
    if seed % 2:  # the first three nodes form a cycle with gain
        parent[:3], cyclic[:3] = [1, 2, 0], 1
    at = rng.integers(0, NODES, PUSHES).astype(np.uint32)
    amount = rng.normal(0.0, 1.0, PUSHES)
    stop = NONE if seed < 2 else np.uint32(parent[at[0]])
    given = (parent, ratio, cyclic, at, amount, stop)
    expected, expected_arrived = plain(*given)
    floats = np.zeros(NODE.itemsize * NODES * 10)
    for together in (False, True):
        flows, keys, left = np.zeros(NODES), np.zeros(NODES, np.int64), np.zeros(NODES)
        ints = np.zeros(1000, np.uint32)
        arrived = pushed(SIZES, floats, ints, *given, together, flows, keys, left)
        np.testing.assert_allclose(flows, expected, rtol=1e-12, atol=1e-12)
        assert arrived == pytest.approx(expected_arrived, rel=1e-12, abs=1e-12)
        assert not left.any()
        touched = flows != 0.0
        broken = (flows > 1.0 + 1e-9) | (flows < -1e-9)
        assert ((keys > 0) == (broken & touched)).all()
        floats[:] = 0.0
