"""The board: what every lever stands at, month by month, and who set it.

Levers reach the world through the board alone. A package states *targets*; the owner of a lever
proposes to enact them, and the act takes effect after the lever's lead time. Beliefs may look at
``announced``; everything physical reads ``value``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class LeverLike(Protocol):
    """What the board needs to know of a lever (``policies.lever.Lever`` is one)."""

    @property
    def name(self) -> str: ...
    @property
    def handle(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def default(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def owner(self) -> str: ...
    @property
    def lead_months(self) -> int: ...
    @property
    def cost(self) -> float: ...


class TriggerLike(Protocol):
    """A signpost: when ``indicator`` passes ``value`` no later than ``by``, ``changes`` become targets."""

    @property
    def name(self) -> str: ...
    @property
    def indicator(self) -> str: ...
    @property
    def comparison(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def by(self) -> int: ...
    @property
    def switching_cost(self) -> float: ...
    @property
    def changes(self) -> Mapping[str, float]: ...


@dataclass(frozen=True, slots=True)
class Act:
    """A lever set to a value from a month on."""

    handle: str
    value: float
    decided: int
    effective: int
    who: str


class Board:
    """Values in force (months x levers), targets of the package, and the acts behind them.

    ``schedule`` maps a lever's handle to (month index, value) pairs in order of time: what the
    package wants from which month on. Months before the run count as known at its start.
    """

    def __init__(
        self,
        levers: Sequence[LeverLike],
        schedule: Mapping[str, Sequence[tuple[int, float]]],
        triggers: Sequence[TriggerLike],
        months: int,
    ):
        self.levers = {lever.handle: lever for lever in levers}
        self.triggers = tuple(triggers)
        self.months = months
        self._place = {handle: place for place, handle in enumerate(self.levers)}
        # Lists, by lever: single values are read by the thousand in a run.
        self._in_force: dict[str, list[float]] = {}
        self._target: dict[str, list[float]] = {}
        self._pending: dict[str, float] = {}
        for handle, lever in self.levers.items():
            stands = float(lever.default)
            target = [stands] * months
            for month, value in schedule.get(handle, ()):
                _from(target, max(month, 0), value)
                # What was decided a lead time before the run is in force when it starts.
                if month < 0 and month + lever.lead_months <= 0:
                    stands = float(value)
            self._target[handle], self._in_force[handle] = target, [stands] * months
            self._pending[handle] = stands
        self.acts: list[Act] = []
        self.fired: dict[str, int] = {}

    def value(self, handle: str, month: int) -> float:
        """What the lever stands at in ``month``."""
        return self._in_force[handle][month]

    def place(self, handle: str) -> int:
        """Place of a lever in the catalogue; -1 where there is no such lever."""
        return self._place.get(handle, -1)

    def target(self, handle: str, month: int) -> float:
        """What the package wants the lever to stand at in ``month``."""
        return self._target[handle][month]

    def announced(self, handle: str) -> float:
        """The value last decided, in force or not yet."""
        return self._pending[handle]

    def unsettled(self, handles: Iterable[str], month: int) -> list[tuple[str, float, float]]:
        """Of ``handles``, those that the package wants elsewhere than was last decided: (handle, wanted, decided)."""
        target, pending = self._target, self._pending
        return [
            (handle, target[handle][month], pending[handle])
            for handle in handles
            if target[handle][month] != pending[handle]
        ]

    def programme_costs(self, month: int) -> list[float]:
        """By lever: its yearly cost as it stands in ``month`` (currency/year)."""
        return [
            lever.cost * (values[month] - lever.default) if values[month] > lever.default else 0.0
            for lever, values in zip(self.levers.values(), self._in_force.values(), strict=True)
        ]

    def running_cost(self, handle: str, value: float) -> float:
        """Yearly cost to the budget of a lever standing at ``value``, counted from its default (currency/year)."""
        lever = self.levers[handle]
        return max(value - lever.default, 0.0) * lever.cost

    def enact(self, handle: str, value: float, month: int, who: str) -> Act:
        """Decide in ``month``; in force after the lead time, within the lever's bounds."""
        lever = self.levers[handle]
        value = min(max(value, lever.low), lever.high)
        act = Act(handle, value, month, month + lever.lead_months, who)
        _from(self._in_force[handle], act.effective, value)
        self._pending[handle] = value
        self.acts.append(act)
        return act

    def retarget(self, changes: Mapping[str, float], month: int) -> None:
        """A trigger fired: from ``month`` on the package wants these values."""
        for handle, value in changes.items():
            _from(self._target[handle], month, value)

    def take_over(self, past: Board, month: int) -> None:
        """Go on from ``month`` where ``past`` stood: its acts stay in force, its months keep their targets.

        A trigger of this board that had fired under ``past`` stays fired, and what it changed holds on.
        """
        if list(self.levers) != list(past.levers) or self.months != past.months:
            raise ValueError("a run goes on with the levers and the months that it began with")
        self._in_force = {handle: list(values) for handle, values in past._in_force.items()}
        for handle, target in self._target.items():
            target[:month] = past._target[handle][:month]
        self._pending = dict(past._pending)
        self.acts = list(past.acts)
        self.fired = dict(past.fired)
        changes = {trigger.name: trigger.changes for trigger in self.triggers}
        for name in sorted(past.fired, key=past.fired.__getitem__):
            self.retarget(changes.get(name, {}), month)

    def values(self) -> np.ndarray:
        """Months x levers, in the order of ``levers``; read-only."""
        table = np.array(list(self._in_force.values())).T
        table.setflags(write=False)
        return table


def _from(values: list[float], month: int, value: float) -> None:
    """Set ``values`` from ``month`` on."""
    values[month:] = [float(value)] * (len(values) - month)
