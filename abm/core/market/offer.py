"""How the owners of machines divide a month's hours."""

from __future__ import annotations

from numba import types

from abm.core.jit import kernel

VECTOR, FLAGS, INDEX = types.float64[::1], types.boolean[::1], types.int64[::1]
MADE, CAPTIVE, RESERVED, STATE, OPEN, PARTS = range(6)
"""Rows of ``parts``: hours made, kept by the owner, sold ahead, of state machines, left to the market."""


@kernel([types.void(VECTOR, FLAGS, INDEX, VECTOR, VECTOR, VECTOR, types.float64[:, ::1])], allocates=False)
def divide(made, of_state, owner, keeps_most, anchor, asked, parts):
    """Split each site's ``made`` hours. Shapes: (S,) by site, ``asked`` by owner, ``parts`` (PARTS, S).

    An owner keeps what it ``asked`` for, site after site up to ``keeps_most`` of each; one that asked for
    nothing (a negative number) keeps ``keeps_most``. Of the rest the share ``anchor`` is sold ahead.
    Machines of the state are set apart. ``asked`` is used up.
    """
    for i in range(made.size):
        parts[MADE, i] = made[i]
        for k in range(CAPTIVE, PARTS):
            parts[k, i] = 0.0
        if of_state[i]:
            parts[STATE, i] = made[i]
            continue
        keep = min(keeps_most[i], made[i])
        if asked[owner[i]] >= 0.0:
            wish = min(keeps_most[i], asked[owner[i]])
            asked[owner[i]] -= wish
            keep = min(wish, made[i])
        parts[CAPTIVE, i] = keep
        parts[RESERVED, i] = anchor[i] * (made[i] - keep)
        parts[OPEN, i] = made[i] - keep - parts[RESERVED, i]
