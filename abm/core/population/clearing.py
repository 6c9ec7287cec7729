"""One price at which heterogeneous demand takes up the supply."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from abm.core.jit import helper, kernel

from .columns import CURVE, FLOAT_TABLE, PURSE, VECTOR, WEIGHT
from .settle import BLOCK, across

TOLERANCE = 1e-12
"""Demand at the price found differs from supply by no more than this part of it, unless the bracket has
shrunk to two neighbouring prices."""
ROUNDS = 200
PRICE, DEMAND, BY_NEED, BY_PURSE, EVALUATIONS, FOUND = range(6)
"""Places in ``found``: firms' demand is ``BY_NEED (p/p0)^-e + BY_PURSE / p`` at the price."""


@helper
def _firms(firm, n, cost, sums, found):
    """Firms' demand where each hour of need costs ``cost``: the coefficient of those whose need and the money of
    those whose purse binds. ``sums`` (2, BLOCK) is working memory."""
    sums[:] = 0.0
    for first in range(0, n, BLOCK):
        end = min(first + BLOCK, n)
        weight, curve, purse = firm[WEIGHT, first:end], firm[CURVE, first:end], firm[PURSE, first:end]
        for j in range(end - first):
            bound = curve[j] * cost > purse[j]
            sums[0, j] += 0.0 if bound else weight[j] * curve[j]
            sums[1, j] += weight[j] * purse[j] if bound else 0.0
    across(sums, found[BY_NEED:EVALUATIONS])


@helper
def _demand(price, found, firm, n, elasticity, segments, reference, sums):
    """Demand at ``price`` and its derivative by the logarithm of the price."""
    factor = (price / reference) ** -elasticity
    _firms(firm, n, factor * price, sums, found)
    found[EVALUATIONS] += 1.0
    total = found[BY_NEED] * factor
    slope = -elasticity * total
    money = found[BY_PURSE]
    total += money / price
    slope -= money / price
    ratio = math.log(price / reference)
    for s in range(segments.shape[0]):
        hours = segments[s, 0] * math.exp(-segments[s, 1] * ratio)
        total += hours
        slope -= segments[s, 1] * hours
    return total, slope


@kernel(
    [
        types.void(
            FLOAT_TABLE, types.int64, types.float64, FLOAT_TABLE, types.float64, types.float64, types.float64,
            types.float64, types.float64, VECTOR,
        )
    ]
)  # fmt: skip
def clear(firm, n, elasticity, segments, reference, supply, floor, ceiling, start, found):
    """Solve ``sum_s a_s (p/p0)^-e_s + sum_i w_i min(curve_i (p/p0)^-e, purse_i / p) = supply`` for p.

    ``segments`` (S, 2) hold a_s in hours and e_s, ``start`` is where the search begins. ``found`` gets the
    price, held between ``floor`` and ``ceiling``, demand there, and the two parts of firms' demand.
    Demand falls in the price, so there is one answer; in logarithms it is nearly straight, so Newton's
    step from inside the bracket takes a handful of evaluations of O(n) each; a step that leaves the bracket
    is replaced by its middle, and so is one after which the bracket has hardly shrunk.
    """
    found[EVALUATIONS] = 0.0
    sums = np.empty((2, BLOCK))
    total, slope = _demand(ceiling, found, firm, n, elasticity, segments, reference, sums)
    if total >= supply:
        found[PRICE], found[DEMAND] = ceiling, total
        return
    total, slope = _demand(floor, found, firm, n, elasticity, segments, reference, sums)
    if total <= supply:
        found[PRICE], found[DEMAND] = floor, total
        return
    low, high = math.log(floor), math.log(ceiling)
    at = math.log(min(max(start, floor), ceiling))
    if at <= low or at >= high:
        at = 0.5 * (low + high)
    price = math.exp(at)
    for round in range(ROUNDS):
        price = math.exp(at)
        total, slope = _demand(price, found, firm, n, elasticity, segments, reference, sums)
        if abs(total - supply) <= TOLERANCE * supply:
            break
        if total > supply:
            low = at
        else:
            high = at
        following = at
        if slope < 0.0 and total > 0.0:
            following = at - total * math.log(total / supply) / slope
        if round % 8 == 7 or not low < following < high:
            following = 0.5 * (low + high)
        if following <= low or following >= high:
            break  # no price between the two ends of the bracket
        at = following
    found[PRICE], found[DEMAND] = price, total
