"""A lever: one number that a public body can set."""

from __future__ import annotations

from dataclasses import dataclass

ROLES: tuple[str, ...] = ("science", "energy", "finance", "land", "data", "education", "presidential")
"""Public bodies that may own a lever; a world says who plays each role."""


@dataclass(frozen=True, slots=True)
class Lever:
    """One lever; ``abm.board`` knows it by its ``handle``, people by its ``name``.

    ``default`` is the rule that stands today ("no policy"). ``lead_months`` pass between the owner's
    decision and its effect. ``cost`` is what one unit costs the budget in a year (currency per unit and
    year, counted from the default); 0 where nothing is paid or where the payment is booked when and as
    it occurs, and ``cost_note`` says which.
    """

    name: str
    handle: str
    unit: str
    default: float
    low: float
    high: float
    owner: str
    lead_months: int
    cost: float
    cost_note: str
    moves: str
    source: str
    confidence: str
