"""A trigger: a signpost that a package watches, and what it changes when the signpost is passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Comparison = Literal[">", "<"]


@dataclass(frozen=True, slots=True)
class Trigger:
    """If ``indicator`` is above (``>``) or below (``<``) ``value`` no later than ``by``, set ``changes``.

    ``by`` is an absolute month (``abm.calendar.parse_month``; ``NEVER`` means no deadline), ``changes``
    maps handles of levers to their new targets, ``switching_cost`` is in the world's currency and paid
    once. ``package`` names the package whose levers are switched on, where there is one.
    """

    name: str
    indicator: str
    comparison: Comparison
    value: float
    by: int
    switching_cost: float
    changes: Mapping[str, float]
    package: str = ""

    def passed(self, observed: float) -> bool:
        """Whether ``observed`` lies beyond the signpost; never for an undefined (NaN) indicator."""
        return observed > self.value if self.comparison == ">" else observed < self.value
