"""The world of Korea adds up to what its sources say."""

from __future__ import annotations

import numpy as np
import pytest

from abm.world import World
from runs.worlds import available, load

pytestmark = pytest.mark.skipif("korea" not in available(), reason="the world of Korea is not complete")


@pytest.fixture(scope="module")
def korea() -> World:
    return load("korea")


def capacity(world: World, technology: str, month: int = 0) -> float:
    """MW that are commissioned and not retired."""
    plants, row = world.plants, world.technologies.row(technology)
    here = (plants.technology == row) & (plants.commissioned <= month) & (plants.retires > month)
    return float(plants.mw[here].sum())


def test_demand_of_zones_is_that_of_the_days(korea: World) -> None:
    weights = korea.day_weights
    keys = zip(weights.calendar_month.tolist(), weights.day, strict=True)
    days = dict(zip(keys, weights.days, strict=True))
    weight = np.array(
        [days[key] for key in zip(korea.days.calendar_month.tolist(), korea.days.day, strict=True)]
    )
    energy = np.bincount(korea.days.zone, weights=weight * korea.days.demand_mw)
    np.testing.assert_allclose(energy, korea.zones.demand_mwh, rtol=1e-6)
    assert energy.sum() == pytest.approx(567.87e6 + 6.2e6, rel=1e-4)
    for profile, low, high in (("solar", 0.135, 0.155), ("wind", 0.17, 0.21), ("hydro", 0.2, 0.24)):
        mean = (weight * korea.days.columns[profile]).sum() / weight.sum()
        assert low < mean < high, profile


def test_the_peak_day_of_each_month_counts_one_day(korea: World) -> None:
    for month in range(1, 13):
        here = korea.day_weights.calendar_month == month
        assert here.sum() == 3
        assert korea.day_weights.days[here].min() == 1


def test_fleet_at_the_start(korea: World) -> None:
    assert capacity(korea, "nuclear") == pytest.approx(24450)
    assert capacity(korea, "coal") == pytest.approx(40000, rel=0.01)
    gas = sum(capacity(korea, technology) for technology in ("lng-cc-old", "lng-cc-new", "lng-chp", "lng-gt"))
    assert gas == pytest.approx(46700, rel=0.01)
    assert capacity(korea, "solar") == pytest.approx(27095 * 1.045, rel=0.001)


def test_licences_end_when_they_do(korea: World) -> None:
    plants = korea.plants
    ends = sorted(
        korea.calendar.text(month)
        for month, kind in zip(plants.retires.tolist(), plants.retirement, strict=True)
        if kind == "licence"
    )
    assert ends == [
        "2023-04",
        "2024-09",
        "2025-08",
        "2025-12",
        "2026-09",
        "2026-11",
        "2027-12",
        "2027-12",
        "2028-12",
        "2029-02",
    ]


def test_the_programme_and_the_stock(korea: World) -> None:
    sites = korea.sites
    programme = np.array([note.startswith("NVIDIA programme") for note in sites.note])
    assert sites.gpus[programme].sum() == 260_000
    assert korea.stock.gpus.sum() == 65_000
    running = np.array([status == "operating" for status in sites.status])
    installed = np.bincount(korea.stock.site, weights=korea.stock.gpus, minlength=len(sites))
    np.testing.assert_array_equal(installed[running], sites.gpus[running])
    centre = [owner == korea.cast.row("computing-centre") for owner in sites.owner]
    assert sites.gpus[centre].sum() == 50_000


def test_ulsan_and_the_fabs(korea: World) -> None:
    sites = korea.sites
    for key, month, mw in (("Ulsan 1", "2027-11", 41), ("Ulsan 2", "2029-02", 62)):
        assert korea.calendar.text(int(sites.expected[sites.row(key)])) == month
        assert sites.mw[sites.row(key)] == mw
    fabs = np.array([kind == "fab" for kind in sites.kind])
    assert sites.mw[fabs].sum() == 6000
    assert not sites.gpus[fabs].any()


def test_no_price_after_the_cut_off(korea: World) -> None:
    assert korea.calendar.text(int(korea.fuel_prices.month.max())) == "2025-09"


def test_planned_lines_keep_the_dates_of_november_2025(korea: World) -> None:
    lines = korea.lines
    due = {
        key: korea.calendar.text(int(lines.due[lines.row(key)]))
        for key in ("East coast-Singapyeong HVDC", "East coast-Dongseoul HVDC", "Saemangeum-Seohwaseong HVDC")
    }
    assert list(due.values()) == ["2027-12", "2028-12", "2031-12"]


def test_a_later_accelerator_is_never_worse_value(korea: World) -> None:
    vintages = korea.vintages
    leader = vintages.maker == korea.cast.row("nvidia")
    order = np.argsort(vintages.available[leader])
    cost = (vintages.price_usd / np.maximum(vintages.h100e, 1e-9))[leader][order]
    assert (np.diff(cost) < 0).all()


def test_every_assumption_gives_a_reason(korea: World) -> None:
    tables = ("pools", "lines", "plants", "technologies", "sites", "vintages", "resources")
    silent = [
        f"{name}:{row}"
        for name in tables
        for row, (confidence, note) in enumerate(
            zip(korea.tables[name].confidence, korea.tables[name].note, strict=True)
        )
        if confidence == "assumption" and not note
    ]
    assert silent == []
