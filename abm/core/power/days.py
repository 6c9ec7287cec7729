"""Days that share all but demand, capacity and shedding: checked, merged and solved together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .case import Floats, Ints, PowerCase, PowerResult

Bases = Sequence[NDArray[Any] | None] | NDArray[Any]
"""A basis (or None) for each of several days."""

_FIELDS = (
    "line_from", "line_to", "line_forward_mw", "line_backward_mw",
    "store_zone", "charge_mw", "discharge_mw", "store_mwh", "charge_efficiency", "discharge_efficiency",
    "flexible_zone", "flexible_mw", "flexible_mwh", "shed_cost", "unserved_flexible_cost",
)  # fmt: skip
_shared_by = itemgetter(*_FIELDS)
_BY_DAY = ("demand_mw", "capacity_mw", "shed_mw")
_NOTHING: dict[str, Any] = {
    name: np.empty(0, np.int64 if name in ("line_from", "line_to") or name.endswith("_zone") else float)
    for name in _FIELDS[:-1]
} | {"unserved_flexible_cost": 0.0}


class PowerDays(Sequence[PowerCase]):
    """D cases that differ in `demand_mw` (D,Z,H), `capacity_mw` (D,Z,G,H) and `shed_mw` (D,Z,K,H) alone.

    The other fields are those of :class:`PowerCase`, of the same shapes as there. To index it is to
    get a day's case, a view.

    Raises:
        ValueError: as :class:`PowerCase`, of the first day that is not in order.

    >>> days = PowerDays([[[50.0]], [[60.0]]], [[[[80.0]]], [[[80.0]]]], [[10.0]], shed_mw=np.empty((2, 1, 0, 1)))
    >>> len(days), days[1].demand_mw
    (2, array([[60.]]))
    """

    if TYPE_CHECKING:  # the fields lie in __dict__, as those of a case do
        demand_mw: Floats
        capacity_mw: Floats
        cost: Floats
        line_from: Ints
        line_to: Ints
        line_forward_mw: Floats
        line_backward_mw: Floats
        store_zone: Ints
        charge_mw: Floats
        discharge_mw: Floats
        store_mwh: Floats
        charge_efficiency: Floats
        discharge_efficiency: Floats
        flexible_zone: Ints
        flexible_mw: Floats
        flexible_mwh: Floats
        shed_mw: Floats
        shed_cost: Floats
        unserved_flexible_cost: float

    def __init__(
        self,
        demand_mw: ArrayLike,
        capacity_mw: ArrayLike,
        cost: ArrayLike,
        *,
        shed_mw: ArrayLike,
        **shared: Any,
    ) -> None:
        given = _NOTHING | shared
        if "flexible_mw" not in shared:
            given["flexible_mw"] = np.empty((0, np.shape(demand_mw)[-1]))
        try:
            fine = len(given) == len(_FIELDS) and _in_order()(
                demand_mw, capacity_mw, cost, shed_mw, *_shared_by(given)
            )
        except TypeError:  # arrays of another type or layout
            fine = False
        if fine:
            given.update(demand_mw=demand_mw, capacity_mw=capacity_mw, cost=cost, shed_mw=shed_mw)
            self.__dict__ = given
        else:
            self.__dict__ = _checked(demand_mw, capacity_mw, cost, shed_mw, shared)

    def __len__(self) -> int:
        return len(self.demand_mw)

    @overload
    def __getitem__(self, at: int) -> PowerCase: ...
    @overload
    def __getitem__(self, at: slice) -> list[PowerCase]: ...
    def __getitem__(self, at: int | slice) -> PowerCase | list[PowerCase]:
        if isinstance(at, slice):
            return [self[day] for day in range(*at.indices(len(self)))]
        case = object.__new__(PowerCase)
        case.__dict__.update(self.__dict__)
        case.__dict__.update({name: self.__dict__[name][at] for name in _BY_DAY})
        return case


@cache
def _in_order() -> Callable[..., bool]:
    """The compiled check; Numba is imported on first use only."""
    from . import checks

    return checks.in_order  # type: ignore[no-any-return]


def _checked(
    demand: ArrayLike, capacity: ArrayLike, cost: ArrayLike, shed: ArrayLike, shared: dict[str, Any]
) -> dict[str, Any]:
    """The fields of days converted and checked one by one."""
    days = list(zip(*map(np.asarray, (demand, capacity, shed)), strict=True))
    if not days:
        raise ValueError("demand_mw has no day: give one at least")
    first = PowerCase(days[0][0], days[0][1], cost, shed_mw=days[0][2], **shared)
    cases = [first, *(first.replace(demand_mw=d, capacity_mw=c, shed_mw=s) for d, c, s in days[1:])]
    return first.__dict__ | {name: np.stack([case.__dict__[name] for case in cases]) for name in _BY_DAY}


@dataclass(eq=False, slots=True)
class DayResults(Sequence[PowerResult]):
    """Results of D days in arrays with days first, C-contiguous; to index it is to get a day's result."""

    generation: Floats  # (D,Z,G,H)
    shed: Floats  # (D,Z,K,H)
    flow: Floats  # (D,L,H)
    storage: Floats  # (D,3S,H): charge, discharge and state of charge of each store
    flexible: Floats  # (D,F,H)
    unserved_flexible: Floats  # (D,F)
    price: Floats  # (D,Z,H)
    basis: Sequence[NDArray[Any]] | NDArray[Any]  # of each day; hand it to the next `dispatch_many`
    figures: Floats  # (4,D): objective, lower bound, pivots, fallbacks

    @classmethod
    def of(cls, results: Sequence[PowerResult]) -> DayResults:
        """Single results, of one shape, as one."""

        def stack(name: str) -> Floats:
            return np.ascontiguousarray([getattr(result, name) for result in results])

        figures = [stack(name) for name in ("objective", "lower_bound", "pivots", "fallbacks")]
        storage = [np.concatenate([r.charge, r.discharge, r.soc]) for r in results]
        return cls(
            stack("generation"),
            stack("shed"),
            stack("flow"),
            np.ascontiguousarray(storage),
            stack("flexible"),
            stack("unserved_flexible"),
            stack("price"),
            [result.basis for result in results],
            np.array(figures, float),
        )

    def put(self, day: int, result: PowerResult) -> None:
        """Let ``result`` be the day's."""
        for name in ("generation", "shed", "flow", "flexible", "unserved_flexible", "price"):
            getattr(self, name)[day] = getattr(result, name)
        self.storage[day] = np.concatenate([result.charge, result.discharge, result.soc])
        self.basis = [*self.basis[:day], result.basis, *self.basis[day + 1 :]]  # it may be of another size
        self.figures[:, day] = result.objective, result.lower_bound, result.pivots, result.fallbacks

    def __len__(self) -> int:
        return len(self.generation)

    @overload
    def __getitem__(self, at: int) -> PowerResult: ...
    @overload
    def __getitem__(self, at: slice) -> list[PowerResult]: ...
    def __getitem__(self, at: int | slice) -> PowerResult | list[PowerResult]:
        if isinstance(at, slice):
            return [self[day] for day in range(*at.indices(len(self)))]
        storage = self.storage[at]
        stores = len(storage) // 3
        objective, bound, pivots, fallbacks = self.figures[:, at].tolist()
        return PowerResult(
            objective,
            bound,
            self.generation[at],
            self.shed[at],
            self.flow[at],
            storage[:stores],
            storage[stores : 2 * stores],
            storage[2 * stores :],
            self.flexible[at],
            self.unserved_flexible[at],
            self.price[at],
            self.basis[at],
            int(pivots),
            int(fallbacks),
        )
