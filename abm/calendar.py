"""Months as whole numbers counted from the first month of a run."""

from __future__ import annotations

import calendar as _calendar
import datetime as _datetime
import re
from dataclasses import dataclass
from functools import cache

NEVER = 1_000_000
"""Month index that lies beyond every run: 'no such date'."""

_MONTH = re.compile(r"^([0-9]{4})-(0[1-9]|1[0-2])$")


def parse_month(text: str) -> int:
    """Absolute month (year * 12 + month - 1) of ``"YYYY-MM"``; ``ValueError`` for anything else."""
    found = _MONTH.match(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a month; write it as YYYY-MM, such as 2027-11")
    return int(found[1]) * 12 + int(found[2]) - 1


def month_text(absolute: int) -> str:
    """``"YYYY-MM"`` of an absolute month."""
    return f"{absolute // 12:04d}-{absolute % 12 + 1:02d}"


@cache
def _days(absolute: int) -> int:
    return _calendar.monthrange(absolute // 12, absolute % 12 + 1)[1]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The months of a run: ``first`` (absolute) and how many there are."""

    first: int
    months: int

    @classmethod
    def between(cls, start: str, end: str) -> Calendar:
        """The calendar from ``start`` to ``end`` (``"YYYY-MM"``, both included)."""
        first, last = parse_month(start), parse_month(end)
        if last < first:
            raise ValueError(f"the run ends ({end}) before it starts ({start})")
        return cls(first, last - first + 1)

    def text(self, month: int) -> str:
        return month_text(self.first + month)

    def index(self, text: str) -> int:
        """Month index of ``"YYYY-MM"``: 0 is the first month, negative lies before the run."""
        return parse_month(text) - self.first

    def year(self, month: int) -> int:
        return (self.first + month) // 12

    def month_of_year(self, month: int) -> int:
        """0 for January to 11 for December."""
        return (self.first + month) % 12

    def days(self, month: int) -> int:
        """Days of the month, leap years included."""
        return _days(self.first + month)

    def hours(self, month: int) -> float:
        return 24.0 * self.days(month)

    def date(self, month: int) -> _datetime.date:
        absolute = self.first + month
        return _datetime.date(absolute // 12, absolute % 12 + 1, 1)

    @property
    def years(self) -> list[int]:
        return list(range(self.first // 12, (self.first + self.months - 1) // 12 + 1))

    def months_of_year(self, year: int) -> range:
        """Month indices of the run that lie in ``year``."""
        low = max(year * 12 - self.first, 0)
        return range(low, min(year * 12 + 12 - self.first, self.months))
