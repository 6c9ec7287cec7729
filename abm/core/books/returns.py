"""What money earned over a run."""

from __future__ import annotations

import numpy as np

from abm.core.jit import kernel

LOWEST, HIGHEST = -0.1, 0.2
"""Returns a month between which one is looked for."""


@kernel(["float64(float64[::1], float64)"], allocates=False)
def present_value(flows, rate):
    """Value in the first month of ``flows`` (months,) at a ``rate`` a month, by Horner's rule."""
    discount = 1.0 / (1.0 + rate)
    value = 0.0
    for month in range(flows.size - 1, -1, -1):
        value = value * discount + flows[month]
    return value


@kernel(["float64(float64[::1])"], allocates=False)
def internal_rate(flows):
    """Return a month at which ``flows`` (months,) are worth nothing, by bisection.

    NaN where there is none in bounds, or money went one way only.
    """
    low, high = LOWEST, HIGHEST
    paid, got = False, False
    for flow in flows:
        paid |= flow < 0.0
        got |= flow > 0.0
    if not (paid and got):
        return np.nan
    if not (present_value(flows, low) >= 0.0 and present_value(flows, high) <= 0.0):
        return np.nan
    for _ in range(80):
        middle = 0.5 * (low + high)
        if present_value(flows, middle) > 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
