"""Transfers that come back every month: their lines in the ledger's journal, asked for once a run.

Shapes: O owners of sites, I investors (owners are the first of them), T technologies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.core.sites import settle

if TYPE_CHECKING:
    from abm.model import Model


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
        self.sites = np.concatenate([flows.ravel(), np.array(dividends, np.int64)])
        """(O * FLOWS + O * I,) what running sites pay: flows as :mod:`abm.core.sites.settle` has them, dividends."""
        self.capitalised = np.array(
            [
                [
                    line(owner, "lenders", "money", "capitalised interest"),
                    line("lenders", owner, "money", "interest"),
                    line("lenders", owner, "debt", "capitalised interest"),
                ]
                for owner in owners
            ],
            np.int64,
        ).ravel()
        """(O * 3,) interest that is lent on top."""
        edges = [supply.edge(utility, owner, "power") for owner in owners]
        self.powered = np.array([o for o, edge in enumerate(edges) if edge is not None], np.int64)
        self.power_edge = np.array([edge for edge in edges if edge is not None], np.int64)
        """Owners whose power travels over an edge of the supply graph, and that edge."""
