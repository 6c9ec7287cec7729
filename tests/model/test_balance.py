"""Every month closes: money, claims, accelerators and energy, whatever the scenario."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abm.core.population.columns import CASH, DEBT
from abm.ledger import Imbalance
from abm.model import Model
from abm.world import World
from policies.catalogue import catalogue
from tests.model import worlds

TOLERANCE = 1e-9


@cache
def world_of(name: str) -> World:
    return worlds.toy() if name == "toy" else worlds.shortened(worlds.korea(), 30, rows=60)


def knobs(name: str) -> dict[str, tuple[float, float]]:
    """Bounds of every uncertainty and lever of a world."""
    quantities = world_of(name).quantities.values()
    bounds = {q.name: (q.low, q.high) for q in quantities if q.role == "uncertainty"}
    return bounds | {lever.name: (lever.low, lever.high) for lever in catalogue().values()}


def scenarios(name: str) -> st.SearchStrategy[dict[str, float]]:
    """Any choice of knobs, each anywhere between its bounds, the bounds themselves often."""
    bounds = knobs(name)

    def value(knob: str) -> st.SearchStrategy[float]:
        low, high = bounds[knob]
        return st.one_of(st.sampled_from([low, high]), st.floats(low, high, allow_subnormal=False))

    return st.lists(st.sampled_from(sorted(bounds)), max_size=25, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({knob: value(knob) for knob in chosen})
    )


def step_and_check(model: Model) -> None:
    """One month, then everything that must hold after any month, recomputed from the arrays."""
    energy_before = model._energy.copy()
    model.step()
    month, state, ledger, found = model.month - 1, model.state, model.ledger, model.power_month
    assert max(model.ledger.worst.values()) < TOLERANCE
    assert model.market_residual < TOLERANCE
    assert model.max_gap < TOLERANCE
    n = state.sites.count
    for row in model.owner_rows:
        owner = model.world.cast.keys[row]
        held = float((state.chips + state.store)[:n][state.sites.owner[:n] == row].sum())
        assert ledger.balance(f"gpus {owner}", "gpu") == pytest.approx(held, rel=TOLERANCE, abs=1e-6)
    for array in (
        state.chips,
        state.store,
        state.ordered,
        state.wanted,
        state.sites.loan,
        state.sites.built,
        state.sites.deposit,
    ):
        assert np.isfinite(array).all()
        assert (array >= -1e-6).all()
    firms = model.startups
    for column, asset, sign in ((CASH, "money", 1.0), (DEBT, "debt", -1.0)):
        held = sign * float(firms.weight @ firms.column(column))
        assert ledger.balance("startups", asset) == pytest.approx(held, rel=TOLERANCE, abs=1.0)
    # Energy: what was generated is used, stored and lost, zone by zone, with what lines bring.
    lines = model.world.lines
    brought = np.zeros(len(model.world.zones))
    for line, energy in zip(model.power.lines, found.flow, strict=True):
        brought[lines.to_zone[line]] += energy
        brought[lines.from_zone[line]] -= energy
    used = found.load + found.ai_load + found.losses
    made = found.generation.sum(axis=1) + brought
    assert np.abs(made - used).max() < TOLERANCE * max(float(found.generation.sum()), 1.0)
    assert found.generation.sum(0) == pytest.approx(model._energy - energy_before, rel=1e-6, abs=1e-3)
    # The market: nothing is used that was not offered, nothing is served that was not asked for.
    compute = model.compute_month
    assert compute.used <= compute.supply * (1 + TOLERANCE) + 1e-6
    assert compute.home_served <= compute.home_demand * (1 + TOLERANCE) + 1e-6
    vouchers = model.startup_month.get("voucher_paid", 0.0)
    assert compute.site_revenue.sum() + compute.state_income == pytest.approx(
        compute.captive_paid
        + compute.reserved_paid
        + compute.contract_paid
        + vouchers
        + compute.hosting_paid
        + sum(compute.paid.values()) * compute.sold_share,
        rel=1e-9,
        abs=1.0,
    )
    for who, value in model.deployed_by.items():
        assert value >= -1.0, who
    for name in ("power_price_krw_per_mwh", "unserved_mwh", "emissions_mt", "tariff_krw_per_kwh"):
        if name in model.recorder.column:
            assert math.isfinite(model.recorder.values[month, model.recorder.column[name]])


def run_and_check(name: str, chosen: dict[str, float], seed: int, **options: Any) -> None:
    model = worlds.built(world_of(name), chosen, seed=seed, **options)
    for _ in range(model.calendar.months):
        step_and_check(model)


PROFILE = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=35, **PROFILE)
@given(chosen=scenarios("toy"), seed=st.integers(0, 2**40))
def test_toy_closes_every_month(chosen: dict[str, float], seed: int) -> None:
    run_and_check("toy", chosen, seed)


@settings(max_examples=6, **PROFILE)
@given(chosen=scenarios("korea"), seed=st.integers(0, 2**40))
def test_korea_closes_every_month(chosen: dict[str, float], seed: int) -> None:
    run_and_check("korea", chosen, seed, package="as-announced")


@pytest.mark.long
@settings(max_examples=400, **PROFILE)
@given(chosen=scenarios("toy"), seed=st.integers(0, 2**40))
def test_toy_closes_every_month_in_many_scenarios(chosen: dict[str, float], seed: int) -> None:
    run_and_check("toy", chosen, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(25))
def test_korea_closes_every_month_of_whole_runs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chosen = {knob: float(rng.uniform(low, high)) for knob, (low, high) in knobs("korea").items()}
    model = worlds.built(worlds.korea(), chosen, seed=seed)
    for _ in range(model.calendar.months):
        step_and_check(model)


def test_a_leak_is_found() -> None:
    """The checks see what they are there for: an accelerator that appears from nowhere stops the run."""
    model = worlds.built(worlds.toy())
    model.step()
    model.state.chips[0, 0] += 1.0
    with pytest.raises(Imbalance, match="gpus platform"):
        model.step()


def test_lost_money_is_found() -> None:
    model = worlds.built(worlds.toy())
    model.step()
    model.utility.debt *= 1.001
    with pytest.raises(Imbalance, match="utility"):
        model.step()
