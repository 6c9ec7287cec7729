"""What is spent on sites, shared among those who pay for it and added up by owner.

Shapes: N spendings, S sites, O owners, I investors (owners are the first of them), P payees. Amounts are currency.
"""

from __future__ import annotations

from abm.core.jit import kernel

(SUPPORT, LOAN, CLAIM, OTHERS) = range(4)
"""First columns of ``by_owner``: public support, loans and the lenders' claims from them. After them come the
equity that each of I investors hands over, the equity that each of I then holds, and what each of P payees gets."""

(SUPPORTED, COMMITTED, DEPLOYED, POOLED, SUMS) = range(5)
"""Places in ``sums``: public support; what is committed when it is paid for; money of lenders and owners; equity paid
into sites with project finance."""

BUILDERS, CHIP_MAKERS = 0, 1
"""Places among payees; chip makers are the last, in their order."""

PROJECT = 2
"""Project finance, of :data:`abm.state.FINANCE`."""

FRESH_MONTHS = 12
"""Until so long after its start a site draws on its lenders and investors; later its owner pays."""


@kernel(
    [
        "void(int64, int64, int64[::1], float64[::1], int64[::1], float64[::1], int64[::1], int64[::1], int64[::1],"
        "int64[::1], float64[::1], float64[::1], float64[::1], float64[:, ::1], float64[::1], float64[::1], float64[::1],"
        "float64[:, ::1], float64[::1], float64[::1], int64[:, ::1], float64[::1], float64[:, ::1], float64[::1])"
    ],
    allocates=False,
)
def draw(
    month,
    decided,  # status of a site under way
    rows,  # (N,) sites; one may come more than once
    amounts,  # (N,)
    payee,  # (N,) who is paid, 0 to P-1
    refill_support,  # (P,) share of the price of later machines that the state pays
    owner,  # (S,) number of the owner
    status,  # (S,)
    energised,  # (S,) month
    finance,  # (S,)
    cost,  # (S,) of the whole site as decided; 0 where it was under way at the start
    support,  # (S,) share that the state pays of a site as decided
    loan_share,  # (S,)
    equity,  # (S,I) agreed shares
    loan,  # in and out (S,)
    drawn,  # in and out (S,)
    paid_in,  # in and out (S,)
    equity_paid,  # in and out (S,I)
    deployed,  # in and out (I,)
    cash,  # in and out (I,)
    edge,  # (O,OTHERS+2I+P) of the supply graph, over which what is added up moves; negative: none
    moved,  # in and out (E,) what moved on each edge this month
    by_owner,  # out (O,OTHERS+2I+P)
    sums,  # out (SUMS,)
):
    """Share each spending among public support, lenders and equity holders; add up what is to be posted, book what moves.

    A site that is decided, or opened within a year, is paid for as it was decided; later purchases are
    refills, which the owner pays with the support of the month.
    """
    investors = cash.size
    by_owner[:] = 0.0
    sums[:] = 0.0
    for n in range(rows.size):
        row, amount = rows[n], amounts[n]
        if amount <= 0.0:
            continue
        o = owner[row]
        fresh = status[row] == decided or month - energised[row] <= FRESH_MONTHS
        supported = amount * (support[row] if fresh and cost[row] > 0.0 else refill_support[payee[n]])
        debt = loan_share[row] * amount if fresh else 0.0
        rest = amount - supported - debt
        by_owner[o, SUPPORT] += supported
        by_owner[o, LOAN] += debt
        by_owner[o, CLAIM] += debt
        by_owner[o, OTHERS + 2 * investors + payee[n]] += amount
        loan[row] += debt
        drawn[row] += amount
        paid_in[row] += amount
        sums[SUPPORTED] += supported
        sums[DEPLOYED] += amount - supported
        if not fresh or cost[row] == 0.0:
            # Refills, and sites under way at the start, are committed when they are paid for.
            sums[COMMITTED] += amount
        held = 0.0
        if fresh:
            for i in range(investors):
                held += equity[row, i]
        for i in range(investors):
            # Without holders the owner pays.
            share = equity[row, i] / held if held > 0.0 else (1.0 if i == o else 0.0)
            part = rest * share
            if part <= 0.0:
                continue
            if i != o:
                by_owner[o, OTHERS + i] += part
            by_owner[o, OTHERS + investors + i] += part
            equity_paid[row, i] += part
            deployed[i] += part
            cash[i] -= part
            if finance[row] == PROJECT:
                sums[POOLED] += part
    for o in range(by_owner.shape[0]):
        for k in range(by_owner.shape[1]):
            if edge[o, k] >= 0:
                moved[edge[o, k]] += by_owner[o, k]
