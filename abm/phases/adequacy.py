"""Loss-of-load expectation by convolving forced outages (Billinton and Allan 1996, chapter 2).

Units of one technology are alike and fail independently, so the capacity on outage is a sum of
binomials; their distributions are convolved on a grid of megawatts. In each representative hour the
load is lost when outages exceed what is left after weather-driven power, imports being none. The
system is one node here: line limits are no part of this figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from abm.core.energy.outages import exceedance

STEP_MW = 100.0


@lru_cache(maxsize=4096)
def _binomial(units: int, outage: float) -> tuple[float, ...]:
    """P(k of ``units`` are out), k up to where the tail is below 1e-12."""
    result, left = [], 1.0
    for k in range(units + 1):
        value = math.exp(
            math.lgamma(units + 1)
            - math.lgamma(k + 1)
            - math.lgamma(units - k + 1)
            + (k * math.log(outage) if k else 0.0)
            + (units - k) * math.log1p(-outage)
        )
        result.append(value)
        left -= value
        if left < 1e-12:
            break
    return tuple(result)


@lru_cache(maxsize=1024)
def _outages(fleet: tuple[tuple[int, float, float], ...]) -> np.ndarray:
    """P(capacity on outage > x) at x = 0, STEP, 2 STEP, ... for (units, unit MW, outage rate) entries."""
    chances = [_binomial(units, rate) for units, _, rate in fleet]
    return np.asarray(
        exceedance(
            np.array([value for chance in chances for value in chance], float),
            np.array([len(chance) for chance in chances], np.int64),
            np.array([unit_mw for _, unit_mw, _ in fleet], float),
            STEP_MW,
        )
    )


def thermal_fleet(
    technologies: Iterable[tuple[int, float, float]], available: Sequence[float]
) -> tuple[float, np.ndarray]:
    """MW of thermal plant were none on outage, and P(outage > x) at x = 0, STEP_MW, 2 STEP_MW, ...

    ``technologies``: place in ``available``, MW of a unit and forced outage rate of the thermal ones;
    ``available`` by technology, MW on average.
    """
    firm = 0.0
    fleet = []
    for at, size, rate in technologies:
        units = round(available[at] / size)
        firm += available[at]
        if units > 0 and rate > 0.0:
            # Mean availability already holds forced outages: add their mean back, then let them vary.
            firm += units * size * rate
            fleet.append((units, size, rate))
    return firm, _outages(tuple(sorted(fleet)))
