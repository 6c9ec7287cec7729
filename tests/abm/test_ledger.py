"""The books balance, refuse what is no transfer, and notice every number that disagrees with them."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.ledger import ASSETS, TOLERANCE, Imbalance, Ledger

NAMES = ("bank", "site", "utility", "state")
transfers = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(ASSETS), st.floats(0.0, 1e15)),
    max_size=60,
)


def test_a_post_gives_to_one_what_it_takes_from_the_other() -> None:
    ledger = Ledger()
    ledger.post("site", "bank", "money", 30.0, "loan")
    ledger.post("site", "state", "money", 10.0, "subsidy")
    ledger.post("bank", "site", "debt", 30.0, "loan")
    assert ledger.balance("site", "money") == 40.0
    assert ledger.balance("bank", "money") == -30.0
    assert ledger.balance("site", "debt") == -30.0
    assert ledger.causes == {("money", "loan"): 30.0, ("money", "subsidy"): 10.0, ("debt", "loan"): 30.0}


@pytest.mark.parametrize("amount", [-1.0, -1e-300, math.nan, math.inf, -math.inf])
def test_what_is_no_transfer_is_refused_and_changes_nothing(amount: float) -> None:
    ledger = Ledger()
    ledger.post("site", "bank", "money", 5.0, "loan")
    with pytest.raises(ValueError, match=r"dividend.*money from site to bank is no transfer"):
        ledger.post("bank", "site", "money", amount, "dividend")
    assert ledger.balance("site", "money") == 5.0
    assert ("money", "dividend") not in ledger.causes
    assert ledger.close()["money"] == 0.0


def test_lines_posted_together_are_the_same_posts_one_by_one() -> None:
    ledger, single = Ledger(), Ledger()
    keys = [
        ("site", "bank", "money", "loan"),
        ("bank", "site", "debt", "loan"),
        ("site", "bank", "money", "gift"),
    ]
    lines = np.array([ledger.line(*key) for key in keys] + [-1])
    amounts = np.array([30.0, 30.0, 0.0, 5.0])
    for one in (amounts, 2.0 * amounts):
        ledger.post_lines(lines, one)
        for key, amount in zip(keys, one.tolist(), strict=False):
            single.post(*key[:3], amount, key[3])
    assert ledger.causes == single.causes == {("money", "loan"): 90.0, ("debt", "loan"): 90.0}
    ledger.post("site", "bank", "money", 1.0, "loan")
    assert ledger.line(*keys[0]) == lines[0]
    assert ledger.balance("site", "money") == 91.0
    assert ledger.balance("site", "debt") == -90.0
    assert ledger.close() == dict.fromkeys(ASSETS, 0.0)
    assert ledger.causes == {}


@pytest.mark.parametrize("amount", [-1.0, math.nan, math.inf])
def test_lines_with_one_amount_that_is_no_transfer_are_refused_together(amount: float) -> None:
    ledger = Ledger()
    lines = np.array([ledger.line("site", "bank", asset, "loan") for asset in ("money", "debt")])
    with pytest.raises(ValueError, match=r"loan.*debt from bank to site is no transfer"):
        ledger.post_lines(lines, np.array([5.0, amount]))
    assert ledger.balance("site", "money") == 0.0
    ledger.post_lines(np.array([lines[0], -1]), np.array([5.0, amount]))
    assert ledger.balance("site", "money") == 5.0


def test_an_account_nobody_used_stands_at_zero() -> None:
    ledger = Ledger()
    ledger.post("site", "bank", "money", 0.0, "nothing")
    assert ledger.balance("site", "money") == ledger.balance("nobody", "gpu") == 0.0
    assert not ledger.causes


@settings(deadline=None)
@given(st.lists(transfers, min_size=1, max_size=4))
def test_random_months_close_against_sums_kept_elsewhere(months: list) -> None:
    ledger, shadow = Ledger(), defaultdict(float)
    for asset in ASSETS:
        for name in NAMES:
            ledger.check_stock(name, asset, lambda key=(name, asset): shadow[key])
    for month in months:
        for debit, credit, asset, amount in month:
            ledger.post(debit, credit, asset, amount, "trade")
            shadow[debit, asset] += amount
            shadow[credit, asset] -= amount
        assert max(ledger.close().values()) <= TOLERANCE
    assert ledger.closed == len(months)
    for asset in ASSETS:
        moved = math.fsum(amount for month in months for _, _, one, amount in month if one == asset)
        assert abs(math.fsum(ledger.balance(name, asset) for name in NAMES)) <= 1e-13 * max(moved, 1.0)


def test_a_clearing_account_that_keeps_something_raises() -> None:
    ledger = Ledger()
    ledger.check_zero(["bus north", "bus south"], "mwh")
    ledger.post("bus south", "generator", "mwh", 100.0, "generation")
    ledger.post("customers", "bus south", "mwh", 99.0, "load")
    with pytest.raises(Imbalance, match=r"month 0: account bus south is out of balance in mwh by 0\.00503"):
        ledger.close()


def test_a_clearing_account_that_passes_everything_on_closes() -> None:
    ledger = Ledger()
    ledger.check_zero(["bus"], "mwh")
    for part in (0.1, 0.2, 0.3):
        ledger.post("bus", "generator", "mwh", part, "generation")
    ledger.post("customers", "bus", "mwh", 0.6, "load")
    assert ledger.balance("bus", "mwh") != 0.0  # binary fractions do not add up exactly
    assert ledger.close()["mwh"] <= TOLERANCE


def test_long_quiet_use_does_not_excuse_this_months_remainder() -> None:
    """What passed through in all months together is no measure of one month's remainder."""
    ledger = Ledger()
    ledger.check_zero(["bus"], "mwh")
    for _ in range(1000):
        ledger.post("bus", "generator", "mwh", 1e6, "generation")
        ledger.post("customers", "bus", "mwh", 1e6, "load")
        ledger.close()
    ledger.post("bus", "generator", "mwh", 0.1, "generation")
    with pytest.raises(Imbalance, match="month 1000: account bus"):
        ledger.close()


@pytest.mark.parametrize("wrong", [99.0, 101.0, -100.0, 100.0 + 1e-6, math.nan])
def test_a_stock_that_disagrees_with_its_account_raises(wrong: float) -> None:
    ledger, stock = Ledger(), [100.0]
    ledger.check_stock("gpus owner", "gpu", lambda: stock[0])
    ledger.post("gpus owner", "maker", "gpu", 100.0, "delivery")
    assert ledger.close()["gpu"] == 0.0
    stock[0] = wrong
    with pytest.raises(Imbalance, match="month 1: account gpus owner is out of balance in gpu"):
        ledger.close()


def test_a_stock_is_checked_before_its_account_was_ever_used() -> None:
    ledger = Ledger()
    ledger.check_stock("deposits", "money", lambda: 3.0)
    with pytest.raises(Imbalance, match="deposits"):
        ledger.close()


def test_an_entry_with_one_side_only_raises() -> None:
    """The redundant equation: balances of an asset add up to zero."""
    ledger = Ledger()
    ledger.post("site", "bank", "money", 100.0, "loan")
    ledger._balance[ASSETS.index("money"), ledger.account("site")] += 1.0
    with pytest.raises(Imbalance, match="money"):
        ledger.close()


@settings(deadline=None)
@given(st.lists(st.floats(1e9, 9e10), min_size=2, max_size=12), st.integers(0, 3))
def test_what_rounding_leaves_in_an_emptied_account_is_no_imbalance(
    deposits: list[float], quiet: int
) -> None:
    """First in, first out: the last digits of large sums stay behind, and are no money."""
    ledger, held = Ledger(), list[float]()
    ledger.check_stock("deposits", "money", lambda: sum(held))
    for deposit in deposits:
        ledger.post("deposits", "owner", "money", deposit, "deposit")
        held.append(deposit)
        ledger.close()
    for deposit in deposits:
        ledger.post("owner", "deposits", "money", deposit, "refund")
        held.pop(0)
        ledger.close()
    for _ in range(quiet):
        ledger.close()
    assert abs(ledger.balance("deposits", "money")) < 1e-2
    held.append(1e5)
    with pytest.raises(Imbalance, match="deposits"):
        ledger.close()


def test_what_rounding_leaves_between_accounts_is_no_imbalance() -> None:
    ledger = Ledger()
    ledger.post("a", "b", "money", 0.1, "small")
    ledger.post("a", "c", "money", 1e15, "large")
    ledger.post("c", "a", "money", 1e15, "large")
    ledger.close()
    assert sum(ledger.balance(name, "money") for name in "abc") != 0.0
    ledger.close()


def test_the_worst_close_of_each_asset_is_remembered() -> None:
    ledger, stock = Ledger(), [0.0]
    ledger.check_stock("site", "money", lambda: stock[0])
    ledger.post("site", "bank", "money", 1e6, "loan")
    stock[0] = 1e6 + 1e-5
    first = ledger.close()["money"]
    stock[0] = 1e6
    assert ledger.close()["money"] == 0.0
    assert ledger.worst["money"] == first == pytest.approx(1e-11, rel=1e-3)
    assert ledger.worst["gpu"] == 0.0


def test_causes_are_those_of_the_month() -> None:
    ledger = Ledger()
    ledger.post("site", "bank", "money", 5.0, "loan")
    ledger.close()
    ledger.post("site", "bank", "money", 7.0, "dividend")
    assert ledger.causes == {("money", "dividend"): 7.0}
    assert ledger.balance("site", "money") == 12.0


def test_lines_of_a_kind_are_opened_once_and_as_one_by_one() -> None:
    pairs = [("a", "b"), ("c", "b"), ("a", "b"), ("b", "a")]
    together, one_by_one = Ledger(), Ledger()
    numbers = together.lines(pairs, "money", "gift")
    assert numbers == [one_by_one.line(*pair, "money", "gift") for pair in pairs]
    assert numbers[0] == numbers[2]
    assert together.lines(pairs, "money", "gift") == numbers
    together.post_lines(np.array(numbers), np.array([1.0, 2.0, 4.0, 8.0]))
    assert [together.balance(name, "money") for name in "abc"] == [-3.0, 1.0, 2.0]
    assert together.moved("money", "gift") == 15.0
