"""Delivered machines go to work; old ones are found."""

from __future__ import annotations

from abm.core.jit import kernel

(MW_PER_KW, OVERBOOKING) = range(2)
"""Places in ``terms`` of :func:`install`."""

(MONTH, LIFE_MONTHS, RENT_FACTOR, POWER_FACTOR) = range(4)
"""Places in ``terms`` of :func:`worn_out`; RENT_FACTOR: a year's rent of an H100-equivalent, POWER_FACTOR: MWh a year
that a kW of machine takes, with the overhead of running it."""


@kernel(
    [
        "void(float64[::1], int64, int64, int64[::1], float64[::1], float64[::1], int64[::1], float64[:, ::1],"
        "float64[:, ::1])"
    ],
    allocates=False,
)
def install(
    terms,  # (2,)
    count,  # sites
    energised,  # status of sites with power
    status,  # (S,)
    mw,  # (S,)
    kw,  # (V,)
    best,  # (V,) vintages, the most efficient first
    store,  # (S,V) waiting
    chips,  # (S,V) at work
):
    """Put waiting machines to work as far as the site's power allows."""
    for row in range(count):
        if status[row] != energised:
            continue
        waiting = 0.0
        draw = 0.0
        for v in range(kw.size):
            waiting += store[row, v]
            draw += chips[row, v] * kw[v]
        if waiting <= 0.0:
            continue
        room = mw[row] * terms[OVERBOOKING] - draw * terms[MW_PER_KW]
        for v in best:
            if store[row, v] <= 0.0 or room <= 0.0:
                continue
            each = kw[v] * terms[MW_PER_KW]
            moved = min(store[row, v], room / each)
            store[row, v] -= moved
            chips[row, v] += moved
            room -= moved * each


@kernel(
    [
        "int64(float64[::1], int64, float64[:, ::1], float64[:, ::1], float64[::1], float64[::1], int64[::1],"
        "float64[::1], int64[::1], int64[::1], boolean[::1])"
    ],
    allocates=False,
)
def worn_out(
    terms,  # (4,)
    count,  # sites
    chips,  # (S,V) at work
    chip_age,  # (S,V) mean month of delivery
    h100e,  # (V,)
    kw,  # (V,)
    zone,  # (S,)
    site_price,  # (Z,) of a MWh
    rows,  # (S * V,) out
    vintages,  # (S * V,) out
    by_age,  # (S * V,) out: at the end of its life, else rent no longer pays
):
    """Machines at the end of their life, and those that a year of rent no longer pays for; returns how many kinds."""
    found = 0
    for row in range(count):
        for v in range(kw.size):
            if chips[row, v] <= 0.0:
                continue
            age = terms[MONTH] - chip_age[row, v]
            old = age >= terms[LIFE_MONTHS] - 1e-6
            cost = kw[v] * terms[POWER_FACTOR] * site_price[zone[row]]
            if old or (age >= 12.0 and h100e[v] * terms[RENT_FACTOR] < cost):
                rows[found], vintages[found], by_age[found] = row, v, old
                found += 1
    return found
