"""Scarce goods over the supply graph: orders, production, rationing and delivery of one month."""

from .booking import book
from .books import Deposits, deposits, imbalance
from .log import Link, Shortfall, shortfalls, trace
from .month import Flows, State
from .network import Network
from .orders import restock
from .people import join, staff
from .rationing import BOUNDS, RULES, Rationing, Rule, ration

__all__ = [
    "BOUNDS",
    "Deposits",
    "Flows",
    "Link",
    "Network",
    "RULES",
    "Rationing",
    "Rule",
    "Shortfall",
    "State",
    "book",
    "deposits",
    "imbalance",
    "join",
    "ration",
    "restock",
    "shortfalls",
    "staff",
    "trace",
]
