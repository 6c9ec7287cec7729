"""Memory for accelerators: what its makers sell freely, keep back and ship, and who among chip makers gets it.

Sales go into the network of :mod:`abm.chip_graph`, which rations them with all else; amounts are GB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from abm.chip_graph import ChipGraph, Shocks
from abm.chip_log import AllocationLog
from abm.core.allocate import Flows, State
from abm.core.books import recount
from abm.core.sites import memory as core
from abm.ledger import OPENING, Ledger

if TYPE_CHECKING:
    from abm.model import Model


class MemorySales:
    """Writes the month's orders for memory into ``orders`` (by edge of the graph), and books what moved."""

    def __init__(
        self, model: Model, graph: ChipGraph, state: State, orders: np.ndarray, log: AllocationLog
    ):
        self.model, self.graph, self.network, self.state = model, graph, graph.network, state
        self._orders, self._log = orders, log
        self._accounts = [f"hbm of {maker}" for maker in graph.makers]
        both, makers = [*graph.feeds, *graph.reserve_feeds], len(graph.makers)
        self._feeds = np.array([feed[:3] for feed in both], np.int64).reshape(-1, 3)
        self._reserve, self._abroad = np.array(graph.reserve, np.int64), np.array(graph.memory_abroad, np.int64)
        self._lines = self._journal_lines()
        self._moved = np.zeros(len(self._lines))
        """What the last month moved, by journal line."""
        self._output, self._passes = np.ones(len(graph.memory)), np.ones(len(both))
        """What shocks leave of each memory maker's output and of each feed."""
        self._volume, self._sums = np.zeros(len(both)), np.zeros((2, makers))
        self._held: list[float] = []
        """By chip maker: share of free memory under contract that the network's weights stand for."""
        self._under_contract = np.zeros(makers)
        """The same, for the compiled core."""
        self._due = np.zeros((makers, max(graph.memory_lead, default=0)))
        self._due_in, self._due_list = -1, self._due.tolist()
        self.sold_out = True
        """Whether the leading chip maker asked for about all that it had under contract, or more."""
        self._sold = np.zeros(len(graph.memory))
        """By memory maker: what it has sold freely so far."""

    def _journal_lines(self) -> np.ndarray:
        """Of the journal, in the order in which :func:`abm.core.sites.memory.book` gives what moved."""
        line = self.model.ledger.line
        lines = [
            line("hbm abroad", "hbm makers", "hbm", "memory sold"),
            line("hbm in transit", "hbm makers", "hbm", "memory sold"),
            line("hbm reserve", "hbm makers", "hbm", "memory kept back"),
            line("hbm in transit", "hbm reserve", "hbm", "memory from the reserve"),
        ]
        for account in self._accounts:
            lines.append(line(account, "hbm in transit", "hbm", "memory received"))
            lines.append(line("hbm built in", account, "hbm", "memory used"))
        return np.array(lines, np.int64)

    def check_books(self, ledger: Ledger) -> None:
        """Have the ledger's accounts of memory held against the graph's own stocks at every close."""
        if self.graph.memory:
            ledger.check_stocks(["hbm in transit", "hbm reserve", *self._accounts], "hbm", self._counted)

    def _counted(self) -> np.ndarray:
        """Memory on its way, kept back, and held by each maker of chips."""
        counted = np.empty(recount.HELD + len(self.graph.makers))
        recount.memory(
            self.state.pipeline,
            self.graph.feed_edges,
            self.state.stock,
            self._reserve,
            self.state.input_stock,
            counted,
        )
        return counted

    # -- what others ask -----------------------------------------------------------------------
    def sold_by(self, who: str) -> float:
        """What a memory maker has sold freely so far; 0 for anybody else."""
        memory = self.graph.memory
        return self._sold.item(memory.index(who)) if who in memory else 0.0

    def due(self, maker: int) -> list[float]:
        """What is on its way to a chip maker and arrives in each month of its lead time, this one first."""
        if self._due_in != self.state.now:
            core.due(self.state.now, self.state.pipeline, self._feeds, self._due)
            self._due_in, self._due_list = self.state.now, self._due.tolist()
        return self._due_list[maker][: self.graph.memory_lead[maker]]

    # -- the month ---------------------------------------------------------------------------
    def sell(
        self,
        month: int,
        free: list[float],
        offered: np.ndarray,
        wanted: Mapping[str, float],
        shocks: Shocks | None,
    ) -> None:
        """Orders for memory: from the reserve first, then by what each memory maker has under contract.

        ``offered``: (2 x memory makers,) what they sell freely, as in ``free``, and what they keep back.
        """
        graph, model = self.graph, self.model
        held = [
            model.agent_of[maker].memory_contract() if has else 0.0  # type: ignore[attr-defined]
            for maker, has in zip(graph.makers, graph.has_memory, strict=True)
        ]
        if month == 0 and graph.feeds:
            self._open_pipelines(free, held)
        if held != self._held:
            self._contract(held)
        if shocks:
            self._shock_memory(month, held, free, shocks)
        sold = core.sell(
            offered, self._output, self._under_contract,
            np.array([wanted.get(maker, 0.0) for maker in graph.makers], float),
            self._feeds, len(graph.feeds), self._passes, self._reserve, self.state.stock, self._abroad, self._volume,
            self._sums, self._orders,
        )  # fmt: skip
        part = sold * held[model.makers.get(model.leading_maker, 0)] if held else 0.0
        self.sold_out = part <= 0.0 or wanted.get(model.leading_maker, 0.0) >= 0.9 * part

    def _contract(self, held: list[float]) -> None:
        """Ration memory by the shares under contract; the rest of the world has what is left."""
        weight, share = self.network.weight, self.network.share
        for feed in self.graph.feeds:
            weight[feed.edge] = share[feed.edge] = held[feed.maker]
        rest = 1.0 - sum(held)
        weight[self.graph.memory_abroad], share[self.graph.memory_abroad] = max(rest, 1e-6), max(rest, 0.0)
        self._held, self._under_contract[:] = held, held

    def _shock_memory(self, month: int, held: list[float], free: list[float], shocks: Shocks) -> None:
        """What shocks leave of output and of each edge's usual volume, and when what they hold back is missed."""
        graph, supply = self.graph, self.model.supply
        output = [supply.output_factor(month, who, "hbm") for who in graph.memory]
        self._output[:] = shocks.output[graph.hbm] = shocks.output[graph.reserve] = output
        self._passes[:] = [supply.factor(month, feed.supply) for feed in [*graph.feeds, *graph.reserve_feeds]]
        for feed in graph.feeds:
            passes, delay = supply.factor(month, feed.supply), supply.delay(month, feed.supply)
            usual = held[feed.maker] * free[feed.memory]
            self.network.edge_capacity[feed.edge] = passes * usual if passes < 1.0 else np.inf
            shocks.delay[feed.edge] = delay
            if passes < 1.0 or output[feed.memory] < 1.0 or delay:
                until = month + int(self.network.lead[feed.edge]) + delay
                self._log.memory_held_back(feed.maker, until, graph.memory[feed.memory])
        for feed in graph.reserve_feeds:
            shocks.passes[feed.edge] = output[feed.memory] * supply.factor(month, feed.supply)
            shocks.delay[feed.edge] = supply.delay(month, feed.supply)

    def _open_pipelines(self, free: list[float], held: list[float]) -> None:
        """What was sold before the run and arrives in its first months: as much as makers use, within contracts."""
        graph, total = self.graph, sum(free)
        for feed in graph.feeds:
            agent = self.model.agent_of[self.graph.makers[feed.maker]]
            uses = agent.memory_uses(0, int(self.network.lead[feed.edge]))  # type: ignore[attr-defined]
            for k, planned in enumerate(uses):
                use = min(planned, held[feed.maker] * total)
                amount = use * free[feed.memory] / total if total > 0.0 else 0.0
                self.state.pipeline[k % self.network.horizon, feed.edge] += amount
                self.model.ledger.post("hbm in transit", OPENING, "hbm", amount, "opening")

    def book(self, flows: Flows) -> None:
        """Every gigabyte: made, sold or kept, on its way, received, built in."""
        core.book(
            flows.granted, flows.arrived, flows.made, flows.used, self._feeds, len(self.graph.feeds), self._reserve,
            self._abroad, self._sold, self._moved,
        )  # fmt: skip
        self.model.ledger.post_lines(self._lines, self._moved)
