"""Rationing by a stated rule, compiled: water filling, limits on groups of buyers, tiers. See README.md.

Workspaces: ``f`` has :data:`FLOATS` rows and ``k`` has :data:`INTS` rows, each as long as there are orders.
"""

from __future__ import annotations

import numpy as np

from ..jit import helper, kernel

PROPORTIONAL, CONTRACT, PRIORITY, FIRST_COME = 0, 1, 2, 3
FREE, GROUP_LIMITED = 0, 1
ROUNDING = 2.0**-51
SHORT = 1e-9
"""Of an order; what is missing less than this is rounding."""
FLOATS, INTS = 10, 7
SMALL = 16


@helper
def before(i, j, key, weight, ask):
    """Whether order i comes before j; equal keys are told apart so that a permutation changes no sum."""
    if key[i] != key[j]:
        return key[i] < key[j]
    if weight[i] != weight[j]:
        return weight[i] < weight[j]
    return ask[i] < ask[j]


@helper
def sort(rank, spare, n, key, weight, ask):
    """Sort ``rank[:n]`` by key: runs by insertion, then merged."""
    for low in range(0, n, SMALL):
        for a in range(low + 1, min(low + SMALL, n)):
            i = rank[a]
            b = a
            while b > low and before(i, rank[b - 1], key, weight, ask):
                rank[b] = rank[b - 1]
                b -= 1
            rank[b] = i
    width = SMALL
    while width < n:
        for low in range(0, n, 2 * width):
            middle, high = min(low + width, n), min(low + 2 * width, n)
            a, b = low, middle
            for c in range(low, high):
                if a < middle and (b >= high or not before(rank[b], rank[a], key, weight, ask)):
                    spare[c] = rank[a]
                    a += 1
                else:
                    spare[c] = rank[b]
                    b += 1
        for c in range(n):
            rank[c] = spare[c]
        width *= 2


@helper
def fill(ask, weight, n, supply, got, f, k):
    """``got`` maximises sum w log x under x <= ask and sum x <= supply; uses rows 0-1 of ``f`` and ``k``."""
    level_of, tail = f[0], f[1]
    rank, spare = k[0], k[1]
    total = 0.0
    for i in range(n):
        total += ask[i]
    if total - supply <= n * ROUNDING * total:
        for i in range(n):
            got[i] = ask[i]
        return
    live = 0
    for i in range(n):
        got[i] = 0.0
        if ask[i] > 0.0 and weight[i] > 0.0:
            level_of[i] = ask[i] / weight[i]
            rank[live] = i
            live += 1
    if supply <= 0.0 or live == 0:
        return
    sort(rank, spare, live, level_of, weight, ask)
    open_weight = 0.0
    for a in range(live - 1, -1, -1):
        open_weight += weight[rank[a]]
        tail[a] = open_weight
    filled = 0.0
    for a in range(live):
        i = rank[a]
        level = (supply - filled) / tail[a]
        if level <= level_of[i]:
            for b in range(a, live):
                j = rank[b]
                got[j] = min(ask[j], level * weight[j])
            return
        got[i] = ask[i]
        filled += ask[i]


@helper
def fill_groups(ask, weight, group, cap, n, supply, got, limited, f, k):
    """As :func:`fill`, with sum of x over each group g at most ``cap[g]``, which is drawn down.

    Groups share no order, so the level of an order is the lower of its group's and the common one:
    each group is filled up to its limit first, and what it may take is then all that it asks for.
    Uses rows 0-5 of ``f``, 0-2 of ``k``.
    """
    held, part_ask, part_weight, part_got = f[2], f[3], f[4], f[5]
    member = k[2]
    for i in range(n):
        held[i] = ask[i]
        limited[i] = FREE
    for i in range(n):
        g = group[i]
        if g < 0 or limited[i] != FREE:
            continue
        # First order of its group that is met here; the others are marked as seen below.
        m, total = 0, 0.0
        for j in range(i, n):
            if group[j] == g:
                member[m] = j
                part_ask[m] = ask[j]
                part_weight[m] = weight[j]
                total += ask[j]
                limited[j] = 2
                m += 1
        if total - cap[g] > m * ROUNDING * total:
            fill(part_ask, part_weight, m, cap[g], part_got, f, k)
            for a in range(m):
                held[member[a]] = part_got[a]
    fill(held, weight, n, supply, got, f, k)
    for i in range(n):
        limited[i] = GROUP_LIMITED if held[i] < ask[i] and got[i] >= held[i] else FREE
        if group[i] >= 0:
            cap[group[i]] = max(cap[group[i]] - got[i], 0.0)


@helper
def fill_any(grouped, ask, weight, group, cap, n, supply, got, limited, f, k):
    """With or without groups."""
    if grouped:
        fill_groups(ask, weight, group, cap, n, supply, got, limited, f, k)
    else:
        fill(ask, weight, n, supply, got, f, k)
        for i in range(n):
            limited[i] = FREE


@helper
def share_out(rule, grouped, ask, weight, share, tier, group, cap, n, supply, got, limited, f, k):
    """Give ``supply`` to orders by ``rule``; returns what was given out. Draws ``cap`` down.

    Contract shares, priority classes and first come are all filled tier by tier, each tier by
    proportional fairness. Uses rows 0-9 of ``f``, 0-5 of ``k``.
    """
    if rule == PROPORTIONAL:
        fill_any(grouped, ask, weight, group, cap, n, supply, got, limited, f, k)
    elif rule == CONTRACT:
        firm, rest, more = f[6], f[7], f[8]
        total, given = 0.0, 0.0
        for i in range(n):
            firm[i] = min(ask[i], share[i] * max(supply, 0.0))
            total += ask[i]
        if supply >= total:
            # Nobody is cut by the supply, so that shares play no part.
            fill_any(grouped, ask, weight, group, cap, n, supply, got, limited, f, k)
        else:
            fill_any(grouped, firm, share, group, cap, n, supply, got, limited, f, k)
            for i in range(n):
                given += got[i]
                rest[i] = ask[i] - got[i]
            fill_any(grouped, rest, weight, group, cap, n, supply - given, more, limited, f, k)
            for i in range(n):
                got[i] += more[i]
    else:
        key, tier_ask, tier_weight, tier_got = f[6], f[7], f[8], f[9]
        rank, tier_group = k[3], k[4]
        for i in range(n):
            key[i] = tier[i]
            rank[i] = i
            got[i] = 0.0
            limited[i] = FREE
        sort(rank, k[1], n, key, weight, ask)
        left = supply
        a = 0
        while a < n and left > 0.0:
            m = 0
            while a + m < n and tier[rank[a + m]] == tier[rank[a]]:
                i = rank[a + m]
                tier_ask[m], tier_weight[m], tier_group[m] = ask[i], weight[i], group[i]
                m += 1
            fill_any(grouped, tier_ask, tier_weight, tier_group, cap, m, left, tier_got, k[5], f, k)
            for b in range(m):
                i = rank[a + b]
                got[i] = tier_got[b]
                limited[i] = k[5, b]
                left -= tier_got[b]
            a += m
    given = 0.0
    for i in range(n):
        given += got[i]
    return given


SERVED, CAPACITY, INPUT, RULE, GROUP, EDGE, EDGE_SHOCK, NODE_SHOCK = 0, 1, 2, 3, 4, 5, 6, 7


@helper
def judge(ask, got, limited, part, scarce):
    """Why an order is not met: CAPACITY stands for what there is of the good, whatever limits that.

    The shortfall is what an equal part of all orders would leave open, and what the rule takes off
    or adds; the larger of the two gives the reason.
    """
    if got >= ask * (1.0 - SHORT):
        return SERVED
    if limited == GROUP_LIMITED:
        return GROUP
    if not scarce or ask * part - got > ask * (1.0 - part):
        return RULE
    return CAPACITY


@kernel(
    [
        "int64(int64, float64[::1], float64[::1], float64[::1], int64[::1], int64[::1], float64[::1], float64,"
        "float64[::1], int8[::1], float64[:, ::1], int64[:, ::1])"
    ],
    allocates=False,
)
def ration_orders(rule, ask, weight, share, tier, group, cap, supply, got, bound, f, k):
    """One supplier's orders; -1, or the number of the first order that is not a finite amount >= 0 (etc.)."""
    n = ask.size
    if not supply == supply:
        return n
    for g in range(cap.size):
        if not cap[g] >= 0.0:
            return n
    total = 0.0
    for i in range(n):
        if not (0.0 <= ask[i] < np.inf and 0.0 <= weight[i] < np.inf and 0.0 <= share[i] < np.inf):
            return i
        if group[i] >= cap.size:
            return i
        total += ask[i]
    limited = k[6]
    given = share_out(rule, cap.size > 0, ask, weight, share, tier, group, cap, n, supply, got, limited, f, k)
    part = given / total if total > 0.0 else 1.0
    scarce = given >= supply * (1.0 - SHORT)
    for i in range(n):
        bound[i] = judge(ask[i], got[i], limited[i], part, scarce)
    return -1
