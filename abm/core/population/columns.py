"""Where what is known of a firm stands, and the terms of a month.

A population is two tables with a column of memory for each thing known: ``firm`` (FLOATS, capacity) of
float64 and ``tag`` (TAGS, capacity) of int64. Rows ``0 .. n - 1`` are alive, in the order of birth; all
rows of a group stand for the same number of firms, their weight. Money is in the world's currency, prices in
currency per H100-equivalent hour, needs and contracts in H100-equivalents.
"""

from __future__ import annotations

from typing import NamedTuple

from numba import types

from abm.core.jit import helper

(
    WEIGHT, NEED, BURN, QUALITY, CASH, DEBT, CONTRACT, CONTRACT_PRICE, PRUDENCE, INCOME, CURVE, PURSE, FLOATS
) = range(13)  # fmt: skip
"""Rows of ``firm``. WEIGHT: firms that the row stands for; INCOME: what it earned last month; CURVE: hours
wanted on the spot market at the reference price; PURSE: money for them."""

GROUP, BIRTH, FOUNDED, UNTIL, TAGS = range(5)
"""Rows of ``tag``. FOUNDED: month of birth; UNTIL: month in which the contract for hours ends."""

SIZE_LUCK, QUALITY_LUCK, RUNWAY_LUCK, PRUDENCE_LUCK, LUCKS = range(5)
"""Planes of the Philox keys (LUCKS, groups, 2), one for each process."""

KIND_NEED, KIND_SPREAD, KIND_RUNWAY, KIND_BURN, KIND_QUALITY, KINDS = range(6)
"""Columns of ``kind`` (groups, KINDS): what a group's firms are on average."""

SPOT_HOURS, CONTRACT_HOURS, NEED_HOURS, CONTRACT_PAID, BOUGHT = range(5)
EARNED, WAGES, INTEREST, BORROWED, REPAID, DIVIDENDS, SUMMED = range(BOUGHT, BOUGHT + 7)
DEFAULTED, WRITTEN_OFF, EXITS, SPOT_PAID, VOUCHER_HOURS, VOUCHER_PAID, TOTALS = range(SUMMED, SUMMED + 7)
"""Places in a month's totals, weighted (hours, currency, firms): what is bought, what is earned and paid (the
``SUMMED`` are sums over all firms), what those who leave leave behind, and what follows from the sums."""

WANT, STANDING, WISHED, ACTIVITY, PLANS = range(5)
"""What firms plan, weighted: need (H100-equivalents), machines under contract, machines they wish to
contract, wages (currency)."""


class Month(NamedTuple):
    """Terms that all firms meet in a month; one number each."""

    price: float
    """Spot price."""
    reference: float
    """Price at which needs are stated."""
    world_price: float
    elasticity: float
    scale: float
    """Hours of a month for which an H100-equivalent of need asks at the reference price, growth included."""
    last_factor: float
    """Demand at last month's price over demand at the reference price."""
    world_factor: float
    """Demand at the world price over demand at the reference price."""
    voucher_share: float
    """Voucher hours over hours wanted at last month's price."""
    voucher_price: float
    contract_hours: float
    """Hours that a machine under contract delivers."""
    takings: float
    """Earnings of a fully served firm of quality one over its cost, as the product market stands."""
    theta: float
    served_most: float
    spend_share: float
    interest: float
    """Interest on debt for a month."""
    credit_months: float
    cash_months: float
    growth: float
    """Growth of a firm in a month for each unit of margin over cost."""
    spread: float
    """Standard deviation of the logarithm of quality."""
    persistence: float
    """Yearly autocorrelation of the logarithm of quality."""


@helper
def month_of(terms):
    """The :class:`Month` that kernels take as a row of numbers: what a tuple is made of, Numba asks at every call."""
    return Month(
        terms[0], terms[1], terms[2], terms[3], terms[4], terms[5], terms[6], terms[7], terms[8], terms[9],
        terms[10], terms[11], terms[12], terms[13], terms[14], terms[15], terms[16], terms[17], terms[18], terms[19],
    )  # fmt: skip


FLOAT_TABLE = types.float64[:, ::1]
TAG_TABLE = types.int64[:, ::1]
VECTOR = types.float64[::1]
