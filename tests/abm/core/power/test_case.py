"""What a case accepts, and how it refuses."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from abm.core.power import InfeasibleCaseError, PowerCase


def fields(**changes: Any) -> dict[str, Any]:
    """Two zones, two hours, one of everything."""
    given: dict[str, Any] = dict(
        demand_mw=[[5.0, 6.0], [7.0, 8.0]],
        capacity_mw=[[[4.0, 4.0]], [[9.0, 9.0]]],
        cost=[[10.0], [20.0]],
        line_from=[0],
        line_to=[1],
        line_forward_mw=[3.0],
        line_backward_mw=[3.0],
        store_zone=[1],
        charge_mw=[1.0],
        discharge_mw=[1.0],
        store_mwh=[2.0],
        charge_efficiency=[0.9],
        discharge_efficiency=[0.9],
        flexible_zone=[0],
        flexible_mw=[[1.0, 1.0]],
        flexible_mwh=[1.0],
        shed_mw=[[[5.0, 6.0]], [[7.0, 8.0]]],
        shed_cost=[1000.0],
        unserved_flexible_cost=50.0,
    )
    given.update(changes)
    return given


def test_arrays_are_contiguous_floats() -> None:
    case = PowerCase(**fields(demand_mw=np.asfortranarray([[5, 6], [7, 8]], dtype=np.int32)))
    assert case.demand_mw.dtype == np.float64
    assert case.demand_mw.flags.c_contiguous
    assert case.line_from.dtype == np.int64
    assert case.shape == (2, 1, 2, 1, 1, 1, 1)


def test_axes_not_given_are_empty() -> None:
    case = PowerCase(demand_mw=[[1.0]], capacity_mw=[[[2.0]]], cost=[[3.0]])
    assert case.shape == (1, 1, 1, 0, 0, 0, 0)
    assert case.flexible_mw.shape == (0, 1)
    assert case.shed_mw.shape == (1, 0, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"demand_mw": [1.0, 2.0]}, r"demand_mw has shape \(2,\): give 2 dimensions"),
        ({"demand_mw": np.empty((0, 3))}, r"demand_mw has shape \(0, 3\): give one zone"),
        ({"demand_mw": None}, "demand_mw is missing"),
        ({"demand_mw": [["a", "b"]]}, "demand_mw is no array of numbers"),
        ({"demand_mw": [[5.0, np.nan], [7.0, 8.0]]}, r"demand_mw\[0, 1\] is nan"),
        (
            {"capacity_mw": np.ones((2, 1, 3))},
            r"capacity_mw has shape \(2, 1, 3\): give \(2, 1, 2\)",
        ),
        ({"capacity_mw": [[[4.0, -4.0]], [[9.0, 9.0]]]}, r"capacity_mw\[0, 0, 1\] is -4"),
        ({"capacity_mw": [[[4.0, np.inf]], [[9.0, 9.0]]]}, r"capacity_mw\[0, 0, 1\] is inf"),
        ({"cost": np.ones((2, 2))}, r"cost has shape \(2, 2\): give \(2, 1\) or \(2, 1, 2\)"),
        ({"cost": [[np.nan], [1.0]]}, r"cost\[0, 0\] is nan"),
        ({"cost": [[np.inf], [-np.inf]]}, r"cost\[0, 0\] is inf"),
        ({"line_to": [0]}, r"line_to\[0\] equals line_from\[0\]"),
        ({"line_to": [2]}, r"line_to\[0\] is zone 2, but there are 2 zones"),
        ({"line_to": [0, 1]}, r"line_to has shape \(2,\)"),
        ({"line_from": [0.0]}, "line_from has dtype float64"),
        ({"line_to": None}, "line_to is missing"),
        ({"line_forward_mw": None}, "line_forward_mw is missing"),
        ({"line_forward_mw": [[1.0, 2.0, 3.0]]}, r"line_forward_mw has shape \(1, 3\)"),
        ({"line_backward_mw": [[1.0, -2.0]]}, r"line_backward_mw\[0, 1\] is -2"),
        ({"line_backward_mw": [np.nan]}, r"line_backward_mw\[0\] is nan"),
        ({"store_zone": [-1]}, r"store_zone\[0\] is zone -1"),
        ({"charge_mw": [-1.0]}, r"charge_mw\[0\] is -1"),
        ({"charge_mw": [1.0, 1.0]}, r"charge_mw has shape \(2,\): give \(1,\)"),
        ({"charge_efficiency": [0.0]}, r"charge_efficiency\[0\] is 0"),
        ({"discharge_efficiency": [1.01]}, r"discharge_efficiency\[0\] is 1.01"),
        ({"discharge_efficiency": [np.nan]}, r"discharge_efficiency\[0\] is nan"),
        ({"flexible_mw": [[1.0]]}, r"flexible_mw has shape \(1, 1\)"),
        ({"flexible_mwh": [-1.0]}, r"flexible_mwh\[0\] is -1"),
        ({"unserved_flexible_cost": None}, "unserved_flexible_cost is missing"),
        ({"unserved_flexible_cost": np.inf}, "unserved_flexible_cost is inf"),
        ({"shed_mw": np.ones((2, 2, 2))}, r"shed_mw has shape \(2, 2, 2\)"),
        ({"shed_cost": [np.nan]}, r"shed_cost\[0\] is nan"),
    ],
)
def test_refusals_name_field_index_and_remedy(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PowerCase(**fields(**changes))


def test_demand_beyond_all_help_is_refused() -> None:
    shed = np.zeros((2, 1, 2))
    with pytest.raises(InfeasibleCaseError, match=r"demand_mw\[1, 0\] is 99.0 MW, above the 13.0 MW"):
        PowerCase(**fields(shed_mw=shed, demand_mw=[[5.0, 6.0], [99.0, 8.0]]))


def test_energy_that_nobody_can_take_is_refused() -> None:
    with pytest.raises(InfeasibleCaseError, match=r"demand_mw\[0, 1\] is -9.0 MW, more than"):
        PowerCase(**fields(demand_mw=[[5.0, -9.0], [7.0, 8.0]]))


def test_replaced_figures_are_checked_and_the_rest_is_shared() -> None:
    case = PowerCase(**fields())
    other = case.replace(demand_mw=case.demand_mw + 1.0, cost=np.ones(case.capacity_mw.shape))
    assert other.store_mwh is case.store_mwh
    assert (other.demand_mw == case.demand_mw + 1.0).all()
    assert other.cost.shape == case.capacity_mw.shape
    assert other.replace(cost=case.cost).cost.shape == case.cost.shape
    built = PowerCase(**fields(demand_mw=case.demand_mw + 1.0))
    again = case.replace(demand_mw=built.demand_mw)
    assert all(np.array_equal(value, again.__dict__[name]) for name, value in built.__dict__.items())
    moved = case.replace(store_zone=1 - case.store_zone)
    assert (moved.store_zone == 1 - case.store_zone).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"demand_mw": [[np.nan, 1.0], [1.0, 1.0]]}, r"demand_mw\[0, 0\] is nan: give a finite number"),
        ({"demand_mw": [[1.0, 1.0]]}, r"demand_mw has shape \(1, 2\): give \(2, 2\)"),
        ({"demand_mw": None}, "demand_mw is missing"),
        ({"demand_mw": [[9e9, 1.0], [1.0, 1.0]], "shed_mw": np.zeros((2, 1, 2))}, r"demand_mw\[0, 0\] is 9"),
        ({"charge_efficiency": [1.5]}, r"charge_efficiency\[0\] is 1.5: give more than 0"),
        ({"charge_mw": [-1.0]}, r"charge_mw\[0\] is -1.0: give a finite number, 0 or more"),
        ({"line_forward_mw": [-1.0]}, r"line_forward_mw\[0\] is -1.0: give 0 or more"),
        ({"store_zone": [7]}, r"store_zone\[0\] is zone 7"),
    ],
)
def test_what_is_replaced_is_refused_like_what_is_given(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PowerCase(**fields()).replace(**changes)


def test_an_unknown_figure_cannot_be_replaced() -> None:
    with pytest.raises(TypeError, match="demand"):
        PowerCase(**fields()).replace(demand=1.0)


def test_import_is_cheap() -> None:
    code = (
        "import sys, numpy\n"
        "import abm.core.power\n"
        "heavy = {'numba', 'highspy', 'scipy', 'mesa', 'pandas'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
