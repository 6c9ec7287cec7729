"""Lines, stores and flexible loads that behave as one are solved as one, exactly.

Parallel lines add up. Stores in one zone with the same efficiencies and the same hours of charge,
discharge and content are copies on different scales: of any dispatch of their sum, each can do its
share, and any dispatch of them adds up to one of their sum. The same holds for flexible loads of
one zone whose profiles and energies are in proportion. What can do nothing (not yet built, no
energy wanted) is left out. A price solve without line limits, where all zones' stores meet in one
node, shrinks a lot.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .case import Floats, Ints, PowerCase

ALIKE = 1e-13  # relative difference of two proportions that are the same


class Shares(NamedTuple):
    """Which merged row each original row belongs to (-1: left out), and its part of it."""

    row: Ints
    part: Floats  # of lines (L,1) or (L,H), of flows in their direction
    back: Floats  # of flows against it


class Merged(NamedTuple):
    """A case of the same cost, mostly smaller, and what its answer means for the original."""

    case: PowerCase
    rows: Ints  # lines, stores, loads of the original, then the merged row of each
    lines: Shares
    stores: Shares
    loads: Shares


STORE = (
    "store_zone",
    "charge_efficiency",
    "discharge_efficiency",
    "charge_mw",
    "discharge_mw",
    "store_mwh",
)
LOAD = ("flexible_zone", "flexible_mwh", "flexible_mw")
LINE = ("line_from", "line_to", "line_forward_mw", "line_backward_mw")


def merge(case: PowerCase) -> Merged:
    """The case with all that is alike merged."""
    lines, stores, loads = case.line_from.size, case.store_zone.size, case.flexible_zone.size
    whole = case.__dict__
    changes: dict[str, Any] = {}
    shares = [_whole(lines), _whole(stores), _whole(loads)]
    for k, (size, find, names) in enumerate(
        ((lines, _alike_lines, LINE), (stores, _alike_stores, STORE), (loads, _alike_loads, LOAD))
    ):
        found = find(*[whole[name].tobytes() for name in names]) if size else None
        if found is not None:
            changes.update(zip(names, found[0], strict=True))
            shares[k] = found[1]
    rows = np.concatenate([_sizes(lines, stores, loads), shares[0].row, shares[1].row, shares[2].row])
    if not changes:
        return Merged(case, rows, *shares)
    smaller = object.__new__(PowerCase)  # checked already, and so not checked again
    smaller.__dict__.update(whole)
    smaller.__dict__.update(changes)
    return Merged(smaller, rows, *shares)


@lru_cache(maxsize=64)
def _sizes(lines: int, stores: int, loads: int) -> Ints:
    return np.array([lines, stores, loads])


@lru_cache(maxsize=64)
def _whole(size: int) -> Shares:
    """Nothing is merged."""
    return Shares(np.arange(size), np.ones((size, 1)), np.ones((size, 1)))


# These depend on their arguments alone, which change seldom in a run: a look-up instead of loops.


@lru_cache(maxsize=256)
def _alike_lines(
    start: bytes, end: bytes, ahead: bytes, behind: bytes
) -> tuple[tuple[Any, ...], Shares] | None:
    """Merged arrays in the order of LINE, and the shares; None if no lines are parallel or dead."""
    pair = np.stack([np.frombuffer(start, dtype=np.int64), np.frombuffer(end, dtype=np.int64)], axis=1)
    forward = np.frombuffer(ahead).reshape(pair.shape[0], -1)
    backward = np.frombuffer(behind).reshape(pair.shape[0], -1)
    if np.isinf(forward).any() or np.isinf(backward).any():
        return None
    row: list[int] = []
    first: list[int] = []
    groups: dict[tuple[int, int], int] = {}
    for i, (a, b) in enumerate(pair.tolist()):
        if not (forward[i].any() or backward[i].any()):
            row.append(-1)
            continue
        if (a, b) not in groups:
            groups[a, b] = len(first)
            first.append(i)
        row.append(groups[a, b])
    if len(first) == len(row):
        return None
    totals = [_sums(row, limits, len(first)) for limits in (forward, backward)]
    parts = [_parts(row, limits, total) for limits, total in zip((forward, backward), totals, strict=True)]
    return (pair[first, 0], pair[first, 1], *totals), Shares(np.array(row), parts[0], parts[1])


def _parts(row: list[int], limits: Floats, totals: Floats) -> Floats:
    """Each line's part of the flow of its group: as of its limit."""
    part = np.zeros(limits.shape)
    for i, g in enumerate(row):
        if g >= 0:
            np.divide(limits[i], totals[g], out=part[i], where=totals[g] > 0.0)
    return part


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
    part = [[value / sums[g]] if g >= 0 else [0.0] for g, value in zip(row, values.tolist(), strict=True)]
    return Shares(np.array(row), np.array(part), np.array(part))
