"""Who hosts the region's computing: shares of a nested logit, with overflow where capacity ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.calendar import Calendar
from abm.phases.hosting import Hosting
from abm.world import Table

NEST = ("north", "north", "south", "south")
HOME_ROOM = 1e9
OUTSIDE = 0.2
SENSITIVITY = {
    "hosting_price": 1.0,
    "hosting_latency": 0.5,
    "hosting_data": 1.5,
    "hosting_carbon": 0.5,
    "hosting_risk": 1.0,
}


class Settings(dict[str, float]):
    """Parameters whose defaults are those of a usual month."""

    def quantity(self, handle: str) -> Any:
        return SimpleNamespace(default={"exchange_rate": 1000.0, "country_risk_premium": 0.01}[handle])


def fake_model(
    capacity: tuple[float, ...] = (1e12,) * 4,
    demand: float = 1000.0,
    scale: float = 0.6,
    home_price: float = 100.0,
    prices: tuple[float, ...] = (100.0,) * 4,
    country_risk: float = 0.01,
    openness: float = 0.5,
    home_carbon: float = 400.0,
) -> Any:
    """Four countries in two nests that host alike in a usual month; the first is home."""
    n = len(capacity)
    same = {
        name: np.full(n, value)
        for name, value in {
            "latency_ms": 20.0,
            "data_strictness": 0.5,
            "carbon_kg_mwh": 400.0,
            "risk": 0.01,
            "attraction": 1.0,
        }.items()
    }
    countries = Table(
        "countries",
        {
            "country": [f"c{i}" for i in range(n)],
            "home": np.arange(n) == 0,
            "nest": NEST[:n],
            "capacity_mw": np.array(capacity),
            "power_price_usd": np.array(prices),
            **same,
        },
        "country",
    )
    settings = Settings(
        SENSITIVITY,
        hosting_nest=scale,
        hosting_outside=OUTSIDE,
        contestable_mw=demand,
        contestable_capacity_share=1.0,
        tariff_start=100_000.0,
        site_tariff_ratio=1.0,
    )
    return SimpleNamespace(
        calendar=Calendar(24300, 12),
        world=SimpleNamespace(countries=countries),
        carbon_kg_mwh=home_carbon,
        quantities=settings,
        parameters=dict(settings),
        mean_site_price=lambda: home_price * 1000.0,
        board=SimpleNamespace(
            value=lambda handle, month: openness, levers={"data_openness": SimpleNamespace(default=0.5)}
        ),
        outside=SimpleNamespace(
            exchange_rate=np.full(12, 1000.0),
            country_risk=np.full(12, country_risk),
            regional_demand=np.ones(12),
        ),
    )


def hosted(room: float = HOME_ROOM, **changes: Any) -> Hosting:
    model = fake_model(**changes)
    hosting = Hosting(model)
    hosting.run(model, 0, room)
    return hosting


def by_definition(utility: np.ndarray, open_to: np.ndarray, scale: float) -> np.ndarray:
    """McFadden's formula, written with the inclusive value of each nest."""
    inclusive = {}
    for nest in set(NEST):
        members = [i for i in range(4) if NEST[i] == nest and open_to[i]]
        if members:
            inclusive[nest] = np.log(sum(np.exp(utility[i] / scale) for i in members))
    outside = 1.0 + sum(np.exp(scale * value) for value in inclusive.values())
    return np.array(
        [
            np.exp(scale * inclusive[NEST[i]]) / outside * np.exp(utility[i] / scale - inclusive[NEST[i]])
            if open_to[i]
            else 0.0
            for i in range(4)
        ]
    )


utilities = st.lists(st.floats(-5.0, 5.0), min_size=4, max_size=4).map(np.array)
opens = st.lists(st.booleans(), min_size=4, max_size=4).map(np.array)
scales = st.floats(0.1, 1.0)
ROW = Hosting(fake_model())


@settings(deadline=None)
@given(utilities, opens, scales)
def test_shares_are_those_of_the_nested_logit(utility: np.ndarray, open_to: np.ndarray, scale: float) -> None:
    np.testing.assert_allclose(
        ROW.shares(utility, open_to, scale), by_definition(utility, open_to, scale), rtol=1e-9
    )


@settings(deadline=None)
@given(utilities, opens, scales)
def test_somebody_always_stays_outside_and_the_closed_get_nothing(
    utility: np.ndarray, open_to: np.ndarray, scale: float
) -> None:
    shares = ROW.shares(utility, open_to, scale)
    assert shares.sum() < 1.0
    assert (shares[open_to] > 0.0).all()
    assert not shares[~open_to].any()


@settings(deadline=None)
@given(utilities, scales, st.integers(0, 3), st.floats(0.01, 3.0))
def test_losing_utility_loses_share_to_everybody_else(
    utility: np.ndarray, scale: float, who: int, loss: float
) -> None:
    everyone = np.ones(4, bool)
    before = ROW.shares(utility, everyone, scale)
    worse = utility.copy()
    worse[who] -= loss
    after = ROW.shares(worse, everyone, scale)
    others = np.arange(4) != who
    assert after[who] < before[who]
    assert (after[others] >= before[others] * (1.0 - 1e-12)).all()
    assert after.sum() <= before.sum() * (1.0 + 1e-12)


def test_neighbours_in_the_nest_gain_most() -> None:
    everyone, utility = np.ones(4, bool), np.zeros(4)
    gain = ROW.shares(utility - [1.0, 0, 0, 0], everyone, 0.4) / ROW.shares(utility, everyone, 0.4)
    assert gain[1] > gain[2] == pytest.approx(gain[3])
    assert gain[2] > 1.0


def test_without_correlation_the_nests_play_no_part() -> None:
    utility = np.array([0.3, -0.2, 0.9, 0.1])
    weight = np.exp(utility)
    np.testing.assert_allclose(
        ROW.shares(utility, np.ones(4, bool), 1.0), weight / (1.0 + weight.sum()), rtol=1e-12
    )


def test_a_usual_month_gives_the_shares_that_the_table_states() -> None:
    one = hosted()
    np.testing.assert_allclose(one.hosted, 1000.0 * (1.0 - OUTSIDE) / 4.0, rtol=1e-9)
    assert one.home_share == one.home_share_first == pytest.approx(0.25)
    assert [one.share_of(country) for country in range(4)] == pytest.approx([0.25] * 4)


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4), scales)
def test_stated_shares_hold_whatever_the_nests(shares: list[float], scale: float) -> None:
    model = fake_model(scale=scale)
    model.world.countries = model.world.countries.replace(attraction=np.log(shares))
    one = Hosting(model)
    one.run(model, 0, HOME_ROOM)
    np.testing.assert_allclose(
        one.hosted, 1000.0 * (1.0 - OUTSIDE) * np.array(shares) / sum(shares), rtol=1e-9
    )


@pytest.mark.parametrize(
    ("change", "better"),
    [
        ({"home_price": 80.0}, True),
        ({"home_price": 120.0}, False),
        ({"country_risk": 0.03}, False),
        ({"openness": 0.9}, True),
        ({"openness": 0.2}, False),
        ({"home_carbon": 100.0}, True),
        ({"home_carbon": 700.0}, False),
    ],
)
def test_what_a_scenario_or_package_changes_counts_from_the_first_month(
    change: dict[str, float], better: bool
) -> None:
    assert (hosted(**change).home_share_first > 0.25) == better


def moved(**changes: Any) -> tuple[Hosting, Hosting]:
    """The contest in its first month, and a month later with what has changed since."""
    model = fake_model()
    first, later = Hosting(model), Hosting(model)
    first.run(model, 0, HOME_ROOM)
    later.run(model, 0, HOME_ROOM)
    changed = fake_model(**changes)
    later.weigh(changed)
    later.run(changed, 1, HOME_ROOM)
    return first, later


@settings(deadline=None)
@given(st.floats(1.0, 200.0))
def test_dearer_power_lowers_the_home_share(more: float) -> None:
    cheap, dear = moved(home_price=100.0 + more)
    assert dear.hosted[0] < cheap.hosted[0]
    assert (dear.hosted[1:] > cheap.hosted[1:]).all()
    assert dear.home_share < dear.home_share_first == cheap.home_share


def test_a_dollar_on_the_price_is_worth_its_utility() -> None:
    """100 USD/MWh more is one unit of utility less, at a sensitivity of one."""
    _, later = moved(home_price=200.0)
    alike = np.log((1.0 - OUTSIDE) / 2.0 / OUTSIDE) + 0.6 * np.log(0.5)
    shares = by_definition(np.array([alike - 1.0, alike, alike, alike]), np.ones(4, bool), 0.6)
    np.testing.assert_allclose(later.hosted, 1000.0 * shares, rtol=1e-9)


def test_risk_and_a_rivals_price_move_the_home_share_as_they_should() -> None:
    assert moved(country_risk=0.05)[1].home_share < 0.25
    assert moved(prices=(100.0, 150.0, 150.0, 150.0))[1].home_share > 0.25
    assert moved()[1].home_share == pytest.approx(0.25)


rooms = st.lists(st.floats(0.0, 400.0), min_size=4, max_size=4)


@settings(deadline=None)
@given(rooms, st.floats(0.0, 3000.0), scales)
def test_overflow_respects_capacity_and_invents_no_demand(
    room: list[float], demand: float, scale: float
) -> None:
    one = hosted(room[0], capacity=tuple(room), demand=demand, scale=scale)
    assert (one.hosted <= np.array(room) * (1.0 + 1e-12) + 1e-9).all()
    assert (one.hosted >= 0.0).all()
    assert one.hosted.sum() <= demand * (1.0 + 1e-12)
    assert ((one.used >= 0.0) & (one.used <= 1.0 + 1e-9)).all()


def test_what_one_cannot_hold_goes_partly_to_the_others() -> None:
    free, tight = hosted(), hosted(capacity=(1e12, 5.0, 1e12, 1e12))
    overflow = free.hosted[1] - 5.0
    assert overflow > 0.0
    assert tight.hosted[1] == pytest.approx(5.0)
    gained = (tight.hosted - free.hosted)[[0, 2, 3]]
    assert (gained > 0.0).all()
    assert gained.sum() < overflow  # the outside option takes its part again


def test_a_home_without_room_hosts_nothing() -> None:
    model = fake_model()
    hosting = Hosting(model)
    assert hosting.run(model, 0, 0.0) == 0.0
    assert hosting.home_share == 0.0
    assert hosting.hosted[1:].min() > 0.0


def test_announced_capacity_arrives_in_its_month() -> None:
    model = fake_model(capacity=(1e12, 0.0, 0.0, 0.0))
    hosting = Hosting(model)
    hosting.coming[2, 1] = 50.0
    seen = []
    for month in range(4):
        hosting.run(model, month, 0.0)
        seen.append(float(hosting.hosted[1]))
    assert seen[:2] == [0.0, 0.0]
    assert seen[2] == seen[3] == pytest.approx(50.0)


def test_a_world_without_a_home_country_has_no_contest() -> None:
    model = fake_model()
    model.world.countries = model.world.countries.replace(home=np.zeros(4, bool))
    assert not Hosting(model)
    assert Hosting(fake_model())
