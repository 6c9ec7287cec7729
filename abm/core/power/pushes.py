"""Flow pushed to the roots of a basis, compiled."""

from __future__ import annotations

import numpy as np

from ..jit import helper
from .forest import gain_of, key_of
from .workspace import NONE, ONE

MANY = 8  # pushes of a pivot from which on their ways to the roots are joined


@helper
def around(s, i, amount, change, tolerance):
    """Hand an amount around the cycle on which i lies: a geometric series."""
    nodes = s.nodes
    amount /= 1.0 - gain_of(nodes, i)
    c = i
    while True:
        node = nodes[c]
        node.x += amount * node.inverse
        node.size += change
        s.keys[c] = key_of(node, c, tolerance)
        amount *= node.ratio
        c = node.parent
        if c == i:
            break


@helper
def push(s, i, amount, change, stop, tolerance):
    """Push an amount from i to its root, sizes on the way changed; what arrives at `stop` is returned."""
    nodes = s.nodes
    while i != NONE:
        node = nodes[i]
        if node.cyclic == 1:
            around(s, i, amount, change, tolerance)
            break
        if i == stop:
            return amount
        node.x += amount * node.inverse
        node.size += change
        amount *= node.ratio
        s.keys[i] = key_of(node, i, tolerance)
        i = node.parent
    return 0.0


@helper
def push_many(s, count, stop, tolerance):
    """`push` for the first of `pushes`, each node on their ways once; sizes stay.

    The first walk counts by how many ways each node is reached, the second goes on where
    all of them have arrived.
    """
    nodes, pushes, arriving, residual = s.nodes, s.pushes, s.arriving, s.residual
    for k in range(count):
        i = pushes[k].at
        residual[i] += pushes[k].amount
        arriving[i] += ONE
        while arriving[i] == ONE and nodes[i].cyclic == 0 and i != stop:
            i = nodes[i].parent
            if i == NONE:
                break
            arriving[i] += ONE
    gathered = 0.0
    for k in range(count):
        i = pushes[k].at
        while True:
            arriving[i] -= ONE
            if arriving[i] > 0:
                break
            node, amount = nodes[i], residual[i]
            residual[i] = 0.0
            if node.cyclic == 1:
                around(s, i, amount, np.uint32(0), tolerance)
                break
            if i == stop:
                gathered += amount
                break
            node.x += amount * node.inverse
            s.keys[i] = key_of(node, i, tolerance)
            i = node.parent
            if i == NONE:
                break
            residual[i] += amount * node.ratio
    return gathered
