"""Compiled parts of the compute market: who offers which hours, and who hosts the region's demand."""

from .hosting import choice, overflow
from .offer import divide

__all__ = ["choice", "divide", "overflow"]
