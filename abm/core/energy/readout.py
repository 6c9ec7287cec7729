"""Adds a dispatched representative day to the sums of its month.

Shapes: Z zones, T technologies, G supply segments, H hours, L lines, S stores, F flexible loads;
MW, MWh and currency/MWh. The day's ``weight`` says how many days of the month it stands for.
"""

from __future__ import annotations

import numpy as np

from abm.core.jit import kernel

(
    CURTAILED,
    UNSERVED,
    NONFIRM_CUT,
    PRICE_SUM,
    LOAD_SUM,
    PEAK,
    GREEN,
    TOTAL,
    MATCHED,
    NEEDED,
    SCALARS,
) = range(11)
"""Places in ``sums``."""

LOAD, AI_LOAD, AI_UNSERVED, LOSSES, ZONE_PRICE_SUM, ZONE_LOAD, SPREAD, BY_ZONE = range(8)
"""Rows of ``by_zone``."""

DISPATCHABLE, SUN_OR_WIND, OTHER_WEATHER = 0, 1, 2
"""Values of ``weather`` by technology; the outputs of the first are left to forced outages."""


@kernel(
    [
        "void(float64, float64[:, ::1], float64[:, :, ::1], float64[:, ::1], float64[::1], float64[::1],"
        "float64[:, :, ::1], float64[:, :, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1],"
        "float64[:, ::1], int64[::1], int64[::1], float64[:, ::1], float64[::1], int64[::1], int64[::1],"
        "boolean[::1], boolean[::1], float64, float64, float64, float64[::1], float64[::1], float64[:, ::1],"
        "float64[::1], float64[:, ::1], float64[::1], float64[::1], float64[::1])"
    ]
)
def add_day(
    weight,
    base,  # (Z,H) load without AI sites
    by_tech,  # (Z,T,H) available
    demand,  # (Z,H) of the case
    ai_total,  # (Z,)
    ai_flexible,  # (Z,)
    segments,  # (Z,G,H) generation by supply segment
    shed,  # (Z,2,H) non-firm AI load cut, then load lost
    line_flow,  # (L,H)
    charge,  # (S,H)
    discharge,  # (S,H)
    flexible,  # (F,H)
    store_zone,  # (S,)
    flexible_zone,  # (F,)
    price,  # (Z,H)
    system_price,  # (H,)
    segment_tech,  # (G,)
    weather,  # (T,)
    renewable,  # (T,)
    carbon_free,  # (T,)
    direct,  # share of AI load bought directly from sun and wind
    cap,  # on what generators are settled at
    regional,  # share of settlement at zonal prices
    cost,  # (T,)
    settlement_share,  # (T,) of the margin that a technology keeps
    generation,  # out (Z,T) MWh
    sums,  # out (SCALARS,)
    by_zone,  # out (BY_ZONE,Z)
    flow,  # out (L,) MWh
    settlement,  # out (T,)
    spare,  # out (H,) what weather-driven power leaves of the load, with a minus: MW
):
    zones, hours = base.shape
    techs = by_tech.shape[1]
    made = np.zeros((zones, techs, hours))
    for z in range(zones):
        for g in range(segment_tech.size):
            t = segment_tech[g]
            for h in range(hours):
                made[z, t, h] += segments[z, g, h]
        for t in range(techs):
            energy = 0.0
            for h in range(hours):
                energy += made[z, t, h]
            generation[z, t] += weight * energy
            if weather[t] == SUN_OR_WIND:
                for h in range(hours):
                    sums[CURTAILED] += weight * (by_tech[z, t, h] - made[z, t, h])
    served = np.zeros((zones, hours))
    for f in range(flexible_zone.size):
        for h in range(hours):
            served[flexible_zone[f], h] += flexible[f, h]
    for s in range(store_zone.size):
        lost = 0.0
        for h in range(hours):
            lost += charge[s, h] - discharge[s, h]
        by_zone[LOSSES, store_zone[s]] += weight * lost
    ai_hour = np.zeros(hours)
    system_load = np.zeros(hours)
    for z in range(zones):
        low = np.inf
        high = -np.inf
        for h in range(hours):
            cut, lost = shed[z, 0, h], shed[z, 1, h]
            # Load that is lost is shared by AI sites and others in proportion.
            rest = demand[z, h] - cut
            fraction = lost / rest if rest > 0.0 else 0.0
            ai = (ai_total[z] - ai_flexible[z] - cut) * (1.0 - fraction) + served[z, h]
            load = base[z, h] + ai_total[z]
            by_zone[LOAD, z] += weight * base[z, h] * (1.0 - fraction)
            by_zone[AI_LOAD, z] += weight * ai
            by_zone[AI_UNSERVED, z] += weight * (ai_total[z] - ai)
            by_zone[ZONE_PRICE_SUM, z] += weight * price[z, h] * load
            by_zone[ZONE_LOAD, z] += weight * load
            sums[UNSERVED] += weight * lost
            sums[NONFIRM_CUT] += weight * cut
            ai_hour[h] += ai
            system_load[h] += load
            low = min(low, price[z, h])
            high = max(high, price[z, h])
        by_zone[SPREAD, z] += weight * (high - low)
    for at in range(line_flow.shape[0]):
        energy = 0.0
        for h in range(hours):
            energy += line_flow[at, h]
        flow[at] += weight * energy
    windsun = np.zeros(hours)
    clean = np.zeros(hours)
    everything = np.zeros(hours)
    for t in range(techs):
        for h in range(hours):
            made_here = 0.0
            paid = 0.0
            weatherly = 0.0
            for z in range(zones):
                made_here += made[z, t, h]
                weatherly += by_tech[z, t, h]
                at_price = (1.0 - regional) * min(system_price[h], cap) + regional * min(price[z, h], cap)
                above = max(at_price - cost[t], 0.0)
                paid += made[z, t, h] * (cost[t] + settlement_share[t] * above)
            settlement[t] += weight * paid
            everything[h] += made_here
            if renewable[t]:
                sums[GREEN] += weight * made_here
            if carbon_free[t]:
                clean[h] += made_here
            if weather[t] == SUN_OR_WIND:
                windsun[h] += made_here
            if weather[t] != DISPATCHABLE:
                spare[h] += weatherly
    mean_sun = windsun.mean()
    mean_ai = ai_hour.mean()
    for h in range(hours):
        sums[PRICE_SUM] += weight * system_price[h] * system_load[h]
        sums[LOAD_SUM] += weight * system_load[h]
        sums[PEAK] = max(sums[PEAK], system_load[h])
        sums[TOTAL] += weight * everything[h]
        straight = 0.0
        if mean_sun > 0.0:
            straight = min(direct * ai_hour[h], direct * mean_ai * windsun[h] / mean_sun)
        share = clean[h] / everything[h] if everything[h] > 0.0 else 0.0
        sums[MATCHED] += weight * (straight + (ai_hour[h] - straight) * share)
        sums[NEEDED] += weight * ai_hour[h]
        spare[h] -= system_load[h]


@kernel(["float64(float64[::1], float64, float64[::1], float64)"])
def lost_hours(spare, firm, beyond, step):
    """Expected hours in which outages exceed ``firm + spare``; ``beyond[i]`` = P(outage > i steps)."""
    total = 0.0
    for h in range(spare.size):
        left = firm + spare[h]
        if left < 0.0:
            total += 1.0
        else:
            at = int(left / step)
            if at < beyond.size:
                total += beyond[at]
    return total
