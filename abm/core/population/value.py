"""What entering is worth: a firm with an uncertain quality that may stop at every birthday."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from abm.core.jit import kernel

from .columns import FLOAT_TABLE, VECTOR

FIXED = types.Array(types.float64, 1, "C", readonly=True)
NODES = 25
ROUNDS = 400
SETTLED = 1e-10


@kernel([types.void(VECTOR, types.float64, types.float64, types.float64, VECTOR)])
def worth_of_entry(ratio, spread, persistence, discount, worth):
    """``worth[j]`` = expected value of entry, in years of cost, where earnings are ``ratio[j] q`` times cost.

    The logarithm of q has mean -spread^2/2, standard deviation ``spread`` and yearly autocorrelation
    ``persistence``; an entrant pays a year's cost before it knows q, then stays while that is worth more
    than leaving (Hopenhayn 1992, eq. 4): ``V(q) = a q - 1 + E max(V(q'), 0) / (1 + discount)``. q moves on
    a grid of binomial weights that keeps its mean, variance and autocorrelation (Rouwenhorst 1995).
    """
    stay = 0.5 * (1.0 + persistence)
    chance = np.zeros((NODES, NODES))
    chance[0, 0] = 1.0
    for size in range(2, NODES + 1):
        new = np.zeros((NODES, NODES))
        for i in range(size - 1):
            for j in range(size - 1):
                new[i, j] += stay * chance[i, j]
                new[i, j + 1] += (1.0 - stay) * chance[i, j]
                new[i + 1, j] += (1.0 - stay) * chance[i, j]
                new[i + 1, j + 1] += stay * chance[i, j]
        for i in range(1, size - 1):
            for j in range(size):
                new[i, j] *= 0.5
        chance = new
    quality, first = np.empty(NODES), np.empty(NODES)
    weight, mean = 0.5 ** (NODES - 1), 0.0
    for i in range(NODES):
        step = (2.0 * i / (NODES - 1) - 1.0) * math.sqrt(NODES - 1.0)
        quality[i] = math.exp(spread * step - 0.5 * spread * spread)
        first[i] = weight
        mean += weight * quality[i]
        weight *= (NODES - 1.0 - i) / (i + 1.0)
    for i in range(NODES):
        quality[i] /= mean
    keep = 1.0 / (1.0 + discount)
    value, best = np.zeros(NODES), np.empty(NODES)
    for j in range(ratio.size):
        for _ in range(ROUNDS):
            change = 0.0
            for i in range(NODES):
                best[i] = max(value[i], 0.0)
            for i in range(NODES):
                ahead = 0.0
                for k in range(NODES):
                    ahead += chance[i, k] * best[k]
                fresh = ratio[j] * quality[i] - 1.0 + keep * ahead
                change = max(change, abs(fresh - value[i]))
                value[i] = fresh
            if change <= SETTLED * max(ratio[j], 1.0):
                break
        total = 0.0
        for i in range(NODES):
            total += first[i] * value[i]
        worth[j] = total


@kernel([types.void(FLOAT_TABLE, FIXED, FIXED, VECTOR)], allocates=False)
def worth_at(seen, ratio, table, worth):
    """``worth`` (groups,) of entry at the mean of the ratios ``seen`` (months, groups).

    ``table`` is what :func:`worth_of_entry` wrote for the rising ``ratio``: straight lines lie between, and the last
    of them goes on beyond.
    """
    months, last = seen.shape[0], ratio.size - 1
    for g in range(worth.size):
        mean = 0.0
        for month in range(months):
            mean += seen[month, g]
        mean = max(mean / months, ratio[0])
        k = 1
        while k < last and ratio[k] < mean:
            k += 1
        slope = (table[k] - table[k - 1]) / (ratio[k] - ratio[k - 1])
        worth[g] = table[k - 1] + slope * (mean - ratio[k - 1])
