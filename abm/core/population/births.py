"""New firms: what they are is drawn by birth id, never by the row they get."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from abm.core.jit import kernel
from abm.core.philox import uniform

from .columns import (
    BIRTH,
    BURN,
    CASH,
    CONTRACT,
    CONTRACT_PRICE,
    CURVE,
    DEBT,
    FLOAT_TABLE,
    FOUNDED,
    GROUP,
    INCOME,
    KIND_BURN,
    KIND_NEED,
    KIND_QUALITY,
    KIND_RUNWAY,
    KIND_SPREAD,
    NEED,
    PRUDENCE,
    PRUDENCE_LUCK,
    PURSE,
    QUALITY,
    QUALITY_LUCK,
    RUNWAY_LUCK,
    SIZE_LUCK,
    TAG_TABLE,
    UNTIL,
    VECTOR,
    WEIGHT,
)
from .normal import quantile


@kernel(
    [
        types.float64(
            FLOAT_TABLE, TAG_TABLE, types.int64, types.int64, types.int64, types.float64, types.int64, types.int64,
            FLOAT_TABLE, types.uint64[:, :, ::1], types.float64, types.float64,
        )
    ],
    allocates=False,
)  # fmt: skip
def found(firm, tag, n, count, group, weight, birth, month, kind, keys, spread, runway_least):
    """Write ``count`` rows of ``group``, each of ``weight`` firms, into rows ``n ..``; returns the cash that they bring.

    Their birth ids are ``birth ..``. Size is lognormal of mean one with the kind's spread and scales
    need, wages and runway; quality is lognormal about the kind's with ``spread``. Founders bring a
    share of the full runway that is uniform between ``runway_least`` and 1. Firms founded before
    month 0 have their birthdays spread over the year.
    """
    zero = np.uint64(0)
    deviation = kind[group, KIND_SPREAD]
    cash = 0.0
    for k in range(count):
        i, ident = n + k, np.uint64(birth + k)
        luck = uniform(keys[SIZE_LUCK, group, 0], keys[SIZE_LUCK, group, 1], zero, ident)
        size = math.exp(deviation * quantile(luck) - 0.5 * deviation * deviation)
        luck = uniform(keys[QUALITY_LUCK, group, 0], keys[QUALITY_LUCK, group, 1], zero, ident)
        firm[QUALITY, i] = kind[group, KIND_QUALITY] * math.exp(
            spread * quantile(luck) - 0.5 * spread * spread
        )
        firm[WEIGHT, i] = weight
        firm[NEED, i] = kind[group, KIND_NEED] * size
        firm[BURN, i] = kind[group, KIND_BURN] * size
        share = 1.0
        if runway_least < 1.0:
            luck = uniform(keys[RUNWAY_LUCK, group, 0], keys[RUNWAY_LUCK, group, 1], zero, ident)
            share = runway_least + (1.0 - runway_least) * luck
        firm[CASH, i] = kind[group, KIND_RUNWAY] * size * share
        firm[PRUDENCE, i] = uniform(keys[PRUDENCE_LUCK, group, 0], keys[PRUDENCE_LUCK, group, 1], zero, ident)
        firm[DEBT, i] = 0.0
        firm[CONTRACT, i] = 0.0
        firm[CONTRACT_PRICE, i] = 0.0
        firm[INCOME, i] = 0.0
        firm[CURVE, i] = 0.0
        firm[PURSE, i] = 0.0
        tag[GROUP, i] = group
        tag[BIRTH, i] = birth + k
        tag[FOUNDED, i] = month if month >= 0 else -1 - (birth + k) % 12
        # Contracts of firms that were there before are taken to run out in the course of a year.
        tag[UNTIL, i] = month if month >= 0 else (birth + k) % 12
        cash += firm[CASH, i]
    return cash


@kernel(
    [
        types.int64(
            FLOAT_TABLE, TAG_TABLE, types.int64, types.int64[::1], VECTOR, types.int64, VECTOR, FLOAT_TABLE,
            types.uint64[:, :, ::1], types.float64, types.int64[::1], VECTOR, types.int64[::1], VECTOR,
        )
    ],
    allocates=False,
)  # fmt: skip
def enter(firm, tag, n, group, firms, month, weight, kind, keys, spread, born, carry, rows, came):
    """Entrants of all groups, one group after the other; returns the rows then in use.

    ``group`` (k,) and ``firms`` (k,) say how many firms enter which group. Only whole rows are founded, each
    with a full runway: what is left of ``firms`` waits in ``carry`` (groups,) for the next time. ``born`` and
    ``rows`` (groups,) go on counting; ``came`` (2,) gets the firms that entered and their cash, weighted.
    """
    came[0] = came[1] = 0.0
    for k in range(group.size):
        g = group[k]
        carry[g] += firms[k] / weight[g]
        count = math.floor(carry[g])
        carry[g] -= count
        if count:
            cash = found(firm, tag, n, count, g, weight[g], born[g], month, kind, keys, spread, 1.0)
            n += count
            born[g] += count
            rows[g] += count
            came[0] += count * weight[g]
            came[1] += cash * weight[g]
    return n
