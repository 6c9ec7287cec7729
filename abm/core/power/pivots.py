"""Pivots of the dual simplex on the network, compiled. See README.md, section 4."""

from __future__ import annotations

import numpy as np

from ..jit import helper
from .forest import INDEX, hang, key_of, link, look_around, plant, unlink
from .pushes import MANY, push, push_many
from .workspace import BASIC, FIXED, INFEASIBLE, LOWER, NONE, ONE, OPTIMAL, STALLED, UPPER

ZERO = np.uint32(0)
NEVER = np.float64(np.inf).view(np.int64)  # the bits of numbers from 0 up are in their order
LINEAR_PASSES = 6  # breakpoints found by scanning before a heap pays


@helper
def enlist_all(s):
    """The lists of arcs that may enter, from the sides of the arcs alone."""
    arcs, duals, incidence = s.arcs, s.duals, s.incidence
    for i in range(s.sizes[7]):
        duals[i].last = duals[i].first
    for j in range(s.sizes[8]):
        if arcs[j].side != 0:
            enlist(arcs, duals, incidence, np.uint32(j), arcs[j].side)


@helper
def enlist(arcs, duals, incidence, arc, side):
    """Add an arc to the lists of those that may enter, of both its ends."""
    a = arcs[arc]
    a.side = np.int32(side)
    s = np.float64(side)
    a.at_tail, a.at_head = duals[a.tail].last, duals[a.head].last
    near, far = incidence[a.at_tail], incidence[a.at_head]
    near.here, near.there, near.unit, near.arc, near.other = s * a.at, s * a.ah, s * a.unit, arc, a.head
    far.here, far.there, far.unit, far.arc, far.other = s * a.ah, s * a.at, s * a.unit, arc, a.tail
    duals[a.tail].last += ONE
    duals[a.head].last += ONE


@helper
def strike(arcs, duals, incidence, arc):
    """Take an arc off the lists of those that may enter."""
    a = arcs[arc]
    a.side = np.int32(0)
    drop(arcs, duals, incidence, a.tail, a.at_tail)
    drop(arcs, duals, incidence, a.head, a.at_head)


@helper
def drop(arcs, duals, incidence, i, place):
    """Fill a place in the list of node i with the last of the list."""
    duals[i].last -= ONE
    free, moved = incidence[place], incidence[duals[i].last]
    free.here, free.there, free.unit = moved.here, moved.there, moved.unit
    free.arc, free.other = moved.arc, moved.other
    if arcs[moved.arc].tail == i:
        arcs[moved.arc].at_tail = place
    else:
        arcs[moved.arc].at_head = place


@helper
def flip(arcs, incidence, arc):
    """Move an arc to its other bound, in the lists too."""
    a = arcs[arc]
    a.state = ONE - a.state
    a.side = -a.side
    near, far = incidence[a.at_tail], incidence[a.at_head]
    near.here, near.there, near.unit = -near.here, -near.there, -near.unit
    far.here, far.there, far.unit = -far.here, -far.there, -far.unit


@helper
def sift_down(heap, steps, count, k):
    """Restore the heap, ordered by `steps`, which stand in the same order, below place k."""
    item, step = heap[k], steps[k]
    while True:
        c = 2 * k + 1
        if c >= count:
            break
        # the sooner of two children; `steps` ends with a NEVER. Which it is cannot be foreseen.
        c += np.int64(steps[c + 1] < steps[c])
        if steps[c] >= step:
            break
        heap[k], steps[k] = heap[c], steps[c]
        k = c
    heap[k], steps[k] = item, step


@helper
def iterate(s, limit):
    """Pivot until no flow breaks its bound; returns (status, pivots)."""
    nodes, duals, arcs, incidence, segments = s.nodes, s.duals, s.arcs, s.incidence, s.segments
    when, instant, slope, which, pushes = s.when, s.instant, s.slope, s.which, s.pushes
    keys, tree, heap, steps = s.keys, s.tree, s.heap, s.steps
    n, m = s.sizes[7], np.uint32(s.sizes[8])
    tolerance, scale = s.scalar[3], s.scalar[5]
    pivots = 0
    while True:
        # 1. the leaving flow: the largest breach, measured along the edge it moves on
        best = np.int64(0)
        for j in range(n):
            best = max(best, keys[j])
        if best == 0:
            return OPTIMAL, pivots
        if pivots >= limit:
            return STALLED, pivots
        q = np.uint32(best & INDEX)
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
                    below.step = below.ratio * step
                    tree[total] = c
                    total += 1
                c = below.after
        if on_cycle:
            # B' step = e_q: the arc of q joins two moving nodes
            times = 1.0 / (1.0 - leaving.ratio * duals[old_parent].step / duals[q].step)
            for k in range(total):
                duals[tree[k]].step *= times
        if old_arc == NONE:
            if up:
                leaving.ptr += ONE
            look_around(nodes, duals, segments, q)

        # 3. candidates: arcs that leave the subtree, and each curve's next segment. Which are some
        # cannot be foreseen, so all are written and only the place of the next one depends on it.
        place = np.uint64(0)
        for k in range(total):
            i = tree[k]
            dual = duals[i]
            step, y = dual.step, dual.y
            for e in range(dual.first, dual.last):
                edge = incidence[e]
                other = duals[edge.other]
                mine, theirs = edge.here * step, other.step
                alpha = mine + edge.there * theirs
                when[place] = scale * edge.unit - edge.here * y - edge.there * other.y
                slope[place] = alpha
                which[place] = edge.arc
                # an arc within the subtree is seen from both ends, and counts once
                again = (abs(theirs) > 0.0) & (i > edge.other)
                place += np.uint64((alpha > 1e-10 * abs(mine)) & (not again))
            price = dual.up if step > 0.0 else dual.down
            when[place] = abs(price - y) if (price - y) * step > 0.0 else 0.0
            slope[place] = abs(step)
            which[place] = m + i
            place += np.uint64(abs(price) < np.inf)
        found = np.int64(place)
        for k in range(found):
            t = when[k] / slope[k]
            when[k] = t if t > 0.0 else 0.0

        # 4. pass breakpoints while the dual objective still rises
        pushed, passes, entering, last_ptr, theta = 0, 0, NONE, NONE, 0.0
        while True:
            if passes < LINEAR_PASSES:
                soonest = NEVER
                for k in range(found):
                    soonest = min(soonest, instant[k])
                pick = np.int64(0)
                if soonest < NEVER:
                    while instant[pick] != soonest:
                        pick += 1
            else:
                if passes == LINEAR_PASSES:
                    for k in range(found):
                        heap[k], steps[k] = k, instant[k]
                    steps[found] = NEVER
                    for k in range(found // 2 - 1, -1, -1):
                        sift_down(heap, steps, found, k)
                else:
                    steps[0] = instant[heap[0]]
                    sift_down(heap, steps, found, 0)
                pick = np.int64(heap[0])
                soonest = instant[pick]
            if found == 0 or soonest >= NEVER:
                if pushed == 0 or drive > tolerance:
                    for k in range(total):
                        duals[tree[k]].step = 0.0
                    if old_arc == NONE and up:
                        leaving.ptr -= ONE
                    return INFEASIBLE, pivots
                # all was needed, to the last digit: the last breakpoint enters after all
                if entering < m:
                    pushed -= 2
                    flip(arcs, incidence, entering)
                else:
                    pushed -= 1
                    nodes[np.uint32(entering - m)].ptr = last_ptr
                break
            passes += 1
            entering, steep, theta = which[pick], slope[pick], when[pick]
            when[pick] = np.inf
            if entering < m:
                a = arcs[entering]
                width = a.upper - a.lower
                if drive <= steep * (width + tolerance):
                    break
                change = width * np.float64(a.side)
                flip(arcs, incidence, entering)
                shove = pushes[pushed]
                shove.at, shove.amount = a.tail, -a.at * change
                shove = pushes[pushed + 1]
                shove.at, shove.amount = a.head, -a.ah * change
                pushed += 2
            else:
                i = np.uint32(entering - m)
                node, dual = nodes[i], duals[i]
                p = node.ptr
                last_ptr = p
                rising = dual.step > 0.0
                width = segments[p].room if rising else segments[p - ONE].room
                if drive <= steep * (width + tolerance):
                    break
                shove = pushes[pushed]
                shove.at, shove.amount = i, -width if rising else width
                pushed += 1
                node.ptr = p + ONE if rising else p - ONE
                look_around(nodes, duals, segments, i)
                price = dual.up if rising else dual.down
                if abs(price) < np.inf:
                    when[pick] = max(0.0, (price - dual.y) / dual.step)
            drive -= steep * width

        # 5. cut the subtree off, the leaving flow at its bound
        if old_arc != NONE:
            a = arcs[old_arc]
            if a.upper <= a.lower:
                a.state = FIXED
            elif up:
                a.state = UPPER
                enlist(arcs, duals, incidence, old_arc, -1)
            else:
                a.state = LOWER
                enlist(arcs, duals, incidence, old_arc, 1)
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
            strike(arcs, duals, incidence, entering)
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
                plant(nodes, duals, segments, i)
            else:
                link(duals, i, hang(nodes, duals, arcs, i, carried))
            node.x = flow
            node.size = np.uint32(total) - above
            keys[i] = key_of(node, i, tolerance)
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
        stop = NONE if closes else u
        if pushed < MANY:
            gathered = 0.0
            for k in range(pushed):
                gathered += push(s, pushes[k].at, pushes[k].amount, ZERO, stop, tolerance)
        else:
            gathered = push_many(s, pushed, stop, tolerance)
        gathered += push(s, q, shift, ZERO, stop, tolerance)
        fewer = ZERO if on_cycle else np.uint32(-total)
        gathered += push(s, old_parent, shift_parent, fewer, stop, tolerance)
        if not closes:
            node = nodes[u]
            node.x += gathered * node.inverse
            keys[u] = key_of(node, u, tolerance)
            push(s, v, gathered * node.ratio, np.uint32(total), NONE, tolerance)
