"""Indicators recorded into one preallocated array: months x indicators, NaN where undefined."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from abm.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is measured. ``yearly`` says how a year is made of months; ``later`` why it is still null."""

    name: str
    measure: str
    who: str
    unit: str
    yearly: str
    about: str
    later: str = ""


class Recorder:
    """The series of a run."""

    def __init__(self, indicators: Iterable[Indicator], calendar: Calendar):
        self.indicators = tuple(indicators)
        self.calendar = calendar
        self.values = np.full((calendar.months, len(self.indicators)), np.nan)
        self.column = {indicator.name: i for i, indicator in enumerate(self.indicators)}
        self.recorded = 0
        self.name_members({})

    def name_members(self, members: Mapping[str, Sequence[str]]) -> None:
        """Say who the measures of many members (agents, zones, ...) are about, in the order in which they will come."""
        plain = [i for i, indicator in enumerate(self.indicators) if not (indicator.later or indicator.who)]
        self._plain = [self.indicators[i].measure for i in plain]
        place: dict[tuple[str, str], int] = {}
        self._families: list[tuple[str, slice]] = []
        """Measure of many members, and where its values are among all that come in a month."""
        end = len(plain)
        for measure, names in members.items():
            place.update({(measure, name): end + i for i, name in enumerate(names)})
            self._families.append((measure, slice(end, end + len(names))))
            end += len(names)
        place.update({(measure, ""): i for i, measure in enumerate(self._plain)})
        self._places = np.array(
            [
                end if indicator.later else place.get((indicator.measure, indicator.who), end)
                for indicator in self.indicators
            ],
            np.int64,
        )
        """(indicators,) where the value of each is among all that come; those that never come are at the end."""
        self._came = np.full(end + 1, np.nan)
        """What came this month: plain measures, the members' of each family, and nothing."""
        self._nothing = [math.nan] * len(plain)

    def record(
        self,
        month: int,
        measures: Mapping[str, float],
        of_members: Mapping[str, Sequence[float] | np.ndarray] = MappingProxyType({}),
    ) -> None:
        """Take the month's measures, and those with a value for each member; a missing one stays undefined.

        ``ValueError`` where a measure has another number of values than members.
        """
        came = self._came
        came[: len(self._plain)] = list(map(measures.get, self._plain, self._nothing))
        for measure, where in self._families:
            values = of_members.get(measure)
            if values is None:
                came[where] = math.nan
            elif len(values) == where.stop - where.start:
                came[where] = values
            else:
                raise ValueError(
                    f"{measure} came with {len(values)} values for {where.stop - where.start} members"
                )
        self.values[month] = came[self._places]
        self.recorded = month + 1

    def last(self, name: str) -> float:
        """The value last recorded; NaN before the first month or where undefined."""
        return float(self.values[self.recorded - 1, self.column[name]]) if self.recorded else math.nan

    def final(self, name: str) -> float | None:
        """The indicator at the end of the run: its last year for sums and means, else its last month."""
        if self.indicators[self.column[name]].yearly == "last":
            return _or_none(self.last(name))
        return self.yearly(name)[self.calendar.years[-1]]

    def yearly(self, name: str) -> dict[int, float | None]:
        """Year to value, made of months as the indicator declares; None where no month defines it."""
        column = self.column[name]
        rule = self.indicators[column].yearly
        result: dict[int, float | None] = {}
        for year in self.calendar.years:
            months = self.values[self.calendar.months_of_year(year), column]
            defined = months[~np.isnan(months)]
            if not len(defined):
                result[year] = None
            elif rule == "sum":
                result[year] = float(math.fsum(defined))
            elif rule == "max":
                result[year] = float(defined.max())
            elif rule == "mean":
                result[year] = float(math.fsum(defined) / len(defined))
            else:
                result[year] = _or_none(float(months[-1]))
        return result

    def frame(self) -> Any:
        """Polars frame: ``month`` (date) and one column for each indicator (null where undefined)."""
        import polars as pl

        columns: dict[str, Any] = {"month": [self.calendar.date(month) for month in range(self.recorded)]}
        for column, indicator in enumerate(self.indicators):
            columns[indicator.name] = self.values[: self.recorded, column]
        return pl.DataFrame(columns).with_columns(
            pl.col(indicator.name).fill_nan(None) for indicator in self.indicators
        )


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
