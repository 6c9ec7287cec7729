"""A population of startups and small firms in columns; each row stands for ``weight`` firms.

A firm's rule, month by month (compiled in :mod:`abm.core.population`):

* it takes vouchers first; if it has no contract, it reserves its base load for a year where the price
  offered is no more than it expects to pay on the spot market and its purse pays for it;
* on the spot market it wants ``need (p/p0)^-e`` hours less those it has, or what its purse (a share of its
  runway and its credit) pays for, whichever is less;
* it earns its quality times what a fully served firm of its size earns, times the served share of its
  need to the power ``theta``; all earn less the more activity crowds their market;
* what it gains lets it grow, what it lacks it borrows against its earnings, what it has beyond a
  runway of some months it pays out, and its quality changes every year;
* it leaves when its runway and its credit are used up (Hopenhayn 1992).

Weights make 2,000 rows and a million stand for the same number of firms. Rows are kept without gaps in
the order of birth, and their tables grow when they are full, so no entrant is ever turned away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from abm.core import population as core
from abm.core.population import columns as at

if TYPE_CHECKING:
    from abm.model import Model

ACCOUNT = "startups"
LENDERS = "startup lenders"
OUTLOOK_MONTHS = 6
"""Founders look at what a firm of their kind would have made in these last months."""

TRAITS = ("need_h100e", "spread", "runway", "burn_month", "quality")
"""In the order of the kinds' columns of :mod:`abm.core.population.columns`."""

PROCESSES = ("startup-size", "startup-quality", "startup-runway", "startup-prudence")

RATIOS = np.concatenate([np.linspace(0.0, 3.0, 61), np.linspace(3.5, 12.0, 18)])
"""Earnings over cost at which the worth of entry is tabulated; it is a straight line beyond."""


@cache
def entry_worth(spread: float, persistence: float, discount: float) -> np.ndarray:
    """Expected worth of entering at each of ``RATIOS``, in years of cost."""
    worth = np.empty(len(RATIOS))
    core.worth_of_entry(RATIOS, spread, persistence, discount, worth)
    worth.setflags(write=False)
    return worth


class Startups:
    """All firms; ``groups`` are the stakeholders that stand in front of them, by zone and kind."""

    def __init__(self, model: Model, groups: list[str]):
        self.model = model
        self.groups = groups
        p, world, luck = model.parameters, model.world, model.luck
        traits = [world.traits_of(who) for who in groups]
        self.kind = np.array([[trait[name] for name in TRAITS] for trait in traits]).reshape(-1, at.KINDS)
        firms = np.array([trait["firms"] for trait in traits], float)
        rows = round(p["startup_rows"]) if groups else 0
        per = np.maximum(np.round(rows * firms / firms.sum()), 1.0) if groups else firms
        self.weight_of = firms / per
        """Firms that a row of each group stands for."""
        self._least_weight = min(self.weight_of.tolist(), default=1.0)
        self.keys = np.array(
            [[luck.key(process, who) for who in groups] for process in PROCESSES], np.uint64
        ).reshape(at.LUCKS, len(groups), 2)
        self._row = {who: g for g, who in enumerate(groups)}
        self.count = 0
        """Rows in use: all of them are alive."""
        self.firm = np.zeros((at.FLOATS, int(per.sum())))
        self.tag = np.zeros((at.TAGS, int(per.sum())), np.int64)
        self.born = np.zeros(len(groups), np.int64)
        """Rows ever born, by group: the next birth's number."""
        self.carry = np.zeros(len(groups))
        self.rows = np.zeros(len(groups), np.int64)
        """Rows alive, by group."""
        self._count_living()
        self.usual_wages = float(firms @ self.kind[:, at.KIND_BURN])
        self.crowding = 1.0
        """Earnings over what they were at the start, as supply and demand in firms' own market moved them."""
        self.capital_in = 0.0
        self.edges: tuple[np.ndarray, np.ndarray] | None = None
        """Edges of the supply graph that bring hours to groups, and whose they are; the market finds them."""
        self.ratios = p["startup_break_even"] * self.kind[:, at.KIND_QUALITY][None]
        """(months, groups) earnings over cost of an average entrant of each group, in the last months."""
        self._worth: list[float] | None = None
        for g in range(len(groups)):
            self._found(g, int(per[g]), -1, p["startup_first_runway"])

    # -- what others ask -----------------------------------------------------------------------
    def __len__(self) -> int:
        return self.count

    def alive_of(self, who: str) -> float:
        """Firms of a group that are alive (sum of weights)."""
        return self._living[self._row[who]]

    def firms(self) -> float:
        """Firms alive (sum of weights)."""
        return math.fsum(self._living)

    def column(self, number: int) -> np.ndarray:
        """One column of the living rows, by its number in :mod:`abm.core.population.columns`; a view."""
        return self.firm[number, : self.count]

    @property
    def weight(self) -> np.ndarray:
        """(rows,) firms that each row stands for."""
        return self.column(at.WEIGHT)

    def cash(self) -> float:
        """All runways together, from the rows."""
        return self.stocks()[0]

    def debt(self) -> float:
        """All debt together, from the rows."""
        return self.stocks()[1]

    def stocks(self) -> tuple[float, float]:
        """Cash and debt of all firms, from the rows: the ledger's control accounts must equal them."""
        held = np.zeros(2)
        core.stocks(self.firm, self.count, held)
        return float(held[0]), float(held[1])

    def ratio(self, who: str) -> float:
        """Earnings over cost of an average entrant, mean of the last half year."""
        return float(self.ratios[:, self._row[who]].mean())

    def worth(self, who: str) -> float:
        """What founders of a group can expect of a new firm, in years of its cost (see ``worth_of_entry``)."""
        if self._worth is None:
            p, worth = self.model.parameters, np.empty(len(self.groups))
            table = entry_worth(
                p["startup_quality_spread"], p["startup_quality_persistence"], p["startup_discount"]
            )
            core.worth_at(self.ratios, RATIOS, table, worth)
            self._worth = worth.tolist()
        return self._worth[self._row[who]]

    def _count_living(self) -> None:
        self.living = self.rows * self.weight_of
        """Firms alive, by group."""
        self._living: list[float] = self.living.tolist()

    # -- births --------------------------------------------------------------------------------
    def _found(self, g: int, count: int, month: int, runway_least: float) -> None:
        """Add ``count`` rows; their luck belongs to their birth ids."""
        self._make_room(count)
        cash = core.found(
            self.firm, self.tag, self.count, count, g, float(self.weight_of[g]), int(self.born[g]), month,
            self.kind, self.keys, self.model.parameters["startup_quality_spread"], runway_least,
        )  # fmt: skip
        self.count += count
        self.born[g] += count
        self.rows[g] += count
        self._count_living()
        self.capital_in += cash * float(self.weight_of[g])

    def _make_room(self, count: int) -> None:
        """Let the tables grow where ``count`` rows more would not find room."""
        size = self.firm.shape[1]
        if self.count + count > size:
            more = max(size // 2, self.count + count - size)
            self.firm = np.concatenate([self.firm, np.zeros((at.FLOATS, more))], axis=1)
            self.tag = np.concatenate([self.tag, np.zeros((at.TAGS, more), np.int64)], axis=1)

    def enter(self, firms: Mapping[str, float]) -> float:
        """Let firms (weights, fractions carried over) enter their groups; returns what entered."""
        if not firms:
            return 0.0
        group = np.array([self._row[who] for who in firms], np.int64)
        wished, came = np.array(list(firms.values()), float), np.empty(2)
        self._make_room(math.ceil(sum(firms.values()) / self._least_weight) + len(group))
        self.count = core.enter(
            self.firm, self.tag, self.count, group, wished, self.model.month, self.weight_of, self.kind, self.keys,
            self.model.parameters["startup_quality_spread"], self.born, self.carry, self.rows, came,
        )  # fmt: skip
        self._count_living()
        entered, cash = came.tolist()
        self.capital_in += cash
        return entered

    def take_capital(self) -> float:
        """Founders' capital since last asked, to be booked."""
        amount, self.capital_in = self.capital_in, 0.0
        return amount

    # -- a month -------------------------------------------------------------------------------
    def plan(
        self, month: int, machines: float, offered: float, expected: float, hours: float, market_size: float
    ) -> np.ndarray:
        """What firms plan before the market opens (see ``core.plan``), and how crowded their own market is.

        ``machines`` are those that an H100-equivalent of need would rent, ``offered`` the price of a
        contract, ``expected`` the mean spot price over its term without prudence, ``hours`` those of a
        machine this month, ``market_size`` demand for what firms sell over that at the start.
        """
        p, plans = self.model.parameters, np.zeros(at.PLANS)
        core.plan(
            self.firm, self.tag, self.count, month, machines, p["startup_base_share"],
            p["startup_prudence"], expected, offered, p["startup_spend_share"], p["startup_credit_months"], hours,
            plans,
        )  # fmt: skip
        if self.usual_wages > 0.0:
            activity = max(float(plans[at.ACTIVITY]) / self.usual_wages, SPARSEST)
            self.crowding = (market_size / activity) ** (1.0 / p["startup_market_elasticity"])
        return plans

    def sign(self, month: int, granted: float, offered: float, terms: core.Month) -> None:
        """Sign the share ``granted`` of the contracts wished; states each firm's demand on the spot market."""
        term = int(self.model.parameters["startup_contract_months"])
        core.sign(self.firm, self.tag, self.count, month, term, granted, offered, np.array(terms))

    def settle(self, month: int, terms: core.Month) -> dict[str, float]:
        """Buy at the terms' price, earn, pay, grow, leave. Returns weighted totals (hours, currency, firms)."""
        lift, bill, totals = np.empty(self.count), np.empty(self.count), np.empty(at.TOTALS)
        ratios = np.empty(len(self.groups))
        row = np.array(terms)
        core.buy(self.firm, self.count, self.kind, row, lift, bill, ratios, totals)
        # NumPy's power takes a vector at a time, and compiled loops one number.
        np.power(lift, terms.theta, out=lift)
        self.count = core.settle(
            self.firm, self.tag, self.count, month, self.kind, self.keys, row, lift, bill, self.rows, totals
        )
        self._count_living()
        self.ratios = np.concatenate([self.ratios[1 - OUTLOOK_MONTHS :], ratios[None]])
        self._worth = None
        found = totals.tolist()
        return {name: found[place] for name, place in NAMES.items()}


BOOKS = (
    ((ACCOUNT, "industry", "money", "startup revenue"), "earned"),
    (("households", ACCOUNT, "money", "startup wages"), "burn"),
    ((LENDERS, ACCOUNT, "money", "startup interest"), "interest"),
    ((ACCOUNT, LENDERS, "money", "startup loans"), "borrowed"),
    ((LENDERS, ACCOUNT, "debt", "startup loans"), "borrowed"),
    ((LENDERS, ACCOUNT, "money", "startup repayment"), "repaid"),
    ((ACCOUNT, LENDERS, "debt", "startup repayment"), "repaid"),
    (("savings", ACCOUNT, "money", "startup dividends"), "dividends"),
    ((ACCOUNT, "households", "money", "startup defaults"), "defaulted"),
    ((ACCOUNT, LENDERS, "debt", "startup defaults"), "written_off"),
)
"""What a month of firms is in the ledger: who receives, who gives, asset and cause, and the month's total that it is."""

SPARSEST = 1e-3
"""Activity over that of the start below which a market does not grow less crowded."""

NAMES = {
    "spot_hours": at.SPOT_HOURS,
    "voucher_hours": at.VOUCHER_HOURS,
    "contract_hours": at.CONTRACT_HOURS,
    "need_hours": at.NEED_HOURS,
    "spot_paid": at.SPOT_PAID,
    "voucher_paid": at.VOUCHER_PAID,
    "contract_paid": at.CONTRACT_PAID,
    "earned": at.EARNED,
    "burn": at.WAGES,
    "interest": at.INTEREST,
    "borrowed": at.BORROWED,
    "repaid": at.REPAID,
    "dividends": at.DIVIDENDS,
    "defaulted": at.DEFAULTED,
    "written_off": at.WRITTEN_OFF,
    "exits": at.EXITS,
}
