"""Firms in columns: weights stand for firms, luck for birth ids, and cash for what the books say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.ledger import Ledger
from abm.luck import Luck
from abm.population import ACCOUNT, Startups

REFERENCE = 4000.0
HOURS = 600.0
TRAITS = {"firms": 1000.0, "need_h100e": 2.0, "spread": 0.8, "runway": 5e8, "burn_month": 3e7, "quality": 1.0}


def population(
    rows: int = 200, seed: int = 1, groups: dict[str, dict[str, float]] | None = None, **p: float
) -> Startups:
    """Startups of a model that is nothing but traits, parameters and luck."""
    who = groups or {"north": TRAITS}
    world = SimpleNamespace(trait=lambda name, trait: who[name][trait], traits_of=lambda name: who[name])
    parameters = {
        "startup_rows": float(rows),
        "startup_break_even": 0.94,
        "startup_theta": 0.3,
        "startup_spend_share": 0.05,
        "voucher_price_share": 0.2,
        **p,
    }
    model: Any = SimpleNamespace(parameters=parameters, world=world, luck=Luck(seed))
    return Startups(model, list(who))


def live(
    one: Startups, price: float = REFERENCE, last: float = REFERENCE, vouchers: float = 0.0
) -> dict[str, float]:
    """A month: plan at last month's price, settle at this month's."""
    one.plan(last, REFERENCE, HOURS, 1.2, vouchers)
    return one.settle(price, REFERENCE, REFERENCE, HOURS, 1.2, 0.2 * price)


# -- weights ---------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 500), st.floats(1.0, 1e5), st.floats(1.0, 1e5))
def test_any_number_of_rows_stands_for_the_same_firms(rows: int, north: float, south: float) -> None:
    one = population(rows, groups={"north": {**TRAITS, "firms": north}, "south": {**TRAITS, "firms": south}})
    assert one.alive_of("north") == pytest.approx(north, rel=1e-12)
    assert one.alive_of("south") == pytest.approx(south, rel=1e-12)
    assert one.firms() == pytest.approx(north + south, rel=1e-12)
    assert len(one) == one.alive.sum() >= 2


def test_few_rows_and_many_agree_on_aggregates_within_sampling_error() -> None:
    few, many = population(200), population(2000)
    for name in ("need", "quality", "runway", "burn"):
        row = getattr(many, name)[many.alive]
        error = TRAITS["firms"] * row.std() * np.sqrt(1.0 / 200 + 1.0 / 2000)
        sums = [float(one.weight @ getattr(one, name)) for one in (few, many)]
        assert abs(sums[0] - sums[1]) < 4.0 * error
    for _ in range(12):
        small, large = live(few), live(many)
    for name in ("need_hours", "spot_paid", "earned", "burn"):
        assert small[name] == pytest.approx(large[name], rel=0.3)
    assert few.firms() == pytest.approx(many.firms(), abs=4.0 * TRAITS["firms"] * 0.5 / np.sqrt(200))


def test_means_of_many_rows_are_those_of_the_traits() -> None:
    one = population(4000, **{"startup_break_even": 0.94})
    assert one.need[one.alive].mean() == pytest.approx(TRAITS["need_h100e"], rel=0.06)
    assert one.burn[one.alive].mean() == pytest.approx(TRAITS["burn_month"], rel=0.06)
    assert one.quality[one.alive].mean() == pytest.approx(TRAITS["quality"], rel=0.03)


# -- luck ------------------------------------------------------------------------------------


def test_luck_belongs_to_the_birth_not_to_how_many_were_born() -> None:
    few, many = population(50), population(300)
    for name in ("need", "quality", "runway", "burn"):
        np.testing.assert_array_equal(getattr(few, name)[:50], getattr(many, name)[:50])


def test_another_group_changes_nobodys_luck() -> None:
    alone = population(100)
    together = population(200, groups={"before": TRAITS, "north": TRAITS, "after": {**TRAITS, "firms": 10.0}})
    own = together.slice_of("north")
    n = int(together.alive[own].sum())
    np.testing.assert_array_equal(together.need[own][:n], alone.need[:n])
    assert not np.array_equal(together.need[together.slice_of("before")][:n], alone.need[:n])


@settings(deadline=None, max_examples=25)
@given(st.sets(st.integers(0, 19), min_size=1, max_size=6))
def test_a_firm_that_moves_into_a_freed_slot_brings_its_own_luck(gone: set[int]) -> None:
    one, full = population(20), population(40)
    slots = sorted(gone)
    one.alive[slots] = False
    entered = one.enter("north", len(slots) * one.weight_of[0])
    assert entered == pytest.approx(len(slots) * 50.0)
    assert int(one.born[0]) == 20 + len(slots)
    # The rows that are born 21st and later are those of the larger population, whatever slot they got.
    np.testing.assert_allclose(one.need[slots], full.need[20 : 20 + len(slots)], rtol=1e-12)
    stay = [slot for slot in range(20) if slot not in gone]
    np.testing.assert_array_equal(one.need[stay], full.need[stay])


def test_another_root_is_another_population() -> None:
    assert not np.array_equal(population(seed=1).need, population(seed=2).need)


# -- a month ---------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(st.floats(100.0, 50_000.0), st.floats(100.0, 50_000.0), st.floats(0.0, 3e6))
def test_the_demand_curve_handed_to_the_market_is_what_firms_then_buy(
    last: float, price: float, vouchers: float
) -> None:
    one = population(60)
    coefficient, money = one.plan(last, REFERENCE, HOURS, 1.2, vouchers)
    found = one.settle(price, REFERENCE, REFERENCE, HOURS, 1.2, 0.2 * price)
    assert found["spot_hours"] == pytest.approx(
        coefficient * (price / REFERENCE) ** -1.2 + money / price, rel=1e-9
    )
    assert found["voucher_hours"] <= vouchers * (1.0 + 1e-12) + 1e-9


def test_vouchers_stand_in_for_bought_hours_one_by_one() -> None:
    bought = live(population(60), vouchers=0.0)
    helped = live(population(60), vouchers=0.3 * bought["need_hours"])
    assert helped["voucher_hours"] == pytest.approx(0.3 * bought["need_hours"], rel=1e-9)
    assert helped["spot_hours"] < bought["spot_hours"]


def test_nobody_buys_who_has_vouchers_enough_and_nobody_takes_them_without_end() -> None:
    """Vouchers cost a fifth, so firms use up to three times the hours they would buy, and no more."""
    need = live(population(60))["need_hours"]
    ample, flooded = live(population(60), vouchers=2.0 * need), live(population(60), vouchers=100.0 * need)
    assert ample["voucher_hours"] == pytest.approx(2.0 * need, rel=1e-9)
    assert flooded["voucher_hours"] == pytest.approx(3.0 * need, rel=1e-9)
    assert ample["spot_hours"] == flooded["spot_hours"] == 0.0


def test_a_firm_leaves_when_its_runway_is_used_up_and_not_before() -> None:
    """Nobody earns; with a burn of 1 and purses too small to buy, a runway of 2.5 lasts three months."""
    one = population(4, startup_break_even=0.0, startup_spend_share=0.0)
    one.burn[one.alive] = 1.0
    one.runway[one.alive] = [0.5, 1.5, 2.5, 2.0]
    alive = [one.alive[:4].tolist()]
    defaulted = []
    for _ in range(3):
        found = live(one)
        alive.append(one.alive[:4].tolist())
        defaulted.append((found["exits"], found["defaulted"]))
    assert alive == [
        [True, True, True, True],
        [False, True, True, True],
        [False, False, True, True],
        [False, False, False, False],
    ]
    assert defaulted == [(250.0, 125.0), (250.0, 125.0), (500.0, 375.0)]
    assert one.cash() == one.firms() == 0.0


def test_the_dead_neither_buy_nor_earn_nor_count() -> None:
    one = population(10)
    one.alive[:] = False
    found = live(one, vouchers=1e6)
    assert all(value == 0.0 for value in found.values())
    assert len(one) == 0


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(500.0, 40_000.0), st.floats(0.0, 5e5), st.floats(0.0, 80.0)),
        min_size=1,
        max_size=24,
    )
)
def test_the_control_account_explains_all_cash(months: list[tuple[float, float, float]]) -> None:
    """Runways change by what is earned, paid, burnt, written off on exit and brought in by founders."""
    one = population(80)
    account, last = one.take_capital(), REFERENCE
    assert account == pytest.approx(one.cash(), rel=1e-12)
    for price, vouchers, entering in months:
        found = live(one, price, last, vouchers)
        account += found["earned"] + found["defaulted"]
        account -= found["spot_paid"] + found["voucher_paid"] + found["burn"]
        one.enter("north", entering)
        account += one.take_capital()
        assert one.cash() == pytest.approx(account, rel=1e-9, abs=1.0)
        last = price
    assert one.take_capital() == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_the_books_close_when_the_last_firm_is_gone(seed: int) -> None:
    """Firms that earn too little all leave in the end; what rounding left in their account is no imbalance."""
    one, ledger = population(200, seed, startup_break_even=0.3), Ledger()
    ledger.check_stock(ACCOUNT, "money", one.cash)
    ledger.post(ACCOUNT, "savings", "money", one.take_capital(), "founders' capital")
    for _ in range(60):
        found = live(one)
        ledger.post(ACCOUNT, "customers", "money", found["earned"], "earned")
        ledger.post(ACCOUNT, "creditors", "money", found["defaulted"], "default")
        ledger.post("sellers", ACCOUNT, "money", found["spot_paid"] + found["voucher_paid"], "computing")
        ledger.post("households", ACCOUNT, "money", found["burn"], "burn")
        ledger.close()
    assert one.firms() == one.cash() == 0.0
    assert ledger.closed == 60


@pytest.mark.parametrize("price", [2000.0, 8000.0])
def test_dearer_computing_is_bought_less(price: float) -> None:
    base, other = live(population(60)), live(population(60), price)
    assert (other["spot_hours"] < base["spot_hours"]) == (price > REFERENCE)


def test_outlook_is_the_mean_margin_over_burn_of_half_a_year() -> None:
    one = population(60)
    margins = [0.0]
    for _ in range(8):
        found = live(one)
        margins.append(
            (found["earned"] - found["spot_paid"] - found["voucher_paid"] - found["burn"]) / found["burn"]
        )
    assert one.outlook("north") == pytest.approx(np.mean(margins[-6:]), rel=1e-9)


# -- entry -----------------------------------------------------------------------------------


def test_fractions_of_a_row_are_carried_over() -> None:
    one = population(200)  # a row stands for five firms
    entered = [one.enter("north", 2.0) for _ in range(10)]
    assert sum(entered) == 20.0
    assert entered.count(5.0) == 4
    assert one.firms() == pytest.approx(1020.0)


def test_no_more_enter_than_there_are_slots() -> None:
    one = population(20)  # a row stands for fifty firms
    free = len(one.need) - 20
    assert free > 0
    assert one.enter("north", 1e6) == pytest.approx(50.0 * free)
    assert one.firms() == pytest.approx(1000.0 + 50.0 * free)
    assert one.enter("north", 500.0) == 0.0


def test_founders_bring_a_full_runway() -> None:
    one = population(20)
    one.take_capital()
    before = one.cash()
    one.enter("north", 50.0)
    newborn = 20
    assert one.runway[newborn] == pytest.approx(TRAITS["runway"] * one.need[newborn] / TRAITS["need_h100e"])
    assert one.take_capital() == pytest.approx(one.cash() - before)


def test_a_world_without_startups_has_an_empty_population() -> None:
    world: Any = SimpleNamespace(trait=None, traits_of=None)
    model: Any = SimpleNamespace(parameters={"startup_rows": 100.0}, world=world, luck=Luck(0))
    one = Startups(model, [])
    assert len(one) == 0
    assert one.firms() == one.cash() == one.take_capital() == 0.0
