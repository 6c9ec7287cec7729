"""The supply graph: built and read with NetworkX, compiled to arrays for the step.

Nodes are stakeholders; an edge says who can supply what to whom, with capacity, lead time and
contract share. Parallel edges are kept (one for each good). Phases book what moved; ``graph(month)``
gives the same graph back with the month's flows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.world import World

if TYPE_CHECKING:
    import networkx as nx


class SupplyGraph:
    """Edges as arrays in compressed rows by supplier, and the flows of every month."""

    def __init__(self, world: World, months: int):
        edges, cast = world.edges, world.cast
        order = np.lexsort((edges.good, edges.buyer, edges.supplier))
        self.cast = cast
        self.goods = world.goods.keys
        self.supplier = edges.supplier[order]
        self.buyer = edges.buyer[order]
        self.good = edges.good[order]
        self.capacity = np.where(np.isnan(edges.capacity), np.inf, edges.capacity)[order]
        self.lead = edges.lead_months[order].astype(np.int64)
        self.share = edges.share[order]
        self.first = np.searchsorted(self.supplier, np.arange(len(cast) + 1))
        """Edges of supplier i are ``first[i]:first[i + 1]``."""
        self.flow = np.zeros((months, len(order)))
        keys = cast.keys
        self._edge = {
            (keys[s], keys[b], self.goods[g]): i
            for i, (s, b, g) in enumerate(zip(self.supplier, self.buyer, self.good, strict=True))
        }
        self._from: dict[tuple[str, str], list[int]] = {}
        self._to: dict[tuple[str, str], list[int]] = {}
        for (supplier, buyer, good), i in self._edge.items():
            self._from.setdefault((supplier, good), []).append(i)
            self._to.setdefault((buyer, good), []).append(i)

    def edge(self, supplier: str, buyer: str, good: str) -> int | None:
        """Number of the edge, or None where ``supplier`` does not supply ``good`` to ``buyer``."""
        return self._edge.get((supplier, buyer, good))

    def out_of(self, supplier: str, good: str) -> list[int]:
        return self._from.get((supplier, good), [])

    def into(self, buyer: str, good: str) -> list[int]:
        return self._to.get((buyer, good), [])

    def who_supplies(self, edge: int) -> str:
        key: str = self.cast.keys[self.supplier[edge]]
        return key

    def book(self, month: int, supplier: str, buyer: str, good: str, amount: float) -> None:
        """Record that ``amount`` of ``good`` moved; nothing where the graph has no such edge."""
        edge = self._edge.get((supplier, buyer, good))
        if edge is not None:
            self.flow[month, edge] += amount

    def graph(self, month: int | None = None) -> nx.MultiDiGraph:
        """The graph as NetworkX; with ``month``, each edge carries that month's ``flow``."""
        import networkx as nx

        graph = nx.MultiDiGraph()
        for row, key in enumerate(self.cast.keys):
            graph.add_node(key, name=self.cast.name[row], kind=self.cast.kind[row])
        for (supplier, buyer, good), i in self._edge.items():
            data = {
                "good": good,
                "capacity": float(self.capacity[i]),
                "lead_months": int(self.lead[i]),
                "share": float(self.share[i]),
            }
            if month is not None:
                data["flow"] = float(self.flow[month, i])
            graph.add_edge(supplier, buyer, key=good, **data)
        return graph
