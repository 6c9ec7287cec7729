"""Fills the representative days of a month with its situation.

Shapes: D days, Z zones, T technologies, G supply segments, H hours; MW.
"""

from __future__ import annotations

from abm.core.jit import kernel

from .service import FAB, FIRM, NONFIRM

FLEXIBLE_PEAK = 1.5
"""Most that load which can wait draws in an hour, over its mean."""


@kernel(
    [
        "void(float64[:, ::1], float64[:, :, :, ::1], boolean[::1], float64, int64[::1], float64[::1],"
        "float64[:, :, ::1], float64, float64[:, ::1], float64, float64[:, ::1], float64[:, :, :, ::1],"
        "float64[:, :, :, ::1], float64[:, :, ::1], float64[:, :, ::1], float64[:, :, :, ::1],"
        "float64[:, :, :, ::1], float64[:, :, ::1], float64[:, :, :, ::1],"
        "float64[:, ::1], float64[::1], float64[:, ::1], float64[::1])"
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
    loads,  # (LOADS,Z) as in `service`: AI sites, firm and not, and other new loads, flat
    flexible_share,  # of AI load, which can wait
    ai,  # out (2,Z): AI load, and what can wait of it
    by_tech,  # out (D,Z,T,H)
    capacity,  # out (D,Z,G,H)
    base,  # out (D,Z,H)
    demand,  # out (D,Z,H)
    shed,  # out (D,Z,2,H) non-firm AI load, then the rest
    capacity_all,  # out (D,1,G,H)
    demand_all,  # out (D,1,H)
    shed_all,  # out (D,1,2,H)
    flexible,  # out (Z,H) at most, of what can wait
    flexible_mwh,  # out (Z,) of it in the H hours
    flexible_all,  # out (1,H)
    flexible_mwh_all,  # out (1,)
):
    days, zones, techs, hours = shaped.shape
    waiting = 0.0
    for z in range(zones):
        ai[0, z] = loads[FIRM, z] + loads[NONFIRM, z]
        ai[1, z] = flexible_share * ai[0, z]
        flexible[z], flexible_mwh[z] = FLEXIBLE_PEAK * ai[1, z], ai[1, z] * hours
        waiting += ai[1, z]
    flexible_all[0], flexible_mwh_all[0] = FLEXIBLE_PEAK * waiting, waiting * hours
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
            inflexible = ai[0, z] - ai[1, z]
            cut = min(loads[NONFIRM, z], inflexible)
            for h in range(hours):
                load = profile[d, z, h] * growth + loads[FAB, z]
                base[d, z, h] = load
                load += inflexible
                demand[d, z, h] = load
                demand_all[d, 0, h] += load
                shed[d, z, 0, h] = cut
                shed[d, z, 1, h] = load - cut
                shed_all[d, 0, 0, h] += cut
                shed_all[d, 0, 1, h] += load - cut


@kernel(
    [
        "void(float64[::1], int64[::1], boolean[::1], float64, float64, float64[:, ::1],"
        "float64[:, :, ::1], float64[:, :, ::1])"
    ],
    allocates=False,
)
def price_segments(
    cost,  # (T,) currency/MWh
    segment_tech,  # (G,)
    must_run,  # (G,)
    must_run_bid,  # what a segment that must run pays to stay on, currency/MWh
    tie_break,  # currency/MWh
    ties,  # (G,H) in [0,1)
    zonal,  # out (Z,G,H)
    single,  # out (1,G,H)
):
    """Offers of the supply segments, alike in all zones.

    Hours and segments of equal cost are told apart by `ties`, by their names and not by the order in which zones and
    lines are listed. What remains equal are segments of one kind in several zones, and stores: there a solver may
    find another dispatch of the same cost.
    """
    segments, hours = ties.shape
    for g in range(segments):
        offer = -must_run_bid if must_run[g] else cost[segment_tech[g]]
        for h in range(hours):
            single[0, g, h] = offer + tie_break * ties[g, h]
    for z in range(zonal.shape[0]):
        for g in range(segments):
            for h in range(hours):
                zonal[z, g, h] = single[0, g, h]
