"""Trees, duals, flows and pivots of the dual simplex on the network, compiled. See README.md."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..jit import helper
from .network import ARC, CANDIDATE, DUAL, INCIDENCE, NODE, PUSH, SEGMENT, TRIAL

OPTIMAL, INFEASIBLE, STALLED = 0, 1, 2
LOWER, UPPER, BASIC, FIXED = np.uint32(0), np.uint32(1), np.uint32(2), np.uint32(3)
NONE = np.uint32(0xFFFFFFFF)  # no node, no arc; indices are unsigned, which spares a test each
ONE = np.uint32(1)
WINDOW = 128  # suspects looked at for a leaving flow, in turn
LINEAR_PASSES = 4  # breakpoints found by scanning before a heap pays


class State(NamedTuple):
    """Views into the workspace: n nodes, M arcs, P segments."""

    sizes: Any
    nodes: Any
    duals: Any
    arcs: Any
    trials: Any
    incidence: Any
    segments: Any
    candidates: Any
    pushes: Any
    residual: Any
    rhs: Any
    gains: Any  # efficiencies of which the coefficients were made
    scalar: Any  # dearest cost, typical cost, largest quantity, flow tolerance, set up, stores
    suspects: Any  # nodes whose flow may break a bound
    tree: Any  # the subtree of a pivot, or all nodes, parents first
    heap: Any
    origin: Any  # which supply segment or shed tier a segment is
    order: Any
    member: Any  # first original row of each merged line, store and load


@helper
def carve(sizes, ends, floats, ints):
    """The workspace as named arrays."""
    n, m, p = sizes[7], sizes[8], sizes[9]
    f = 0
    nodes = floats[f : f + 8 * n].view(NODE)
    f += 8 * n
    duals = floats[f : f + 6 * n].view(DUAL)
    f += 6 * n
    arcs = floats[f : f + 6 * m].view(ARC)
    f += 6 * m
    trials = floats[f : f + 2 * m].view(TRIAL)
    f += 2 * m
    incidence = floats[f : f + 6 * m].view(INCIDENCE)
    f += 6 * m
    segments = floats[f : f + 2 * p].view(SEGMENT)
    f += 2 * p
    candidates = floats[f : f + 3 * (m + n)].view(CANDIDATE)
    f += 3 * (m + n)
    pushes = floats[f : f + 2 * (2 * m + p + n + 8)].view(PUSH)
    f += 2 * (2 * m + p + n + 8)
    residual = floats[f : f + n]
    f += n
    rhs = floats[f : f + n]
    f += n
    gains = floats[f : f + 2 * sizes[4]]
    f += 2 * sizes[4]
    scalar = floats[f : f + 8]
    i = 0
    suspects = ints[i : i + n + 1]
    i += n + 1
    tree = ints[i : i + n]
    i += n
    heap = ints[i : i + m + n]
    i += m + n
    origin = ints[i : i + p]
    i += p
    order = ints[i : i + sizes[1]]
    i += sizes[1]
    member = ints[i : i + sizes[3] + sizes[4] + sizes[5]]
    return State(
        sizes, nodes, duals, arcs, trials, incidence, segments, candidates, pushes, residual,
        rhs, gains, scalar, suspects, tree, heap, origin, order, member,
    )  # fmt: skip


@helper
def hang(nodes, arcs, i, arc):
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
    node.low, node.high = a.lower, a.upper
    return parent


@helper
def plant(nodes, segments, i):
    """Make node i a root, served by the segment it points at."""
    node = nodes[i]
    node.own, node.parent = NONE, NONE
    node.inverse, node.ratio = 1.0, 0.0
    node.low, node.high = 0.0, segments[node.ptr].room


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
            total += gain * s.trials[node.own].cost * node.inverse
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
            node.ptr = min(node.ptr, duals[i].end - ONE)
            plant(nodes, s.segments, i)
            duals[i].y = s.segments[node.ptr].price
        else:
            duals[i].y = total / (1.0 - gain)
        count = grow(s, i, count)


@helper
def grow(s, top, count):
    """Order and duals below a node, which gets mark 3 (on a cycle) or 1."""
    nodes, duals, trials, tree = s.nodes, s.duals, s.trials, s.tree
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
                node = nodes[c]
                below.y = trials[node.own].cost * node.inverse + node.ratio * y
                below.mark = 1
                tree[count] = c
                count += 1
            c = below.after
    return count


@helper
def settle(s, tolerance):
    """Put what is nonbasic at the bound that its reduced cost asks for, and compute basic flows.

    At a reduced cost of about zero the old bound is kept. Returns the number of suspects.
    """
    n = s.sizes[7]
    nodes, duals, arcs, trials = s.nodes, s.duals, s.arcs, s.trials
    segments, residual = s.segments, s.residual
    for i in range(n):
        node, dual = nodes[i], duals[i]
        k, y = node.ptr, dual.y
        if node.own != NONE:
            while k < dual.end and segments[k].price < y - tolerance:
                k += ONE
            while k > dual.begin and segments[k - 1].price > y + tolerance:
                k -= ONE
            node.ptr = k
        total = s.rhs[i]
        for piece in range(dual.begin, k):
            total -= segments[piece].room
        residual[i] = total
    for j in range(s.sizes[8]):
        # by sums and products: which arcs are where cannot be foreseen, and a wrong guess costs
        # more than the whole computation
        a = arcs[j]
        trial = trials[j]
        lower, upper, state = a.lower, a.upper, a.state
        d = trial.cost - a.at * duals[a.tail].y - a.ah * duals[a.head].y
        basic = np.uint32(state == BASIC)
        fixed = np.uint32(upper <= lower)
        high = np.uint32((d < -tolerance) | ((state == UPPER) & (d <= tolerance)))
        a.state = basic * BASIC + (ONE - basic) * (fixed * FIXED + (ONE - fixed) * high)
        part = np.float64(high)
        trial.side = (1.0 - 2.0 * part) * np.float64((ONE - basic) * (ONE - fixed))
        value = (upper * part + lower * (1.0 - part)) * np.float64(ONE - basic)
        residual[a.tail] -= a.at * value
        residual[a.head] -= a.ah * value
    for k in range(n - 1, -1, -1):
        i = s.tree[k]
        node = nodes[i]
        if duals[i].mark == 3:
            amount = residual[i] / (1.0 - gain_of(nodes, i))
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
            node.x = residual[i] * node.inverse
            if node.parent != NONE:
                residual[node.parent] += node.ratio * residual[i]
    tolerance = s.scalar[3]
    count = 0
    for i in range(n):
        node = nodes[i]
        node.listed = 0
        if node.x > node.high + tolerance or node.x < node.low - tolerance:
            node.listed = 1
            s.suspects[count] = i
            count += 1
    return count


@helper
def sift_down(heap, candidates, count, k):
    """Restore the heap, ordered by `when`, below place k."""
    item = heap[k]
    key = candidates[item].when
    while True:
        c = 2 * k + 1
        if c >= count:
            break
        soonest = candidates[heap[c]].when
        if c + 1 < count:
            other = candidates[heap[c + 1]].when
            if other < soonest:
                soonest = other
                c += 1
        if soonest >= key:
            break
        heap[k] = heap[c]
        k = c
    heap[k] = item


@helper
def iterate(s, count, limit):
    """Pivot until no flow breaks its bound; returns (status, pivots)."""
    nodes, duals, arcs, trials, incidence = s.nodes, s.duals, s.arcs, s.trials, s.incidence
    segments, candidates, pushes = s.segments, s.candidates, s.pushes
    suspects, tree, heap = s.suspects, s.tree, s.heap
    m = np.uint32(s.sizes[8])
    tolerance = s.scalar[3]
    pivots, turn = 0, 0
    while True:
        # 1. the leaving flow: the largest breach, measured along the edge it moves on
        best, q, seen = 0.0, NONE, 0
        while seen < WINDOW and seen < count:
            if turn >= count:
                turn = 0
            i = suspects[turn]
            node = nodes[i]
            breach = max(node.x - node.high, node.low - node.x)
            if breach <= tolerance:
                node.listed = 0
                count -= 1
                suspects[turn] = suspects[count]
                continue
            turn += 1
            seen += 1
            score = breach * breach / node.size
            if score > best:
                best, q = score, i
        if q == NONE:
            return OPTIMAL, pivots
        if pivots >= limit:
            return STALLED, pivots
        pivots += 1
        leaving = nodes[q]
        up = leaving.x > leaving.high
        drive = leaving.x - leaving.high if up else leaving.low - leaving.x
        bound = leaving.high if up else leaving.low
        old_arc, old_parent, on_cycle = leaving.own, leaving.parent, leaving.cyclic == 1
        # by what the rows at both ends change when the leaving flow goes to its bound
        shift = (leaving.x - bound) / leaving.inverse
        shift_parent = -leaving.ratio * shift

        # 2. the row of the basis inverse: duals move in the subtree below q alone
        duals[q].step = leaving.inverse if up else -leaving.inverse
        tree[0] = q
        total = 1
        k = 0
        while k < total:
            dual = duals[tree[k]]
            k += 1
            step, c = dual.step, dual.child
            while c != NONE:
                below = duals[c]
                if c != q:
                    below.step = nodes[c].ratio * step
                    tree[total] = c
                    total += 1
                c = below.after
        if on_cycle:
            # B' step = e_q: the arc of q joins two moving nodes
            scale = 1.0 / (1.0 - leaving.ratio * duals[old_parent].step / duals[q].step)
            for k in range(total):
                duals[tree[k]].step *= scale
        if old_arc == NONE and up:
            leaving.ptr += ONE

        # 3. candidates: arcs that leave the subtree, and each curve's next segment
        found, pick, soonest = 0, 0, np.inf
        for k in range(total):
            i = tree[k]
            dual = duals[i]
            di, yi = dual.step, dual.y
            for e in range(dual.first, dual.last):
                edge = incidence[e]
                other = duals[edge.other]
                trial = trials[edge.arc]
                alpha = edge.here * di
                rounding = 1e-10 * abs(alpha)
                alpha += edge.there * other.step
                if trial.side * alpha > rounding and (other.step == 0.0 or i < edge.other):
                    d = trial.cost - edge.here * yi - edge.there * other.y
                    t = max(0.0, d / alpha)
                    candidate = candidates[found]
                    candidate.when = t
                    candidate.slope = abs(alpha)
                    candidate.which = edge.arc
                    if t < soonest:
                        soonest, pick = t, found
                    found += 1
            node = nodes[i]
            p = node.ptr
            if di > 0.0:
                while p < dual.end and segments[p].room <= 0.0:
                    p += ONE
                more, price = p < dual.end, segments[p].price if p < dual.end else 0.0
            else:
                while p > dual.begin and segments[p - ONE].room <= 0.0:
                    p -= ONE
                more, price = p > dual.begin, segments[p - ONE].price if p > dual.begin else 0.0
            node.ptr = p
            if more:
                t = max(0.0, (price - yi) / di)
                candidate = candidates[found]
                candidate.when = t
                candidate.slope = abs(di)
                candidate.which = m + i
                if t < soonest:
                    soonest, pick = t, found
                found += 1

        # 4. pass breakpoints while the dual objective still rises
        pushed, passes, entering, last_ptr, theta = 0, 0, NONE, NONE, 0.0
        while True:
            if found == 0:
                if pushed == 0 or drive > tolerance:
                    return INFEASIBLE, pivots
                # all was needed, to the last digit: the last breakpoint enters after all
                if entering < m:
                    pushed -= 2
                    a = arcs[entering]
                    a.state = UPPER if a.state == LOWER else LOWER
                    trials[entering].side = -trials[entering].side
                else:
                    pushed -= 1
                    nodes[np.uint32(entering - m)].ptr = last_ptr
                break
            candidate = candidates[pick]
            entering, slope = candidate.which, candidate.slope
            theta = candidate.when
            more = False
            if entering < m:
                a = arcs[entering]
                width = a.upper - a.lower
                if drive <= slope * (width + tolerance):
                    break
                change = width
                if a.state == LOWER:
                    a.state = UPPER
                else:
                    a.state = LOWER
                    change = -width
                trials[entering].side = -trials[entering].side
                push = pushes[pushed]
                push.at, push.amount = a.tail, -a.at * change
                push = pushes[pushed + 1]
                push.at, push.amount = a.head, -a.ah * change
                pushed += 2
            else:
                i = np.uint32(entering - m)
                node, dual = nodes[i], duals[i]
                p = node.ptr
                last_ptr = p
                rising = dual.step > 0.0
                width = segments[p].room if rising else segments[p - ONE].room
                if drive <= slope * (width + tolerance):
                    break
                push = pushes[pushed]
                push.at, push.amount = i, -width if rising else width
                pushed += 1
                if rising:
                    p += ONE
                    while p < dual.end and segments[p].room <= 0.0:
                        p += ONE
                    more = p < dual.end
                    if more:
                        candidate.when = max(0.0, (segments[p].price - dual.y) / dual.step)
                else:
                    p -= ONE
                    while p > dual.begin and segments[p - ONE].room <= 0.0:
                        p -= ONE
                    more = p > dual.begin
                    if more:
                        candidate.when = max(0.0, (segments[p - ONE].price - dual.y) / dual.step)
                node.ptr = p
            drive -= slope * width
            if passes < LINEAR_PASSES:
                if not more:
                    found -= 1
                    last = candidates[found]
                    candidate.when, candidate.slope = last.when, last.slope
                    candidate.which = last.which
                passes += 1
                if passes < LINEAR_PASSES:
                    soonest, pick = np.inf, 0
                    for k in range(found):
                        t = candidates[k].when
                        if t < soonest:
                            soonest, pick = t, k
                    continue
                for k in range(found):
                    heap[k] = k
                for k in range(found // 2 - 1, -1, -1):
                    sift_down(heap, candidates, found, k)
            else:
                if not more:
                    found -= 1
                    heap[0] = heap[found]
                if found > 0:
                    sift_down(heap, candidates, found, 0)
            pick = int(heap[0])

        # 5. cut the subtree off, the leaving flow at its bound
        if old_arc != NONE:
            a = arcs[old_arc]
            if a.upper <= a.lower:
                a.state = FIXED
            elif up:
                a.state = UPPER
                trials[old_arc].side = -1.0
            else:
                a.state = LOWER
                trials[old_arc].side = 1.0
            unlink(duals, q, old_parent)
            if on_cycle:
                leaving.cyclic = 0
                leaving.size = 1
                c = old_parent
                while c != q:
                    nodes[c].cyclic = 0
                    c = nodes[c].parent
                for k in range(total):
                    nodes[tree[k]].size = 1
                for k in range(total - 1, 0, -1):
                    node = nodes[tree[k]]
                    nodes[node.parent].size += node.size

        # 6. hang it up again by the entering arc, turning the path from its end u to q
        if entering < m:
            a = arcs[entering]
            u = a.tail if duals[a.tail].step != 0.0 else a.head
            flow = a.upper if a.state == UPPER else a.lower
            a.state = BASIC
            trials[entering].side = 0.0
            carried = entering
        else:
            u, carried = np.uint32(entering - m), NONE
            flow = 0.0
            if duals[u].step < 0.0:
                nodes[u].ptr -= ONE
                flow = segments[nodes[u].ptr].room
        i, above = u, np.uint32(0)
        while True:
            node = nodes[i]
            next_, next_arc, next_flow, next_size = node.parent, node.own, node.x, node.size
            if i != q:
                unlink(duals, i, next_)
            if carried == NONE:
                plant(nodes, segments, i)
            else:
                link(duals, i, hang(nodes, arcs, i, carried))
            node.x = flow
            node.size = np.uint32(total) - above
            if node.listed == 0:
                node.listed = 1
                suspects[count] = i
                count += 1
            if i == q:
                break
            above = next_size
            i, carried, flow = next_, next_arc, next_flow
        v = nodes[u].parent
        closes = v != NONE and duals[v].step != 0.0
        if closes:
            c = u
            while nodes[c].cyclic == 0:
                nodes[c].cyclic = 1
                nodes[c].size = np.uint32(total)
                c = nodes[c].parent
        for k in range(total):
            dual = duals[tree[k]]
            dual.y += theta * dual.step
            dual.step = 0.0

        # 7. push what changed at a node to its root; all from the subtree passes through u
        gathered = 0.0
        fewer = np.uint32(0) if on_cycle else np.uint32(total)
        for k in range(pushed + 3):
            less, greater = np.uint32(0), np.uint32(0)
            if k < pushed:
                i, amount = pushes[k].at, pushes[k].amount
            elif k == pushed:
                i, amount = q, shift
            elif k == pushed + 1:
                i, amount, less = old_parent, shift_parent, fewer
            else:
                if closes:
                    break
                i, amount = u, gathered
                node = nodes[i]
                node.x += amount * node.inverse
                amount *= node.ratio
                i, greater = node.parent, np.uint32(total)
            while i != NONE:
                node = nodes[i]
                if node.cyclic == 1:
                    amount /= 1.0 - gain_of(nodes, i)
                    c = i
                    while True:
                        node = nodes[c]
                        node.x += amount * node.inverse
                        node.size += greater - less
                        if node.listed == 0:
                            node.listed = 1
                            suspects[count] = c
                            count += 1
                        amount *= node.ratio
                        c = node.parent
                        if c == i:
                            break
                    break
                if i == u and not closes:
                    gathered += amount
                    break
                node.x += amount * node.inverse
                node.size += greater - less
                amount *= node.ratio
                broken = (node.x > node.high + tolerance) | (node.x < node.low - tolerance)
                if broken & (node.listed == 0):
                    node.listed = 1
                    suspects[count] = i
                    count += 1
                i = node.parent
