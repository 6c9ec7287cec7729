"""Compiled parts of the compute market: who offers which hours and earns what, and who hosts the region's demand."""

from .hosting import choice, host, overflow
from .offer import deliver, divide, earn, power_cost
from .promises import told

__all__ = ["choice", "deliver", "divide", "earn", "host", "overflow", "power_cost", "told"]
