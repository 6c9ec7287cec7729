"""Nested logit with an outside option, and overflow to the next choice where capacity ends."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from abm.core.jit import helper, kernel

VECTOR = types.float64[::1]
LEFT = 1e-9
"""Room in MW that counts as none, and the part of demand that may go unplaced."""


@helper
def _choice(utility, open_to, nest, scale, shares, inclusive, largest):
    inclusive[:] = 0.0
    largest[:] = -np.inf
    n = utility.size
    for i in range(n):
        if open_to[i]:
            largest[nest[i]] = max(largest[nest[i]], utility[i])
    for i in range(n):
        # Relative to the nest's best, so that no exponential overflows.
        shares[i] = math.exp((utility[i] - largest[nest[i]]) / scale) if open_to[i] else 0.0
        inclusive[nest[i]] += shares[i]
    top = 0.0
    for k in range(inclusive.size):
        if inclusive[k] > 0.0:
            top = max(top, largest[k] + scale * math.log(inclusive[k]))
    total = math.exp(-top)
    for k in range(inclusive.size):
        if inclusive[k] > 0.0:
            total += math.exp(largest[k] + scale * math.log(inclusive[k]) - top)
    placed = 0.0
    for i in range(n):
        if open_to[i]:
            k = nest[i]
            shares[i] *= math.exp(largest[k] + scale * math.log(inclusive[k]) - top) / inclusive[k] / total
            placed += shares[i]
    return placed


@kernel([types.void(VECTOR, types.boolean[::1], types.int64[::1], types.int64, types.float64, VECTOR)])
def choice(utility, open_to, nest, nests, scale, shares):
    """Shares of the alternatives in ``open_to``; what is missing to one goes to an outside option of utility 0.

    ``shares_i = exp(u_i/n)/S x S^n / (1 + sum_nests S^n)`` with ``S = sum_nest exp(u/n)`` (McFadden 1978).
    """
    _choice(utility, open_to, nest, scale, shares, np.empty(nests), np.empty(nests))


@kernel([types.void(VECTOR, VECTOR, types.int64[::1], types.int64, types.float64, types.float64, VECTOR)])
def overflow(utility, room, nest, nests, scale, demand, hosted):
    """Place ``demand`` (MW): what an alternative has no ``room`` for chooses again among those that have."""
    n = utility.size
    shares, inclusive, largest = np.empty(n), np.empty(nests), np.empty(nests)
    open_to = np.empty(n, np.bool_)
    hosted[:] = 0.0
    left = demand
    for _ in range(n):
        some = False
        for i in range(n):
            open_to[i] = room[i] - hosted[i] > LEFT
            some = some or open_to[i]
        if left <= LEFT or not some:
            return
        placed = _choice(utility, open_to, nest, scale, shares, inclusive, largest)
        taken = 0.0
        for i in range(n):
            if open_to[i]:
                add = min(left * shares[i], room[i] - hosted[i])
                hosted[i] += add
                taken += add
        left = left * placed - taken
        if left < LEFT * demand:
            return


@kernel(
    [
        types.float64(
            VECTOR, VECTOR, types.int64, types.float64, types.float64, VECTOR, types.int64[::1], types.int64,
            types.float64, types.float64, VECTOR, VECTOR,
        )
    ]
)  # fmt: skip
def host(capacity, coming, home, home_room, share, utility, nest, nests, scale, demand, hosted, used):
    """A month of all countries; returns the MW that they host together.

    ``capacity`` (countries,) MW grows by what is ``coming``, at ``home`` it is ``home_room``. Others open the
    ``share`` of theirs to demand from abroad; ``hosted`` gets the MW placed, ``used`` the part of the room.
    """
    n = capacity.size
    room = np.empty(n)
    for i in range(n):
        capacity[i] = home_room if i == home else capacity[i] + coming[i]
        room[i] = home_room if i == home else max(capacity[i] * share, 0.0)
    overflow(utility, room, nest, nests, scale, demand, hosted)
    total = 0.0
    for i in range(n):
        used[i] = hosted[i] / room[i] if room[i] > LEFT else 0.0
        total += hosted[i]
    return total
