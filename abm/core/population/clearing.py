"""One price at which heterogeneous demand takes up the supply."""

from __future__ import annotations

import math

from numba import types

from abm.core.jit import helper, kernel

from .columns import CURVE, FLOAT_TABLE, GROUP, PURSE, TAG_TABLE, VECTOR

TOLERANCE = 1e-12
"""Demand at the price found differs from supply by no more than this part of it, unless the bracket has
shrunk to two neighbouring prices."""
ROUNDS = 200
PRICE, DEMAND, BY_NEED, BY_PURSE, EVALUATIONS, FOUND = range(6)
"""Places in ``found``: firms' demand is ``BY_NEED (p/p0)^-e + BY_PURSE / p`` at the price."""


@helper
def _firms(firm, tag, n, weight, elasticity, reference, price):
    """Firms' demand at ``price``, as the coefficient of those whose need and the money of those whose purse binds."""
    curve, purse, group = firm[CURVE], firm[PURSE], tag[GROUP]
    factor = (price / reference) ** -elasticity
    cost = factor * price
    need, money = 0.0, 0.0
    for first in range(0, n, 1024):  # in blocks, so that rounding does not grow with the population
        a, m = 0.0, 0.0
        for i in range(first, min(first + 1024, n)):
            w = weight[group[i]]
            bound = curve[i] * cost > purse[i]
            a += 0.0 if bound else w * curve[i]
            m += w * purse[i] if bound else 0.0
        need += a
        money += m
    return need, money


@helper
def _demand(price, found, firm, tag, n, weight, elasticity, segments, reference):
    """Demand at ``price`` and its derivative by the logarithm of the price."""
    need, money = _firms(firm, tag, n, weight, elasticity, reference, price)
    found[BY_NEED], found[BY_PURSE] = need, money
    found[EVALUATIONS] += 1.0
    total = need * (price / reference) ** -elasticity
    slope = -elasticity * total
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
            FLOAT_TABLE, TAG_TABLE, types.int64, VECTOR, types.float64, FLOAT_TABLE, types.float64,
            types.float64, types.float64, types.float64, types.float64, VECTOR,
        )
    ],
    allocates=False,
)  # fmt: skip
def clear(firm, tag, n, weight, elasticity, segments, reference, supply, floor, ceiling, start, found):
    """Solve ``sum_s a_s (p/p0)^-e_s + sum_i w_i min(curve_i (p/p0)^-e, purse_i / p) = supply`` for p.

    ``segments`` (S, 2) hold a_s in hours and e_s, ``start`` is where the search begins. ``found`` gets the
    price, held between ``floor`` and ``ceiling``, demand there, and the two parts of firms' demand.
    Demand falls in the price, so there is one answer; in logarithms it is nearly straight, so Newton's
    step from inside the bracket takes a handful of evaluations of O(n) each; a step that leaves the bracket
    is replaced by its middle, and so is one after which the bracket has hardly shrunk.
    """
    found[EVALUATIONS] = 0.0
    total, slope = _demand(ceiling, found, firm, tag, n, weight, elasticity, segments, reference)
    if total >= supply:
        found[PRICE], found[DEMAND] = ceiling, total
        return
    total, slope = _demand(floor, found, firm, tag, n, weight, elasticity, segments, reference)
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
        total, slope = _demand(price, found, firm, tag, n, weight, elasticity, segments, reference)
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
