"""The month of a supply graph: what waits, what is on its way, and what moved."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import kernel, rules
from .network import Floats, Ints, Network, amounts


class Flows(NamedTuple):
    """What happened in one month. Amounts are units of each edge's or slot's good."""

    wanted: Floats
    """By node: output that would have met all that could leave it."""
    made: Floats
    """By node."""
    used: Floats
    """By slot: inputs used up."""
    cancelled: Floats
    """By edge: orders that left the queue."""
    asked: Floats
    """By edge: what waited when goods were shared, new orders included."""
    granted: Floats
    """By edge: what was dispatched."""
    lapsed: Floats
    """By edge: what was not met and will not be."""
    arrived: Floats
    """By edge: what reached the buyer."""
    node_bound: NDArray[np.int8]
    """By node: what kept its output below what was wanted, index into ``BOUNDS``."""
    node_which: Ints
    """By node: the slot, where the bound is an input; else -1."""
    bound: NDArray[np.int8]
    """By edge: what kept ``granted`` below ``asked``."""
    which: Ints
    """By edge: slot of the supplier (input), group (group limit), rule (rule); else -1."""


def workspace(network: Network) -> tuple[Floats, Ints]:
    """Room for the orders of the busiest supplier."""
    return (
        np.empty((rules.FLOATS + kernel.FLOATS, network.widest)),
        np.empty((rules.INTS + kernel.INTS, network.widest), np.int64),
    )


class State:
    """Stocks, queues and pipelines of a network; :meth:`month` moves them on by one month.

    ``stock`` (by node) are finished goods, ``input_stock`` (by slot) inputs, ``backlog`` (by edge) orders
    that wait; all may be set by the caller between months (but ``backlog`` of "first-come" suppliers, whose
    months of placing are kept in ``queue``).
    """

    def __init__(self, network: Network, stock: ArrayLike = 0.0, input_stock: ArrayLike = 0.0):
        n, e, k = network.nodes, network.edges, network.slots
        self.network = network
        self.now = 0
        """Months gone by."""
        self.stock = amounts("stock", stock, n).copy()
        self.input_stock = amounts("input_stock", input_stock, k).copy()
        self.backlog = np.zeros(e)
        self.queue = np.zeros((network.queues, network.ages))
        """By edge of a first-come supplier and age of the order, the oldest first."""
        self.pipeline = np.zeros((network.horizon, e))
        """By month of arrival modulo the horizon, and edge."""
        self._none, self._no_cap = np.zeros(e), np.zeros(0)
        self._unit_node, self._unit_edge = np.ones(n), np.ones(e)
        self._now_node, self._now_edge = np.zeros(n, np.int64), np.zeros(e, np.int64)
        self._could, self._room, self._limited = np.empty(n), np.empty(e), np.empty(e, np.int8)
        self._by_group, self._phase = np.empty((4, network.groups)), np.empty(network.groups, np.int64)
        self._f, self._k = workspace(network)

    @property
    def on_order(self) -> Floats:
        """By edge: what waits and what is on its way."""
        total: Floats = self.backlog + self.pipeline.sum(axis=0)
        return total

    def no_flows(self) -> Flows:
        """A month in which nothing moved."""
        n, e = self.network.nodes, self.network.edges
        by_node, by_edge = np.zeros((2, n)), np.zeros((5, e))
        bound, which = (np.zeros(n, np.int8), np.full(n, -1)), (np.zeros(e, np.int8), np.full(e, -1))
        return Flows._make([*by_node, np.zeros(self.network.slots), *by_edge, *bound, *which])

    def copy(self) -> State:
        """An independent state of the same network."""
        twin = State(self.network, self.stock, self.input_stock)
        twin.now = self.now
        for name in ("backlog", "queue", "pipeline"):
            getattr(twin, name)[...] = getattr(self, name)
        return twin

    def month(
        self,
        orders: ArrayLike,
        *,
        cancel: ArrayLike | None = None,
        capacity: ArrayLike | None = None,
        target: ArrayLike | None = None,
        per_unit: ArrayLike | None = None,
        edge_capacity: ArrayLike | None = None,
        weight: ArrayLike | None = None,
        group_cap: ArrayLike | None = None,
        node_factor: ArrayLike | None = None,
        edge_factor: ArrayLike | None = None,
        node_delay: ArrayLike | None = None,
        edge_delay: ArrayLike | None = None,
        out: Flows | None = None,
    ) -> Flows:
        """Arrivals, orders, production, rationing and dispatch of one month, in this order.

        Parameters
        ----------
        orders, cancel : float[E]
            New orders, and orders that are withdrawn (the newest first, as far as they still wait).
        capacity, target, per_unit, edge_capacity, weight : optional
            This month's numbers in place of the network's.
        group_cap : float[G]
            Most that the buyers of each group may be sent this month, by all suppliers together.
        node_factor, edge_factor : float[N], float[E]
            Shocks: capacity times the factor; 0 takes the node or edge out. Where capacity is infinite
            the factor acts on what is wanted (node) or waits (edge).
        node_delay, edge_delay : int[N], int[E]
            Months added to the lead time of what is dispatched this month.
        out : Flows
            Of an earlier month of this network: written over and returned, where nobody needs it any more. Edges
            that are no longer in use keep what it said of them.

        Raises
        ------
        ValueError
            A number that cannot be; nothing has moved then.
        """
        g = self.network
        n, e = g.nodes, g.edges
        asked_for = _given("orders", self._none, orders)
        withdrawn = _given("cancel", self._none, cancel)
        unit = (
            _given("node_factor", self._unit_node, node_factor),
            _given("edge_factor", self._unit_edge, edge_factor),
        )
        later = (
            _given("node_delay", self._now_node, node_delay),
            _given("edge_delay", self._now_edge, edge_delay),
        )
        room = g.capacity if capacity is None else amounts("capacity", capacity, n, infinite=True)
        goal = g.target if target is None else amounts("target", target, n, infinite=True)
        recipe = g.per_unit if per_unit is None else amounts("per_unit", per_unit, g.slots)
        if capacity is not None or target is not None or per_unit is not None:
            g.check_targets(room, goal, recipe)
        if g.groups and group_cap is None:
            raise ValueError(f"the network has {g.groups} groups; their group_cap is missing")
        cap = self._no_cap if group_cap is None else amounts("group_cap", group_cap, g.groups, infinite=True)
        flows = self.no_flows() if out is None else self._fitting(out)
        kind, at = kernel.run_month(
            self.now, g.levels, g.level_first, g.first, g.out, g.slot, g.slot_first, g.rule, g.lead, g.group,
            g.queue_row, g.tier, g.share, g.hold, g.lapse, room,
            g.edge_capacity
            if edge_capacity is None
            else amounts("edge_capacity", edge_capacity, e, infinite=True),
            g.weight if weight is None else amounts("weight", weight, e),
            recipe, goal, cap, asked_for, withdrawn, unit[0], unit[1], later[0], later[1],
            self.stock, self.input_stock, self.backlog, self.queue, self.pipeline,
            self._could, *flows, self._room, self._limited, self._by_group, self._phase, self._f, self._k,
        )  # fmt: skip
        if kind != kernel.FINE:
            self._refuse(kind, at, asked_for, withdrawn, unit, later)
        self.now += 1
        return flows

    def _fitting(self, out: Flows) -> Flows:
        n, e, slots = self.network.nodes, self.network.edges, self.network.slots
        sizes = tuple(column.size for column in out)
        if sizes != (n, n, slots, e, e, e, e, e, n, n, e, e):
            raise ValueError(f"out has columns of {sizes} numbers; they are those of another network")
        return out

    def _refuse(
        self, kind: int, at: int, orders: Floats, cancel: Floats, unit: tuple[Floats, Floats],
        later: tuple[Ints, Ints],
    ) -> None:  # fmt: skip
        g = self.network
        if kind == kernel.BAD_ORDER:
            raise ValueError(f"the order on edge {at} is {orders[at]}; it is a finite amount >= 0")
        if kind == kernel.BAD_CANCEL:
            raise ValueError(f"edge {at} cancels {cancel[at]}; it is an amount >= 0")
        if kind == kernel.BAD_FACTOR:
            node = at < g.nodes
            value = unit[0][at] if node else unit[1][at - g.nodes]
            where = g.names[at] if node else f"edge {at - g.nodes}"
            raise ValueError(f"the factor of {where} is {value}; it is a finite number >= 0")
        added = int(later[0][g.supplier[at]] + later[1][at])
        most = g.horizon - 1 - int(g.lead[at])
        raise ValueError(
            f"edge {at} is delayed by {added} months; 0 to {most} are allowed (slack of the network)"
        )


def _given[T: np.generic](name: str, default: NDArray[T], values: ArrayLike | None) -> NDArray[T]:
    """``values`` as the kernel takes them, as many and of the type of ``default``, which stands for nothing given."""
    if values is None:
        return default
    array = np.ascontiguousarray(values, dtype=default.dtype)
    if array.shape != default.shape:
        raise ValueError(f"{name} has shape {array.shape}; it is {default.size} numbers")
    return array if array.flags.writeable else array.copy()
