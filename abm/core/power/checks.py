"""Compiled: whether days can be taken as they are. What is wrong, if something is, `PowerCase` says."""

from __future__ import annotations

import numpy as np

from ..jit import helper, kernel


@helper
def _between(values, low, high):
    """All of (n,) `values` at `low` or more and below `high`; a NaN is not."""
    fine = 0  # counted, by index: this is compiled to vector instructions
    for i in range(values.size):
        fine += low <= values[i] < high
    return fine == values.size


@helper
def _zones(where, zones):
    fine = True
    for zone in where:
        fine = fine and zone >= 0 and zone < zones
    return fine


@helper
def _efficiencies(values):
    fine = True
    for value in values:
        fine = fine and value > 0.0 and value <= 1.0
    return fine


@kernel(
    [
        "boolean(float64[:, :, ::1], float64[:, :, :, ::1], float64[:, :, ::1], float64[:, :, :, ::1],"
        "int64[::1], int64[::1], float64[::1], float64[::1],"
        "int64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
        "int64[::1], float64[:, ::1], float64[::1], float64[::1], float64)"
    ],
    allocates=False,
)
def in_order(
    demand, capacity, cost, shed,  # (D,Z,H), (D,Z,G,H), (Z,G,H), (D,Z,K,H)
    line_from, line_to, forward, backward,  # (L,)
    store_zone, charge, discharge, content, into, out_of,  # (S,)
    flexible_zone, flexible_mw, flexible_mwh,  # (F,), (F,H), (F,)
    shed_cost, unserved_cost,  # (K,), scalar
):  # fmt: skip
    """Whether shapes agree, all figures lie in their ranges, and each zone can meet its demand itself."""
    days, zones, hours = demand.shape
    segments, tiers = capacity.shape[2], shed_cost.size
    lines, stores, loads = line_from.size, store_zone.size, flexible_zone.size
    if (
        days == 0 or zones == 0 or hours == 0
        or capacity.shape[0] != days or capacity.shape[1] != zones or capacity.shape[3] != hours
        or cost.shape[0] != zones or cost.shape[1] != segments or cost.shape[2] != hours
        or shed.shape[0] != days or shed.shape[1] != zones or shed.shape[2] != tiers
        or shed.shape[3] != hours
        or line_to.size != lines or forward.size != lines or backward.size != lines
        or charge.size != stores or discharge.size != stores or content.size != stores
        or into.size != stores or out_of.size != stores
        or flexible_mw.shape[0] != loads or flexible_mw.shape[1] != hours or flexible_mwh.size != loads
    ):  # fmt: skip
        return False
    if not (_zones(line_from, zones) and _zones(line_to, zones)):
        return False
    if not (_zones(store_zone, zones) and _zones(flexible_zone, zones)):
        return False
    for i in range(lines):  # an infinite limit is none
        if line_from[i] == line_to[i] or not (forward[i] >= 0.0 and backward[i] >= 0.0):
            return False
    fine = (
        _between(capacity.reshape(capacity.size), 0.0, np.inf)
        and _between(shed.reshape(shed.size), 0.0, np.inf)
        and _between(cost.reshape(cost.size), -np.finfo(np.float64).max, np.inf)
        and _between(charge, 0.0, np.inf)
        and _between(discharge, 0.0, np.inf)
        and _between(content, 0.0, np.inf)
        and _efficiencies(into)
        and _efficiencies(out_of)
        and _between(flexible_mw.reshape(flexible_mw.size), 0.0, np.inf)
        and _between(flexible_mwh, 0.0, np.inf)
        and _between(shed_cost, -np.finfo(np.float64).max, np.inf)
        and np.isfinite(unserved_cost)
    )
    if not fine:
        return False
    for d in range(days):
        for z in range(zones):
            for h in range(hours):
                own = 0.0
                for k in range(tiers):
                    own += shed[d, z, k, h]
                need = demand[d, z, h]
                if not (need >= 0.0 and need < np.inf):
                    return False
                if own < need:  # seldom: shedding alone covers it as a rule
                    for g in range(segments):
                        own += capacity[d, z, g, h]
                    if own < need:
                        return False
    return True
