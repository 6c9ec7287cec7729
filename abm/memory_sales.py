"""Memory for accelerators: what its makers sell freely, keep back and ship, and who among chip makers gets it.

Sales go into the network of :mod:`abm.chip_graph`, which rations them with all else; amounts are GB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from abm.chip_graph import ChipGraph, Feed, Shocks
from abm.chip_log import AllocationLog
from abm.core.allocate import Flows, State
from abm.core.books import recount
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
        self._reserve = np.array(graph.reserve, np.int64)
        self._held: list[float] = []
        """By chip maker: share of free memory under contract that the network's weights stand for."""
        self.sold_out = True
        """Whether the leading chip maker asked for about all that it had under contract, or more."""
        self.sold: dict[str, float] = {}
        """By memory maker: what it has sold freely so far."""

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

    # -- the month ---------------------------------------------------------------------------
    def sell(
        self,
        month: int,
        free: list[float],
        kept: list[float],
        wanted: Mapping[str, float],
        shocks: Shocks | None,
    ) -> None:
        """Orders for memory: from the reserve first, then by what each memory maker has under contract."""
        graph, supply, model = self.graph, self.model.supply, self.model
        output = [1.0] * len(graph.memory)
        if shocks:
            output = [supply.output_factor(month, who, "hbm") for who in graph.memory]
            shocks.output[graph.hbm] = shocks.output[graph.reserve] = output
        held = [
            model.agent_of[maker].memory_contract() if has else 0.0  # type: ignore[attr-defined]
            for maker, has in zip(self.graph.makers, graph.has_memory, strict=True)
        ]
        if month == 0 and graph.feeds:
            self._open_pipelines(free, held)
        if held != self._held:
            self._contract(held)
        left = [wanted.get(maker, 0.0) for maker in self.graph.makers]
        stock = self.state.stock
        reserve = [
            float(stock[node]) + keeps * factor
            for node, keeps, factor in zip(graph.reserve, kept, output, strict=True)
        ]
        self._split(
            month, graph.reserve_feeds, left, [reserve[feed.memory] for feed in graph.reserve_feeds], shocks
        )
        sold = [offers * factor for offers, factor in zip(free, output, strict=True)]
        contract = [held[feed.maker] * sold[feed.memory] for feed in graph.feeds]
        self._split(month, graph.feeds, left, contract, shocks)
        if shocks:
            self._shock_memory(month, held, free, output, shocks)
        for edge, offers in zip(graph.memory_abroad, free, strict=True):
            self._orders[edge] = 2.0 * offers
        part = sum(sold) * held[model.makers.get(model.leading_maker, 0)] if held else 0.0
        self.sold_out = part <= 0.0 or wanted.get(model.leading_maker, 0.0) >= 0.9 * part

    def _contract(self, held: list[float]) -> None:
        """Ration memory by the shares under contract; the rest of the world has what is left."""
        weight, share = self.network.weight, self.network.share
        for feed in self.graph.feeds:
            weight[feed.edge] = share[feed.edge] = held[feed.maker]
        rest = 1.0 - sum(held)
        weight[self.graph.memory_abroad], share[self.graph.memory_abroad] = max(rest, 1e-6), max(rest, 0.0)
        self._held = held

    def _split(
        self, month: int, feeds: list[Feed], left: list[float], volume: list[float], shocks: Shocks | None
    ) -> None:
        """Order what is ``left`` to each chip maker over ``feeds`` in proportion to ``volume``; a reserve gives no more."""
        from_reserve = feeds is self.graph.reserve_feeds
        if shocks:
            supply = self.model.supply
            volume = [
                size * supply.factor(month, feed.supply) for feed, size in zip(feeds, volume, strict=True)
            ]
        total = [0.0] * len(left)
        for feed, size in zip(feeds, volume, strict=True):
            total[feed.maker] += size
        placed = [0.0] * len(left)
        for feed, size in zip(feeds, volume, strict=True):
            asked = left[feed.maker] * size / total[feed.maker] if total[feed.maker] > 0.0 else 0.0
            asked = min(asked, size) if from_reserve else asked
            self._orders[feed.edge] = asked
            placed[feed.maker] += asked
        for c, amount in enumerate(placed):
            left[c] = max(left[c] - amount, 0.0)

    def _shock_memory(
        self, month: int, held: list[float], free: list[float], output: list[float], shocks: Shocks
    ) -> None:
        """What shocks leave of each edge's usual volume, and when what they hold back is missed."""
        graph, supply = self.graph, self.model.supply
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
            for k in range(int(self.network.lead[feed.edge])):
                use = min(agent.memory_use(0, k), held[feed.maker] * total)  # type: ignore[attr-defined]
                amount = use * free[feed.memory] / total if total > 0.0 else 0.0
                self.state.pipeline[k % self.network.horizon, feed.edge] += amount
                self.model.ledger.post("hbm in transit", OPENING, "hbm", amount, "opening")

    def book(self, flows: Flows, sent: list[float]) -> None:
        """Every gigabyte: made, sold or kept, on its way, received, built in; ``sent`` by edge that leads to no site."""
        graph, post, sold = self.graph, self.model.ledger.post, self.sold
        arrived, got = flows.arrived[: graph.first_site].tolist(), [0.0] * len(self.graph.makers)
        abroad = freely = reserved = 0.0
        for who, edge in zip(graph.memory, graph.memory_abroad, strict=True):
            abroad += sent[edge]
            sold[who] = sold.get(who, 0.0) + sent[edge]
        for edge, memory, maker, _ in graph.feeds:
            freely += sent[edge]
            sold[graph.memory[memory]] += sent[edge]
            got[maker] += arrived[edge]
        for edge, _, maker, _ in graph.reserve_feeds:
            reserved += sent[edge]
            got[maker] += arrived[edge]
        kept = sum(flows.made[graph.reserve[0] : graph.reserve[-1] + 1].tolist())
        post("hbm abroad", "hbm makers", "hbm", abroad, "memory sold")
        post("hbm in transit", "hbm makers", "hbm", freely, "memory sold")
        post("hbm reserve", "hbm makers", "hbm", kept, "memory kept back")
        post("hbm in transit", "hbm reserve", "hbm", reserved, "memory from the reserve")
        for account, received, used in zip(self._accounts, got, flows.used.tolist(), strict=False):
            post(account, "hbm in transit", "hbm", received, "memory received")
            post("hbm built in", account, "hbm", used, "memory used")
