"""Trees, duals and flows of a basis of the network, compiled. See README.md, sections 2 and 3."""

from __future__ import annotations

import numpy as np

from ..jit import helper
from .workspace import BASIC, FIXED, LOWER, NONE, ONE, UPPER

INDEX = np.int64(0xFFFFF)  # of a key: the node; the other bits are a score, to nine digits


@helper
def hang(nodes, duals, arcs, i, arc):
    """Let node i own an arc and so hang from its other end, which is returned."""
    node, a = nodes[i], arcs[arc]
    node.own = arc
    if a.tail == i:
        mine, theirs, parent = a.at, a.ah, a.head
    else:
        mine, theirs, parent = a.ah, a.at, a.tail
    node.parent = parent
    node.inverse = 1.0 / mine
    node.ratio = -theirs / mine
    duals[i].ratio = node.ratio
    node.low, node.high = a.lower, a.upper
    return parent


@helper
def plant(nodes, duals, segments, i):
    """Make node i a root, served by the segment it points at."""
    node = nodes[i]
    node.own, node.parent = NONE, NONE
    node.inverse, node.ratio = 1.0, 0.0
    duals[i].ratio = 0.0
    node.low, node.high = 0.0, segments[node.ptr].room


@helper
def look_around(nodes, duals, segments, i):
    """Note the prices of the next segments of a curve, in both directions.

    What is empty bounds the curve: empty segments lie behind the others, and one before.
    """
    above, below = segments[nodes[i].ptr], segments[nodes[i].ptr - ONE]
    duals[i].up = above.price if above.room > 0.0 else np.inf
    duals[i].down = below.price if below.room > 0.0 else -np.inf


@helper
def link(duals, i, p):
    """Make i a child of p."""
    mine, theirs = duals[i], duals[p]
    first = theirs.child
    mine.before = NONE
    mine.after = first
    if first != NONE:
        duals[first].before = i
    theirs.child = i


@helper
def unlink(duals, i, p):
    """Take i from the children of p."""
    before, after = duals[i].before, duals[i].after
    if before != NONE:
        duals[before].after = after
    else:
        duals[p].child = after
    if after != NONE:
        duals[after].before = before


@helper
def gain_of(nodes, i):
    """Product of the ratios around the cycle on which i lies."""
    gain, c = nodes[i].ratio, nodes[i].parent
    while c != i:
        gain *= nodes[c].ratio
        c = nodes[c].parent
    return gain


@helper
def key_of(node, i, tolerance):
    """How much a flow asks to leave the basis: 0, or breach^2 / (size + 1), the node in its last bits."""
    breach = max(node.x - node.high, node.low - node.x)
    score = breach * breach / (node.size + 1.0)
    # by a mask: which flows are broken cannot be foreseen
    return (np.float64(score).view(np.int64) & ~INDEX | np.int64(i)) & -np.int64(breach > tolerance)


@helper
def build(s):
    """Children, subtree sizes, order and duals from the owned arcs alone."""
    n = s.sizes[7]
    nodes, duals = s.nodes, s.duals
    for j in range(n):
        node, dual = nodes[j], duals[j]
        dual.child = NONE
        dual.step = 0.0
        node.cyclic = 0
        node.size = 1
    for j in range(n):
        i = np.uint32(j)
        if nodes[i].parent != NONE:
            link(duals, i, nodes[i].parent)
    find_duals(s)
    for k in range(n - 1, -1, -1):
        i = s.tree[k]
        node = nodes[i]
        if duals[i].mark == 3:  # where a cycle was entered: its nodes all have all below them
            c = node.parent
            while c != i:
                nodes[c].size = node.size
                c = nodes[c].parent
        elif node.parent != NONE:
            nodes[node.parent].size += node.size


@helper
def find_duals(s):
    """Order (parents first) and duals of the basis.

    A cycle without gain (a singular basis) is opened by making one of its nodes a root.
    """
    n = s.sizes[7]
    nodes, duals = s.nodes, s.duals
    for j in range(n):
        duals[j].mark = 0
    count = 0
    for j in range(n):
        top = np.uint32(j)
        if nodes[top].parent == NONE:
            duals[top].y = s.segments[nodes[top].ptr].price
            count = grow(s, top, count)
    if count == n:
        return
    for k in range(n):
        i = np.uint32(k)
        if duals[i].mark != 0:
            continue
        while duals[i].mark == 0:
            duals[i].mark = 2
            i = nodes[i].parent
        # i lies on a cycle: follow the dual around it
        gain, total, c = 1.0, 0.0, i
        while True:
            node = nodes[c]
            total += gain * s.scalar[5] * s.arcs[node.own].unit * node.inverse
            gain *= node.ratio
            node.cyclic = 1
            c = node.parent
            if c == i:
                break
        if abs(1.0 - gain) < 1e-9:
            while nodes[c].cyclic == 1:
                nodes[c].cyclic = 0
                c = nodes[c].parent
            node = nodes[i]
            unlink(duals, i, node.parent)
            s.arcs[node.own].state = LOWER
            if s.segments[node.ptr].room <= 0.0 and s.segments[node.ptr - ONE].room > 0.0:
                node.ptr -= ONE
            plant(nodes, duals, s.segments, i)
            duals[i].y = s.segments[node.ptr].price
        else:
            duals[i].y = total / (1.0 - gain)
        count = grow(s, i, count)


@helper
def grow(s, top, count):
    """Order and duals below a node, which gets mark 3 (on a cycle) or 1."""
    nodes, duals, arcs, tree = s.nodes, s.duals, s.arcs, s.tree
    scale = s.scalar[5]
    duals[top].mark = 3 if nodes[top].cyclic == 1 else 1
    tree[count] = top
    k = count
    count += 1
    while k < count:
        dual = duals[tree[k]]
        k += 1
        y, c = dual.y, dual.child
        while c != NONE:
            below = duals[c]
            if c != top:
                below.y = below.ratio * y
                if scale != 0.0:
                    node = nodes[c]
                    below.y += scale * arcs[node.own].unit * node.inverse
                below.mark = 1
                tree[count] = c
                count += 1
            c = below.after
    return count


@helper
def settle(s, tolerance):
    """Put what is nonbasic at the bound that its reduced cost asks for, and compute basic flows.

    At a reduced cost of about zero the old bound is kept. Returns the number of broken bounds.
    """
    n = s.sizes[7]
    nodes, duals, arcs = s.nodes, s.duals, s.arcs
    segments, residual = s.segments, s.residual
    scale = s.scalar[5]
    for i in range(n):
        node, y = nodes[i], duals[i].y
        k = node.ptr
        if node.own != NONE:
            while segments[k].room > 0.0 and segments[k].price < y - tolerance:
                k += ONE
            while segments[k - ONE].room > 0.0 and segments[k - ONE].price > y + tolerance:
                k -= ONE
            node.ptr = k
            look_around(nodes, duals, segments, i)
        residual[i] = s.rhs[i] - s.below[k]
    bound = 0.0
    for j in range(s.sizes[8]):
        # by sums and products: which arcs are where cannot be foreseen, and a wrong guess costs
        # more than the whole computation
        a = arcs[j]
        lower, upper, state = a.lower, a.upper, a.state
        d = scale * a.unit - a.at * duals[a.tail].y - a.ah * duals[a.head].y
        basic = np.uint32(state == BASIC)
        fixed = np.uint32(upper <= lower)
        high = np.uint32((d < -tolerance) | ((state == UPPER) & (d <= tolerance)))
        a.state = basic * BASIC + (ONE - basic) * (fixed * FIXED + (ONE - fixed) * high)
        a.side = np.int32((1 - 2 * np.int64(high)) * np.int64((ONE - basic) * (ONE - fixed)))
        part = np.float64(high)
        value = (upper * part + lower * (1.0 - part)) * np.float64(ONE - basic)
        s.values[j] = value
        bound += min(d * lower, d * upper)
        residual[a.tail] -= a.at * value
        residual[a.head] -= a.ah * value
    for k in range(n - 1, -1, -1):
        i = s.tree[k]
        node = nodes[i]
        left = residual[i]
        residual[i] = 0.0
        if duals[i].mark == 3:
            amount = left / (1.0 - gain_of(nodes, i))
            node.x = 0.0
            c = i
            while True:
                on = nodes[c]
                on.x += amount * on.inverse
                amount *= on.ratio
                c = on.parent
                if c == i:
                    break
        else:
            node.x = left * node.inverse
            if node.parent != NONE:
                residual[node.parent] += node.ratio * left
    s.scalar[6] = bound
    tolerance = s.scalar[3]
    count = 0
    for i in range(n):
        s.keys[i] = key_of(nodes[i], i, tolerance)
        count += s.keys[i] != 0
    return count
