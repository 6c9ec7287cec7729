"""A population of startups and small firms in columns; each row stands for ``weight`` firms.

A firm's rule, month by month:

* it plans at last month's price: it wants ``need (p / p0)^-e`` hours, and if its purse (a share of
  its runway) does not reach for that, it plans to spend the purse instead;
* it takes vouchers first, then buys on the spot market at the price that clears;
* it earns ``quality`` times what a fully served firm of its size needs to break even, times the
  served share of its need to the power ``theta``; it pays its burn and its compute;
* it leaves when its runway is used up (Hopenhayn 1992: exit at zero value of staying).

Weights make 2,000 rows and a million stand for the same number of firms.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from abm.model import Model

ACCOUNT = "startups"


class Startups:
    """All firms; ``groups`` are the stakeholders that stand in front of slices of them."""

    def __init__(self, model: Model, groups: list[str]):
        self.model = model
        self.groups = groups
        p, cast = model.parameters, model.world
        firms = np.array([cast.trait(who, "firms") for who in groups]) if groups else np.zeros(0)
        rows = round(p["startup_rows"]) if groups else 0
        per = np.maximum(np.round(rows * firms / firms.sum()).astype(int), 1) if groups else np.zeros(0, int)
        self.weight_of = firms / per if groups else firms
        slots = np.ceil(per * 3.0).astype(int)
        self.first = np.concatenate([[0], np.cumsum(slots)]).astype(int)
        n = int(self.first[-1])
        self.need = np.zeros(n)
        self.quality = np.zeros(n)
        self.runway = np.zeros(n)
        self.burn = np.zeros(n)
        self.weight = np.zeros(n)
        self.alive = np.zeros(n, bool)
        self.born = np.zeros(len(groups), np.int64)
        self.carry = np.zeros(len(groups))
        self.margin = [[0.0] for _ in groups]
        self.capital_in = 0.0
        self.bought = np.zeros(n)
        self.vouchers = np.zeros(n)
        self.planned = np.zeros(n)
        self.purse = np.zeros(n)
        for g in range(len(groups)):
            self._found(g, int(per[g]), spread_runway=True)

    def __len__(self) -> int:
        return int(self.alive.sum())

    def slice_of(self, who: str) -> slice:
        g = self.groups.index(who)
        return slice(int(self.first[g]), int(self.first[g + 1]))

    def alive_of(self, who: str) -> float:
        part = self.slice_of(who)
        return float(self.weight[part][self.alive[part]].sum())

    def firms(self) -> float:
        """Firms alive (sum of weights)."""
        return float(self.weight[self.alive].sum())

    def outlook(self, who: str) -> float:
        """Mean margin over burn of the group in the last half year."""
        recent = self.margin[self.groups.index(who)][-6:]
        return sum(recent) / len(recent)

    def cash(self) -> float:
        """All runways together: the ledger's control account must equal this."""
        return float((self.weight * self.runway)[self.alive].sum())

    def _found(self, g: int, count: int, spread_runway: bool = False) -> None:
        """Put ``count`` new rows into free slots; their luck belongs to their birth ids."""
        part = slice(int(self.first[g]), int(self.first[g + 1]))
        free = np.flatnonzero(~self.alive[part])[:count] + part.start
        if not len(free):
            return
        who, luck = self.groups[g], self.model.luck
        trait = self.model.world.traits_of(who)
        births = np.arange(self.born[g], self.born[g] + len(free))
        self.born[g] += len(free)
        size = _lognormal(luck.uniforms("startup-size", who, births), trait["spread"])
        self.need[free] = trait["need_h100e"] * size
        self.burn[free] = trait["burn_month"] * size
        self.quality[free] = trait["quality"] * _lognormal(
            luck.uniforms("startup-quality", who, births), 0.35
        )
        part_used = luck.uniforms("startup-runway", who, births) if spread_runway else 1.0
        self.runway[free] = trait["runway"] * size * (0.3 + 0.7 * part_used)
        self.weight[free] = self.weight_of[g]
        self.alive[free] = True
        self.capital_in += float((self.weight[free] * self.runway[free]).sum())

    def take_capital(self) -> float:
        """Founders' capital since last asked, to be booked."""
        amount, self.capital_in = self.capital_in, 0.0
        return amount

    # -- a month -----------------------------------------------------------------------------
    def plan(
        self, last_price: float, reference: float, scale: float, elasticity: float, vouchers: float
    ) -> tuple[float, float]:
        """Plans at last month's price. Returns (coefficient, money): demand is ``coefficient (p/p0)^-e + money / p``.

        ``scale`` turns a need in H100-equivalents into hours of the month, growth included.
        """
        p = self.model.parameters
        want = np.where(self.alive, self.need * scale * (last_price / reference) ** -elasticity, 0.0)
        # A voucher hour is cheap, so firms would use more of them than of hours at the full price.
        cheaply = want * min(
            p["voucher_price_share"] ** -elasticity if p["voucher_price_share"] > 0.0 else math.inf, 3.0
        )
        total = float(self.weight @ cheaply)
        self.vouchers = np.where(
            self.alive, cheaply * (min(vouchers / total, 1.0) if total > 0.0 else 0.0), 0.0
        )
        rest = np.divide(
            np.maximum(want - self.vouchers, 0.0), want, out=np.zeros_like(want), where=want > 0.0
        )
        self.purse = np.where(self.alive, np.maximum(self.runway, 0.0) * p["startup_spend_share"], 0.0)
        self.by_need = want * rest * last_price <= self.purse
        self.planned = np.where(self.alive, self.need * scale * rest, 0.0)
        coefficient = float(self.weight @ np.where(self.by_need, self.planned, 0.0))
        money = float(self.weight @ np.where(self.by_need, 0.0, self.purse))
        return coefficient, money

    def planned_vouchers(self) -> float:
        """Voucher hours that firms will take this month."""
        return float(self.weight @ self.vouchers)

    def settle(
        self,
        price: float,
        reference: float,
        world_price: float,
        scale: float,
        elasticity: float,
        voucher_price: float,
    ) -> dict[str, float]:
        """Buy at ``price``, earn, pay, leave. Returns weighted totals (hours and currency) and needs."""
        p = self.model.parameters
        spot = np.where(self.by_need, self.planned * (price / reference) ** -elasticity, self.purse / price)
        spot = np.where(self.alive, spot, 0.0)
        need = np.where(self.alive, self.need * scale * (world_price / reference) ** -elasticity, 0.0)
        got = spot + self.vouchers
        served = np.divide(got, need, out=np.zeros_like(got), where=need > 0.0)
        paid = spot * price + self.vouchers * voucher_price
        full = self.burn + need * world_price
        earned = self.quality * p["startup_break_even"] * full * np.minimum(served, 1.5) ** p["startup_theta"]
        earned = np.where(self.alive, earned, 0.0)
        burn = np.where(self.alive, self.burn, 0.0)
        self.runway += np.where(self.alive, earned - paid - burn, 0.0)
        self.bought = spot
        for g in range(len(self.groups)):
            part = slice(int(self.first[g]), int(self.first[g + 1]))
            base = float((self.weight[part] * burn[part]).sum())
            gain = float((self.weight[part] * (earned - paid - burn)[part]).sum())
            self.margin[g].append(gain / base if base > 0.0 else 0.0)
        totals = {
            "spot_hours": float(self.weight @ spot),
            "voucher_hours": float(self.weight @ np.where(self.alive, self.vouchers, 0.0)),
            "need_hours": float(self.weight @ need),
            "spot_paid": float(self.weight @ (spot * price)),
            "voucher_paid": float(self.weight @ np.where(self.alive, self.vouchers * voucher_price, 0.0)),
            "earned": float(self.weight @ earned),
            "burn": float(self.weight @ burn),
        }
        gone = self.alive & (self.runway < 0.0)
        totals["defaulted"] = float(-(self.weight * self.runway)[gone].sum())
        totals["exits"] = float(self.weight[gone].sum())
        self.alive &= ~gone
        self.runway[gone] = 0.0
        return totals

    def enter(self, who: str, firms: float) -> float:
        """Let ``firms`` (a weight, fractions carried over) enter the group; returns what entered."""
        g = self.groups.index(who)
        self.carry[g] += firms / self.weight_of[g]
        count = math.floor(self.carry[g])
        self.carry[g] -= count
        before = int(self.born[g])
        if count:
            self._found(g, count)
        return float((int(self.born[g]) - before) * self.weight_of[g])


def _lognormal(uniform: np.ndarray, sigma: float) -> np.ndarray:
    """Lognormal of mean one by inversion of the normal distribution."""
    from statistics import NormalDist

    quantile = NormalDist().inv_cdf
    normal = np.array([quantile(min(max(u, 1e-12), 1 - 1e-12)) for u in np.atleast_1d(uniform)])
    return np.asarray(np.exp(sigma * normal - 0.5 * sigma * sigma))
