"""Loss-of-load expectation by convolving forced outages (Billinton and Allan 1996, chapter 2).

Units of one technology are alike and fail independently, so the capacity on outage is a sum of
binomials; their distributions are convolved on a grid of megawatts. In each representative hour the
load is lost when outages exceed what is left after weather-driven power, imports being none. The
system is one node here: line limits are no part of this figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from abm.core.energy import service
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


class ThermalFleet:
    """Plants that the weather does not drive, and how much of them is out at once."""

    def __init__(self, technologies: Iterable[tuple[int, float, float]]):
        """``technologies``: place among all, MW of a unit and forced outage rate of the thermal ones."""
        place, size, rate = tuple(zip(*technologies, strict=True)) or ((), (), ())
        self.place, self.unit_mw, self.outage = np.array(place, np.int64), np.array(size), np.array(rate)

    def of(self, available: np.ndarray) -> tuple[float, np.ndarray]:
        """MW of thermal plant were none on outage, and P(outage > x) at x = 0, STEP_MW, 2 STEP_MW, ...

        ``available`` (zones, technologies): MW on average.
        """
        units = np.empty(len(self.place), np.int64)
        firm = service.thermal(available, self.place, self.unit_mw, self.outage, units)
        return firm, _outages(self, units.tobytes())


@lru_cache(maxsize=1024)
def _outages(fleet: ThermalFleet, units: bytes) -> np.ndarray:
    """P(capacity on outage > x) at x = 0, STEP_MW, ..., where the fleet has so many ``units`` (int64, by technology)."""
    counts = np.frombuffer(units, np.int64)
    there = sorted(
        (count, size, rate)
        for count, size, rate in zip(
            counts.tolist(), fleet.unit_mw.tolist(), fleet.outage.tolist(), strict=True
        )
        if count > 0
    )
    chances = [_binomial(count, rate) for count, _, rate in there]
    return np.asarray(
        exceedance(
            np.array([value for chance in chances for value in chance], float),
            np.array([len(chance) for chance in chances], np.int64),
            np.array([unit_mw for _, unit_mw, _ in there], float),
            STEP_MW,
        )
    )
