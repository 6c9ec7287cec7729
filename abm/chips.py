"""Memory and accelerators, from memory makers over chip makers to every site that orders, month by month.

``abm.core.allocate`` moves the whole graph (``abm.chip_graph``) by one month: what is due arrives, makers make what
orders, capacity and memory allow, and what is scarce is shared by the rule that ``rationing.csv`` states. Here
orders are placed, shocks and contracts are handed in, and what comes out is booked and logged. What concerns
memory alone stands in :mod:`abm.memory_sales`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from abm.calendar import NEVER
from abm.chip_graph import (
    LONGEST_LEAD,
    ChipGraph,
    Delivered,
    Made,
    Shocks,
    Source,
    newest_vintages,
)
from abm.chip_log import AllocationLog
from abm.core.allocate import Flows, State
from abm.core.books import recount, totals
from abm.core.sites import chips as core
from abm.ledger import Ledger
from abm.memory_sales import MemorySales
from abm.state import HIDDEN, WITHDRAWN

if TYPE_CHECKING:
    from abm.model import Model


NOTHING = 0.0, 0.0
"""What a memory maker offers, free and kept back, that says nothing."""


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
        vintage = newest_vintages(model, graph.makers, model.calendar.months + 2 * LONGEST_LEAD)
        self._vintage, self._vintages = vintage, vintage.tolist()
        """(makers, months) newest to be had, -1 before the first."""
        leader = model.makers.get(model.leading_maker)
        self.newest = np.zeros(vintage.shape[1], np.int64) if leader is None else vintage[leader].clip(0)
        """(months,) vintage of the leading maker that buyers count on."""
        self._per_chip: list[list[float]] = np.where(
            vintage >= 0, world.vintages.hbm_gb[vintage], 0.0
        ).tolist()
        """(makers, months) memory in one of the newest machines, GB."""
        room = columns * sites
        self._sources: dict[tuple[str, str], list[Source]] = {}
        """What :meth:`sources` has found."""
        self._short, self._by_maker = np.zeros(room, np.int64), np.zeros((2, columns))
        self._wanted = np.zeros(columns)
        """By maker: what all sites still want."""
        self._deliveries = (
            np.zeros((2, sites), np.int64),
            np.zeros(sites),
            np.zeros((2, len(model.owner_rows))),
            np.zeros((2, columns)),
        )
        """Room for a month's deliveries, as the compiled core counts them."""
        self._no_delay = np.zeros(network.edges, np.int64)
        # The month's numbers are written into the network's own arrays.
        self._capacity, self._edge_capacity = network.capacity, network.edge_capacity
        self._weight, self._per_unit = network.weight, network.per_unit
        self._orders = np.zeros(network.edges)
        self._served = -1
        """Sites that the graph reaches; owners announce more."""
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
        self.memory = MemorySales(model, graph, self.state, self._orders, self.log)
        self.flows = self.state.no_flows()
        """What moved in the last month."""

    def check_books(self, ledger: Ledger) -> None:
        """Have the ledger's physical accounts held against the graph's own stocks at every close."""
        ledger.check_stock("gpus in transit", "gpu", self.on_the_way)
        ledger.check_stock("chip deposits", "money", self._deposits_held)
        self.memory.check_books(ledger)

    def _deposits_held(self) -> float:
        return float(totals.total(self.deposit.ravel()))

    # -- what stakeholders ask ---------------------------------------------------------------
    def memory_ahead(self, maker: str) -> tuple[float, list[float]]:
        """Memory that a chip maker holds, GB, and what is due to it in each month of its lead time from now on."""
        c = self.model.makers[maker]
        return self.state.input_stock.item(c), self.memory.due(c)

    def vintage(self, maker: str, month: int) -> int:
        """Newest vintage of a maker that can be had in ``month``; -1 where there is none yet."""
        found: int = self._vintages[self.model.makers[maker]][month]
        return found

    def memory_per_chip(self, maker: str) -> list[float]:
        """Memory in one of the maker's newest machines, GB, by month; 0 before its first."""
        return self._per_chip[self.model.makers[maker]]

    def uses_memory(self, maker: str) -> bool:
        """Whether somebody in the world sells memory to the maker."""
        return self.graph.has_memory[self.model.makers[maker]]

    @property
    def turned_away(self) -> dict[str, float]:
        """By maker: orders of last month that its capacity could not make."""
        return self.log.turned_away

    def sources(self, buyer: str, good: str) -> list[Source]:
        """Makers from which ``buyer`` has ``good``, looked up once: edges stay as they are for the whole run."""
        found = self._sources.get((buyer, good))
        if found is None:
            supply = self.model.supply
            found = self._sources[buyer, good] = [
                Source(
                    self.model.makers[supply.who_supplies(edge)],
                    edge,
                    float(supply.share[edge]),
                    float(supply.capacity[edge]),
                    int(supply.lead[edge]),
                    int(supply.priority[edge]),
                )
                for edge in supply.into(buyer, good)
            ]
        return found

    def place(self, month: int, row: int, source: Source, amount: float, public: bool) -> None:
        """Order ``amount`` for a site; a deposit is paid with it unless the state pays."""
        if amount <= 0.0:
            return
        model, network, c = self.model, self.graph.network, source.column
        e = self.graph.first_site + c * self.graph.sites + row
        if self.site_supply.item(c, row) != source.supply:
            self.site_supply[c, row] = source.supply
            self._edge_capacity[e] = source.capacity
            self._weight[e] = max(source.share, 1e-3) * max(float(model.state.sites.mw[row]), 1.0)
            network.lead[e], network.tier[e] = source.lead, source.tier
        self._orders[e] += amount
        model.state.wanted[row, c] += amount
        share = 0.0 if public else self.deposit_share[c]
        if share > 0.0:
            vintage = max(self._vintages[c][month + source.lead], 0)
            paid = share * amount * model.chip_price(vintage, month)
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
        graph, supply, orders = self.graph, self.model.supply, self._orders
        if self._served != self.model.state.sites.count:
            self._served = self.model.state.sites.count
            graph.to_sites(self._served)
        shocks = Shocks(graph) if supply.disruptions else None
        offered = [sold.get(who, NOTHING) for who in graph.memory]
        free, kept = [offer[0] for offer in offered], [offer[1] for offer in offered]
        output = [made[maker].output if maker in made else 0.0 for maker in self.makers]
        self._capacity[: graph.limited] = [*free, *kept, *output]
        self.memory.sell(month, free, self._capacity[: 2 * len(free)], memory_orders, shocks)
        self._make(month, made, shocks)
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
            out=self.flows,
        )
        self.flows = flows
        if graph.memory:
            self.memory.book(flows)
        for edges in graph.to_rivals.values():
            for rival, sent in zip(graph.rivals, flows.granted[edges].tolist(), strict=True):
                rival.chips_received = sent
        self._settle(month, flows, shocks)
        orders[:] = 0.0
        return flows

    def _make(self, month: int, made: Mapping[str, Made], shocks: Shocks | None) -> None:
        """What chip makers are asked for, by the home country, rivals and the rest of the world."""
        model, graph, supply, orders = self.model, self.graph, self.model.supply, self._orders
        core.wanted_of_makers(model.state.sites.count, model.state.wanted, self._wanted)
        asked = self._wanted.tolist()
        for maker, said in made.items():
            c = model.makers[maker]
            orders[graph.to_desk[c]], self._weight[graph.to_desk[c]] = asked[c], said.home_weight
            self._per_unit[c] = self._per_chip[c][month] if graph.has_memory[c] else 0.0
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

    def _contracts(self) -> np.ndarray:
        """Contract share of each site in what the country gets: its part of the accelerators planned."""
        sites = self.model.state.sites
        planned = np.where((sites.status > HIDDEN) & (sites.status < WITHDRAWN), sites.gpus, 0.0)
        total = float(planned.sum())
        return planned / total if total > 0.0 else planned

    def _settle(self, month: int, flows: Flows, shocks: Shocks | None) -> None:
        """Take over what the graph says of sites: orders left, what is on its way and at which price; log and book."""
        model, graph, supply, network = self.model, self.graph, self.model.supply, self.graph.network
        found = core.take_over(
            month, model.state.sites.count, flows.asked, flows.granted, network.lead,
            shocks.delay if shocks else self._no_delay, network.queue_row, self._vintage,
            model.vintage_price * model.outside.exchange_rate.item(month), graph.supply_edge, self.site_supply,
            supply.flow[month], supply.asked[month], self.state.backlog, model.state.wanted, model.state.ordered,
            self._value, self._by_maker, self._short,
        )  # fmt: skip
        asked, granted = self._by_maker.tolist()
        imported = sum(amount for amount, foreign in zip(granted, graph.foreign, strict=True) if foreign)
        model.imported_this_quarter += imported
        model.imported_total += imported
        model.ledger.post("gpus in transit", "gpus world", "gpu", sum(granted), "allocation")
        self.log.write(month, flows, asked, granted, self._short[:found].tolist(), self.site_supply)

    # -- deliveries --------------------------------------------------------------------------
    def receive(self, month: int, spent: int) -> Delivered:
        """Accelerators that reached sites this month go into store there, and their deposits go back.

        What owners pay is listed in the model's ``spending``, after the first ``spent`` entries.
        """
        model, graph, state, sites = self.model, self.graph, self.model.state, self.model.state.sites
        equipped, there, by_owner, by_maker = self._deliveries
        spent, found, pooled = core.receive(
            month, sites.count, graph.first_site, NEVER, spent, self._vintage, sites.gpus, self.flows.arrived,
            self.state.backlog, self.state.pipeline, self._value, state.ordered, self.deposit, state.chips, state.store,
            model.chip_age, sites.step["equipped"], model.owner_number(), sites.finance, model.state_purchased,
            self.site_supply, model.supply.flow[month], model.chip_deposits, model.cash, *model.spending, equipped, there,
            by_owner, by_maker,
        )  # fmt: skip
        rows, columns = equipped[:, :found].tolist()
        listed = list(zip(rows, columns, there[:found].tolist(), strict=True))
        return Delivered(spent, by_owner.ravel(), by_maker.tolist(), pooled, listed)

    def on_the_way(self) -> float:
        """Accelerators allocated to sites and not arrived, from the graph's own pipelines."""
        graph = self.graph
        return float(
            recount.on_the_way(
                self.state.pipeline, graph.first_site, graph.sites, self.model.state.sites.count
            )
        )
