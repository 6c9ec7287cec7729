"""What a dispatched day adds to its month, against the same sums written in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.energy import readout

Z, T, H, L, S, F = 3, 4, 5, 2, 2, 3
SEGMENT_TECH = np.array([0, 1, 2, 3, 0])
WEATHER = np.array([readout.DISPATCHABLE, readout.DISPATCHABLE, readout.SUN_OR_WIND, readout.OTHER_WEATHER])
RENEWABLE = np.array([False, False, True, True])
CARBON_FREE = np.array([False, True, True, True])


def room() -> tuple[np.ndarray, np.ndarray]:
    """Working memory, with something in it."""
    return np.full((Z, T, H), np.nan), np.full((2 * Z + readout.HOURLY, H), np.nan)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.booleans())
def test_a_day_adds_up(seed: int, direct: float, regional: float, short: bool) -> None:
    draw = np.random.default_rng(seed)
    weight, cap = 10.0, 130.0
    base = draw.uniform(50.0, 100.0, (Z, H))
    ai, flexible_ai = draw.uniform(5.0, 10.0, Z), draw.uniform(0.0, 2.0, Z)
    demand = base + (ai - flexible_ai)[:, None]
    by_tech = draw.uniform(0.0, 80.0, (Z, T, H))
    segments = draw.uniform(0.0, 30.0, (Z, len(SEGMENT_TECH), H))
    shed = draw.uniform(0.0, 2.0, (Z, 2, H)) * short
    flow, charge = draw.normal(size=(L, H)), draw.uniform(0.0, 3.0, (S, H))
    discharge, flexible = draw.uniform(0.0, 3.0, (S, H)), draw.uniform(0.0, 1.0, (F, H))
    store_zone, flexible_zone = np.array([0, 2]), np.arange(F)
    price, system_price = draw.uniform(50.0, 150.0, (Z, H)), draw.uniform(50.0, 150.0, H)
    cost, kept = draw.uniform(20.0, 120.0, T), draw.uniform(0.0, 1.0, T)
    generation, settlement = np.zeros((Z, T)), np.zeros(T)
    sums, by_zone = np.zeros(readout.SCALARS), np.zeros((readout.BY_ZONE, Z))
    lines, spare = np.zeros(L), np.zeros(H)
    readout.add_day(
        weight, base, by_tech, demand, ai, flexible_ai, segments, shed, flow, charge, discharge, flexible,
        store_zone, flexible_zone, price, system_price, SEGMENT_TECH, WEATHER, RENEWABLE, CARBON_FREE,
        direct, cap, regional, cost, kept, generation, sums, by_zone, lines, settlement, spare, *room(),
    )  # fmt: skip

    made = np.zeros((Z, T, H))
    np.add.at(made, (slice(None), SEGMENT_TECH), segments)
    assert generation == pytest.approx(weight * made.sum(2))
    assert sums[readout.CURTAILED] == pytest.approx(weight * (by_tech[:, 2] - made[:, 2]).sum())
    lost = shed[:, 1] / (demand - shed[:, 0])
    ai_hour = ((ai - flexible_ai)[:, None] - shed[:, 0]) * (1.0 - lost) + flexible
    assert by_zone[readout.AI_LOAD] == pytest.approx(weight * ai_hour.sum(1))
    assert by_zone[readout.AI_UNSERVED] == pytest.approx(weight * (ai[:, None] - ai_hour).sum(1))
    assert by_zone[readout.LOAD] == pytest.approx(weight * (base * (1.0 - lost)).sum(1))
    assert sums[readout.UNSERVED] == pytest.approx(weight * shed[:, 1].sum())
    assert sums[readout.NONFIRM_CUT] == pytest.approx(weight * shed[:, 0].sum())
    losses = np.zeros(Z)
    np.add.at(losses, store_zone, weight * (charge - discharge).sum(1))
    assert by_zone[readout.LOSSES] == pytest.approx(losses)
    assert lines == pytest.approx(weight * flow.sum(1))
    load = base + ai[:, None]
    assert sums[readout.PRICE_SUM] == pytest.approx(weight * (system_price * load.sum(0)).sum())
    assert sums[readout.PEAK] == pytest.approx(load.sum(0).max())
    assert by_zone[readout.ZONE_PRICE_SUM] == pytest.approx(weight * (price * load).sum(1))
    assert by_zone[readout.SPREAD] == pytest.approx(weight * (price.max(1) - price.min(1)))
    system = made.sum(0)
    assert sums[readout.GREEN] == pytest.approx(weight * system[RENEWABLE].sum())
    assert sums[readout.TOTAL] == pytest.approx(weight * system.sum())
    whole, sun = ai_hour.sum(0), system[2]
    straight = np.minimum(direct * whole, direct * whole.mean() * sun / sun.mean())
    clean = system[CARBON_FREE].sum(0) / system.sum(0)
    assert sums[readout.MATCHED] == pytest.approx(weight * (straight + (whole - straight) * clean).sum())
    assert sums[readout.NEEDED] == pytest.approx(weight * whole.sum())
    paid = (1.0 - regional) * np.minimum(system_price, cap) + regional * np.minimum(price, cap)[:, None]
    above = np.maximum(paid - cost[None, :, None], 0.0)
    due = made * (cost[None, :, None] + kept[None, :, None] * above)
    assert settlement == pytest.approx(weight * due.sum((0, 2)))
    assert spare == pytest.approx(by_tech[:, 2:].sum((0, 1)) - load.sum(0))


def test_hours_are_lost_where_outages_exceed_what_is_spare() -> None:
    beyond = np.array([0.5, 0.2, 0.1])  # P(more than 0, 100, 200 MW are out)
    spare = np.array([-60.0, -40.0, 60.0, 160.0, 900.0])
    assert readout.lost_hours(spare, 50.0, beyond, 100.0) == pytest.approx(1.0 + 0.5 + 0.2 + 0.1 + 0.0)


@pytest.mark.parametrize("short", [False, True])
def test_a_month_is_its_days_and_what_follows(short: bool) -> None:
    draw = np.random.default_rng(7)
    days = 3
    weights, ai = (
        draw.uniform(5.0, 15.0, days),
        np.stack([draw.uniform(5.0, 10.0, Z), draw.uniform(0.0, 2.0, Z)]),
    )
    if short:
        ai[:, 0] = 0.0  # a zone without AI sites
    base, by_tech = draw.uniform(50.0, 100.0, (days, Z, H)), draw.uniform(0.0, 80.0, (days, Z, T, H))
    demand = base + (ai[0] - ai[1])[:, None]
    segments, shed = draw.uniform(0.0, 30.0, (days, Z, 5, H)), draw.uniform(0.0, 2.0, (days, Z, 2, H)) * short
    flow, storage = draw.normal(size=(days, L, H)), draw.uniform(0.0, 3.0, (days, 3 * S, H))
    flexible = draw.uniform(0.0, 1.0, (days, F, H)) * (ai[0] > 0.0)[:, None]
    store_zone, flexible_zone = np.array([0, 2]), np.arange(F)
    price, system_price = draw.uniform(50.0, 150.0, (days, Z, H)), draw.uniform(50.0, 150.0, (days, 1, H))
    cost, kept, emission, payment = (draw.uniform(size=T) for _ in range(4))
    available, stores = draw.uniform(0.0, 900.0, (Z, T)), np.array([[9.0, 4.0], [20.0, 40.0]])
    free = np.stack(
        [
            draw.uniform(90.0, 100.0, days),
            draw.uniform(80.0, 90.0, days),
            draw.integers(0, 99, days),
            np.zeros(days),
        ]
    )
    limited = free + np.array([[5.0, -5.0, 0.0], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0]])
    beyond = np.array([0.5, 0.2, 0.1])

    def outputs() -> list[np.ndarray]:
        shapes = (Z, T), readout.SCALARS, (readout.BY_TECH, T), (readout.BY_ZONE, Z), L, (days, H)
        return [np.zeros(shape) for shape in shapes]

    rest = SEGMENT_TECH, WEATHER, RENEWABLE, CARBON_FREE, 0.3, 120.0, 0.4, cost, kept
    generation, sums, by_tech_sums, by_zone, _, spare = found = outputs()
    readout.add_month(
        weights, base, by_tech, demand, ai, segments, shed, flow, storage, flexible, store_zone, flexible_zone,
        price, system_price, *rest, emission, payment, available, stores, limited, free, 400.0, beyond, 100.0,
        *found, *room(),
    )  # fmt: skip
    one_by_one = outputs()
    for d in range(days):
        readout.add_day(
            weights[d], base[d], by_tech[d], demand[d], *ai, segments[d], shed[d], flow[d], storage[d, :S],
            storage[d, S : 2 * S], flexible[d], store_zone, flexible_zone, price[d], system_price[d, 0], *rest,
            one_by_one[0], one_by_one[1], one_by_one[3], one_by_one[4], one_by_one[2][readout.SETTLEMENT],
            one_by_one[5][d], *room(),
        )  # fmt: skip
    for at in (0, 4, 5):
        assert np.array_equal(found[at], one_by_one[at])
    assert np.array_equal(sums[: readout.RESERVE], one_by_one[1][: readout.RESERVE])
    rows = one_by_one[3]
    assert by_zone[readout.AI_UNSERVED] == pytest.approx(np.maximum(rows[readout.AI_UNSERVED], 0.0))
    assert by_zone[readout.SPREAD] == pytest.approx(rows[readout.SPREAD] / weights.sum())
    assert by_zone[readout.ZONE_PRICE] == pytest.approx(
        rows[readout.ZONE_PRICE_SUM] / rows[readout.ZONE_LOAD]
    )
    assert by_zone[readout.GENERATED] == pytest.approx(generation.sum(1))
    wanted = by_zone[readout.AI_LOAD] + by_zone[readout.AI_UNSERVED]
    assert by_zone[readout.AI_WANTED] == pytest.approx(wanted)
    full = np.maximum(wanted, 1e-9)
    share = np.where(wanted > 1e-9, by_zone[readout.AI_UNSERVED] / full, 0.0)
    assert by_zone[readout.UNSERVED_SHARE] == pytest.approx(share)
    made = generation.sum(0)
    assert by_tech_sums[readout.MADE] == pytest.approx(made)
    assert by_tech_sums[readout.FUEL_COST] == pytest.approx(made * cost)
    assert by_tech_sums[readout.AVAILABLE] == pytest.approx(available.sum(0))
    assert by_tech_sums[readout.CAPACITY_PAYMENT] == pytest.approx(available.sum(0) * payment)
    assert sums[readout.EMISSIONS] == pytest.approx(made @ emission)
    assert sums[readout.RESERVE] == pytest.approx(5.0 + 4.0)
    assert sums[readout.CONGESTION] == pytest.approx(weights[0] * 5.0)  # what costs less is no congestion
    gaps = [(case[0] - case[1]) / case[0] for case in (limited, free)]
    assert sums[readout.GAP] == pytest.approx(np.max(gaps))
    assert sums[readout.PIVOTS] == limited[2].sum() + free[2].sum()
    assert sums[readout.FALLBACKS] == 1.0
    lost = [readout.lost_hours(hours, 409.0, beyond, 100.0) for hours in spare]
    assert sums[readout.LOST_HOURS] == pytest.approx(weights @ lost)
