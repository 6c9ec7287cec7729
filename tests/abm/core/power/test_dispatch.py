"""Each backend against an independent formulation, the certificate and exact limits."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.power import InfeasibleCaseError, PowerCase, dispatch, dispatch_many
from abm.core.power.backends import Backend
from abm.core.power.certificate import lower_bound
from tests.abm.core.power.cases import assert_proved, random_case, reference, scale

BACKENDS: list[Backend] = ["simplex", "highs", "highs-default"]

backends = pytest.mark.parametrize("backend", BACKENDS)
seeds = st.integers(0, 2**32 - 1)


def close(a: float, b: float, case: PowerCase) -> bool:
    return abs(a - b) <= 1e-9 * (scale(case) + abs(b))


@backends
@settings(max_examples=60, deadline=None)
@given(seed=seeds, degenerate=st.booleans())
def test_equals_an_independent_formulation(backend: Backend, seed: int, degenerate: bool) -> None:
    case = random_case(np.random.default_rng(seed), degenerate=degenerate)
    expected = reference(case)
    result = dispatch(case, backend=backend)
    assert expected.status == 0
    assert close(result.objective, expected.fun, case)
    assert_proved(case, result)


@backends
@pytest.mark.parametrize(
    "sizes",
    [
        {"zones": 1, "lines": 0, "stores": 0, "flexible": 0},
        {"zones": 1, "hours": 1},
        {"hours": 1, "stores": 3, "flexible": 2},
        {"zones": 3, "lines": 0},
        {"stores": 0},
        {"flexible": 0},
        {"segments": 0},
        {"zones": 2, "hours": 168, "segments": 3, "stores": 2},
        {"zones": 17, "hours": 4, "lines": 30},
    ],
    ids=str,
)
def test_empty_and_long_axes(backend: Backend, sizes: dict[str, int]) -> None:
    for seed in range(3):
        case = random_case(np.random.default_rng(seed), degenerate=seed == 1, **sizes)
        result = dispatch(case, backend=backend)
        assert_proved(case, result)
        if case.shape.hours <= 24:
            assert close(result.objective, reference(case).fun, case)


@backends
def test_one_node_by_hand(backend: Backend) -> None:
    """50 MW from segments of 30 MW at 10 and 30 MW at 20, nothing else."""
    case = PowerCase(demand_mw=[[50.0]], capacity_mw=[[[30.0], [30.0]]], cost=[[10.0, 20.0]])
    result = dispatch(case, backend=backend)
    assert result.objective == pytest.approx(700.0, rel=1e-12)
    assert result.lower_bound == pytest.approx(700.0, rel=1e-12)
    np.testing.assert_allclose(result.generation[0, :, 0], [30.0, 20.0])
    assert result.price[0, 0] == pytest.approx(20.0)


@backends
def test_shortage_cuts_the_cheapest_tier_first(backend: Backend) -> None:
    case = PowerCase(
        demand_mw=[[50.0]],
        capacity_mw=[[[10.0]]],
        cost=[[10.0]],
        shed_mw=[[[25.0], [50.0]]],
        shed_cost=[1000.0, 5000.0],
    )
    result = dispatch(case, backend=backend)
    np.testing.assert_allclose(result.shed[0, :, 0], [25.0, 15.0])
    assert result.price[0, 0] == pytest.approx(5000.0)


@backends
def test_a_store_carries_cheap_energy(backend: Backend) -> None:
    """10 MW bought at 1 gives 8.1 MW at a price of 100: two conversions of 0.9."""
    case = PowerCase(
        demand_mw=[[0.0, 10.0]],
        capacity_mw=[[[10.0, 0.0], [20.0, 20.0]]],
        cost=[[1.0, 100.0]],
        store_zone=[0],
        charge_mw=[100.0],
        discharge_mw=[100.0],
        store_mwh=[100.0],
        charge_efficiency=[0.9],
        discharge_efficiency=[0.9],
    )
    result = dispatch(case, backend=backend)
    assert result.objective == pytest.approx(10.0 + 100.0 * 1.9)
    np.testing.assert_allclose(result.discharge[0], [0.0, 8.1], atol=1e-9)


@backends
def test_flexible_load_takes_the_cheap_hours_and_the_rest_is_unserved(backend: Backend) -> None:
    case = PowerCase(
        demand_mw=[[0.0, 0.0, 0.0]],
        capacity_mw=[[[9.0, 9.0, 9.0]]],
        cost=[[[30.0, 10.0, 70.0]]],
        flexible_zone=[0],
        flexible_mw=[[5.0, 5.0, 5.0]],
        flexible_mwh=[12.0],
        unserved_flexible_cost=50.0,
    )
    result = dispatch(case, backend=backend)
    np.testing.assert_allclose(result.flexible[0], [5.0, 5.0, 0.0], atol=1e-9)
    assert result.unserved_flexible[0] == pytest.approx(2.0)
    assert result.objective == pytest.approx(5 * 30 + 5 * 10 + 2 * 50)


@backends
def test_infinite_lines_are_one_node(backend: Backend) -> None:
    rng = np.random.default_rng(5)
    case = random_case(
        rng,
        zones=3,
        segments=4,
        hours=6,
        stores=3,
        flexible=2,
        lines=2,
        line_from=[0, 1],
        line_to=[1, 2],
        line_forward_mw=[np.inf, np.inf],
        line_backward_mw=[np.inf, np.inf],
    )
    tiers, hours = case.shed_cost.size, 6
    cost = case.cost if case.cost.ndim == 3 else np.repeat(case.cost[:, :, None], hours, axis=2)
    merged = dataclasses.replace(
        case,
        demand_mw=case.demand_mw.sum(0, keepdims=True),
        capacity_mw=case.capacity_mw.reshape(1, -1, hours),
        cost=cost.reshape(1, -1, hours),
        line_from=np.empty(0, dtype=int),
        line_to=np.empty(0, dtype=int),
        line_forward_mw=np.empty(0),
        line_backward_mw=np.empty(0),
        store_zone=np.zeros(3, dtype=int),
        flexible_zone=np.zeros(2, dtype=int),
        shed_mw=case.shed_mw.sum(0, keepdims=True).reshape(1, tiers, hours),
    )
    joined, single = dispatch(case, backend=backend), dispatch(merged, backend=backend)
    assert joined.objective == pytest.approx(single.objective, rel=1e-12)
    np.testing.assert_allclose(np.ptp(joined.price, axis=0), 0.0, atol=1e-9)


@backends
def test_without_lines_objectives_add_up(backend: Backend) -> None:
    rng = np.random.default_rng(6)
    case = random_case(rng, zones=2, lines=0, stores=0, flexible=0)
    parts = sum(
        dispatch(
            dataclasses.replace(
                case,
                demand_mw=case.demand_mw[z : z + 1],
                capacity_mw=case.capacity_mw[z : z + 1],
                cost=case.cost[z : z + 1],
                shed_mw=case.shed_mw[z : z + 1],
            ),
            backend=backend,
        ).objective
        for z in range(2)
    )
    assert dispatch(case, backend=backend).objective == pytest.approx(parts, rel=1e-12)


@backends
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_permuted_zones_cost_the_same(backend: Backend, seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = random_case(rng)
    order = rng.permutation(case.shape.zones)
    place = np.argsort(order)
    turned = dataclasses.replace(
        case,
        demand_mw=case.demand_mw[order],
        capacity_mw=case.capacity_mw[order],
        cost=case.cost[order],
        shed_mw=case.shed_mw[order],
        line_from=place[case.line_from],
        line_to=place[case.line_to],
        store_zone=place[case.store_zone],
        flexible_zone=place[case.flexible_zone],
    )
    a, b = dispatch(case, backend=backend), dispatch(turned, backend=backend)
    assert close(a.objective, b.objective, case)


@backends
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_money_scales_and_nothing_else(backend: Backend, seed: int) -> None:
    case = random_case(np.random.default_rng(seed))
    doubled = dataclasses.replace(
        case,
        cost=2.0 * case.cost,
        shed_cost=2.0 * case.shed_cost,
        unserved_flexible_cost=2.0 * case.unserved_flexible_cost,
    )
    a, b = dispatch(case, backend=backend), dispatch(doubled, backend=backend)
    assert close(2.0 * a.objective, b.objective, case)


@backends
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_directions(backend: Backend, seed: int) -> None:
    """The least cost is convex and rising in demand where costs are positive, so prices cannot
    fall; more capacity, storage or lines raise no cost."""
    rng = np.random.default_rng(seed)
    case = random_case(rng)
    case = dataclasses.replace(case, cost=np.abs(case.cost))
    base = dispatch(case, backend=backend).objective
    slack = 1e-9 * (scale(case) + abs(base))
    steps = [base]
    for step in (1.0, 2.0):
        # as much shedding as demand, so that the case stays feasible
        more = dataclasses.replace(case, demand_mw=case.demand_mw + step, shed_mw=case.shed_mw + 2.0)
        steps.append(dispatch(more, backend=backend).objective)
    less_shed = dispatch(dataclasses.replace(case, shed_mw=case.shed_mw + 2.0), backend=backend).objective
    assert steps[1] >= less_shed - slack
    assert steps[2] - steps[1] >= steps[1] - less_shed - 4 * slack
    for changes in (
        {"capacity_mw": case.capacity_mw + 1.0},
        {"store_mwh": case.store_mwh + 1.0, "charge_mw": case.charge_mw + 1.0},
        {"line_forward_mw": case.line_forward_mw * 1.5},
    ):
        eased = dispatch(dataclasses.replace(case, **changes), backend=backend).objective  # type: ignore[arg-type]
        assert eased <= base + slack


@settings(max_examples=100, deadline=None)
@given(seed=seeds)
def test_any_duals_give_a_lower_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = random_case(rng)
    shape = case.shape
    bound = lower_bound(
        case,
        rng.normal(0.0, 50.0, (shape.zones, shape.hours)),
        rng.normal(0.0, 50.0, (shape.stores, shape.hours)),
        rng.normal(0.0, 50.0, shape.flexible),
    )
    best = dispatch(case, backend="highs").objective
    assert bound <= best + 1e-9 * (scale(case) + abs(best))


@backends
def test_shortage_of_the_whole_net_is_named(backend: Backend) -> None:
    """Each zone could be helped, both at once cannot."""
    case = PowerCase(
        demand_mw=[[10.0], [10.0]],
        capacity_mw=[[[5.0]], [[5.0]]],
        cost=[[1.0], [1.0]],
        line_from=[0],
        line_to=[1],
        line_forward_mw=[100.0],
        line_backward_mw=[100.0],
    )
    with pytest.raises(InfeasibleCaseError, match="shed_mw"):
        dispatch(case, backend=backend)


@backends
def test_energy_to_take_away_is_taken(backend: Backend) -> None:
    case = PowerCase(
        demand_mw=[[-4.0], [10.0]],
        capacity_mw=[[[5.0]], [[9.0]]],
        cost=[[1.0], [3.0]],
        line_from=[0],
        line_to=[1],
        line_forward_mw=[8.0],
        line_backward_mw=[0.0],
    )
    assert dispatch(case, backend=backend).objective == pytest.approx(4.0 + 2.0 * 3.0)


@backends
def test_warm_starts_keep_the_optimum(backend: Backend) -> None:
    rng = np.random.default_rng(9)
    sizes: dict[str, Any] = {
        "zones": 3, "segments": 4, "hours": 6, "lines": 3, "stores": 3, "flexible": 2, "tiers": 2,
    }  # fmt: skip
    basis = None
    for _ in range(10):
        case = random_case(rng, **sizes)
        result = dispatch(case, basis, backend=backend)
        assert close(result.objective, dispatch(case, backend=backend).objective, case)
        assert_proved(case, result)
        basis = result.basis


@backends
def test_a_basis_of_another_shape_is_set_aside(backend: Backend) -> None:
    rng = np.random.default_rng(10)
    small = random_case(rng, zones=2, segments=1, hours=2)
    large = random_case(rng, zones=4, segments=4, hours=6)
    basis = dispatch(large, backend=backend).basis
    assert dispatch(small, basis, backend=backend).objective == pytest.approx(
        dispatch(small, backend=backend).objective
    )


@backends
def test_threads_change_nothing(backend: Backend) -> None:
    rng = np.random.default_rng(11)
    cases = [random_case(rng, degenerate=i % 2 == 0) for i in range(12)]
    alone = dispatch_many(cases, backend=backend)
    warm = [result.basis for result in alone]
    for threads in (1, 3):
        together = dispatch_many(cases, warm=warm, threads=threads, backend=backend)
        for case, a, b in zip(cases, alone, together, strict=True):
            assert close(a.objective, b.objective, case)
    one = dispatch_many(cases, warm=warm, threads=1, backend=backend)
    four = dispatch_many(cases, warm=warm, threads=4, backend=backend)
    for a, b in zip(one, four, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


def test_arguments_are_checked() -> None:
    case = PowerCase(demand_mw=[[1.0]], capacity_mw=[[[2.0]]], cost=[[3.0]])
    with pytest.raises(ValueError, match="threads is 0"):
        dispatch_many([case], threads=0)
    with pytest.raises(ValueError, match="warm has 0 bases for 1 cases"):
        dispatch_many([case], warm=[])
    with pytest.raises(ValueError, match="backend is 'gurobi': give one of"):
        dispatch(case, backend="gurobi")  # type: ignore[arg-type]
