"""Sites' month of money: every won that comes in goes out, and loans follow the annuity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.sites import settle as core

SITES, OWNERS, INVESTORS, VINTAGES, ZONES = 6, 3, 4, 2, 2


def terms(**changed: float) -> np.ndarray:
    values = {
        "RATE": 0.005,
        "DIRECT_SHARE": 0.2,
        "DIRECT_PRICE": 90.0,
        "OPERATING_SHARE": 0.03,
        "SHELL_COST": 10e6,
        "COST_FACTOR": 1.1,
        "CONNECTION_COST": 0.5e6,
        "PROFIT_TAX": 0.25,
        "LIFE_MONTHS": 60.0,
        "SHELL_MONTHS": 180.0,
        "MW_PER_KW": 1.3e-3,
        "MONTH": 30.0,
        **changed,
    }
    out = np.empty(core.TERMS)
    for name, value in values.items():
        out[getattr(core, name)] = value
    return out


def world(seed: int, **changed: Any) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    given: dict[str, Any] = {
        "owner": draw.integers(0, OWNERS, SITES),
        "zone": draw.integers(0, ZONES, SITES),
        "finance": draw.integers(0, 3, SITES),
        "energised": draw.integers(0, 30, SITES),
        "shell_cost": np.where(draw.random(SITES) < 0.5, np.nan, draw.uniform(1e8, 1e9, SITES)),
        "mw": draw.uniform(1.0, 100.0, SITES),
        "waived": draw.uniform(0.0, 1.0, SITES),
        "guaranteed": draw.uniform(0.0, 0.9, SITES),
        "tenor": np.full(SITES, 48.0),
        "paid_in": draw.uniform(0.0, 2e9, SITES),
        "chips": draw.uniform(0.0, 5000.0, (SITES, VINTAGES)),
        "kw": np.array([1.0, 1.4]),
        "equity_paid": draw.uniform(0.0, 1e9, (SITES, INVESTORS)) * (draw.random((SITES, INVESTORS)) < 0.6),
        "ai_load": draw.uniform(0.0, 5e4, ZONES),
        "site_price": np.full(ZONES, 120.0),
        "loan": draw.uniform(0.0, 5e8, SITES) * (draw.random(SITES) < 0.7),
        "months_served": draw.integers(0, 60, SITES).astype(float),
        "arrears": draw.uniform(0.0, 1e6, SITES),
        "cash": np.zeros(INVESTORS),
    }
    given.update(changed)
    return given


def settle(
    income: np.ndarray, given: dict[str, Any], **figures: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    flows, dividends = np.zeros((OWNERS, core.FLOWS)), np.zeros((OWNERS, INVESTORS))
    sums = np.zeros(core.SUMS)
    core.settle(terms(**figures), np.arange(SITES), given["owner"], income, income.sum(),
        *[given[name] for name in list(given)[1:]], flows, dividends, sums, np.empty(SITES), np.empty(ZONES))  # fmt: skip
    return flows, dividends, sums


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.floats(0.0, 5e7), st.floats(0.0, 0.02))
def test_what_an_owners_sites_earn_is_what_they_pay_out_and_keep(
    seed: int, income: float, rate: float
) -> None:
    given = world(seed)
    earned = np.random.default_rng(seed + 1).uniform(0.0, income + 1.0, SITES)
    loans = given["loan"].copy()
    flows, dividends, sums = settle(earned, given, RATE=rate)
    out = flows[:, [core.POWER, core.DIRECT, core.OPERATION, core.DEBT_SERVICE, core.TAX, core.KEPT]].sum(1)
    assert out + dividends.sum(1) == pytest.approx(flows[:, core.EARNED], rel=1e-9, abs=1e-3)
    assert flows[:, core.EARNED].sum() == pytest.approx(earned.sum())
    # Loans move by what the books say, and never below zero.
    booked = flows[:, core.ARREARS].sum() - flows[:, core.REPAYMENT].sum()
    assert (given["loan"] - loans).sum() == pytest.approx(booked, rel=1e-9, abs=1e-3)
    assert (given["loan"] >= 0.0).all()
    assert (given["arrears"] >= 0.0).all()
    assert sums[core.CALLED] >= 0.0
    assert (dividends >= 0.0).all()
    assert given["cash"].sum() == pytest.approx(
        flows[:, core.KEPT].sum() + dividends.sum(), rel=1e-9, abs=1e-3
    )
    assert given["cash"][OWNERS:] == pytest.approx(dividends.sum(0)[OWNERS:])


def test_an_annuity_is_paid_off_in_its_tenor() -> None:
    """A site that earns enough pays the annuity of n payments, the last of which leaves nothing."""
    loan = np.zeros(SITES)
    loan[0] = 1e8
    given = world(
        1, loan=loan, months_served=np.zeros(SITES), tenor=np.full(SITES, 48.0), arrears=np.zeros(SITES)
    )
    payments = []
    for _ in range(48):
        flows, _, _ = settle(np.full(SITES, 1e9), given)
        payments.append(flows[:, core.DEBT_SERVICE].sum())
    annuity = 1e8 * 0.005 / (1.0 - 1.005**-48)
    assert payments == pytest.approx([annuity] * 48, rel=1e-9)
    assert given["loan"][0] == pytest.approx(0.0, abs=1.0)
    assert given["arrears"][0] == 0.0


def test_a_project_that_earns_nothing_calls_its_guarantee_and_falls_into_arrears() -> None:
    loan = np.zeros(SITES)
    loan[0] = 1e8
    given = world(2, loan=loan, finance=np.full(SITES, core.PROJECT), guaranteed=np.full(SITES, 0.4),
        months_served=np.zeros(SITES), arrears=np.zeros(SITES))  # fmt: skip
    flows, dividends, sums = settle(np.zeros(SITES), given)
    due = 1e8 * 0.005 / (1.0 - 1.005**-48)
    assert flows[:, core.DEBT_SERVICE].sum() == 0.0
    assert sums[core.CALLED] == pytest.approx(0.4 * due)
    assert given["arrears"][0] == pytest.approx(0.6 * due)
    assert not dividends.any()
    # The same loan with recourse is served by the owner, whatever the site earns.
    given["finance"][:] = 1
    given["loan"][0] = 1e8
    given["months_served"][0] = 0.0
    flows, _, sums = settle(np.zeros(SITES), given)
    assert flows[:, core.DEBT_SERVICE].sum() == pytest.approx(due)
    assert sums[core.CALLED] == 0.0


def test_energy_of_a_zone_is_shared_by_what_machines_draw() -> None:
    chips = np.zeros((SITES, VINTAGES))
    chips[:, 0] = [100.0, 300.0, 0.0, 0.0, 0.0, 0.0]
    given = world(3, chips=chips, zone=np.zeros(SITES, np.int64), owner=np.array([0, 1, 2, 2, 2, 2]))
    given["ai_load"] = np.array([4000.0, 77.0])
    flows, _, _ = settle(np.zeros(SITES), given)
    assert flows[:, core.ENERGY_MWH] == pytest.approx([1000.0, 3000.0, 0.0])


def test_book_share_by_hand() -> None:
    """A shell of 200 in 1,000 paid, 30 of 180 months old; all of the machines are there, 15 of 60 months old."""
    out = np.zeros(2)
    core.book_shares(
        terms(COST_FACTOR=1.0, CONNECTION_COST=0.0), 2, np.array([5, 4]), np.array([0, 0]), 5,
        np.array([200.0, 200.0]), np.array([1.0, 1.0]), np.zeros(2), np.array([1000.0, 1000.0]),
        np.array([10.0, 10.0]), np.array([[10.0], [0.0]]), np.array([[15.0], [0.0]]), out,
    )  # fmt: skip
    assert out[0] == pytest.approx(0.2 * (1 - 30 / 180) + 0.8 * (1 - 15 / 60))
    assert out[1] == 1.0  # not running yet: nothing is written off


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(0, SITES))
def test_profits_are_cash_with_equity_at_its_book_share_and_owners_deposits(seed: int, count: int) -> None:
    draw, given = np.random.default_rng(seed), world(seed, cash=np.arange(INVESTORS) * 1e8)
    status, gpus = draw.integers(4, 6, SITES), draw.uniform(0.0, 9000.0, SITES)
    age, deposits = draw.uniform(0.0, 30.0, (SITES, VINTAGES)), draw.uniform(0.0, 1e8, SITES)
    of_sites = (
        terms(), count, status, given["energised"], 5, given["shell_cost"], given["mw"], given["waived"],
        given["paid_in"], gpus, given["chips"], age,
    )  # fmt: skip
    share, out = np.zeros(SITES), np.full(INVESTORS, np.nan)
    core.book_shares(*of_sites, share)
    core.profits(
        *of_sites, given["owner"], given["equity_paid"], deposits, given["cash"], np.empty(SITES), out
    )
    wanted = given["cash"] + share @ given["equity_paid"]
    wanted[:OWNERS] += np.bincount(given["owner"][:count], deposits[:count], OWNERS)
    assert out == pytest.approx(wanted)


def test_interest_of_sites_under_way_is_lent_on_top_of_their_loans() -> None:
    running, status = 4, np.array([4, 3, 3, 5, 3, 3])
    owner, loan = np.array([0, 0, 1, 1, 1, 2]), np.array([100.0, 200.0, 50.0, 10.0, 0.0, 999.0])
    before, lent = loan.copy(), np.zeros((OWNERS, 2))
    interest = core.capitalise(0.01, 5, running, status, owner, loan, lent)
    assert interest == pytest.approx(2.0 + 0.5 + 0.1)
    assert lent == pytest.approx(np.array([[2.0, 2.0], [0.6, 0.6], [0.0, 0.0]]))
    assert loan - before == pytest.approx([0.0, 2.0, 0.5, 0.1, 0.0, 0.0])


def test_sites_share_in_what_buyers_paid_as_they_earn_and_what_they_owe_for_power_is_summed() -> None:
    given, revenue = world(5), np.linspace(1.0, 2.0, SITES)
    flows, dividends = np.zeros((OWNERS, core.FLOWS)), np.zeros((OWNERS, INVESTORS))
    sums = np.zeros(core.SUMS)
    core.settle(terms(), np.arange(SITES), given["owner"], revenue, 6e9,
        *[given[name] for name in list(given)[1:]], flows, dividends, sums, np.empty(SITES), np.empty(ZONES))  # fmt: skip
    earned = np.bincount(given["owner"], 6e9 * revenue / revenue.sum(), OWNERS)
    assert flows[:, core.EARNED] == pytest.approx(earned)
    assert sums[core.BILLED] == pytest.approx(flows[:, core.POWER].sum())
