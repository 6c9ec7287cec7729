"""Where the hand that drags a slider is going: what lies on its way can be computed before it gets there."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

WINDOW_S = 0.45
"""The speed of the hand is that of so many seconds."""

STILL_S = 0.12, 0.45
"""A hand that has not moved for so long, or for twice the time between its moves, rests: at least, and at most."""

SLOWER, FEWEST_SPEEDS = 0.5, 4
"""A hand slows where its speed over two moves is below this share of the largest of so many."""

FEWEST = 3
"""Moves that make a speed."""

MOST_AHEAD = 4


@dataclass
class Ahead:
    """A value on the way of the hand whose run is under way, or done."""

    value: float
    number: int = 0
    """Where its answer stands among the answers; 0 while the hand has not gone past it."""
    stamp: int = 0
    """The last move before the hand went past it."""


class Hand:
    """The moves of one slider, one way. Values are in the slider's unit, moments in seconds."""

    def __init__(self) -> None:
        self.name = ""
        self.ahead: list[Ahead] = []
        self._trail: deque[tuple[float, float]] = deque(maxlen=32)
        self._way = 0.0

    def moved(self, name: str, value: float, at: float) -> None:
        """A move. Another slider, a pause or a turn begins anew, with nothing ahead."""
        if self._trail and name == self.name:
            last_at, last = self._trail[-1]
            way = math.copysign(1.0, value - last) if value != last else self._way
            if at - last_at <= STILL_S[1] and way == (self._way or way):
                self._way = way
                self._trail.append((at, value))
                self.ahead = [one for one in self.ahead if one.value != value]  # it is there
                return
        self.rest()
        self.name = name
        self._trail.append((at, value))

    def rest(self) -> None:
        """The hand has let go, or begins anew."""
        self._trail.clear()
        self.ahead.clear()
        self._way = 0.0

    def speed(self) -> float:
        """Units a second, signed; 0 where too little is known."""
        points = self._recent()
        seconds = points[-1][0] - points[0][0] if len(points) >= FEWEST else 0.0
        return (points[-1][1] - points[0][1]) / seconds if seconds > 0.0 else 0.0

    def value_in(self, seconds: float) -> float | None:
        """Where the hand will be at its first move after ``seconds``, if it goes on as it goes; None where too
        little is known."""
        speed, between = self.speed(), self._between()
        return self._trail[-1][1] + speed * between * math.ceil(seconds / between) if speed else None

    def slows(self) -> bool:
        """Whether it comes to rest: it now makes less than half the speed that it made just before."""
        points = self._recent()
        speeds = [
            abs(after[1] - before[1]) / max(after[0] - before[0], 1e-6)
            for before, after in zip(points, points[2:], strict=False)
        ]
        return len(speeds) >= FEWEST_SPEEDS and speeds[-1] < SLOWER * max(speeds)

    def still_for(self, now: float) -> float:
        """Seconds since the last move; infinite where it rests."""
        return now - self._trail[-1][0] if self._trail else math.inf

    def patience(self) -> float:
        """Seconds after which a hand that has not moved is taken to rest."""
        return min(max(STILL_S[0], 2.0 * self._between()), STILL_S[1])

    def until(self, ahead: Ahead) -> float:
        """Seconds until the hand is there; 0 where it has passed, infinite where it does not move."""
        left = (ahead.value - self._trail[-1][1]) * (self._way or 1.0)
        if left <= 0.0:
            return 0.0
        speed = abs(self.speed())
        return left / speed if speed else math.inf

    def passed(self) -> list[Ahead]:
        """What the last move went past, the last of it last."""
        value = self._trail[-1][1]
        found = [one for one in self.ahead if not one.number and (value - one.value) * self._way > 0.0]
        return sorted(found, key=lambda one: one.value * self._way)

    def aim(self, value: float) -> Ahead:
        """Note that ``value`` is being computed."""
        found = Ahead(value)
        self.ahead = [*self.ahead[-MOST_AHEAD + 1 :], found]
        return found

    def _between(self) -> float:
        """Seconds from move to move; 0 where too little is known."""
        points = self._recent()
        return (points[-1][0] - points[0][0]) / (len(points) - 1) if len(points) > 1 else 0.0

    def _recent(self) -> list[tuple[float, float]]:
        last = self._trail[-1][0] if self._trail else 0.0
        return [point for point in self._trail if last - point[0] <= WINDOW_S]
