"""One compiled solve: the case into the network, a first basis, pivots, the proof, the answer."""

from __future__ import annotations

import numpy as np

from ..jit import helper, kernel
from .pivots import (
    BASIC,
    LOWER,
    NONE,
    OPTIMAL,
    STALLED,
    UPPER,
    build,
    carve,
    find_duals,
    hang,
    iterate,
    plant,
    settle,
)

PERTURBATION = 1e-9  # of an arc, relative to the typical cost: below the differences that matter
PERTURBATION_FLOOR = 20.0  # and of the dual tolerance
DUAL_TOLERANCE = 1e-13  # reduced costs nearer to 0 leave a bound as it is; of the dearest cost
FLOW_TOLERANCE = 1e-11  # a breach of a bound, relative to the largest quantity
BREACH_TOLERANCE = 1e-9  # accepted in an answer, relative to the largest quantity
GOLDEN = 0.6180339887498949


@helper
def load_curves(s, demand, capacity, cost, shed, shed_cost, flexible_mwh, unserved_cost):
    """Right-hand sides, and supply curves sorted by cost."""
    zones, curve, hours = s.sizes[0], s.sizes[1], s.sizes[2]
    stores, loads, segments = s.sizes[4], s.sizes[5], s.sizes[6]
    tiers = shed_cost.size
    duals, curves, order, rhs = s.duals, s.segments, s.order, s.rhs
    origin = s.origin
    hourly = cost.shape[2] == hours and hours > 1
    dearest, total, largest = 0.0, 0.0, 0.0
    p = 0
    for k in range(curve):
        order[k] = k
    for z in range(zones):
        for h in range(hours):
            i = z * hours + h
            rhs[i] = demand[z, h]
            largest = max(largest, abs(rhs[i]))
            duals[i].begin, duals[i].end = p, p + curve
            if h == 0 or hourly:
                c = h if hourly else 0
                if hourly and z > 0:  # mostly the order of the same hour in the zone before
                    for k in range(segments + tiers):
                        order[k] = origin[p + k - hours * curve]
                for k in range(segments + tiers):
                    # insertion into what lies before: one step where the order is as it was
                    piece = np.int64(order[k])
                    if piece < segments:
                        price = cost[z, piece, c]
                        total += abs(price)
                    else:
                        price = shed_cost[piece - segments]
                    dearest = max(dearest, abs(price))
                    j = k
                    while j > 0 and curves[p + j - 1].price > price:
                        curves[p + j].price = curves[p + j - 1].price
                        order[j] = order[j - 1]
                        j -= 1
                    curves[p + j].price = price
                    order[j] = piece
            else:
                for k in range(curve):
                    curves[p + k].price = curves[p + k - curve].price
            for k in range(segments + tiers):
                piece = np.int64(order[k])
                origin[p + k] = piece
                if piece < segments:
                    curves[p + k].room = capacity[z, piece, h]
                else:
                    curves[p + k].room = shed[z, piece - segments, h]
            if segments + tiers == 0:
                curves[p].price, curves[p].room, origin[p] = 0.0, 0.0, 0
            p += curve
    for i in range(zones * hours, (zones + stores) * hours):
        rhs[i] = 0.0
        duals[i].begin, duals[i].end = p, p + 1
        curves[p].price, curves[p].room, origin[p] = 0.0, 0.0, 0
        p += 1
    for f in range(loads):
        i = (zones + stores) * hours + f
        rhs[i] = flexible_mwh[f]
        largest = max(largest, rhs[i])
        duals[i].begin, duals[i].end = p, p + 1
        curves[p].price, curves[p].room, origin[p] = unserved_cost, flexible_mwh[f], 0
        dearest = max(dearest, abs(unserved_cost))
        p += 1
    count = zones * segments * (hours if hourly else 1)
    s.scalar[0] = dearest
    s.scalar[1] = total / count if total > 0.0 else dearest
    s.scalar[2] = largest


@helper
def load_arcs(
    s, ends, demand, forward, backward, charge, discharge, store, into, out_of, flexible_mw
):  # fmt: skip
    """Bounds of the arcs, and their coefficients where the efficiencies are new."""
    zones, hours, lines, stores, loads = (
        s.sizes[0], s.sizes[2], s.sizes[3], s.sizes[4], s.sizes[5],
    )  # fmt: skip
    arcs, duals, incidence = s.arcs, s.duals, s.incidence
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
    for a in range(m):
        arcs[a].tail, arcs[a].head = ends[a], ends[m + a]
    first, arc, other = 2 * m, 2 * m + n + 1, 4 * m + n + 1
    for i in range(n):
        duals[i].first, duals[i].last = ends[first + i], ends[first + i + 1]
        for e in range(ends[first + i], ends[first + i + 1]):
            edge = incidence[e]
            edge.arc, edge.other = ends[arc + e], ends[other + e]
            on = arcs[edge.arc]
            if on.tail == i:
                edge.here, edge.there = on.at, on.ah
            else:
                edge.here, edge.there = on.ah, on.at


@helper
def first_members(s, rows, warm):
    """For each merged line, store and load the first original row of which the basis knows."""
    hours, length = s.sizes[2], warm.size
    member = s.member
    for g in range(s.sizes[3] + s.sizes[4] + s.sizes[5]):
        member[g] = NONE
    begin = length - hours * (rows[0] + 3 * rows[1] + rows[2])  # where the states of arcs begin
    for r in range(rows[0] + rows[1] + rows[2]):
        g = rows[3 + r]
        if g < 0:
            continue
        known = warm[begin + r * hours] >= 0  # of a store: its charge
        if r >= rows[0] + rows[1]:
            known = warm[begin + (r + 2 * rows[1]) * hours] >= 0
            g += s.sizes[3] + s.sizes[4]
        elif r >= rows[0]:
            g += s.sizes[3]
        if known and member[g] == NONE:
            member[g] = r


@helper
def merged_arc(s, rows, arc):
    """Where an arc of the original case went; NONE if it was left out, or is none."""
    hours = s.sizes[2]
    r, h = arc // hours, arc % hours
    lines, stores, loads = rows[0], rows[1], rows[2]
    if r < lines:
        g = rows[3 + r]
        base = 0
    elif r < lines + 3 * stores:
        kind = (r - lines) // stores
        g = rows[3 + lines + (r - lines) % stores]
        base = s.sizes[3] + kind * s.sizes[4]
    elif r < lines + 3 * stores + loads:
        g = rows[3 + r - 2 * stores]
        base = s.sizes[3] + 3 * s.sizes[4]
    else:
        return NONE
    return NONE if g < 0 else np.uint32((base + g) * hours + h)


@helper
def take(s, rows, i, code, pointer):
    """Let node i own what an old basis says, or else a segment of its curve."""
    nodes, duals, arcs = s.nodes, s.duals, s.arcs
    begin, end = np.int64(duals[i].begin), np.int64(duals[i].end)
    k = min(max(begin + pointer, begin), end)
    nodes[i].ptr = k
    if code >= 0:
        a = merged_arc(s, rows, code)
        if a != NONE:
            arc = arcs[a]
            if arc.state != BASIC and arc.tail != arc.head and (arc.tail == i or arc.head == i):
                hang(nodes, arcs, i, a)
                arc.state = BASIC
                return
    k = min(k, end - 1)
    for piece in range(begin, end):
        if s.origin[piece] == -1 - code:
            k = piece
    nodes[i].ptr = k
    plant(nodes, s.segments, i)


@helper
def warm_basis(s, rows, warm):
    """Take over an old basis, as far as it speaks of what is there now."""
    zones, hours, lines, stores, loads = (
        s.sizes[0], s.sizes[2], s.sizes[3], s.sizes[4], s.sizes[5],
    )  # fmt: skip
    nodes, arcs, member = s.nodes, s.arcs, s.member
    n0 = (zones + rows[1]) * hours + rows[2]
    first_members(s, rows, warm)
    a = 0
    for r in range(lines + 3 * stores + loads):
        if r < lines:
            known, origin = member[r], np.int64(member[r])
        elif r < lines + 3 * stores:
            known = member[lines + (r - lines) % stores]
            origin = np.int64(known) + (r - lines) // stores * rows[1]
        else:
            known = member[r - 2 * stores]
            origin = np.int64(known) + 2 * rows[1]
        for h in range(hours):
            arcs[a].state = LOWER
            if known != NONE and warm[2 * n0 + origin * hours + h] == UPPER:
                arcs[a].state = UPPER
            a += 1
    for j in range(zones * hours):
        take(s, rows, np.uint32(j), warm[j], warm[n0 + j])
    for g in range(stores):
        known = member[lines + g]
        soc = (lines + 2 * stores + g) * hours
        for h in range(hours):
            i = np.uint32((zones + g) * hours + h)
            if known != NONE:
                old = (zones + np.int64(known) - rows[0]) * hours + h
                take(s, rows, i, warm[old], warm[n0 + old])
            elif hours == 1:
                take(s, rows, i, -1, 0)
            else:  # new: one chain, tied to its zone in the first hour
                a = soc + h - 1 if h > 0 else (lines + g) * hours
                take(s, rows, i, -1, 0)
                if arcs[a].state != BASIC:
                    hang(nodes, arcs, i, np.uint32(a))
                    arcs[a].state = BASIC
    for f in range(loads):
        known = member[lines + stores + f]
        i = np.uint32((zones + stores) * hours + f)
        if known == NONE:
            take(s, rows, i, -1, 0)
        else:
            old = (zones + rows[1]) * hours + np.int64(known) - rows[0] - rows[1]
            take(s, rows, i, warm[old], warm[n0 + old])


@helper
def save_basis(s, rows, basis):
    """The basis in the rows of the original case; -1 for the state of what was left out."""
    zones, hours, lines, stores = s.sizes[0], s.sizes[2], s.sizes[3], s.sizes[4]
    nodes, duals, member = s.nodes, s.duals, s.member
    lines0, stores0, loads0 = rows[0], rows[1], rows[2]
    n0 = (zones + stores0) * hours + loads0
    for r in range(lines0 + stores0 + loads0 - 1, -1, -1):
        g = rows[3 + r]
        if g >= 0:
            kind = 0 if r < lines0 else lines if r < lines0 + stores0 else lines + stores
            member[kind + g] = r
    for i in range(n0):
        basis[i], basis[n0 + i] = -1, 0
    for i in range(zones * hours):
        node = nodes[i]
        basis[n0 + i] = np.int64(node.ptr) - np.int64(duals[i].begin)
        if node.own == NONE:
            basis[i] = -1 - np.int64(s.origin[node.ptr])
            continue
        row, h = np.int64(node.own) // hours, np.int64(node.own) % hours
        if row < lines:
            row = np.int64(member[row])
        elif row < lines + 3 * stores:
            row = np.int64(member[lines + (row - lines) % stores]) + (row - lines) // stores * stores0
        else:
            row = np.int64(member[row - 2 * stores]) + 2 * stores0
        basis[i] = row * hours + h
    for r in range(lines0):
        for h in range(hours):
            g = rows[3 + r]
            basis[2 * n0 + r * hours + h] = s.arcs[g * hours + h].state if g >= 0 else -1
    for r in range(stores0):
        g = rows[3 + lines0 + r]
        for h in range(hours):
            for kind in range(3):
                a0 = (lines0 + kind * stores0 + r) * hours + h
                a = (lines + kind * stores + g) * hours + h
                basis[2 * n0 + a0] = s.arcs[a].state if g >= 0 else -1
            if g < 0:
                continue
            i0, i = (zones + r) * hours + h, (zones + g) * hours + h
            basis[n0 + i0] = np.int64(nodes[i].ptr) - np.int64(duals[i].begin)
            if nodes[i].own != NONE:
                kind = (np.int64(nodes[i].own) // hours - lines) // stores
                basis[i0] = (lines0 + kind * stores0 + r) * hours + np.int64(nodes[i].own) % hours
    for r in range(loads0):
        g = rows[3 + lines0 + stores0 + r]
        for h in range(hours):
            a0 = (lines0 + 3 * stores0 + r) * hours + h
            basis[2 * n0 + a0] = s.arcs[(lines + 3 * stores + g) * hours + h].state if g >= 0 else -1
        if g >= 0:
            i0, i = (zones + stores0) * hours + r, (zones + stores) * hours + g
            basis[n0 + i0] = np.int64(nodes[i].ptr) - np.int64(duals[i].begin)
            if nodes[i].own != NONE:
                basis[i0] = (lines0 + 3 * stores0 + r) * hours + np.int64(nodes[i].own) % hours


@helper
def cold_basis(s):
    """Zones served by their own marginal segment; stores and flexible loads at a middling hour."""
    zones, hours, lines = s.sizes[0], s.sizes[2], s.sizes[3]
    stores, loads = s.sizes[4], s.sizes[5]
    nodes, duals, arcs, curves = s.nodes, s.duals, s.arcs, s.segments
    for a in range(s.sizes[8]):
        arcs[a].state = LOWER
    for j in range(s.sizes[7]):
        i = np.uint32(j)
        k, last, need = duals[i].begin, duals[i].end - 1, s.rhs[i]
        while k < last and need > curves[k].room:
            need -= curves[k].room
            k += np.uint32(1)
        nodes[i].ptr = k
        plant(nodes, curves, i)
        duals[i].y = curves[k].price
    if hours == 1:
        return
    for j in range(stores + loads):
        link = (lines + j) * hours if j < stores else (lines + 2 * stores + j) * hours
        middle = 0
        for h in range(hours):
            below, here = 0, duals[arcs[link + h].tail].y
            for g in range(hours):
                there = duals[arcs[link + g].tail].y
                if there < here or (there == here and g < h):
                    below += 1
            if below == hours // 2:
                middle = h
        if j < stores:
            node = (zones + j) * hours
            soc = (lines + 2 * stores + j) * hours
            for h in range(hours):
                a = link + h if h == middle else soc + h if h < middle else soc + h - 1
                hang(nodes, arcs, np.uint32(node + h), np.uint32(a))
                arcs[a].state = BASIC
        else:
            node = (zones + stores) * hours + j - stores
            hang(nodes, arcs, np.uint32(node), np.uint32(link + middle))
            arcs[link + middle].state = BASIC


@helper
def perturb(s, amount):
    """Fixed, uneven costs on the arcs: multiples of the golden ratio, each between 1/2 and 1."""
    for a in range(s.sizes[8]):
        part = (a + 1) * GOLDEN
        s.trials[a].cost = amount * (0.5 + 0.5 * (part - np.floor(part)))


@helper
def worst_breach(s):
    """The largest breach of a bound by a basic flow."""
    worst = 0.0
    for i in range(s.sizes[7]):
        node = s.nodes[i]
        worst = max(worst, node.low - node.x, node.x - node.high)
    return worst


@helper
def unload(
    s, rows, ahead, back, store_part, load_part,
    generation, shed, flow, storage, flexible, unserved, price, figures,
):  # fmt: skip
    """The dispatch, its prices, the objective and its bound."""
    zones, hours, stores, loads, segments = (
        s.sizes[0], s.sizes[2], s.sizes[4], s.sizes[5], s.sizes[6],
    )  # fmt: skip
    nodes, duals, arcs, curves = s.nodes, s.duals, s.arcs, s.segments
    objective, bound, turnover = 0.0, 0.0, 0.0
    pieces = segments + shed.shape[1]
    for z in range(zones):
        for h in range(hours):
            i = z * hours + h
            node, dual = nodes[i], duals[i]
            price[z, h] = dual.y
            bound += s.rhs[i] * dual.y
            turnover += abs(s.rhs[i] * dual.y)
            if pieces == 0:
                continue
            for k in range(dual.begin, dual.end):
                amount, c = 0.0, curves[k].price
                if k < node.ptr:
                    amount = curves[k].room
                elif k == node.ptr and node.own == NONE:
                    amount = node.x
                bound += min(0.0, c - dual.y) * curves[k].room
                objective += c * amount
                turnover += abs(c * amount)
                piece = s.origin[k]
                if piece < segments:
                    generation[z, piece, h] = amount
                else:
                    shed[z, piece - segments, h] = amount
    for f in range(loads):
        i = (zones + stores) * hours + f
        node, dual = nodes[i], duals[i]
        c, room = curves[dual.begin].price, curves[dual.begin].room
        amount = node.x if node.own == NONE else room if node.ptr > dual.begin else 0.0
        s.residual[f] = amount
        bound += s.rhs[i] * dual.y + min(0.0, c - dual.y) * room
        objective += c * amount
        turnover += abs(s.rhs[i] * dual.y) + abs(c * amount)
    for i in range(s.sizes[7]):
        node = nodes[i]
        if node.own != NONE:
            s.trials[node.own].cost = node.x
    for a in range(s.sizes[8]):
        arc = arcs[a]
        d = -arc.at * duals[arc.tail].y - arc.ah * duals[arc.head].y
        bound += min(d * arc.lower, d * arc.upper)
        if arc.state != BASIC:
            s.trials[a].cost = arc.upper if arc.state == UPPER else arc.lower
    # each original row has its part
    lines, lines0, stores0, loads0 = s.sizes[3], rows[0], rows[1], rows[2]
    for r in range(lines0):
        g = rows[3 + r]
        for h in range(hours):
            value = s.trials[g * hours + h].cost if g >= 0 else 0.0
            part = ahead if value > 0.0 else back
            flow[r, h] = value * part[r, h if part.shape[1] > 1 else 0]
    for r in range(stores0):
        g = rows[3 + lines0 + r]
        for kind in range(3):
            for h in range(hours):
                value = s.trials[(lines + kind * stores + g) * hours + h].cost if g >= 0 else 0.0
                storage[kind * stores0 + r, h] = value * store_part[r, 0]
    for r in range(loads0):
        g = rows[3 + lines0 + stores0 + r]
        unserved[r] = s.residual[g] * load_part[r, 0] if g >= 0 else 0.0
        for h in range(hours):
            value = s.trials[(lines + 3 * stores + g) * hours + h].cost if g >= 0 else 0.0
            flexible[r, h] = value * load_part[r, 0]
    # a little of the largest cost possible, so that an objective of 0 can be proved
    turnover += 1e-3 * s.scalar[0] * s.scalar[2]
    figures[0], figures[1], figures[2], figures[3] = objective, bound, turnover, worst_breach(s)
    figures[4] = s.scalar[2]


@kernel(
    [
        "int64(int64[::1], uint32[::1], float64[::1], uint32[::1], int64[::1],"
        "float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], boolean, int32[::1],"
        "float64[:, ::1], float64[:, :, ::1], float64[:, :, ::1], float64[:, ::1], float64[:, ::1],"
        "float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
        "float64[:, ::1], float64[::1], float64[:, :, ::1], float64[::1], float64,"
        "float64[:, :, ::1], float64[:, :, ::1], float64[:, ::1], float64[:, ::1],"
        "float64[:, ::1], float64[::1], float64[:, ::1], float64[::1], int64[::1])"
    ],
    allocates=False,
)
def solve(
    sizes, ends, floats, ints, rows, ahead, back, store_part, load_part, is_warm, basis,
    demand, capacity, cost, forward, backward, charge, discharge, store, into, out_of,
    flexible_mw, flexible_mwh, shed_mw, shed_cost, unserved_cost,
    generation, shed, flow, storage, flexible, unserved, price, figures, counts,
):  # fmt: skip
    """Solve one case; the arrays of the last line and `basis` are written.

    `rows` and `basis` speak of the lines, stores and loads of the case before `merge`. `figures`:
    objective, bound, turnover, largest breach, largest quantity. `counts`: pivots, of these after
    the perturbation was removed, cold restarts. Returns a status.
    """
    s = carve(sizes, ends, floats, ints)
    load_curves(s, demand, capacity, cost, shed_mw, shed_cost, flexible_mwh, unserved_cost)
    load_arcs(
        s, ends, demand, forward, backward, charge, discharge, store, into, out_of, flexible_mw
    )  # fmt: skip
    n, m = sizes[7], sizes[8]
    s.scalar[3] = FLOW_TOLERANCE * s.scalar[2]
    dual_tolerance = DUAL_TOLERANCE * s.scalar[0]
    limit = 200 + 20 * n
    counts[:] = 0
    status = STALLED
    for attempt in range(2):
        # the given basis first; then from scratch
        if attempt == 0 and is_warm:
            warm_basis(s, rows, basis)
        else:
            counts[2] += attempt
            cold_basis(s)
        perturb(s, max(PERTURBATION * s.scalar[1], PERTURBATION_FLOOR * dual_tolerance))
        build(s)
        for phase in range(6):
            # with perturbed costs, then with the true ones until nothing moves
            if phase > 0:
                find_duals(s)
            count = settle(s, dual_tolerance)
            if phase > 0 and count == 0:
                break
            status, pivots = iterate(s, count, limit)
            counts[0] += pivots
            if phase > 0:
                counts[1] += pivots
            if status != OPTIMAL:
                # where cycles have almost no gain, rounding alone can look like a shortage
                settle(s, dual_tolerance)
                if worst_breach(s) > BREACH_TOLERANCE * s.scalar[2]:
                    break
                status = OPTIMAL
                if phase > 0:
                    break
            if phase == 0:
                for a in range(m):
                    s.trials[a].cost = 0.0
        if status == OPTIMAL:
            break
    unload(
        s, rows, ahead, back, store_part, load_part,
        generation, shed, flow, storage, flexible, unserved, price, figures,
    )  # fmt: skip
    save_basis(s, rows, basis)
    return status
