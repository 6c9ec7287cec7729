"""A month of every firm: it plans, signs for hours, buys, earns, grows, borrows, and leaves."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from abm.core.jit import helper, kernel
from abm.core.philox import uniform

from .columns import (
    ACTIVITY,
    ALIVE,
    BIRTH,
    BORROWED,
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
    MONTH,
    NEED,
    NEED_HOURS,
    PRUDENCE,
    PURSE,
    QUALITY,
    QUALITY_LUCK,
    REPAID,
    SPOT_HOURS,
    SPOT_PAID,
    STANDING,
    TAG_TABLE,
    UNTIL,
    VECTOR,
    VOUCHER_HOURS,
    VOUCHER_PAID,
    WAGES,
    WANT,
    WISHED,
    WRITTEN_OFF,
)
from .normal import quantile


@helper
def _means(firm, i, credit_months):
    """What a firm has in hand and could still borrow."""
    return max(firm[CASH, i], 0.0) + max(credit_months * firm[INCOME, i] - firm[DEBT, i], 0.0)


@kernel(
    [
        types.void(
            FLOAT_TABLE, TAG_TABLE, types.int64, types.int64, VECTOR, types.float64, types.float64,
            types.float64, types.float64, types.float64, types.float64, types.float64, types.float64, VECTOR,
        )
    ],
    allocates=False,
)  # fmt: skip
def plan(
    firm,
    tag,
    n,
    month,
    weight,
    machines,
    base_share,
    prudence,
    expected,
    offered,
    spend_share,
    credit_months,
    hours,
    plans,
):
    """Needs, wages, machines under contract, and machines that firms wish to contract, all weighted.

    A firm without a contract wishes one for ``base_share`` of the ``machines`` that it would rent for each
    H100-equivalent of need, if the price ``offered`` is no more than the mean spot price that it
    expects, marked up by ``prudence`` times its own prudence, and if its purse pays for them. The wish
    waits in CONTRACT for :func:`sign`.
    """
    for k in range(plans.size):
        plans[k] = 0.0
    for first in range(0, n, 1024):
        want, standing, wished, activity = 0.0, 0.0, 0.0, 0.0
        for i in range(first, min(first + 1024, n)):
            w = weight[tag[GROUP, i]]
            want += w * firm[NEED, i]
            activity += w * firm[BURN, i]
            if tag[UNTIL, i] > month:
                standing += w * firm[CONTRACT, i]
                continue
            wish = 0.0
            if offered <= expected * (1.0 + prudence * firm[PRUDENCE, i]):
                wish = base_share * machines * firm[NEED, i]
                if wish * hours * offered > spend_share * _means(firm, i, credit_months):
                    wish = 0.0
            firm[CONTRACT, i] = wish
            wished += w * wish
        plans[WANT] += want
        plans[STANDING] += standing
        plans[WISHED] += wished
        plans[ACTIVITY] += activity


@kernel(
    [
        types.void(
            FLOAT_TABLE, TAG_TABLE, types.int64, types.int64, types.int64, types.float64, types.float64, MONTH
        )
    ],
    allocates=False,
)  # fmt: skip
def sign(firm, tag, n, month, term, granted, offered, m):
    """Contracts are signed for the share ``granted`` of what was wished; what is left is demand for the spot market."""
    for i in range(n):
        if tag[UNTIL, i] <= month:
            firm[CONTRACT, i] *= granted
            if firm[CONTRACT, i] > 0.0:
                firm[CONTRACT_PRICE, i] = offered
                tag[UNTIL, i] = month + term
        need = firm[NEED, i] * m.scale
        reserved = firm[CONTRACT, i] * m.contract_hours
        left = 1.0 - m.voucher_share
        if reserved > 0.0:
            left -= reserved / (need * m.last_factor) if need > 0.0 else 1.0
        firm[CURVE, i] = need * max(left, 0.0)
        firm[PURSE, i] = max(
            m.spend_share * _means(firm, i, m.credit_months) - reserved * firm[CONTRACT_PRICE, i], 0.0
        )


@kernel(
    [
        types.int64(
            FLOAT_TABLE, TAG_TABLE, types.int64, types.int64, VECTOR, FLOAT_TABLE, types.uint64[:, :, ::1],
            MONTH, FLOAT_TABLE,
        )
    ],
    allocates=False,
)  # fmt: skip
def settle(firm, tag, n, month, weight, kind, keys, m, totals):
    """Firms buy, earn, pay, grow and leave; returns how many rows are left, moved up in their order.

    ``totals`` (groups, TOTALS) gets the month's sums. Of a firm that leaves, what it cannot pay is
    DEFAULTED and its debt WRITTEN_OFF.
    """
    for g in range(totals.shape[0]):
        for k in range(totals.shape[1]):
            totals[g, k] = 0.0
    factor = (m.price / m.reference) ** -m.elasticity
    # A firm whose purse does not bind and that has no contract is served like any other of its sort.
    usual = ((1.0 - min(m.voucher_share, 1.0)) * factor + m.voucher_share * m.last_factor) / m.world_factor
    usual_lift = min(usual, m.served_most) ** m.theta
    noise = m.spread * math.sqrt(max(1.0 - m.persistence * m.persistence, 0.0))
    centre = 0.5 * m.spread * m.spread
    kept = 0
    for i in range(n):
        g = tag[GROUP, i]
        w = weight[g]
        need, burn, quality = firm[NEED, i], firm[BURN, i], firm[QUALITY, i]
        cash, debt, contract = firm[CASH, i], firm[DEBT, i], firm[CONTRACT, i]
        # Hours: vouchers, contract, spot.
        hours = need * m.scale
        wanted = hours * m.world_factor
        vouchers = hours * m.last_factor * m.voucher_share
        reserved = contract * m.contract_hours
        spot, purse = firm[CURVE, i] * factor, firm[PURSE, i]
        lift = usual_lift
        if spot * m.price > purse:
            spot = purse / m.price
            lift = -1.0
        if reserved > 0.0 or lift < 0.0:
            served = (spot + vouchers + reserved) / wanted if wanted > 0.0 else 1.0
            lift = min(served, m.served_most) ** m.theta
        if wanted <= 0.0:
            lift = 1.0
        # Money.
        contract_paid = reserved * firm[CONTRACT_PRICE, i]
        interest = debt * m.interest
        earned = quality * m.takings * (burn + wanted * m.world_price) * lift
        cost = burn + spot * m.price + vouchers * m.voucher_price + contract_paid
        gain = earned - cost - interest
        cash += gain
        borrowed, repaid, dividend = 0.0, 0.0, 0.0
        if cash < 0.0:
            borrowed = min(-cash, max(m.credit_months * earned - debt, 0.0))
            debt += borrowed
            cash += borrowed
        elif debt > 0.0:
            repaid = min(debt, max(cash - m.credit_months * burn, 0.0))
            debt -= repaid
            cash -= repaid
        elif cash > m.cash_months * burn:
            dividend = cash - m.cash_months * burn
            cash = m.cash_months * burn
        t = totals[g]
        t[SPOT_HOURS] += w * spot
        t[CONTRACT_HOURS] += w * reserved
        t[NEED_HOURS] += w * wanted
        t[CONTRACT_PAID] += w * contract_paid
        t[EARNED] += w * earned
        t[WAGES] += w * burn
        t[INTEREST] += w * interest
        t[BORROWED] += w * borrowed
        t[REPAID] += w * repaid
        t[DIVIDENDS] += w * dividend
        if cash < 0.0:
            t[DEFAULTED] -= w * cash
            t[WRITTEN_OFF] += w * debt
            t[EXITS] += w
            continue
        t[ALIVE] += w
        # Growth, and a new quality at every birthday.
        size = 1.0 + m.growth * max(min(gain / cost, 1.0), -1.0) if cost > 0.0 else 1.0
        age = month - tag[FOUNDED, i]
        if age > 0 and age % 12 == 0 and m.spread > 0.0:
            luck = uniform(
                keys[QUALITY_LUCK, g, 0],
                keys[QUALITY_LUCK, g, 1],
                np.uint64(age // 12),
                np.uint64(tag[BIRTH, i]),
            )
            level = m.persistence * (math.log(quality / kind[g, KIND_QUALITY]) + centre)
            quality = kind[g, KIND_QUALITY] * math.exp(level + noise * quantile(luck) - centre)
        firm[NEED, kept] = need * size
        firm[BURN, kept] = burn * size
        firm[QUALITY, kept] = quality
        firm[CASH, kept] = cash
        firm[DEBT, kept] = debt
        firm[INCOME, kept] = earned
        firm[CONTRACT, kept] = contract
        if kept < i:
            firm[CONTRACT_PRICE, kept] = firm[CONTRACT_PRICE, i]
            firm[PRUDENCE, kept] = firm[PRUDENCE, i]
            for k in range(tag.shape[0]):
                tag[k, kept] = tag[k, i]
        kept += 1
    # Of what all pay alike the sums follow from those of hours.
    for g in range(totals.shape[0]):
        t = totals[g]
        t[SPOT_PAID] = t[SPOT_HOURS] * m.price
        t[VOUCHER_HOURS] = t[NEED_HOURS] * (m.last_factor / m.world_factor) * m.voucher_share
        t[VOUCHER_PAID] = t[VOUCHER_HOURS] * m.voucher_price
    return kept


@kernel([types.void(FLOAT_TABLE, TAG_TABLE, types.int64, VECTOR, VECTOR)], allocates=False)
def stocks(firm, tag, n, weight, held):
    """All cash and all debt of the firms, weighted, counted from the rows: ``held`` gets the two."""
    held[0] = held[1] = 0.0
    for first in range(0, n, 1024):
        cash, debt = 0.0, 0.0
        for i in range(first, min(first + 1024, n)):
            w = weight[tag[GROUP, i]]
            cash += w * firm[CASH, i]
            debt += w * firm[DEBT, i]
        held[0] += cash
        held[1] += debt


@kernel([types.void(FLOAT_TABLE, MONTH, VECTOR)], allocates=False)
def prospects(kind, m, ratios):
    """Earnings over cost of an entrant with the means of its kind and a full runway, at a month's terms."""
    factor = (m.price / m.reference) ** -m.elasticity
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
