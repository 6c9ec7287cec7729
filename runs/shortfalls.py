"""Deliveries of two runs compared edge by edge, and the paths along which what is missing travels."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from abm.calendar import Calendar
from abm.supply import SupplyGraph

if TYPE_CHECKING:
    import networkx as nx
    import polars as pl


@dataclass(frozen=True, slots=True)
class Route:
    """How a shortfall reached a stakeholder: ``nodes`` from the shocked one on, ``goods`` between them."""

    nodes: tuple[str, ...]
    goods: tuple[str, ...]
    """Good of each step; with a ``<`` in front where it is a sale that the next one lost."""
    month: int
    """When it got there."""


def _missing(without: SupplyGraph, shocked: SupplyGraph) -> np.ndarray:
    """(months, edges) delivered without less with the shock."""
    found: np.ndarray = without.flow - shocked.flow
    return found


def _behind(without: SupplyGraph, missing: np.ndarray, visible: float) -> np.ndarray:
    """(months, edges) whether deliveries so far lie behind those without the shock."""
    size = np.maximum(without.flow.sum(axis=0), 1e-300)
    found: np.ndarray = np.cumsum(missing, axis=0) > visible * size
    return found


def shortfall_graph(without: SupplyGraph, shocked: SupplyGraph, visible: float) -> nx.MultiDiGraph:
    """The edges that lie behind at some time; see :attr:`runs.shocks.ShockExperiment.graph`."""
    import networkx as nx

    graph = nx.MultiDiGraph()
    cast = without.cast
    for row, key in enumerate(cast.keys):
        graph.add_node(key, name=cast.name[row], kind=cast.kind[row])
    missing = _missing(without, shocked)
    behind = _behind(without, missing, visible)
    so_far = np.cumsum(missing, axis=0)
    for edge in np.flatnonzero(behind.any(axis=0)).tolist():
        good = without.goods[without.good[edge]]
        graph.add_edge(
            cast.keys[without.supplier[edge]],
            cast.keys[without.buyer[edge]],
            key=good,
            good=good,
            first=int(np.argmax(behind[:, edge])),
            worst=float(so_far[:, edge].max()),
            worst_month=int(np.argmax(so_far[:, edge])),
            final=float(so_far[-1, edge]),
            by_month=missing[:, edge].copy(),
        )
    return graph


def shortfall_table(
    without: SupplyGraph, shocked: SupplyGraph, calendar: Calendar, visible: float
) -> pl.DataFrame:
    """Month, supplier, buyer, good, what was delivered without and with the shock, and what is missing."""
    import polars as pl

    missing = _missing(without, shocked)
    size = np.maximum(without.flow.max(axis=0), 1e-300)
    months, edges = np.nonzero(np.abs(missing) > visible * size)
    cast = without.cast.keys
    return pl.DataFrame(
        {
            "month": [calendar.text(int(month)) for month in months],
            "supplier": [cast[without.supplier[edge]] for edge in edges],
            "buyer": [cast[without.buyer[edge]] for edge in edges],
            "good": [without.goods[without.good[edge]] for edge in edges],
            "without": without.flow[months, edges],
            "with": shocked.flow[months, edges],
            "missing": missing[months, edges],
        },
        schema={
            "month": pl.Utf8, "supplier": pl.Utf8, "buyer": pl.Utf8, "good": pl.Utf8, "without": pl.Float64,
            "with": pl.Float64, "missing": pl.Float64,
        },
    )  # fmt: skip


def routes(
    graph: nx.MultiDiGraph, start: Mapping[str, int], cut: Collection[tuple[str, str, str]] = ()
) -> dict[str, Route]:
    """From the shocked nodes to everybody whom missing deliveries reach, the earliest path to each.

    ``start``: shocked node to the month of its shock; ``cut``: where single edges are shocked, only these leave
    their suppliers. A path goes forward with goods that do not come, in the order of months; only where no such
    path leads to a stakeholder does it end in steps back, to suppliers that sell less. Whoever sells less
    has more for others, so that no step forward follows a step back.
    """
    only = {supplier for supplier, _, _ in cut}
    best: dict[str, Route] = {}
    heap: list[tuple[int, int, int, tuple[str, ...], tuple[str, ...]]] = [
        (0, month, 0, (who,), ()) for who, month in start.items()
    ]
    heapq.heapify(heap)
    while heap:
        back, month, hops, nodes, goods = heapq.heappop(heap)
        here = nodes[-1]
        if here in best:
            continue
        best[here] = Route(nodes, goods, month)
        for _, buyer, good, data in graph.out_edges(here, keys=True, data=True) if not back else ():
            if hops == 0 and here in only and (here, buyer, good) not in cut:
                continue
            if buyer not in best and data["worst_month"] >= month:
                arrives = max(month, data["first"])
                heapq.heappush(heap, (back, arrives, hops + 1, (*nodes, buyer), (*goods, good)))
        for supplier, _, good, data in graph.in_edges(here, keys=True, data=True):
            if supplier not in best and data["worst_month"] >= month:
                arrives = max(month, data["first"])
                heapq.heappush(heap, (back + 1, arrives, hops + 1, (*nodes, supplier), (*goods, f"<{good}")))
    return best


def route_text(route: Route | None) -> str:
    """``sk-hynix -hbm-> nvidia -gpu-> kt``; a sale lost points the other way."""
    if route is None:
        return ""
    text = route.nodes[0]
    for node, good in zip(route.nodes[1:], route.goods, strict=True):
        text += f" <-{good[1:]}- {node}" if good.startswith("<") else f" -{good}-> {node}"
    return text
