"""Random supply graphs and months for the property tests."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from abm.core.allocate import RULES, Network


class Drawn(NamedTuple):
    """Keyword arguments of a network whose nodes only feed later nodes, and of its months."""

    nodes: int
    supplier: np.ndarray
    buyer: np.ndarray
    values: dict[str, Any]
    stock: np.ndarray
    input_stock: np.ndarray

    def network(self) -> Network:
        return Network(self.nodes, self.supplier, self.buyer, **self.values)


def draw(seed: int, *, groups: bool = True, most: int = 12) -> Drawn:
    """A graph of up to ``most`` nodes with parallel edges, second sources, every rule and lead time 0-3."""
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(2, most))
    edges = int(rng.integers(1, 4 * nodes))
    supplier = rng.integers(0, nodes - 1, edges)
    buyer = rng.integers(supplier + 1, nodes)
    slots = int(rng.integers(0, 2 * nodes))
    slot_node = np.sort(rng.integers(0, nodes, slots))
    slot = np.full(edges, -1)
    for e in range(edges):
        own = np.flatnonzero(slot_node == buyer[e])
        if own.size and rng.random() < 0.8:
            slot[e] = rng.choice(own)
    many = int(rng.integers(1, 4)) if groups else 0
    values = {
        "lead": rng.integers(0, 4, edges),
        "slot": slot,
        "slot_node": slot_node,
        "per_unit": np.where(rng.random(slots) < 0.1, 0.0, rng.uniform(0.1, 3.0, slots)),
        "hold": np.where(rng.random(slots) < 0.8, 1.0, rng.uniform(1.0, 3.0, slots)),
        "capacity": np.where(rng.random(nodes) < 0.15, np.inf, rng.uniform(0.0, 20.0, nodes)),
        "target": np.where(rng.random(nodes) < 0.7, 0.0, rng.uniform(0.0, 10.0, nodes)),
        "rule": [str(rng.choice(RULES)) for _ in range(nodes)],
        "edge_capacity": np.where(rng.random(edges) < 0.7, np.inf, rng.uniform(0.0, 8.0, edges)),
        "weight": np.where(rng.random(edges) < 0.1, 0.0, rng.uniform(0.1, 3.0, edges)),
        "share": rng.uniform(0.0, 0.5, edges),
        "tier": rng.integers(0, 3, edges),
        "group": rng.integers(-1, many, edges) if groups else -1,
        "groups": many,
        "lapse": rng.random(edges) < 0.2,
        "ages": int(rng.integers(2, 6)),
        "slack": 3,
    }
    return Drawn(nodes, supplier, buyer, values, rng.uniform(0.0, 5.0, nodes), rng.uniform(0.0, 30.0, slots))


def draw_month(seed: int, network: Network) -> dict[str, Any]:
    """Orders, cancellations, shocks and limits of a month."""
    rng = np.random.default_rng(seed)
    n, e = network.nodes, network.edges
    return {
        "orders": rng.uniform(0.0, 10.0, e) * (rng.random(e) < 0.7),
        "cancel": rng.uniform(0.0, 5.0, e) * (rng.random(e) < 0.2),
        "node_factor": rng.choice([0.0, 0.5, 1.0, 1.0, 1.0], n),
        "edge_factor": rng.choice([0.0, 0.5, 1.0, 1.0, 1.0], e),
        "node_delay": rng.integers(0, 2, n),
        "edge_delay": rng.integers(0, 3, e),
        "group_cap": rng.uniform(0.0, 10.0, network.groups),
    }
