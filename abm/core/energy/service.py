"""What is in service in a month: plants, large loads, lines and stores.

Shapes: Z zones, T technologies, P plants, N sites, V vintages of accelerators, L lines, S stores; MW and MWh.
"""

from __future__ import annotations

import numpy as np

from abm.core.jit import kernel

FIRM, NONFIRM, FAB, LOADS = range(4)
"""Rows of what `large_loads` writes."""


@kernel(
    [
        "void(int64, int64[::1], int64[::1], int64[::1], int64[::1], float64[::1], float64[:, ::1],"
        "float64[::1], float64[:, ::1], float64[:, ::1])"
    ],
    allocates=False,
)
def plants(
    month,
    commissioned,  # (P,) month
    retires,  # (P,) month
    zone,  # (P,)
    technology,  # (P,)
    mw,  # (P,)
    added,  # (Z,T) MW built during the run
    mean,  # (T,) availability
    seasonal,  # (Z,T) factor on it
    available,  # out (Z,T)
):
    """Capacity in service times its availability."""
    zones, techs = available.shape
    for z in range(zones):
        for t in range(techs):
            available[z, t] = added[z, t]
    for i in range(mw.size):
        if commissioned[i] <= month < retires[i]:
            available[zone[i], technology[i]] += mw[i]
    for z in range(zones):
        for t in range(techs):
            available[z, t] *= mean[t]
            available[z, t] *= seasonal[z, t]


@kernel(
    ["float64(float64[:, ::1], int64[::1], float64[::1], float64[::1], int64[::1])"],
    allocates=False,
)
def thermal(
    available,  # (Z,T)
    technology,  # (K,) those that the weather does not drive
    unit_mw,  # (K,) of a unit
    outage,  # (K,) forced outage rate
    units,  # out (K,) how many there are, as many as come nearest; none of a kind that never fails
):
    """MW of thermal plant were none on outage."""
    firm = 0.0
    for k in range(technology.size):
        mw = 0.0
        for z in range(available.shape[0]):
            mw += available[z, technology[k]]
        units[k] = int(np.rint(mw / unit_mw[k])) if outage[k] > 0.0 else 0
        # Mean availability already holds forced outages: their mean is added back, then they vary.
        firm += mw + units[k] * unit_mw[k] * outage[k]
    return firm


@kernel(
    [
        "void(int64, float64[:, ::1], int64[::1], float64[::1], float64[::1], float64, float64[::1],"
        "float64[::1])"
    ],
    allocates=False,
)
def running_costs(
    month,
    fuel_price,  # (fuels, months)
    fuel,  # (T,) row of it, -1: none
    fuel_factor,  # (T,) of fuel to a MWh
    variable,  # (T,) currency/MWh
    carbon_price,  # currency/t
    emission,  # (T,) t/MWh
    cost,  # out (T,) currency/MWh
):
    """Cost of a MWh by technology, carbon included."""
    for t in range(fuel.size):
        burnt = fuel_price[fuel[t], month] * fuel_factor[t] if fuel[t] >= 0 else 0.0
        cost[t] = burnt + variable[t] + carbon_price * emission[t]


@kernel(
    [
        "void(int64, int64[::1], int64[::1], int64[::1], int64[::1], boolean[::1], float64[::1],"
        "float64[:, ::1], float64[::1], float64, float64, float64, float64[:, ::1])"
    ],
    allocates=False,
)
def large_loads(
    count,  # sites there are; their columns may be longer
    kinds,  # (3,) the status of sites in operation, the kinds of AI sites and of fabs
    status,  # (N,)
    kind,  # (N,)
    zone,  # (N,)
    nonfirm,  # (N,) may be cut first
    mw,  # (N,) connected
    chips,  # (N,V) accelerators
    kw,  # (V,)
    mw_per_kw,  # of an AI site at full load, cooling included
    at_work,  # load of AI sites over full load
    fab_factor,  # load of fabs over what is connected
    loads,  # out (LOADS,Z): firm and non-firm AI sites, fabs
):
    """Electric load of sites in operation by zone, MW."""
    loads[:] = 0.0
    for i in range(count):
        if status[i] != kinds[0]:
            continue
        if kind[i] == kinds[1]:
            drawn = 0.0
            for v in range(kw.size):
                drawn += chips[i, v] * kw[v]
            loads[NONFIRM if nonfirm[i] else FIRM, zone[i]] += drawn * mw_per_kw * at_work
        elif kind[i] == kinds[2]:
            loads[FAB, zone[i]] += mw[i] * fab_factor


@kernel(
    [
        "void(int64, int64[::1], int64[::1], float64[::1], float64[::1], float64, int64[::1], int64[::1],"
        "float64[::1], float64[::1], float64[::1], float64, float64[:, ::1], float64[:, ::1])"
    ],
    allocates=False,
)
def lines_and_stores(
    month,
    lines,  # (L,) rows of the lines between zones
    ready,  # (all lines,) month
    forward,  # (L,)
    backward,  # (L,)
    limit,  # factor on both
    commissioned,  # (S - Z,) month, of the world's stores
    retires,  # (S - Z,) month
    mw,  # (S - Z,)
    mwh,  # (S - Z,)
    added,  # (Z,) MW built during the run, a store a zone
    hours,  # that they can give it for
    limits,  # out (2,L): forward, backward
    stores,  # out (2,S): MW, MWh
):
    """Transfer limits and stores."""
    for i in range(lines.size):
        on = ready[lines[i]] <= month
        limits[0, i] = (forward[i] if on else 0.0) * limit
        limits[1, i] = (backward[i] if on else 0.0) * limit
    old = mw.size
    for i in range(old):
        on = commissioned[i] <= month < retires[i]
        stores[0, i] = mw[i] if on else 0.0
        stores[1, i] = mwh[i] if on else 0.0
    for z in range(added.size):
        stores[0, old + z] = added[z]
        stores[1, old + z] = added[z] * hours
