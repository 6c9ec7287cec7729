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
    RESERVE,
    EMISSIONS,
    CONGESTION,
    GAP,
    PIVOTS,
    FALLBACKS,
    LOST_HOURS,
    LOAD_SERVED,
    AI_SERVED,
    SCALARS,
) = range(20)
"""Places in ``sums``."""

(
    LOAD,
    AI_LOAD,
    AI_UNSERVED,
    LOSSES,
    ZONE_PRICE_SUM,
    ZONE_LOAD,
    SPREAD,
    ZONE_PRICE,
    GENERATED,
    AI_WANTED,
    UNSERVED_SHARE,
    BY_ZONE,
) = range(12)
"""Rows of ``by_zone``."""

SETTLEMENT, MADE, FUEL_COST, AVAILABLE, CAPACITY_PAYMENT, BY_TECH = range(6)
"""Rows of ``by_technology``."""

HOURLY = 8
"""Rows of an hour each in a day's working memory."""

DISPATCHABLE, SUN_OR_WIND, OTHER_WEATHER = 0, 1, 2
"""Values of ``weather`` by technology; the outputs of the first are left to forced outages."""


@kernel(
    [
        "void(float64, float64[:, ::1], float64[:, :, ::1], float64[:, ::1], float64[::1], float64[::1],"
        "float64[:, :, ::1], float64[:, :, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1],"
        "float64[:, ::1], int64[::1], int64[::1], float64[:, ::1], float64[::1], int64[::1], int64[::1],"
        "boolean[::1], boolean[::1], float64, float64, float64, float64[::1], float64[::1], float64[:, ::1],"
        "float64[::1], float64[:, ::1], float64[::1], float64[::1], float64[::1], float64[:, :, ::1], float64[:, ::1])"
    ],
    allocates=False,
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
    made,  # working memory (Z,T,H)
    work,  # and (2 Z + HOURLY,H)
):
    zones, hours = base.shape
    techs = by_tech.shape[1]
    served, level = work[:zones], work[zones : 2 * zones]
    windsun, clean, everything, ai_hour, system_load, made_here, paid, weatherly = (
        work[2 * zones], work[2 * zones + 1], work[2 * zones + 2], work[2 * zones + 3], work[2 * zones + 4],
        work[2 * zones + 5], work[2 * zones + 6], work[2 * zones + 7],
    )  # fmt: skip
    made[:] = 0.0
    work[:] = 0.0
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
    for f in range(flexible_zone.size):
        for h in range(hours):
            served[flexible_zone[f], h] += flexible[f, h]
    for s in range(store_zone.size):
        lost = 0.0
        for h in range(hours):
            lost += charge[s, h] - discharge[s, h]
        by_zone[LOSSES, store_zone[s]] += weight * lost
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
    # What a technology's energy is settled at, before its own cost.
    for z in range(zones):
        for h in range(hours):
            level[z, h] = (1.0 - regional) * min(system_price[h], cap) + regional * min(price[z, h], cap)
    for t in range(techs):
        made_here[:] = 0.0
        paid[:] = 0.0
        weatherly[:] = 0.0
        own, kept = cost[t], settlement_share[t]
        for z in range(zones):
            here, at = made[z, t], level[z]
            for h in range(hours):
                made_here[h] += here[h]
            for h in range(hours):
                paid[h] += here[h] * (own + kept * max(at[h] - own, 0.0))
        whole, due = 0.0, 0.0
        for h in range(hours):
            due += weight * paid[h]
            whole += weight * made_here[h]
        settlement[t] += due
        for h in range(hours):
            everything[h] += made_here[h]
        if renewable[t]:
            sums[GREEN] += whole
        if carbon_free[t]:
            for h in range(hours):
                clean[h] += made_here[h]
        if weather[t] == SUN_OR_WIND:
            for h in range(hours):
                windsun[h] += made_here[h]
        if weather[t] != DISPATCHABLE:
            for z in range(zones):
                for h in range(hours):
                    weatherly[h] += by_tech[z, t, h]
            for h in range(hours):
                spare[h] += weatherly[h]
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


@kernel(["float64(float64[::1], float64, float64[::1], float64)"], allocates=False)
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


@kernel(
    [
        "void(float64[::1], float64[:, :, ::1], float64[:, :, :, ::1], float64[:, :, ::1], float64[:, ::1],"
        "float64[:, :, :, ::1], float64[:, :, :, ::1], float64[:, :, ::1], float64[:, :, ::1],"
        "float64[:, :, ::1], int64[::1], int64[::1], float64[:, :, ::1], float64[:, :, ::1], int64[::1],"
        "int64[::1], boolean[::1], boolean[::1], float64, float64, float64, float64[::1], float64[::1],"
        "float64[::1], float64[::1], float64[:, ::1], float64[:, ::1],"
        "float64[:, ::1], float64[:, ::1], float64, float64[::1], float64,"
        "float64[:, ::1], float64[::1], float64[:, ::1], float64[:, ::1], float64[::1], float64[:, ::1],"
        "float64[:, :, ::1], float64[:, ::1])"
    ],
    allocates=False,
)
def add_month(
    weights,  # (D,) days of the month that each day stands for
    base, by_tech, demand,  # as in `add_day`, days first
    ai,  # (2,Z) AI load, and what can wait of it
    segments, shed, line_flow,  # days first
    storage,  # (D,3S,H): charge, discharge, state of charge
    flexible,  # days first
    store_zone, flexible_zone,
    price,  # (D,Z,H)
    system_price,  # (D,1,H)
    segment_tech, weather, renewable, carbon_free, direct, cap, regional, cost, settlement_share,
    emission,  # (T,) t/MWh
    capacity_payment,  # (T,) currency/MW
    available,  # (Z,T)
    stores,  # (2,S): MW, MWh
    limited, free,  # (4,D): objective, lower bound, pivots and fallbacks with line limits and without
    firm,  # MW of thermal plant, were none on outage
    beyond, step,  # P(outage > i steps of MW)
    generation, sums,  # out
    by_technology,  # out (BY_TECH,T)
    by_zone, flow,  # out
    spare,  # out (D,H)
    made, work,  # working memory, as in `add_day`
):  # fmt: skip
    """`add_day` for the days of a month, and what follows from their sums; outputs begin at zero."""
    days = weights.size
    zones, techs = available.shape
    count = storage.shape[1] // 3
    for d in range(days):
        add_day(
            weights[d], base[d], by_tech[d], demand[d], ai[0], ai[1], segments[d], shed[d], line_flow[d],
            storage[d, :count], storage[d, count : 2 * count], flexible[d], store_zone, flexible_zone,
            price[d], system_price[d, 0], segment_tech, weather, renewable, carbon_free,
            direct, cap, regional, cost, settlement_share,
            generation, sums, by_zone, flow, by_technology[SETTLEMENT], spare[d], made, work,
        )  # fmt: skip
    all_days = max(weights.sum(), 1e-9)
    for z in range(zones):
        by_zone[AI_UNSERVED, z] = max(by_zone[AI_UNSERVED, z], 0.0)
        by_zone[SPREAD, z] /= all_days
        if by_zone[ZONE_LOAD, z] > 0.0:
            by_zone[ZONE_PRICE, z] = by_zone[ZONE_PRICE_SUM, z] / by_zone[ZONE_LOAD, z]
        by_zone[AI_WANTED, z] = by_zone[AI_LOAD, z] + by_zone[AI_UNSERVED, z]
        if by_zone[AI_WANTED, z] > 1e-9:
            by_zone[UNSERVED_SHARE, z] = by_zone[AI_UNSERVED, z] / by_zone[AI_WANTED, z]
        sums[LOAD_SERVED] += by_zone[LOAD, z]
        sums[AI_SERVED] += by_zone[AI_LOAD, z]
        for t in range(techs):
            by_zone[GENERATED, z] += generation[z, t]
            by_technology[MADE, t] += generation[z, t]
            by_technology[AVAILABLE, t] += available[z, t]
    for t in range(techs):
        by_technology[FUEL_COST, t] = by_technology[MADE, t] * cost[t]
        by_technology[CAPACITY_PAYMENT, t] = by_technology[AVAILABLE, t] * capacity_payment[t]
        sums[EMISSIONS] += by_technology[MADE, t] * emission[t]
    for s in range(stores.shape[1]):
        sums[RESERVE] += min(stores[0, s], stores[1, s] / 4.0)
    for d in range(days):
        sums[LOST_HOURS] += weights[d] * lost_hours(spare[d], sums[RESERVE] + firm, beyond, step)
        dearer = limited[0, d] - free[0, d]
        if dearer > 1e-12 * abs(limited[0, d]):
            sums[CONGESTION] += weights[d] * dearer
        for found in (limited, free):
            sums[GAP] = max(sums[GAP], (found[0, d] - found[1, d]) / max(abs(found[0, d]), 1.0))
            sums[PIVOTS] += found[2, d]
            sums[FALLBACKS] += found[3, d]
