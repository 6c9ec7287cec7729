"""The compute market of a run: it clears every month, adds up, and serves contracts before the spot market."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest

from abm.phases import market
from abm.phases.market import NotCleared, mean_of_trend
from runs.engine import simulate
from tests.model import worlds


@functools.cache
def toy() -> Any:
    return simulate(world="toy", package="no-policy")


@functools.cache
def korea_months() -> list[tuple[Any, dict[str, float], float]]:
    """Five years of Korea: the market's month, the startups', and the ceiling."""
    model = worlds.built(worlds.shortened(worlds.korea(), 60, rows=200), package="startup-access")
    found = []
    for _ in range(60):
        model.step()
        found.append((model.compute_month, model.startup_month, model.state.market.ceiling))
    return found


def test_every_month_of_a_run_clears() -> None:
    assert toy().market_residual < 1e-11
    assert all(month.residual < 1e-11 for month, _, _ in korea_months())
    between = [month for month, _, ceiling in korea_months() if month.price < ceiling]
    assert len(between) > 12, "the market is not always at its ceiling"
    assert all(1 <= month.evaluations <= 12 for month, _, _ in korea_months())


def test_a_month_that_does_not_clear_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    world, real = worlds.shortened(worlds.korea(), 36, rows=50), market.clear

    def careless(*arguments: Any) -> None:
        real(*arguments)
        arguments[-1][market.solution.PRICE] *= 0.99

    monkeypatch.setattr(market, "clear", careless)
    with pytest.raises(NotCleared, match="misses by"):
        worlds.run(world)


def test_the_last_month_adds_up() -> None:
    """No more is used than was made; what home demand does not find at home is imported."""
    month = toy().compute_month
    assert 0.0 < month.used <= month.supply * (1.0 + 1e-12)
    assert 0.0 <= month.sold_share <= 1.0
    assert month.imported >= 0.0
    assert month.home_served + month.imported == pytest.approx(month.home_demand, rel=1e-12)
    market = toy().state.market
    assert 0.0 < market.price <= market.ceiling
    assert market.history[-1] == market.price
    assert len(market.history) == toy().calendar.months


def test_every_month_with_firms_adds_up() -> None:
    for month, firms, _ in korea_months():
        assert month.used <= month.supply * (1.0 + 1e-12)
        assert month.home_served + month.imported == pytest.approx(month.home_demand, rel=1e-12)
        spot = sum(month.paid.values()) * month.sold_share
        earned = spot + month.captive_paid + month.reserved_paid + month.contract_paid + month.hosting_paid
        earned += firms["voucher_paid"]
        assert month.site_revenue.sum() + month.state_income == pytest.approx(earned, rel=1e-9)
        assert month.contract_paid == firms["contract_paid"]
        assert month.startup_home == pytest.approx(
            firms["spot_hours"] * month.sold_share + firms["contract_hours"] + firms["voucher_hours"],
            rel=1e-9,
        )


def test_above_the_cost_of_running_every_hour_is_used() -> None:
    """Scarce hours are all sold: to owners, under contracts, on vouchers, to research, or at the spot price."""
    busy = [month for month, firms, _ in korea_months() if firms["contract_hours"] > 0.0]
    assert len(busy) > 30
    for month in busy:
        assert month.used == pytest.approx(month.supply, rel=1e-9)


def test_owners_reserve_no_more_for_firms_than_a_part_of_their_open_hours() -> None:
    most = 0.05
    world = worlds.parameters(worlds.shortened(worlds.korea(), 30, rows=100), startup_contract_most=most)
    model, bound = worlds.built(world), 0
    for _ in range(30):
        model.step()
        month, firms = model.compute_month, model.startup_month
        spot = sum(month.paid.values()) * month.sold_share / month.price
        open_hours = spot + firms["contract_hours"]
        # What stands is kept when open hours shrink, so it is held against the largest so far.
        bound = max(bound, most * open_hours)
        assert firms["contract_hours"] <= bound * (1.0 + 1e-9)
    assert firms["contract_hours"] > 0.5 * most * open_hours, "more is wished than there is room for"


def test_firms_under_contract_are_served_when_the_spot_market_is_not() -> None:
    """At the ceiling spot hours are partly imported; contracted ones come from home machines."""
    scarce = [(month, firms) for month, firms, ceiling in korea_months() if month.sold_share < 0.9]
    assert any(firms["contract_hours"] > 0.0 for _, firms in scarce)
    for month, firms in scarce:
        sure = firms["contract_hours"] + firms["voucher_hours"]
        assert month.startup_home >= sure * (1.0 - 1e-12)


def test_without_home_machines_contracts_deliver_nothing_and_cost_nothing() -> None:
    model = worlds.built(worlds.shortened(worlds.korea(), 36, rows=50))
    for _ in range(18):
        model.step()
    assert model.startup_month["contract_hours"] > 0.0
    model.state.unserved_share[:] = 1.0
    market.run(model, 18)
    assert model.compute_month.supply == 0.0
    assert model.startup_month["contract_hours"] == model.startup_month["contract_paid"] == 0.0
    assert model.compute_month.price == model.state.market.ceiling


def test_hours_on_the_supply_graph_are_those_that_startups_had_at_home() -> None:
    model = worlds.built(worlds.shortened(worlds.korea(), 36, rows=50), package="startup-access")
    for _ in range(30):
        model.step()
    edges, group = model.startups.edges
    served = model.supply.flow[29, edges]
    assert (served >= 0.0).all()
    assert served.sum() == pytest.approx(model.compute_month.startup_home, rel=1e-9)
    by_group = np.bincount(group, served)
    firms = np.array([model.startups.alive_of(who) for who in model.startups.groups])
    # Entrants of the month came after the market: shares are those of the firms that were there.
    assert by_group / by_group.sum() == pytest.approx(firms / firms.sum(), rel=0.2)


def test_sites_together_earn_what_buyers_at_home_and_abroad_pay() -> None:
    month = toy().compute_month
    spot = sum(month.paid.values()) * month.sold_share
    vouchers = toy().startup_month.get("voucher_paid", 0.0)
    earned = spot + month.captive_paid + month.reserved_paid + vouchers + month.hosting_paid
    assert earned > 0.0
    assert month.site_revenue.sum() + month.state_income == pytest.approx(earned, rel=1e-9)


def test_the_mean_of_a_trend() -> None:
    assert mean_of_trend(0.0, 12.0) == 1.0
    assert mean_of_trend(1e-12, 12.0) == pytest.approx(1.0)
    change, months = math.log(0.7), 18.0
    path = np.exp(change * np.linspace(0.0, months / 12.0, 100_001))
    assert mean_of_trend(change, months) == pytest.approx(float(path.mean()), rel=1e-4)


def test_the_leading_vintage_by_month_is_the_one_that_is_looked_up() -> None:
    model = worlds.built(worlds.shortened(worlds.korea(), 12, rows=50))
    months = [*range(0, 12), 60, 120, 251, 252, 253, 400]
    looked_up = [max(model.vintage_of(model.leading_maker, month), 0) for month in months]
    assert [model.vintage_for(month) for month in months] == looked_up
    assert len(set(looked_up)) > 2
