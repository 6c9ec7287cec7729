"""The allocation log: who got less than asked, by how much, and why; and where that came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .month import Flows
from .network import Network
from .rationing import BOUNDS, RULES
from .rules import GROUP, INPUT, RULE, SHORT


class Shortfall(NamedTuple):
    """One edge that got less than it asked for."""

    edge: int
    supplier: str
    buyer: str
    asked: float
    granted: float
    bound: str
    """One of ``BOUNDS``."""
    by: str
    """Name of the input's suppliers, of the group or of the rule that bound; "" else."""
    by_rule: float
    """Part of the shortfall that is due to the rule: what an equal part of all orders would have given,
    less what was granted. Negative where the rule favoured this buyer."""

    @property
    def short(self) -> float:
        """Asked less granted."""
        return self.asked - self.granted


def shortfalls(network: Network, flows: Flows, groups: Sequence[str] | None = None) -> list[Shortfall]:
    """The log of a month, largest shortfall first. ``groups`` names the groups of buyers."""
    dispatched = np.bincount(network.supplier, flows.granted, network.nodes)
    asked = np.bincount(network.supplier, flows.asked, network.nodes)
    part = np.divide(dispatched, asked, out=np.ones(network.nodes), where=asked > 0.0)
    short = np.flatnonzero(flows.bound)
    log = [
        Shortfall(
            int(e),
            network.names[network.supplier[e]],
            network.names[network.buyer[e]],
            float(flows.asked[e]),
            float(flows.granted[e]),
            BOUNDS[flows.bound[e]],
            _by(network, int(flows.bound[e]), int(flows.which[e]), groups),
            float(flows.asked[e] * part[network.supplier[e]] - flows.granted[e]),
        )
        for e in short
    ]
    return sorted(log, key=lambda row: (-row.short, row.edge))


def _by(network: Network, bound: int, which: int, groups: Sequence[str] | None) -> str:
    if bound == INPUT:
        feeds = network.supplier[network.slot == which]
        return ", ".join(network.names[i] for i in sorted(set(feeds.tolist())))
    if bound == GROUP:
        return groups[which] if groups is not None else f"group {which}"
    return RULES[which] if bound == RULE else ""


class Link(NamedTuple):
    """A step from a shortfall towards its origin."""

    month: int
    edge: int
    bound: str
    short: float
    depth: int
    """0 for the edge that was asked about."""


def trace(network: Network, history: Sequence[Flows], month: int, edge: int) -> list[Link]:
    """The chain behind a shortfall: edge, the edges that left its supplier's input short, theirs, and so on.

    ``history[m]`` are the flows of month m. An input that is missing now is looked for where it should have
    been dispatched, its lead time ago. Links come depth by depth, each (month, edge) once.
    """
    links: list[Link] = []
    seen = {(month, edge)}
    here = [(month, edge)]
    depth = 0
    while here:
        upstream: list[tuple[int, int]] = []
        for at, e in here:
            flows = history[at]
            links.append(Link(at, e, BOUNDS[flows.bound[e]], float(flows.asked[e] - flows.granted[e]), depth))
            if flows.bound[e] != INPUT:
                continue
            for feed in np.flatnonzero(network.slot == flows.which[e]).tolist():
                then = at - int(network.lead[feed])
                if then < 0 or (then, feed) in seen or not _short(history[then], feed):
                    continue
                seen.add((then, feed))
                upstream.append((then, feed))
        here, depth = upstream, depth + 1
    return links


def _short(flows: Flows, edge: int) -> bool:
    return bool(flows.granted[edge] < flows.asked[edge] * (1.0 - SHORT))
