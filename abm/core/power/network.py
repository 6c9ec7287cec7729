"""The day as a generalized network: nodes, arcs and the memory a solve needs, one plan a shape.

Nodes are the balances (Z,H), the storage rows (S,H) and the flexible energies (F). An arc has
two ends: a line, a charge, a discharge, a state of charge or a flexible load, in one hour. All
that has one end (supply, shedding, unserved flexible energy) forms the *supply curve* of its
node: segments in order of cost. A storage node has a curve of one empty segment, so that every
node can be the root of a tree.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .case import Ints
from .merge import SIZES

Uint32s = NDArray[np.uint32]

NODE = np.dtype(  # what a walk to the root reads: one cache line
    [
        ("x", "f8"),  # flow of the basic arc or segment that the node owns
        ("low", "f8"),  # its bounds
        ("high", "f8"),
        ("inverse", "f8"),  # 1 / its coefficient here
        ("ratio", "f8"),  # dual of this node per unit of its parent's dual
        ("parent", "u4"),  # NONE for a root
        ("own", "u4"),  # the arc to the parent; NONE for a root, which owns segment ptr
        ("size", "u4"),  # nodes below, itself included
        ("ptr", "u4"),  # segments before it are at capacity, those after it at zero
        ("begin", "u4"),  # first segment of the supply curve
        ("cyclic", "u4"),  # on a cycle with gain
    ],
    align=True,
)
DUAL = np.dtype(  # what a walk down the tree and the ratio test read: one cache line
    [
        ("y", "f8"),
        ("step", "f8"),  # change of y in this pivot; 0 outside the subtree
        ("up", "f8"),  # prices of the next segments of the curve, infinite where there is none
        ("down", "f8"),
        ("ratio", "f8"),  # as in NODE
        ("child", "u4"),
        ("after", "u4"),  # next and previous child of the same parent
        ("before", "u4"),
        ("mark", "u4"),
        ("first", "u4"),  # incident arcs that may enter the basis
        ("last", "u4"),
    ],
    align=True,
)
ARC = np.dtype(  # one cache line
    [
        ("lower", "f8"),
        ("upper", "f8"),
        ("at", "f8"),  # coefficients at the tail and at the head
        ("ah", "f8"),
        ("unit", "f8"),  # its part of the perturbation
        ("tail", "u4"),
        ("head", "u4"),
        ("at_tail", "u4"),  # its incidences, where it may enter
        ("at_head", "u4"),
        ("state", "u4"),
        ("side", "i4"),  # 1 at the lower bound, -1 at the upper, 0 where it cannot enter
    ],
    align=True,
)
INCIDENCE = np.dtype(  # an arc seen from one end; what the ratio test needs of it, times its side
    [
        ("here", "f8"),  # coefficients at this end and at the other
        ("there", "f8"),
        ("unit", "f8"),
        ("arc", "u4"),
        ("other", "u4"),  # the node at the other end
    ],
    align=True,
)
SEGMENT = np.dtype([("price", "f8"), ("room", "f8")], align=True)
PUSH = np.dtype([("amount", "f8"), ("at", "u4"), ("spare", "u4")], align=True)

MOST_NODES = 0xFFFFF  # the compiled solver keeps the number of a node in twenty bits


class Topology(NamedTuple):
    """What depends on the shape, and on who is joined to whom, alone."""

    sizes: NDArray[np.int64]  # Z, segments of a curve, H, L, S, F, G, nodes, arcs, segments
    ends: Uint32s  # tails (M), heads (M), where the arcs of a node begin (n)
    floats: int  # lengths of the workspace
    ints: int


@lru_cache(maxsize=64)
def topology(plan: bytes) -> Topology:
    """The topology of a merged case with this `plan`."""
    figures = np.frombuffer(plan, dtype=np.int64)
    zones, segments, hours, lines, stores, flexible, tiers = figures[:SIZES].tolist()
    cuts = np.cumsum([SIZES, 2 * lines, stores, flexible])
    _, pairs, store_zone, flexible_zone, _ = np.split(figures, cuts)
    curve = max(1, segments + tiers)
    nodes = (zones + stores) * hours + flexible
    arcs = (lines + 3 * stores + flexible) * hours
    if nodes > MOST_NODES:
        raise ValueError(f"the case has {nodes} zones and stores by hour, above {MOST_NODES}: split it")
    # each curve ends with an empty segment, and one lies before the first
    pieces = zones * hours * (curve + 1) + 2 * (stores * hours + flexible) + 1
    hour = np.arange(hours)

    def zone_nodes(zone: Ints) -> Ints:
        return (zone[:, None] * hours + hour).ravel()

    storage = (zones * hours + np.arange(stores)[:, None] * hours + hour).ravel()
    following = (zones * hours + np.arange(stores)[:, None] * hours + (hour + 1) % hours).ravel()
    energy = np.repeat((zones + stores) * hours + np.arange(flexible), hours)
    at_store, at_flexible = zone_nodes(store_zone), zone_nodes(flexible_zone)
    tail = np.concatenate([zone_nodes(pairs[::2]), at_store, at_store, storage, at_flexible])
    head = np.concatenate([zone_nodes(pairs[1::2]), storage, storage, following, energy])

    # Where the arcs of a node begin; in a single hour the state of charge joins a node to itself,
    # and counts at no node.
    real = tail != head
    degrees = np.bincount(tail[real], minlength=nodes) + np.bincount(head[real], minlength=nodes)
    first = np.concatenate([[0], np.cumsum(degrees)[:-1]])
    words = (
        nodes * (NODE.itemsize + DUAL.itemsize)
        + arcs * (ARC.itemsize + 2 * INCIDENCE.itemsize)
        + pieces * SEGMENT.itemsize
        + (2 * arcs + pieces + nodes + 8) * PUSH.itemsize
    ) // 8
    return Topology(
        sizes=np.array(
            [zones, curve, hours, lines, stores, flexible, segments, nodes, arcs, pieces],
            dtype=np.int64,
        ),
        ends=np.concatenate([tail, head, first]).astype(np.uint32),
        floats=words + 3 * (arcs + nodes + 1) + 3 * nodes + pieces + arcs + 2 * stores + 32,
        ints=4 * nodes + 2 * (arcs + nodes + 1) + pieces + curve + lines + stores + flexible + 16,
    )
