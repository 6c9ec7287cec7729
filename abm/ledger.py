"""Double entry for money, claims, accelerators and energy, closed every month.

Every transfer is posted once with the account that receives (debit) and the one that gives (credit).
Two entries that come from one amount always balance, so that alone proves nothing. What proves
something is held against numbers computed elsewhere, when the month is closed:

* clearing accounts (the bus of a zone) must stand at zero;
* stocks kept in the arrays of the state (accelerators installed, loans, equity) must equal the
  account's balance;
* the balances of an asset must add up to zero, a redundant equation in the sense of Godley and
  Lavoie (2007), since the rest of the world and the opening account are accounts like any other.

Transfers of one kind (the same two accounts, asset and cause) are one line of the month's journal;
the journal is carried to the accounts when a balance is asked for and at the close.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from abm.core.books import accounts

ASSETS = ("money", "debt", "equity", "gpu", "mwh", "hbm", "mw")
OPENING = "opening"
TOLERANCE = 1e-9


class Imbalance(RuntimeError):
    """A month did not close; the run is not to be trusted."""


class Ledger:
    """Balances by asset and account, this month's journal, and the checks of a close."""

    def __init__(self) -> None:
        self._account: dict[str, int] = {}
        self._line: dict[tuple[str, str, str, str], int] = {}
        """Journal line of (debit, credit, asset, cause)."""
        self._lines_of: dict[tuple[str, str], list[int]] = {}
        """Lines of (asset, cause)."""
        self._open = array("d")
        """By line: what was posted since the journal was last carried to the accounts."""
        self._posts = array("q")
        """By line: how many postings that is the sum of."""
        self._carried = np.zeros(256)
        """By line: what was carried to the accounts this month."""
        self._ends = array("q")
        """By line, three each: asset, account that receives, account that gives."""
        self._balance = np.zeros((len(ASSETS), 64))
        self._turnover = np.zeros((len(ASSETS), 64))
        self._rounding = np.zeros((len(ASSETS), 64))
        """Largest error that rounding can have left in each account's balance so far."""
        self._stocks: list[tuple[slice, Callable[[], Any]]] = []
        """Part of the checked accounts, and what recounts it."""
        self._checked = np.zeros((2, 0), np.int64)
        """Asset and account of all that is checked."""
        self._stock = np.zeros(0)
        """What was counted for each of them at the last close."""
        self.worst: dict[str, float] = dict.fromkeys(ASSETS, 0.0)
        """Largest relative imbalance of any account in any month so far."""
        self.closed = 0

    def account(self, name: str) -> int:
        """Number of the account ``name``, opened at zero when first asked for."""
        number = self._account.get(name)
        if number is None:
            number = self._account[name] = len(self._account)
            if number == self._balance.shape[1]:
                for table in ("_balance", "_turnover", "_rounding"):
                    old = getattr(self, table)
                    setattr(self, table, np.concatenate([old, np.zeros_like(old)], axis=1))
        return number

    def balance(self, name: str, asset: str) -> float:
        if name not in self._account:
            return 0.0
        self._carry()
        return float(self._balance[ASSETS.index(asset), self._account[name]])

    def post(self, debit: str, credit: str, asset: str, amount: float, cause: str) -> None:
        """``amount`` >= 0 moves from ``credit`` to ``debit``. ``ValueError`` for anything else."""
        if 0.0 < amount < math.inf:
            line = self._line.get((debit, credit, asset, cause))
            if line is None:
                line = self.line(debit, credit, asset, cause)
            self._open[line] += amount
            self._posts[line] += 1
        elif amount != 0.0:
            raise _no_transfer((debit, credit, asset, cause), amount)

    def line(self, debit: str, credit: str, asset: str, cause: str) -> int:
        """Number of the journal line of such transfers, for :meth:`post_lines`."""
        return self.lines([(debit, credit)], asset, cause)[0]

    def lines(self, pairs: Iterable[tuple[str, str]], asset: str, cause: str) -> list[int]:
        """The same for each pair of accounts, the one that receives first; a line is opened when first asked for."""
        known, opened, found = self._line, list[int](), list[int]()
        place, first = ASSETS.index(asset), len(known)
        for debit, credit in pairs:
            fresh = len(known)
            line = known.setdefault((debit, credit, asset, cause), fresh)
            found.append(line)
            if line == fresh:
                opened += (place, self.account(debit), self.account(credit))
        if opened:
            self._open_lines(first, opened, asset, cause)
        return found

    def post_lines(self, lines: np.ndarray, amounts: np.ndarray) -> None:
        """Post ``amounts`` (n,) to journal ``lines`` (n,), like :meth:`post`; nothing where a line is -1.

        For transfers that come back every month: their lines are asked for once.
        """
        wrong = accounts.post(lines, amounts, np.frombuffer(self._open), np.frombuffer(self._posts, np.int64))
        if wrong >= 0:
            keys = list(self._line)  # in the order of their numbers
            raise _no_transfer(keys[lines[wrong]], float(amounts[wrong]))

    def moved(self, asset: str, cause: str) -> float:
        """What was posted for ``cause`` this month."""
        lines = self._lines_of.get((asset, cause), ())
        return math.fsum([self._open[line] + self._carried.item(line) for line in lines])

    @property
    def causes(self) -> dict[tuple[str, str], float]:
        """This month's total by (asset, cause), of all that moved."""
        totals = {key: self.moved(*key) for key in self._lines_of}
        return {key: total for key, total in totals.items() if total > 0.0}

    def check_stock(self, name: str, asset: str, recompute: Callable[[], float]) -> None:
        """At every close the account's balance must equal ``recompute()``."""
        self.check_stocks([name], asset, recompute)

    def check_stocks(
        self, names: Iterable[str], asset: str | Sequence[str], recompute: Callable[[], Any]
    ) -> None:
        """At every close the accounts' balances must equal ``recompute()``, a number for each.

        ``asset`` is that of all accounts, or one for each.
        """
        self._stocks.append((self._check(names, asset), recompute))

    def _check(self, names: Iterable[str], asset: str | Sequence[str]) -> slice:
        """Check these accounts at every close; where they are among all that are."""
        numbers = [self.account(name) for name in names]
        assets = [asset] * len(numbers) if isinstance(asset, str) else asset
        first = self._checked.shape[1]
        added = np.array([[ASSETS.index(one) for one in assets], numbers], np.int64)
        self._checked = np.concatenate([self._checked, added], axis=1)
        self._stock = np.zeros(self._checked.shape[1])
        return slice(first, first + len(numbers))

    def check_zero(self, names: Iterable[str], asset: str) -> None:
        """At every close these accounts must stand at zero."""
        self._check(names, asset)  # what is counted for an account is zero until somebody counts

    def close(self) -> dict[str, float]:
        """End the month: relative imbalance by asset; :class:`Imbalance` where one exceeds the tolerance.

        What rounding can have left in an account is known from what passed through it, and is taken
        off before an imbalance is judged: an account emptied after large flows is in order.
        """
        stock, worst = self._stock, np.empty(len(ASSETS))
        for part, recompute in self._stocks:
            stock[part] = recompute()
        wrong = accounts.close(*self._journal(), len(self._account), self._checked, stock, TOLERANCE, worst)
        if wrong != accounts.ALL_WELL:
            raise self._imbalance(wrong, worst)
        found = dict(zip(ASSETS, worst.tolist(), strict=True))
        for asset, imbalance in found.items():
            if imbalance > self.worst[asset]:
                self.worst[asset] = imbalance
        self.closed += 1
        return found

    def _open_lines(self, first: int, ends: list[int], asset: str, cause: str) -> None:
        """Make room for the lines from ``first`` on, whose ``ends`` are given, three each."""
        count = len(ends) // 3
        self._lines_of.setdefault((asset, cause), []).extend(range(first, first + count))
        # From an array or bytes all at once: other numbers are taken one by one.
        self._ends.extend(array("q", ends))
        self._open.frombytes(bytes(8 * count))
        self._posts.frombytes(bytes(8 * count))
        while first + count > len(self._carried):
            self._carried = np.concatenate([self._carried, np.zeros_like(self._carried)])

    def _carry(self) -> None:
        """Bring what was posted to the accounts."""
        accounts.carry(*self._journal())

    def _journal(self) -> tuple[np.ndarray, ...]:
        """What was posted and what it is carried to, as :func:`abm.core.books.accounts.carry` takes them."""
        return (
            np.frombuffer(self._open),
            np.frombuffer(self._posts, np.int64),
            np.frombuffer(self._ends, np.int64).reshape(-1, 3),
            self._balance,
            self._turnover,
            self._rounding,
            self._carried,
        )

    def _imbalance(self, wrong: int, worst: np.ndarray) -> Imbalance:
        """What is wrong with the month, from what :func:`abm.core.books.accounts.close` says of it."""
        if wrong < 0:
            asset = accounts.ALL_WELL - 1 - wrong
            return Imbalance(
                f"month {self.closed}: balances in {ASSETS[asset]} do not add up to zero, "
                f"by {worst[asset]:.3g} of their size"
            )
        asset, number = self._checked[:, wrong].tolist()
        name = list(self._account)[number]  # in the order of their numbers
        return Imbalance(
            f"month {self.closed}: account {name} is out of balance in {ASSETS[asset]} "
            f"by {worst[asset]:.3g} of its size"
        )


def _no_transfer(key: tuple[str, str, str, str], amount: float) -> ValueError:
    debit, credit, asset, cause = key
    return ValueError(f"{cause}: {amount} {asset} from {credit} to {debit} is no transfer")
