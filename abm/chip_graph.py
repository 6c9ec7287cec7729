"""The layout of the graph of memory and accelerators: nodes, edges, and which is which.

Nodes are makers of memory, the reserve that each of them keeps for home chips, makers of accelerators,
and for each of these a desk that hands on what the home country gets. Edges run from memory makers to
chip makers and to the rest of the world, from chip makers to the home desk, to rival countries and to
the rest of the world, and from each desk to every site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from abm.core.allocate import RULES, Network

if TYPE_CHECKING:
    from abm.model import Model

LONGEST_LEAD = 121
"""Months: the longest lead time that an edge may have, and one."""

HOME_LICENCES = 0
"""Group of what makers abroad send home: licences cap it."""


class Feed(NamedTuple):
    """An edge over which memory comes to a chip maker."""

    edge: int
    memory: int
    """Place of the memory maker."""
    maker: int
    """Place of the chip maker."""
    supply: int
    """Edge of the supply graph."""


class Source(NamedTuple):
    """A maker that supplies a buyer, and the terms of its edge."""

    column: int
    """Place of the maker."""
    supply: int
    """Edge of the supply graph."""
    share: float
    capacity: float
    lead: int
    tier: int


class Delivered(NamedTuple):
    """What accelerators that reached sites in a month come to."""

    spent: int
    """Payments listed so far in the model's ``spending``."""
    by_owner: np.ndarray
    """(2 x owners,) machines, then deposits that go back, currency."""
    by_maker: list[list[float]]
    """Machines, and what the state pays, currency."""
    pooled: float
    """Deposits that go back to sites with project finance, currency."""
    equipped: list[tuple[int, int, float]]
    """Sites that are equipped now, the place of the maker, and what is there."""


class Made(NamedTuple):
    """What a maker of accelerators lets go at most in a month, and how countries share it."""

    output: float
    abroad: float
    """Orders of the rest of the world."""
    home_weight: float
    rival_weight: float


class _Draft:
    """Nodes and edges while they are being listed."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.rules: list[str] = []
        self.columns: dict[str, Any] = {
            name: [] for name in ("supplier", "buyer", "slot", "lead", "lapse", "group", "tier")
        }

    def node(self, name: str, rule: str = "proportional") -> int:
        self.names.append(name)
        self.rules.append(rule)
        return len(self.names) - 1

    def edge(
        self,
        supplier: int,
        buyer: int,
        *,
        count: int = 1,
        slot: int = -1,
        lead: int = 0,
        lapse: bool = True,
        group: int = -1,
        tier: int = 0,
    ) -> int:
        """Number of a new edge, the first of ``count``; what ``lapse`` edges are not sent is asked for anew."""
        first = len(self.columns["supplier"])
        for name, value in zip(
            self.columns, (supplier, buyer, slot, lead, int(lapse), group, tier), strict=True
        ):
            self.columns[name] += [value] * count
        return first


class ChipGraph:
    """Nodes and edges by what they are; makers, memory makers, rivals and sites by their places."""

    def __init__(self, model: Model):
        world, supply = model.world, model.supply
        kind = dict(zip(world.cast.keys, world.cast.kind, strict=True))
        self.makers = list(model.makers)
        self.good = ["npu" if kind[maker] == "npu-maker" else "gpu" for maker in self.makers]
        self.memory = [agent.who for agent in model.by_kind("hbm-maker")]
        self.rivals = model.by_kind("rival")
        self.sites = len(model.state.sites.mw)
        self.foreign = [model.is_foreign(maker) for maker in self.makers]
        self.leads_world = [kind[maker] == "gpu-maker" for maker in self.makers]
        """Whether a maker's output is shared with rival countries and the rest of the world."""
        draft, columns = _Draft(), range(len(self.makers))
        self.hbm = [draft.node(f"{who} hbm", supply.rule_of(who, "hbm")) for who in self.memory]
        self.reserve = [draft.node(f"{who} reserve") for who in self.memory]
        self.maker = [draft.node(f"{self.makers[c]} {self.good[c]}") for c in columns]
        self.desk = [
            draft.node(f"home desk of {self.makers[c]}", supply.rule_of(self.makers[c], self.good[c]))
            for c in columns
        ]
        self.sink = draft.node("buyers")
        self._feed(model, draft)
        self.memory_abroad = [draft.edge(node, self.sink, tier=9) for node in self.hbm]
        self.to_desk = [
            draft.edge(
                self.maker[c],
                self.desk[c],
                slot=len(self.makers) + c,
                group=HOME_LICENCES if self.foreign[c] else -1,
            )
            for c in columns
        ]
        leading = [c for c in columns if self.leads_world[c]]
        self.to_rivals = {
            c: np.array([draft.edge(self.maker[c], self.sink) for _ in self.rivals], np.int64)
            for c in leading
        }
        self.rival_supply = {
            c: np.array(
                [_number(supply.edge(self.makers[c], rival.who, "gpu")) for rival in self.rivals], np.int64
            )
            for c in leading
        }
        """Edges of the supply graph, -1: none."""
        self.to_world = {c: draft.edge(self.maker[c], self.sink) for c in leading}
        self.first_site = len(draft.columns["supplier"])
        """Edges to sites: ``first_site + place of the maker x sites + row of the site``."""
        for c in columns:
            draft.edge(self.desk[c], self.sink, count=self.sites, lapse=False)
        self.supply_edge = np.full(self.first_site, -1, np.int64)
        """Edge of the supply graph of each edge that does not go to a site, -1: none."""
        for feed in [*self.feeds, *self.reserve_feeds]:
            self.supply_edge[feed.edge] = feed.supply
        for c in leading:
            self.supply_edge[self.to_rivals[c]] = self.rival_supply[c]
        goods = [supply.goods.index(good) for good in ("hbm", *set(self.good)) if good in supply.goods]
        longest = int(supply.lead[np.isin(supply.good, goods)].max(initial=0))
        self.network = Network(
            draft.names, slot_node=[*self.maker, *self.desk], rule=draft.rules, groups=1,
            slack=longest + supply.longest_delay() + 1, **draft.columns,
        )  # fmt: skip
        self.shares_by_contract = any(RULES[rule] == "contract" for rule in self.network.rule[self.desk])
        network = self.network
        network.weight[:] = 0.0
        network.capacity[: self.sink] = 0.0
        network.capacity[self.desk] = np.inf
        network.target[self.reserve] = np.inf
        network.weight[[feed.edge for feed in self.reserve_feeds]] = 1.0
        self.limited = len([*self.hbm, *self.reserve, *self.maker])
        """The first nodes, whose capacity is set anew every month: memory, reserves, chip makers."""

    def to_sites(self, count: int) -> None:
        """Have the first ``count`` sites served; there are no more yet."""
        sites = self.first_site + np.add.outer(np.arange(len(self.makers)) * self.sites, np.arange(count))
        self.network.use(np.concatenate([np.arange(self.first_site), sites.ravel()]))

    def _feed(self, model: Model, draft: _Draft) -> None:
        """Edges from memory makers and their reserves to chip makers."""
        supply = model.supply
        self.feeds: list[Feed] = []
        """From what is sold freely."""
        self.reserve_feeds: list[Feed] = []
        for j, who in enumerate(self.memory):
            for c, maker in enumerate(self.makers):
                at = supply.edge(who, maker, "hbm")
                if at is None:
                    continue
                lead, tier = int(supply.lead[at]), int(supply.priority[at])
                edge = draft.edge(self.hbm[j], self.maker[c], slot=c, lead=lead, tier=tier)
                self.feeds.append(Feed(edge, j, c, at))
                if self.good[c] == "npu":
                    edge = draft.edge(self.reserve[j], self.maker[c], slot=c, lead=lead)
                    self.reserve_feeds.append(Feed(edge, j, c, at))
        both = [*self.feeds, *self.reserve_feeds]
        self.feed_edges = np.array([feed.edge for feed in both], np.int64)
        columns = range(len(self.makers))
        self.feeds_of = [[feed.edge for feed in both if feed.maker == c] for c in columns]
        self.memory_lead = [
            max((draft.columns["lead"][edge] for edge in edges), default=0) for edges in self.feeds_of
        ]
        self.has_memory = [len(edges) > 0 for edges in self.feeds_of]


class Shocks:
    """What shocks leave of nodes' output and of edges this month, and by how much they delay edges."""

    def __init__(self, graph: ChipGraph):
        self.output = np.ones(graph.network.nodes)
        self.passes = np.ones(graph.network.edges)
        self.delay = np.zeros(graph.network.edges, np.int64)


def _number(edge: int | None) -> int:
    return -1 if edge is None else edge


def newest_vintages(model: Model, makers: list[str], months: int) -> np.ndarray:
    """(makers, months) newest vintage to be had in each month, -1 before the first."""
    table = model.world.vintages
    found = np.full((len(makers), months), -1, np.int64)
    for c, maker in enumerate(makers):
        rows = np.flatnonzero(table.maker == model.world.cast.row(maker))
        for row in rows[np.lexsort((-rows, table.available[rows]))].tolist():
            found[c, max(int(table.available[row]), 0) :] = row
    return found
