"""Rationing by a stated rule, compiled: water filling, limits on groups of buyers, tiers. See README.md.

Workspaces: ``f`` has :data:`FLOATS` rows and ``k`` has :data:`INTS` rows, each as long as there are orders.
"""

from __future__ import annotations

import numpy as np

from ..jit import helper, kernel

PROPORTIONAL, CONTRACT, PRIORITY, FIRST_COME = 0, 1, 2, 3
FREE, GROUP_LIMITED = 0, 1
ROUNDING = 2.0**-51
COARSE = 1e-290
"""Supply below which quotients lose their digits (the smallest normal number over ROUNDING, about): no supply."""
SHORT = 1e-9
"""Of an order; what is missing less than this is rounding."""
FLOATS, INTS = 10, 7
SMALL = 16
LARGE = 1e300


@helper
def sort(rank, spare, n, key):
    """Sort ``rank[:n]`` by key: runs by insertion, then merged."""
    done = True
    for a in range(1, n):
        if key[rank[a]] < key[rank[a - 1]]:
            done = False
            break
    if done:
        return
    for low in range(0, n, SMALL):
        for a in range(low + 1, min(low + SMALL, n)):
            i = rank[a]
            b = a
            while b > low and key[i] < key[rank[b - 1]]:
                rank[b] = rank[b - 1]
                b -= 1
            rank[b] = i
    width = SMALL
    while width < n:
        for low in range(0, n, 2 * width):
            middle, high = min(low + width, n), min(low + 2 * width, n)
            a, b = low, middle
            for c in range(low, high):
                if a < middle and (b >= high or not key[rank[b]] < key[rank[a]]):
                    spare[c] = rank[a]
                    a += 1
                else:
                    spare[c] = rank[b]
                    b += 1
        for c in range(n):
            rank[c] = spare[c]
        width *= 2


@helper
def fill(ask, weight, n, supply, got, k):
    """``got`` maximises sum w log x under x <= ask and sum x <= supply; uses row 0 of ``k``.

    The level that all unmet orders would share is a lower bound of the water level; orders below it
    are met and leave, which raises it, until none leaves. Passes are few (Condat 2016).
    """
    open_orders = k[0]
    total, weights = 0.0, 0.0
    for i in range(n):
        total += ask[i]
        weights += weight[i]
    if total - supply <= n * ROUNDING * total:
        for i in range(n):
            got[i] = ask[i]
        return
    if supply <= 0.0 or weights <= 0.0:
        for i in range(n):
            got[i] = 0.0
        return
    level = supply / weights
    left, filled, unmet = 0, 0.0, 0.0
    for i in range(n):
        if ask[i] <= level * weight[i]:
            got[i] = ask[i]
            filled += ask[i]
        else:
            got[i] = 0.0
            if weight[i] > 0.0:
                open_orders[left] = i
                left += 1
                unmet += weight[i]
    before = n
    while left > 0:
        level = max((supply - filled) / unmet, level)
        if left == before:
            break
        before, left, unmet = left, 0, 0.0
        for a in range(before):
            i = open_orders[a]
            if ask[i] <= level * weight[i]:
                got[i] = ask[i]
                filled += ask[i]
            else:
                open_orders[left] = i
                left += 1
                unmet += weight[i]
    for a in range(left):
        i = open_orders[a]
        got[i] = min(ask[i], level * weight[i])


@helper
def fill_groups(ask, weight, group, cap, n, supply, got, limited, f, k):
    """As :func:`fill`, with sum of x over each group g at most ``cap[g]``, which is drawn down.

    Groups share no order, so the level of an order is the lower of its group's and the common one:
    each group is filled up to its limit first, and what it may take is then all that it asks for.
    Uses rows 0-3 of ``f``, 0 and 2 of ``k``.
    """
    held, part_ask, part_weight, part_got = f[0], f[1], f[2], f[3]
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
            fill(part_ask, part_weight, m, cap[g], part_got, k)
            for a in range(m):
                held[member[a]] = part_got[a]
    fill(held, weight, n, supply, got, k)
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
        fill(ask, weight, n, supply, got, k)
        for i in range(n):
            limited[i] = FREE


@helper
def fill_tiers(grouped, key, ask, weight, group, cap, n, supply, got, limited, f, k):
    """The lowest key first, each key by water filling; uses rows 0-3 and 5-7 of ``f``, 0-5 of ``k``."""
    tier_ask, tier_weight, tier_got = f[5], f[6], f[7]
    rank, tier_group, tier_limited = k[3], k[4], k[5]
    for i in range(n):
        rank[i] = i
        got[i] = 0.0
        limited[i] = FREE
    sort(rank, k[1], n, key)
    left = supply
    # What subtraction has left of a supply that is used up is no supply.
    dust = max(n * ROUNDING * supply, COARSE) if 0.0 < supply < np.inf else 0.0
    a = 0
    while a < n and left > dust:
        m = 0
        while a + m < n and key[rank[a + m]] == key[rank[a]]:
            i = rank[a + m]
            tier_ask[m], tier_group[m] = ask[i], group[i]
            tier_weight[m] = weight[i] if weight[i] > 0.0 else 1.0
            m += 1
        fill_any(grouped, tier_ask, tier_weight, tier_group, cap, m, left, tier_got, tier_limited, f, k)
        for b in range(m):
            i = rank[a + b]
            got[i] = tier_got[b]
            limited[i] = tier_limited[b]
            left -= tier_got[b]
        a += m


@helper
def share_out(rule, grouped, ask, weight, share, tier, group, cap, n, supply, got, limited, f, k):
    """Give ``supply`` to orders by ``rule``; returns what was given out. Draws ``cap`` down.

    Every rule is a sequence of water fillings. Orders without weight come last, in equal parts.
    Uses all rows of ``f``, 0-5 of ``k``.
    """
    key, firm, rest = f[4], f[8], f[9]
    asked, left = ask, supply
    weightless = False
    for i in range(n):
        if not weight[i] > 0.0:
            weightless = True
            key[i] = np.inf
        else:
            key[i] = tier[i] if rule >= PRIORITY else 0.0
    if rule == CONTRACT:
        for i in range(n):
            rest[i] = min(ask[i], share[i] * max(min(supply, LARGE), 0.0))
        fill_any(grouped, rest, share, group, cap, n, supply, firm, limited, f, k)
        for i in range(n):
            left -= firm[i]
            rest[i] = ask[i] - firm[i]
        asked = rest
    if weightless or rule >= PRIORITY:
        fill_tiers(grouped, key, asked, weight, group, cap, n, left, got, limited, f, k)
    else:
        fill_any(grouped, asked, weight, group, cap, n, left, got, limited, f, k)
    given = 0.0
    for i in range(n):
        if rule == CONTRACT:
            got[i] = min(got[i] + firm[i], ask[i])
        given += got[i]
    return given


SERVED, CAPACITY, INPUT, RULE, GROUP, EDGE, EDGE_SHOCK, NODE_SHOCK = 0, 1, 2, 3, 4, 5, 6, 7


@helper
def judge(ask, got, limited, part):
    """Why an order is not met: CAPACITY stands for what there is of the good, whatever limits that.

    The shortfall is what an equal part of all orders would leave open, and what the rule takes off
    or adds; the larger of the two gives the reason, the rule where they are equal.
    """
    if got >= ask * (1.0 - SHORT):
        return SERVED
    if limited == GROUP_LIMITED:
        return GROUP
    if ask * part - got >= ask * (1.0 - part) * (1.0 - SHORT):
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
    if np.isnan(supply):
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
    for i in range(n):
        bound[i] = judge(ask[i], got[i], limited[i], part)
    return -1
