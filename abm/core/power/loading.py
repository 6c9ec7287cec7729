"""A case into the network: right-hand sides, supply curves, bounds and coefficients, compiled."""

from __future__ import annotations

import numpy as np

from ..jit import helper

GOLDEN = 0.6180339887498949


@helper
def price_level(cost, shed_cost, unserved_cost):
    """The dearest cost, and what supply costs on average: 0 counts as the dearest."""
    dearest, total = abs(unserved_cost), 0.0
    for price in shed_cost:
        dearest = max(dearest, abs(price))
    for price in cost.reshape(cost.size):
        dearest = max(dearest, abs(price))
        total += abs(price)
    return dearest, total / cost.size if total > 0.0 else dearest


@helper
def load_curves(s, demand, capacity, cost, shed, shed_cost, flexible_mwh, unserved_cost):
    """Right-hand sides, and supply curves sorted by cost, what is empty behind the rest."""
    zones, curve, hours = s.sizes[0], s.sizes[1], s.sizes[2]
    stores, segments, tiers = s.sizes[4], s.sizes[6], shed_cost.size
    nodes, curves, rhs = s.nodes, s.segments, s.rhs
    origin, order, below = s.origin, s.order, s.below
    hourly, pieces, bar, one = cost.shape[2] > 1, segments + tiers, np.uint64(segments), np.uint64(1)
    largest = 0.0
    for k in range(curve):
        order[k] = k
    curves[0].price, curves[0].room = -np.inf, 0.0
    p = np.uint64(1)
    for z in range(zones):
        for h in range(hours):
            i = z * hours + h
            rhs[i] = demand[z, h]
            largest = max(largest, abs(rhs[i]))
            nodes[i].begin = p
            front, back = p, p + np.uint64(pieces) - one
            curves[p].price, curves[p].room, origin[p] = 0.0, 0.0, 0
            for k in range(pieces):
                piece = np.uint64(order[k])
                if piece < bar:
                    price, room = cost[z, piece, h if hourly else 0], capacity[z, piece, h]
                else:
                    price, room = shed_cost[piece - bar], shed[z, piece - bar, h]
                at = back
                if room > 0.0:
                    # insertion into what lies before: no step where the order is as it was
                    at = front
                    front += one
                    while curves[at - one].price > price or (
                        curves[at - one].price == price and origin[at - one] > piece
                    ):
                        curves[at].price, curves[at].room = curves[at - one].price, curves[at - one].room
                        origin[at] = origin[at - one]
                        at -= one
                else:
                    back -= one
                curves[at].price, curves[at].room, origin[at] = price, room, piece
            for k in range(pieces):
                order[k] = origin[p + np.uint64(k)]
            sum_ = 0.0
            for k in range(p, front):
                below[k] = sum_
                sum_ += curves[k].room
            below[front] = sum_
            s.filled[i] = front - p
            p += np.uint64(curve)
            curves[p].price, curves[p].room = -np.inf, 0.0
            p += one
    for i in range(zones * hours, s.sizes[7]):
        f = i - (zones + stores) * hours
        nodes[i].begin = p
        curves[p].price, curves[p].room, origin[p] = 0.0, 0.0, 0
        curves[p + one].price, curves[p + one].room = 0.0, 0.0
        below[p], below[p + one] = 0.0, 0.0
        rhs[i], s.filled[i] = 0.0, 0
        if f >= 0:
            rhs[i] = flexible_mwh[f]
            largest = max(largest, rhs[i])
            curves[p].price, curves[p].room = unserved_cost, flexible_mwh[f]
            below[p + one] = flexible_mwh[f]
            s.filled[i] = flexible_mwh[f] > 0.0
        p += np.uint64(2)
    s.scalar[2] = largest


@helper
def load_arcs(
    s, ends, demand, forward, backward, charge, discharge, store, into, out_of, flexible_mw
):  # fmt: skip
    """Bounds of the arcs, and their coefficients where the efficiencies are new."""
    zones, hours, lines, stores, loads = (
        s.sizes[0], s.sizes[2], s.sizes[3], s.sizes[4], s.sizes[5],
    )  # fmt: skip
    arcs, duals = s.arcs, s.duals
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
            arcs[a].lower, arcs[a].upper = -back, ahead
            a += 1
    largest = s.scalar[2]
    for kind in range(3):
        for i in range(stores):
            limit = charge[i] if kind == 0 else discharge[i] if kind == 1 else store[i]
            largest = max(largest, limit)
            if kind == 2 and hours == 1:
                limit = 0.0
            for _ in range(hours):
                arcs[a].lower, arcs[a].upper = 0.0, limit
                a += 1
    for i in range(loads):
        for h in range(hours):
            arcs[a].lower, arcs[a].upper = 0.0, flexible_mw[i, h]
            a += 1
    s.scalar[2] = largest

    same = s.scalar[4] == 1.0
    for i in range(stores):
        same = same and s.gains[2 * i] == into[i] and s.gains[2 * i + 1] == out_of[i]
    if same:
        return
    s.scalar[4] = 1.0
    n, m = s.sizes[7], s.sizes[8]
    a = 0
    for _ in range(lines * hours):
        arcs[a].at, arcs[a].ah = -1.0, 1.0
        a += 1
    for i in range(stores):
        s.gains[2 * i], s.gains[2 * i + 1] = into[i], out_of[i]
        for _ in range(hours):
            b, c = a + stores * hours, a + 2 * stores * hours
            arcs[a].at, arcs[a].ah = -1.0, -into[i]
            arcs[b].at, arcs[b].ah = 1.0, 1.0 / out_of[i]
            arcs[c].at, arcs[c].ah = 1.0, -1.0
            a += 1
    a += 2 * stores * hours
    for _ in range(loads * hours):
        arcs[a].at, arcs[a].ah = -1.0, 1.0
        a += 1
    for j in range(m):
        a, part = arcs[j], (j + 1) * GOLDEN
        a.tail, a.head = ends[j], ends[m + j]
        a.unit = 0.5 + 0.5 * (part - np.floor(part))
    for i in range(n):
        duals[i].first = ends[2 * m + i]
