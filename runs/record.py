"""All that is kept of one run, whether it has just ended or was read from a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from abm.calendar import Calendar
from abm.decisions import Decision
from abm.series import Indicator, Recorder

DONE, FAILED, RUNNING = "done", "failed", "running"


@dataclass(frozen=True, slots=True)
class Setting:
    """The value that a run took for an uncertainty or a lever."""

    value: float
    unit: str


@dataclass(frozen=True)
class RunRecord:
    """All that is kept of one run, whether it has just ended or was read from a folder."""

    run_id: str
    world: str
    scenario: str
    package: str
    seed: int
    calendar: Calendar
    indicators: tuple[Indicator, ...]
    uncertainties: Mapping[str, Setting] = field(default_factory=dict)
    levers: Mapping[str, Setting] = field(default_factory=dict)
    recorder: Recorder | None = None
    decisions: Sequence[Decision] = ()
    sites: Sequence[Mapping[str, Any]] = ()
    residual: Mapping[str, float] = field(default_factory=dict)
    power: Mapping[str, float] = field(default_factory=dict)
    status: str = DONE
    error: str | None = None
    wall_s: float = 0.0
    sample: int = 0
    replicate: int = 0

    def has(self, name: str) -> bool:
        """Whether the indicator exists and was measured in at least one month."""
        return (
            self.recorder is not None
            and name in self.recorder.column
            and any(value is not None for value in self.yearly(name).values())
        )

    def yearly(self, name: str) -> dict[int, float | None]:
        """Year to value; all None where the run has no such indicator."""
        if self.recorder is None or name not in self.recorder.column:
            return dict.fromkeys(self.calendar.years)
        return self.recorder.yearly(name)

    def final(self, name: str) -> float | None:
        if self.recorder is None or name not in self.recorder.column:
            return None
        return self.recorder.final(name)

    def monthly(self, name: str) -> list[float | None]:
        """Month by month, None where undefined."""
        if self.recorder is None or name not in self.recorder.column:
            return [None] * self.calendar.months
        column = self.recorder.values[: self.recorder.recorded, self.recorder.column[name]]
        return [None if value != value else float(value) for value in column]

    def about(self, name: str) -> Indicator | None:
        return next((indicator for indicator in self.indicators if indicator.name == name), None)
