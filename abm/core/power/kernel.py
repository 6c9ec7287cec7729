"""One compiled solve: the case into the network, a first basis, pivots, the proof, the answer."""

from __future__ import annotations

import numpy as np

from ..jit import helper, kernel
from .bases import cold_basis, save_basis, warm_basis
from .forest import build, find_duals, settle
from .loading import load_arcs, load_curves
from .pivots import enlist_all, iterate
from .workspace import NONE, OPTIMAL, STALLED, carve

PERTURBATION = 1e-9  # of an arc, relative to the typical cost: below the differences that matter
PERTURBATION_FLOOR = 20.0  # and of the dual tolerance
DUAL_TOLERANCE = 1e-13  # reduced costs nearer to 0 leave a bound as it is; of the dearest cost
FLOW_TOLERANCE = 1e-11  # a breach of a bound, relative to the largest quantity
BREACH_TOLERANCE = 1e-9  # accepted in an answer, relative to the largest quantity


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
    nodes, duals, curves, bar = s.nodes, s.duals, s.segments, np.uint64(s.sizes[6])
    objective, bound, turnover = 0.0, s.scalar[6], 0.0
    pieces = segments + shed.shape[1]
    for z in range(zones):
        for h in range(hours):
            i = z * hours + h
            node, y, p = nodes[i], duals[i].y, np.uint64(nodes[i].ptr)
            price[z, h] = y
            bound += s.rhs[i] * y
            turnover += abs(s.rhs[i] * y)
            if pieces == 0:
                continue
            begin = np.uint64(node.begin)
            end = begin + np.uint64(pieces)
            filled = begin + np.uint64(s.filled[i])
            for k in range(begin, end):
                room, piece = curves[k].room if k < p else 0.0, np.uint64(s.origin[k])
                if piece < bar:
                    generation[z, piece, h] = room
                else:
                    shed[z, piece - bar, h] = room
            for k in range(begin, filled):
                c, room = curves[k].price, curves[k].room
                bound += min(0.0, c - y) * room
                value = c * room if k < p else 0.0
                objective += value
                turnover += abs(value)
            if node.own == NONE:
                c, piece = curves[p].price, np.uint64(s.origin[p])
                objective += c * node.x
                turnover += abs(c * node.x)
                if piece < bar:
                    generation[z, piece, h] = node.x
                else:
                    shed[z, piece - bar, h] = node.x
    for f in range(loads):
        i = (zones + stores) * hours + f
        node, dual = nodes[i], duals[i]
        c, room = curves[node.begin].price, curves[node.begin].room
        amount = node.x if node.own == NONE else room if node.ptr > node.begin else 0.0
        s.residual[f] = amount
        bound += s.rhs[i] * dual.y + min(0.0, c - dual.y) * room
        objective += c * amount
        turnover += abs(s.rhs[i] * dual.y) + abs(c * amount)
    for i in range(s.sizes[7]):
        node = nodes[i]
        if node.own != NONE:
            s.values[node.own] = node.x
    # each original row has its part
    lines, lines0, stores0, loads0 = s.sizes[3], rows[0], rows[1], rows[2]
    for r in range(lines0):
        g = rows[3 + r]
        for h in range(hours):
            value = s.values[g * hours + h] if g >= 0 else 0.0
            part = ahead if value > 0.0 else back
            flow[r, h] = value * part[r, h if part.shape[1] > 1 else 0]
    for r in range(stores0):
        g = rows[3 + lines0 + r]
        for kind in range(3):
            for h in range(hours):
                value = s.values[(lines + kind * stores + g) * hours + h] if g >= 0 else 0.0
                storage[kind * stores0 + r, h] = value * store_part[r, 0]
    for r in range(loads0):
        g = rows[3 + lines0 + stores0 + r]
        unserved[r] = s.residual[g] * load_part[r, 0] if g >= 0 else 0.0
        for h in range(hours):
            value = s.values[(lines + 3 * stores + g) * hours + h] if g >= 0 else 0.0
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
        "float64[:, ::1], float64[::1], float64[:, :, ::1], float64[::1], float64, float64, float64,"
        "float64[:, :, ::1], float64[:, :, ::1], float64[:, ::1], float64[:, ::1],"
        "float64[:, ::1], float64[::1], float64[:, ::1], float64[::1], int64[::1])"
    ],
    allocates=False,
)
def solve(
    sizes, ends, floats, ints, rows, ahead, back, store_part, load_part, is_warm, basis,
    demand, capacity, cost, forward, backward, charge, discharge, store, into, out_of,
    flexible_mw, flexible_mwh, shed_mw, shed_cost, unserved_cost, dearest, typical,
    generation, shed, flow, storage, flexible, unserved, price, figures, counts,
):  # fmt: skip
    """Solve one case; the arrays of the last line and `basis` are written.

    `rows` and `basis` speak of the lines, stores and loads of the case before `merge`. `dearest`
    and `typical` are the case's `price_level`. `figures`:
    objective, bound, turnover, largest breach, largest quantity. `counts`: pivots, of these after
    the perturbation was removed, cold restarts. Returns a status.
    """
    s = carve(sizes, ends, floats, ints)
    s.scalar[0], s.scalar[1] = dearest, typical
    load_curves(s, demand, capacity, cost, shed_mw, shed_cost, flexible_mwh, unserved_cost)
    load_arcs(
        s, ends, demand, forward, backward, charge, discharge, store, into, out_of, flexible_mw
    )  # fmt: skip
    n = sizes[7]
    s.scalar[3] = FLOW_TOLERANCE * s.scalar[2]
    dual_tolerance = DUAL_TOLERANCE * s.scalar[0]
    limit = 200 + 20 * n
    counts[:] = 0
    status, settled = STALLED, False
    for attempt in range(2):
        # the given basis first; then from scratch
        if attempt == 0 and is_warm:
            warm_basis(s, rows, basis)
        else:
            counts[2] += attempt
            cold_basis(s)
        s.scalar[5] = max(PERTURBATION * s.scalar[1], PERTURBATION_FLOOR * dual_tolerance)
        build(s)
        for phase in range(6):
            # with perturbed costs, then with the true ones until nothing moves
            if phase > 0:
                find_duals(s)
            count = settle(s, dual_tolerance)
            settled = True
            if phase > 0 and count == 0:
                break
            settled = False
            enlist_all(s)
            status, pivots = iterate(s, limit)
            counts[0] += pivots
            if phase > 0:
                counts[1] += pivots
            if status != OPTIMAL:
                # where cycles have almost no gain, rounding alone can look like a shortage
                find_duals(s)  # pivots leave no order behind in which flows could be computed
                settle(s, dual_tolerance)
                settled = True
                if worst_breach(s) > BREACH_TOLERANCE * s.scalar[2]:
                    break
                status = OPTIMAL
                if phase > 0:
                    break
            s.scalar[5] = 0.0
        if status == OPTIMAL:
            break
    if not settled:
        find_duals(s)
        settle(s, dual_tolerance)
    unload(
        s, rows, ahead, back, store_part, load_part,
        generation, shed, flow, storage, flexible, unserved, price, figures,
    )  # fmt: skip
    save_basis(s, rows, basis)
    return status
