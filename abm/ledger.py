"""Double entry for money, claims, accelerators and energy, closed every month.

Every transfer is posted once with the account that receives (debit) and the one that gives (credit).
Two entries that come from one amount always balance, so that alone proves nothing. What proves
something is held against numbers computed elsewhere, when the month is closed:

* clearing accounts (the bus of a zone) must stand at zero;
* stocks kept in the arrays of the state (accelerators installed, loans, equity) must equal the
  account's balance;
* the balances of an asset must add up to zero, a redundant equation in the sense of Godley and
  Lavoie (2007), since the rest of the world and the opening account are accounts like any other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable

ASSETS = ("money", "debt", "equity", "gpu", "mwh", "hbm", "mw")
OPENING = "opening"
TOLERANCE = 1e-9
ROUNDING = 2.0**-50
"""Relative error of one addition in double precision, with room for the sums on the other side."""


class Imbalance(RuntimeError):
    """A month did not close; the run is not to be trusted."""


class Ledger:
    """Balances by asset and account, this month's totals by cause, and the checks of a close."""

    def __init__(self) -> None:
        self._account: dict[str, int] = {}
        self._balance: dict[str, list[float]] = {asset: [] for asset in ASSETS}
        self._turnover: dict[str, list[float]] = {asset: [] for asset in ASSETS}
        self._rounding: dict[str, list[float]] = {asset: [] for asset in ASSETS}
        """Largest error that rounding can have left in each account's balance so far."""
        self._stocks: list[tuple[str, int, Callable[[], float]]] = []
        self._clearing: list[tuple[str, int]] = []
        self.causes: defaultdict[tuple[str, str], float] = defaultdict(float)
        """This month's total by (asset, cause)."""
        self.worst: dict[str, float] = dict.fromkeys(ASSETS, 0.0)
        """Largest relative imbalance of any account in any month so far."""
        self.closed = 0

    def account(self, name: str) -> int:
        """Number of the account ``name``, opened at zero when first asked for."""
        number = self._account.get(name)
        if number is None:
            number = self._account[name] = len(self._account)
            for asset in ASSETS:
                self._balance[asset].append(0.0)
                self._turnover[asset].append(0.0)
                self._rounding[asset].append(0.0)
        return number

    def balance(self, name: str, asset: str) -> float:
        return self._balance[asset][self._account[name]] if name in self._account else 0.0

    def post(self, debit: str, credit: str, asset: str, amount: float, cause: str) -> None:
        """``amount`` >= 0 moves from ``credit`` to ``debit``. ``ValueError`` for anything else."""
        if amount == 0.0:
            return
        if not (amount > 0.0 and math.isfinite(amount)):
            raise ValueError(f"{cause}: {amount} {asset} from {credit} to {debit} is no transfer")
        to, by = self.account(debit), self.account(credit)
        balance, turnover = self._balance[asset], self._turnover[asset]
        balance[to] += amount
        balance[by] -= amount
        turnover[to] += amount
        turnover[by] += amount
        rounding = self._rounding[asset]
        rounding[to] += ROUNDING * max(abs(balance[to]), amount)
        rounding[by] += ROUNDING * max(abs(balance[by]), amount)
        self.causes[asset, cause] += amount

    def check_stock(self, name: str, asset: str, recompute: Callable[[], float]) -> None:
        """At every close the account's balance must equal ``recompute()``."""
        self._stocks.append((asset, self.account(name), recompute))

    def check_zero(self, names: Iterable[str], asset: str) -> None:
        """At every close these accounts must stand at zero."""
        self._clearing.extend((asset, self.account(name)) for name in names)

    def close(self) -> dict[str, float]:
        """End the month: relative imbalance by asset; :class:`Imbalance` where one exceeds the tolerance.

        What rounding can have left in an account is known from what passed through it, and is taken
        off before an imbalance is judged: an account emptied after large flows is in order.
        """
        worst = dict.fromkeys(ASSETS, 0.0)
        for asset in ASSETS:
            balances, rounding = self._balance[asset], self._rounding[asset]
            size = max(math.fsum(map(abs, balances)), math.fsum(self._turnover[asset]), 1.0)
            worst[asset] = max(abs(math.fsum(balances)) - math.fsum(rounding), 0.0) / size
            if not worst[asset] <= TOLERANCE:
                raise Imbalance(
                    f"month {self.closed}: balances in {asset} do not add up to zero, "
                    f"by {worst[asset]:.3g} of their size"
                )
        for asset, number in self._clearing:
            self._judge(worst, asset, number, self._balance[asset][number], 0.0)
        for asset, number, recompute in self._stocks:
            self._judge(worst, asset, number, self._balance[asset][number], recompute())
        for asset in ASSETS:
            self.worst[asset] = max(self.worst[asset], worst[asset])
            self._turnover[asset] = [0.0] * len(self._account)
        self.causes.clear()
        self.closed += 1
        return worst

    def _judge(self, worst: dict[str, float], asset: str, number: int, balance: float, stock: float) -> None:
        size = max(abs(balance), abs(stock), self._turnover[asset][number], 1.0)
        # The other side adds up its own flows, with rounding of its own.
        imbalance = max(abs(balance - stock) - 2.0 * self._rounding[asset][number], 0.0) / size
        if not imbalance <= TOLERANCE:
            name = next(name for name, at in self._account.items() if at == number)
            raise Imbalance(
                f"month {self.closed}: account {name} is out of balance in {asset} by {imbalance:.3g} of its size"
            )
        worst[asset] = max(worst[asset], imbalance)
