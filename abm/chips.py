"""Memory and accelerators, from memory makers over chip makers to every site that orders, month by month.

``abm.core.allocate`` moves the whole graph (``abm.chip_graph``) by one month: what is due arrives, makers make what
orders, capacity and memory allow, and what is scarce is shared by the rule that ``rationing.csv`` states. Here
orders are placed, shocks and contracts are handed in, and what comes out is booked and logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from abm.chip_graph import LONGEST_LEAD, Arrival, ChipGraph, Feed, Made, Shocks, newest_vintages
from abm.chip_log import AllocationLog
from abm.core.allocate import Flows, State
from abm.core.books import recount
from abm.ledger import OPENING, Ledger
from abm.state import HIDDEN, WITHDRAWN

if TYPE_CHECKING:
    from abm.model import Model

DUST = 1e-9
"""An order smaller than this is none."""


class ChipChain:
    """The graph and its state; amounts are GB of memory and accelerators (packs of home processors)."""

    def __init__(self, model: Model):
        self.model = model
        graph = self.graph = ChipGraph(model)
        world, supply, network = model.world, model.supply, graph.network
        self.makers = graph.makers
        self.state = State(network)
        columns, sites = len(graph.makers), graph.sites
        self.lead_of_buyer = supply.longest_leads("gpu")
        """(cast,) months that accelerators take to each buyer."""
        self.longest_lead = int(self.lead_of_buyer.max(initial=0))
        vintage = newest_vintages(model, graph.makers, model.calendar.months + 2 * LONGEST_LEAD)
        self._vintage: list[list[int]] = vintage.tolist()
        self.h100e = np.array(world.vintages.h100e, float)
        self.most_efficient = np.argsort(-self.h100e / np.array(world.vintages.kw, float), kind="stable")
        """Vintages, the most efficient first."""
        self._per_chip = np.where(vintage >= 0, world.vintages.hbm_gb[vintage], 0.0)
        """(makers, months) memory in one of the newest machines, GB."""
        cells = sites * len(world.vintages)
        self.worn_out = np.zeros(cells, np.int64), np.zeros(cells, np.int64), np.zeros(cells, np.bool_)
        """Room for what is found worn out in a month: sites, vintages, whether by age."""
        # The month's numbers are written into the network's own arrays.
        self._capacity, self._edge_capacity = network.capacity, network.edge_capacity
        self._weight, self._per_unit = network.weight, network.per_unit
        self._orders = np.zeros(network.edges)
        self.site_supply = np.full((columns, sites), -1, np.int64)
        """Edge of the supply graph over which a site is served."""
        self._value = np.zeros((network.horizon, columns * sites))
        """What the accelerators on their way cost, by month of arrival and edge to a site."""
        self.deposit = np.zeros((columns, sites))
        """Deposits held for what sites have ordered and not received, currency."""
        self.deposit_share = [
            supply.deposit_share(maker, good) for maker, good in zip(graph.makers, graph.good, strict=True)
        ]
        self.log = AllocationLog(model, graph)
        self.memory_sold_out = True
        self.sold: dict[str, float] = {}
        """By memory maker: what it has sold freely so far, GB."""
        self.flows: Flows | None = None

    def check_books(self, ledger: Ledger) -> None:
        """Have the ledger's physical accounts held against the graph's own stocks at every close."""
        ledger.check_stock("gpus in transit", "gpu", self.on_the_way)
        ledger.check_stock("chip deposits", "money", self.deposit.sum)
        if self.graph.memory:
            ledger.check_stock("hbm in transit", "hbm", self._memory_on_the_way)
            ledger.check_stock("hbm reserve", "hbm", self._memory_reserved)
            ledger.check_stocks([f"hbm of {maker}" for maker in self.makers], "hbm", self._memory_held)

    def _memory_on_the_way(self) -> float:
        return float(recount.on_edges(self.state.pipeline, self.graph.feed_edges))

    def _memory_reserved(self) -> float:
        return float(self.state.stock[self.graph.reserve].sum())

    def _memory_held(self) -> np.ndarray:
        return self.state.input_stock[: len(self.makers)]

    # -- what stakeholders ask ---------------------------------------------------------------
    def memory_ahead(self, maker: str) -> tuple[float, list[float]]:
        """Memory that a chip maker holds, GB, and what is due to it in each month of its lead time from now on."""
        graph, state = self.graph, self.state
        c = self.model.makers[maker]
        months = (state.now + np.arange(graph.memory_lead[c])) % graph.network.horizon
        due = state.pipeline[months][:, graph.feeds_of[c]].sum(axis=1)
        return float(state.input_stock[c]), due.tolist()

    def vintage(self, maker: str, month: int) -> int:
        """Newest vintage of a maker that can be had in ``month``; -1 where there is none yet."""
        return self._vintage[self.model.makers[maker]][month]

    def memory_per_chip(self, maker: str) -> np.ndarray:
        """(months,) memory in one of the maker's newest machines, GB; 0 before its first."""
        found: np.ndarray = self._per_chip[self.model.makers[maker]]
        return found

    def uses_memory(self, maker: str) -> bool:
        """Whether somebody in the world sells memory to the maker."""
        return self.graph.has_memory[self.model.makers[maker]]

    @property
    def turned_away(self) -> dict[str, float]:
        """By maker: orders of last month that its capacity could not make."""
        return self.log.turned_away

    def place(self, month: int, row: int, maker: str, amount: float, public: bool) -> None:
        """Order ``amount`` for a site; a deposit is paid with it unless the state pays."""
        if amount <= 0.0:
            return
        model, graph, supply, c = self.model, self.graph, self.model.supply, self.model.makers[maker]
        at = supply.edge(maker, model.buyer_of[row], graph.good[c])
        e = graph.first_site + c * graph.sites + row
        self.site_supply[c, row] = -1 if at is None else at
        if at is None:
            self._edge_capacity[e] = self._weight[e] = 0.0
        else:
            self._edge_capacity[e] = supply.capacity[at]
            size = max(float(model.state.sites.mw[row]), 1.0)
            self._weight[e] = max(float(supply.share[at]), 1e-3) * size
            graph.network.lead[e], graph.network.tier[e] = supply.lead[at], supply.priority[at]
        self._orders[e] += amount
        model.state.wanted[row, c] += amount
        share = 0.0 if public else self.deposit_share[c]
        if share > 0.0 and at is not None:
            vintage = self.vintage(maker, month + int(supply.lead[at]))
            paid = share * amount * model.chip_price(max(vintage, 0), month)
            self.deposit[c, row] += paid
            model.pay_chip_deposit(month, row, paid)

    # -- the month ---------------------------------------------------------------------------
    def month(
        self,
        month: int,
        sold: Mapping[str, tuple[float, float]],
        memory_orders: Mapping[str, float],
        made: Mapping[str, Made],
        quota: float,
    ) -> Flows:
        """Move the graph by a month.

        ``sold``: memory maker to (free, kept back), GB; ``memory_orders``: chip maker to GB; ``quota``:
        accelerators that licences still let into the country this month.
        """
        model, graph, supply = self.model, self.graph, self.model.supply
        orders, shocks = self._orders, Shocks(graph) if supply.disruptions else None
        self._capacity[graph.limited] = 0.0
        self._sell(month, sold, memory_orders, shocks)
        asked = model.state.wanted.sum(axis=0)
        for maker, said in made.items():
            c = model.makers[maker]
            self._capacity[graph.maker[c]] = said.output
            orders[graph.to_desk[c]], self._weight[graph.to_desk[c]] = asked[c], said.home_weight
            self._per_unit[c] = self._per_chip[c, month] if graph.has_memory[c] else 0.0
            if graph.leads_world[c]:
                edges, world = graph.to_rivals[c], graph.to_world[c]
                orders[edges] = [rival.chips_wanted for rival in graph.rivals]
                self._weight[edges] = said.rival_weight
                orders[world] = said.abroad
                self._weight[world] = max(1.0 - said.home_weight - said.rival_weight * len(edges), 1e-6)
            if shocks:
                shocks.output[graph.maker[c]] = supply.output_factor(month, maker, graph.good[c])
                if graph.leads_world[c]:
                    shocks.passes[graph.to_rivals[c]] = supply.factors(month, graph.rival_supply[c])
        if shocks:
            at = self.site_supply.ravel()
            shocks.passes[graph.first_site :] = supply.factors(month, at)
            shocks.delay[graph.first_site :] = supply.delays(month, at)
        if graph.shares_by_contract:
            graph.network.share[graph.first_site :] = np.tile(self._contracts(), len(self.makers))
        flows = self.state.month(
            orders,
            group_cap=[max(quota, 0.0)],
            node_factor=shocks.output if shocks else None,
            edge_factor=shocks.passes if shocks else None,
            edge_delay=shocks.delay if shocks else None,
        )
        self.flows = flows
        if graph.memory:
            self._book_memory(month, flows, orders)
        self._settle(month, flows, shocks)
        orders[:] = 0.0
        return flows

    def _sell(
        self,
        month: int,
        sold: Mapping[str, tuple[float, float]],
        wanted: Mapping[str, float],
        shocks: Shocks | None,
    ) -> None:
        """Orders for memory: from the reserve first, then by what each memory maker has under contract."""
        graph, supply, model = self.graph, self.model.supply, self.model
        figures = np.array([sold.get(who, (0.0, 0.0)) for who in graph.memory]).reshape(-1, 2)
        free, kept = figures[:, 0], figures[:, 1]
        self._capacity[graph.hbm], self._capacity[graph.reserve] = free, kept
        output = np.ones(len(graph.memory))
        if shocks:
            output[:] = [supply.output_factor(month, who, "hbm") for who in graph.memory]
            shocks.output[graph.hbm] = shocks.output[graph.reserve] = output
        agents = [model.agent_of[maker] for maker in self.makers]
        held = [
            agent.memory_contract() if has else 0.0  # type: ignore[attr-defined]
            for agent, has in zip(agents, graph.has_memory, strict=True)
        ]
        if month == 0 and graph.feeds:
            self._open_pipelines(free, held)
        left = [wanted.get(maker, 0.0) for maker in self.makers]
        reserve = self.state.stock[graph.reserve] + kept * output
        self._split(
            month,
            graph.reserve_feeds,
            left,
            [float(reserve[feed.memory]) for feed in graph.reserve_feeds],
            shocks,
        )
        contract = [held[feed.maker] * float(free[feed.memory] * output[feed.memory]) for feed in graph.feeds]
        for feed in graph.feeds:
            self._weight[feed.edge] = graph.network.share[feed.edge] = held[feed.maker]
        self._split(month, graph.feeds, left, contract, shocks)
        for feed in graph.reserve_feeds:
            self._weight[feed.edge] = 1.0
        if shocks:
            self._shock_memory(month, held, free, output, shocks)
        rest = 1.0 - sum(held)
        self._orders[graph.memory_abroad] = 2.0 * free
        self._weight[graph.memory_abroad], graph.network.share[graph.memory_abroad] = (
            max(rest, 1e-6),
            max(rest, 0.0),
        )
        leader = model.makers.get(model.leading_maker, 0)
        part = float((free * output).sum()) * held[leader] if held else 0.0
        self.memory_sold_out = part <= 0.0 or wanted.get(model.leading_maker, 0.0) >= 0.9 * part

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
        self, month: int, held: list[float], free: np.ndarray, output: np.ndarray, shocks: Shocks
    ) -> None:
        """What shocks leave of each edge's usual volume, and when what they hold back is missed."""
        graph, supply = self.graph, self.model.supply
        for feed in graph.feeds:
            passes, delay = supply.factor(month, feed.supply), supply.delay(month, feed.supply)
            usual = held[feed.maker] * float(free[feed.memory])
            self._edge_capacity[feed.edge] = passes * usual if passes < 1.0 else np.inf
            shocks.delay[feed.edge] = delay
            if passes < 1.0 or output[feed.memory] < 1.0 or delay:
                until = month + int(graph.network.lead[feed.edge]) + delay
                self.log.memory_held_back(feed.maker, until, graph.memory[feed.memory])
        for feed in graph.reserve_feeds:
            shocks.passes[feed.edge] = output[feed.memory] * supply.factor(month, feed.supply)
            shocks.delay[feed.edge] = supply.delay(month, feed.supply)

    def _open_pipelines(self, free: np.ndarray, held: list[float]) -> None:
        """What was sold before the run and arrives in its first months: as much as makers use, within contracts."""
        graph, total = self.graph, float(free.sum())
        for feed in graph.feeds:
            agent = self.model.agent_of[self.makers[feed.maker]]
            for k in range(int(graph.network.lead[feed.edge])):
                use = min(agent.memory_use(0, k), held[feed.maker] * total)  # type: ignore[attr-defined]
                amount = use * float(free[feed.memory]) / total if total > 0.0 else 0.0
                self.state.pipeline[k % graph.network.horizon, feed.edge] += amount
                self.model.ledger.post("hbm in transit", OPENING, "hbm", amount, "opening")

    def _contracts(self) -> np.ndarray:
        """Contract share of each site in what the country gets: its part of the accelerators planned."""
        sites = self.model.state.sites
        planned = np.where((sites.status > HIDDEN) & (sites.status < WITHDRAWN), sites.gpus, 0.0)
        total = float(planned.sum())
        return planned / total if total > 0.0 else planned

    def _book_memory(self, month: int, flows: Flows, orders: np.ndarray) -> None:
        """Every gigabyte: made, sold or kept, on its way, received, built in."""
        graph, ledger, supply = self.graph, self.model.ledger, self.model.supply
        sent, abroad = flows.granted[graph.feed_edges], flows.granted[graph.memory_abroad]
        sold = len(graph.feeds)
        ledger.post("hbm abroad", "hbm makers", "hbm", float(abroad.sum()), "memory sold")
        ledger.post("hbm in transit", "hbm makers", "hbm", float(sent[:sold].sum()), "memory sold")
        ledger.post(
            "hbm reserve", "hbm makers", "hbm", float(flows.made[graph.reserve].sum()), "memory kept back"
        )
        ledger.post(
            "hbm in transit", "hbm reserve", "hbm", float(sent[sold:].sum()), "memory from the reserve"
        )
        for who, amount in zip(graph.memory, abroad.tolist(), strict=True):
            self.sold[who] = self.sold.get(who, 0.0) + amount
        for feed, amount in zip(graph.feeds, sent[:sold].tolist(), strict=True):
            self.sold[graph.memory[feed.memory]] += amount
        arrived = np.bincount(graph.feed_maker, flows.arrived[graph.feed_edges], len(self.makers)).tolist()
        edges = supply.flow.shape[1]
        supply.flow[month] += np.bincount(graph.feed_supply, sent, edges)
        supply.asked[month] += np.bincount(graph.feed_supply, orders[graph.feed_edges], edges)
        for maker, got, used in zip(self.makers, arrived, flows.used.tolist(), strict=False):
            ledger.post(f"hbm of {maker}", "hbm in transit", "hbm", got, "memory received")
            ledger.post("hbm built in", f"hbm of {maker}", "hbm", used, "memory used")

    def _settle(self, month: int, flows: Flows, shocks: Shocks | None) -> None:
        """Take over what the graph says of sites: orders left, what is on its way and at which price; log and book."""
        model, graph, supply = self.model, self.graph, self.model.supply
        first, columns, network = graph.first_site, len(self.makers), graph.network
        for c, edges in graph.to_rivals.items():
            got = flows.granted[edges]
            for rival, amount in zip(graph.rivals, got.tolist(), strict=True):
                rival.chips_received = amount
            supply.book_all(month, graph.rival_supply[c], got, flows.asked[edges])
        backlog = self.state.backlog[first:]
        # Dust goes only where no queue by month remembers it.
        backlog[(backlog < DUST) & (network.queue_row[first:] < 0)] = 0.0
        model.state.wanted[:, :columns] = backlog.reshape(columns, graph.sites).T
        granted, asked = flows.granted[first:], flows.asked[first:]
        total = 0.0
        for k in np.flatnonzero(granted > 0.0).tolist():
            c, row = divmod(k, graph.sites)
            lead, number = int(network.lead[first + k]), float(granted[k])
            late = int(shocks.delay[first + k]) if shocks else 0
            vintage = max(self.vintage(self.makers[c], month + lead), 0)
            self._value[(month + lead + late) % network.horizon, k] += number * model.chip_price(
                vintage, month
            )
            model.state.ordered[row] += number
            total += number
            if graph.foreign[c]:
                model.imported_this_quarter += number
                model.imported_total += number
        model.ledger.post("gpus in transit", "gpus world", "gpu", total, "allocation")
        open_ = np.flatnonzero(asked > 0.0)
        to = self.site_supply.ravel()
        there = open_[to[open_] >= 0]
        supply.asked[month] += np.bincount(to[there], asked[there], supply.asked.shape[1])
        self.log.write(month, flows, open_, to)

    # -- deliveries --------------------------------------------------------------------------
    def arrivals(self, month: int) -> Iterator[Arrival]:
        """Accelerators that reached sites this month."""
        if self.flows is None:
            return
        arrived = self.flows.arrived[self.graph.first_site :]
        value = self._value[month % self.graph.network.horizon]
        for k in np.flatnonzero(arrived > 0.0).tolist():
            column, row = divmod(k, self.graph.sites)
            number = float(arrived[k])
            yield Arrival(row, column, number, float(value[k]) / number)
            value[k] = 0.0

    def on_the_way(self) -> float:
        """Accelerators allocated to sites and not arrived, from the graph's own pipelines."""
        graph = self.graph
        return float(
            recount.on_the_way(
                self.state.pipeline, graph.first_site, graph.sites, self.model.state.sites.count
            )
        )

    def release_deposit(self, row: int, column: int, number: float) -> float:
        """The deposit that goes back with a delivery of ``number``."""
        held = float(self.deposit[column, row])
        if held <= 0.0:
            return 0.0
        e = self.graph.first_site + column * self.graph.sites + row
        left = float(self.state.backlog[e] + self.state.pipeline[:, e].sum())
        back = held if left <= DUST else held * number / (number + left)
        self.deposit[column, row] -= back
        return back
