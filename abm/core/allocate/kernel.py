"""One month of the supply graph, compiled: arrivals, orders, production, rationing, delivery. See README.md.

Edges keep the caller's order in every array; ``out`` lists those in use by supplier in compressed rows, so
that the edges of node i are ``out[first[i]:first[i + 1]]``; it is unsigned, which spares the test for an
index that counts from the end. Input slots are compressed rows by node too.
"""

from __future__ import annotations

import numpy as np

from ..jit import helper, kernel
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
from .rules import FLOATS as BASE
from .rules import INTS as TOP

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
def open_month(
    row, out, pipeline, slot, input_stock, queue_row, orders, cancel, backlog, queue, edge_capacity, edge_factor,
    arrived, cancelled, asked, room, bound, which,
):  # fmt: skip
    """What is due arrives, orders join the queues, cancelled ones leave; and the room of each edge."""
    for e in out:
        due = pipeline[row, e]
        arrived[e] = due
        if due != 0.0:
            pipeline[row, e] = 0.0
            if slot[e] >= 0:
                input_stock[np.uint64(slot[e])] += due
        waiting = backlog[e] + orders[e]
        dropped = min(cancel[e], waiting)
        cancelled[e] = dropped
        waiting -= dropped
        if queue_row[e] >= 0:
            waiting = age(queue[queue_row[e]], orders[e], dropped)
        backlog[e] = waiting
        asked[e] = waiting
        room[e] = min(waiting, scaled(edge_capacity[e], edge_factor[e], waiting))
        bound[e], which[e] = SERVED, -1


@helper
def age(queue, ordered, dropped):
    """Orders are a month older; what is cancelled is the newest. Returns what waits."""
    ages = queue.size
    queue[0] += queue[1]
    for a in range(1, ages - 1):
        queue[a] = queue[a + 1]
    queue[ages - 1] = ordered
    total = 0.0
    for a in range(ages - 1, -1, -1):
        part = min(dropped, queue[a])
        queue[a] -= part
        dropped -= part
        total += queue[a]
    return total


@helper
def shippable(i, first, out, group, room, cap, taken):
    """What could leave node i this month, and the most of it that the limits on groups allow."""
    could, may = 0.0, 0.0
    for p in range(first[i], first[i + 1]):
        could += room[out[p]]
    if cap.size == 0:
        return could, could
    for p in range(first[i], first[i + 1]):
        if group[out[p]] >= 0:
            taken[group[out[p]]] = 0.0
    for p in range(first[i], first[i + 1]):
        part = room[out[p]]
        g = group[out[p]]
        if g >= 0:
            part = min(part, max(cap[g] - taken[g], 0.0))
            taken[g] += part
        may += part
    return could, may


@helper
def produce(i, wanted, slot_first, per_unit, hold, input_stock, capacity, factor, used):
    """What node i makes, and what bound it: (made, bound, number of the slot)."""
    made, bound, which = wanted, SERVED, -1
    limit = scaled(capacity[i], factor[i], wanted)
    if limit < made:
        made, bound = limit, NODE_SHOCK if factor[i] < 1.0 else CAPACITY
    for s in range(slot_first[i], slot_first[i + 1]):
        if per_unit[s] > 0.0 and input_stock[s] < made * (per_unit[s] * hold[s]):
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
    if not grouped:
        could = 0.0
        for p in range(first[i], first[i + 1]):
            could += room[out[p]]
        if could <= supply:
            for p in range(first[i], first[i + 1]):
                granted[out[p]] = room[out[p]]
                limited[out[p]] = 0
            return
    n = 0
    ask, order_weight, order_share, got = f[BASE], f[BASE + 1], f[BASE + 2], f[BASE + 3]
    order_tier, order_group, order_edge, order_limited = k[TOP], k[TOP + 1], k[TOP + 2], k[TOP + 3]
    if rule[i] == FIRST_COME:
        for p in range(first[i], first[i + 1]):
            granted[out[p]] = room[out[p]]
        sure = 0.0
        for a in range(queue.shape[1]):
            # Once older orders take all there is, younger ones need not be looked at.
            if sure > supply and not grouped:
                break
            for p in range(first[i], first[i + 1]):
                e = out[p]
                part = min(granted[e], queue[queue_row[e], a])
                if part > 0.0:
                    ask[n], order_weight[n], order_share[n] = part, weight[e], 0.0
                    order_tier[n], order_group[n], order_edge[n] = a, group[e], e
                    granted[e] -= part
                    if weight[e] > 0.0:
                        sure += part
                    n += 1
    else:
        for p in range(first[i], first[i + 1]):
            e = out[p]
            if room[e] > 0.0:
                ask[n], order_weight[n], order_share[n] = room[e], weight[e], share[e]
                order_tier[n], order_group[n], order_edge[n] = tier[e], group[e], e
                n += 1
    share_out(
        rule[i], grouped, ask, order_weight, order_share, order_tier, order_group, cap, n, supply,
        got, order_limited, f, k,
    )  # fmt: skip
    for p in range(first[i], first[i + 1]):
        granted[out[p]] = 0.0
        limited[out[p]] = 0
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
            if not touched:
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
    i, now, first, out, rule, group, slot, lead, edge_delay, node_delay, lapse, queue_row, queue, asked,
    room, granted, limited, edge_factor, could, node_bound, node_which, stock, backlog, pipeline, input_stock,
    arrived, lapsed, bound, which,
):  # fmt: skip
    """What was granted leaves the stock and the queue and is on its way; what was not says why."""
    horizon = pipeline.shape[0]
    given = 0.0
    for p in range(first[i], first[i + 1]):
        given += granted[out[p]]
    part = given / could if could > 0.0 else 1.0
    stock[i] = max(stock[i] - given, 0.0)
    for p in range(first[i], first[i + 1]):
        e = out[p]
        amount = granted[e]
        if amount < asked[e] * (1.0 - SHORT):
            why = judge(room[e], amount, limited[e], part)
            if why == SERVED:
                bound[e] = EDGE_SHOCK if edge_factor[e] < 1.0 else EDGE
            elif why == CAPACITY:
                bound[e] = node_bound[i] if node_bound[i] != SERVED else CAPACITY
                which[e] = node_which[i]
            elif why == RULE:
                bound[e], which[e] = RULE, rule[i]
            else:
                bound[e], which[e] = why, group[e]
        left = max(backlog[e] - amount, 0.0)
        if queue_row[e] >= 0:
            left = leave(queue[queue_row[e]], amount, lapse[e])
        lapsed[e] = left if lapse[e] else 0.0
        backlog[e] = 0.0 if lapse[e] else left
        if amount > 0.0:
            months = lead[e] + edge_delay[e] + node_delay[i]
            if months == 0:
                arrived[e] += amount
                if slot[e] >= 0:
                    input_stock[np.uint64(slot[e])] += amount
            else:
                row = now + months
                pipeline[row if row < horizon else row - horizon, e] += amount


@helper
def leave(queue, amount, lapse):
    """The oldest orders that ``amount`` meets leave the queue, all of them where the rest lapses."""
    left = 0.0
    for a in range(queue.size):
        part = min(amount, queue[a])
        amount -= part
        left += queue[a] - part
        queue[a] = 0.0 if lapse else queue[a] - part
    return left


@helper
def inspect(
    horizon, first, out, lead, orders, cancel, node_factor, edge_factor, node_delay, edge_delay
):  # fmt: skip
    """(kind of the first bad number, its position), or (0, 0)."""
    nodes = first.size - 1
    longest, good = 0, True
    for i in range(nodes):
        if not 0.0 <= node_factor[i] < np.inf:
            return BAD_FACTOR, i
        good &= node_delay[i] >= 0
        longest = max(longest, node_delay[i])
    for e in out:
        if not 0.0 <= orders[e] < np.inf:
            return BAD_ORDER, np.int64(e)
        if not cancel[e] >= 0.0:
            return BAD_CANCEL, np.int64(e)
        if not 0.0 <= edge_factor[e] < np.inf:
            return BAD_FACTOR, nodes + np.int64(e)
        good &= edge_delay[e] >= 0 and lead[e] + edge_delay[e] + longest < horizon
    if good:
        return FINE, 0
    for i in range(nodes):
        for p in range(first[i], first[i + 1]):
            e = out[p]
            if edge_delay[e] < 0 or node_delay[i] < 0 or lead[e] + edge_delay[e] + node_delay[i] >= horizon:
                return BAD_DELAY, np.int64(e)
    return FINE, 0


@kernel(
    [
        "UniTuple(int64, 2)(int64,"
        # levels, level_first, first, out, slot, slot_first, rule, lead, group, queue_row, tier
        "int64[::1], int64[::1], int64[::1], uint64[::1], int64[::1], int64[::1], int64[::1], int64[::1],"
        "int64[::1], int64[::1], int64[::1],"
        # share, hold, lapse
        "float64[::1], float64[::1], boolean[::1],"
        # capacity, edge_capacity, weight, per_unit, target, group_cap
        "float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
        # orders, cancel, node_factor, edge_factor, node_delay, edge_delay
        "float64[::1], float64[::1], float64[::1], float64[::1], int64[::1], int64[::1],"
        # stock, input_stock, backlog, queue, pipeline
        "float64[::1], float64[::1], float64[::1], float64[:, ::1], float64[:, ::1],"
        # by node: could, wanted, made; by slot: used; by edge: cancelled, asked, granted, lapsed, arrived
        "float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
        "float64[::1], float64[::1],"
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
    could, wanted, made, used, cancelled, asked, granted, lapsed, arrived,
    node_bound, node_which, bound, which,
    room, limited, by_group, phase, f, k,
):  # fmt: skip
    """The month in place; (0, 0), or what is wrong with the inputs and where, nothing having moved."""
    horizon = pipeline.shape[0]
    kind, at = inspect(
        horizon, first, out, lead, orders, cancel, node_factor, edge_factor, node_delay, edge_delay
    )
    if kind != FINE:
        return kind, at
    now = month % horizon
    left, taken, cap, fraction = by_group[0], by_group[1], by_group[2], by_group[3]
    for g in range(group_cap.size):
        left[g] = group_cap[g]
    open_month(
        now, out, pipeline, slot, input_stock, queue_row, orders, cancel, backlog, queue, edge_capacity,
        edge_factor, arrived, cancelled, asked, room, bound, which,
    )  # fmt: skip
    for level in range(level_first.size - 1):
        here = levels[level_first[level] : level_first[level + 1]]
        for i in here:
            could[i], may = shippable(i, first, out, group, room, left, taken)
            wanted[i] = max(may + target[i] - stock[i], 0.0)
            made[i], node_bound[i], node_which[i] = produce(
                i, wanted[i], slot_first, per_unit, hold, input_stock, capacity, node_factor, used
            )
            stock[i] += made[i]
        ration_level(
            here, first, out, rule, weight, share, tier, group, room, queue_row, queue, stock,
            left, taken, cap, phase, fraction, granted, limited, f, k,
        )  # fmt: skip
        for i in here:
            dispatch(
                i, now, first, out, rule, group, slot, lead, edge_delay, node_delay, lapse, queue_row, queue,
                asked, room, granted, limited, edge_factor, could[i], node_bound, node_which, stock,
                backlog, pipeline, input_stock, arrived, lapsed, bound, which,
            )  # fmt: skip
    return FINE, 0
