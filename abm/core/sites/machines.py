"""Machines that wait are put to work; those that no longer pay, or are too old, go."""

from __future__ import annotations

from abm.core.jit import kernel

(MONTH, LIFE_MONTHS, MW_PER_KW, OVERBOOKING, RENT, POWER, TERMS) = range(7)
"""Places in ``terms``. RENT: of an H100-equivalent, a year; POWER: MWh a year that a kW of machine takes, with the
overhead of running it."""


@kernel(
    [
        "int64(float64[::1], int64, int64, int64[::1], float64[::1], int64[::1], float64[::1], float64[::1],"
        "int64[::1], float64[:, ::1], float64[::1], float64[:, ::1], float64[:, ::1], int64[::1], int64[::1],"
        "float64[::1], boolean[::1])"
    ],
    allocates=False,
)
def turn_over(
    terms,  # (TERMS,)
    count,  # sites
    energised,  # status of sites with power
    status,  # (S,)
    mw,  # (S,)
    zone,  # (S,)
    h100e,  # (V,)
    kw,  # (V,)
    best,  # (V,) vintages, the most efficient first
    chip_age,  # (S,V) mean month of delivery
    site_price,  # (Z,) of a MWh
    store,  # (S,V) waiting; brought up to date
    chips,  # (S,V) at work; brought up to date
    rows,  # (S * V,) out
    vintages,  # (S * V,) out
    scrapped,  # (S * V,) out: machines
    by_age,  # (S * V,) out: at the end of its life, else rent no longer pays
):
    """Put waiting machines to work as far as a site's power allows, the most efficient first; scrap what is past its time.

    Machines go at the end of their life, or when a year of rent no longer pays their running cost. Returns how
    many kinds go.
    """
    found = 0
    for row in range(count):
        waiting, draw = 0.0, 0.0
        for v in range(kw.size):
            waiting += store[row, v]
            draw += chips[row, v] * kw[v]
        if waiting > 0.0 and status[row] == energised:
            room = mw[row] * terms[OVERBOOKING] - draw * terms[MW_PER_KW]
            for v in best:
                if store[row, v] <= 0.0 or room <= 0.0:
                    continue
                each = kw[v] * terms[MW_PER_KW]
                moved = min(store[row, v], room / each)
                store[row, v] -= moved
                chips[row, v] += moved
                room -= moved * each
        for v in range(kw.size):
            if chips[row, v] <= 0.0:
                continue
            age = terms[MONTH] - chip_age[row, v]
            old = age >= terms[LIFE_MONTHS] - 1e-6
            cost = kw[v] * terms[POWER] * site_price[zone[row]]
            if old or (age >= 12.0 and h100e[v] * terms[RENT] < cost):
                rows[found], vintages[found], by_age[found] = row, v, old
                scrapped[found] = chips[row, v]
                chips[row, v] = 0.0
                found += 1
    return found
