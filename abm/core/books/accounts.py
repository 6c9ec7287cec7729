"""Carries journal lines to accounts and weighs what is left. Tables are (assets, accounts)."""

from __future__ import annotations

from abm.core.jit import kernel

ROUNDING = 2.0**-50
"""Relative error of one addition in double precision, with room for the sums on the other side."""


@kernel(
    [
        "void(int64[::1], float64[::1], int64[::1], int64[:, ::1], float64[:, ::1], float64[:, ::1],"
        "float64[:, ::1], float64[::1])"
    ],
    allocates=False,
)
def carry(
    lines,  # (n,) lines that were posted to
    amounts,  # (n,) sum of each since it was last carried
    posts,  # (n,) how many postings that sum is of
    ends,  # (3, lines) asset, account that receives, account that gives
    balance,  # in and out
    turnover,  # in and out
    rounding,  # in and out: largest error that rounding can have left in a balance
    carried,  # in and out, by line: what was carried this month
):
    for i in range(lines.size):
        line = lines[i]
        asset, to, by = ends[0, line], ends[1, line], ends[2, line]
        amount = amounts[i]
        carried[line] += amount
        balance[asset, to] += amount
        balance[asset, by] -= amount
        turnover[asset, to] += amount
        turnover[asset, by] += amount
        # The line's own sum rounds with each posting, a balance whenever it is changed.
        inside = posts[i] * amount
        rounding[asset, to] += ROUNDING * (inside + max(abs(balance[asset, to]), amount))
        rounding[asset, by] += ROUNDING * (inside + max(abs(balance[asset, by]), amount))


@kernel(
    ["void(float64[:, ::1], float64[:, ::1], float64[:, ::1], int64, float64[::1])"],
    allocates=False,
)
def redundant(balance, turnover, rounding, accounts, left):
    """By asset: what the sum of all balances is off zero, beyond rounding, over the size of the books."""
    for asset in range(balance.shape[0]):
        total, size, moved, error = 0.0, 0.0, 0.0, 0.0
        lost = 0.0
        for account in range(accounts):
            value = balance[asset, account]
            # Compensated (Neumaier 1974): balances of many sizes cancel here.
            new = total + value
            lost += (total - new) + value if abs(total) >= abs(value) else (value - new) + total
            total = new
            size += abs(value)
            moved += turnover[asset, account]
            error += rounding[asset, account]
        left[asset] = max(abs(total + lost) - error, 0.0) / max(max(size, moved), 1.0)


@kernel(
    ["void(int64[:, ::1], float64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[::1])"],
    allocates=False,
)
def judge(checked, stock, balance, turnover, rounding, out):
    """Relative difference of each checked (asset, account) from ``stock``, beyond rounding on both sides."""
    for i in range(stock.size):
        asset, account = checked[0, i], checked[1, i]
        value = balance[asset, account]
        size = max(max(abs(value), abs(stock[i])), max(turnover[asset, account], 1.0))
        apart = abs(value - stock[i]) - 2.0 * rounding[asset, account]
        # A stock that is no number is as wrong as can be.
        out[i] = apart / size if apart > 0.0 else (0.0 if apart <= 0.0 else apart)
