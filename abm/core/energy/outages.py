"""Capacity on outage of a thermal fleet: the outages of its technologies, convolved on a grid of megawatts."""

from __future__ import annotations

import numpy as np

from abm.core.jit import kernel


@kernel(["float64[::1](float64[::1], int64[::1], float64[::1], float64)"])
def exceedance(
    chance,  # P(k units are out), k from 0, of each technology in turn
    count,  # (T,) how many of these each has
    size,  # (T,) MW of a unit
    step,  # MW
):
    """P(capacity on outage > x) at x = 0, step, 2 step, ...; technologies fail independently."""
    density = np.ones(1)
    first = 0
    for t in range(count.size):
        n = count[t]
        wider = np.zeros(density.size + int(np.rint((n - 1) * size[t] / step)))
        for k in range(n):
            shift = int(np.rint(k * size[t] / step))
            for i in range(density.size):
                wider[shift + i] += chance[first + k] * density[i]
        density = wider
        first += n
    beyond = np.empty(density.size)
    total = 0.0
    for i in range(density.size):
        total += density[i]
        beyond[i] = max(1.0 - total, 0.0)
    return beyond
