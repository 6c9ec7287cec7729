"""Posts to journal lines, carries them to accounts and weighs what is left. Tables are (assets, accounts)."""

from __future__ import annotations

import numpy as np

from abm.core.jit import helper, kernel

ROUNDING = 2.0**-50
"""Relative error of one addition in double precision, with room for the sums on the other side."""

ALL_WELL = -1
"""What :func:`close` returns when the books are in order."""


@kernel(["int64(int64[::1], float64[::1], float64[::1], int64[::1])"], allocates=False)
def post(lines, amounts, pending, posts):
    """Add ``amounts`` (n,) to what is pending on ``lines`` (n,; -1: nowhere).

    Returns the place of the first amount that is no transfer (negative, infinite, no number), and then
    has posted nothing; -1 where all is well.
    """
    for i in range(lines.size):
        if lines[i] >= 0 and not 0.0 <= amounts[i] < np.inf:
            return i
    for i in range(lines.size):
        if lines[i] >= 0 and amounts[i] > 0.0:
            pending[lines[i]] += amounts[i]
            posts[lines[i]] += 1
    return -1


@kernel(
    [
        "void(float64[::1], int64[::1], int64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1],"
        "float64[::1])"
    ],
    allocates=False,
)
def carry(
    pending,  # in and out, by line: what was posted since it was last carried
    posts,  # in and out, by line: how many postings that is the sum of
    ends,  # (lines, 3) asset, account that receives, account that gives
    balance,  # in and out
    turnover,  # in and out
    rounding,  # in and out: largest error that rounding can have left in a balance
    carried,  # in and out, by line: what was carried this month
):
    for line in range(posts.size):
        if posts[line] == 0:
            continue
        asset, to, by = ends[line, 0], ends[line, 1], ends[line, 2]
        amount = pending[line]
        carried[line] += amount
        balance[asset, to] += amount
        balance[asset, by] -= amount
        turnover[asset, to] += amount
        turnover[asset, by] += amount
        # The line's own sum rounds with each posting, a balance whenever it is changed.
        inside = posts[line] * amount
        rounding[asset, to] += ROUNDING * (inside + max(abs(balance[asset, to]), amount))
        rounding[asset, by] += ROUNDING * (inside + max(abs(balance[asset, by]), amount))
        pending[line] = 0.0
        posts[line] = 0


@helper
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


@helper
def judge(checked, stock, balance, turnover, rounding, tolerance, worst):
    """Hold each checked (asset, account) against ``stock``: relative difference, beyond rounding on both sides.

    ``worst`` (assets,) rises to the largest. Returns the first place where one exceeds ``tolerance``,
    or ``ALL_WELL``; ``worst`` is then that asset's.
    """
    for i in range(stock.size):
        asset, account = checked[0, i], checked[1, i]
        value = balance[asset, account]
        size = max(max(abs(value), abs(stock[i])), max(turnover[asset, account], 1.0))
        apart = abs(value - stock[i]) - 2.0 * rounding[asset, account]
        if apart <= 0.0:
            continue
        # A stock that is no number is as wrong as can be.
        if not apart / size <= tolerance:
            worst[asset] = apart / size
            return i
        worst[asset] = max(worst[asset], apart / size)
    return ALL_WELL


@kernel(
    [
        "int64(float64[::1], int64[::1], int64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1],"
        "float64[::1], int64, int64[:, ::1], float64[::1], float64, float64[::1])"
    ],
    allocates=False,
)
def close(
    pending,  # as :func:`carry` has them, and the six that follow
    posts,
    ends,
    balance,
    turnover,
    rounding,
    carried,
    accounts,  # how many there are
    checked,  # (2, checked) asset and account
    stock,  # (checked,) what was counted elsewhere
    tolerance,
    worst,  # out (assets,): largest relative imbalance
):
    """End a month: carry the journal, weigh the balances of each asset together, and each checked one by itself.

    Returns ``ALL_WELL``, or the place of a checked account that is wrong, or (below ``ALL_WELL``, by one more than its
    number) an asset whose balances do not add up; ``worst`` then says by how much.
    """
    carry(pending, posts, ends, balance, turnover, rounding, carried)
    redundant(balance, turnover, rounding, accounts, worst)
    for asset in range(worst.size):
        if not worst[asset] <= tolerance:
            return ALL_WELL - 1 - asset
    wrong = judge(checked, stock, balance, turnover, rounding, tolerance, worst)
    if wrong == ALL_WELL:
        turnover[:] = 0.0
        carried[:] = 0.0
    return wrong
