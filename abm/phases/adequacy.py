"""Loss-of-load expectation by convolving forced outages (Billinton and Allan 1996, chapter 2).

Units of one technology are alike and fail independently, so the capacity on outage is a sum of
binomials; their distributions are convolved on a grid of megawatts. In each representative hour the
load is lost when outages exceed what is left after weather-driven power, imports being none. The
system is one node here: line limits are no part of this figure.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from abm.model import Model

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
    density = np.ones(1)
    for units, unit_mw, rate in fleet:
        chance = _binomial(units, rate)
        spaced = np.zeros(round((len(chance) - 1) * unit_mw / STEP_MW) + 1)
        for k, value in enumerate(chance):
            spaced[round(k * unit_mw / STEP_MW)] += value
        density = np.convolve(density, spaced)
    return np.maximum(1.0 - np.cumsum(density), 0.0)


def loss_of_load_hours(model: Model, power: Any, month: int, margins: list[Any]) -> float:
    """Expected hours of the month in which available capacity falls short of load."""
    tech = power.tech
    fleet, firm = [], 0.0
    if not margins:
        return 0.0
    available = margins[0][1].sum(0)
    for i in range(len(tech)):
        if power.profile[i] != 0:
            continue
        units = round(float(available[i]) / float(tech.unit_mw[i]))
        rate = float(tech.forced_outage[i])
        firm += float(available[i])
        if units > 0 and rate > 0.0:
            fleet.append((units, float(tech.unit_mw[i]), rate))
    # Mean availability already holds forced outages: add their mean back, then let them vary.
    firm += sum(units * mw * rate for units, mw, rate in fleet)
    beyond = _outages(tuple(sorted(fleet)))
    stores = power.stores(month)
    reserve = float(np.minimum(stores["discharge_mw"], stores["store_mwh"] / 4.0).sum())
    hours = 0.0
    for weight, _, by_tech, load in margins:
        weatherly = by_tech[:, power.profile != 0].sum((0, 1))
        spare = firm + weatherly + reserve - load
        index = np.floor(spare / STEP_MW).astype(int)
        lost = np.where(
            spare < 0.0, 1.0, np.where(index < len(beyond), beyond[np.clip(index, 0, len(beyond) - 1)], 0.0)
        )
        hours += weight * float(lost.sum())
    return hours
