"""The memory of a solve as named arrays, compiled, and the values that stand in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..jit import helper
from .network import ARC, DUAL, INCIDENCE, NODE, PUSH, SEGMENT

OPTIMAL, INFEASIBLE, STALLED = 0, 1, 2
LOWER, UPPER, BASIC, FIXED = np.uint32(0), np.uint32(1), np.uint32(2), np.uint32(3)
NONE = np.uint32(0xFFFFFFFF)  # no node, no arc; indices are unsigned, which spares a test each
ONE = np.uint32(1)


class State(NamedTuple):
    """Views into the workspace: n nodes, M arcs, P segments."""

    sizes: Any
    nodes: Any
    duals: Any
    arcs: Any
    incidence: Any
    segments: Any
    pushes: Any
    when: Any  # candidates of the ratio test: the step at which the reduced cost is zero,
    instant: Any  # the same as whole numbers, which have the same order,
    slope: Any  # by how much the dual objective rises less from there on,
    which: Any  # and the arc, or M + the node whose curve it is
    keys: Any  # of each node: 0 if its flow keeps its bounds, else score and node in one number
    residual: Any  # what a node still hands on to its parent; 0 between pivots
    arriving: Any  # pushes on their way to each node; 0 between pivots
    rhs: Any
    values: Any  # flows of the arcs in the answer
    gains: Any  # efficiencies of which the coefficients were made
    scalar: Any  # dearest cost, typical cost, largest quantity, flow tolerance, set up,
    # cost of an arc with unit 1, the arcs' part of the bound
    tree: Any  # the subtree of a pivot, or all nodes, parents first
    heap: Any  # candidates, the soonest on top,
    steps: Any  # and their steps
    filled: Any  # segments of each node's curve that are not empty
    below: Any  # what the segments before each bring together
    origin: Any  # which supply segment or shed tier a segment is
    order: Any  # the pieces of the curve before, sorted
    member: Any  # first original row of each merged line, store and load


@helper
def carve(sizes, ends, floats, ints):
    """The workspace as named arrays; records do not straddle cache lines."""
    n, m, p = sizes[7], sizes[8], sizes[9]
    f = np.int64(64 - floats.ctypes.data % 64) // 8 % 8
    nodes = floats[f : f + 8 * n].view(NODE)
    f += 8 * n
    duals = floats[f : f + 8 * n].view(DUAL)
    f += 8 * n
    arcs = floats[f : f + 8 * m].view(ARC)
    f += 8 * m
    incidence = floats[f : f + 8 * m].view(INCIDENCE)
    f += 8 * m
    segments = floats[f : f + 2 * p].view(SEGMENT)
    f += 2 * p
    pushes = floats[f : f + 2 * (2 * m + p + n + 8)].view(PUSH)
    f += 2 * (2 * m + p + n + 8)
    when = floats[f : f + m + n + 1]
    f += m + n + 1
    steps = floats[f : f + m + n + 1].view(np.int64)
    f += m + n + 1
    slope = floats[f : f + m + n + 1]
    f += m + n + 1
    keys = floats[f : f + n].view(np.int64)
    f += n
    residual = floats[f : f + n]
    f += n
    rhs = floats[f : f + n]
    f += n
    values = floats[f : f + m]
    f += m
    below = floats[f : f + p]
    f += p
    gains = floats[f : f + 2 * sizes[4]]
    f += 2 * sizes[4]
    scalar = floats[f : f + 8]
    i = 0
    tree = ints[i : i + n]
    i += n
    heap = ints[i : i + m + n]
    i += m + n
    which = ints[i : i + m + n + 1]
    i += m + n + 1
    arriving = ints[i : i + n]
    i += n
    filled = ints[i : i + n]
    i += n
    origin = ints[i : i + p]
    i += p
    order = ints[i : i + sizes[1]]
    i += sizes[1]
    member = ints[i : i + sizes[3] + sizes[4] + sizes[5]]
    return State(
        sizes, nodes, duals, arcs, incidence, segments, pushes, when, when.view(np.int64), slope,
        which, keys, residual, arriving, rhs, values, gains, scalar, tree, heap, steps, filled, below, origin, order,
        member,
    )  # fmt: skip
