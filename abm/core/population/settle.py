"""What a month comes to once the price is known: firms buy, earn, pay, grow, borrow, and leave.

Firms are taken :data:`BLOCK` at a time through loops without calls, so that they compile to vector
instructions on what stays in the nearest cache. Their workspace is made by the kernels themselves: of memory
that they were given it would not be known that it overlaps with no column, which costs the vectors. Sums run
side by side, one for each place of a block, and are added across at the end: rounding does not grow with the
population.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from abm.core.jit import helper, kernel
from abm.core.philox import uniform

from .columns import (
    BIRTH,
    BORROWED,
    BOUGHT,
    BURN,
    CASH,
    CONTRACT,
    CONTRACT_HOURS,
    CONTRACT_PAID,
    CONTRACT_PRICE,
    CURVE,
    DEBT,
    DEFAULTED,
    DIVIDENDS,
    EARNED,
    EXITS,
    FLOAT_TABLE,
    FOUNDED,
    GROUP,
    INCOME,
    INTEREST,
    KIND_BURN,
    KIND_NEED,
    KIND_QUALITY,
    KIND_RUNWAY,
    NEED,
    NEED_HOURS,
    PURSE,
    QUALITY,
    QUALITY_LUCK,
    REPAID,
    SPOT_HOURS,
    SPOT_PAID,
    SUMMED,
    TAG_TABLE,
    VECTOR,
    VOUCHER_HOURS,
    VOUCHER_PAID,
    WAGES,
    WEIGHT,
    WRITTEN_OFF,
    month_of,
)
from .normal import quantile

BLOCK = 128
"""Firms that are taken together."""
GREW, BURNS, HOLDS, OWES, EARNS, WORK = range(SUMMED, SUMMED + 6)
"""Rows of a block's workspace after those of its sums: what a firm needs, burns, holds, owes and earned
at the end of the month."""


@helper
def across(sums, totals):
    """``totals[k]`` becomes the sum of row k, the rows side by side."""
    for k in range(sums.shape[0]):
        totals[k] = 0.0
    for j in range(sums.shape[1]):
        for k in range(sums.shape[0]):
            totals[k] += sums[k, j]


@helper
def _prospects(kind, m, factor, ratios):
    """Earnings over cost of an entrant with the means of its kind and a full runway, at a month's terms.

    ``factor`` is demand at the month's price over demand at the reference price.
    """
    for g in range(ratios.size):
        hours, burn = kind[g, KIND_NEED] * m.scale, kind[g, KIND_BURN]
        wanted = hours * m.world_factor
        vouchers = hours * m.last_factor * m.voucher_share
        spot = min(
            hours * max(1.0 - m.voucher_share, 0.0) * factor, m.spend_share * kind[g, KIND_RUNWAY] / m.price
        )
        served = (spot + vouchers) / wanted if wanted > 0.0 else 1.0
        lift = min(served, m.served_most) ** m.theta if wanted > 0.0 else 1.0
        earned = kind[g, KIND_QUALITY] * m.takings * (burn + wanted * m.world_price) * lift
        cost = burn + spot * m.price + vouchers * m.voucher_price
        ratios[g] = earned / cost if cost > 0.0 else 0.0


@kernel([types.void(FLOAT_TABLE, types.int64, FLOAT_TABLE, VECTOR, VECTOR, VECTOR, VECTOR, VECTOR)])
def buy(firm, n, kind, terms, served, bill, ratios, totals):
    """Firms buy at the month's price; ``totals`` (TOTALS,) gets the hours, and what contracts cost.

    ``served`` (n,) gets the hours that a firm has over those that it would buy at the world price, ``served_most``
    at most, ``bill`` (n,) what its hours cost, and ``ratios`` (groups,) earnings over cost of an average entrant.
    """
    m, work = month_of(terms), np.zeros((BOUGHT + 2, BLOCK))
    factor = (m.price / m.reference) ** -m.elasticity
    for first in range(0, n, BLOCK):
        end = min(first + BLOCK, n)
        weight, need, curve = firm[WEIGHT, first:end], firm[NEED, first:end], firm[CURVE, first:end]
        purse, contract, rate = (
            firm[PURSE, first:end],
            firm[CONTRACT, first:end],
            firm[CONTRACT_PRICE, first:end],
        )
        for j in range(end - first):
            hours = need[j] * m.scale
            wanted = hours * m.world_factor
            vouchers = hours * m.last_factor * m.voucher_share
            reserved = contract[j] * m.contract_hours
            spot = min(curve[j] * factor, purse[j] / m.price)
            paid = reserved * rate[j]
            work[SPOT_HOURS, j] += weight[j] * spot
            work[CONTRACT_HOURS, j] += weight[j] * reserved
            work[NEED_HOURS, j] += weight[j] * wanted
            work[CONTRACT_PAID, j] += weight[j] * paid
            share = (spot + vouchers + reserved) / wanted
            work[BOUGHT, j] = min(share, m.served_most) if wanted > 0.0 else 1.0
            work[BOUGHT + 1, j] = spot * m.price + vouchers * m.voucher_price + paid
        had, cost = served[first:end], bill[first:end]
        for j in range(end - first):
            had[j] = work[BOUGHT, j]
        for j in range(end - first):
            cost[j] = work[BOUGHT + 1, j]
    across(work[:BOUGHT], totals)
    _prospects(kind, m, factor, ratios)
    # Of what all pay alike the sums follow from those of hours.
    totals[SPOT_PAID] = totals[SPOT_HOURS] * m.price
    totals[VOUCHER_HOURS] = totals[NEED_HOURS] * (m.last_factor / m.world_factor) * m.voucher_share
    totals[VOUCHER_PAID] = totals[VOUCHER_HOURS] * m.voucher_price


@helper
def _move_up(column, to, start, end):
    """``column[start:end]`` moves up to row ``to``, eight numbers at a time: all are read before any is written."""
    size = end - start
    source, target = column[start:end], column[to : to + size]
    whole = size - size % 8
    for k in range(0, whole, 8):
        s, t = source[k : k + 8], target[k : k + 8]
        a, b, c, d, e, f, g, h = s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
        t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7] = a, b, c, d, e, f, g, h
    for k in range(whole, size):
        target[k] = source[k]


@helper
def _close_ranks(table, gone, count, n):
    """Of the first ``n`` rows of ``table`` (columns, capacity) all but ``gone[:count]`` stay, without gaps."""
    for column in range(table.shape[0]):
        for k in range(count):
            following = gone[k + 1] if k + 1 < count else n
            _move_up(table[column], gone[k] - k, gone[k] + 1, following)


@helper
def _draw_qualities(firm, tag, n, month, kind, keys, m):
    """A new quality at every birthday: its logarithm is autoregressive about the kind's."""
    if not m.spread > 0.0:
        return
    noise = m.spread * math.sqrt(max(1.0 - m.persistence * m.persistence, 0.0))
    centre = 0.5 * m.spread * m.spread
    for i in range(n):
        age = month - tag[FOUNDED, i]
        if age > 0 and age % 12 == 0:
            g = tag[GROUP, i]
            usual = kind[g, KIND_QUALITY]
            luck = uniform(
                keys[QUALITY_LUCK, g, 0], keys[QUALITY_LUCK, g, 1], np.uint64(age // 12), np.uint64(tag[BIRTH, i])
            )  # fmt: skip
            level = m.persistence * (math.log(firm[QUALITY, i] / usual) + centre)
            firm[QUALITY, i] = usual * math.exp(level + noise * quantile(luck) - centre)


@kernel(
    [
        types.int64(
            FLOAT_TABLE, TAG_TABLE, types.int64, types.int64, FLOAT_TABLE, types.uint64[:, :, ::1], VECTOR, VECTOR,
            VECTOR, types.int64[::1], VECTOR,
        )
    ]
)  # fmt: skip
def settle(firm, tag, n, month, kind, keys, terms, lift, bill, rows, totals):
    """Firms earn, pay, grow and leave; returns how many rows are left, moved up in their order.

    ``lift`` (n,) is what a firm's served share of its needs lets it earn, over what it would earn fully served, and
    ``bill`` (n,) what its hours cost. ``totals`` (TOTALS,) gets the month's sums. Of a firm that leaves, what it
    cannot pay is DEFAULTED and its debt WRITTEN_OFF; ``rows`` (groups,) goes on counting.
    """
    m, work = month_of(terms), np.zeros((WORK, BLOCK))
    totals[DEFAULTED] = totals[WRITTEN_OFF] = totals[EXITS] = 0.0
    gone, left = np.empty(n, np.int64), 0
    for first in range(0, n, BLOCK):
        end = min(first + BLOCK, n)
        size = end - first
        weight, need, burn = firm[WEIGHT, first:end], firm[NEED, first:end], firm[BURN, first:end]
        quality, cash, debt = firm[QUALITY, first:end], firm[CASH, first:end], firm[DEBT, first:end]
        lifted, hours = lift[first:end], bill[first:end]
        for j in range(size):
            wanted = need[j] * m.scale * m.world_factor
            earned = quality[j] * m.takings * (burn[j] + wanted * m.world_price) * lifted[j]
            cost, interest = burn[j] + hours[j], debt[j] * m.interest
            gain = earned - cost - interest
            growth = 1.0 + m.growth * max(min(gain / cost, 1.0), -1.0) if cost > 0.0 else 1.0
            held, owed = cash[j] + gain, debt[j]
            borrowed, repaid, dividend = 0.0, 0.0, 0.0
            if held < 0.0:
                borrowed = min(-held, max(m.credit_months * earned - owed, 0.0))
                owed += borrowed
                held += borrowed
            elif owed > 0.0:
                repaid = min(owed, max(held - m.credit_months * burn[j], 0.0))
                owed -= repaid
                held -= repaid
            elif held > m.cash_months * burn[j]:
                dividend = held - m.cash_months * burn[j]
                held = m.cash_months * burn[j]
            work[EARNED, j] += weight[j] * earned
            work[WAGES, j] += weight[j] * burn[j]
            work[INTEREST, j] += weight[j] * interest
            work[BORROWED, j] += weight[j] * borrowed
            work[REPAID, j] += weight[j] * repaid
            work[DIVIDENDS, j] += weight[j] * dividend
            work[GREW, j], work[BURNS, j] = need[j] * growth, burn[j] * growth
            work[HOLDS, j], work[OWES, j], work[EARNS, j] = held, owed, earned
        for column, row in ((NEED, GREW), (BURN, BURNS), (CASH, HOLDS), (DEBT, OWES), (INCOME, EARNS)):
            for j in range(size):
                firm[column, first + j] = work[row, j]
        for j in range(size):
            if work[HOLDS, j] < 0.0:
                totals[DEFAULTED] -= weight[j] * work[HOLDS, j]
                totals[WRITTEN_OFF] += weight[j] * work[OWES, j]
                totals[EXITS] += weight[j]
                rows[tag[GROUP, first + j]] -= 1
                gone[left] = first + j
                left += 1
    across(work[BOUGHT:SUMMED], totals[BOUGHT:SUMMED])
    _close_ranks(firm, gone, left, n)
    _close_ranks(tag, gone, left, n)
    _draw_qualities(firm, tag, n - left, month, kind, keys, m)
    return n - left
