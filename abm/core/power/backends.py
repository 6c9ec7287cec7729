"""Which solver answers: one named default, each selectable by argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Literal, get_args, overload

from numpy.typing import NDArray

from .case import PowerCase, PowerResult
from .days import Bases, DayResults, PowerDays

Backend = Literal["simplex", "highs", "highs-default"]
DEFAULT_BACKEND: Backend = "simplex"

Solve = Callable[[PowerCase, NDArray[Any] | None], PowerResult]
SolveDays = Callable[[PowerDays, Bases], DayResults]


def dispatch(
    case: PowerCase, warm: NDArray[Any] | None = None, backend: Backend | None = None
) -> PowerResult:
    """Least-cost dispatch of one representative day.

    Args:
        case: the day.
        warm: `basis` of an earlier result of the same backend; a basis of another shape or
            backend is set aside. It changes how fast the optimum is found and, where optima
            are not unique, which one.
        backend: `simplex` (compiled, on the network), `highs` (HiGHS at its fastest setting) or
            `highs-default` (HiGHS as it comes, built anew each time); None takes
            `DEFAULT_BACKEND`.

    Raises:
        InfeasibleCaseError: a `ValueError`; no dispatch meets the demand.

    >>> case = PowerCase(demand_mw=[[50.0]], capacity_mw=[[[80.0]]], cost=[[10.0]])
    >>> dispatch(case).objective
    500.0
    """
    return _solver(backend)[0](case, warm)


@overload
def dispatch_many(
    cases: PowerDays,
    warm: Bases | None = None,
    threads: int = 1,
    backend: Backend | None = None,
) -> DayResults: ...
@overload
def dispatch_many(
    cases: Sequence[PowerCase],
    warm: Bases | None = None,
    threads: int = 1,
    backend: Backend | None = None,
) -> Sequence[PowerResult]: ...
def dispatch_many(
    cases: Sequence[PowerCase],
    warm: Bases | None = None,
    threads: int = 1,
    backend: Backend | None = None,
) -> Sequence[PowerResult]:
    """`dispatch` for each case, in order; `threads` changes the time it takes and nothing else.

    Args:
        cases: a list, for which a list comes back; or `PowerDays`, of which what they share is prepared
            once, for which `DayResults` come back.
        warm: a basis (or None) for each case, or None for all cold.
        threads: workers; 1 starts none.
        backend: as in `dispatch`.
    """
    if threads < 1:
        raise ValueError(f"threads is {threads}: give 1 or more")
    starts: Bases = [None] * len(cases) if warm is None else warm
    if len(starts) != len(cases):
        raise ValueError(f"warm has {len(starts)} bases for {len(cases)} cases: give one each, or None")
    solve, solve_days = _solver(backend)
    if threads > 1 and len(cases) > 1:
        with ThreadPoolExecutor(min(threads, len(cases))) as pool:
            results = list(pool.map(solve, cases, starts))
    elif solve_days and isinstance(cases, PowerDays):
        return solve_days(cases, starts)
    else:
        results = [solve(case, start) for case, start in zip(cases, starts, strict=True)]
    return DayResults.of(results) if isinstance(cases, PowerDays) else results


@cache
def _solver(backend: Backend | None) -> tuple[Solve, SolveDays | None]:
    """The solver of that name, and its way with days; HiGHS and Numba are imported on first use only."""
    name: str = DEFAULT_BACKEND if backend is None else backend
    if name == "simplex":
        from . import simplex

        return simplex.solve, simplex.solve_days
    if name == "highs":
        from . import highs

        return lambda case, warm: highs.solve(case, warm, "fast"), None
    if name == "highs-default":
        from . import highs

        return lambda case, warm: highs.solve(case, warm, "default"), None
    known = ", ".join(get_args(Backend))
    raise ValueError(f"backend is {name!r}: give one of {known}")
