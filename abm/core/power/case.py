"""One representative day of a zonal transport model: what goes in, what comes out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The same as array.min() and array.max(), without a detour; cases are checked by the thousand.
_least, _most = np.minimum.reduce, np.maximum.reduce


class InfeasibleCaseError(ValueError):
    """Demand, and what must be delivered, cannot be met by any dispatch."""


RANGES: dict[str, tuple[float, float]] = {  # least and most; an infinite end is itself allowed for lines alone
    "demand_mw": (-np.inf, np.inf), "cost": (-np.inf, np.inf), "shed_cost": (-np.inf, np.inf),
    "capacity_mw": (0.0, np.inf), "charge_mw": (0.0, np.inf), "discharge_mw": (0.0, np.inf),
    "store_mwh": (0.0, np.inf), "flexible_mw": (0.0, np.inf), "flexible_mwh": (0.0, np.inf),
    "shed_mw": (0.0, np.inf),
    "line_forward_mw": (0.0, np.inf), "line_backward_mw": (0.0, np.inf),
    "charge_efficiency": (0.0, 1.0), "discharge_efficiency": (0.0, 1.0),
}  # fmt: skip
VARYING = ("cost", "line_forward_mw", "line_backward_mw")  # may be given by hour


@dataclass(frozen=True, eq=False, init=False)
class PowerCase:
    """A least-cost dispatch problem over H hours (shapes: Z zones, G supply segments a zone,
    L lines, S stores, F flexible loads, K shed tiers; MW, MWh and currency/MWh).

    Arrays are converted to C-contiguous float64 (zone indices to int64) and checked. An axis
    that is not given is empty: no lines, stores, flexible loads or shed tiers. Line limits may
    be infinite (the copper plate); every other figure must be finite. A negative `demand_mw` is
    energy that must be taken away.

    Raises:
        ValueError: naming the field, the index and the remedy.

    >>> case = PowerCase(demand_mw=[[50.0]], capacity_mw=[[[80.0]]], cost=[[10.0]])
    >>> case.shape
    Shape(zones=1, segments=1, hours=1, lines=0, stores=0, flexible=0, tiers=0)
    """

    demand_mw: Floats  # (Z,H)
    capacity_mw: Floats  # (Z,G,H) available
    cost: Floats  # (Z,G) or (Z,G,H), any sign
    line_from: Ints  # (L,) zone index
    line_to: Ints  # (L,)
    line_forward_mw: Floats  # (L,) or (L,H)
    line_backward_mw: Floats  # (L,) or (L,H)
    store_zone: Ints  # (S,)
    charge_mw: Floats  # (S,)
    discharge_mw: Floats  # (S,)
    store_mwh: Floats  # (S,)
    charge_efficiency: Floats  # (S,) in (0,1]
    discharge_efficiency: Floats  # (S,) in (0,1]
    flexible_zone: Ints  # (F,)
    flexible_mw: Floats  # (F,H)
    flexible_mwh: Floats  # (F,) over the H hours
    shed_mw: Floats  # (Z,K,H)
    shed_cost: Floats  # (K,)
    unserved_flexible_cost: float

    def __init__(
        self,
        demand_mw: ArrayLike,
        capacity_mw: ArrayLike,
        cost: ArrayLike,
        *,
        line_from: ArrayLike | None = None,
        line_to: ArrayLike | None = None,
        line_forward_mw: ArrayLike | None = None,
        line_backward_mw: ArrayLike | None = None,
        store_zone: ArrayLike | None = None,
        charge_mw: ArrayLike | None = None,
        discharge_mw: ArrayLike | None = None,
        store_mwh: ArrayLike | None = None,
        charge_efficiency: ArrayLike | None = None,
        discharge_efficiency: ArrayLike | None = None,
        flexible_zone: ArrayLike | None = None,
        flexible_mw: ArrayLike | None = None,
        flexible_mwh: ArrayLike | None = None,
        shed_mw: ArrayLike | None = None,
        shed_cost: ArrayLike | None = None,
        unserved_flexible_cost: float | None = None,
    ) -> None:
        demand = _floats("demand_mw", demand_mw, 2)
        zones, hours = demand.shape
        if zones == 0 or hours == 0:
            raise ValueError(f"demand_mw has shape {demand.shape}: give one zone and one hour at least")
        capacity = _floats("capacity_mw", capacity_mw, 3)
        segments = capacity.shape[1]
        _shape("capacity_mw", capacity, ((zones, segments, hours),), "(Z,G,H)")
        price = _floats("cost", cost)
        _shape("cost", price, ((zones, segments), (zones, segments, hours)), "(Z,G) or (Z,G,H)")

        start = _zone_index("line_from", line_from, zones)
        lines = start.shape[0]
        end = _zone_index("line_to", line_to, zones, lines)
        limit_shapes = ((lines,), (lines, hours))
        forward = _group("line_forward_mw", line_forward_mw, limit_shapes, "line_from")
        backward = _group("line_backward_mw", line_backward_mw, limit_shapes, "line_from")

        home = _zone_index("store_zone", store_zone, zones)
        stores = ((home.shape[0],),)
        charge = _group("charge_mw", charge_mw, stores, "store_zone")
        discharge = _group("discharge_mw", discharge_mw, stores, "store_zone")
        store = _group("store_mwh", store_mwh, stores, "store_zone")
        into = _group("charge_efficiency", charge_efficiency, stores, "store_zone")
        out_of = _group("discharge_efficiency", discharge_efficiency, stores, "store_zone")

        place = _zone_index("flexible_zone", flexible_zone, zones)
        loads = place.shape[0]
        flexible = _group("flexible_mw", flexible_mw, ((loads, hours),), "flexible_zone")
        energy = _group("flexible_mwh", flexible_mwh, ((loads,),), "flexible_zone")
        unserved = unserved_flexible_cost
        if unserved is None:
            if loads:
                raise ValueError("unserved_flexible_cost is missing: flexible loads need one, per MWh")
            unserved = 0.0

        tier_cost = np.empty(0) if shed_cost is None else _floats("shed_cost", shed_cost, 1)
        tiers = tier_cost.shape[0]
        shed = _group("shed_mw", shed_mw, ((zones, tiers, hours),), "shed_cost")

        if not np.isfinite(unserved):
            raise ValueError(f"unserved_flexible_cost is {unserved}: give a finite cost per MWh")
        if lines and (start == end).any():
            at = int(np.argmax(start == end))
            raise ValueError(
                f"line_to[{at}] equals line_from[{at}] (zone {end[at]}): a line joins two "
                "zones; leave this one out"
            )

        figures = {
            "demand_mw": demand, "capacity_mw": capacity, "cost": price,
            "line_forward_mw": forward, "line_backward_mw": backward,
            "charge_mw": charge, "discharge_mw": discharge, "store_mwh": store,
            "charge_efficiency": into, "discharge_efficiency": out_of,
            "flexible_mw": flexible, "flexible_mwh": energy,
            "shed_mw": shed, "shed_cost": tier_cost,
        }  # fmt: skip
        for name, values in figures.items():
            if values.size:
                _in_range(name, values)
        # Frozen cases are filled through their dictionary, at a third of the cost of __setattr__.
        self.__dict__.update(
            figures,
            line_from=start, line_to=end, store_zone=home, flexible_zone=place,
            unserved_flexible_cost=float(unserved),
        )  # fmt: skip
        _check_adequacy(self)

    def replace(self, **changes: Any) -> PowerCase:
        """The same case with other figures, of which only these are checked.

        Days of one month share most of their arrays: build the first, replace in the others what differs.
        The axes keep their lengths.

        Raises:
            TypeError: a name that is no field.
            ValueError: naming the field, the index and the remedy.

        >>> case = PowerCase(demand_mw=[[50.0]], capacity_mw=[[[80.0]]], cost=[[10.0]])
        >>> case.replace(demand_mw=[[60.0]]).demand_mw
        array([[60.]])
        """
        if not changes.keys() <= RANGES.keys():
            return replace(self, **changes)  # zone indices and the scalar: checked as a whole
        own = self.__dict__
        other = object.__new__(PowerCase)
        filled = other.__dict__
        filled.update(own)
        for name, given in changes.items():
            values = _floats(name, given)
            if values.shape != own[name].shape:
                hours = own["demand_mw"].shape[1]
                short = own[name].shape[: {"cost": 2}.get(name, 1)]
                shapes = ((*short, hours), short) if name in VARYING else (own[name].shape,)
                if values.shape not in shapes:
                    wanted = " or ".join(str(shape) for shape in shapes)
                    raise ValueError(
                        f"{name} has shape {values.shape}: give {wanted}, as in the case replaced"
                    )
            if values.size:
                _in_range(name, values)
            filled[name] = values
        _check_adequacy(other)
        return other

    @property
    def shape(self) -> Shape:
        """The sizes of the seven axes."""
        zones, segments, hours = self.capacity_mw.shape
        return Shape(
            zones,
            segments,
            hours,
            self.line_from.shape[0],
            self.store_zone.shape[0],
            self.flexible_zone.shape[0],
            self.shed_cost.shape[0],
        )


class Shape(NamedTuple):
    """Sizes of the axes of a case."""

    zones: int
    segments: int
    hours: int
    lines: int
    stores: int
    flexible: int
    tiers: int


class PowerResult(NamedTuple):
    """A dispatch, its prices and the proof that it is least-cost.

    `lower_bound` is the weak-duality bound of the duals found: `objective - lower_bound` is an
    upper bound on what a better dispatch could save. `basis` is opaque: hand it to the next
    `dispatch` of a case of the same shape.
    """

    objective: float
    lower_bound: float
    generation: Floats  # (Z,G,H) MW
    shed: Floats  # (Z,K,H) MW
    flow: Floats  # (L,H) MW, positive from line_from to line_to
    charge: Floats  # (S,H) MW taken from the zone
    discharge: Floats  # (S,H) MW given to the zone
    soc: Floats  # (S,H) MWh at the end of the hour
    flexible: Floats  # (F,H) MW
    unserved_flexible: Floats  # (F,) MWh
    price: Floats  # (Z,H) currency/MWh, dual of the balance
    basis: NDArray[Any]
    pivots: int
    fallbacks: int = 0  # 1 if the compiled solver handed the case to HiGHS


def line_limits(case: PowerCase) -> tuple[Floats, Floats]:
    """Forward and backward limits as (L,H), with a finite figure for an infinite one.

    In some optimum no flow exceeds all that the zones can take in an hour, so that figure
    stands for infinity and the bounds stay boxed.
    """
    shape = case.line_from.shape[0], case.demand_mw.shape[1]
    limits = []
    for given in (case.line_forward_mw, case.line_backward_mw):
        limit = given if given.ndim == 2 else np.broadcast_to(given[:, None], shape)
        if limit.size and not limit.max() < np.inf:
            limit = np.where(np.isinf(limit), _traffic_mw(case), limit)
        limits.append(limit if limit.flags.writeable else np.array(limit, order="C"))
    return limits[0], limits[1]


def _traffic_mw(case: PowerCase) -> Floats:
    """(H,) MW: no less than all that zones can take, or must give away, in the hour."""
    total: Floats = np.abs(case.demand_mw).sum(0) + case.charge_mw.sum() + case.flexible_mw.sum(0)
    return total


def _floats(name: str, values: ArrayLike | None, ndim: int | None = None) -> Floats:
    if values is None:
        raise ValueError(f"{name} is missing: give an array")
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is no array of numbers: {error}") from None
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} has shape {array.shape}: give {ndim} dimensions")
    # The compiled solver knows one type of array; read-only ones are another.
    return array if array.flags.writeable else array.copy()


def _shape(name: str, array: Floats, allowed: tuple[tuple[int, ...], ...], symbols: str) -> None:
    if array.shape not in allowed:
        shapes = " or ".join(str(shape) for shape in allowed)
        raise ValueError(f"{name} has shape {array.shape}: give {shapes}, that is {symbols}")


def _group(name: str, values: ArrayLike | None, allowed: tuple[tuple[int, ...], ...], leader: str) -> Floats:
    """An array that may be left out while its group (lines, stores, ...) is empty."""
    if values is None:
        if 0 not in allowed[-1]:
            raise ValueError(f"{name} is missing: give shape {allowed[-1]}, as {leader} is given")
        return np.zeros(allowed[-1])
    array = _floats(name, values)
    if array.shape not in allowed:
        if array.size == 0 and 0 in allowed[-1]:
            return np.zeros(allowed[-1])
        shapes = " or ".join(str(shape) for shape in allowed)
        raise ValueError(f"{name} has shape {array.shape}: give {shapes}, to agree with {leader}")
    return array


def _zone_index(name: str, values: ArrayLike | None, zones: int, length: int | None = None) -> Ints:
    if values is None:
        if length:
            raise ValueError(f"{name} is missing: give shape ({length},)")
        return np.empty(0, dtype=np.int64)
    given = np.asarray(values)
    if given.ndim != 1 or (length is not None and given.shape[0] != length):
        wanted = "(n,)" if length is None else f"({length},)"
        raise ValueError(f"{name} has shape {given.shape}: give {wanted} zone indices")
    if given.size == 0:
        return np.empty(0, dtype=np.int64)
    if given.dtype.kind not in "iu":
        raise ValueError(f"{name} has dtype {given.dtype}: give integer zone indices")
    if given.min() < 0 or given.max() >= zones:
        at = int(np.argmax((given < 0) | (given >= zones)))
        raise ValueError(
            f"{name}[{at}] is zone {given[at]}, but there are {zones} zones: give 0 to {zones - 1}"
        )
    return np.ascontiguousarray(given, dtype=np.int64)


def _in_range(name: str, array: Floats) -> None:
    """Refuse what lies outside the range of its field; a NaN makes every comparison false."""
    low, high = RANGES[name]
    least, most = _least(array, None), _most(array, None)
    if high == 1.0:
        if not (least > 0.0 and most <= 1.0):
            at = _first(~((array > 0.0) & (array <= 1.0)))
            raise ValueError(f"{name}{list(at)} is {array[at]}: give more than 0 and at most 1")
    elif low != 0.0:
        if not (least > -np.inf and most < np.inf):
            at = _first(~np.isfinite(array))
            raise ValueError(f"{name}{list(at)} is {array[at]}: give a finite number")
    else:
        infinite = name.startswith("line_")
        if not (least >= 0.0 and (infinite or most < np.inf)):
            at = _first(~(array >= 0.0) if infinite else ~((array >= 0.0) & (array < np.inf)))
            wanted = "0 or more" if infinite else "a finite number, 0 or more"
            raise ValueError(f"{name}{list(at)} is {array[at]}: give {wanted}")


def _first(bad: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))


def _check_adequacy(case: PowerCase) -> None:
    """Refuse a zone and hour that could not be balanced even with every neighbour's help."""
    demand = case.demand_mw
    low = demand.min()
    if case.shed_cost.size and low >= 0.0 and (case.shed_mw.sum(1) >= demand).all():
        return  # the ordinary case: shedding alone covers it
    own = case.capacity_mw.sum(1) + case.shed_mw.sum(1)
    if low >= 0.0 and (own >= demand).all():
        return
    forward, backward = line_limits(case)
    bring = own.copy()
    np.add.at(bring, case.store_zone, case.discharge_mw[:, None])
    np.add.at(bring, case.line_to, forward)
    np.add.at(bring, case.line_from, backward)
    short = bring < demand * (1.0 - 1e-12)
    if short.any():
        z, h = _first(short)
        raise InfeasibleCaseError(
            f"demand_mw[{z}, {h}] is {demand[z, h]} MW, above the {bring[z, h]} MW that supply, "
            "lines, stores and shedding can bring: raise shed_mw there, or capacity_mw"
        )
    if low < 0.0:
        take = demand.copy()
        np.add.at(take, case.store_zone, case.charge_mw[:, None])
        np.add.at(take, case.flexible_zone, case.flexible_mw)
        np.add.at(take, case.line_from, forward)
        np.add.at(take, case.line_to, backward)
        long = take < -1e-12 * np.abs(demand)
        if long.any():
            z, h = _first(long)
            raise InfeasibleCaseError(
                f"demand_mw[{z}, {h}] is {demand[z, h]} MW, more than lines, stores and flexible "
                "load can take away: give must-run energy as supply of negative cost instead"
            )
