"""Transfers that come back every month: their lines in the ledger's journal, asked for once a run.

Shapes: O owners of sites, I investors (owners are the first of them), T technologies, Z zones.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from abm.core.sites import draw, settle
from abm.population import ACCOUNT, BOOKS

if TYPE_CHECKING:
    from abm.ledger import Ledger
    from abm.model import Model
    from abm.phases.power import PowerMonth


GENERATORS = ("nuclear", "renewable", "thermal")
"""Groups of generators whose margins are kept apart."""

BUYERS = {"industry": "industry", "research": "treasury", "startups": ACCOUNT, "abroad": "world"}
"""Who buys compute on the spot market, and who pays for it; those abroad, who import nothing, come last."""

POOL = "compute revenue"
COMPUTE = (
    *((POOL, who, "money", "compute") for who in BUYERS.values()),
    *(("world", who, "money", "imported compute") for who in BUYERS.values() if who != "world"),
    (POOL, "industry", "money", "own compute"),
    (POOL, "industry", "money", "reserved compute"),
    (POOL, ACCOUNT, "money", "reserved compute"),
    (POOL, ACCOUNT, "money", "vouchers"),
    (POOL, "treasury", "money", "hosting of state machines"),
    ("treasury", POOL, "money", "hours of state machines"),
)
"""Who receives, who gives, asset and cause of what is paid for compute."""


class Transfers:
    """Numbers of journal lines and of edges of the supply graph; -1 where nothing is to be booked."""

    def __init__(self, model: Model):
        lines, supply = model.ledger.lines, model.supply
        utility, names = model.utility_account, model.investor_names
        owners = names[: len(model.owner_rows)]

        def each(asset: str, cause: str, receives: str = "", gives: str = "") -> list[int]:
            """A line for each owner; the account that is not named is the owner's."""
            return lines([(receives or owner, gives or owner) for owner in owners], asset, cause)

        flows = np.full((len(owners), settle.FLOWS), -1, np.int64)
        flows[:, settle.EARNED] = each("money", "compute", gives=POOL)
        flows[:, settle.POWER] = each("money", "power of sites", receives=utility)
        flows[:, settle.DIRECT] = each("money", "direct purchase", receives=model.direct_seller)
        flows[:, settle.OPERATION] = each("money", "operation", receives="households")
        flows[:, settle.DEBT_SERVICE] = each("money", "debt service", receives="lenders")
        flows[:, settle.ARREARS] = each("debt", "arrears", receives="lenders")
        flows[:, settle.REPAYMENT] = each("debt", "repayment", gives="lenders")
        flows[:, settle.TAX] = each("money", "profit tax", receives="treasury")
        # What an owner has in its own sites moves no money.
        apart = np.array([who != owner for owner in owners for who in names], bool)
        apart = apart.reshape(len(owners), len(names))
        others = [(owner, who) for owner in owners for who in names if who != owner]
        dividends, paid_in = np.full((2, *apart.shape), -1, np.int64)
        dividends[apart] = lines([(who, owner) for owner, who in others], "money", "dividend")
        paid_in[apart] = lines(others, "money", "equity")
        capitalised = np.array(
            [
                each("money", "capitalised interest", gives="lenders"),
                each("money", "interest", receives="lenders"),
                each("debt", "capitalised interest", receives="lenders"),
            ]
        ).T
        edge = np.full(flows.shape, -1, np.int64)
        edge[:, settle.ENERGY_MWH] = [_number(supply.edge(utility, owner, "power")) for owner in owners]
        self.powered = edge.ravel()
        """(O * FLOWS,) edges of the supply graph on which owners' energy comes."""
        self.payee = {who: i for i, who in enumerate(["builders", *model.makers])}
        """Who is paid for what is spent on sites, to place: builders, then chip makers."""
        self.delivered = np.array(
            [
                *lines([(f"gpus {owner}", "gpus in transit") for owner in owners], "gpu", "delivery"),
                *each("money", "chip deposit returned", gives="chip deposits"),
            ],
            np.int64,
        )
        """(2 * O,) accelerators that reach owners' sites, and the deposits that go back."""
        claims = lines([(who, f"equity of {owner}") for owner in owners for who in names], "equity", "equity")
        spent = lines([(who, owner) for owner in owners for who in self.payee], "money", "investment in sites")
        drawn = np.column_stack(
            [
                each("money", "support of sites", gives="treasury"),
                each("money", "loan", gives="lenders"),
                each("debt", "loan", receives="lenders"),
                paid_in,
                np.reshape(claims, apart.shape),
                np.reshape(spent, (len(owners), len(self.payee))),
            ]
        ).astype(np.int64)  # where there are no owners, lists tell no type
        self.drawn = drawn.ravel()
        """(O * (OTHERS + 2 I + P),) what is paid for sites, in :mod:`abm.core.sites.draw`'s order."""
        self.drawing = np.zeros(drawn.shape), np.zeros(draw.SUMS)
        """Room for what it comes to in a month."""
        self.support_of_refills = np.zeros(len(self.payee))
        """(P,) share of the price of later machines that the state pays; none of buildings."""
        edge = np.full(drawn.shape, -1, np.int64)
        for o, owner in enumerate(owners):
            edge[o, draw.LOAN] = _number(supply.edge(model.lender_account, owner, "debt"))
            for i, who in enumerate(names):
                edge[o, draw.OTHERS + i] = _number(supply.edge(who, owner, "capital"))
        self.drawn_edge = edge
        """(O, OTHERS + 2 I + P) the same, in edges of the supply graph."""
        sellers = [model.seller_of(i) for i in range(len(model.world.technologies))]
        generators = [
            *lines([(seller, utility) for seller, _ in sellers], "money", "power purchase"),
            *lines([("world", seller) for seller, _ in sellers], "money", "fuel"),
            *lines([("treasury", seller) for seller, _ in sellers], "money", "carbon price"),
        ]
        line = model.ledger.line
        of_utility = [
            line(utility, "households", "money", "power of others"),
            line("households", utility, "money", "utility operation"),
            line("builders", utility, "money", "grid investment"),
            line("lenders", utility, "money", "utility interest"),
            line(utility, "lenders", "money", "utility interest"),
            line(utility, "lenders", "money", "utility borrowing"),
            line("lenders", utility, "debt", "utility borrowing"),
            line("lenders", utility, "money", "utility repayment"),
            line(utility, "lenders", "debt", "utility repayment"),
        ]
        (
            self.money,
            (
                self.flows,
                self.dividends,
                self.capitalised,
                self.called,
                self.generators,
                self.compute,
                self.startups,
                self.of_utility,
            ),
        ) = _join(
            flows.ravel().tolist(),
            dividends.ravel().tolist(),
            capitalised.ravel().tolist(),
            [line("lenders", "treasury", "money", "guarantee call")],
            generators,
            [line(*key) for key in COMPUTE],
            [line(*key) for key, _ in BOOKS],
            of_utility,
        )
        """Lines of all that the money phase moves, and the places in them: what running sites pay (O * FLOWS, as
        :mod:`abm.core.sites.settle` has it), pay out (O * I), are lent on top (O * 3), call from guarantees; what the
        utility pays for energy and its sellers on (PARTS * T, as in :mod:`abm.core.books.generators`); what is paid
        for compute; what startups move; what else the utility does, in the order of :mod:`abm.phases.money`."""
        self.generator_group = np.array([GENERATORS.index(group) for _, group in sellers], np.int64)
        self.generator_edge = np.array(
            [_number(supply.edge(seller, utility, "power")) for seller, _ in sellers], np.int64
        )
        """(T,)"""
        buses, grid = model.power.buses, model.world.lines
        ends = [(buses[grid.from_zone[i]], buses[grid.to_zone[i]]) for i in model.power.lines]
        self._energy = np.array(
            [
                *lines([(bus, "generation") for bus in buses], "mwh", "generation"),
                *lines([("load", bus) for bus in buses], "mwh", "load"),
                *lines([("ai load", bus) for bus in buses], "mwh", "ai load"),
                *lines([("storage losses", bus) for bus in buses], "mwh", "storage losses"),
                *lines([(bus, "storage losses") for bus in buses], "mwh", "storage losses"),
                *lines([(second, first) for first, second in ends], "mwh", "line flow"),
                *lines(ends, "mwh", "line flow"),
            ],
            np.int64,
        )

    def book_energy(self, ledger: Ledger, found: PowerMonth) -> None:
        """Post a month's energy, zone by zone; what may go either way has a line for each."""
        losses, flow = found.losses, found.flow
        energy = np.concatenate([found.generated, found.load, found.ai_load, losses, -losses, flow, -flow])
        ledger.post_lines(self._energy, np.maximum(energy, 0.0))


def _join(*parts: list[int]) -> tuple[np.ndarray, list[slice]]:
    """All parts in one array, and where each of them is."""
    ends = list(accumulate(map(len, parts), initial=0))
    return np.array([one for part in parts for one in part], np.int64), list(map(slice, ends, ends[1:]))


def _number(edge: int | None) -> int:
    return -1 if edge is None else edge
