"""One finished run as everything that shows it may see it: read-only, and complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from abm.calendar import Calendar
from abm.decisions import Decision
from abm.series import Indicator
from abm.world import World
from runs.record import RunRecord

Goal = Mapping[str, Any]


@dataclass(frozen=True)
class RunView:
    """What charts, tables and sentences are made of.

    ``record`` holds indicators, sites and decisions; ``world`` names and places. What a results folder does
    not keep is None there: ``flows`` (months x supply edges, in the edge's own unit a month), ``carried``
    (months x lines, mean MW, positive from the first end to the second), ``in_service`` (month index by
    line; beyond the run: not yet) and ``in_force`` (months x levers, in the order of ``lever_handles``).
    """

    record: RunRecord
    world: World
    flows: np.ndarray | None = None
    carried: np.ndarray | None = None
    in_service: np.ndarray | None = None
    in_force: np.ndarray | None = None
    lever_handles: tuple[str, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict)
    """What was set on top of scenario and package, by name."""

    @property
    def run_id(self) -> str:
        return self.record.run_id

    @property
    def calendar(self) -> Calendar:
        return self.record.calendar

    @property
    def currency(self) -> str:
        return self.world.currency

    @property
    def sites(self) -> Sequence[Mapping[str, Any]]:
        return self.record.sites

    @property
    def decisions(self) -> Sequence[Decision]:
        return self.record.decisions

    @cached_property
    def months(self) -> tuple[str, ...]:
        """``YYYY-MM`` of every month."""
        return tuple(self.calendar.text(month) for month in range(self.calendar.months))

    @cached_property
    def goals(self) -> tuple[Goal, ...]:
        """What was promised: goal, text, indicator, comparison, value, by (YYYY-MM), source."""
        table = self.world.tables.get("goals")
        if table is None:
            return ()
        return tuple(
            {
                "goal": key,
                "text": text,
                "indicator": indicator,
                "comparison": comparison,
                "value": float(value),
                "by": self.calendar.text(int(by)),
                "source": source,
            }
            for key, text, indicator, comparison, value, by, source in zip(
                table.keys,
                *(table.columns[c] for c in ("text", "indicator", "comparison", "value", "by", "source")),
                strict=True,
            )
        )

    def has(self, name: str) -> bool:
        """Whether the run measured it in at least one month."""
        return bool(np.isfinite(self.values(name)).any())

    def about(self, name: str) -> Indicator | None:
        return self.record.about(name)

    def values(self, name: str) -> np.ndarray:
        """Month by month, NaN where undefined or where the run has no such indicator; read-only use."""
        recorder = self.record.recorder
        if recorder is None or name not in recorder.column:
            return np.full(self.calendar.months, np.nan)
        found: np.ndarray = recorder.values[: self.calendar.months, recorder.column[name]]
        return found

    def yearly(self, name: str) -> dict[int, float | None]:
        """Year to value; computed once."""
        found = self._years.get(name)
        if found is None:
            found = self._years[name] = self.record.yearly(name)
        return found

    @cached_property
    def _years(self) -> dict[str, dict[int, float | None]]:
        return {}

    def final(self, name: str) -> float | None:
        return self.record.final(name)

    def family(self, stem: str) -> dict[str, str]:
        """Member to indicator's name, of a family such as ``gpus_by_owner``."""
        start = stem + "."
        return {i.name[len(start) :]: i.name for i in self.record.indicators if i.name.startswith(start)}

    @cached_property
    def site_of(self) -> Mapping[str, Mapping[str, Any]]:
        return {site["site"]: site for site in self.record.sites}

    def decisions_about(self, subject: str) -> list[Decision]:
        return [decision for decision in self.record.decisions if decision.subject == subject]

    def decisions_by(self, who: str) -> list[Decision]:
        return [decision for decision in self.record.decisions if decision.who == who]
