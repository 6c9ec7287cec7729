"""Orders that keep input stocks at a target: the base-stock rule of inventory theory."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .month import State
from .network import Floats, amounts


def restock(state: State, output: ArrayLike, cover: ArrayLike = 1.0, *, months: ArrayLike = 1.0) -> Floats:
    """Orders by edge that replace what ``output`` uses and close the gap to ``cover`` months' use.

    A slot wants ``use + (target - stock - on order) / months`` with use = per_unit * output and target =
    cover * use, never less than nothing (Hallegatte 2014 for ``months`` > 1; the base-stock rule of Clark
    and Scarf 1960 for ``months`` = 1). Edges that feed the slot share the order by their ``share``, equally
    where that is 0 for all. To cover lead times, ``cover`` counts them in.

    Parameters
    ----------
    state
        Stocks, queues and pipelines now.
    output : float[N]
        Output a month that nodes plan for.
    cover, months : float[K] or float
        Months' use to be held or on order; months in which a gap is closed (> 0).
    """
    g = state.network
    use = g.per_unit * amounts("output", output, g.nodes)[g.slot_node]
    pace = amounts("months", months, g.slots)
    if (pace <= 0.0).any():
        raise ValueError("months must be > 0")
    feeds = np.flatnonzero(g.slot >= 0)
    slot = g.slot[feeds]
    position = state.input_stock + np.bincount(slot, state.on_order[feeds], g.slots)
    wanted = np.maximum(use + (amounts("cover", cover, g.slots) * use - position) / pace, 0.0)
    total = np.bincount(slot, g.share[feeds], g.slots)
    many = np.bincount(slot, minlength=g.slots)
    part = np.where(
        total[slot] > 0.0, g.share[feeds] / np.where(total > 0.0, total, 1.0)[slot], 1.0 / many[slot]
    )
    orders = np.zeros(g.edges)
    orders[feeds] = wanted[slot] * part
    return orders
