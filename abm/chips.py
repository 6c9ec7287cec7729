"""Memory and accelerators: one compiled graph from memory makers over chip makers to every site that orders.

Nodes are makers of memory, the reserve that each of them keeps for home chips, makers of accelerators,
and for each of these a desk that hands on what the home country gets. Edges run from memory makers to
chip makers and to the rest of the world, from chip makers to the home desk, to rival countries and to
the rest of the world, and from each desk to every site. ``abm.core.allocate`` moves the whole graph by one
month: what is due arrives, makers make what orders, capacity and memory allow, and what is scarce is
shared by the rule that ``rationing.csv`` states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from abm.core.allocate import BOUNDS, Flows, Network, State
from abm.ledger import OPENING, Ledger

if TYPE_CHECKING:
    from abm.model import Model

LONGEST_LEAD = 121
"""Months: the longest lead time that an edge may have, and one."""

DUST = 1e-9
"""An order smaller than this is none."""


class Arrival(NamedTuple):
    """Accelerators that reach a site."""

    row: int
    column: int
    count: float
    price: float
    """Mean price agreed when they were allocated, currency each."""


class ChipChain:
    """The graph and its state; amounts are GB of memory and accelerators (packs of home processors)."""

    def __init__(self, model: Model):
        self.model = model
        world, supply = model.world, model.supply
        kind = dict(zip(world.cast.keys, world.cast.kind, strict=True))
        self.makers = list(model.makers)
        self.good = ["npu" if kind[maker] == "npu-maker" else "gpu" for maker in self.makers]
        self.memory = [agent.who for agent in model.by_kind("hbm-maker")]
        self.sites = len(model.state.sites.mw)
        self.rivals = model.by_kind("rival")
        self._foreign = [model.is_foreign(maker) for maker in self.makers]
        self.lead_of_buyer = supply.longest_leads("gpu")
        self._build(model)
        self._vintage = _newest_vintages(model, self.makers, model.calendar.months + 2 * LONGEST_LEAD)
        self._memory_by_month = [self.memory_per_chip(maker).tolist() for maker in self.makers]
        self.state = State(self.network)
        edges, columns = self.network.edges, len(self.makers)
        self._orders = np.zeros(edges)
        # The month's numbers are written into the network's own arrays.
        self._capacity, self._edge_capacity = self.network.capacity, self.network.edge_capacity
        self._weight, self._per_unit = self.network.weight, self.network.per_unit
        self._weight[:] = 0.0
        self._capacity[: self._sink] = 0.0
        self._capacity[self._desk] = np.inf
        self.network.target[self._reserve] = np.inf
        self._makers_and_memory = np.array([*self._hbm, *self._reserve, *self._maker], np.int64)
        self._feeding = [*self._memory_edges, *self._reserve_edges]
        self._feeding_edges = np.array([e for e, *_ in self._feeding], np.int64)
        self._feeding_maker = np.array([c for _, _, c, _ in self._feeding], np.int64)
        self._feeding_graph = np.array([at for *_, at in self._feeding], np.int64)
        self._abroad_edges = np.array(self._memory_abroad, np.int64)
        self._graph_edge = np.full((columns, self.sites), -1, np.int64)
        """Edge of the supply graph over which a site is served."""
        self._value = np.zeros((self.network.horizon, columns * self.sites))
        """What the accelerators on their way cost, by month of arrival and edge to a site."""
        self.deposit = np.zeros((columns, self.sites))
        """Deposits held for what sites have ordered and not received, currency."""
        self.deposit_share = [supply.deposit_share(maker, good) for maker, good in zip(self.makers, self.good, strict=True)]
        self._said_month = np.full((columns, self.sites), -1000, np.int64)
        self._said = np.full((columns, self.sites), -1, np.int64)
        self.turned_away: dict[str, float] = {}
        """By maker: orders of last month that its capacity could not make."""
        self.memory_sold_out = True
        self.sold: dict[str, float] = {}
        """By memory maker: what it has sold freely so far, GB."""
        self.flows: Flows | None = None
        self._memory_hit: dict[int, tuple[int, str]] = {}
        """By maker: last month in which memory ordered in a shock is missed, and whose."""

    def _build(self, model: Model) -> None:
        """Lay out nodes and edges, and remember which is which."""
        supply, makers, good = model.supply, self.makers, self.good
        names: list[str] = []
        rule: list[str] = []

        def node(name: str, by: str = "proportional") -> int:
            names.append(name)
            rule.append(by)
            return len(names) - 1

        self._hbm = [node(f"{who} hbm", supply.rule_of(who, "hbm")) for who in self.memory]
        self._reserve = [node(f"{who} reserve") for who in self.memory]
        self._maker = [node(f"{who} {what}") for who, what in zip(makers, good, strict=True)]
        self._desk = [node(f"home desk of {who}", supply.rule_of(who, what)) for who, what in zip(makers, good, strict=True)]
        self._sink = node("buyers")
        slot_node = [*self._maker, *self._desk]
        supplier: list[int] = []
        buyer: list[int] = []
        slot: list[int] = []
        lead: list[int] = []
        lapse: list[bool] = []
        group: list[int] = []
        tier: list[int] = []

        def edge(start: int, end: int, into: int, months: int, lapses: bool, limited: int = -1, order: int = 0) -> int:
            supplier.append(start), buyer.append(end), slot.append(into), lead.append(months)
            lapse.append(lapses), group.append(limited), tier.append(order)
            return len(supplier) - 1

        self._memory_edges: list[tuple[int, int, int, int]] = []
        """(number, memory maker, chip maker, edge of the supply graph)"""
        self._reserve_edges: list[tuple[int, int, int, int]] = []
        for j, who in enumerate(self.memory):
            for c, maker in enumerate(makers):
                at = supply.edge(who, maker, "hbm")
                if at is None:
                    continue
                months, order = int(supply.lead[at]), int(supply.priority[at])
                self._memory_edges.append((edge(self._hbm[j], self._maker[c], c, months, True, order=order), j, c, at))
                if good[c] == "npu":
                    self._reserve_edges.append((edge(self._reserve[j], self._maker[c], c, months, True), j, c, at))
        self._memory_abroad = [edge(self._hbm[j], self._sink, -1, 0, True, order=9) for j in range(len(self.memory))]
        columns = range(len(makers))
        self._to_desk = [
            edge(self._maker[c], self._desk[c], len(makers) + c, 0, True, 0 if self._foreign[c] else -1) for c in columns
        ]
        self._leads_world = [kind == "gpu-maker" for kind in (model.agent_of[maker].kind for maker in makers)]
        self._to_rival = {
            (c, r): edge(self._maker[c], self._sink, -1, 0, True)
            for c in columns if self._leads_world[c] for r in range(len(self.rivals))
        }
        self._to_world = {c: edge(self._maker[c], self._sink, -1, 0, True) for c in columns if self._leads_world[c]}
        self._first_site = len(supplier)
        for c in columns:
            for _ in range(self.sites):
                edge(self._desk[c], self._sink, -1, 0, False)
        longest = int(supply.lead.max(initial=0))
        self.network = Network(
            names, supplier, buyer, lead=lead, slot=slot, slot_node=slot_node, per_unit=1.0, rule=rule,
            group=group, groups=1, lapse=lapse, tier=tier, slack=longest + supply.longest_delay() + 1,
        )  # fmt: skip
        self._feeds = [
            [e for e, _, of, _ in (*self._memory_edges, *self._reserve_edges) if of == c] for c in columns
        ]
        self._memory_lead = [max((lead[e] for e in feeds), default=0) for feeds in self._feeds]
        self._has_memory = [any(c == of for _, _, of, _ in self._memory_edges) for c in columns]

    def check_books(self, ledger: Ledger) -> None:
        """Have the ledger's physical accounts held against the graph's own stocks at every close."""
        ledger.check_stock("gpus in transit", "gpu", self.on_the_way)
        ledger.check_stock("chip deposits", "money", self.deposit.sum)
        if self.memory:
            ledger.check_stock("hbm in transit", "hbm", self._memory_on_the_way)
            ledger.check_stock("hbm reserve", "hbm", self._memory_reserved)
            ledger.check_stocks([f"hbm of {maker}" for maker in self.makers], "hbm", self._memory_held)

    def _memory_on_the_way(self) -> float:
        feeds = [e for e, *_ in (*self._memory_edges, *self._reserve_edges)]
        return float(self.state.pipeline[:, feeds].sum())

    def _memory_reserved(self) -> float:
        return float(self.state.stock[self._reserve].sum())

    def _memory_held(self) -> np.ndarray:
        return self.state.input_stock[: len(self.makers)]

    # -- what stakeholders ask ---------------------------------------------------------------
    def memory_ahead(self, maker: str) -> tuple[float, list[float]]:
        """Memory that a chip maker holds, GB, and what is due to it in each month of its lead time from now on."""
        c = self.model.makers[maker]
        state, first = self.state, self.state.now
        months = (first + np.arange(self._memory_lead[c])) % self.network.horizon
        due = state.pipeline[months][:, self._feeds[c]].sum(axis=1)
        return float(state.input_stock[c]), due.tolist()

    def vintage(self, maker: str, month: int) -> int:
        """Newest vintage of a maker that can be had in ``month``; -1 where there is none yet."""
        return int(self._vintage[self.model.makers[maker], min(month, self._vintage.shape[1] - 1)])

    def memory_per_chip(self, maker: str) -> np.ndarray:
        """(months,) memory in one of the maker's newest machines, GB; 0 before its first."""
        vintage = self._vintage[self.model.makers[maker]]
        found: np.ndarray = np.where(vintage >= 0, self.model.world.vintages.hbm_gb[vintage], 0.0)
        return found

    def uses_memory(self, maker: str) -> bool:
        """Whether somebody in the world sells memory to the maker."""
        return self._has_memory[self.model.makers[maker]]

    def place(self, month: int, row: int, maker: str, amount: float, public: bool) -> None:
        """Order ``amount`` for a site; a deposit is paid with it unless the state pays."""
        if amount <= 0.0:
            return
        model, c = self.model, self.model.makers[maker]
        buyer, sites, supply = model.buyer_of[row], model.state.sites, model.supply
        at = supply.edge(maker, buyer, self.good[c])
        e = self._first_site + c * self.sites + row
        self._graph_edge[c, row] = -1 if at is None else at
        if at is None:
            self._edge_capacity[e] = self._weight[e] = 0.0
        else:
            self._edge_capacity[e] = supply.capacity[at]
            self._weight[e] = max(float(supply.share[at]), 1e-3) * max(float(sites.mw[row]), 1.0)
            self.network.lead[e], self.network.tier[e] = supply.lead[at], int(supply.priority[at])
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
        made: Mapping[str, tuple[float, float, float, float]],
        quota: float,
    ) -> Flows:
        """Move the graph by a month.

        ``sold``: memory maker to (free, kept back), GB; ``memory_orders``: chip maker to GB; ``made``: chip maker to
        (output, orders of the rest of the world, weight of home, weight of a rival); ``quota``: accelerators
        that licences still let into the country this month.
        """
        model, network, supply = self.model, self.network, self.model.supply
        orders, capacity = self._orders, self._capacity
        unit, edge_unit = np.ones(network.nodes), np.ones(network.edges)
        delay = np.zeros(network.edges, np.int64)
        capacity[self._makers_and_memory] = 0.0
        self._sell(month, sold, memory_orders, unit, edge_unit, delay)
        for maker, (output, abroad, home_weight, rival_weight) in made.items():
            c = model.makers[maker]
            capacity[self._maker[c]] = output
            unit[self._maker[c]] = supply.output_factor(month, maker, self.good[c])
            orders[self._to_desk[c]] = float(model.state.wanted[:, c].sum())
            self._weight[self._to_desk[c]] = home_weight
            self._per_unit[c] = self._memory_by_month[c][month] if self._has_memory[c] else 0.0
            if self._leads_world[c]:
                for r, rival in enumerate(self.rivals):
                    e = self._to_rival[c, r]
                    orders[e], self._weight[e] = rival.chips_wanted, rival_weight
                    edge_unit[e] = supply.factor(month, supply.edge(maker, rival.who, self.good[c]))
                orders[self._to_world[c]] = abroad
                self._weight[self._to_world[c]] = max(1.0 - home_weight - rival_weight * len(self.rivals), 1e-6)
        if supply.edge_factor is not None:
            at = self._graph_edge.ravel()
            edge_unit[self._first_site:] = supply.factors(month, at)
            delay[self._first_site:] = supply.delays(month, at)
        if any(network.rule[desk] == 1 for desk in self._desk):
            network.share[self._first_site:] = np.tile(self._contracts(), len(self.makers))
        flows = self.state.month(
            orders, group_cap=[max(quota, 0.0)], node_factor=unit, edge_factor=edge_unit, edge_delay=delay
        )
        self.flows = flows
        self._book_memory(month, flows, orders)
        self._settle(month, flows, delay)
        orders[:] = 0.0
        return flows

    def _sell(
        self, month: int, sold: Mapping[str, tuple[float, float]], wanted: Mapping[str, float],
        unit: np.ndarray, edge_unit: np.ndarray, delay: np.ndarray,
    ) -> None:  # fmt: skip
        """Orders for memory, split among its makers by what each has under contract; the world takes the rest."""
        supply, model, network = self.model.supply, self.model, self.network
        free, kept = np.zeros(len(self.memory)), np.zeros(len(self.memory))
        output = np.ones(len(self.memory))
        for j, who in enumerate(self.memory):
            free[j], kept[j] = sold.get(who, (0.0, 0.0))
            output[j] = supply.output_factor(month, who, "hbm")
            self._capacity[self._hbm[j]], self._capacity[self._reserve[j]] = free[j], kept[j]
            unit[self._hbm[j]] = unit[self._reserve[j]] = output[j]
        held = np.zeros(len(self.makers))
        held[:] = [model.agent_of[maker].memory_contract() if self._has_memory[c] else 0.0 for c, maker in enumerate(self.makers)]
        if month == 0 and self._memory_edges:
            self._open_pipelines(free, held)
        left = np.array([wanted.get(maker, 0.0) for maker in self.makers])
        reserve = self.state.stock[self._reserve] + kept * output
        for edges, volume in ((self._reserve_edges, reserve), (self._memory_edges, None)):
            passes = [supply.factor(month, at) for _, _, _, at in edges]
            part = np.array([
                passes[i] * (volume[j] if volume is not None else held[c] * free[j] * output[j])
                for i, (_, j, c, _) in enumerate(edges)
            ])
            total = np.bincount([c for _, _, c, _ in edges], part, len(self.makers)) if edges else left
            for i, (e, j, c, at) in enumerate(edges):
                asked = left[c] * part[i] / total[c] if total[c] > 0.0 else 0.0
                if volume is not None:
                    asked = min(asked, part[i])
                self._orders[e], self._weight[e] = asked, 1.0 if volume is not None else held[c]
                network.share[e] = held[c]
                if passes[i] < 1.0:
                    self._edge_capacity[e] = passes[i] * (volume[j] if volume is not None else held[c] * free[j])
                else:
                    self._edge_capacity[e] = np.inf
                if volume is not None and output[j] < 1.0:
                    edge_unit[e] = output[j]
                delay[e] = supply.delay(month, at)
                if (passes[i] < 1.0 or output[j] < 1.0 or delay[e]) and volume is None:
                    lasts = month + int(network.lead[e]) + int(delay[e])
                    self._memory_hit[c] = (max(lasts, self._memory_hit.get(c, (0, ""))[0]), self.memory[j])
            if volume is not None:
                for e, _, c, _ in edges:
                    left[c] = max(left[c] - self._orders[e], 0.0)
        taken = float(held.sum())
        for j, e in enumerate(self._memory_abroad):
            self._orders[e], self._weight[e] = 2.0 * free[j], max(1.0 - taken, 1e-6)
            network.share[e] = max(1.0 - taken, 0.0)
        leader = self.model.makers.get(self.model.leading_maker, 0)
        part = float((free * output).sum()) * float(held[leader]) if len(held) else 0.0
        self.memory_sold_out = part <= 0.0 or wanted.get(self.model.leading_maker, 0.0) >= 0.9 * part

    def _open_pipelines(self, free: np.ndarray, held: np.ndarray) -> None:
        """What was sold before the run and arrives in its first months: as much as makers use, within contracts."""
        ledger = self.model.ledger
        total = float(free.sum())
        for e, j, c, _ in self._memory_edges:
            agent = self.model.agent_of[self.makers[c]]
            for k in range(int(self.network.lead[e])):
                use = min(agent.memory_use(0, k), float(held[c]) * total)
                amount = use * float(free[j]) / total if total > 0.0 else 0.0
                self.state.pipeline[k % self.network.horizon, e] += amount
                ledger.post("hbm in transit", OPENING, "hbm", amount, "opening")

    def _contracts(self) -> np.ndarray:
        """Contract share of each site in what the country gets: its part of the accelerators planned."""
        sites = self.model.state.sites
        planned = np.where((sites.status > 0) & (sites.status < 6), sites.gpus, 0.0)
        total = float(planned.sum())
        return planned / total if total > 0.0 else planned

    def _book_memory(self, month: int, flows: Flows, orders: np.ndarray) -> None:
        """Every gigabyte: made, sold or kept, on its way, received, built in."""
        ledger, supply, granted = self.model.ledger, self.model.supply, flows.granted
        if not self.memory:
            return
        feeds, split = self._feeding_edges, len(self._memory_edges)
        sent = granted[feeds]
        abroad = granted[self._abroad_edges]
        ledger.post("hbm abroad", "hbm makers", "hbm", float(abroad.sum()), "memory sold")
        ledger.post("hbm in transit", "hbm makers", "hbm", float(sent[:split].sum()), "memory sold")
        ledger.post("hbm reserve", "hbm makers", "hbm", float(flows.made[self._reserve].sum()), "memory kept back")
        ledger.post("hbm in transit", "hbm reserve", "hbm", float(sent[split:].sum()), "memory from the reserve")
        for j, who in enumerate(self.memory):
            self.sold[who] = self.sold.get(who, 0.0) + float(abroad[j])
        for (_, j, *_), amount in zip(self._memory_edges, sent[:split].tolist(), strict=True):
            self.sold[self.memory[j]] += amount
        arrived = np.bincount(self._feeding_maker, flows.arrived[feeds], len(self.makers)).tolist()
        edges = supply.flow.shape[1]
        supply.flow[month] += np.bincount(self._feeding_graph, sent, edges)
        supply.asked[month] += np.bincount(self._feeding_graph, orders[feeds], edges)
        for maker, got, used in zip(self.makers, arrived, flows.used.tolist(), strict=False):
            ledger.post(f"hbm of {maker}", "hbm in transit", "hbm", got, "memory received")
            ledger.post("hbm built in", f"hbm of {maker}", "hbm", used, "memory used")

    def _settle(self, month: int, flows: Flows, delay: np.ndarray) -> None:
        """Take over what the graph says of sites: orders left, what is on its way and at which price; log and book."""
        model, supply, sites = self.model, self.model.supply, self.sites
        first, columns, network = self._first_site, len(self.makers), self.network
        for (c, r), e in self._to_rival.items():
            rival = self.rivals[r]
            rival.chips_received = float(flows.granted[e])
            at = supply.edge(self.makers[c], rival.who, self.good[c])
            if at is not None:
                supply.flow[month, at] += flows.granted[e]
                supply.asked[month, at] += flows.asked[e]
        backlog = self.state.backlog[first:]
        # Dust goes only where no queue by month remembers it.
        dusty = (backlog < DUST) & (network.queue_row[first:] < 0)
        backlog[dusty] = 0.0
        model.state.wanted[:, :columns] = backlog.reshape(columns, sites).T
        granted, asked = flows.granted[first:], flows.asked[first:]
        sent = np.flatnonzero(granted > 0.0)
        total = 0.0
        for k in sent.tolist():
            c, row = divmod(k, sites)
            lead = int(network.lead[first + k])
            vintage = max(self.vintage(self.makers[c], month + lead), 0)
            count = float(granted[k])
            at = (month + lead + int(delay[first + k])) % network.horizon
            self._value[at, k] += count * model.chip_price(vintage, month)
            model.state.ordered[row] += count
            total += count
            if self._foreign[c]:
                model.imported_this_quarter += count
                model.imported_total += count
        model.ledger.post("gpus in transit", "gpus world", "gpu", total, "allocation")
        open_ = np.flatnonzero(asked > 0.0)
        edges = self._graph_edge.ravel()[open_]
        there = edges >= 0
        supply.asked[month] += np.bincount(edges[there], asked[open_][there], supply.asked.shape[1])
        self._log(month, flows, open_)

    def arrivals(self, month: int) -> Iterator[Arrival]:
        """Accelerators that reached sites this month."""
        if self.flows is None:
            return
        arrived = self.flows.arrived[self._first_site:]
        value = self._value[month % self.network.horizon]
        for k in np.flatnonzero(arrived > 0.0).tolist():
            c, row = divmod(k, self.sites)
            count = float(arrived[k])
            yield Arrival(row, c, count, float(value[k]) / count)
            value[k] = 0.0

    def on_the_way(self) -> float:
        """Accelerators allocated to sites and not arrived, from the graph's own pipelines."""
        return float(self.state.pipeline[:, self._first_site:].sum())

    def release_deposit(self, row: int, column: int, count: float) -> float:
        """The deposit that goes back with a delivery of ``count``."""
        held = float(self.deposit[column, row])
        if held <= 0.0:
            return 0.0
        k = column * self.sites + row
        left = float(self.state.backlog[self._first_site + k] + self.state.pipeline[:, self._first_site + k].sum())
        back = held if left <= DUST else held * count / (count + left)
        self.deposit[column, row] -= back
        return back

    # -- why ---------------------------------------------------------------------------------
    def reason(self, month: int, column: int) -> str:
        """What kept the home country from getting all it asked for of a maker."""
        flows = self.flows
        assert flows is not None
        bound = BOUNDS[flows.bound[self._to_desk[column]]]
        maker = self.makers[column]
        if bound == "":
            return ""
        if bound == "group limit":
            return "export licence"
        if bound == "node shock":
            return f"shock at {maker}"
        if bound == "input":
            until, who = self._memory_hit.get(column, (-1, ""))
            return f"memory (shock at {who})" if month <= until else "memory"
        if self._leads_world[column]:
            return "world allocation"
        return "capacity" if self.good[column] == "npu" else "output"

    def _log(self, month: int, flows: Flows, open_: np.ndarray) -> None:
        """Who asked, who got less, why: for each maker, and for each site when the reason changes or once a year."""
        from abm.decisions import Intent

        model, sites, first = self.model, self.sites, self._first_site
        granted, asked, bound = flows.granted[first:], flows.asked[first:], flows.bound[first:]
        self.turned_away = {}
        for c, maker in enumerate(self.makers):
            here = open_[(open_ >= c * sites) & (open_ < (c + 1) * sites)]
            if not len(here):
                continue
            wanted, got = float(asked[here].sum()), float(granted[here].sum())
            if got >= wanted - 1e-6:
                continue
            national = self.reason(month, c)
            if national == "capacity":
                self.turned_away[maker] = wanted - got
            unit = "NPU" if self.good[c] == "npu" else "GPU"
            values = {
                "asked": wanted,
                "made": float(flows.made[self._maker[c]]),
                "for_home": float(flows.granted[self._to_desk[c]]),
            }
            model.decisions.repeat(
                month, Intent(maker, "ration", self.good[c], wanted, unit, values), got, national or "edge capacity", every=6
            )
            for k in here[(asked[here] - granted[here] > 1e-6)].tolist():
                row, code = k - c * sites, int(bound[k])
                if code == self._said[c, row] and month - self._said_month[c, row] < 12:
                    continue
                self._said[c, row], self._said_month[c, row] = code, month
                why = {"edge capacity": "edge capacity", "edge shock": f"shock on the way from {maker}", "rule": f"rule of {maker}"}
                model.decisions.note(
                    month,
                    Intent(maker, "allocate", model.state.sites.key[row], float(asked[k]), unit, {"asked_by_all": wanted, "for_home": values["for_home"]}),
                    float(granted[k]),
                    why.get(BOUNDS[code], national or "no supplier" if self._graph_edge[c, row] >= 0 else "no supplier"),
                )


def _newest_vintages(model: Model, makers: list[str], months: int) -> np.ndarray:
    """(makers, months) newest vintage to be had in each month, -1 before the first."""
    table = model.world.vintages
    found = np.full((len(makers), months), -1, np.int64)
    for c, maker in enumerate(makers):
        rows = np.flatnonzero(table.maker == model.world.cast.row(maker))
        for row in rows[np.argsort(table.available[rows], kind="stable")].tolist():
            found[c, max(int(table.available[row]), 0) :] = row
    return found
