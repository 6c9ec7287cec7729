"""Stores and flexible loads that behave as one are solved as one, exactly.

Stores in one zone with the same efficiencies and the same hours of charge, discharge and content
are copies on different scales: of any dispatch of their sum, each can do its share, and any
dispatch of them adds up to one of their sum. The same holds for flexible loads of one zone whose
profiles and energies are in proportion. What can do nothing (no power, or no energy) is left out.
A price solve without line limits, where all zones' stores meet in one node, shrinks a lot.
"""

from __future__ import annotations

from copy import copy
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .case import Floats, Ints, PowerCase, PowerResult

ALIKE = 1e-13  # relative difference of two proportions that are the same


class Shares(NamedTuple):
    """Which merged row each original row belongs to, and its part of it."""

    row: Ints
    share: Floats

    def split(self, merged: Floats) -> Floats:
        """Rows of the merged problem back to the original rows."""
        if merged.shape[0] == 0:
            return np.zeros(self.row.shape + merged.shape[1:])
        part: Floats = merged[self.row]
        part *= self.share if part.ndim == 1 else self.share[:, None]
        return part


class Merged(NamedTuple):
    """A smaller case of the same cost, and how its answer is handed back."""

    case: PowerCase
    stores: Shares | None
    loads: Shares | None

    def split(self, result: PowerResult) -> PowerResult:
        """The answer of the smaller case in the rows of the original."""
        if self.stores is not None:
            result = result._replace(
                charge=self.stores.split(result.charge),
                discharge=self.stores.split(result.discharge),
                soc=self.stores.split(result.soc),
            )
        if self.loads is not None:
            result = result._replace(
                flexible=self.loads.split(result.flexible),
                unserved_flexible=self.loads.split(result.unserved_flexible),
            )
        return result


def merge(case: PowerCase) -> Merged | None:
    """The smaller case; None where nothing can be merged or left out."""
    stores = loads = None
    if case.store_zone.size:
        stores = _alike_stores(*[getattr(case, name).tobytes() for name in STORE])
    if case.flexible_zone.size:
        loads = _alike_loads(
            case.flexible_zone.tobytes(), case.flexible_mwh.tobytes(), case.flexible_mw.tobytes()
        )
    if stores is None and loads is None:
        return None
    smaller = copy(case)
    store_in = object.__setattr__
    if stores is not None:
        for name, values in zip(STORE, stores[0], strict=True):
            store_in(smaller, name, values)
    if loads is not None:
        for name, values in zip(LOAD, loads[0], strict=True):
            store_in(smaller, name, values)
    return Merged(smaller, stores and stores[1], loads and loads[1])


STORE = (
    "store_zone",
    "charge_efficiency",
    "discharge_efficiency",
    "charge_mw",
    "discharge_mw",
    "store_mwh",
)
LOAD = ("flexible_zone", "flexible_mwh", "flexible_mw")


# Both depend on their arguments alone, which change seldom in a run: a look-up instead of loops.


@lru_cache(maxsize=256)
def _alike_stores(*fields: bytes) -> tuple[tuple[Any, ...], Shares] | None:
    """Merged arrays in the order of STORE, and the shares; None if all stores differ."""
    zone = np.frombuffer(fields[0], dtype=np.int64)
    into, out_of, charge, discharge, content = (np.frombuffer(field) for field in fields[1:])
    leaders: dict[tuple[int, float, float], list[int]] = {}
    first: list[int] = []
    row: list[int] = []
    for s in range(zone.size):
        if charge[s] == 0.0 or discharge[s] == 0.0:
            row.append(-1)
            continue
        group = leaders.setdefault((int(zone[s]), float(into[s]), float(out_of[s])), [])
        for g in group:
            leader = first[g]
            if _same(charge[s] * discharge[leader], charge[leader] * discharge[s]) and _same(
                charge[s] * content[leader], charge[leader] * content[s]
            ):
                row.append(g)
                break
        else:
            group.append(len(first))
            row.append(len(first))
            first.append(s)
    if len(first) == zone.size:
        return None
    totals = [_sums(row, values, len(first)) for values in (charge, discharge, content)]
    return (zone[first], into[first], out_of[first], *totals), _shares(row, charge, totals[0])


@lru_cache(maxsize=256)
def _alike_loads(zones: bytes, energies: bytes, powers: bytes) -> tuple[tuple[Any, ...], Shares] | None:
    """Merged arrays in the order of LOAD, and the shares; None if all loads differ."""
    zone, energy = np.frombuffer(zones, dtype=np.int64), np.frombuffer(energies)
    power = np.frombuffer(powers).reshape(zone.size, -1)
    first: list[int] = []
    row: list[int] = []
    for f in range(zone.size):
        if energy[f] == 0.0:
            row.append(-1)
            continue
        for g, leader in enumerate(first):
            here, there = power[f] * energy[leader], power[leader] * energy[f]
            if zone[leader] == zone[f] and (np.abs(here - there) <= ALIKE * here).all():
                row.append(g)
                break
        else:
            row.append(len(first))
            first.append(f)
    if len(first) == zone.size:
        return None
    totals = [_sums(row, values, len(first)) for values in (energy, power)]
    return (zone[first], *totals), _shares(row, energy, totals[0])


def _same(a: float, b: float) -> bool:
    return bool(abs(a - b) <= ALIKE * a)


def _sums(row: list[int], values: Floats, groups: int) -> Floats:
    total = np.zeros((groups, *values.shape[1:]))
    for i, g in enumerate(row):
        if g >= 0:
            total[g] += values[i]
    return total


def _shares(row: list[int], values: Floats, totals: Floats) -> Shares:
    sums = totals.tolist()
    part = [value / sums[g] if g >= 0 else 0.0 for g, value in zip(row, values.tolist(), strict=True)]
    return Shares(np.array(row), np.array(part))
