"""Numbers that know their unit, range, distribution and source."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Distribution = Literal["uniform", "triangular", "loguniform", "fixed"]
DISTRIBUTIONS: tuple[str, ...] = ("uniform", "triangular", "loguniform", "fixed")
CONFIDENCE: tuple[str, ...] = ("high", "medium", "low", "assumption")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a world.

    ``handle`` is the name under which the model reads it: it names no country, while ``name`` may.
    ``role`` tells an uncertainty (nobody in the model controls it) from a plain parameter.
    """

    name: str
    unit: str
    default: float
    low: float
    high: float
    distribution: str
    source: str
    confidence: str
    moves: str
    role: str = "parameter"
    handle: str = ""

    @property
    def key(self) -> str:
        return self.handle or self.name

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``, or None: type, finiteness, range, in the quantity's own unit."""
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            return f"found {value!r}, expected a number in {self.unit}"
        value = float(value)
        if not math.isfinite(value):
            return f"found {value}, expected a finite number in {self.unit}"
        if not self.low <= value <= self.high:
            return f"found {value:g}, allowed {self.low:g} to {self.high:g} {self.unit}"
        return None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like ``name``, for 'did you mean'; None where nothing is close."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return found[0] if found else None


class Parameters(dict[str, float]):
    """Values of all quantities of a run, read by handle; the registry stays attached.

    A dictionary, because it is read by the hundred thousand in a run; nobody writes to it."""

    def __init__(self, registry: Mapping[str, Quantity], settings: Mapping[str, float] | None = None):
        self.registry = dict(registry)
        self._by_handle = {quantity.key: quantity for quantity in self.registry.values()}
        super().__init__((quantity.key, quantity.default) for quantity in self.registry.values())
        for name, value in (settings or {}).items():
            quantity = self.registry.get(name)
            if quantity is None:
                raise KeyError(name)
            complaint = quantity.complaint(value)
            if complaint:
                raise ValueError(f"{name}: {complaint}")
            super().__setitem__(quantity.key, float(value))

    def __setitem__(self, handle: str, value: float) -> None:
        raise TypeError("parameters are settled when a run is built")

    def __reduce__(self) -> tuple[object, ...]:
        values = {name: self[quantity.key] for name, quantity in self.registry.items()}
        return Parameters, (self.registry, values)

    def quantity(self, handle: str) -> Quantity:
        return self._by_handle[handle]

    def by_name(self) -> dict[str, float]:
        """Values under their public names."""
        return {name: self[quantity.key] for name, quantity in self.registry.items()}
