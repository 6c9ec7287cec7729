"""What sites under way need from home makers: power equipment, cooling, crews, shared over one compiled graph.

Nodes are the makers; an edge runs from each of them to every site. What a site asks for in a month is what it
could use in that month; what it does not get it asks for again. ``abm.core.allocate`` shares each maker's
output by the rule that ``rationing.csv`` states; "first-come" goes by the month in which the site was decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.core.allocate import BOUNDS, Network, State
from abm.core.books import totals
from abm.core.sites import works as core

if TYPE_CHECKING:
    from abm.ledger import Ledger
    from abm.model import Model

GOODS = ("power-equipment", "cooling", "construction")
"""In the order of the rows of ``abm.core.sites.build``."""

EQUIPMENT_BEFORE_OPENING = 6
"""Months before its date in which a site that was under way at the start has its equipment."""

LAST_CLASS = 8
"""Of those whom no edge of the supply graph names, under the rule "priority"."""

ON_SITE = ("power equipment", "cooling", "crews")
"""What people on site call them."""


class SiteWorks:
    """The graph from makers to sites; amounts in megawatts of site, one row for each of ``GOODS``."""

    def __init__(self, model: Model):
        self.model = model
        supply = model.supply
        sites = self.sites = len(model.state.sites.mw)
        self.makers = [agent for agent in model.acting("capacity") if getattr(agent, "GOOD", "") in GOODS]
        self.good = np.array([GOODS.index(getattr(agent, "GOOD", "")) for agent in self.makers], np.int64)
        self.of_good = [np.flatnonzero(self.good == good) for good in range(len(GOODS))]
        rules = [
            supply.rule_of(agent.who, GOODS[good]) for agent, good in zip(self.makers, self.good, strict=True)
        ]
        self._first_come = [rule == "first-come" for rule in rules]
        self._plain = all(rule == "proportional" for rule in rules)
        count = len(self.makers)
        self._shape = count, sites
        self._lines = self._journal_lines()
        self._moved = np.zeros((2, count))
        """What the last month moved, by journal line: by maker what it let go, and what of it arrived."""
        self._single = all(len(makers) == 1 for makers in self.of_good)
        self.network = Network(
            [
                *(f"{agent.who} {GOODS[good]}" for agent, good in zip(self.makers, self.good, strict=True)),
                "sites",
            ],
            np.repeat(np.arange(count), sites),
            np.full(count * sites, count),
            rule=[*("priority" if rule == "first-come" else rule for rule in rules), "proportional"],
            lapse=True,
            slack=supply.longest_delay() + 1,
        )
        self.state = State(self.network)
        self._flows = self.state.no_flows()
        self._served = -1
        """Sites that the network reaches; owners announce more."""
        self.want, self.stock = np.zeros(sites), np.zeros(sites)
        """By site: megawatts that it could build this month; cooling plant that waits for crews."""
        self.asked, self.weight = np.zeros((len(GOODS), sites)), np.zeros((len(GOODS), sites))
        self.on_way = np.zeros((len(GOODS), sites))
        """By site: what was let go and is late because of a shock."""
        self.bound = np.zeros((len(GOODS), sites), np.int8)
        """By site: why it got less than it asked for, index into ``BOUNDS``."""
        self.is_shock = np.array(["shock" in reason for reason in BOUNDS])
        """(reasons,) of ``BOUNDS``."""
        self.said, self.said_in = np.zeros(sites, np.int64), np.zeros(sites, np.int64)
        """By site: what was short when it was last told so, 0: never; and the month."""
        self.told, self.lacks = np.zeros(sites, np.int64), np.zeros(sites, np.int64)
        """Room for a month's sites that are told what is short, and for that."""
        self.rows = np.zeros(sites, np.int64)
        """Room for a month's sites that open."""
        p = model.parameters
        self.pace = np.array([p["build_months"], p["build_size_exponent"], 0.0, EQUIPMENT_BEFORE_OPENING])
        """What buildings' months depend on, for the compiled core; the month is set each month."""
        self.lead = supply.longest_leads("power-equipment")
        """(cast,) months from a site's decision to its power equipment."""
        self._to = np.array(
            [
                supply.numbers(GOODS[good])[agent.row]
                for agent, good in zip(self.makers, self.good, strict=True)
            ]
        )
        """(makers, cast) edge of the supply graph, -1: none."""

    def _journal_lines(self) -> np.ndarray:
        """Of the journal: what makers let go, then what of theirs arrived."""
        line = self.model.ledger.line
        goods = [GOODS[good] for good in self.good]
        made = [
            line("works in transit", f"{good} of {agent.who}", "mw", good)
            for agent, good in zip(self.makers, goods, strict=True)
        ]
        return np.array(made + [line(f"{good} at sites", "works in transit", "mw", good) for good in goods], np.int64)

    def check_books(self, ledger: Ledger) -> None:
        """Have what is on its way held against the graph's own pipelines at every close."""
        if not self.makers:
            return
        ledger.check_stock("works in transit", "mw", self._in_transit)
        if len(self.of_good[0]):
            self._equipment_before = totals.total(self.model.state.sites.equipment)
            ledger.check_stock("power-equipment at sites", "mw", self._equipment_since)

    def _equipment_since(self) -> float:
        return float(totals.total(self.model.state.sites.equipment) - self._equipment_before)

    def _in_transit(self) -> float:
        return float(totals.total(self.state.pipeline.ravel()))

    def late(self) -> bool:
        """Whether something that a shock made late is on its way."""
        return bool(self.model.supply.disruptions) and bool(self.on_way.any())

    def month(self, month: int, capacity: dict[str, float]) -> np.ndarray:
        """What reaches each site this month of what was ``asked``; ``capacity``: maker to output.

        A good that nobody in the world makes is to be had without limit.
        """
        if not self.makers:
            return self.asked
        model, supply, network, shape = self.model, self.model.supply, self.network, self._shape
        sites, moved, ordered = model.state.sites, supply.flow[month], supply.asked[month]
        output, (sent, landed) = network.capacity, self._moved
        if self._served != sites.count:
            self._served = sites.count
            network.use(np.add.outer(np.arange(shape[0]) * shape[1], np.arange(self._served)).ravel())
        output[: shape[0]] = [capacity.get(agent.who, 0.0) for agent in self.makers]
        if self._single and not supply.disruptions and core.serve_all(
            sites.count, self.good, self._to, sites.owner, output, self.asked, sent, moved, ordered
        ):  # fmt: skip
            self.bound[:] = 0
            landed[:] = sent
            self._book()
            return self.asked
        orders, got = self.asked[self.good], self.asked.copy()
        network.weight.reshape(shape)[:] = self.weight[self.good]
        if not (self._single and self._plain):
            self._divide(orders, output)
        shocks = self._shocks(month) if supply.disruptions else {}
        self._flows = flows = self.state.month(orders.ravel(), out=self._flows, **shocks)
        core.deliver(
            sites.count, self.good, self._to, sites.owner, orders, flows.granted.reshape(shape),
            flows.arrived.reshape(shape), flows.bound.reshape(shape), got, self.bound, self.on_way, sent, landed,
            moved, ordered,
        )  # fmt: skip
        self._book()
        return got

    def _divide(self, orders: np.ndarray, output: np.ndarray) -> None:
        """Orders among several makers of a good, and terms of makers that do not simply share proportionally."""
        edges = self._to[:, self.model.state.sites.owner]
        for makers in self.of_good:
            if len(makers) > 1:
                orders[makers] *= self._parts(edges[makers], output[makers])
        if not self._plain:
            self._rank(orders, edges)

    def _shocks(self, month: int) -> dict[str, np.ndarray]:
        """What shocks leave of makers' output and of what an edge lets through, and by how much they delay it."""
        supply, edges = self.model.supply, self._to[:, self.model.state.sites.owner].ravel()
        factors = [
            supply.output_factor(month, agent.who, GOODS[g])
            for agent, g in zip(self.makers, self.good, strict=True)
        ]
        return {
            "node_factor": np.array([*factors, 1.0]),
            "edge_factor": np.ones(edges.size) * supply.factors(month, edges),
            "edge_delay": supply.delays(month, edges),
        }

    def _parts(self, edges: np.ndarray, output: np.ndarray) -> np.ndarray:
        """(makers, sites) parts of an order: by contract share among the owner's suppliers, by output where it has none."""
        share = self.model.supply.at(np.maximum(self.model.supply.share, 1e-3), edges, 0.0)
        share = np.where(share.sum(axis=0) > 0.0, share, np.maximum(output, 1e-12)[:, None])
        return np.asarray(share / share.sum(axis=0))

    def _rank(self, orders: np.ndarray, edges: np.ndarray) -> None:
        """Contract shares and classes for makers that do not simply share proportionally."""
        sites, network = self.model.state.sites, self.network
        tier, share = network.tier.reshape(orders.shape), network.share.reshape(orders.shape)
        decided = np.clip(sites.step["decided"], -(2**30), 2**30)
        for m in range(len(self.makers)):
            classes = self.model.supply.at(self.model.supply.priority, edges[m], LAST_CLASS)
            tier[m] = decided if self._first_come[m] else classes
            held = np.where(orders[m] > 0.0, self.weight[self.good[m]], 0.0)
            share[m] = held / held.sum() if held.sum() > 0.0 else 0.0

    def _book(self) -> None:
        """Post what makers let go and what of theirs arrived."""
        self.model.ledger.post_lines(self._lines, self._moved.ravel())
        for agent, came in zip(self.makers, self._moved[1].tolist(), strict=True):
            agent.supplied += came  # type: ignore[attr-defined]

    def why(self, lacks: int) -> str:
        """What a site that got too little is told: number of a good, and as many more as there are where a shock is why."""
        by_shock, good = divmod(lacks, len(GOODS))
        if not by_shock:
            return ON_SITE[good]
        return f"{ON_SITE[good]} (shock at {', '.join(self.makers[m].who for m in self.of_good[good])})"
