"""Goods whose deliveries the model decides, by the names that worlds give them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

GOVERNED: Mapping[str, bool] = MappingProxyType(
    {
        "gpu": True,
        "npu": True,
        "hbm": True,
        "power-equipment": True,
        "cooling": True,
        "construction": True,
        "solar": True,
        "wind": True,
        "batteries": True,
        "talent": False,
        "capital": False,
        "debt": False,
    }
)
"""Good to whether one on its way can be late. Flows of other goods (power, compute) come out of dispatch and the
market and are only recorded on the supply graph."""
