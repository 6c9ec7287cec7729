"""One month of the supply graph, compiled: arrivals, orders, production, rationing, delivery. See README.md.

Edges keep the caller's order in every array; ``out`` lists them by supplier in compressed rows, so
that the edges of node i are ``out[first[i]:first[i + 1]]``. Input slots are compressed rows by node too.
"""

from __future__ import annotations

import numpy as np

from ..jit import helper, kernel
from .rules import FLOATS as BASE
from .rules import INTS as TOP
from .rules import (
    CAPACITY,
    EDGE,
    EDGE_SHOCK,
    FIRST_COME,
    INPUT,
    NODE_SHOCK,
    RULE,
    SERVED,
    SHORT,
    judge,
    share_out,
)

FINE, BAD_ORDER, BAD_CANCEL, BAD_FACTOR, BAD_DELAY = 0, 1, 2, 3, 4
OPEN, BINDING, SETTLED = 0, 1, 2
FLOATS, INTS = 4, 4
"""Rows of the workspaces beyond those of `rules`."""


@helper
def scaled(limit, factor, wanted):
    """A limit under a shock; where there is no limit the factor acts on what is wanted."""
    if factor == 0.0:
        return 0.0
    if limit == np.inf:
        return np.inf if factor >= 1.0 else factor * wanted
    return limit * factor


@helper
def arrive(row, edges, pipeline, slot, input_stock, arrived):
    """What is due this month reaches the buyers' inputs."""
    for e in range(edges):
        due = pipeline[row, e]
        arrived[e] = due
        if due != 0.0:
            pipeline[row, e] = 0.0
            if slot[e] >= 0:
                input_stock[slot[e]] += due


@helper
def queue_up(edges, queue_row, orders, cancel, backlog, queue, cancelled):
    """New orders join the queue; cancelled ones leave it, the newest first."""
    ages = queue.shape[1]
    for e in range(edges):
        dropped = min(cancel[e], backlog[e] + orders[e])
        cancelled[e] = dropped
        q = queue_row[e]
        if q < 0:
            backlog[e] = backlog[e] + orders[e] - dropped
            continue
        queue[q, 0] += queue[q, 1]
        for a in range(1, ages - 1):
            queue[q, a] = queue[q, a + 1]
        queue[q, ages - 1] = orders[e]
        for a in range(ages - 1, -1, -1):
            part = min(dropped, queue[q, a])
            queue[q, a] -= part
            dropped -= part
        total = 0.0
        for a in range(ages):
            total += queue[q, a]
        backlog[e] = total


@helper
def shippable(i, first, out, group, backlog, capacity, factor, cap, room, taken):
    """Room of each edge of node i, and what could leave it at most this month."""
    for p in range(first[i], first[i + 1]):
        if group[out[p]] >= 0:
            taken[group[out[p]]] = 0.0
    total = 0.0
    for p in range(first[i], first[i + 1]):
        e = out[p]
        room[e] = min(backlog[e], scaled(capacity[e], factor[e], backlog[e]))
        g = group[e]
        if g >= 0:
            part = min(room[e], max(cap[g] - taken[g], 0.0))
            taken[g] += part
            total += part
        else:
            total += room[e]
    return total


@helper
def produce(i, wanted, slot_first, per_unit, hold, input_stock, capacity, factor, used):
    """What node i makes, and what bound it: (made, bound, number of the slot)."""
    made, bound, which = wanted, SERVED, -1
    limit = scaled(capacity[i], factor[i], wanted)
    if limit < made:
        made, bound = limit, NODE_SHOCK if factor[i] < 1.0 else CAPACITY
    for s in range(slot_first[i], slot_first[i + 1]):
        if per_unit[s] > 0.0:
            reach = input_stock[s] / (per_unit[s] * hold[s])
            if reach < made:
                made, bound, which = reach, INPUT, s
    for s in range(slot_first[i], slot_first[i + 1]):
        used[s] = min(made * per_unit[s], input_stock[s])
        input_stock[s] -= used[s]
    return made, bound, which


@helper
def serve(
    i, first, out, rule, weight, share, tier, group, cap, grouped, room, queue_row, queue, supply,
    granted, limited, f, k,
):  # fmt: skip
    """Ration node i's supply among its edges; what each gets goes to ``granted``."""
    n = 0
    ask, order_weight, order_share, got = f[BASE], f[BASE + 1], f[BASE + 2], f[BASE + 3]
    order_tier, order_group, order_edge, order_limited = k[TOP], k[TOP + 1], k[TOP + 2], k[TOP + 3]
    for p in range(first[i], first[i + 1]):
        e = out[p]
        granted[e] = 0.0
        limited[e] = 0
        if rule[i] == FIRST_COME:
            left = room[e]
            for a in range(queue.shape[1]):
                part = min(left, queue[queue_row[e], a])
                if part > 0.0:
                    ask[n], order_weight[n], order_share[n] = part, weight[e], 0.0
                    order_tier[n], order_group[n], order_edge[n] = a, group[e], e
                    left -= part
                    n += 1
        elif room[e] > 0.0:
            ask[n], order_weight[n], order_share[n] = room[e], weight[e], share[e]
            order_tier[n], order_group[n], order_edge[n] = tier[e], group[e], e
            n += 1
    share_out(
        rule[i], grouped, ask, order_weight, order_share, order_tier, order_group, cap, n, supply,
        got, order_limited, f, k,
    )  # fmt: skip
    for j in range(n):
        granted[order_edge[j]] += got[j]
        if order_limited[j] != 0:
            limited[order_edge[j]] = 1


@helper
def allotments(i, first, out, group, phase, fraction, granted, left, cap):
    """Limits of the groups for node i alone: of a group that binds, its part of what it sent."""
    for p in range(first[i], first[i + 1]):
        g = group[out[p]]
        if g >= 0:
            cap[g] = left[g] if phase[g] == OPEN else 0.0
    for p in range(first[i], first[i + 1]):
        g = group[out[p]]
        if g >= 0 and phase[g] != OPEN:
            cap[g] += granted[out[p]] * (fraction[g] if phase[g] == BINDING else 1.0)


@helper
def ration_level(
    nodes, first, out, rule, weight, share, tier, group, room, queue_row, queue, stock,
    left, taken, cap, phase, fraction, granted, limited, f, k,
):  # fmt: skip
    """Ration all nodes of a level; a limit over several suppliers is split by what each would send.

    What a binding limit frees goes to the supplier's other buyers, which may make another limit
    bind; each round settles one limit at least.
    """
    groups = left.size
    for g in range(groups):
        phase[g] = OPEN
    again = True
    first_round = True
    while again:
        for i in nodes:
            touched = first_round
            for p in range(first[i], first[i + 1]):
                if group[out[p]] >= 0 and phase[group[out[p]]] == BINDING:
                    touched = True
            if touched and first[i + 1] > first[i]:
                if groups:
                    allotments(i, first, out, group, phase, fraction, granted, left, cap)
                serve(
                    i, first, out, rule, weight, share, tier, group, cap, groups > 0, room, queue_row,
                    queue, stock[i], granted, limited, f, k,
                )  # fmt: skip
        again = False
        first_round = False
        if groups:
            for g in range(groups):
                if phase[g] == BINDING:
                    phase[g] = SETTLED
                taken[g] = 0.0
            for i in nodes:
                for p in range(first[i], first[i + 1]):
                    if group[out[p]] >= 0:
                        taken[group[out[p]]] += granted[out[p]]
            for g in range(groups):
                if phase[g] == OPEN and taken[g] > left[g] * (1.0 + SHORT):
                    phase[g] = BINDING
                    fraction[g] = left[g] / taken[g]
                    again = True
    for g in range(groups):
        left[g] = max(left[g] - taken[g], 0.0)


@helper
def dispatch(
    i, month, first, out, rule, slot, lead, edge_delay, node_delay, queue_row, queue, granted,
    stock, backlog, pipeline, input_stock, arrived,
):  # fmt: skip
    """What was granted leaves the stock and the queue, and is on its way."""
    horizon = pipeline.shape[0]
    for p in range(first[i], first[i + 1]):
        e = out[p]
        amount = granted[e]
        if amount <= 0.0:
            continue
        stock[i] -= amount
        if rule[i] == FIRST_COME:
            q, left, total = queue_row[e], amount, 0.0
            for a in range(queue.shape[1]):
                part = min(left, queue[q, a])
                queue[q, a] -= part
                left -= part
                total += queue[q, a]
            backlog[e] = total
        else:
            backlog[e] = max(backlog[e] - amount, 0.0)
        months = lead[e] + edge_delay[e] + node_delay[i]
        if months == 0:
            arrived[e] += amount
            if slot[e] >= 0:
                input_stock[slot[e]] += amount
        else:
            pipeline[(month + months) % horizon, e] += amount
    stock[i] = max(stock[i], 0.0)


@helper
def explain(
    i, first, out, group, asked, room, granted, limited, edge_factor, supply, node_bound, node_which,
    rule, bound, which,
):  # fmt: skip
    """Bound of every edge of node i, with the slot, group or rule that it names."""
    could, given = 0.0, 0.0
    for p in range(first[i], first[i + 1]):
        could += room[out[p]]
        given += granted[out[p]]
    part = given / could if could > 0.0 else 1.0
    scarce = given >= supply * (1.0 - SHORT)
    for p in range(first[i], first[i + 1]):
        e = out[p]
        bound[e], which[e] = SERVED, -1
        if granted[e] >= asked[e] * (1.0 - SHORT):
            continue
        why = judge(room[e], granted[e], limited[e], part, scarce)
        if why == SERVED:
            bound[e] = EDGE_SHOCK if edge_factor[e] < 1.0 else EDGE
        elif why == CAPACITY:
            bound[e] = node_bound[i] if node_bound[i] != SERVED else CAPACITY
            which[e] = node_which[i]
        elif why == RULE:
            bound[e], which[e] = RULE, rule[i]
        else:
            bound[e], which[e] = why, group[e]


@helper
def inspect(
    edges, nodes, horizon, first, out, lead, orders, cancel, node_factor, edge_factor, node_delay, edge_delay
):
    """(kind of the first bad number, its position), or (0, 0)."""
    for e in range(edges):
        if not 0.0 <= orders[e] < np.inf:
            return BAD_ORDER, e
        if not 0.0 <= cancel[e]:
            return BAD_CANCEL, e
        if not 0.0 <= edge_factor[e] < np.inf:
            return BAD_FACTOR, nodes + e
    for i in range(nodes):
        if not 0.0 <= node_factor[i] < np.inf:
            return BAD_FACTOR, i
        for p in range(first[i], first[i + 1]):
            e = out[p]
            if edge_delay[e] < 0 or node_delay[i] < 0 or lead[e] + edge_delay[e] + node_delay[i] >= horizon:
                return BAD_DELAY, e
    return FINE, 0


@kernel(
    [
        "UniTuple(int64, 2)(int64,"
        # levels, level_first, first, out, slot, slot_first, rule, lead, group, queue_row, tier
        "int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1],"
        "int64[::1], int64[::1], int64[::1],"
        # share, hold, lapse
        "float64[::1], float64[::1], boolean[::1],"
        # capacity, edge_capacity, weight, per_unit, target, group_cap
        "float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
        # orders, cancel, node_factor, edge_factor, node_delay, edge_delay
        "float64[::1], float64[::1], float64[::1], float64[::1], int64[::1], int64[::1],"
        # stock, input_stock, backlog, queue, pipeline
        "float64[::1], float64[::1], float64[::1], float64[:, ::1], float64[:, ::1],"
        # by node: wanted, made; by slot: used; by edge: cancelled, asked, granted, lapsed, arrived
        "float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
        "float64[::1],"
        # node_bound, node_which, bound, which
        "int8[::1], int64[::1], int8[::1], int64[::1],"
        # work: room, limited, by group, phase, f, k
        "float64[::1], int8[::1], float64[:, ::1], int64[::1], float64[:, ::1], int64[:, ::1])"
    ],
    allocates=False,
)
def run_month(
    month, levels, level_first, first, out, slot, slot_first, rule, lead, group, queue_row, tier,
    share, hold, lapse, capacity, edge_capacity, weight, per_unit, target, group_cap,
    orders, cancel, node_factor, edge_factor, node_delay, edge_delay,
    stock, input_stock, backlog, queue, pipeline,
    wanted, made, used, cancelled, asked, granted, lapsed, arrived,
    node_bound, node_which, bound, which,
    room, limited, by_group, phase, f, k,
):  # fmt: skip
    """The month in place; (0, 0), or what is wrong with the inputs and where, nothing having moved."""
    nodes, edges, groups = first.size - 1, out.size, group_cap.size
    kind, at = inspect(
        edges, nodes, pipeline.shape[0], first, out, lead, orders, cancel, node_factor, edge_factor,
        node_delay, edge_delay,
    )  # fmt: skip
    if kind != FINE:
        return kind, at
    left, taken, cap, fraction = by_group[0], by_group[1], by_group[2], by_group[3]
    for g in range(groups):
        left[g] = group_cap[g]
    arrive(month % pipeline.shape[0], edges, pipeline, slot, input_stock, arrived)
    queue_up(edges, queue_row, orders, cancel, backlog, queue, cancelled)
    for e in range(edges):
        asked[e] = backlog[e]
    for level in range(level_first.size - 1):
        here = levels[level_first[level] : level_first[level + 1]]
        for i in here:
            goal = shippable(i, first, out, group, backlog, edge_capacity, edge_factor, left, room, taken)
            wanted[i] = max(goal + target[i] - stock[i], 0.0)
            made[i], node_bound[i], node_which[i] = produce(
                i, wanted[i], slot_first, per_unit, hold, input_stock, capacity, node_factor, used
            )
            stock[i] += made[i]
        ration_level(
            here, first, out, rule, weight, share, tier, group, room, queue_row, queue, stock,
            left, taken, cap, phase, fraction, granted, limited, f, k,
        )  # fmt: skip
        for i in here:
            explain(
                i, first, out, group, asked, room, granted, limited, edge_factor, stock[i], node_bound,
                node_which, rule, bound, which,
            )  # fmt: skip
            dispatch(
                i, month, first, out, rule, slot, lead, edge_delay, node_delay, queue_row, queue,
                granted, stock, backlog, pipeline, input_stock, arrived,
            )  # fmt: skip
    for e in range(edges):
        lapsed[e] = 0.0
        if lapse[e]:
            lapsed[e] = backlog[e]
            backlog[e] = 0.0
            if queue_row[e] >= 0:
                for a in range(queue.shape[1]):
                    queue[queue_row[e], a] = 0.0
    return FINE, 0
