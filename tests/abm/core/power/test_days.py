"""Days solved together are the days solved one by one, and are checked as strictly."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.power import (
    DayResults,
    PowerCase,
    PowerDays,
    PowerResult,
    checks,
    dispatch,
    dispatch_many,
    simplex,
)
from abm.core.power.backends import Backend
from tests.abm.core.power.cases import assert_proved, random_case

DAYS = 4


def days_like(seed: int, days: int = DAYS, **sizes: Any) -> PowerDays:
    """Days of one random case that differ in weather and demand."""
    rng = np.random.default_rng(seed)
    case = random_case(rng, **sizes)
    factor = rng.uniform(0.3, 1.0, (days, *case.demand_mw.shape))
    shared = {
        field.name: getattr(case, field.name)
        for field in dataclasses.fields(case)
        if field.name not in ("demand_mw", "capacity_mw", "shed_mw", "cost")
    }
    return PowerDays(
        case.demand_mw * factor,
        case.capacity_mw * rng.uniform(0.0, 1.5, (days, *case.capacity_mw.shape)),
        case.cost,
        shed_mw=np.stack([case.shed_mw] * days),
        **shared,
    )


def same(one: PowerResult, other: PowerResult) -> bool:
    """Whether two results agree bit for bit."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), warm=st.booleans(), degenerate=st.booleans())
def test_together_and_one_by_one_are_the_same(seed: int, warm: bool, degenerate: bool) -> None:
    days = days_like(seed, degenerate=degenerate)
    start = dispatch_many(days).basis if warm else None
    together = dispatch_many(days, start)
    assert isinstance(together, DayResults)
    assert len(together) == len(days) == DAYS
    for d, (case, found) in enumerate(zip(days, together, strict=True)):
        assert same(found, dispatch(case, None if start is None else start[d]))
        assert_proved(case, found)


@pytest.mark.parametrize("backend", ["simplex", "highs"])
def test_lists_threads_and_other_solvers(backend: Backend) -> None:
    days = days_like(3)
    together = dispatch_many(days, backend=backend)
    listed = dispatch_many(list(days), backend=backend)
    threaded = dispatch_many(days, threads=3, backend=backend)
    assert isinstance(listed, list)
    assert isinstance(threaded, DayResults)
    for a, b, c in zip(together, listed, threaded, strict=True):
        assert same(a, b)
        assert same(b, c)


def test_bases_of_some_days_or_of_another_shape() -> None:
    days, other = days_like(5), days_like(6, zones=4, stores=3)
    own, foreign = dispatch_many(days).basis, dispatch_many(other).basis
    starts: list[Sequence[Any]] = [[None, own[1], None, foreign[0]], foreign]
    for start in starts:
        before = [None if basis is None else basis.copy() for basis in start]
        for d, found in enumerate(dispatch_many(days, start)):
            assert same(found, dispatch(days[d], start[d]))
        for basis, old in zip(start, before, strict=True):
            assert basis is None or np.array_equal(basis, old)  # what is given is not written to


def test_a_day_without_proof_goes_to_highs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    days = days_like(8)
    expected = dispatch_many(days)
    monkeypatch.setattr(simplex, "GAP_TOLERANCE", -1.0)
    found = dispatch_many(days)
    assert [result.fallbacks for result in found] == [1] * DAYS
    for a, b in zip(expected, found, strict=True):
        assert b.objective == pytest.approx(a.objective, rel=1e-9)
    monkeypatch.undo()
    for a, b in zip(expected, dispatch_many(days, found.basis), strict=True):
        assert b.fallbacks == 0
        assert b.objective == pytest.approx(a.objective, rel=1e-9)


def test_days_can_be_indexed_and_cut() -> None:
    days = days_like(9)
    assert isinstance(days[-1], PowerCase)
    assert np.array_equal(days[-1].demand_mw, days.demand_mw[DAYS - 1])
    assert days[0].line_from is days[1].line_from
    assert len(days[1:3]) == 2
    assert same(dispatch_many(days)[1:2][0], dispatch(days[1]))
    with pytest.raises(IndexError):
        days[DAYS]


def fields(**changes: Any) -> dict[str, Any]:
    """Two zones, two hours, two days, in the arrays that are taken as they are."""
    given = dict(
        demand_mw=np.full((2, 2, 2), 9.0),
        capacity_mw=np.full((2, 2, 1, 2), 20.0),
        cost=np.full((2, 1, 2), 10.0),
        shed_mw=np.full((2, 2, 1, 2), 9.0),
        line_from=np.array([0]),
        line_to=np.array([1]),
        line_forward_mw=np.array([3.0]),
        line_backward_mw=np.array([np.inf]),
        store_zone=np.array([1]),
        charge_mw=np.array([1.0]),
        discharge_mw=np.array([1.0]),
        store_mwh=np.array([2.0]),
        charge_efficiency=np.array([0.9]),
        discharge_efficiency=np.array([1.0]),
        flexible_zone=np.array([0]),
        flexible_mw=np.full((1, 2), 1.0),
        flexible_mwh=np.array([1.0]),
        shed_cost=np.array([1000.0]),
        unserved_flexible_cost=50.0,
    )
    given.update(changes)
    return given


def with_(name: str, at: Any, value: float) -> dict[str, Any]:
    """The fields with one entry changed."""
    changed = fields()
    changed[name][at] = value
    return changed


def taken(given: dict[str, Any]) -> bool:
    """What the compiled check says of them."""
    order = [given.pop(name) for name in ("demand_mw", "capacity_mw", "cost", "shed_mw")]
    cost = given.pop("shed_cost"), given.pop("unserved_flexible_cost")
    return bool(checks.in_order(*order, *given.values(), *cost))


def test_arrays_in_order_are_taken_as_they_are() -> None:
    given = fields()
    days = PowerDays(**given)
    assert all(getattr(days, name) is value for name, value in given.items())
    assert taken(fields())
    assert taken(with_("capacity_mw", (0, 0, 0, 0), 0.0))
    assert taken(fields(shed_mw=np.full((2, 2, 1, 2), 1.0)))  # supply covers the demand


def test_others_are_converted() -> None:
    given = fields()
    lists = {name: value if np.isscalar(value) else value.tolist() for name, value in given.items()}
    for a, b in zip(dispatch_many(PowerDays(**given)), dispatch_many(PowerDays(**lists)), strict=True):
        assert same(a, b)
    flat = fields(cost=[[10.0], [10.0]])
    for a, b in zip(dispatch_many(PowerDays(**given)), dispatch_many(PowerDays(**flat)), strict=True):
        assert a.objective == pytest.approx(b.objective)


@pytest.mark.parametrize(
    ("name", "at", "value", "message"),
    [
        ("demand_mw", (1, 0, 1), np.nan, r"demand_mw\[0, 1\] is nan: give a finite number"),
        ("demand_mw", (1, 0, 1), np.inf, r"demand_mw\[0, 1\] is inf"),
        ("demand_mw", (1, 1, 0), 99.0, r"demand_mw\[1, 0\] is 99.0 MW, above the"),
        ("demand_mw", (0, 0, 0), -99.0, r"demand_mw\[0, 0\] is -99.0 MW, more than"),
        ("capacity_mw", (1, 0, 0, 1), -1.0, r"capacity_mw\[0, 0, 1\] is -1.0"),
        ("capacity_mw", (0, 0, 0, 1), np.inf, r"capacity_mw\[0, 0, 1\] is inf"),
        ("shed_mw", (1, 0, 0, 1), np.nan, r"shed_mw\[0, 0, 1\] is nan"),
        ("cost", (1, 0, 1), -np.inf, r"cost\[1, 0, 1\] is -inf"),
        ("line_from", 0, 2, r"line_from\[0\] is zone 2"),
        ("line_to", 0, 0, r"line_to\[0\] equals line_from\[0\]"),
        ("line_forward_mw", 0, -1.0, r"line_forward_mw\[0\] is -1.0: give 0 or more"),
        ("line_backward_mw", 0, np.nan, r"line_backward_mw\[0\] is nan"),
        ("store_zone", 0, -1, r"store_zone\[0\] is zone -1"),
        ("charge_mw", 0, np.inf, r"charge_mw\[0\] is inf"),
        ("discharge_mw", 0, -2.0, r"discharge_mw\[0\] is -2.0"),
        ("store_mwh", 0, np.nan, r"store_mwh\[0\] is nan"),
        ("charge_efficiency", 0, 0.0, r"charge_efficiency\[0\] is 0.0"),
        ("discharge_efficiency", 0, 1.1, r"discharge_efficiency\[0\] is 1.1"),
        ("flexible_zone", 0, 2, r"flexible_zone\[0\] is zone 2"),
        ("flexible_mw", (0, 1), -1.0, r"flexible_mw\[0, 1\] is -1.0"),
        ("flexible_mwh", 0, np.nan, r"flexible_mwh\[0\] is nan"),
        ("shed_cost", 0, np.nan, r"shed_cost\[0\] is nan"),
    ],
)
def test_what_is_wrong_is_named(name: str, at: Any, value: float, message: str) -> None:
    assert not taken(with_(name, at, value))
    with pytest.raises(ValueError, match=message):
        PowerDays(**with_(name, at, value))


@pytest.mark.parametrize(
    "changes",
    [
        {"capacity_mw": np.ones((2, 1, 1, 2))},
        {"cost": np.ones((2, 2, 2))},
        {"shed_mw": np.full((2, 2, 2, 2), 9.0)},
        {"line_to": np.array([1, 0])},
        {"line_forward_mw": np.ones(2)},
        {"charge_mw": np.ones(2)},
        {"discharge_efficiency": np.ones(0)},
        {"flexible_mw": np.ones((1, 3))},
        {"flexible_mwh": np.ones(2)},
        {"unserved_flexible_cost": np.nan},
    ],
)
def test_shapes_must_agree(changes: dict[str, Any]) -> None:
    assert not taken(fields(**changes))
    with pytest.raises(ValueError, match=next(iter(changes))):
        PowerDays(**fields(**changes))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="stores_mw"):
        PowerDays(**fields(stores_mw=np.ones(1)))


def test_without_lines_stores_and_flexible_loads() -> None:
    names = ("demand_mw", "capacity_mw", "cost", "shed_mw", "shed_cost")
    days = PowerDays(**{name: fields()[name] for name in names})
    assert (
        days[0].shape
        == PowerCase(
            **{name: fields()[name] if name in ("cost", "shed_cost") else fields()[name][0] for name in names}
        ).shape
    )
    assert [result.objective for result in dispatch_many(days)] == [9.0 * 4 * 10.0] * 2


def test_memory_of_merging_is_used_again_and_leaves_no_trace() -> None:
    """Cases of one size one after the other, some with stores and lines that do nothing."""
    rng = np.random.default_rng(12)
    sizes: dict[str, Any] = {
        "zones": 3,
        "segments": 3,
        "hours": 4,
        "lines": 4,
        "stores": 4,
        "flexible": 3,
        "tiers": 2,
    }
    cases = [random_case(rng, **sizes, degenerate=i % 2 == 1) for i in range(30)]
    first = [dispatch(case) for case in cases]
    for case, found in reversed(list(zip(cases, first, strict=True))):
        assert same(dispatch(case), found)
