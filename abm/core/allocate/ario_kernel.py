"""The steps of ARIO around the month, compiled. See `ario.py` and README.md."""

from __future__ import annotations

import numpy as np

from ..jit import helper, kernel
from .kernel import run_month

DUST = 1e-12
"""Of a demand; scarcity below it is rounding."""


@helper
def place_orders(
    sales, local, output, supplier, slot, slot_node, per_unit, held, restock_steps, demand, capacity, made,
    input_stock, granted, part, at_slot, ease, ratio, orders,
):  # fmt: skip
    """Orders for the next step: what was used, and part of the gap to the inventory that output calls for."""
    for i in range(output.size):
        # Sellers are weighed by the capacity they have left; without that, by their part at equilibrium.
        ratio[i] = capacity[i] / output[i] if local else 1.0
    held_now, weight, order = at_slot[0], at_slot[1], at_slot[2]
    for s in range(slot_node.size):
        held_now[s] = input_stock[s]
        weight[s] = 0.0
    for e in range(sales):
        at = np.uint64(slot[e])
        ease[e] = part[e] * ratio[np.uint64(supplier[e])]
        held_now[at] += granted[e]
        weight[at] += ease[e]
    for s in range(slot_node.size):
        i = slot_node[s]
        goal = min(demand[i], capacity[i]) * per_unit[s] * held[s]
        order[s] = made[i] * per_unit[s] + max(goal - held_now[s], 0.0) / restock_steps
    for e in range(sales):
        at = np.uint64(slot[e])
        orders[e] = order[at] * (ease[e] / weight[at] if weight[at] > 0.0 else part[e])


@helper
def adapt(demand, made, stretch_most, stretch_steps, stretch):
    """Overproduction grows with scarcity and fades without."""
    for i in range(stretch.size):
        scarcity = (demand[i] - made[i]) / demand[i] if demand[i] > 0.0 else 0.0
        if scarcity > DUST:
            stretch[i] += (stretch_most - stretch[i]) * scarcity / stretch_steps
        else:
            stretch[i] += (1.0 - stretch[i]) / stretch_steps


@kernel(
    [
        # steps, sales, local, lagged; levels, level_first, first, out, supplier, buyer, slot, slot_node, slot_first,
        # rule, lead, group, queue_row, tier
        "void(int64, int64, boolean, boolean,"
        "int64[::1], int64[::1], int64[::1], uint64[::1], int64[::1], int64[::1], int64[::1], int64[::1],"
        "int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1],"
        # share, hold, lapse, per_unit, target
        "float64[::1], float64[::1], boolean[::1], float64[::1], float64[::1],"
        # output, table_orders, part, held, lost, wanted, destroyed, at, begin, whole, rebuild_share
        "float64[::1], float64[::1], float64[::1], float64[::1], float64[:, ::1], float64[:, ::1],"
        "float64[::1], int64, int64, float64[::1], float64[::1],"
        # rebuild_steps, stretch_most, stretch_steps, restock_steps
        "float64, float64, float64, float64,"
        # stock, input_stock, backlog, queue, pipeline, f, k, path, inventory
        "float64[::1], float64[::1], float64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1],"
        "int64[:, ::1], float64[:, :, ::1], float64[:, ::1])"
    ]
)
def run_ario(
    steps, sales, local, lagged, levels, level_first, first, out, supplier, buyer, slot, slot_node, slot_first,
    rule, lead, group, queue_row, tier, share, hold, lapse, per_unit, target,
    output, table_orders, part, held, lost, wanted, destroyed, at, begin, whole, rebuild_share,
    rebuild_steps, stretch_most, stretch_steps, restock_steps,
    stock, input_stock, backlog, queue, pipeline, f, k, path, inventory,
):  # fmt: skip
    """Fill ``path`` (made, demand, capacity, delivered, unmet, stretch, damage) and ``inventory`` by slot."""
    n, edges, slots = output.size, out.size, slot_node.size
    unit_node, unit_edge = np.ones(n + 1), np.ones(edges)
    no_node, no_edge = np.zeros(n + 1, np.int64), np.zeros(edges, np.int64)
    unlimited, nothing, no_cap = np.full(edges, np.inf), np.zeros(edges), np.empty(0)
    capacity = np.zeros(n + 1)
    orders, flows = np.zeros(edges), np.empty((6, edges))
    by_node, used, at_slot = np.zeros((3, n + 1)), np.empty(slots), np.empty((3, slots))
    node_bound, node_which = np.empty(n + 1, np.int8), np.empty(n + 1, np.int64)
    bound, which, limited = np.empty(edges, np.int8), np.empty(edges, np.int64), np.empty(edges, np.int8)
    by_group, phase = np.empty((4, 0)), np.empty(0, np.int64)
    stretch, demand = np.ones(n), np.zeros(n)
    rebuild = np.zeros((n, n))
    damage = np.zeros(n)
    granted, ease = flows[2], flows[5]
    for e in range(sales):
        orders[e] = table_orders[e]
    for t in range(steps):
        if t == at:
            for i in range(n):
                for j in range(n):
                    rebuild[i, j] = rebuild_share[i] * destroyed[j]
        for j in range(n):
            damage[j] = 0.0
        for i in range(n):
            left = 0.0
            for j in range(n):
                left += rebuild[i, j]
                damage[j] += rebuild[i, j]
            orders[sales + i] = wanted[t, i]
            orders[sales + n + i] = left / rebuild_steps if t >= begin else 0.0
            demand[i] = 0.0
        for e in range(edges):
            demand[np.uint64(supplier[e])] += orders[e]
        if lagged and t > 1:
            adapt(demand, by_node[1], stretch_most, stretch_steps, stretch)
        for i in range(n):
            destroyed_part = damage[i] / whole[i] if whole[i] > 0.0 else 0.0
            capacity[i] = output[i] * max(1.0 - max(destroyed_part, lost[t, i]), 0.0) * stretch[i]
            path[5, t, i], path[6, t, i] = stretch[i], damage[i]
        # Rationing in proportion to orders: orders are their own weights.
        run_month(
            t, levels, level_first, first, out, slot, slot_first, rule, lead, group, queue_row, tier,
            share, hold, lapse, capacity, unlimited, orders, per_unit, target, no_cap,
            orders, nothing, unit_node, unit_edge, no_node, no_edge,
            stock, input_stock, backlog, queue, pipeline,
            by_node[2], by_node[0], by_node[1], used, flows[0], flows[1], granted, flows[3], flows[4],
            node_bound, node_which, bound, which, ease, limited, by_group, phase, f, k,
        )  # fmt: skip
        made = by_node[1]
        for i in range(n):
            got = granted[sales + i]
            path[0, t, i], path[1, t, i], path[2, t, i] = made[i], demand[i], capacity[i]
            path[3, t, i], path[4, t, i] = got, wanted[t, i] - got
            asked = orders[sales + n + i]
            if asked > 0.0:
                # Of every order for rebuilding the same part was met.
                done = granted[sales + n + i] / asked / rebuild_steps
                for j in range(n):
                    rebuild[i, j] -= rebuild[i, j] * done
        for s in range(slots):
            inventory[t, s] = input_stock[s] + used[s]
        place_orders(
            sales, local, output, supplier, slot, slot_node, per_unit, held, restock_steps, demand, capacity,
            made, input_stock, granted, part, at_slot, ease, by_node[0], orders,
        )  # fmt: skip
        if not lagged:
            adapt(demand, made, stretch_most, stretch_steps, stretch)
