"""Edges by supplier, against a stable sort."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.allocate.rows import by_supplier


@pytest.mark.parametrize("seed", range(5))
def test_rows_hold_the_edges_of_each_supplier_in_the_order_given(seed: int) -> None:
    draw = np.random.default_rng(seed)
    nodes, supplier = 6, draw.integers(0, 5, 30)  # the last node has no edges
    edges = draw.permutation(30)[:17]
    out, first = np.empty(17, np.uint64), np.empty(nodes + 1, np.int64)
    assert by_supplier(edges, supplier, np.zeros(30, bool), first, out) == -1
    assert out.tolist() == edges[np.argsort(supplier[edges], kind="stable")].tolist()
    assert first.tolist() == [int((supplier[edges] < node).sum()) for node in range(nodes + 1)]


@pytest.mark.parametrize(("edges", "place"), [([0, 5, -1], 2), ([0, 9, 1], 1), ([3, 1, 2, 1], 3)])
def test_the_first_edge_that_cannot_be_is_named(edges: list[int], place: int) -> None:
    out, first = np.empty(len(edges), np.uint64), np.empty(3, np.int64)
    supplier = np.zeros(6, np.int64)
    assert by_supplier(np.array(edges), supplier, np.zeros(6, bool), first, out) == place
