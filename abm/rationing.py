"""Sharing what is scarce by a stated principle."""

from __future__ import annotations

import numpy as np

from abm.core.allocate import rules
from abm.core.allocate.rationing import floats


def proportional_fairness(orders: np.ndarray, weights: np.ndarray, supply: float) -> np.ndarray:
    """Shares that maximise ``sum w log x`` subject to ``0 <= x <= orders`` and ``sum x <= supply``.

    The solution fills everybody to ``min(order, level * weight)`` with one water level (Kelly,
    Maulloo and Tan 1998); it is found exactly, by setting aside the orders below it. No
    share falls when supply rises. Orders without weight get nothing unless supply meets all. Other
    rules, limits on groups of buyers and the reason for each shortfall: ``abm.core.allocate.ration``.
    """
    ask, weight = floats(orders), floats(weights)
    if ask.shape != weight.shape or ask.ndim != 1:
        raise ValueError(f"orders have shape {ask.shape}, weights {weight.shape}; there is one of each")
    shares = np.empty(ask.size)
    rules.fill_orders(ask, weight, float(supply), shares, np.empty((1, ask.size), np.int64))
    return shares
