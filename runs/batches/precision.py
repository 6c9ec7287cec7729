"""How well a mean is known, and stopping when it is known well enough.

Samples and replicates are crossed: every sample meets the same luck, every replicate the same values. The
variance of a mean over both is that of the sample means plus that of the replicate means, less the residual
counted twice (two-way random effects; Searle, Casella and McCulloch 1992, chapter 5), with Satterthwaite's
(1946) degrees of freedom. Latin hypercube and Sobol samples are treated as if drawn independently, which
errs on the wide side.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.reading import unknown
from runs.checking import BadInput, Complaint

LEVEL = 0.95
FEWEST = 16
"""Draws before a precision is judged at all."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its confidence interval; NaN where nothing is defined yet."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2.0


def interval(values: NDArray[np.float64], level: float = LEVEL) -> Interval:
    """The interval of the mean of ``values`` (samples, replicates); NaN marks what is missing or undefined."""
    values = np.atleast_2d(values)
    there = np.isfinite(values)
    n = int(there.sum())
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    kept = values[there.any(axis=1)][:, there.any(axis=0)]
    seen = np.isfinite(kept)
    mean = float(kept[seen].mean())
    rows, columns = kept.shape
    if n < 2:
        return Interval(mean, math.nan, math.nan, n)
    if rows == 1 or columns == 1:
        variance, freedom = float(kept[seen].var(ddof=1)) / n, float(n - 1)
    else:
        variance, freedom = _crossed(kept, seen, mean)
    half = _student(level, freedom) * math.sqrt(variance)
    return Interval(mean, mean - half, mean + half, n)


def _crossed(values: NDArray[np.float64], seen: NDArray[np.bool_], mean: float) -> tuple[float, float]:
    """Variance of the mean over samples and replicates, and its degrees of freedom."""
    rows, columns = values.shape
    filled = np.where(seen, values, 0.0)
    of_row = filled.sum(axis=1) / seen.sum(axis=1)
    of_column = filled.sum(axis=0) / seen.sum(axis=0)
    rest = np.where(seen, values - of_row[:, None] - of_column[None, :] + mean, 0.0)
    parts = [
        (float(of_row.var(ddof=1)) / rows, rows - 1.0),
        (float(of_column.var(ddof=1)) / columns, columns - 1.0),
        (
            -float((rest**2).sum()) / ((rows - 1) * (columns - 1)) / (rows * columns),
            (rows - 1.0) * (columns - 1),
        ),
    ]
    variance = max(sum(part for part, _ in parts), parts[0][0], parts[1][0])
    spread = sum(part**2 / freedom for part, freedom in parts)
    freedom = variance**2 / spread if spread > 0.0 else 1.0
    return variance, max(freedom, 1.0)


def _student(level: float, freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2.0))


_CONDITION = re.compile(r"\s*(?:m\.)?(\S+)\s+ci(\d\d)\s*<\s*([0-9.]+(?:[eE][+-]?\d+)?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Until:
    """Stop when the half-width of the indicator's interval is below ``width`` in every scenario and package."""

    indicator: str
    level: float
    width: float
    relative: bool

    @classmethod
    def parse(cls, text: str, known: tuple[str, ...]) -> Until:
        """``m.ai_sites_mw ci95 < 2%`` or ``ai_sites_mw ci95 < 50``; :class:`BadInput` for anything else."""
        found = _CONDITION.fullmatch(text)

        def bad(message: str) -> BadInput:
            return BadInput([Complaint("command line", 0, "--until", message)])

        if found is None:
            raise bad(f'found {text!r}, expected such as "m.ai_sites_mw ci95 < 2%"')
        name, level, width = found[1], int(found[2]), float(found[3])
        if name not in known:
            raise bad(unknown(name, "indicator that is kept", known))
        if not 50 <= level <= 99 or width <= 0.0:
            raise bad(f"found ci{level} < {found[3]}{found[4]}, expected ci50 to ci99 and a width above 0")
        return cls(name, level / 100.0, width / 100.0 if found[4] else width, bool(found[4]))

    def met(self, found: Interval) -> bool:
        """Whether the interval is narrow enough; never where nothing is known."""
        if not math.isfinite(found.half):
            return False
        return found.half < self.width * (abs(found.mean) if self.relative else 1.0)

    def __str__(self) -> str:
        width = f"{self.width * 100:g} %" if self.relative else f"{self.width:g}"
        return f"{self.indicator} ci{self.level * 100:.0f} < {width}"


def next_stop(draws: int) -> int:
    """Draws at which a precision is judged: 16, then a quarter more each time, whatever the workers do."""
    stop = FEWEST
    while stop <= draws:
        stop = math.ceil(stop * 1.25)
    return stop
