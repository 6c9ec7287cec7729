"""How the owners of machines divide a month's hours, and what the hours bring in."""

from __future__ import annotations

from numba import types

from abm.core.jit import kernel

VECTOR, INDEX, TABLE = types.float64[::1], types.int64[::1], types.float64[:, ::1]
MADE, CAPTIVE, RESERVED, STATE, OPEN, PARTS = range(6)
"""Rows of ``parts``: hours made, kept by the owner, sold ahead, of state machines, left to the market."""
MW, ROOM, DUE, TOTALS = PARTS, PARTS + 1, PARTS + 2, PARTS + 3
"""Places in ``total`` after the sums of ``parts``: MW of all sites that offer, of these what private owners
do not use themselves, and how many private sites have no contract that still holds."""
CAPTIVE_PAID, RESERVED_PAID, SPARE_HOURS, HOSTING_PAID, PAID = range(5)
"""Places in ``paid``: own use at the spot price, hours sold ahead, spare hours of state machines, what the
state pays hosts."""


@kernel(
    [
        types.int64(
            types.int64, types.float64, types.int64, types.int64, types.int64, types.int64, INDEX, INDEX, INDEX,
            INDEX, INDEX, VECTOR, VECTOR, VECTOR, INDEX, VECTOR, TABLE, VECTOR, VECTOR, INDEX, TABLE, VECTOR,
        )
    ],
    allocates=False,
)  # fmt: skip
def divide(
    month,
    hours,  # of a machine this month
    count,  # sites
    running,  # status of sites at work,
    ai,  # kind and
    public,  # finance of those that
    status,  # (S,) count, and of the state's machines
    kind,  # (S,)
    finance,  # (S,)
    owner,  # (S,) row of the cast
    zone,  # (S,)
    mw,  # (S,)
    own_use,  # (S,) largest share of its hours that an owner keeps
    anchor,  # (S,) share of the rest that is sold ahead
    contract_until,  # (S,) month
    unserved,  # (Z,) share of the load that power did not serve
    chips,  # (S, V) machines
    h100e,  # (V,)
    asked,  # (cast,) hours that owners want for themselves; negative: as much as they may
    rows,  # (S,) gets the sites at work
    parts,  # (PARTS, S) gets their hours, in the order of ``rows``
    total,  # (TOTALS,)
):
    """Split each working site's hours; returns how many sites there are.

    An owner keeps what it ``asked`` for, site after site up to ``own_use`` of each; one that asked for
    nothing keeps as much as it may. Of the rest the share ``anchor`` is sold ahead. Machines of the
    state are set apart. ``asked`` is used up.
    """
    n = 0
    for k in range(TOTALS):
        total[k] = 0.0
    for row in range(count):
        if status[row] != running or kind[row] != ai:
            continue
        whole = 0.0
        for v in range(h100e.size):
            whole += chips[row, v] * h100e[v]
        whole *= hours
        made = whole * (1.0 - unserved[zone[row]])
        captive, reserved, of_state, left = 0.0, 0.0, 0.0, 0.0
        total[MW] += mw[row]
        if finance[row] == public:
            of_state = made
        else:
            most, who = own_use[row] * whole, owner[row]
            captive = min(most, made)
            if asked[who] >= 0.0:
                wish = min(most, asked[who])
                asked[who] -= wish
                captive = min(wish, made)
            reserved = anchor[row] * (made - captive)
            left = made - captive - reserved
            total[ROOM] += mw[row] * (1.0 - own_use[row])
            total[DUE] += 1.0 if contract_until[row] < month else 0.0
        rows[n] = row
        parts[MADE, n], parts[CAPTIVE, n], parts[RESERVED, n] = made, captive, reserved
        parts[STATE, n], parts[OPEN, n] = of_state, left
        for k in range(PARTS):
            total[k] += parts[k, n]
        n += 1
    return n


@kernel(
    [
        types.void(
            types.int64, INDEX, INDEX, VECTOR, TABLE, types.float64, types.float64, types.float64, types.float64,
            types.float64, types.float64, VECTOR, VECTOR, VECTOR,
        )
    ],
    allocates=False,
)  # fmt: skip
def earn(
    n,  # sites at work
    rows,  # (S,) which
    owner,  # (S,)
    contract_price,  # (S,) of hours sold ahead
    parts,  # (PARTS, S)
    price,  # spot
    mean_price,  # of open hours, unsold ones included
    running_cost,  # of an hour
    public_hours,  # that researchers and holders of vouchers had
    spare_share,  # of the state's hours that went to the market
    used_share,  # of open hours that was sold
    revenue,  # (S,) gets what each site earns, in the order of ``rows``
    sold,  # (cast,) gets hours sold or given by owner
    paid,  # (PAID,)
):
    """What each site earns, and whose hours were sold.

    Own use counts at the spot price, hours sold ahead at their contract's, open ones at the mean. Of state
    machines the state has what their hours bring, and pays the hosts what running them costs.
    """
    for k in range(PAID):
        paid[k] = 0.0
    for who in range(sold.size):
        sold[who] = 0.0
    of_state = 0.0
    for i in range(n):
        of_state += parts[STATE, i]
    spare = of_state * spare_share
    rate = (public_hours + spare * used_share) * running_cost / of_state if of_state > 0.0 else 0.0
    paid[SPARE_HOURS] = spare
    for i in range(n):
        captive = parts[CAPTIVE, i] * price
        reserved = parts[RESERVED, i] * contract_price[rows[i]]
        hosting = parts[STATE, i] * rate
        revenue[i] = captive + reserved + parts[OPEN, i] * mean_price + hosting
        paid[CAPTIVE_PAID] += captive
        paid[RESERVED_PAID] += reserved
        paid[HOSTING_PAID] += hosting
        opened = parts[OPEN, i] + parts[STATE, i] * spare_share
        sold[owner[rows[i]]] += opened * used_share + parts[STATE, i]


@kernel([types.void(VECTOR, INDEX, INDEX, INDEX, VECTOR, types.float64, VECTOR)], allocates=False)
def deliver(sold, edges, seller, group, living, hours, flow):
    """Spread ``hours`` over ``edges`` of the supply graph, by what sellers ``sold`` and firms ``living`` in groups.

    ``flow`` (edges of the graph) grows by each edge's part; nothing moves where nobody sold or lives.
    """
    total, alive = 0.0, 0.0
    for who in range(sold.size):
        total += sold[who]
    for g in range(living.size):
        alive += living[g]
    if total <= 0.0 or alive <= 0.0:
        return
    part = hours / total / alive
    for k in range(edges.size):
        flow[edges[k]] += sold[seller[k]] * living[group[k]] * part


@kernel([types.float64(types.int64, TABLE, VECTOR, VECTOR, types.float64, VECTOR)], allocates=False)
def power_cost(count, chips, kw, h100e, newest, prices):
    """Mean price of a MWh (``prices`` by zone) times the kW of an H100-equivalent, mean over what is installed.

    ``chips`` (S, V) are machines of the first ``count`` sites, ``kw`` and ``h100e`` (V,) what they draw and
    do; where there are none the ``newest`` machine counts (kW for each H100-equivalent).
    """
    drawn, done = 0.0, 0.0
    for row in range(count):
        for v in range(kw.size):
            drawn += chips[row, v] * kw[v]
            done += chips[row, v] * h100e[v]
    price = 0.0
    for zone in range(prices.size):
        price += prices[zone]
    return (drawn / done if done > 0.0 else newest) * price / prices.size
