"""How many AI professionals each user needs, and how those that there are are shared."""

from __future__ import annotations

import numpy as np
from numba import types

from ..jit import helper, kernel
from .rules import FLOATS, INTS, share_out

VECTOR, INDEX = types.float64[::1], types.int64[::1]
NEEDED, WORST, FOUND = range(3)
"""Places in ``found``: people needed by all, and the least part of its need that a user has (1 where nobody
goes short)."""


@helper
def needs(
    count, running, ai, status, kind, owner, mw, place, owners, per_mw, load, living, per_firm, others, need
):  # fmt: skip
    """People go with the load at work, of which an owner has the part that it has of megawatts; returns the sum."""
    for user in range(need.size):
        need[user] = 0.0
    whole, drawn = 0.0, 0.0
    for row in range(count):
        if status[row] == running and kind[row] == ai and place[owner[row]] >= 0:
            need[place[owner[row]]] += mw[row]
            whole += mw[row]
    for zone in range(load.size):
        drawn += load[zone]
    rate = per_mw * drawn / whole if whole > 0.0 else 0.0
    total = 0.0
    for user in range(owners):
        need[user] *= rate
        total += need[user]
    for g in range(living.size):
        need[owners + g] = living[g] * per_firm
        total += need[owners + g]
    need[need.size - 1] = others
    return total + others


@kernel(
    [
        types.void(
            types.int64, types.int64, types.int64, INDEX, INDEX, INDEX, VECTOR, INDEX, types.int64, types.float64,
            VECTOR, VECTOR, types.float64, types.float64, types.int64, INDEX, types.float64, VECTOR, VECTOR, VECTOR,
        )
    ]
)  # fmt: skip
def staff(
    count,  # sites
    running,  # status of sites at work and
    ai,  # kind of those that count
    status,  # (S,)
    kind,  # (S,)
    owner,  # (S,) row of the cast
    mw,  # (S,)
    place,  # (cast,) where an owner stands among the users; -1: nowhere
    owners,  # users that own sites; they come first
    per_mw,  # people for each MW of load
    load,  # (Z,) MW at work
    living,  # (groups,) firms, the users that come next
    per_firm,
    others,  # what the last user needs
    rule,  # by which people are shared where there are too few, ``rules``' code
    tier,  # (users,) class
    people,  # that there are
    need,  # (users,) gets the people needed
    served,  # (users,) gets the part of its need that a user has; stays where it needs nobody
    found,  # (FOUND,)
):
    """Count the needs, and share the people by a rule of :mod:`.rules`, a user's need being its weight too."""
    n = need.size
    needed = needs(
        count, running, ai, status, kind, owner, mw, place, owners, per_mw, load, living, per_firm, others, need
    )
    found[NEEDED], found[WORST] = needed, 1.0
    if people >= needed:
        served[:] = 1.0
        return
    f, k, got, part = np.empty((FLOATS, n)), np.empty((INTS, n), np.int64), np.empty(n), np.empty(n)
    for user in range(n):
        part[user] = need[user] / max(needed, 1.0)
    share_out(rule, False, need, need, part, tier, k[2], part, n, people, got, k[6], f, k)
    for user in range(n):
        if need[user] > 0.0:
            served[user] = got[user] / need[user]
            found[WORST] = min(found[WORST], served[user])


@kernel([types.void(types.float64, INDEX, VECTOR, VECTOR, VECTOR, VECTOR)])
def join(
    people,  # that have been trained
    edges,  # (users,) edges of the supply graph over which they come, negative: none
    need,  # (users,) people needed
    served,  # (users,) part of the need that there are people for
    moved,  # (edges of the supply graph,) brought up to date: who goes to whom
    asked,  # (edges of the supply graph,) brought up to date: people missing
):
    """Those trained go where people are missing, in proportion; nowhere if nobody misses any."""
    total = 0.0
    for user in range(edges.size):
        if edges[user] >= 0:
            total += need[user] * (1.0 - served[user])
    if total <= 0.0:
        return
    for user in range(edges.size):
        if edges[user] >= 0:
            missing = need[user] * (1.0 - served[user])
            moved[edges[user]] += people * missing / total
            asked[edges[user]] += missing
