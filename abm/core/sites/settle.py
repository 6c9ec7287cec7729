"""A month's cash of all sites, added up by owner.

Shapes: N sites that run, S all sites, O owners, I investors, V vintages, Z zones. Amounts are currency
a month unless said otherwise.
"""

from __future__ import annotations

import numpy as np

from abm.core.jit import kernel

(EARNED, POWER, DIRECT, OPERATION, DEBT_SERVICE, ARREARS, REPAYMENT, TAX, KEPT, ENERGY_MWH, FLOWS) = range(11)
"""Columns of ``by_owner``."""

(CALLED, INTEREST, POOLED, DIRECT_MWH, BILLED, SUMS) = range(6)
"""Places in ``sums``."""

(
    RATE,
    DIRECT_SHARE,
    DIRECT_PRICE,
    OPERATING_SHARE,
    SHELL_COST,
    COST_FACTOR,
    CONNECTION_COST,
    PROFIT_TAX,
    LIFE_MONTHS,
    SHELL_MONTHS,
    MW_PER_KW,
    MONTH,
    TERMS,
) = range(13)
"""Places in ``terms``: figures of the month and of the run."""

PROJECT = 2
"""Project finance, of :data:`abm.state.FINANCE`."""


@kernel(["float64(float64[::1], float64, float64, float64)"], allocates=False)
def shell_budget(terms, given, mw, waived):
    """Cost of a building and its connection; ``given`` is NaN where no figure was announced."""
    shell = mw * terms[SHELL_COST] if np.isnan(given) else given
    return shell * terms[COST_FACTOR] + mw * terms[CONNECTION_COST] * (1.0 - waived)


@kernel(
    [
        "void(float64[::1], int64[::1], int64[::1], float64[::1], float64, int64[::1], int64[::1], int64[::1],"
        "float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
        "float64[:, ::1], float64[::1], float64[:, ::1], float64[::1], float64[::1],"
        "float64[::1], float64[::1], float64[::1], float64[::1], float64[:, ::1], float64[:, ::1],"
        "float64[::1], float64[::1], float64[::1])"
    ],
    allocates=False,
)
def settle(
    terms,  # (TERMS,)
    rows,  # (N,) sites that run
    owner,  # (S,) number of the owner, 0 to O-1
    revenue,  # (N,) what they earn, in proportion to which they share in the
    income,  # from compute
    zone,  # (S,)
    finance,  # (S,)
    energised,  # (S,) month
    shell_cost,  # (S,)
    mw,  # (S,)
    waived,  # (S,)
    guaranteed,  # (S,)
    tenor,  # (S,) months
    paid_in,  # (S,)
    chips,  # (S,V)
    kw,  # (V,)
    equity_paid,  # (S,I)
    ai_load,  # (Z,) MWh served
    site_price,  # (Z,) currency/MWh
    loan,  # in and out (S,)
    months_served,  # in and out (S,)
    arrears,  # in and out (S,)
    cash,  # in and out (I,) what each investor got less what it paid; owners are the first of them
    by_owner,  # out (O,FLOWS)
    dividends,  # out (O,I)
    sums,  # out (SUMS,)
    draw,  # working memory (N,) MW of each site,
    by_zone,  # (Z,) and of each zone
):
    rate, month = terms[RATE], terms[MONTH]
    total = revenue.sum()
    part = income / total if total > 0.0 else 0.0
    by_zone[:] = 0.0
    for i in range(rows.size):
        row = rows[i]
        kilowatts = 0.0
        for v in range(kw.size):
            kilowatts += chips[row, v] * kw[v]
        draw[i] = kilowatts * terms[MW_PER_KW]
        by_zone[zone[row]] += draw[i]
    for i in range(rows.size):
        row = rows[i]
        o, z = owner[row], zone[row]
        energy = ai_load[z] * draw[i] / by_zone[z] if by_zone[z] > 0.0 else 0.0
        direct = terms[DIRECT_SHARE] * energy
        bill = energy * site_price[z]
        straight = min(direct * terms[DIRECT_PRICE], bill)
        shell = shell_budget(terms, shell_cost[row], mw[row], waived[row])
        operation = terms[OPERATING_SHARE] * shell / 12.0
        earned = revenue[i] * part
        left = earned - bill - operation
        by_owner[o, EARNED] += earned
        by_owner[o, POWER] += bill - straight
        by_owner[o, DIRECT] += straight
        by_owner[o, OPERATION] += operation
        by_owner[o, ENERGY_MWH] += energy
        sums[DIRECT_MWH] += direct
        sums[BILLED] += bill - straight
        if loan[row] > 0.0:
            owed = loan[row]
            months = max(tenor[row] - months_served[row], 1.0)
            due = owed * rate / (1.0 - (1.0 + rate) ** -months) if rate > 0.0 else owed / months
            due = min(due, owed * (1.0 + rate))
            months_served[row] += 1.0
            interest = owed * rate
            paid = min(due, max(left, 0.0)) if finance[row] == PROJECT else due
            called = guaranteed[row] * (due - paid)
            change = interest - paid - called
            short = due - paid - called
            loan[row] = max(owed + change, 0.0)
            arrears[row] = max(arrears[row] + short, 0.0) if short > 1e-9 else 0.0
            by_owner[o, DEBT_SERVICE] += paid
            by_owner[o, ARREARS] += max(change, 0.0)
            by_owner[o, REPAYMENT] += max(-change, 0.0)
            sums[CALLED] += called
            sums[INTEREST] += interest - max(short, 0.0)
            left -= paid
        young = month - energised[row] < terms[LIFE_MONTHS]
        written_off = paid_in[row] / max(terms[LIFE_MONTHS], 1.0) if young else 0.0
        tax = terms[PROFIT_TAX] * max(left - written_off, 0.0)
        by_owner[o, TAX] += tax
        left -= tax
        if finance[row] == PROJECT:
            sums[POOLED] += left
        held = 0.0
        for j in range(equity_paid.shape[1]):
            held += equity_paid[row, j]
        if left > 0.0 and held > 0.0:
            for j in range(equity_paid.shape[1]):
                dividends[o, j] += left * equity_paid[row, j] / held
        else:
            # A shortfall is paid in by the owner.
            by_owner[o, KEPT] += left
    for o in range(by_owner.shape[0]):
        cash[o] += by_owner[o, KEPT]
        for j in range(cash.size):
            cash[j] += dividends[o, j]


@kernel(
    ["float64(float64, int64, int64, int64[::1], int64[::1], float64[::1], float64[:, ::1])"], allocates=False
)
def capitalise(
    rate,  # a month
    count,  # sites
    running,  # the status of a site that runs
    status,  # (S,)
    owner,  # (S,) number of the owner
    loan,  # in and out (S,)
    lent,  # out (O, k) interest by owner, once for each of the k accounts that move
):
    """Lend the interest of sites that do not run yet on top of their loans; returns the sum of it."""
    total = 0.0
    for row in range(count):
        if loan[row] > 0.0 and status[row] != running:
            interest = loan[row] * rate
            loan[row] += interest
            total += interest
            for k in range(lent.shape[1]):
                lent[owner[row], k] += interest
    return total


@kernel(
    [
        "void(float64[::1], int64, int64[::1], int64[::1], int64, float64[::1], float64[::1], float64[::1],"
        "float64[::1], float64[::1], float64[:, ::1], float64[:, ::1], float64[::1])"
    ],
    allocates=False,
)
def book_shares(
    terms,  # (TERMS,)
    count,  # sites
    status,  # (S,)
    energised,  # (S,) month
    running,  # the status of a site that runs
    shell_cost,  # (S,)
    mw,  # (S,)
    waived,  # (S,)
    paid_in,  # (S,)
    gpus,  # (S,) planned
    chips,  # (S,V)
    chip_age,  # (S,V) mean month of delivery
    out,  # (S,)
):
    """Share of each site's cost that is not written off: the building over its life, machines by their age."""
    month = terms[MONTH]
    for row in range(count):
        out[row] = 1.0
        if status[row] != running:
            continue
        paid = paid_in[row]
        shell = shell_budget(terms, shell_cost[row], mw[row], waived[row])
        shell = min(shell / paid, 1.0) if paid > 0.0 else 0.0
        machines, standing = 0.0, 0.0
        for v in range(chips.shape[1]):
            if chips[row, v] == 0.0:
                continue
            standing += chips[row, v]
            machines += chips[row, v] * max(1.0 - (month - chip_age[row, v]) / terms[LIFE_MONTHS], 0.0)
        whole = max(max(gpus[row], standing), 1.0)
        left = max(1.0 - (month - energised[row]) / terms[SHELL_MONTHS], 0.0)
        out[row] = shell * left + (1.0 - shell) * min(machines / whole, 1.0)


@kernel(
    [
        "void(float64[::1], int64, int64[::1], int64[::1], int64, float64[::1], float64[::1], float64[::1],"
        "float64[::1], float64[::1], float64[:, ::1], float64[:, ::1], int64[::1], float64[:, ::1], float64[::1],"
        "float64[::1], float64[::1], float64[::1])"
    ],
    allocates=False,
)
def profits(
    terms,  # (TERMS,)
    count,  # sites
    status,  # (S,)
    energised,  # (S,) month
    running,  # the status of a site that runs
    shell_cost,  # (S,)
    mw,  # (S,)
    waived,  # (S,)
    paid_in,  # (S,)
    gpus,  # (S,) planned
    chips,  # (S,V)
    chip_age,  # (S,V) mean month of delivery
    owner,  # (S,) number of the owner, 0 to O-1
    equity_paid,  # (S,I)
    deposits,  # (S,) what owners have deposited with chip makers
    cash,  # (I,) what each investor got less what it paid; owners are the first of them
    share,  # out (S,) of each site's cost that is not written off
    out,  # (I,)
):
    """What each investor got less what it paid, with what it holds in sites at book value."""
    book_shares(
        terms, count, status, energised, running, shell_cost, mw, waived, paid_in, gpus, chips, chip_age, share
    )  # fmt: skip
    for i in range(cash.size):
        out[i] = cash[i]
    for row in range(count):
        for i in range(out.size):
            out[i] += share[row] * equity_paid[row, i]
        out[owner[row]] += deposits[row]
