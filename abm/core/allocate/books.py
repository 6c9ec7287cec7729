"""Identities that every month keeps, and the deposits that go with orders."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .month import Flows, State
from .network import Floats, Network


def imbalance(before: State, after: State, orders: Floats, flows: Flows) -> dict[str, float]:
    """Largest violation of each identity, relative to the largest amount in it; rounding is about 1e-15.

    ``"queue"`` by edge: backlog + orders = cancelled + granted + lapsed + backlog after;
    ``"stock"`` by node: stock + made = dispatched + stock after;
    ``"transit"`` by edge: on the way + granted = arrived + on the way after;
    ``"input"`` by slot: stock + arrived = used + stock after.
    """
    g = after.network

    def gap(came: Floats, went: Floats) -> float:
        size = float(np.abs(came).max(initial=0.0))
        return float(np.abs(came - went).max(initial=0.0)) / size if size > 0.0 else 0.0

    dispatched = np.bincount(g.supplier, flows.granted, g.nodes)
    feeds = g.slot >= 0
    landed = np.bincount(g.slot[feeds], flows.arrived[feeds], g.slots)
    return {
        "queue": gap(before.backlog + orders, flows.cancelled + flows.granted + flows.lapsed + after.backlog),
        "stock": gap(before.stock + flows.made, dispatched + after.stock),
        "transit": gap(
            before.pipeline.sum(axis=0) + flows.granted, flows.arrived + after.pipeline.sum(axis=0)
        ),
        "input": gap(before.input_stock + landed, flows.used + after.input_stock),
    }


class Deposits(NamedTuple):
    """Money by edge, in units of the order's price; what a supplier holds is ``deposit * backlog``."""

    paid: Floats
    """With new orders."""
    credited: Floats
    """Against the price of what was dispatched, or handed back for what lapsed."""
    forfeited: Floats
    """Kept by the supplier for what was cancelled."""


def deposits(network: Network, orders: Floats, flows: Flows) -> Deposits:
    """Deposits that a month's flows call for."""
    return Deposits(
        network.deposit * orders,
        network.deposit * (flows.granted + flows.lapsed),
        network.deposit * flows.cancelled,
    )
