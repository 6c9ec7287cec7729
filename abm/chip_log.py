"""The allocation log of accelerators: who asked, who got less, and what stood in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.core.allocate import BOUNDS, Flows
from abm.core.sites.chips import SHORT
from abm.decisions import Intent

if TYPE_CHECKING:
    from abm.chip_graph import ChipGraph
    from abm.model import Model

TIE = 1e-9
"""Relative difference below which capacity and memory bind alike."""

AGAIN = 12
"""Months after which a site is told again why it gets too little."""


class AllocationLog:
    """Writes into the model's decision log, for each site when its reason changes or once a year."""

    def __init__(self, model: Model, graph: ChipGraph):
        self.model, self.graph = model, graph
        shape = (len(graph.makers), graph.sites)
        self._said_month = np.full(shape, -1000, np.int64)
        self._said = np.full(shape, -1, np.int64)
        self._memory_hit: dict[int, tuple[int, str]] = {}
        """By maker: last month in which memory that a shock held back is missed, and whose."""
        self.turned_away: dict[str, float] = {}
        """By maker: orders of this month that its capacity could not make."""

    def memory_held_back(self, maker: int, until: int, memory: str) -> None:
        """A shock to ``memory`` leaves a chip maker short until the month ``until``."""
        before = self._memory_hit.get(maker, (0, ""))[0]
        self._memory_hit[maker] = (max(until, before), memory)

    def reason(self, month: int, column: int, flows: Flows) -> str:
        """What kept the home country from getting all it asked for of a maker; "" where it got all."""
        graph = self.graph
        bound = BOUNDS[flows.bound[graph.to_desk[column]]]
        if bound == "":
            return ""
        if bound == "group limit":
            return "export licence"
        if bound == "node shock":
            return f"shock at {graph.makers[column]}"
        if bound == "input" and not self._at_capacity(column, flows):
            until, who = self._memory_hit.get(column, (-1, ""))
            return f"memory (shock at {who})" if month <= until else "memory"
        if graph.leads_world[column]:
            return "world allocation"
        return "capacity" if graph.good[column] == "npu" else "output"

    def _at_capacity(self, column: int, flows: Flows) -> bool:
        """Makers order the memory that their plan uses, so that both limits meet; then it is capacity that binds."""
        node = self.graph.maker[column]
        return bool(flows.made[node] >= self.graph.network.capacity[node] * (1.0 - TIE))

    def write(
        self,
        month: int,
        flows: Flows,
        asked: list[float],
        granted: list[float],
        short: list[int],
        supply_edge: np.ndarray,
    ) -> None:
        """Note the month's shortfalls.

        ``asked`` and ``granted``: by maker, to all sites together; ``short``: edges to sites that got too little,
        in the order of the makers; ``supply_edge``: (makers, sites) edges of the supply graph, -1: none.
        """
        graph, sites = self.graph, self.graph.sites
        self.turned_away = {}
        if not short:
            return
        for c, maker in enumerate(graph.makers):
            wanted, got = asked[c], granted[c]
            if got >= wanted - SHORT:
                continue
            national = self.reason(month, c, flows)
            if national == "capacity":
                self.turned_away[maker] = wanted - got
            unit = "NPU" if graph.good[c] == "npu" else "GPU"
            values = {
                "asked": wanted,
                "made": float(flows.made[graph.maker[c]]),
                "for_home": float(flows.granted[graph.to_desk[c]]),
            }
            intent = Intent(maker, "ration", graph.good[c], wanted, unit, values)
            self.model.decisions.repeat(month, intent, got, national or "edge capacity", every=6)
            for k in short:
                if k // sites == c:
                    reached = bool(supply_edge[c, k % sites] >= 0)
                    self._tell(month, c, k, flows, national, values, reached)

    def _tell(
        self, month: int, c: int, k: int, flows: Flows, national: str, values: dict[str, float], reached: bool
    ) -> None:
        """One site's shortfall."""
        graph, e = self.graph, self.graph.first_site + k
        row, code, maker = k - c * graph.sites, int(flows.bound[e]), graph.makers[c]
        if code == self._said[c, row] and month - self._said_month[c, row] < AGAIN:
            return
        self._said[c, row], self._said_month[c, row] = code, month
        bound = {
            "edge capacity": "edge capacity",
            "edge shock": f"shock on the way from {maker}",
            "rule": f"rule of {maker}",
        }.get(BOUNDS[code], national)
        unit = "NPU" if graph.good[c] == "npu" else "GPU"
        figures = {"asked_by_all": values["asked"], "for_home": values["for_home"]}
        self.model.decisions.note(
            month,
            Intent(maker, "allocate", self.model.state.sites.key[row], float(flows.asked[e]), unit, figures),
            float(flows.granted[e]),
            (bound or "no supplier") if reached else "no supplier",
        )
