"""The decision log: who decided what, on which values, and what bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


@dataclass(slots=True)
class Intent:
    """What a stakeholder wants to do; a phase resolves it against what is scarce.

    Nobody writes to one. It is not frozen only because one is made for each act of a run, and a frozen
    one takes three times as long to make.

    ``verb`` says what kind of act it is, ``subject`` what it is about (a site, a lever, a good),
    ``values`` on which figures it was decided, ``bound`` what limited the wish itself.
    """

    who: str
    verb: str
    subject: str
    amount: float
    unit: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    bound: str = ""
    target: int = -1
    """Row of the subject in its table, where it has one."""


@dataclass(slots=True, kw_only=True)
class Programme(Intent):
    """What a developer builds this month, one entry for each of its resources: intents in arrays."""

    rows: np.ndarray
    """Rows of the world's resources."""
    mw: np.ndarray
    """By resource; may be 0."""
    cost: Sequence[float]
    earned: Sequence[float]
    """Cost and what the developer expects to earn, in the unit in which it compares them."""
    lead: np.ndarray
    """Months until it serves."""
    zone: np.ndarray
    technology: np.ndarray | None
    """None: batteries."""
    goods: tuple[str, ...]
    """What is built, by its name on the supply graph."""
    subjects: tuple[str, ...]
    direct: np.ndarray
    """Part of it that is sold directly to sites, MW."""

    def one(self, i: int) -> Intent:
        """Entry ``i`` by itself."""
        values = {"cost": float(self.cost[i]), "earned": float(self.earned[i])}
        if self.direct[i] > 0.0:
            values["direct"] = float(self.direct[i])
        return Intent(
            self.who, "build", self.subjects[i], float(self.mw[i]), "MW", values, target=int(self.rows[i])
        )


class Decision(NamedTuple):
    """One line of the log: the intent, what was granted of it, and what bound."""

    month: int
    who: str
    verb: str
    subject: str
    amount: float
    granted: float
    unit: str
    bound: str
    values: Mapping[str, float]


class Decisions:
    """All decisions of a run in the order in which they were taken."""

    def __init__(self) -> None:
        self.records: list[Decision] = []
        self._said: dict[tuple[str, str, str], tuple[int, str]] = {}

    def note(self, month: int, intent: Intent, granted: float | None = None, bound: str = "") -> None:
        """Write an intent down with what was granted (all of it by default) and what bound."""
        self.records.append(
            Decision._make(
                (
                    month,
                    intent.who,
                    intent.verb,
                    intent.subject,
                    float(intent.amount),
                    float(intent.amount if granted is None else granted),
                    intent.unit,
                    bound or intent.bound,
                    {name: float(value) for name, value in intent.values.items()},
                )
            )
        )

    def repeat(self, month: int, intent: Intent, granted: float, bound: str = "", every: int = 12) -> None:
        """Like ``note``, but a standing answer is written down only when its reason changes, or once in ``every`` months."""
        key, reason = (intent.who, intent.verb, intent.subject), bound or intent.bound
        said = self._said.get(key)
        if said is None or said[1] != reason or month - said[0] >= every:
            self._said[key] = (month, reason)
            self.note(month, intent, granted, bound)

    def about(self, subject: str) -> Iterator[Decision]:
        return (record for record in self.records if record.subject == subject)

    def by(self, who: str) -> Iterator[Decision]:
        return (record for record in self.records if record.who == who)
