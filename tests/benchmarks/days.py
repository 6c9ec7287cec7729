"""Days like those of the model: the same month in successive years, with the weather redrawn."""

from __future__ import annotations

import numpy as np

from abm.core.power import PowerCase


def day(
    year: int,
    *,
    zones: int = 7,
    segments: int = 8,
    hours: int = 24,
    lines: int = 10,
    stores: int = 7,
    flexible: int = 7,
    tiers: int = 2,
    one_node: bool = False,
    seed: int = 1,
) -> PowerCase:
    """A representative day: the world is fixed by `seed`, the weather and the growth by `year`.

    The first segment is wind, the second sun, the others thermal plant in rising cost.
    """
    world = np.random.default_rng([seed, 0])
    weather = np.random.default_rng([seed, 1, year])
    hour = np.arange(hours)
    daily = 1.0 + 0.18 * np.sin((hour - 9.0) / 24.0 * 2.0 * np.pi)
    base = world.uniform(3000.0, 14000.0, zones)
    growth = 1.02**year
    demand = base[:, None] * daily * growth * weather.normal(1.0, 0.03, (zones, hours))
    share = world.dirichlet(np.ones(segments) * 2.0, zones)[:, :, None]
    capacity = share * base[:, None, None] * 1.9 * np.ones(hours)
    sun = np.clip(np.sin((hour % 24 - 6.0) / 12.0 * np.pi), 0.0, None)
    capacity[:, 0] *= growth**3 * weather.beta(2.0, 3.0, (zones, hours))
    if segments > 1:
        capacity[:, 1] *= growth**3 * sun * weather.uniform(0.3, 1.0, (zones, 1))
    capacity[:, 2:] *= weather.uniform(0.75, 1.0, (zones, max(0, segments - 2), 1))
    fuel = np.concatenate([[0.0, 0.0], np.linspace(8.0, 190.0, max(0, segments - 2))])[:segments]
    cost = fuel * weather.uniform(0.9, 1.1, segments) * world.uniform(0.95, 1.05, (zones, segments))
    start = np.arange(lines) % zones
    end = (start + 1 + np.arange(lines) // zones) % zones
    limit = world.uniform(500.0, 5000.0, lines)
    power = world.uniform(100.0, 900.0, stores)
    duration = world.choice([4.0, 6.0, 8.0], stores)
    compute = world.uniform(50.0, 600.0, flexible)
    shed = np.stack([0.1 * demand] * (tiers - 1) + [demand], axis=1)
    place = {"store": np.arange(stores) % zones, "flexible": np.arange(flexible) % zones}
    if one_node:
        demand = demand.sum(0, keepdims=True)
        capacity = capacity.reshape(1, -1, hours)
        cost = cost.reshape(1, -1)
        shed = shed.sum(0, keepdims=True)
        start, end, limit = start[:0], end[:0], limit[:0]
        place = {name: 0 * where for name, where in place.items()}
    return PowerCase(
        demand_mw=demand,
        capacity_mw=capacity,
        cost=cost,
        line_from=start,
        line_to=end,
        line_forward_mw=limit,
        line_backward_mw=limit,
        store_zone=place["store"],
        charge_mw=power,
        discharge_mw=power,
        store_mwh=power * duration,
        charge_efficiency=np.full(stores, 0.88),
        discharge_efficiency=np.full(stores, 0.9),
        flexible_zone=place["flexible"],
        flexible_mw=np.repeat(compute[:, None] * 1.5 * growth, hours, axis=1),
        flexible_mwh=compute * hours * 0.8 * growth,
        shed_mw=shed,
        shed_cost=np.array([3000.0, 9000.0, 20000.0])[:tiers],
        unserved_flexible_cost=400.0,
    )
