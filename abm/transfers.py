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
        line, supply = model.ledger.line, model.supply
        utility, names = model.utility_account, model.investor_names
        owners = names[: len(model.owner_rows)]
        flows = np.full((len(owners), settle.FLOWS), -1, np.int64)
        for owner, own in zip(owners, flows, strict=True):
            own[settle.EARNED] = line(owner, "compute revenue", "money", "compute")
            own[settle.POWER] = line(utility, owner, "money", "power of sites")
            own[settle.DIRECT] = line(model.direct_seller, owner, "money", "direct purchase")
            own[settle.OPERATION] = line("households", owner, "money", "operation")
            own[settle.DEBT_SERVICE] = line("lenders", owner, "money", "debt service")
            own[settle.ARREARS] = line("lenders", owner, "debt", "arrears")
            own[settle.REPAYMENT] = line(owner, "lenders", "debt", "repayment")
            own[settle.TAX] = line("treasury", owner, "money", "profit tax")
        dividends = [
            line(who, owner, "money", "dividend") if who != owner else -1 for owner in owners for who in names
        ]
        capitalised = [
            one
            for owner in owners
            for one in (
                line(owner, "lenders", "money", "capitalised interest"),
                line("lenders", owner, "money", "interest"),
                line("lenders", owner, "debt", "capitalised interest"),
            )
        ]
        edge = np.full(flows.shape, -1, np.int64)
        edge[:, settle.ENERGY_MWH] = [_number(supply.edge(utility, owner, "power")) for owner in owners]
        self.powered = edge.ravel()
        """(O * FLOWS,) edges of the supply graph on which owners' energy comes."""
        self.payee = {who: i for i, who in enumerate(["builders", *model.makers])}
        """Who is paid for what is spent on sites, to place: builders, then chip makers."""
        self.delivered = np.array(
            [
                *(line(f"gpus {owner}", "gpus in transit", "gpu", "delivery") for owner in owners),
                *(line(owner, "chip deposits", "money", "chip deposit returned") for owner in owners),
            ],
            np.int64,
        )
        """(2 * O,) accelerators that reach owners' sites, and the deposits that go back."""
        drawn = np.array(
            [
                [
                    line(owner, "treasury", "money", "support of sites"),
                    line(owner, "lenders", "money", "loan"),
                    line("lenders", owner, "debt", "loan"),
                    *(line(owner, who, "money", "equity") if who != owner else -1 for who in names),
                    *(line(who, f"equity of {owner}", "equity", "equity") for who in names),
                    *(line(who, owner, "money", "investment in sites") for who in self.payee),
                ]
                for owner in owners
            ],
            np.int64,
        )
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
            *(line(seller, utility, "money", "power purchase") for seller, _ in sellers),
            *(line("world", seller, "money", "fuel") for seller, _ in sellers),
            *(line("treasury", seller, "money", "carbon price") for seller, _ in sellers),
        ]
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
            dividends,
            capitalised,
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
        buses, lines = model.power.buses, model.world.lines
        ends = [(buses[lines.from_zone[i]], buses[lines.to_zone[i]]) for i in model.power.lines]
        self._energy = np.array(
            [
                *(line(bus, "generation", "mwh", "generation") for bus in buses),
                *(line("load", bus, "mwh", "load") for bus in buses),
                *(line("ai load", bus, "mwh", "ai load") for bus in buses),
                *(line("storage losses", bus, "mwh", "storage losses") for bus in buses),
                *(line(bus, "storage losses", "mwh", "storage losses") for bus in buses),
                *(line(second, first, "mwh", "line flow") for first, second in ends),
                *(line(first, second, "mwh", "line flow") for first, second in ends),
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
