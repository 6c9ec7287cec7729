"""One supplier's orders shared by a stated rule."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import rules

Rule = Literal["proportional", "contract", "priority", "first-come"]
RULES: tuple[str, ...] = get_args(Rule)
"""In the order of the kernel's codes."""
NO_LIMIT = np.empty(0)
BOUNDS = (
    "",
    "capacity",
    "input",
    "rule",
    "group limit",
    "edge capacity",
    "edge shock",
    "node shock",
)
"""What a bound's code says; "" for an order that is met."""


class Rationing(NamedTuple):
    """Who got how much, and what kept him from more."""

    granted: NDArray[np.float64]
    """By order."""
    bound: NDArray[np.int8]
    """By order: index into :data:`BOUNDS`; "capacity" stands for the supply handed in."""
    left: float
    """Supply that nobody took."""


def floats(values: ArrayLike) -> NDArray[np.float64]:
    """``values`` as the kernels take them: contiguous and, though nobody writes to it, writeable."""
    array = np.ascontiguousarray(values, dtype=np.float64)
    return array if array.flags.writeable else array.copy()


def integers(values: ArrayLike) -> NDArray[np.int64]:
    """As :func:`floats`, for whole numbers."""
    array = np.ascontiguousarray(values, dtype=np.int64)
    return array if array.flags.writeable else array.copy()


def rule_code(rule: str) -> int:
    """Code of a rule; ``ValueError`` names the rules where there is none of that name."""
    if rule not in RULES:
        raise ValueError(f"rule {rule!r} is unknown; a rule is one of {', '.join(RULES)}")
    return RULES.index(rule)


def ration(
    orders: ArrayLike,
    supply: float,
    *,
    weights: ArrayLike | None = None,
    rule: Rule = "proportional",
    share: ArrayLike | None = None,
    tier: ArrayLike | None = None,
    group: ArrayLike | None = None,
    group_cap: ArrayLike | None = None,
) -> Rationing:
    """Share ``supply`` of one good among ``orders`` by ``rule``.

    Parameters
    ----------
    orders : float[n]
        What each buyer asks for, finite and >= 0.
    supply : float
        What there is; may be infinite, and nothing where it is <= 0.
    weights : float[n], optional
        >= 0; ones where left out. Orders without weight come after all others and
        share what is left in equal parts.
    rule
        ``"proportional"``: maximises sum w log x. ``"contract"``: ``share * supply`` first, as far as it
        was ordered, the remainder proportionally. ``"priority"``: lower ``tier`` first, proportionally
        within a tier. ``"first-come"``: the same, where ``tier`` is the month in which an order was placed.
    share : float[n]
        Contract shares of the supply, with rule "contract"; where they add up to more than one,
        firm parts are shared by water filling with the shares as weights.
    tier : int[n]
        Class or month, with the rules "priority" and "first-come".
    group : int[n], optional
        Group of each order, -1 for none; ``group_cap[g]`` is the most that group g may take.
    group_cap : float[m], optional
        >= 0; left as it was.

    Returns
    -------
    Rationing
        ``granted <= orders``; sums to ``min(supply, what may be taken)`` to rounding. A permutation of the
        orders permutes ``granted``, to rounding.

    Raises
    ------
    ValueError
        Arrays of different lengths, an amount that is no finite number >= 0, a group without a cap,
        a rule without what it shares by.

    Examples
    --------
    >>> ration([2.0, 10.0, 10.0], 12.0, weights=[1.0, 1.0, 3.0]).granted.tolist()
    [2.0, 2.5, 7.5]
    >>> ration([5.0, 5.0], 6.0, rule="priority", tier=[1, 0]).granted.tolist()
    [1.0, 5.0]
    """
    ask = floats(orders)
    if ask.ndim != 1:
        raise ValueError(f"orders have {ask.ndim} dimensions; they are one row")
    n = ask.size
    code = rule_code(rule)
    weight = np.ones(n) if weights is None else floats(weights)
    if code == rules.CONTRACT and share is None:
        raise ValueError('the rule "contract" needs share')
    if code >= rules.PRIORITY and tier is None:
        raise ValueError(f'the rule "{rule}" needs tier')
    part = weight if share is None else floats(share)
    k = np.empty((rules.INTS, n), np.int64)
    f = np.empty((rules.FLOATS, n))
    rank = k[0] if tier is None else integers(tier)
    if group is None:
        cap, member = NO_LIMIT, np.full(n, -1)
    else:
        if group_cap is None:
            raise ValueError("group is given without group_cap")
        cap, member = np.array(group_cap, dtype=np.float64), integers(group)
    if not n == weight.size == part.size == rank.size == member.size:
        raise ValueError(
            f"{n} orders, {weight.size} weights, {part.size} shares, {rank.size} tiers, {member.size} groups; "
            "there is one of each for every order"
        )
    granted, bound = np.empty(n), np.empty(n, np.int8)
    wrong = rules.ration_orders(
        code, ask, weight, part, rank, member, cap, float(supply), granted, bound, f, k
    )
    if wrong >= 0:
        _refuse(wrong, ask, weight, part, member, cap)
    return Rationing(granted, bound, max(float(supply) - float(granted.sum()), 0.0))


def _refuse(
    at: int,
    ask: NDArray[np.float64],
    weight: NDArray[np.float64],
    share: NDArray[np.float64],
    group: NDArray[np.int64],
    cap: NDArray[np.float64],
) -> None:
    if at == ask.size:
        raise ValueError("supply or a group's cap is not a number >= 0")
    if group[at] >= cap.size:
        raise ValueError(f"order {at} is of group {group[at]}; there are caps for {cap.size}")
    for name, values in (("order", ask), ("weight", weight), ("share", share)):
        if not 0.0 <= values[at] < np.inf:
            raise ValueError(f"{name} {at} is {values[at]}; it is a finite amount >= 0")
