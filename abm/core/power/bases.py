"""First bases, from an old one or from nothing, and the basis that is kept, compiled."""

from __future__ import annotations

import numpy as np

from ..jit import helper
from .forest import hang, plant
from .workspace import BASIC, LOWER, NONE, UPPER


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
    begin = np.int64(nodes[i].begin)
    end = begin + np.int64(s.filled[i])
    k = min(max(begin + pointer, begin), end)
    nodes[i].ptr = k
    if code >= 0:
        a = merged_arc(s, rows, code)
        if a != NONE:
            arc = arcs[a]
            if arc.state != BASIC and arc.tail != arc.head and (arc.tail == i or arc.head == i):
                hang(nodes, duals, arcs, i, a)
                arc.state = BASIC
                return
    k = max(min(k, end - 1), begin)
    for piece in range(begin, end):
        if s.origin[piece] == -1 - code:
            k = piece
    nodes[i].ptr = k
    plant(nodes, duals, s.segments, i)


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
        if known == NONE:
            for _ in range(hours):
                arcs[a].state = LOWER
                a += 1
            continue
        for h in range(hours):
            arcs[a].state = np.uint32(warm[2 * n0 + origin * hours + h] == UPPER)
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
                    hang(nodes, s.duals, arcs, i, np.uint32(a))
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
    nodes, member = s.nodes, s.member
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
        basis[n0 + i] = np.int64(node.ptr) - np.int64(node.begin)
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
            basis[n0 + i0] = np.int64(nodes[i].ptr) - np.int64(nodes[i].begin)
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
            basis[n0 + i0] = np.int64(nodes[i].ptr) - np.int64(nodes[i].begin)
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
        k, need = nodes[i].begin, s.rhs[i]
        while curves[k + 1].room > 0.0 and need > curves[k].room:
            need -= curves[k].room
            k += np.uint32(1)
        nodes[i].ptr = k
        plant(nodes, duals, curves, i)
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
                hang(nodes, duals, arcs, np.uint32(node + h), np.uint32(a))
                arcs[a].state = BASIC
        else:
            node = (zones + stores) * hours + j - stores
            hang(nodes, duals, arcs, np.uint32(node), np.uint32(link + middle))
            arcs[link + middle].state = BASIC
