"""The supply graph as compressed rows: checked once, then only numbers change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import rules
from .rationing import rule_code
from .rows import by_supplier

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Network:
    """Who supplies whom, by which rule, out of what; nodes, edges and input slots keep the order given.

    A node makes one good (or none: a final buyer). An edge carries its supplier's good to a buyer; with a
    ``slot`` it feeds that stock of inputs, else the good is for final use and only counted. Several edges
    may feed one slot: second sources.

    Parameters
    ----------
    nodes : int or sequence of str
        How many there are, or their names.
    supplier, buyer : int[E]
        Nodes at the ends of every edge. Parallel edges are allowed.
    lead : int[E] or int
        Months from dispatch to arrival, >= 0. With 0 the good arrives in the month itself, and its buyer
        is dealt with after its supplier; such edges into slots may form no circle.
    slot : int[E], optional
        Input slot of the buyer that an edge feeds, -1 for final use (the default for all).
    slot_node, per_unit, hold : int[K], float[K], float[K] or float, optional
        Owner of each slot, units of the input for one unit of its output, and how many months' use
        must lie there for output not to be cut (1: what is used must be there; ARIO's threshold is higher).
    capacity : float[N] or float
        Units a month that a node can make; infinite by default.
    target : float[N] or float
        Finished goods that a node aims to keep in stock; 0 makes to order, infinite at full capacity.
    rule : sequence of str, or str
        Rule of rationing of each node: "proportional", "contract", "priority", "first-come".
    edge_capacity, weight, share, tier : float[E], float[E], float[E], int[E], or one number
        Most that an edge lets through in a month; weight, contract share and class in the rationing.
    group, groups : int[E], int
        Group of buyers that an edge counts towards, -1 for none, and the number of groups.
    lapse : bool[E] or bool
        Whether what is not met this month is lost instead of waiting.
    deposit : float[E] or float
        Part of an order that is paid with it, and lost where the order is cancelled.
    ages : int
        Months that the queues of "first-come" suppliers tell apart; older orders count as one month.
    slack : int
        Months by which shocks may lengthen a lead time.

    Raises
    ------
    ValueError
        For anything out of range, naming the position, what was found and what is allowed.
    """

    def __init__(
        self,
        nodes: int | Sequence[str],
        supplier: ArrayLike,
        buyer: ArrayLike,
        *,
        lead: ArrayLike = 0,
        slot: ArrayLike = -1,
        slot_node: ArrayLike = (),
        per_unit: ArrayLike = 1.0,
        hold: ArrayLike = 1.0,
        capacity: ArrayLike = np.inf,
        target: ArrayLike = 0.0,
        rule: str | Sequence[str] = "proportional",
        edge_capacity: ArrayLike = np.inf,
        weight: ArrayLike = 1.0,
        share: ArrayLike = 0.0,
        tier: ArrayLike = 0,
        group: ArrayLike = -1,
        groups: int = 0,
        lapse: ArrayLike = False,
        deposit: ArrayLike = 0.0,
        ages: int = 24,
        slack: int = 24,
    ):
        self.names: tuple[str, ...] = (
            tuple(f"node {i}" for i in range(nodes)) if isinstance(nodes, int) else tuple(nodes)
        )
        n = self.nodes = len(self.names)
        self.supplier = _whole("supplier", supplier, None, 0, n)
        e = self.edges = self.supplier.size
        self.buyer = _whole("buyer", buyer, e, 0, n)
        self.slot_node = _whole("slot_node", slot_node, None, 0, n)
        k = self.slots = self.slot_node.size
        self.lead = _whole("lead", lead, e, 0, 1200)
        self.slot = _whole("slot", slot, e, -1, k)
        self.groups = groups
        self.group = _whole("group", group, e, -1, groups)
        self.tier = _whole("tier", tier, e, -(2**31), 2**31)
        self.per_unit = amounts("per_unit", per_unit, k)
        self.hold = amounts("hold", hold, k)
        self.capacity = amounts("capacity", capacity, n, infinite=True)
        self.target = amounts("target", target, n, infinite=True)
        self.edge_capacity = amounts("edge_capacity", edge_capacity, e, infinite=True)
        self.weight = amounts("weight", weight, e)
        self.share = amounts("share", share, e)
        self.deposit = amounts("deposit", deposit, e)
        self.lapse = np.array(np.broadcast_to(np.asarray(lapse, np.bool_), e))
        named = [rule] * n if isinstance(rule, str) else list(rule)
        if len(named) != n:
            raise ValueError(f"{len(named)} rules for {n} nodes; there is one for each")
        self.rule = np.array([rule_code(one) for one in named], np.int64)
        if ages < 2 or slack < 0:
            raise ValueError(f"ages is {ages} and slack is {slack}; they are at least 2 and 0")
        self.ages, self.horizon = ages, int(self.lead.max(initial=0)) + slack + 1
        self._check_slots()
        self.check_targets(self.capacity, self.target, self.per_unit)

        self.use(np.arange(e))
        self.slot_first = np.searchsorted(self.slot_node, np.arange(n + 1)).astype(np.int64)
        self.levels, self.level_first = self._levels()
        queues = self.rule[self.supplier] == rules.FIRST_COME
        self.queue_row = np.where(queues, np.cumsum(queues) - 1, -1).astype(np.int64)
        self.queues = int(queues.sum())
        degree = np.diff(self.first)
        orders = np.where(self.rule == rules.FIRST_COME, degree * ages, degree)
        self.widest = int(orders.max(initial=1))
        """Orders that the busiest supplier can have to ration at once."""

    @classmethod
    def of_goods(
        cls,
        edges: Iterable[tuple[str, str, str]],
        recipes: Mapping[str, Mapping[str, float]] | None = None,
        **values: Any,
    ) -> tuple[Network, dict[tuple[str, str], int]]:
        """The network of (supplier, buyer, good) triples, and the number of each node.

        A node is a (stakeholder, good) pair that somebody buys; who makes nothing has the node
        (stakeholder, ""). ``recipes[good][input]`` are the units of the input in one unit of the good: an edge
        that brings an input to a maker of such a good feeds its slot, any other is for final use. Other keyword
        arguments as for :class:`Network`, but for ``slot``, ``slot_node`` and ``per_unit``.

        >>> network, node = Network.of_goods(
        ...     [("hynix", "nvidia", "hbm"), ("nvidia", "kt", "gpu")], {"gpu": {"hbm": 141.0}}, lead=[3, 10]
        ... )
        >>> network.names, network.slot.tolist(), network.per_unit.tolist()
        (('hynix hbm', 'nvidia gpu', 'kt'), [0, -1], [141.0])
        """
        triples = list(edges)
        recipes = recipes or {}
        made: dict[str, list[str]] = {}
        for who, _, good in triples:
            if good not in made.setdefault(who, []):
                made[who].append(good)
        node: dict[tuple[str, str], int] = {}
        for who, goods in made.items():
            for good in goods:
                node[who, good] = len(node)
        slots: dict[tuple[int, str], int] = {}
        for (_, good), i in node.items():
            for each in recipes.get(good, {}):
                slots[i, each] = len(slots)
        supplier, buyer, slot = [], [], []
        for who, to, good in triples:
            lines = [node[to, one] for one in made.get(to, ()) if good in recipes.get(one, {})]
            if len(lines) > 1:
                raise ValueError(
                    f"{to} uses {good} for more than one good; give each line of products a name of its own"
                )
            if lines:
                end = lines[0]
            elif to in made:
                end = node[to, made[to][0]]
            else:
                end = node.setdefault((to, ""), len(node))
            supplier.append(node[who, good])
            buyer.append(end)
            slot.append(slots[end, good] if lines else -1)
        network = cls(
            [f"{who} {good}".strip() for who, good in node],
            supplier,
            buyer,
            slot=slot,
            slot_node=[i for i, _ in slots],
            per_unit=[
                recipes[good][each] for (who, good), i in node.items() for each in recipes.get(good, {})
            ],
            **values,
        )
        return network, node

    def use(self, edges: Ints) -> None:
        """From now on only ``edges`` take part in a month: what can carry nothing yet costs nothing.

        All are in use at first. On the others nothing may wait or be on its way, and orders there are not seen.
        ``ValueError`` where an edge is none of the network's, or is named twice.
        """
        out, first = np.empty(edges.size, np.uint64), np.empty(self.nodes + 1, np.int64)
        if by_supplier(edges, self.supplier, np.zeros(self.edges, bool), first, out) >= 0:
            raise ValueError(f"edges in use are numbers from 0 to {self.edges - 1}, each at most once")
        self.out, self.first = out, first
        """Edges in use by supplier: those of node i are ``out[first[i]:first[i + 1]]``."""

    def _check_slots(self) -> None:
        if self.slots and (np.diff(self.slot_node) < 0).any():
            raise ValueError("slot_node is out of order; slots are listed by their node")
        if (self.hold < 1.0).any():
            at = int(np.argmax(self.hold < 1.0))
            raise ValueError(
                f"hold {at} is {self.hold[at]}; it is at least 1, or a node would use what it has not"
            )
        feeds = np.flatnonzero(self.slot >= 0)
        wrong = feeds[self.slot_node[self.slot[feeds]] != self.buyer[feeds]]
        if wrong.size:
            e = int(wrong[0])
            owner = self.names[self.slot_node[self.slot[e]]]
            raise ValueError(f"edge {e} goes to {self.names[self.buyer[e]]} but feeds a slot of {owner}")

    def check_targets(self, capacity: Floats, target: Floats, per_unit: Floats) -> None:
        """``ValueError`` where a node would make without end."""
        endless = np.isinf(target) & np.isinf(capacity)
        endless[self.slot_node[per_unit > 0.0]] = False
        if endless.any():
            name = self.names[int(np.argmax(endless))]
            raise ValueError(f"{name} has an infinite target and nothing that limits it; give it a capacity")

    def _levels(self) -> tuple[Ints, Ints]:
        """Nodes by level: a node comes after all that reach its inputs within the month."""
        at_once = np.flatnonzero((self.lead == 0) & (self.slot >= 0))
        waiting = np.bincount(self.buyer[at_once], minlength=self.nodes)
        after: dict[int, list[int]] = {}
        for e in at_once.tolist():
            after.setdefault(int(self.supplier[e]), []).append(int(self.buyer[e]))
        ready = np.flatnonzero(waiting == 0).tolist()
        levels: list[int] = []
        first = [0]
        while ready:
            levels.extend(sorted(ready))
            first.append(len(levels))
            following = []
            for i in ready:
                for j in after.get(i, ()):
                    waiting[j] -= 1
                    if waiting[j] == 0:
                        following.append(j)
            ready = following
        if len(levels) < self.nodes:
            left = [self.names[i] for i in np.flatnonzero(waiting > 0)[:5]]
            raise ValueError(
                f"goods go in a circle within the month, among them {', '.join(left)}; give an edge a lead time of 1"
            )
        return np.array(levels, np.int64), np.array(first, np.int64)


def amounts(name: str, values: ArrayLike, size: int, *, infinite: bool = False) -> Floats:
    """``values`` as ``size`` contiguous numbers >= 0; ``ValueError`` names the first that is none."""
    try:
        array = np.array(values, np.float64, order="C")
        if array.shape != (size,):
            array = np.array(np.broadcast_to(array, size))
    except ValueError as error:
        raise ValueError(f"{name}: {error}; there are {size}") from None
    good = (array >= 0.0) if infinite else (array >= 0.0) & (array < np.inf)
    if not good.all():
        at = int(np.argmin(good))
        raise ValueError(f"{name} {at} is {array[at]}; it is a {'' if infinite else 'finite '}number >= 0")
    return array


def _whole(name: str, values: ArrayLike, size: int | None, low: int, high: int) -> Ints:
    """``values`` as integers in [low, high)."""
    given = np.asarray(values)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        if not (given == np.floor(given)).all():
            raise ValueError(f"{name} has numbers that are not whole")
        given = given.astype(np.int64)
    try:
        array = np.array(given if size is None else np.broadcast_to(given, size), dtype=np.int64)
    except ValueError as error:
        raise ValueError(f"{name}: {error}; there are {size}") from None
    if array.ndim != 1:
        raise ValueError(f"{name} has {array.ndim} dimensions; it is one row")
    wrong = (array < low) | (array >= high)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ValueError(f"{name} {at} is {array[at]}; allowed are {low} to {high - 1}")
    return array
