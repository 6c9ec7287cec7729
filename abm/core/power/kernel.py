"""The boxed dual simplex on the generalized network, compiled. See README.md for the method.

Conventions. Arc a has coefficient `at[a]` in the row of its tail and `ah[a]` in that of its head.
Node i owns one basic arc, which leads to its parent; `own[i] = -1` makes it a root, served by
segment `ptr[i]` of its supply curve. `ratio[i]` is the dual of i per unit of its parent's dual,
and just so the residual handed to the parent per unit of residual at i. Of a node's curve, the
segments before `ptr[i]` are at their upper bound and those after it at zero.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..jit import helper, kernel

OPTIMAL, INFEASIBLE, STALLED = 0, 1, 2
LOWER, UPPER, BASIC, FIXED = 0, 1, 2, 3
NONE = np.uint32(0xFFFFFFFF)  # no node, or no arc: indices are unsigned, which spares a test each


class State(NamedTuple):
    """Views into the workspace (n nodes, M arcs, P segments)."""

    sizes: Any
    # nodes
    y: Any
    x: Any  # flow of the owned arc
    low: Any  # its bounds
    high: Any
    mine: Any  # its coefficient here and at the parent
    theirs: Any
    ratio: Any
    inverse: Any  # 1 / mine
    rhs: Any
    step: Any  # change of y in the current pivot; 0 outside the subtree
    residual: Any
    own: Any
    parent: Any
    child: Any
    after: Any
    before: Any
    size: Any  # nodes below, itself included
    ptr: Any
    cyclic: Any
    listed: Any
    suspects: Any  # nodes whose flow may break a bound
    tree: Any  # order of the subtree, or of all nodes
    mark: Any
    # arcs
    tail: Any
    head: Any
    at: Any
    ah: Any
    lower: Any
    upper: Any
    cost: Any  # perturbation; the true cost of every arc is 0
    state: Any
    side: Any  # 1 at the lower bound, -1 at the upper, 0 where it cannot enter
    # incidence
    first: Any
    arc: Any
    other: Any
    here: Any
    there: Any
    # supply curves
    start: Any
    price: Any
    room: Any
    origin: Any
    # candidates of a ratio test, and residuals to push
    when: Any
    slope: Any
    which: Any
    heap: Any
    push_at: Any
    push: Any
    # scalars
    scalar: Any
    gains: Any  # efficiencies of which the coefficients were made


@helper
def carve(sizes, ends, floats, ints):
    """The workspace as named arrays."""
    n, m, p = sizes[7], sizes[8], sizes[9]
    f, i = 0, 0
    y = floats[f : f + n]
    f += n
    x = floats[f : f + n]
    f += n
    low = floats[f : f + n]
    f += n
    high = floats[f : f + n]
    f += n
    mine = floats[f : f + n]
    f += n
    theirs = floats[f : f + n]
    f += n
    ratio = floats[f : f + n]
    f += n
    inverse = floats[f : f + n]
    f += n
    rhs = floats[f : f + n]
    f += n
    step = floats[f : f + n]
    f += n
    residual = floats[f : f + n]
    f += n
    at = floats[f : f + m]
    f += m
    ah = floats[f : f + m]
    f += m
    lower = floats[f : f + m]
    f += m
    upper = floats[f : f + m]
    f += m
    cost = floats[f : f + m]
    f += m
    side = floats[f : f + m]
    f += m
    here = floats[f : f + 2 * m]
    f += 2 * m
    there = floats[f : f + 2 * m]
    f += 2 * m
    price = floats[f : f + p]
    f += p
    room = floats[f : f + p]
    f += p
    when = floats[f : f + m + n]
    f += m + n
    slope = floats[f : f + m + n]
    f += m + n
    push = floats[f : f + 2 * m + p + n + 8]
    f += 2 * m + p + n + 8
    scalar = floats[f : f + 16]
    f += 16
    gains = floats[f : f + 2 * sizes[4]]

    own = ints[i : i + n]
    i += n
    parent = ints[i : i + n]
    i += n
    child = ints[i : i + n]
    i += n
    after = ints[i : i + n]
    i += n
    before = ints[i : i + n]
    i += n
    size = ints[i : i + n]
    i += n
    ptr = ints[i : i + n]
    i += n
    cyclic = ints[i : i + n]
    i += n
    listed = ints[i : i + n]
    i += n
    suspects = ints[i : i + n]
    i += n
    tree = ints[i : i + n]
    i += n
    mark = ints[i : i + n]
    i += n
    state = ints[i : i + m]
    i += m
    start = ints[i : i + n + 1]
    i += n + 1
    origin = ints[i : i + p]
    i += p
    which = ints[i : i + m + n]
    i += m + n
    heap = ints[i : i + m + n]
    i += m + n
    push_at = ints[i : i + 2 * m + p + n + 8]
    i += 2 * m + p + n + 8

    tail = ends[:m]
    head = ends[m : 2 * m]
    first = ends[2 * m : 2 * m + n + 1]
    arc = ends[2 * m + n + 1 : 4 * m + n + 1]
    other = ends[4 * m + n + 1 : 6 * m + n + 1]
    return State(
        sizes, y, x, low, high, mine, theirs, ratio, inverse, rhs, step, residual,
        own, parent, child, after, before, size, ptr, cyclic, listed, suspects, tree, mark,
        tail, head, at, ah, lower, upper, cost, state, side, first, arc, other, here, there,
        start, price, room, origin, when, slope, which, heap, push_at, push, scalar, gains,
    )  # fmt: skip


@helper
def load(
    s, order, demand, capacity, cost, forward, backward, charge, discharge, store, into, out_of,
    flexible_mw, flexible_mwh, shed, shed_cost, unserved_cost,
):  # fmt: skip
    """Numbers of the case into the network; supply curves sorted by cost."""
    zones, curve, hours, lines = s.sizes[0], s.sizes[1], s.sizes[2], s.sizes[3]
    stores, loads, segments = s.sizes[4], s.sizes[5], s.sizes[6]
    tiers = shed_cost.size
    hourly = cost.shape[2] == hours and hours > 1
    dearest, total = 0.0, 0.0
    p = 0
    for z in range(zones):
        for k in range(curve):
            order[k] = k
        for h in range(hours):
            node = z * hours + h
            s.rhs[node] = demand[z, h]
            s.start[node] = p
            if h == 0 or hourly:
                c = h if hourly else 0
                for k in range(segments + tiers):
                    piece = order[k]
                    value = cost[z, piece, c] if piece < segments else shed_cost[piece - segments]
                    if piece < segments:
                        total += abs(value)
                        dearest = max(dearest, abs(value))
                    j = k
                    while j > 0 and s.price[p + j - 1] > value:
                        s.price[p + j] = s.price[p + j - 1]
                        order[j] = order[j - 1]
                        j -= 1
                    s.price[p + j] = value
                    order[j] = piece
            else:
                for k in range(segments + tiers):
                    s.price[p + k] = s.price[p + k - curve]
            for k in range(segments + tiers):
                piece = order[k]
                s.origin[p + k] = piece
                if piece < segments:
                    s.room[p + k] = capacity[z, piece, h]
                else:
                    s.room[p + k] = shed[z, piece - segments, h]
            if segments + tiers == 0:
                s.price[p] = 0.0
                s.room[p] = 0.0
                s.origin[p] = 0
            p += curve
    for node in range(zones * hours, (zones + stores) * hours):
        s.rhs[node] = 0.0
        s.start[node] = p
        s.price[p] = 0.0
        s.room[p] = 0.0
        s.origin[p] = 0
        p += 1
    for f in range(loads):
        node = (zones + stores) * hours + f
        s.rhs[node] = flexible_mwh[f]
        s.start[node] = p
        s.price[p] = unserved_cost
        s.room[p] = flexible_mwh[f]
        s.origin[p] = 0
        p += 1
    s.start[s.sizes[7]] = p
    count = zones * segments * (hours if hourly else 1)
    for k in range(tiers):
        dearest = max(dearest, abs(shed_cost[k]))
    if loads > 0:
        dearest = max(dearest, abs(unserved_cost))
    typical = total / count if total > 0.0 else dearest
    s.scalar[0] = dearest
    s.scalar[1] = typical

    same = s.scalar[4] == 1.0 and s.scalar[5] == stores
    for i in range(stores):
        same = same and s.gains[2 * i] == into[i] and s.gains[2 * i + 1] == out_of[i]
    a = 0
    for i in range(lines):
        for h in range(hours):
            ahead = forward[i, h if forward.shape[1] > 1 else 0]
            back = backward[i, h if backward.shape[1] > 1 else 0]
            if ahead == np.inf or back == np.inf:
                # in some optimum no flow exceeds all that can be taken in the hour
                most = 0.0
                for z in range(zones):
                    most += abs(demand[z, h])
                for j in range(stores):
                    most += charge[j]
                for j in range(loads):
                    most += flexible_mw[j, h]
                ahead, back = min(ahead, most), min(back, most)
            s.lower[a], s.upper[a] = -back, ahead
            a += 1
    for i in range(stores):
        for h in range(hours):
            s.lower[a], s.upper[a] = 0.0, charge[i]
            a += 1
    for i in range(stores):
        for h in range(hours):
            s.lower[a], s.upper[a] = 0.0, discharge[i]
            a += 1
    for i in range(stores):
        for h in range(hours):
            s.lower[a], s.upper[a] = 0.0, store[i] if hours > 1 else 0.0
            a += 1
    for i in range(loads):
        for h in range(hours):
            s.lower[a], s.upper[a] = 0.0, flexible_mw[i, h]
            a += 1
    largest = 0.0
    for i in range(s.sizes[7]):
        largest = max(largest, abs(s.rhs[i]))
    for i in range(stores):
        largest = max(largest, charge[i], discharge[i], store[i])
    s.scalar[2] = largest
    if same:
        return

    # The coefficients change with the efficiencies alone.
    s.scalar[4], s.scalar[5] = 1.0, stores
    a = 0
    for i in range(lines * hours):
        s.at[a], s.ah[a] = -1.0, 1.0
        a += 1
    for i in range(stores):
        s.gains[2 * i], s.gains[2 * i + 1] = into[i], out_of[i]
        for h in range(hours):
            s.at[a], s.ah[a] = -1.0, -into[i]
            s.at[a + stores * hours], s.ah[a + stores * hours] = 1.0, 1.0 / out_of[i]
            s.at[a + 2 * stores * hours], s.ah[a + 2 * stores * hours] = 1.0, -1.0
            a += 1
    a += 2 * stores * hours
    for i in range(loads * hours):
        s.at[a], s.ah[a] = -1.0, 1.0
        a += 1
    for i in range(s.sizes[7]):
        for e in range(s.first[i], s.first[i + 1]):
            a = s.arc[e]
            if s.tail[a] == i:
                s.here[e], s.there[e] = s.at[a], s.ah[a]
            else:
                s.here[e], s.there[e] = s.ah[a], s.at[a]


@helper
def attach(s, i, arc, at_tail):
    """Let node i own an arc and so hang from its other end."""
    if at_tail:
        s.mine[i], s.theirs[i], s.parent[i] = s.at[arc], s.ah[arc], s.head[arc]
    else:
        s.mine[i], s.theirs[i], s.parent[i] = s.ah[arc], s.at[arc], s.tail[arc]
    s.own[i] = arc
    s.inverse[i] = 1.0 / s.mine[i]
    s.ratio[i] = -s.theirs[i] * s.inverse[i]
    s.low[i], s.high[i] = s.lower[arc], s.upper[arc]
    s.state[arc] = BASIC


@helper
def root(s, i):
    """Let node i be served by a segment of its own curve."""
    s.own[i], s.parent[i] = NONE, NONE
    s.mine[i], s.theirs[i], s.inverse[i], s.ratio[i] = 1.0, 0.0, 1.0, 0.0
    s.ptr[i] = min(max(s.ptr[i], s.start[i]), s.start[i + 1] - 1)
    s.low[i], s.high[i] = 0.0, s.room[s.ptr[i]]


@helper
def warm_basis(s, warm):
    """Take over an old basis; False where it is none of this network."""
    n, m = s.sizes[7], s.sizes[8]
    for a in range(m):
        s.state[a] = UPPER if warm[2 * n + a] == UPPER else LOWER
    for i in range(n):
        code = warm[i]
        begin, end = s.start[i], s.start[i + 1]
        s.ptr[i] = min(max(begin + warm[n + i], begin), end)
        if code < 0:
            piece = -1 - code
            for k in range(begin, end):
                if s.origin[k] == piece:
                    s.ptr[i] = k
            root(s, i)
        else:
            if code >= m or s.state[code] == BASIC:
                return False
            if s.tail[code] == i:
                attach(s, i, code, True)
            elif s.head[code] == i:
                attach(s, i, code, False)
            else:
                return False
            if s.parent[i] == i:
                return False
    return True


@helper
def cold_basis(s):
    """Zones served by their own marginal segment; stores and flexible loads at a middling hour."""
    n, m, zones, hours, lines = s.sizes[7], s.sizes[8], s.sizes[0], s.sizes[2], s.sizes[3]
    stores, loads = s.sizes[4], s.sizes[5]
    for a in range(m):
        s.state[a] = LOWER
    for i in range(n):
        k, end = s.start[i], s.start[i + 1]
        need = s.rhs[i]
        while k < end - 1 and need > s.room[k]:
            need -= s.room[k]
            k += 1
        s.ptr[i] = k
        root(s, i)
        s.y[i] = s.price[k]
    if hours == 1:
        return
    for i in range(stores + loads):
        if i < stores:
            link = (lines + i) * hours
        else:
            link = (lines + 3 * stores + i - stores) * hours
        middle = -1
        for h in range(hours):
            below = 0
            for g in range(hours):
                a, b = s.y[s.tail[link + g]], s.y[s.tail[link + h]]
                if a < b or (a == b and g < h):
                    below += 1
            if below == hours // 2:
                middle = h
        if i < stores:
            node = (zones + i) * hours
            soc = (lines + 2 * stores + i) * hours
            for h in range(hours):
                if h == middle:
                    attach(s, node + h, link + h, False)
                elif h < middle:
                    attach(s, node + h, soc + h, True)
                else:
                    attach(s, node + h, soc + h - 1, False)
        else:
            node = (zones + stores) * hours + i - stores
            attach(s, node, link + middle, False)


@helper
def build(s):
    """Children and subtree sizes from the owned arcs alone, then order and duals.

    A cycle without gain (a singular basis) is opened by making one of its nodes a root.
    """
    n = s.sizes[7]
    for i in range(n):
        s.child[i] = NONE
        s.cyclic[i] = 0
        s.size[i] = 1
        s.step[i] = 0.0
    for i in range(n):
        if s.parent[i] != NONE:
            link(s.child, s.after, s.before, i, s.parent[i])
    duals(s)
    for k in range(n - 1, -1, -1):
        i = s.tree[k]
        if s.mark[i] == 3:  # where a cycle was entered: its nodes all have all below them
            c = s.parent[i]
            while c != i:
                s.size[c] = s.size[i]
                c = s.parent[c]
        elif s.parent[i] != NONE:
            s.size[s.parent[i]] += s.size[i]


@helper
def duals(s):
    """Order (parents first) and duals of the basis, from the children."""
    n = s.sizes[7]
    mark, parent = s.mark, s.parent
    for i in range(n):
        mark[i] = 0
    count = 0
    for i in range(n):
        if parent[i] == NONE:
            s.y[i] = s.price[s.ptr[i]]
            count = grow(s, i, count)
    if count == n:
        return
    for i in range(n):
        if mark[i] != 0:
            continue
        j = np.uint32(i)
        while mark[j] == 0:
            mark[j] = 2
            j = parent[j]
        # j lies on a cycle: follow the dual around it
        gain, total, c = 1.0, 0.0, j
        while True:
            total += gain * s.cost[s.own[c]] * s.inverse[c]
            gain *= s.ratio[c]
            s.cyclic[c] = 1
            c = parent[c]
            if c == j:
                break
        if abs(1.0 - gain) < 1e-9:
            while s.cyclic[c] == 1:
                s.cyclic[c] = 0
                c = parent[c]
            unlink(s.child, s.after, s.before, j, parent[j])
            s.state[s.own[j]] = LOWER
            root(s, j)
            s.y[j] = s.price[s.ptr[j]]
        else:
            s.y[j] = total / (1.0 - gain)
        count = grow(s, j, count)


@helper
def grow(s, top, count):
    """Order and duals below a node, which gets mark 3 (on a cycle) or 1."""
    tree, child, after, mark, y = s.tree, s.child, s.after, s.mark, s.y
    cost, own, inverse, ratio = s.cost, s.own, s.inverse, s.ratio
    mark[top] = 3 if s.cyclic[top] == 1 else 1
    tree[count] = top
    k = count
    count += 1
    while k < count:
        i = tree[k]
        k += 1
        c = child[i]
        while c != NONE:
            if c != top:
                y[c] = cost[own[c]] * inverse[c] + ratio[c] * y[i]
                mark[c] = 1
                tree[count] = c
                count += 1
            c = after[c]
    return count


@helper
def link(child, after, before, i, p):
    """Make i a child of p."""
    first = child[p]
    before[i] = NONE
    after[i] = first
    if first != NONE:
        before[first] = i
    child[p] = i


@helper
def unlink(child, after, before, i, p):
    """Take i from the children of p."""
    b, a = before[i], after[i]
    if b != NONE:
        after[b] = a
    else:
        child[p] = a
    if a != NONE:
        before[a] = b


@helper
def place(s, tolerance):
    """Put every nonbasic arc and segment at the bound its reduced cost asks for.

    At a reduced cost of about zero the old bound is kept.
    """
    n, m = s.sizes[7], s.sizes[8]
    for a in range(m):
        s.side[a] = 0.0
        if s.state[a] == BASIC:
            continue
        if s.upper[a] <= s.lower[a]:
            s.state[a] = FIXED
            continue
        d = s.cost[a] - s.at[a] * s.y[s.tail[a]] - s.ah[a] * s.y[s.head[a]]
        if d > tolerance:
            s.state[a] = LOWER
        elif d < -tolerance:
            s.state[a] = UPPER
        elif s.state[a] == FIXED:
            s.state[a] = LOWER
        s.side[a] = 1.0 if s.state[a] == LOWER else -1.0
    for i in range(n):
        if s.own[i] == NONE:
            continue
        k, begin, end, y = s.ptr[i], s.start[i], s.start[i + 1], s.y[i]
        while k < end and s.price[k] < y - tolerance:
            k += 1
        while k > begin and s.price[k - 1] > y + tolerance:
            k -= 1
        s.ptr[i] = k


@helper
def flows(s):
    """Basic flows from the nonbasic ones, leaves first; returns the number of suspects."""
    n, m = s.sizes[7], s.sizes[8]
    residual, x = s.residual, s.x
    for i in range(n):
        total = s.rhs[i]
        for k in range(s.start[i], s.ptr[i]):
            total -= s.room[k]
        residual[i] = total
    for a in range(m):
        if s.state[a] == BASIC:
            continue
        value = s.upper[a] if s.state[a] == UPPER else s.lower[a]
        if value != 0.0:
            residual[s.tail[a]] -= s.at[a] * value
            residual[s.head[a]] -= s.ah[a] * value
    for k in range(n - 1, -1, -1):
        i = s.tree[k]
        if s.mark[i] == 3:
            gain = s.ratio[i]
            c = s.parent[i]
            while c != i:
                gain *= s.ratio[c]
                c = s.parent[c]
            amount = residual[i] / (1.0 - gain)
            x[i] = 0.0
            while True:
                x[c] += amount * s.inverse[c]
                amount *= s.ratio[c]
                c = s.parent[c]
                if c == i:
                    break
        else:
            x[i] = residual[i] * s.inverse[i]
            if s.parent[i] != NONE:
                residual[s.parent[i]] += s.ratio[i] * residual[i]
    tolerance = s.scalar[3]
    count = 0
    for i in range(n):
        s.listed[i] = 0
        if x[i] > s.high[i] + tolerance or x[i] < s.low[i] - tolerance:
            s.listed[i] = 1
            s.suspects[count] = i
            count += 1
    return count


@helper
def sift_down(heap, when, count, k):
    item = heap[k]
    key = when[item]
    while True:
        c = 2 * k + 1
        if c >= count:
            break
        if c + 1 < count and when[heap[c + 1]] < when[heap[c]]:
            c += 1
        if when[heap[c]] >= key:
            break
        heap[k] = heap[c]
        k = c
    heap[k] = item


@helper
def iterate(s, count, limit):
    """Pivot until no flow breaks its bound; returns (status, pivots)."""
    y, x, low, high, mine, theirs = s.y, s.x, s.low, s.high, s.mine, s.theirs
    ratio, inverse, step = s.ratio, s.inverse, s.step
    own, parent, child, after, before = s.own, s.parent, s.child, s.after, s.before
    size, ptr, cyclic, listed, suspects, tree = s.size, s.ptr, s.cyclic, s.listed, s.suspects, s.tree
    lower, upper, cost, state, side = s.lower, s.upper, s.cost, s.state, s.side
    first, arc, other, here, there = s.first, s.arc, s.other, s.here, s.there
    start, price, room = s.start, s.price, s.room
    when, slope, which, heap, push_at, push = s.when, s.slope, s.which, s.heap, s.push_at, s.push
    m = s.sizes[8]
    tolerance = s.scalar[3]
    pivots = 0
    while True:
        # 1. the leaving flow: the largest breach, measured along the edge it moves on
        best, q, k = 0.0, NONE, 0
        while k < count:
            i = suspects[k]
            breach = max(x[i] - high[i], low[i] - x[i])
            if breach <= tolerance:
                listed[i] = 0
                count -= 1
                suspects[k] = suspects[count]
                continue
            score = breach * breach / size[i]
            if score > best:
                best, q = score, i
            k += 1
        if q == NONE:
            return OPTIMAL, pivots
        if pivots >= limit:
            return STALLED, pivots
        pivots += 1
        up = x[q] > high[q]
        drive = x[q] - high[q] if up else low[q] - x[q]
        bound = high[q] if up else low[q]

        # 2. the row of the basis inverse: duals move in the subtree below q alone
        step[q] = inverse[q] if up else -inverse[q]
        tree[0] = q
        total = 1
        k = 0
        on_cycle = cyclic[q] == 1
        while k < total:
            i = tree[k]
            k += 1
            c = child[i]
            while c != NONE:
                if c != q:
                    step[c] = ratio[c] * step[i]
                    tree[total] = c
                    total += 1
                c = after[c]
        if on_cycle:
            # B' step = e_q: the arc of q joins two moving nodes
            scale = 1.0 / (1.0 - ratio[q] * step[parent[q]] / step[q])
            for k in range(total):
                step[tree[k]] *= scale
        old_arc, old_parent = own[q], parent[q]
        if old_arc == NONE and up:
            ptr[q] += 1

        # 3. candidates: arcs that leave the subtree, and each curve's next segment
        found, nearest, soonest = 0, 0, np.inf
        for k in range(total):
            i = tree[k]
            di, yi = step[i], y[i]
            for e in range(first[i], first[i + 1]):
                a, j = arc[e], other[e]
                alpha = here[e] * di
                rounding = 1e-10 * abs(alpha)
                dj = step[j]
                alpha += there[e] * dj
                if side[a] * alpha > rounding and (dj == 0.0 or i < j):
                    d = cost[a] - here[e] * yi - there[e] * y[j]
                    t = max(0.0, d / alpha)
                    when[found] = t
                    slope[found] = abs(alpha)
                    which[found] = a
                    if t < soonest:
                        soonest, nearest = t, found
                    found += 1
            p = ptr[i]
            if di > 0.0:
                end = start[i + 1]
                while p < end and room[p] <= 0.0:
                    p += np.uint32(1)
                ptr[i] = p
                if p < end:
                    t = max(0.0, (price[p] - yi) / di)
                    when[found] = t
                    slope[found] = di
                    which[found] = m + i
                    if t < soonest:
                        soonest, nearest = t, found
                    found += 1
            else:
                begin = start[i]
                while p > begin and room[p - 1] <= 0.0:
                    p -= np.uint32(1)
                ptr[i] = p
                if p > begin:
                    t = max(0.0, (price[p - 1] - yi) / di)
                    when[found] = t
                    slope[found] = -di
                    which[found] = m + i
                    if t < soonest:
                        soonest, nearest = t, found
                    found += 1

        # 4. pass breakpoints while the dual objective still rises
        pushes, left, pick, sorted_ = 0, found, nearest, False
        while True:
            if left == 0:
                return INFEASIBLE, pivots
            a = which[pick]
            rising = False
            if a < m:
                width = upper[a] - lower[a]
            else:
                node = np.uint32(a - m)
                rising = step[node] > 0.0
                width = room[ptr[node]] if rising else room[ptr[node] - 1]
            if drive <= slope[pick] * (width + tolerance):
                break
            if not sorted_:
                sorted_ = True
                for k in range(found):
                    heap[k] = k
                for k in range(found // 2 - 1, -1, -1):
                    sift_down(heap, when, found, k)
                if heap[0] != pick:  # a tie
                    pick = np.int64(heap[0])
                    continue
            drive -= slope[pick] * width
            more = False
            if a < m:
                change = width if state[a] == LOWER else -width
                state[a] = UPPER if state[a] == LOWER else LOWER
                side[a] = -side[a]
                push_at[pushes] = s.tail[a]
                push[pushes] = -s.at[a] * change
                push_at[pushes + 1] = s.head[a]
                push[pushes + 1] = -s.ah[a] * change
                pushes += 2
            else:
                node = np.uint32(a - m)
                push_at[pushes] = node
                push[pushes] = -width if rising else width
                pushes += 1
                p = ptr[node]
                if rising:
                    p += np.uint32(1)
                    end = start[node + np.uint32(1)]
                    while p < end and room[p] <= 0.0:
                        p += np.uint32(1)
                    more = p < end
                    if more:
                        when[pick] = max(0.0, (price[p] - y[node]) / step[node])
                else:
                    p -= np.uint32(1)
                    begin = start[node]
                    while p > begin and room[p - 1] <= 0.0:
                        p -= np.uint32(1)
                    more = p > begin
                    if more:
                        when[pick] = max(0.0, (price[p - 1] - y[node]) / step[node])
                ptr[node] = p
            if not more:
                left -= 1
                heap[0] = heap[left]
            if left > 0:
                sift_down(heap, when, left, 0)
                pick = np.int64(heap[0])
        theta = when[pick]
        for k in range(total):
            i = tree[k]
            y[i] += theta * step[i]

        # 5. the leaving flow goes to its bound
        change = bound - x[q]
        push_at[pushes] = q
        push[pushes] = -mine[q] * change
        pushes += 1
        if old_arc != NONE:
            push_at[pushes] = old_parent
            push[pushes] = -theirs[q] * change
            pushes += 1
            if upper[old_arc] <= lower[old_arc]:
                state[old_arc] = FIXED
            elif up:
                state[old_arc] = UPPER
                side[old_arc] = -1.0
            else:
                state[old_arc] = LOWER
                side[old_arc] = 1.0

        # 6. cut the subtree off
        if old_parent != NONE:
            unlink(child, after, before, q, old_parent)
            if on_cycle:
                c = old_parent
                cyclic[q] = 0
                while c != q:
                    cyclic[c] = 0
                    c = parent[c]
                for k in range(total):
                    size[tree[k]] = 1
                for k in range(total - 1, 0, -1):
                    size[parent[tree[k]]] += size[tree[k]]
            else:
                spread(size, parent, cyclic, old_parent, -total)

        # 7. hang it up again by the entering arc, turning the path from its end to q
        if a < m:
            if step[s.tail[a]] != 0.0:
                u, v = s.tail[a], s.head[a]
                new_mine, new_theirs = s.at[a], s.ah[a]
            else:
                u, v = s.head[a], s.tail[a]
                new_mine, new_theirs = s.ah[a], s.at[a]
            new_arc = a
            new_x = upper[a] if state[a] == UPPER else lower[a]
            new_low, new_high = lower[a], upper[a]
            state[a] = BASIC
            side[a] = 0.0
        else:
            u, v = np.uint32(a - m), NONE
            new_arc, new_mine, new_theirs = NONE, 1.0, 0.0
            if step[u] > 0.0:
                new_x = 0.0
            else:
                ptr[u] -= 1
                new_x = room[ptr[u]]
            new_low, new_high = 0.0, room[ptr[u]]
        closes = v != NONE and step[v] != 0.0
        i, p, below = u, v, 0
        while True:
            next_, next_arc, next_x, next_below = parent[i], own[i], x[i], np.int64(size[i])
            next_mine, next_theirs, next_low, next_high = theirs[i], mine[i], low[i], high[i]
            if i != q:
                unlink(child, after, before, i, next_)
            own[i], parent[i], x[i] = new_arc, p, new_x
            mine[i], theirs[i], low[i], high[i] = new_mine, new_theirs, new_low, new_high
            inverse[i] = 1.0 / new_mine
            ratio[i] = -new_theirs * inverse[i]
            size[i] = total - below
            if p != NONE:
                link(child, after, before, i, p)
            if listed[i] == 0 and (new_x > new_high + tolerance or new_x < new_low - tolerance):
                listed[i] = 1
                suspects[count] = i
                count += 1
            if i == q:
                break
            p, i, below = i, next_, next_below
            new_arc, new_x, new_mine, new_theirs = next_arc, next_x, next_mine, next_theirs
            new_low, new_high = next_low, next_high
        if closes:
            c = u
            while cyclic[c] == 0:
                cyclic[c] = 1
                size[c] = total
                c = parent[c]
        elif v != NONE:
            spread(size, parent, cyclic, v, total)
        for k in range(total):
            step[tree[k]] = 0.0

        # 8. push residuals to the roots
        for k in range(pushes):
            i, amount = push_at[k], push[k]
            while i != NONE and cyclic[i] == 0:
                flow = x[i] + amount * inverse[i]
                x[i] = flow
                if (flow > high[i] + tolerance or flow < low[i] - tolerance) and listed[i] == 0:
                    listed[i] = 1
                    suspects[count] = i
                    count += 1
                amount *= ratio[i]
                i = parent[i]
            if i != NONE:
                gain, c = ratio[i], parent[i]
                while c != i:
                    gain *= ratio[c]
                    c = parent[c]
                amount /= 1.0 - gain
                while True:
                    x[c] += amount * inverse[c]
                    if listed[c] == 0:
                        listed[c] = 1
                        suspects[count] = c
                        count += 1
                    amount *= ratio[c]
                    c = parent[c]
                    if c == i:
                        break


@helper
def spread(size, parent, cyclic, i, change):
    """Add to the subtree sizes on the way to the root."""
    while i != NONE and cyclic[i] == 0:
        size[i] += change
        i = parent[i]
    if i != NONE:
        c = i
        while True:
            size[c] += change
            c = parent[c]
            if c == i:
                break


@helper
def perturb(s, amount):
    """Fixed, uneven costs on the arcs: the golden ratio's multiples, each between 1/2 and 1."""
    part = 0.0
    for a in range(s.sizes[8]):
        part += 0.6180339887498949
        if part >= 1.0:
            part -= 1.0
        s.cost[a] = amount * (0.5 + 0.5 * part)


@helper
def unload(s, generation, cut, flow, storage, flexible, unserved, prices, figures):
    """Primal answer, duals, the objective and its bound."""
    zones, hours, stores, loads, segments = (
        s.sizes[0], s.sizes[2], s.sizes[4], s.sizes[5], s.sizes[6],
    )  # fmt: skip
    objective, bound, turnover, breach = 0.0, 0.0, 0.0, 0.0
    pieces = generation.shape[1] + cut.shape[1]
    for z in range(zones):
        for h in range(hours):
            i = z * hours + h
            y = s.y[i]
            prices[z, h] = y
            bound += s.rhs[i] * y
            turnover += abs(s.rhs[i] * y)
            if pieces == 0:
                continue
            for k in range(s.start[i], s.start[i + 1]):
                if k < s.ptr[i]:
                    value = s.room[k]
                elif k == s.ptr[i] and s.own[i] == NONE:
                    value = s.x[i]
                else:
                    value = 0.0
                bound += min(0.0, s.price[k] - y) * s.room[k]
                objective += s.price[k] * value
                turnover += abs(s.price[k] * value)
                piece = s.origin[k]
                if piece < segments:
                    generation[z, piece, h] = value
                else:
                    cut[z, piece - segments, h] = value
    for f in range(loads):
        i = (zones + stores) * hours + f
        k = s.start[i]
        y = s.y[i]
        if s.own[i] == NONE:
            value = s.x[i]
        else:
            value = s.room[k] if s.ptr[i] > k else 0.0
        unserved[f] = value
        bound += s.rhs[i] * y + min(0.0, s.price[k] - y) * s.room[k]
        objective += s.price[k] * value
        turnover += abs(s.rhs[i] * y) + abs(s.price[k] * value)
    for a in range(s.sizes[8]):
        d = -s.at[a] * s.y[s.tail[a]] - s.ah[a] * s.y[s.head[a]]
        bound += min(d * s.lower[a], d * s.upper[a])
        s.cost[a] = s.upper[a] if s.state[a] == UPPER else s.lower[a]
    for i in range(s.sizes[7]):
        if s.own[i] != NONE:
            s.cost[s.own[i]] = s.x[i]
        breach = max(breach, s.low[i] - s.x[i], s.x[i] - s.high[i])
    a = 0
    for i in range(flow.shape[0]):
        for h in range(hours):
            flow[i, h] = s.cost[a]
            a += 1
    for kind in range(3):
        for i in range(stores):
            for h in range(hours):
                storage[kind, i, h] = s.cost[a]
                a += 1
    for i in range(loads):
        for h in range(hours):
            flexible[i, h] = s.cost[a]
            a += 1
    figures[0] = objective
    figures[1] = bound
    figures[2] = turnover
    figures[3] = breach
    figures[4] = s.scalar[2]


@kernel(
    [
        "int64(int64[::1], uint32[::1], float64[::1], uint32[::1], uint32[::1], boolean, int32[::1],"
        "float64[:, ::1], float64[:, :, ::1], float64[:, :, ::1], float64[:, ::1], float64[:, ::1],"
        "float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
        "float64[:, ::1], float64[::1], float64[:, :, ::1], float64[::1], float64,"
        "float64[:, :, ::1], float64[:, :, ::1], float64[:, ::1], float64[:, :, ::1],"
        "float64[:, ::1], float64[::1], float64[:, ::1],"
        "float64[::1], int64[::1])"
    ],
    allocates=False,
)
def solve(
    sizes, ends, floats, ints, order, is_warm, basis,
    demand, capacity, cost, forward, backward, charge, discharge, store, into, out_of,
    flexible_mw, flexible_mwh, shed, shed_cost, unserved_cost,
    generation, cut, flow, storage, flexible, unserved, prices, figures, counts,
):  # fmt: skip
    """One solve; see `simplex.solve` for what the arguments are."""
    s = carve(sizes, ends, floats, ints)
    load(
        s, order, demand, capacity, cost, forward, backward, charge, discharge, store, into,
        out_of, flexible_mw, flexible_mwh, shed, shed_cost, unserved_cost,
    )  # fmt: skip
    n = sizes[7]
    dearest, typical, largest = s.scalar[0], s.scalar[1], s.scalar[2]
    s.scalar[3] = 1e-11 * largest
    dual = 1e-12 * dearest
    limit = 200 + 20 * n
    counts[0] = 0
    counts[1] = 0
    status = STALLED
    for attempt in range(2):
        # the given basis first; then from scratch
        if attempt == 0 and is_warm:
            if not warm_basis(s, basis):
                cold_basis(s)
        else:
            cold_basis(s)
        perturb(s, 1e-6 * typical)
        build(s)
        for phase in range(6):
            # first with perturbed costs, then with the true ones until nothing moves
            if phase > 0:
                duals(s)
            place(s, dual)
            count = flows(s)
            if phase > 0 and count == 0:
                break
            status, pivots = iterate(s, count, limit)
            counts[0] += pivots
            if phase > 0:
                counts[1] += pivots
            if status != OPTIMAL:
                break
            if phase == 0:
                for a in range(sizes[8]):
                    s.cost[a] = 0.0
        if status == OPTIMAL:
            break
    unload(s, generation, cut, flow, storage, flexible, unserved, prices, figures)
    for i in range(n):
        if s.own[i] != NONE:
            basis[i] = s.own[i]
        else:
            basis[i] = -1 - np.int64(s.origin[s.ptr[i]])
        basis[n + i] = np.int64(s.ptr[i]) - np.int64(s.start[i])
    for a in range(sizes[8]):
        basis[2 * n + a] = s.state[a]
    return status
