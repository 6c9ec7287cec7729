"""The day as a generalized network: nodes, arcs and the room a solve needs, laid out once a shape.

Nodes are the balances (Z,H), the storage rows (S,H) and the flexible energies (F). An arc with
two ends is a line, a charge, a discharge, a state of charge or a flexible load in one hour. All
that has one end (supply, shedding, unserved flexible energy) forms the *supply curve* of its
node: segments in order of cost. Storage nodes have a curve of one empty segment, so that every
node can be the root of a tree.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .case import Floats, PowerCase, Shape

Uint32s = NDArray[np.uint32]


class Topology(NamedTuple):
    """What depends on the shape and on who is joined to whom, alone."""

    sizes: NDArray[np.int64]  # Z, segments of a curve, H, L, S, F, G, nodes, arcs, segments
    ends: Uint32s  # tails (M), heads (M), first (n+1), arc (2M), other end (2M): see `carve`
    floats: int  # length of the workspace of floats
    ints: int  # length of the workspace of integers
    basis: int  # length of a basis


def topology_of(case: PowerCase) -> Topology:
    """The (kept) topology of a case."""
    return _topology(
        case.shape,
        case.line_from.tobytes(),
        case.line_to.tobytes(),
        case.store_zone.tobytes(),
        case.flexible_zone.tobytes(),
    )


@lru_cache(maxsize=64)
def _topology(
    shape: Shape, line_from: bytes, line_to: bytes, store_zone: bytes, flexible_zone: bytes
) -> Topology:
    zones, segments, hours, lines, stores, flexible, tiers = shape
    curve = max(1, segments + tiers)
    nodes = (zones + stores) * hours + flexible
    arcs = (lines + 3 * stores + flexible) * hours
    pieces = zones * hours * curve + stores * hours + flexible
    hour = np.arange(hours)

    def zone_nodes(zone: bytes) -> NDArray[np.int64]:
        return (np.frombuffer(zone, dtype=np.int64)[:, None] * hours + hour).ravel()

    storage = (zones * hours + np.arange(stores)[:, None] * hours + hour).ravel()
    following = (zones * hours + np.arange(stores)[:, None] * hours + (hour + 1) % hours).ravel()
    energy = np.repeat((zones + stores) * hours + np.arange(flexible), hours)
    at_store, at_flexible = zone_nodes(store_zone), zone_nodes(flexible_zone)
    tail = np.concatenate([zone_nodes(line_from), at_store, at_store, storage, at_flexible])
    head = np.concatenate([zone_nodes(line_to), storage, storage, following, energy])

    # Incidence by node; in a single hour the state of charge joins a node to itself: no arc.
    real = np.flatnonzero(tail != head)
    at = np.concatenate([tail[real], head[real]])
    arc = np.concatenate([real, real])
    other = np.concatenate([head[real], tail[real]])
    order = np.lexsort((arc, at))
    first = np.zeros(nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(at, minlength=nodes), out=first[1:])
    spare = np.zeros(2 * (arcs - real.size), dtype=np.int64)
    ends = np.concatenate([tail, head, first, arc[order], spare, other[order], spare])
    return Topology(
        sizes=np.array(
            [zones, curve, hours, lines, stores, flexible, segments, nodes, arcs, pieces],
            dtype=np.int64,
        ),
        ends=ends.astype(np.uint32),
        floats=FLOATS_A_NODE * nodes
        + FLOATS_AN_ARC * arcs
        + FLOATS_A_SEGMENT * pieces
        + 2 * stores
        + 64,
        ints=INTS_A_NODE * nodes + INTS_AN_ARC * arcs + INTS_A_SEGMENT * pieces + 64,
        basis=2 * nodes + arcs,
    )


FLOATS_A_NODE = 24
FLOATS_AN_ARC = 24
FLOATS_A_SEGMENT = 8
INTS_A_NODE = 24
INTS_AN_ARC = 12
INTS_A_SEGMENT = 6

