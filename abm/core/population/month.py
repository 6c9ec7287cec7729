"""Before the market opens firms plan and sign; and what they hold."""

from __future__ import annotations

import numpy as np
from numba import types

from abm.core.jit import helper, kernel

from .columns import (
    ACTIVITY,
    BURN,
    CASH,
    CONTRACT,
    CONTRACT_PRICE,
    CURVE,
    DEBT,
    FLOAT_TABLE,
    INCOME,
    NEED,
    PLANS,
    PRUDENCE,
    PURSE,
    STANDING,
    TAG_TABLE,
    UNTIL,
    VECTOR,
    WANT,
    WEIGHT,
    WISHED,
    month_of,
)
from .settle import BLOCK, across


@helper
def _means(cash, debt, income, credit_months):
    """What a firm has in hand and could still borrow."""
    return max(cash, 0.0) + max(credit_months * income - debt, 0.0)


@kernel(
    [
        types.void(
            FLOAT_TABLE, TAG_TABLE, types.int64, types.int64, types.float64, types.float64, types.float64,
            types.float64, types.float64, types.float64, types.float64, types.float64, VECTOR,
        )
    ]
)  # fmt: skip
def plan(
    firm, tag, n, month, machines, base_share, prudence, expected, offered, spend_share, credit_months, hours, plans
):  # fmt: skip
    """Needs, wages, machines under contract, and machines that firms wish to contract, all weighted.

    A firm without a contract wishes one for ``base_share`` of the ``machines`` that it would rent for each
    H100-equivalent of need, if the price ``offered`` is no more than the mean spot price that it
    expects, marked up by ``prudence`` times its own prudence, and if its purse pays for them. The wish
    waits in CONTRACT for :func:`sign`.
    """
    work = np.zeros((PLANS + 1, BLOCK))
    for first in range(0, n, BLOCK):
        end = min(first + BLOCK, n)
        weight, need, burn = firm[WEIGHT, first:end], firm[NEED, first:end], firm[BURN, first:end]
        cash, debt, income = firm[CASH, first:end], firm[DEBT, first:end], firm[INCOME, first:end]
        contract, until, prudent = firm[CONTRACT, first:end], tag[UNTIL, first:end], firm[PRUDENCE, first:end]
        for j in range(end - first):
            wish = base_share * machines * need[j]
            purse = spend_share * _means(cash[j], debt[j], income[j], credit_months)
            pays = (offered <= expected * (1.0 + prudence * prudent[j])) & (wish * hours * offered <= purse)
            work[PLANS, j] = wish if pays else 0.0
        for j in range(end - first):
            bound = until[j] > month
            work[WANT, j] += weight[j] * need[j]
            work[ACTIVITY, j] += weight[j] * burn[j]
            work[STANDING, j] += weight[j] * contract[j] if bound else 0.0
            work[WISHED, j] += 0.0 if bound else weight[j] * work[PLANS, j]
            work[PLANS, j] = contract[j] if bound else work[PLANS, j]
        for j in range(end - first):
            contract[j] = work[PLANS, j]
    across(work[:PLANS], plans)


@kernel(
    [
        types.void(
            FLOAT_TABLE, TAG_TABLE, types.int64, types.int64, types.int64, types.float64, types.float64, VECTOR
        )
    ],
    allocates=False,
)  # fmt: skip
def sign(firm, tag, n, month, term, granted, offered, terms):
    """Contracts are signed for the share ``granted`` of what was wished; what is left is demand for the spot market."""
    m = month_of(terms)
    need, contract, rate = firm[NEED, :n], firm[CONTRACT, :n], firm[CONTRACT_PRICE, :n]
    until, curve, purse = tag[UNTIL, :n], firm[CURVE, :n], firm[PURSE, :n]
    cash, debt, income = firm[CASH, :n], firm[DEBT, :n], firm[INCOME, :n]
    for i in range(n):
        if until[i] <= month:
            contract[i] *= granted
            if contract[i] > 0.0:
                rate[i] = offered
                until[i] = month + term
    for i in range(n):
        hours = need[i] * m.scale
        reserved = contract[i] * m.contract_hours
        covered = reserved / (hours * m.last_factor) if hours > 0.0 else 1.0
        left = 1.0 - m.voucher_share - (covered if reserved > 0.0 else 0.0)
        curve[i] = hours * max(left, 0.0)
    for i in range(n):
        means = _means(cash[i], debt[i], income[i], m.credit_months)
        purse[i] = max(m.spend_share * means - contract[i] * m.contract_hours * rate[i], 0.0)


@kernel([types.void(FLOAT_TABLE, types.int64, VECTOR)])
def stocks(firm, n, held):
    """All cash and all debt of the firms, weighted, counted from the rows: ``held`` gets the two."""
    sums = np.zeros((2, BLOCK))
    for first in range(0, n, BLOCK):
        end = min(first + BLOCK, n)
        weight, cash, debt = firm[WEIGHT, first:end], firm[CASH, first:end], firm[DEBT, first:end]
        for j in range(end - first):
            sums[0, j] += weight[j] * cash[j]
            sums[1, j] += weight[j] * debt[j]
    across(sums, held)
