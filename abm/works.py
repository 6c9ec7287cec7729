"""What sites under way need from home makers: power equipment, cooling, crews, shared over one compiled graph.

Nodes are the makers; an edge runs from each of them to every site. What a site asks for in a month is what it
could use in that month; what it does not get it asks for again. ``abm.core.allocate`` shares each maker's
output by the rule that ``rationing.csv`` states; "first-come" goes by the month in which the site was decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.core.allocate import BOUNDS, Network, State

if TYPE_CHECKING:
    from abm.ledger import Ledger
    from abm.model import Model

GOODS = ("power-equipment", "cooling", "construction")
CREWS = {"construction": "crews"}
"""What people call a good that has another name on site."""


class SiteWorks:
    """The graph from makers to sites; amounts in megawatts of site."""

    def __init__(self, model: Model):
        self.model = model
        self.sites = len(model.state.sites.mw)
        self.makers = [agent for agent in model.acting("capacity") if getattr(agent, "GOOD", "") in GOODS]
        self.good = [str(getattr(agent, "GOOD", "")) for agent in self.makers]
        self.of_good = {good: [m for m, one in enumerate(self.good) if one == good] for good in GOODS}
        supply = model.supply
        rules = [supply.rule_of(agent.who, good) for agent, good in zip(self.makers, self.good, strict=True)]
        self._first_come = [rule == "first-come" for rule in rules]
        count = len(self.makers)
        self.network = Network(
            [*(f"{agent.who} {good}" for agent, good in zip(self.makers, self.good, strict=True)), "sites"],
            np.repeat(np.arange(count), self.sites),
            np.full(count * self.sites, count),
            rule=[*("priority" if rule == "first-come" else rule for rule in rules), "proportional"],
            lapse=True,
            slack=supply.longest_delay() + 1,
        )
        self._plain = all(rule == "proportional" for rule in rules)
        self.state = State(self.network)
        self.on_way = {good: np.zeros(self.sites) for good in GOODS}
        """By site: what was let go and is late because of a shock."""
        self.bound = {good: np.zeros(self.sites, np.int8) for good in GOODS}
        """By site: why it got less than it asked for, index into ``BOUNDS``."""
        self.stock = np.zeros(self.sites)
        """By site: cooling plant that waits for crews."""
        self._edge = {good: supply.numbers(good) for good in GOODS}
        self._lead = {good: supply.longest_leads(good) for good in GOODS}

    def check_books(self, ledger: Ledger) -> None:
        """Have what is on its way held against the graph's own pipelines at every close."""
        if not self.makers:
            return
        ledger.check_stock("works in transit", "mw", self.state.pipeline.sum)
        if self.of_good["power-equipment"]:
            self._equipment_before = float(self.model.state.sites.equipment.sum())
            ledger.check_stock("power-equipment at sites", "mw", self._equipment_since)

    def _equipment_since(self) -> float:
        return float(self.model.state.sites.equipment.sum()) - self._equipment_before

    def lead(self, good: str) -> np.ndarray:
        """(cast,) longest lead time among each stakeholder's edges for ``good``, months."""
        return self._lead[good]

    def late(self) -> bool:
        """Whether something that a shock made late is on its way."""
        return any(way.any() for way in self.on_way.values())

    def cooling_asked(self, want: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Cooling to ask for: what this month can use beyond what lies on site, no more than is ``left`` to build."""
        n = len(want)
        stock = self.stock[:n]
        return np.maximum(np.minimum(want - stock, left - stock - self.on_way["cooling"][:n]), 0.0)

    def use_cooling(self, arrived: np.ndarray, done: np.ndarray) -> None:
        """What arrived and is not built in waits on site."""
        n = len(done)
        self.stock[:n] = np.maximum(self.stock[:n] + arrived - done, 0.0)

    def month(
        self, month: int, want: dict[str, np.ndarray], weight: dict[str, np.ndarray], capacity: dict[str, float]
    ) -> dict[str, np.ndarray]:
        """What reaches each site this month, by good.

        ``want`` and ``weight``: by good, one number for each site; ``capacity``: maker to output. A good that nobody in
        the world makes is to be had without limit.
        """
        model, supply, network, sites = self.model, self.model.supply, self.network, self.sites
        got = {good: want[good].copy() for good in GOODS if not self.of_good[good]}
        if not self.makers:
            return got
        count = len(self.makers)
        orders, weights = np.zeros((count, sites)), np.zeros((count, sites))
        output, unit = np.zeros(count + 1), np.ones(count + 1)
        edges = np.full((count, sites), -1, np.int64)
        owner = model.state.sites.owner
        for m, (agent, good) in enumerate(zip(self.makers, self.good, strict=True)):
            output[m] = capacity.get(agent.who, 0.0)
            unit[m] = supply.output_factor(month, agent.who, good)
            edges[m] = self._edge[good][agent.row, owner]
            weights[m] = weight[good]
        for good, makers in self.of_good.items():
            if makers:
                orders[makers] = want[good] * self._parts(good, makers, edges[makers], output[makers])
        if not self._plain:
            self._rank(orders, weights, edges)
        calm = supply.edge_factor is None
        network.capacity[:], network.weight[:] = output, weights.ravel()
        flows = self.state.month(
            orders.ravel(), node_factor=unit,
            edge_factor=None if calm else np.ones(edges.size) * supply.factors(month, edges.ravel()),
            edge_delay=None if calm else supply.delays(month, edges.ravel()),
        )  # fmt: skip
        granted, arrived = flows.granted.reshape(count, sites), flows.arrived.reshape(count, sites)
        bound = flows.bound.reshape(count, sites)
        for good, makers in self.of_good.items():
            if not makers:
                continue
            got[good] = arrived[makers].sum(axis=0)
            self.on_way[good] += granted[makers].sum(axis=0) - got[good]
            self.bound[good] = bound[makers].max(axis=0)
        self._book(month, orders, granted, arrived, edges)
        return got

    def _parts(self, good: str, makers: list[int], edges: np.ndarray, output: np.ndarray) -> np.ndarray:
        """(makers, sites) parts of an order: by contract share among the owner's suppliers, by output where it has none."""
        if len(makers) == 1:
            return np.ones((1, self.sites))
        share = np.where(edges >= 0, np.maximum(self.model.supply.share[edges], 1e-3), 0.0)
        share = np.where(share.sum(axis=0) > 0.0, share, np.maximum(output, 1e-12)[:, None])
        return np.asarray(share / share.sum(axis=0))

    def _rank(self, orders: np.ndarray, weights: np.ndarray, edges: np.ndarray) -> None:
        """Contract shares and classes for makers that do not simply share proportionally."""
        sites, network = self.model.state.sites, self.network
        tier = network.tier.reshape(orders.shape)
        share = network.share.reshape(orders.shape)
        decided = np.clip(sites.step["decided"], -(2**30), 2**30)
        for m in range(len(self.makers)):
            tier[m] = decided if self._first_come[m] else np.where(edges[m] >= 0, self.model.supply.priority[edges[m]], 8)
            held = np.where((orders[m] > 0.0) & (weights[m] > 0.0), sites.mw, 0.0)
            share[m] = held / held.sum() if held.sum() > 0.0 else 0.0

    def _book(
        self, month: int, orders: np.ndarray, granted: np.ndarray, arrived: np.ndarray, edges: np.ndarray
    ) -> None:
        ledger, supply = self.model.ledger, self.model.supply
        supply.book_all(month, edges.ravel(), arrived.ravel(), orders.ravel())
        sent, landed = granted.sum(axis=1), arrived.sum(axis=1)
        for m, (agent, good) in enumerate(zip(self.makers, self.good, strict=True)):
            ledger.post("works in transit", f"{good} of {agent.who}", "mw", float(sent[m]), good)
            ledger.post(f"{good} at sites", "works in transit", "mw", float(landed[m]), good)
            agent.supplied += float(landed[m])  # type: ignore[attr-defined]

    def why(self, good: str, row: int) -> str:
        """What a site that got too little of ``good`` is told."""
        name = CREWS.get(good, good)
        shocked = BOUNDS[self.bound[good][row]] in ("node shock", "edge shock")
        if not shocked:
            return name
        makers = [self.makers[m].who for m in self.of_good[good]]
        return f"{name} (shock at {', '.join(makers)})"

