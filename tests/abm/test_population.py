"""Firms in columns: weights stand for firms, luck for birth ids, and cash and debt for what the books say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.population import columns as at
from abm.ledger import Ledger
from abm.population import ACCOUNT, BOOKS, RATIOS, Startups, entry_worth
from tests.abm.firms import ELASTICITY, HOURS, REFERENCE, TRAITS, live, population, spot_demand, terms

DRAWN = (at.NEED, at.QUALITY, at.CASH, at.BURN, at.PRUDENCE)


# -- weights ---------------------------------------------------------------------------------
@settings(deadline=None)
@given(st.integers(1, 500), st.floats(1.0, 1e5), st.floats(1.0, 1e5))
def test_any_number_of_rows_stands_for_the_same_firms(rows: int, north: float, south: float) -> None:
    one = population(rows, groups={"north": {**TRAITS, "firms": north}, "south": {**TRAITS, "firms": south}})
    assert one.alive_of("north") == pytest.approx(north, rel=1e-12)
    assert one.alive_of("south") == pytest.approx(south, rel=1e-12)
    assert one.firms() == pytest.approx(north + south, rel=1e-12)
    assert one.firms() == pytest.approx(one.weight.sum(), rel=1e-12)


def decade(rows: int, seed: int) -> dict[str, float]:
    """What 60 months of falling prices, growth, credit, changing quality and entry come to."""
    one = population(rows, seed, startup_base_share=0.4)
    sums: dict[str, float] = {}
    for month in range(60):
        price = REFERENCE * 0.98**month
        found = live(
            one, 0.5, 0.9 * price, price=price, last=price, world_price=0.9 * price, voucher_share=0.1,
            growth=0.04, spread=0.35, credit_months=3.0, cash_months=24.0, interest=0.008,
        )  # fmt: skip
        one.enter({"north": 10.0})
        for name, value in found.items():
            sums[name] = sums.get(name, 0.0) + value
    return {**sums, "firms": one.firms(), "cash": one.cash()}


def test_few_rows_and_many_agree_on_aggregates_within_sampling_error() -> None:
    """The error of few rows is measured over seeds; many rows lie within four of its standard errors."""
    few, many = [decade(200, seed) for seed in range(12)], decade(20_000, 99)
    for name in ("need_hours", "spot_paid", "contract_paid", "earned", "burn", "exits", "firms", "cash"):
        sample = np.array([found[name] for found in few])
        error = sample.std(ddof=1) * math.sqrt(1.0 / len(sample) + 200.0 / 20_000)
        assert 0.0 < error < 0.2 * many[name], name
        assert abs(sample.mean() - many[name]) < 4.0 * error, name


def test_means_of_many_rows_are_those_of_the_traits() -> None:
    one = population(20_000)
    size = math.sqrt(math.exp(0.8**2) - 1.0) / math.sqrt(20_000)
    quality = math.sqrt(math.exp(0.35**2) - 1.0) / math.sqrt(20_000)
    assert one.column(at.NEED).mean() == pytest.approx(TRAITS["need_h100e"], rel=4 * size)
    assert one.column(at.BURN).mean() == pytest.approx(TRAITS["burn_month"], rel=4 * size)
    assert one.column(at.QUALITY).mean() == pytest.approx(TRAITS["quality"], rel=4 * quality)


def test_rows_in_another_order_come_to_the_same() -> None:
    """Neither a month's totals nor a row's own fate hinge on where the row stands."""
    one, other = population(300, startup_base_share=0.4), population(300, startup_base_share=0.4)
    order = np.random.default_rng(1).permutation(300)
    other.firm[:], other.tag[:] = other.firm[:, order].copy(), other.tag[:, order].copy()
    for month in range(30):
        found = [
            live(firms, 0.7, 3600.0, price=4400.0 - 50.0 * month, spread=0.35, growth=0.04, credit_months=2.0)
            for firms in (one, other)
        ]
        for name, value in found[0].items():
            assert found[1][name] == pytest.approx(value, rel=1e-12, abs=1e-6), name
    assert len(one) == len(other) < 300
    rank = [np.argsort(firms.tag[at.BIRTH, : len(firms)]) for firms in (one, other)]
    np.testing.assert_array_equal(one.firm[:, rank[0]], other.firm[:, rank[1]])


# -- luck ------------------------------------------------------------------------------------
def test_luck_belongs_to_the_birth_not_to_how_many_were_born() -> None:
    few, many = population(50), population(300)
    for name in DRAWN:
        np.testing.assert_array_equal(few.column(name), many.column(name)[:50])


def test_another_group_changes_nobodys_luck() -> None:
    alone = population(100)
    together = population(200, groups={"before": TRAITS, "north": TRAITS, "after": {**TRAITS, "firms": 10.0}})
    group = together.tag[at.GROUP, : len(together)]
    for name in DRAWN:
        own = together.column(name)[group == 1]
        np.testing.assert_array_equal(own, alone.column(name)[: len(own)])
    assert not np.array_equal(together.column(at.NEED)[group == 0], together.column(at.NEED)[group == 1])


@settings(deadline=None, max_examples=25)
@given(st.sets(st.integers(0, 19), min_size=1, max_size=6))
def test_whoever_enters_after_some_have_left_brings_its_own_luck(gone: set[int]) -> None:
    one, full = population(20), population(40)
    one.firm[at.CASH, sorted(gone)] = -1.0
    live(one, takings=0.0)
    assert one.tag[at.BIRTH, : len(one)].tolist() == [birth for birth in range(20) if birth not in gone]
    entered = one.enter({"north": len(gone) * one.weight_of[0]})
    assert entered == pytest.approx(len(gone) * 50.0)
    assert one.tag[at.BIRTH, 20 - len(gone) : 20].tolist() == list(range(20, 20 + len(gone)))
    # The rows that are born 21st and later are those of the larger population, whatever row they got.
    new, there = slice(20 - len(gone), 20), slice(20, 20 + len(gone))
    for name in (at.NEED, at.QUALITY, at.PRUDENCE):
        np.testing.assert_array_equal(one.column(name)[new], full.column(name)[there])


def test_a_new_quality_comes_with_the_age_and_not_with_the_month() -> None:
    """Two firms of one birth id, founded in different months, have the same quality at the same age."""
    paths = []
    for late in (0, 7):
        one = population(groups={"north": {**TRAITS, "firms": 1.0}}, rows=1)
        one.model.month = late
        one.firm[at.CASH, 0] = -1.0
        live(one, takings=0.0)
        one.enter({"north": 1.0})
        path = []
        for _ in range(60):
            one.firm[at.CASH, 0] = 1e12
            live(one, spread=0.35)
            path.append(float(one.column(at.QUALITY)[0]))
        paths.append(path)
    assert paths[0] == paths[1]
    assert len(set(paths[0])) == 5, "its own, and a new one at each of four birthdays"


def test_quality_keeps_its_spread_and_its_yearly_autocorrelation() -> None:
    one = population(20_000, startup_first_runway=1.0)
    first = np.log(one.column(at.QUALITY).copy())
    for _ in range(12):
        one.firm[at.CASH] = 1e12
        live(one, spread=0.35)
    second = np.log(one.column(at.QUALITY))
    assert second.std() == pytest.approx(0.35, rel=0.02)
    assert second.mean() == pytest.approx(-0.5 * 0.35**2, abs=0.01)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.8, abs=0.01)


def test_another_root_is_another_population() -> None:
    assert not np.array_equal(population(seed=1).column(at.NEED), population(seed=2).column(at.NEED))


# -- a month ---------------------------------------------------------------------------------
def by_hand(one: Startups, m: at.Month) -> list[dict[str, float]]:
    """The month of each row, from the rule's text: what it buys, earns and has in the end."""
    found = []
    for i in range(len(one)):
        _, need, burn, quality, cash, debt, contract, contract_price, _, income, _, _ = one.firm[
            :, i
        ].tolist()
        want = need * m.scale * m.last_factor
        vouchers, reserved = m.voucher_share * want, contract * m.contract_hours
        left = max(1.0 - (vouchers + reserved) / want, 0.0)
        means = max(cash, 0.0) + max(m.credit_months * income - debt, 0.0)
        purse = max(m.spend_share * means - reserved * contract_price, 0.0)
        spot = min(need * m.scale * left * (m.price / m.reference) ** -m.elasticity, purse / m.price)
        needed = need * m.scale * m.world_factor
        served = min((spot + vouchers + reserved) / needed, m.served_most)
        earned = quality * m.takings * (burn + needed * m.world_price) * served**m.theta
        cost = burn + spot * m.price + vouchers * m.voucher_price + reserved * contract_price
        gain = earned - cost - debt * m.interest
        cash += gain
        if cash < 0.0:
            loan = min(-cash, max(m.credit_months * earned - debt, 0.0))
            cash, debt = cash + loan, debt + loan
        elif debt > 0.0:
            back = min(debt, max(cash - m.credit_months * burn, 0.0))
            cash, debt = cash - back, debt - back
        else:
            cash = min(cash, m.cash_months * burn)
        size = 1.0 + m.growth * min(max(gain / cost, -1.0), 1.0)
        found.append(
            {
                "spot": spot,
                "earned": earned,
                "cash": cash,
                "debt": debt,
                "need": need * size,
                "burn": burn * size,
            }
        )
    return found


@settings(deadline=None, max_examples=40)
@given(
    st.floats(500.0, 20_000.0), st.floats(500.0, 20_000.0), st.floats(0.0, 1.2), st.floats(0.0, 4.0),
    st.floats(0.0, 0.1), st.integers(0, 3),
)  # fmt: skip
def test_a_month_is_what_the_rule_says_row_by_row(
    price: float, last: float, vouchers: float, credit: float, growth: float, seed: int
) -> None:
    one = population(40, seed)
    rng = np.random.default_rng(seed)
    one.firm[at.CASH] *= rng.choice([0.001, 1.0, 40.0], 40)
    one.firm[at.DEBT] = rng.choice([0.0, 1e7], 40)
    one.firm[at.INCOME] = rng.choice([0.0, 1.0], 40) * one.firm[at.BURN]
    one.firm[at.CONTRACT] = rng.choice([0.0, 0.5], 40) * one.firm[at.NEED]
    one.firm[at.CONTRACT_PRICE] = rng.uniform(1000.0, 3000.0, 40)
    one.tag[at.UNTIL] = 99
    m = terms(
        price=price, last=last, voucher_share=vouchers, credit_months=credit, growth=growth, interest=0.01,
        cash_months=12.0, world_price=0.8 * last,
    )  # fmt: skip
    hand = by_hand(one, m)
    before, tags = one.firm.copy(), one.tag.copy()
    one.sign(0, 1.0, 0.0, m)
    found = one.settle(0, m)
    assert found["spot_hours"] == pytest.approx(sum(row["spot"] for row in hand) * 25.0, rel=1e-10)
    assert found["earned"] == pytest.approx(sum(row["earned"] for row in hand) * 25.0, rel=1e-10)
    stay = [row for row in hand if row["cash"] >= 0.0]
    assert found["exits"] == 25.0 * (40 - len(stay))
    for name, column in (("cash", at.CASH), ("debt", at.DEBT), ("need", at.NEED), ("burn", at.BURN)):
        assert one.column(column) == pytest.approx([row[name] for row in stay], rel=1e-9, abs=1.0), name
    # What a month does not change has moved up with its row.
    left = [i for i, row in enumerate(hand) if row["cash"] >= 0.0]
    np.testing.assert_array_equal(one.tag[:, : len(one)], tags[:, left])
    for column in (at.QUALITY, at.CONTRACT, at.CONTRACT_PRICE, at.PRUDENCE):
        np.testing.assert_array_equal(one.column(column), before[column, left])
    assert one.column(at.INCOME) == pytest.approx([hand[i]["earned"] for i in left], rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.floats(100.0, 50_000.0), st.floats(100.0, 50_000.0), st.floats(0.0, 2.0))
def test_the_demand_that_clears_the_market_is_what_firms_then_buy(
    last: float, price: float, vouchers: float
) -> None:
    one = population(60)
    m = terms(price=price, last=last, voucher_share=vouchers)
    one.sign(0, 1.0, 0.0, m)
    wanted = spot_demand(one, price)
    assert one.settle(0, m)["spot_hours"] == pytest.approx(wanted, rel=1e-12)


def test_vouchers_stand_in_for_bought_hours_one_by_one() -> None:
    ample = {"spend_share": 1e9}
    bought, helped = live(population(60), **ample), live(population(60), voucher_share=0.3, **ample)
    assert helped["voucher_hours"] == pytest.approx(0.3 * bought["need_hours"], rel=1e-9)
    assert helped["spot_hours"] == pytest.approx(0.7 * bought["spot_hours"], rel=1e-9)
    assert live(population(60), voucher_share=1.0)["spot_hours"] == 0.0


def test_a_firm_leaves_when_its_runway_is_used_up_and_not_before() -> None:
    """Nobody earns; with a burn of 1 and purses too small to buy, a runway of 2.5 lasts three months."""
    one = population(4)
    one.firm[at.BURN], one.firm[at.CASH] = 1.0, [0.5, 1.5, 2.5, 2.0]
    births, defaulted = [], []
    for _ in range(3):
        found = live(one, takings=0.0, spend_share=0.0)
        births.append(one.tag[at.BIRTH, : len(one)].tolist())
        defaulted.append((found["exits"], found["defaulted"]))
    assert births == [[1, 2, 3], [2, 3], []]
    assert defaulted == [(250.0, 125.0), (250.0, 125.0), (500.0, 375.0)]
    assert one.cash() == one.firms() == 0.0


def test_credit_is_a_number_of_months_of_earnings_and_is_lost_when_it_is_not_enough() -> None:
    one = population(2, startup_first_runway=1.0)
    one.firm[at.NEED], one.firm[at.BURN], one.firm[at.CASH] = 0.0, 10.0, 1.0
    one.firm[at.QUALITY] = [0.5, 0.95]
    found = live(one, takings=1.0, credit_months=2.0, interest=0.01)
    # The first earns 5 of 10: it misses 4 of the month and may borrow 10 in all.
    assert one.column(at.DEBT).tolist() == [4.0, 0.0]
    assert found["borrowed"] == pytest.approx(500.0 * 4.0)
    found = live(one, takings=1.0, credit_months=2.0, interest=0.01)
    assert one.column(at.DEBT)[0] == pytest.approx(4.0 + 5.04)
    assert found["interest"] == pytest.approx(500.0 * 0.04)
    found = live(one, takings=1.0, credit_months=2.0, interest=0.01)
    assert len(one) == 1
    assert found["exits"] == 500.0
    assert found["written_off"] == pytest.approx(500.0 * 10.0, rel=1e-12), "up to its limit"
    assert found["defaulted"] == pytest.approx(500.0 * (5.0 + 0.0904 - 0.96), rel=1e-9)


def test_a_firm_without_cash_lives_on_its_credit_and_earns_on() -> None:
    """It buys out of what it can still borrow, so it is served, earns, and need not leave at once."""
    one = population(1, startup_first_runway=1.0)
    one.firm[at.QUALITY], one.firm[at.CASH], one.firm[at.INCOME] = 0.98, 0.0, TRAITS["burn_month"]
    months = 0
    while len(one):
        found = live(one, takings=1.0, credit_months=3.0, interest=0.01)
        months += 1
    assert 6 <= months < 400
    assert found["written_off"] > 0.0
    bare = population(1, startup_first_runway=1.0)
    bare.firm[at.QUALITY], bare.firm[at.CASH], bare.firm[at.INCOME] = 0.98, 0.0, TRAITS["burn_month"]
    assert live(bare, takings=1.0)["exits"] == 1000.0


def test_a_firm_that_gains_repays_then_pays_out_and_grows() -> None:
    one = population(1, startup_first_runway=1.0)
    one.firm[at.NEED], one.firm[at.BURN], one.firm[at.CASH], one.firm[at.DEBT] = 0.0, 10.0, 20.0, 3.0
    one.firm[at.QUALITY] = 1.2
    found = live(one, takings=1.0, credit_months=1.0, cash_months=2.0, growth=0.1)
    assert found["repaid"] == 3000.0
    assert one.column(at.DEBT)[0] == 0.0
    assert one.column(at.CASH)[0] == pytest.approx(19.0)
    assert one.column(at.BURN)[0] == pytest.approx(10.2), "a fifth of margin is two hundredths of growth"
    found = live(one, takings=1.0, credit_months=1.0, cash_months=2.0)
    assert found["dividends"] == pytest.approx(1000.0 * (19.0 + 0.2 * 10.2 - 20.4))
    assert one.column(at.CASH)[0] == pytest.approx(20.4)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(500.0, 40_000.0), st.floats(0.0, 1.5), st.floats(0.0, 80.0), st.floats(0.0, 1.0)),
        min_size=1,
        max_size=24,
    ),
    st.floats(0.5, 1.1),
)
def test_the_books_explain_all_cash_and_all_debt(
    months: list[tuple[float, float, float, float]], takings: float
) -> None:
    """Whatever happens, the ledger's accounts of the firms stay what their rows hold, entry and exit included."""
    one, ledger, last = population(80, startup_base_share=0.4), Ledger(), REFERENCE
    ledger.check_stock(ACCOUNT, "money", one.cash)
    ledger.check_stock(ACCOUNT, "debt", lambda: -one.debt())
    ledger.post(ACCOUNT, "savings", "money", one.take_capital(), "founders' capital")
    for price, vouchers, entering, granted in months:
        found = live(
            one, granted, 0.9 * last, price=price, last=last, voucher_share=vouchers, takings=takings,
            credit_months=2.0, interest=0.01, growth=0.05, cash_months=18.0, spread=0.35,
        )  # fmt: skip
        bought = found["spot_paid"] + found["voucher_paid"] + found["contract_paid"]
        ledger.post("sellers", ACCOUNT, "money", bought, "computing")
        for (debit, credit, asset, cause), total in BOOKS:
            ledger.post(debit, credit, asset, found[total], cause)
        one.enter({"north": entering})
        ledger.post(ACCOUNT, "savings", "money", one.take_capital(), "founders' capital")
        ledger.close()
        last = price
    assert ledger.closed == len(months)
    assert one.take_capital() == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_the_books_close_when_the_last_firm_is_gone(seed: int) -> None:
    """Firms that earn too little all leave in the end; what rounding left in their account is no imbalance."""
    one, ledger = population(200, seed), Ledger()
    ledger.check_stock(ACCOUNT, "money", one.cash)
    ledger.check_stock(ACCOUNT, "debt", lambda: -one.debt())
    ledger.post(ACCOUNT, "savings", "money", one.take_capital(), "founders' capital")
    for _ in range(60):
        found = live(one, takings=0.2, credit_months=3.0, interest=0.01)
        ledger.post("sellers", ACCOUNT, "money", found["spot_paid"], "computing")
        for (debit, credit, asset, cause), total in BOOKS:
            ledger.post(debit, credit, asset, found[total], cause)
        ledger.close()
    assert one.firms() == one.cash() == one.debt() == 0.0
    assert len(one) == 0


@pytest.mark.parametrize("price", [2000.0, 8000.0])
def test_dearer_computing_is_bought_less(price: float) -> None:
    base, other = live(population(60)), live(population(60), price=price)
    assert (other["spot_hours"] < base["spot_hours"]) == (price > REFERENCE)


# -- contracts -------------------------------------------------------------------------------
def test_whoever_expects_to_save_and_can_pay_reserves_its_base_load_for_the_term() -> None:
    one = population(100, startup_base_share=0.4, startup_prudence=0.5, startup_first_runway=1.0)
    one.tag[at.UNTIL] = 0
    dear = 1.2 * REFERENCE  # worth it only for those whose prudence reaches for it
    plans = one.plan(0, 1.0, dear, REFERENCE, HOURS, 1.0)
    need, prudence, cash = (one.column(name).copy() for name in (at.NEED, at.PRUDENCE, at.CASH))
    wants = (prudence >= 0.4) & (0.4 * need * HOURS * dear <= 0.05 * cash)
    assert 10 < wants.sum() < 90
    assert plans[at.WISHED] == pytest.approx(10.0 * 0.4 * need[wants].sum())
    assert plans[at.WANT] == pytest.approx(10.0 * need.sum())
    assert plans[at.STANDING] == 0.0
    one.sign(0, 0.25, dear, terms())
    np.testing.assert_allclose(one.column(at.CONTRACT), np.where(wants, 0.1 * need, 0.0), rtol=1e-12)
    until = one.tag[at.UNTIL, :100]
    assert set(until[wants]) == {12}
    assert set(until[~wants]) == {0}, "who did not sign looks again next month"
    again = one.plan(1, 1.0, REFERENCE, REFERENCE, HOURS, 1.0)
    assert again[at.STANDING] == pytest.approx(10.0 * 0.1 * need[wants].sum())
    one.sign(1, 0.0, REFERENCE, terms())
    np.testing.assert_allclose(one.column(at.CONTRACT), np.where(wants, 0.1 * need, 0.0), rtol=1e-12)
    ended = one.plan(12, 1.0, 10.0 * REFERENCE, REFERENCE, HOURS, 1.0)
    assert ended[at.STANDING] == ended[at.WISHED] == 0.0


def test_reserved_hours_come_at_their_price_and_leave_the_rest_to_the_spot_market() -> None:
    one = population(50, startup_base_share=0.4)
    one.tag[at.UNTIL] = 0
    found = live(one, 1.0, 0.5 * REFERENCE, price=3.0 * REFERENCE, spend_share=1e9)
    assert found["contract_hours"] == pytest.approx(0.4 * found["need_hours"])
    assert found["contract_paid"] == pytest.approx(found["contract_hours"] * 0.5 * REFERENCE)
    assert found["spot_hours"] == pytest.approx(0.6 * found["need_hours"] * 3.0**-ELASTICITY)


# -- entry -----------------------------------------------------------------------------------
def test_fractions_of_a_row_are_carried_over() -> None:
    one = population(200)  # a row stands for five firms
    entered = [one.enter({"north": 2.0}) for _ in range(10)]
    assert sum(entered) == 20.0
    assert entered.count(5.0) == 4
    assert one.firms() == pytest.approx(1020.0)


def test_nobody_is_turned_away_for_want_of_room() -> None:
    one = population(20)  # a row stands for fifty firms
    before = one.column(at.NEED).copy()
    assert one.enter({"north": 1e6}) == 1e6
    assert one.firms() == pytest.approx(1_001_000.0)
    np.testing.assert_array_equal(one.column(at.NEED)[:20], before)
    assert len(set(one.tag[at.BIRTH, : len(one)].tolist())) == len(one) == 20_020


def test_founders_bring_a_full_runway() -> None:
    one = population(20)
    one.take_capital()
    before = one.cash()
    one.enter({"north": 50.0})
    assert one.column(at.CASH)[20] == pytest.approx(
        TRAITS["runway"] * one.column(at.NEED)[20] / TRAITS["need_h100e"]
    )
    assert one.take_capital() == pytest.approx(one.cash() - before)


def test_the_ratio_that_founders_look_at_is_that_of_the_average_entrant_over_half_a_year() -> None:
    """A firm of average size and quality with a full runway, run through a month, has that ratio."""
    one = population(1, groups={"north": {**TRAITS, "spread": 0.0}}, startup_quality_spread=0.0,
                     startup_first_runway=1.0)  # fmt: skip
    ratios = [0.94]
    for price in (4000.0, 6000.0, 3000.0, 1000.0, 500.0, 8000.0, 4000.0, 9000.0):
        one.firm[at.CASH] = TRAITS["runway"]
        found = live(one, price=price, voucher_share=0.1, world_price=0.8 * price)
        cost = found["burn"] + found["spot_paid"] + found["voucher_paid"]
        ratios.append(found["earned"] / cost)
        assert one.ratio("north") == pytest.approx(np.mean(ratios[-6:]), rel=1e-12)


def test_crowding_divides_the_market_among_the_active() -> None:
    one = population(50)
    one.plan(0, 1.0, 1.0, 1.0, HOURS, 1.0)
    first = one.crowding
    one.plan(0, 1.0, 1.0, 1.0, HOURS, 2.0)
    assert one.crowding == pytest.approx(first * 2.0 ** (1.0 / 1.5))
    one.firm[at.BURN] *= 2.0
    one.plan(0, 1.0, 1.0, 1.0, HOURS, 2.0)
    assert one.crowding == pytest.approx(first)


def test_the_worth_of_entry_is_the_table_read_at_the_ratio() -> None:
    one = population()
    table = entry_worth(0.35, 0.8, 0.25)
    for ratio, worth in (
        (RATIOS[20], table[20]),
        (0.5 * (RATIOS[3] + RATIOS[4]), 0.5 * (table[3] + table[4])),
    ):
        one.ratios, one._worth = np.array([[ratio]]), None
        assert one.worth("north") == pytest.approx(worth)
    one.ratios, one._worth = np.array([[100.0]]), None
    assert one.worth("north") == pytest.approx((100.0 - 1.0) * 5.0, rel=1e-3), "never stopping, discounted"


def test_a_world_without_startups_has_an_empty_population() -> None:
    one = population(groups={})
    assert len(one) == 0
    assert one.firms() == one.cash() == one.debt() == one.take_capital() == 0.0
    assert not one.plan(0, 1.0, 1.0, 1.0, HOURS, 1.0).any()


def test_groups_enter_together_as_they_would_one_after_the_other() -> None:
    groups = {"north": TRAITS, "south": {**TRAITS, "runway": 2e8}}
    together, apart = population(40, groups=groups), population(40, groups=groups)
    for _ in range(3):
        entered = together.enter({"north": 70.0, "south": 120.0})
        assert entered == apart.enter({"north": 70.0}) + apart.enter({"south": 120.0})
    assert len(together) == len(apart)
    np.testing.assert_array_equal(together.firm[:, : len(apart)], apart.firm[:, : len(apart)])
    np.testing.assert_array_equal(together.tag[:, : len(apart)], apart.tag[:, : len(apart)])
    np.testing.assert_array_equal(together.living, apart.living)
    assert together.take_capital() == pytest.approx(apart.take_capital(), rel=1e-12)
    assert together.enter({}) == 0.0
