"""How many AI professionals each user needs."""

from __future__ import annotations

from numba import types

from abm.core.jit import kernel

VECTOR, INDEX = types.float64[::1], types.int64[::1]


@kernel(
    [
        types.float64(
            types.int64, types.int64, types.int64, INDEX, INDEX, INDEX, VECTOR, INDEX, types.int64,
            types.float64, VECTOR, VECTOR, types.float64, types.float64, VECTOR,
        )
    ],
    allocates=False,
)  # fmt: skip
def needs(
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
    need,  # (users,) gets the people
):
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
