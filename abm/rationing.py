"""Sharing what is scarce by a stated principle."""

from __future__ import annotations

import numpy as np


def proportional_fairness(orders: np.ndarray, weights: np.ndarray, supply: float) -> np.ndarray:
    """Shares that maximise ``sum w log x`` subject to ``0 <= x <= orders`` and ``sum x <= supply``.

    The solution fills everybody to ``min(order, level * weight)`` with one water level (Kelly,
    Maulloo and Tan 1998); it is found exactly by sorting the levels at which orders are met. No
    share falls when supply rises. Orders without weight get nothing unless supply meets all.
    """
    total = float(orders.sum())
    if total <= supply:
        return orders.astype(float).copy()
    if supply <= 0.0:
        return np.zeros(len(orders))
    live = (orders > 0.0) & (weights > 0.0)
    shares = np.zeros(len(orders))
    asked, weight = orders[live].astype(float), weights[live].astype(float)
    if float(asked.sum()) <= supply:
        shares[live] = asked
        return shares
    met_at = asked / weight
    rank = np.argsort(met_at, kind="stable")
    filled = np.concatenate(([0.0], np.cumsum(asked[rank])[:-1]))
    open_weight = np.cumsum(weight[rank][::-1])[::-1]
    level_if = (supply - filled) / open_weight
    met = level_if <= met_at[rank]
    # Supply a rounding error below all orders: nobody's level is reached in floating point but the last.
    stop = int(np.argmax(met)) if met.any() else len(rank) - 1
    shares[live] = np.minimum(asked, level_if[stop] * weight)
    return shares
