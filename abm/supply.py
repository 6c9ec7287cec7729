"""The supply graph: built and read with NetworkX, compiled to arrays for the step.

Nodes are stakeholders; an edge says who can supply what to whom, with capacity, lead time and
contract share. Parallel edges are kept (one for each good). Phases book what moved; ``graph(month)``
gives the same graph back with the month's flows, orders and shortfalls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from abm.world import World

if TYPE_CHECKING:
    import networkx as nx

    from abm.decisions import Intent


@dataclass(frozen=True, slots=True)
class Disruption:
    """From month ``first`` on, for ``months``: ``factor`` of what left before, ``delay`` months later.

    Of all that ``supplier`` supplies; of one ``good`` or to one ``buyer`` where these are given.
    """

    supplier: str
    buyer: str
    good: str
    first: int
    months: int
    factor: float = 1.0
    delay: int = 0


USUAL_RULE = "proportional"
"""Rationing where a world's ``rationing.csv`` says nothing of a supplier's good."""


class SupplyGraph:
    """Edges as arrays in compressed rows by supplier, and the flows of every month."""

    def __init__(self, world: World, months: int, disruptions: Sequence[Disruption] = ()):
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
        self.asked = np.zeros((months, len(order)))
        """What stood ordered on the edge in the month; 0 on edges on which nothing is ordered."""
        keys = cast.keys
        self._edge = {
            (keys[s], keys[b], self.goods[g]): i
            for i, (s, b, g) in enumerate(
                zip(self.supplier.tolist(), self.buyer.tolist(), self.good.tolist(), strict=True)
            )
        }
        self._from: dict[tuple[str, str], list[int]] = {}
        self._to: dict[tuple[str, str], list[int]] = {}
        for (supplier, buyer, good), i in self._edge.items():
            self._from.setdefault((supplier, good), []).append(i)
            self._to.setdefault((buyer, good), []).append(i)
        self._matrix: dict[str, np.ndarray] = {}
        self._edges: dict[tuple[str, str, tuple[str, ...]], np.ndarray] = {}
        """What :meth:`numbers` and :meth:`edges` have found; edges stay as they are for the whole run."""
        priority = edges.columns.get("priority")
        self.priority = np.zeros(len(order), np.int64) if priority is None else np.maximum(priority, 0)[order]
        """Class of the buyer with a supplier that rations by priority, the lowest first."""
        self._rule, self._deposit = _principles(world)
        self.disruptions = tuple(disruptions)
        self._disrupt(months)

    # -- who supplies whom -------------------------------------------------------------------
    def edge(self, supplier: str, buyer: str, good: str) -> int | None:
        """Number of the edge, or None where ``supplier`` does not supply ``good`` to ``buyer``."""
        return self._edge.get((supplier, buyer, good))

    def edges(self, supplier: str, buyer: str, goods: tuple[str, ...]) -> np.ndarray:
        """(goods,) numbers of the edges over which ``supplier`` supplies ``goods`` to ``buyer``; -1: none such."""
        key = supplier, buyer, goods
        found = self._edges.get(key)
        if found is None:
            numbers = [self._edge.get((supplier, buyer, good), -1) for good in goods]
            found = self._edges[key] = np.array(numbers, np.int64)
        return found

    def out_of(self, supplier: str, good: str) -> list[int]:
        return self._from.get((supplier, good), [])

    def into(self, buyer: str, good: str) -> list[int]:
        return self._to.get((buyer, good), [])

    def who_supplies(self, edge: int) -> str:
        key: str = self.cast.keys[self.supplier[edge]]
        return key

    def numbers(self, good: str) -> np.ndarray:
        """(cast, cast) number of the edge of ``good`` from the row's to the column's stakeholder; -1: none."""
        found = self._matrix.get(good)
        if found is None:
            found = np.full((len(self.cast), len(self.cast)), -1, np.int64)
            if good in self.goods:
                here = np.flatnonzero(self.good == self.goods.index(good))
                found[self.supplier[here], self.buyer[here]] = here
            self._matrix[good] = found
        return found

    def longest_leads(self, good: str) -> np.ndarray:
        """(cast,) longest lead time among each stakeholder's edges for ``good``, months; 0 where it has none."""
        found = np.zeros(len(self.cast), np.int64)
        if good in self.goods:
            here = np.flatnonzero(self.good == self.goods.index(good))
            np.maximum.at(found, self.buyer[here], self.lead[here])
        return found

    def rule_of(self, supplier: str, good: str) -> str:
        """How the supplier shares the good when it is scarce: one of ``abm.core.allocate.RULES``."""
        return self._rule.get((supplier, good), USUAL_RULE)

    def deposit_share(self, supplier: str, good: str) -> float:
        """Share of an order's price that is paid with the order."""
        return self._deposit.get((supplier, good), 0.0)

    def at(self, values: np.ndarray, edges: np.ndarray, otherwise: float) -> np.ndarray:
        """``values`` (one for each edge) at ``edges``; ``otherwise`` where an edge is -1."""
        if not len(values):
            return np.full(edges.shape, otherwise, values.dtype)
        found: np.ndarray = np.where(edges >= 0, values[edges], otherwise)
        return found

    # -- what moved --------------------------------------------------------------------------
    def book_all(
        self, month: int, edges: np.ndarray, amounts: np.ndarray, asked: np.ndarray | None = None
    ) -> None:
        """Record what moved on ``edges`` (-1: none such), and what stood ordered there."""
        from abm.core.allocate import book  # by runs alone: who reads a graph does without the compiler

        book(edges, amounts, self.flow[month])
        if asked is not None:
            book(edges, asked, self.asked[month])

    # -- shocks ------------------------------------------------------------------------------
    def _disrupt(self, months: int) -> None:
        """Lay the disruptions out by month: factors of what suppliers let go and of edges, and delays of edges."""
        self._output: dict[tuple[str, str], np.ndarray] = {}
        self.edge_factor: np.ndarray | None = None
        self.edge_delay: np.ndarray | None = None
        if not self.disruptions:
            return
        self.edge_factor = np.ones((months, len(self.supplier)))
        self.edge_delay = np.zeros((months, len(self.supplier)), np.int64)
        for shock in self.disruptions:
            window = slice(max(shock.first, 0), max(min(shock.first + shock.months, months), 0))
            edges = [
                i
                for (supplier, buyer, good), i in self._edge.items()
                if supplier == shock.supplier and shock.buyer in ("", buyer) and shock.good in ("", good)
            ]
            self.edge_delay[window, edges] += shock.delay
            if shock.buyer:
                self.edge_factor[window, edges] *= shock.factor
                continue
            for good in {self.goods[self.good[i]] for i in edges}:
                key = (shock.supplier, good)
                self._output.setdefault(key, np.ones(months))[window] *= shock.factor

    def longest_delay(self) -> int:
        """Most months by which shocks together can make a delivery late."""
        return 0 if self.edge_delay is None else int(self.edge_delay.max(initial=0))

    def output_factor(self, month: int, supplier: str, good: str) -> float:
        """Share of what ``supplier`` would let go of ``good`` that a shock to it leaves."""
        factor = self._output.get((supplier, good)) if self._output else None
        return 1.0 if factor is None else float(factor[month])

    def factor(self, month: int, edge: int | None) -> float:
        """Share that a shock to the edge leaves of what would leave over it."""
        return 1.0 if self.edge_factor is None or edge is None else float(self.edge_factor[month, edge])

    def factors(self, month: int, edges: np.ndarray) -> np.ndarray | float:
        """The same for many edges (-1: none such)."""
        return 1.0 if self.edge_factor is None else np.where(edges >= 0, self.edge_factor[month, edges], 1.0)

    def passes(self, month: int, supplier: str, buyer: str, good: str) -> float:
        """Share that shocks to the supplier and to the edge leave together."""
        if not self.disruptions:
            return 1.0
        return self.output_factor(month, supplier, good) * self.factor(
            month, self.edge(supplier, buyer, good)
        )

    def shocked(self, month: int, intent: Intent, buyer: str, good: str) -> Intent:
        """What shocks leave of somebody's wish to supply ``good`` to ``buyer`` (blank: to all its buyers alike)."""
        if not self.disruptions:
            return intent
        edges = self.out_of(intent.who, good) if not buyer else self._among(intent.who, buyer, good)
        share = [max(float(self.share[edge]), 1e-12) for edge in edges]
        left = sum(part * self.factor(month, edge) for part, edge in zip(share, edges, strict=True))
        factor = self.output_factor(month, intent.who, good) * (left / sum(share) if edges else 1.0)
        if factor >= 1.0:
            return intent
        return replace(intent, amount=intent.amount * factor, bound=f"shock at {intent.who}")

    def _among(self, supplier: str, buyer: str, good: str) -> list[int]:
        edge = self.edge(supplier, buyer, good)
        return [] if edge is None else [edge]

    def delay(self, month: int, edge: int | None) -> int:
        """Months by which shocks make late what leaves over the edge this month."""
        return 0 if self.edge_delay is None or edge is None else int(self.edge_delay[month, edge])

    def delays(self, month: int, edges: np.ndarray) -> np.ndarray:
        """The same for many edges (-1: none such)."""
        if self.edge_delay is None:
            return np.zeros(len(edges), np.int64)
        return np.where(edges >= 0, self.edge_delay[month, edges], 0)

    # -- reading back ------------------------------------------------------------------------
    def graph(self, month: int | None = None) -> nx.MultiDiGraph:
        """The graph as NetworkX; with ``month``, each edge carries that month's ``flow`` and what was ``asked``."""
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
                data["asked"] = float(self.asked[month, i])
            graph.add_edge(supplier, buyer, key=good, **data)
        return graph


def _principles(world: World) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], float]]:
    """Rules and deposits by supplier and good, from the world's table where it has one."""
    table = world.tables.get("rationing")
    if table is None:
        return {}, {}
    keys = [
        (world.cast.keys[who], world.goods.keys[good])
        for who, good in zip(table.supplier, table.good, strict=True)
    ]
    return dict(zip(keys, table.rule, strict=True)), dict(zip(keys, map(float, table.deposit), strict=True))
