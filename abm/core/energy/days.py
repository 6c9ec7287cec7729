"""Fills the representative days of a month with its situation.

Shapes: D days, Z zones, T technologies, G supply segments, H hours; MW.
"""

from __future__ import annotations

from abm.core.jit import kernel


@kernel(
    [
        "void(float64[:, ::1], float64[:, :, :, ::1], boolean[::1], float64, int64[::1], float64[::1],"
        "float64[:, :, ::1], float64, float64[::1], float64[::1], float64[::1], float64[:, :, :, ::1],"
        "float64[:, :, :, ::1], float64[:, :, ::1], float64[:, :, ::1], float64[:, :, :, ::1],"
        "float64[:, :, :, ::1], float64[:, :, ::1], float64[:, :, :, ::1])"
    ],
    allocates=False,
)
def fill_days(
    available,  # (Z,T) in service times availability
    shaped,  # (D,Z,T,H) output over available capacity in usual weather
    weatherly,  # (T,) sun and wind
    weather,  # factor on them, up to full output
    segment_tech,  # (G,)
    portion,  # (G,) part of its technology's capacity that a segment has
    profile,  # (D,Z,H) load without AI sites, in the profiles' year
    growth,
    flat,  # (Z,) other new loads
    inflexible,  # (Z,) AI load that cannot wait
    nonfirm,  # (Z,) AI load that may be cut first
    by_tech,  # out (D,Z,T,H)
    capacity,  # out (D,Z,G,H)
    base,  # out (D,Z,H)
    demand,  # out (D,Z,H)
    shed,  # out (D,Z,2,H) non-firm AI load, then the rest
    capacity_all,  # out (D,1,G,H)
    demand_all,  # out (D,1,H)
    shed_all,  # out (D,1,2,H)
):
    days, zones, techs, hours = shaped.shape
    for d in range(days):
        capacity_all[d] = 0.0
        demand_all[d] = 0.0
        shed_all[d] = 0.0
        for z in range(zones):
            for t in range(techs):
                for h in range(hours):
                    share = shaped[d, z, t, h]
                    if weatherly[t] and weather != 1.0:
                        share = min(share * weather, 1.0)
                    by_tech[d, z, t, h] = available[z, t] * share
            for g in range(segment_tech.size):
                t = segment_tech[g]
                for h in range(hours):
                    mw = by_tech[d, z, t, h] * portion[g]
                    capacity[d, z, g, h] = mw
                    capacity_all[d, 0, g, h] += mw
            cut = min(nonfirm[z], inflexible[z])
            for h in range(hours):
                load = profile[d, z, h] * growth + flat[z]
                base[d, z, h] = load
                load += inflexible[z]
                demand[d, z, h] = load
                demand_all[d, 0, h] += load
                shed[d, z, 0, h] = cut
                shed[d, z, 1, h] = load - cut
                shed_all[d, 0, 0, h] += cut
                shed_all[d, 0, 1, h] += load - cut
