"""The compiled solver against HiGHS on many cases, and the promises it makes besides."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.power import InfeasibleCaseError, PowerCase, PowerResult, dispatch, dispatch_many, simplex
from abm.core.power.kernel import solve as compiled
from abm.core.power.merge import merge
from abm.core.power.network import MOST_NODES
from tests.abm.core.power.cases import assert_proved, random_case, scale
from tests.benchmarks.days import day

SMALL: dict[str, Any] = {
    "zones": 3, "segments": 3, "hours": 6, "lines": 4, "stores": 4, "flexible": 2, "tiers": 2,
}  # fmt: skip


def nasty_case(seed: int) -> PowerCase:
    """Small cases of every kind that the contract admits, some of them extreme."""
    rng = np.random.default_rng(seed)
    sizes: dict[str, Any] = {}
    if seed % 3 == 0:
        sizes = SMALL
    elif seed % 3 == 1:
        sizes = {"zones": int(rng.integers(1, 3)), "hours": int(rng.choice([1, 2, 3, 8])), "stores": 4}
    case = random_case(rng, degenerate=seed % 2 == 0, **sizes)
    stores = case.store_zone.size
    twist = rng.integers(0, 10)
    changes: dict[str, Any] = {}
    if twist == 0:  # almost perfect stores: cycles almost without gain
        for name in ("charge_efficiency", "discharge_efficiency"):
            changes[name] = 1.0 - rng.choice([0.0, 1e-3, 1e-6], stores)
    elif twist == 1:  # large money
        changes = {
            "cost": case.cost * 1e6,
            "shed_cost": case.shed_cost * 1e6,
            "unserved_flexible_cost": case.unserved_flexible_cost * 1e6,
        }
    elif twist == 2:  # free energy
        changes = {"cost": case.cost * 0.0}
    elif twist == 3:  # the copper plate
        for name in ("line_forward_mw", "line_backward_mw"):
            changes[name] = np.full_like(case.line_forward_mw, np.inf)
    elif twist == 4:  # perfect stores
        for name in ("charge_efficiency", "discharge_efficiency"):
            changes[name] = np.ones(stores)
    elif twist == 5:  # nothing costs anything
        changes = {"cost": case.cost * 0.0, "shed_cost": case.shed_cost * 0.0, "unserved_flexible_cost": 0.0}
    elif twist == 6:  # all stores alike, in one zone
        for name in ("store_zone", "charge_mw", "discharge_mw", "store_mwh"):
            changes[name] = np.repeat(getattr(case, name)[:1], stores)
    elif twist == 7:  # energy to spare at negative prices
        changes = {"cost": -np.abs(case.cost) - 1.0}
    return dataclasses.replace(case, **changes)


def check(case: PowerCase, warm: Any = None) -> PowerResult:
    """Solve on the network without help, and hold it against HiGHS."""
    expected = dispatch(case, backend="highs").objective
    result = simplex.attempt(case, warm)
    assert result is not None
    assert abs(result.objective - expected) <= 1e-9 * (scale(case) + abs(expected))
    assert_proved(case, result)
    return result


@pytest.mark.parametrize("block", range(10))
def test_nasty_cases(block: int) -> None:
    for seed in range(150 * block, 150 * (block + 1)):
        check(nasty_case(seed))


def test_any_old_basis_is_a_warm_start() -> None:
    bases: list[Any] = []
    for seed in range(0, 600, 3):
        case = nasty_case(seed)
        bases.append(check(case, bases[-1] if bases else None).basis)
        check(case, bases[seed % len(bases)])


@pytest.mark.long
@pytest.mark.parametrize("block", range(50))
def test_soak(block: int) -> None:
    """50,000 cases, each cold and from a basis of another case where the shape agrees."""
    kept: dict[Any, Any] = {}
    for seed in range(100_000 + 1000 * block, 101_000 + 1000 * block):
        case = nasty_case(seed)
        result = check(case)
        if case.shape in kept:
            check(case, kept[case.shape])
        kept[case.shape] = result.basis


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    degenerate=st.booleans(),
    zones=st.integers(1, 4),
    segments=st.integers(0, 3),
    hours=st.integers(1, 5),
    lines=st.integers(0, 5),
    stores=st.integers(0, 4),
    flexible=st.integers(0, 3),
    tiers=st.integers(1, 2),
)
def test_every_shape(seed: int, degenerate: bool, **sizes: int) -> None:
    check(random_case(np.random.default_rng(seed), degenerate=degenerate, **sizes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"zones": 6, "segments": 14, "lines": 12, "stores": 12, "flexible": 6},
        {"zones": 6, "segments": 14, "lines": 12, "stores": 12, "flexible": 6, "one_node": True},
        {"zones": 17, "lines": 30, "stores": 17, "flexible": 17},
        {"hours": 168},
    ],
    ids=str,
)
def test_days_of_the_model_cold_and_warm(shape: dict[str, Any]) -> None:
    basis = None
    for year in range(3):
        basis = check(day(year, **shape), basis).basis


def test_a_year_apart_is_a_good_warm_start() -> None:
    cold = [dispatch(day(year)).pivots for year in range(8)]
    basis, warm = None, []
    for year in range(8):
        result = dispatch(day(year), basis)
        basis = result.basis
        warm.append(result.pivots)
    assert sum(warm[1:]) < 0.6 * sum(cold[1:])
    assert dispatch(day(7), basis).pivots == 0


def test_what_has_no_capacity_stays_out_of_the_merit_order() -> None:
    """Plants out of service in some hours, many of the same cost, and a basis of other outages."""
    basis = None
    for seed in range(40):
        rng = np.random.default_rng(seed)
        case = day(seed, zones=3, segments=6, hours=6, lines=3, stores=2, flexible=1)
        alive = rng.random(case.capacity_mw.shape) < 0.5
        alive[0, :, seed % 6] = False
        cost = np.round(case.cost[:, :, None] + rng.integers(0, 3, case.capacity_mw.shape), -1)
        case = case.replace(capacity_mw=case.capacity_mw * alive, cost=cost)
        result = check(case, basis)
        basis = result.basis
        assert (result.generation[~alive] == 0.0).all()


def test_more_nodes_than_the_solver_can_count_are_refused() -> None:
    zones = MOST_NODES + 1
    case = PowerCase(
        demand_mw=np.ones((zones, 1)), capacity_mw=np.ones((zones, 1, 1)), cost=np.ones((zones, 1))
    )
    with pytest.raises(ValueError, match="split it"):
        dispatch(case)


def same(a: PowerResult, b: PowerResult) -> bool:
    fields: list[tuple[Any, Any]] = list(zip(a, b, strict=True))
    return all(np.array_equal(x, y) for x, y in fields)


def test_a_result_depends_on_its_arguments_alone() -> None:
    """Neither what a thread solved before nor which thread it is changes a bit."""
    cases = [nasty_case(seed) for seed in range(0, 60, 3)] + [day(0), day(1)]
    first = [dispatch(case) for case in cases]
    backwards = [dispatch(case) for case in reversed(cases)][::-1]
    assert all(same(a, b) for a, b in zip(first, backwards, strict=True))
    warm = [result.basis for result in first]
    shifted = warm[:20][1:] + warm[:1] + warm[20:][::-1]
    kept = [basis.copy() for basis in shifted]
    again = dispatch_many(cases, shifted)
    for threads in (2, 5):
        assert all(same(a, b) for a, b in zip(again, dispatch_many(cases, shifted, threads), strict=True))
    elsewhere: list[PowerResult] = []
    thread = threading.Thread(target=lambda: elsewhere.extend(dispatch_many(cases, shifted)))
    thread.start()
    thread.join()
    assert all(same(a, b) for a, b in zip(again, elsewhere, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(kept, shifted, strict=True)), "a basis was written to"


def test_money_doubled_leaves_every_quantity_as_it_is() -> None:
    for seed in range(0, 60, 3):
        case = nasty_case(seed)
        dear = dataclasses.replace(
            case,
            cost=2.0 * case.cost,
            shed_cost=2.0 * case.shed_cost,
            unserved_flexible_cost=2.0 * case.unserved_flexible_cost,
        )
        a, b = dispatch(case), dispatch(dear)
        assert np.array_equal(a.generation, b.generation)
        assert np.array_equal(a.flow, b.flow)
        assert np.array_equal(2.0 * a.price, b.price)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), by=st.integers(1, 5))
def test_the_day_is_a_circle(seed: int, by: int) -> None:
    case = random_case(np.random.default_rng(seed), **SMALL)
    turned = {
        name: np.roll(getattr(case, name), by, axis=-1)
        for name in ("demand_mw", "capacity_mw", "flexible_mw", "shed_mw")
    }
    for name in ("line_forward_mw", "line_backward_mw"):
        if getattr(case, name).ndim == 2:
            turned[name] = np.roll(getattr(case, name), by, axis=-1)
    if case.cost.ndim == 3:
        turned["cost"] = np.roll(case.cost, by, axis=-1)
    a, b = dispatch(case), dispatch(dataclasses.replace(case, **turned))
    assert abs(a.objective - b.objective) <= 1e-9 * (scale(case) + abs(a.objective))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_parallel_lines_add_up(seed: int) -> None:
    case = random_case(np.random.default_rng(seed), **SMALL)
    doubled = dataclasses.replace(
        case,
        line_from=np.concatenate([case.line_from, case.line_to]),
        line_to=np.concatenate([case.line_to, case.line_from]),
        line_forward_mw=np.concatenate([0.5 * case.line_forward_mw, 0.5 * case.line_backward_mw]),
        line_backward_mw=np.concatenate([0.5 * case.line_backward_mw, 0.5 * case.line_forward_mw]),
    )
    a, b = dispatch(case), check(doubled)
    assert abs(a.objective - b.objective) <= 1e-9 * (scale(case) + abs(a.objective))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), parts=st.integers(1, 3))
def test_what_behaves_as_one_is_solved_as_one(seed: int, parts: int) -> None:
    """A store (and a flexible load) cut to pieces costs the same, and each piece does its part."""
    rng = np.random.default_rng(seed)
    case = random_case(rng, **{**SMALL, "stores": 2, "flexible": 1})
    weight = rng.dirichlet(np.ones(parts))
    cut: dict[str, Any] = {
        name: np.repeat(getattr(case, name), parts, axis=0)
        for name in ("store_zone", "charge_efficiency", "discharge_efficiency", "flexible_zone")
    }
    for name in ("charge_mw", "discharge_mw", "store_mwh", "flexible_mwh"):
        cut[name] = np.outer(getattr(case, name), weight).ravel()
    cut["flexible_mw"] = weight[:, None] * case.flexible_mw
    pieces = dataclasses.replace(case, **cut)
    a, b = dispatch(case), check(pieces)
    assert abs(a.objective - b.objective) <= 1e-9 * (scale(case) + abs(a.objective))
    alive = (case.charge_mw > 0.0) & (case.discharge_mw > 0.0)
    if parts > 1:
        assert merge(pieces).few[1] <= alive.sum()
        np.testing.assert_allclose(b.soc[0], weight[0] * b.soc[:parts].sum(0), atol=1e-9)


def test_stores_not_yet_built_are_left_out() -> None:
    case = random_case(np.random.default_rng(3), **SMALL)
    case = dataclasses.replace(case, charge_mw=np.zeros(4), flexible_mwh=np.zeros(2))
    _, stores, loads = merge(case).few
    assert stores == loads == 0
    result = check(case)
    assert result.soc.shape == (4, 6)
    assert not result.flexible.any()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), hourly=st.booleans())
def test_circuits_of_one_corridor_share_its_flow(seed: int, hourly: bool) -> None:
    rng = np.random.default_rng(seed)
    case = random_case(rng, **SMALL)
    changes: dict[str, Any] = {
        name: rng.uniform(0.0, 9.0, (9, 6) if hourly else 9)
        * (rng.random(9) < 0.7)[(...,) + (None,) * hourly]
        for name in ("line_forward_mw", "line_backward_mw")
    }
    case = dataclasses.replace(
        case, line_from=np.repeat([0, 1, 0], 3), line_to=np.repeat([1, 2, 2], 3), **changes
    )
    assert merge(case).few[0] <= 3
    check(case)


def test_a_limit_by_hour_goes_with_one_for_all_hours() -> None:
    """Merged lines may mix them: forward by hour, backward once."""
    case = random_case(np.random.default_rng(8), **SMALL)
    forward = np.linspace(1.0, 9.0, 24).reshape(4, 6)
    backward = np.array([3.0, 0.0, 2.0, 0.0])
    ends = {"line_from": np.array([0, 0, 1, 1]), "line_to": np.array([1, 1, 2, 2])}
    mixed = dataclasses.replace(case, **ends, line_forward_mw=forward, line_backward_mw=backward)
    plain = dataclasses.replace(mixed, line_backward_mw=np.repeat(backward[:, None], 6, axis=1))
    assert merge(mixed).few[0] == 2
    a, b = check(mixed), check(plain)
    assert a.objective == b.objective
    assert np.array_equal(a.flow, b.flow)


def test_what_is_built_later_keeps_the_rest_of_the_basis() -> None:
    """Stores, lines and loads come and go between months: the basis speaks of what stays."""
    before, after = day(0), day(1)
    idle = np.arange(before.shape.stores) % 3 == 0
    partly = {
        "charge_mw": np.where(idle, 0.0, before.charge_mw),
        "flexible_mwh": np.where(idle, 0.0, before.flexible_mwh),
        "line_forward_mw": np.where(np.arange(10) < 2, 0.0, before.line_forward_mw),
        "line_backward_mw": np.where(np.arange(10) < 2, 0.0, before.line_backward_mw),
    }
    basis = check(dataclasses.replace(before, **partly)).basis  # type: ignore[arg-type]
    assert check(after, basis).pivots < 0.8 * check(after).pivots
    basis = check(after, basis).basis
    shrunk = dataclasses.replace(after, **partly)  # type: ignore[arg-type]
    assert check(shrunk, basis).pivots < 0.8 * check(shrunk).pivots


def test_garbage_for_a_basis_is_set_aside() -> None:
    case = random_case(np.random.default_rng(4), **SMALL)
    good = dispatch(case)
    rng = np.random.default_rng(5)
    for _ in range(200):
        junk = rng.integers(-20, 400, good.basis.size).astype(np.int32)
        check(case, junk)
        half = np.where(rng.random(junk.size) < 0.02, junk, good.basis).astype(np.int32)
        check(case, half)


def test_failure_goes_to_highs_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(np.random.default_rng(6), **SMALL)
    expected = dispatch(case)
    assert expected.fallbacks == 0
    monkeypatch.setattr(simplex, "GAP_TOLERANCE", -1.0)
    result = dispatch(case)
    assert result.fallbacks == 1
    assert result.objective == pytest.approx(expected.objective, rel=1e-9)
    monkeypatch.undo()
    assert dispatch(case, result.basis).objective == pytest.approx(expected.objective, rel=1e-9)


def test_the_basis_after_a_fallback_is_a_good_warm_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """HiGHS ends in a vertex of the network; what is left to do is choosing among equal ones."""
    cases = [day(0), *[random_case(np.random.default_rng(seed), **SMALL) for seed in range(30)]]
    with monkeypatch.context() as broken:
        broken.setattr(simplex, "GAP_TOLERANCE", -1.0)
        bases = [dispatch(case).basis for case in cases]
    pivots = [
        (check(case, basis).pivots, check(case).pivots) for case, basis in zip(cases, bases, strict=True)
    ]
    assert all(basis.size for basis in bases)
    assert pivots[0][0] < 0.5 * pivots[0][1], pivots[0]
    assert sum(warm for warm, _ in pivots[1:]) < 0.2 * sum(cold for _, cold in pivots[1:]), pivots


def test_an_infeasible_case_is_named() -> None:
    case = PowerCase(
        demand_mw=[[10.0, 0.0]],
        capacity_mw=[[[5.0, 5.0]]],
        cost=[[1.0]],
        store_zone=[0],
        charge_mw=[9.0],
        discharge_mw=[9.0],
        store_mwh=[9.0],
        charge_efficiency=[0.9],
        discharge_efficiency=[0.9],
    )
    with pytest.raises(InfeasibleCaseError):
        dispatch(case)


def test_the_kernel_takes_one_kind_of_arguments() -> None:
    """No lazy recompilation: one signature, compiled ahead or read from the disk."""
    assert len(compiled.signatures) == 1
