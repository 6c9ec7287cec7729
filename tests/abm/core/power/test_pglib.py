"""Published grids: dropping the voltage law relaxes the DC power flow, so no published DC cost is lower.

Data: PGLib-OPF v23.07, CC BY 4.0 (see `pglib.json`). Where no loop flow binds both costs agree.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from abm.core.power import PowerCase, dispatch
from abm.core.power.backends import Backend
from tests.abm.core.power.cases import assert_proved

GRIDS: dict[str, Any] = json.loads(Path(__file__).with_name("pglib.json").read_text())["cases"]
TIGHT = {"case14_ieee", "case57_ieee", "case60_c"}
PRINTED = 5e-5  # the table has five digits


def case_of(grid: dict[str, Any]) -> tuple[PowerCase, float]:
    """The grid as one hour, and what its least outputs and standing costs amount to."""
    demand = np.array(grid["bus"], dtype=float)
    segments: list[list[tuple[float, float]]] = [[] for _ in demand]
    fixed = 0.0
    for bus, least, most, cost, standing in grid["generator"]:
        demand[bus] -= least
        fixed += standing + least * cost
        segments[bus].append((most - least, cost))
    widest = max(len(curve) for curve in segments)
    capacity = np.zeros((demand.size, widest, 1))
    price = np.zeros((demand.size, widest))
    for bus, curve in enumerate(segments):
        for k, (room, cost) in enumerate(curve):
            capacity[bus, k, 0], price[bus, k] = room, cost
    start, end, rating = np.array(grid["branch"], dtype=float).T
    limit = np.where(rating > 0.0, rating, np.inf)
    case = PowerCase(
        demand_mw=demand[:, None],
        capacity_mw=capacity,
        cost=price,
        line_from=start.astype(int),
        line_to=end.astype(int),
        line_forward_mw=limit,
        line_backward_mw=limit,
    )
    return case, fixed


@pytest.mark.parametrize("backend", ["simplex", "highs"])
@pytest.mark.parametrize("name", sorted(GRIDS))
def test_no_published_cost_is_lower(name: str, backend: Backend) -> None:
    case, fixed = case_of(GRIDS[name])
    result = dispatch(case, backend=backend)
    assert_proved(case, result)
    assert result.fallbacks == 0
    published = GRIDS[name]["dc_cost"]
    assert result.objective + fixed <= published * (1.0 + PRINTED)
    if name in TIGHT:
        assert result.objective + fixed == pytest.approx(published, rel=PRINTED)
