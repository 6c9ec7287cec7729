"""Lines, stores and flexible loads that behave as one are solved as one, exactly.

Parallel lines add up. Stores in one zone with the same efficiencies and the same hours of charge,
discharge and content are copies on different scales: of any dispatch of their sum, each can do its
share, and any dispatch of them adds up to one of their sum. The same holds for flexible loads of
one zone whose profiles and energies are in proportion. What can do nothing (not yet built, no
energy wanted) is left out. A price solve without line limits, where all zones' stores meet in one
node, shrinks a lot.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..jit import helper, kernel
from .case import Floats, Ints, PowerCase
from .days import PowerDays

ALIKE = 1e-13  # relative difference of two proportions that are the same
SIZES = 7  # figures at the head of a plan


class Merged(NamedTuple):
    """A case of the same cost, mostly smaller (l lines, s stores, f loads), and what its answer means."""

    plan: Ints  # Z, G, H, l, s, f, K; then the two ends of each line, store_zone, flexible_zone; -1
    limits: Floats  # (4,L,1) or (4,L,H): forward and backward of the l lines; parts of them by original
    stores: Floats  # (5,S): efficiencies in and out, charge, discharge, content of the s stores
    energy: Floats  # (F,) MWh of the f loads
    power: Floats  # (F,H) MW
    rows: Ints  # lines, stores, loads of the original, then the merged row of each; -1: left out
    store_part: Floats  # (S,1) of each original in its row
    load_part: Floats  # (F,1)

    @property
    def few(self) -> tuple[int, int, int]:
        """Lines, stores and flexible loads that are left."""
        lines, stores, loads = self.plan[3:6].tolist()
        return lines, stores, loads


def merge(case: PowerCase | PowerDays, kept: dict[tuple[int, ...], Merged] | None = None) -> Merged:
    """The case with all that is alike merged; memory of a case of these sizes in ``kept`` is used again."""
    zones, segments, hours = case.capacity_mw.shape[-3:]
    lines, stores, loads = case.line_from.size, case.store_zone.size, case.flexible_zone.size
    forward, backward = case.line_forward_mw, case.line_backward_mw
    if forward.ndim != backward.ndim:  # both by hour, or neither
        forward, backward = _hourly(forward, hours), _hourly(backward, hours)
    elif forward.ndim == 1:
        forward, backward = forward[:, None], backward[:, None]
    sizes = lines, stores, loads, hours, forward.shape[1]
    merged = None if kept is None else kept.get(sizes)
    if merged is None:
        merged = _memory(*sizes)
        if kept is not None:
            kept[sizes] = merged
    _gather(
        zones, segments, hours, case.shed_cost.size,
        case.line_from, case.line_to, forward, backward,
        case.store_zone, case.charge_efficiency, case.discharge_efficiency,
        case.charge_mw, case.discharge_mw, case.store_mwh,
        case.flexible_zone, case.flexible_mwh, case.flexible_mw,
        *merged,
    )  # fmt: skip
    return merged


def _memory(lines: int, stores: int, loads: int, hours: int, varying: int) -> Merged:
    return Merged(
        plan=np.empty(SIZES + 2 * lines + stores + loads, np.int64),
        limits=np.empty((4, lines, varying)),
        stores=np.empty((5, stores)),
        energy=np.empty(loads),
        power=np.empty((loads, hours)),
        rows=np.empty(3 + lines + stores + loads, np.int64),
        store_part=np.empty((stores, 1)),
        load_part=np.empty((loads, 1)),
    )


def _hourly(limit: Floats, hours: int) -> Floats:
    return limit if limit.ndim == 2 else np.repeat(limit[:, None], hours, axis=1)


@helper
def _same(a, b):
    return abs(a - b) <= ALIKE * a


@kernel(
    [
        "void(int64, int64, int64, int64,"
        "int64[::1], int64[::1], float64[:, ::1], float64[:, ::1],"
        "int64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
        "int64[::1], float64[::1], float64[:, ::1],"
        "int64[::1], float64[:, :, ::1], float64[:, ::1], float64[::1], float64[:, ::1],"
        "int64[::1], float64[:, ::1], float64[:, ::1])"
    ],
    allocates=False,
)
def _gather(
    zones, segments, hours, tiers,
    line_from, line_to, forward, backward,
    store_zone, into, out_of, charge, discharge, content,
    flexible_zone, flexible_mwh, flexible_mw,
    plan, limits, store, energy, power, rows, store_part, load_part,
):  # fmt: skip
    """Find what is alike and add it up; the last line is written."""
    lines, stores, loads = line_from.size, store_zone.size, flexible_zone.size
    rows[0], rows[1], rows[2] = lines, stores, loads
    plan[0], plan[1], plan[2], plan[6] = zones, segments, hours, tiers

    ends = plan[SIZES:]
    few_lines = 0
    finite = True
    for i in range(lines):
        for h in range(forward.shape[1]):
            finite = finite and forward[i, h] < np.inf and backward[i, h] < np.inf
    for i in range(lines):
        alive = not finite  # a line without limit is left as it is, and so are the others then
        for h in range(forward.shape[1]):
            alive = alive or forward[i, h] > 0.0 or backward[i, h] > 0.0
        g = few_lines if alive else -1
        if alive and finite:
            for k in range(few_lines):
                if ends[2 * k] == line_from[i] and ends[2 * k + 1] == line_to[i]:
                    g = k
                    break
        rows[3 + i] = g
        if g == few_lines:
            ends[2 * g], ends[2 * g + 1] = line_from[i], line_to[i]
            limits[0, g], limits[1, g] = 0.0, 0.0
            few_lines += 1
        if g >= 0:
            for h in range(forward.shape[1]):
                limits[0, g, h] += forward[i, h]
                limits[1, g, h] += backward[i, h]
    for i in range(lines):
        g = rows[3 + i]
        for h in range(forward.shape[1]):
            if few_lines == lines:
                limits[2, i, h], limits[3, i, h] = 1.0, 1.0
                continue
            limits[2, i, h] = forward[i, h] / limits[0, g, h] if forward[i, h] > 0.0 else 0.0
            limits[3, i, h] = backward[i, h] / limits[1, g, h] if backward[i, h] > 0.0 else 0.0

    home = ends[2 * few_lines :]
    few_stores = 0
    for i in range(stores):
        # the first of its kind stays in `store_part` until the parts are known
        g = few_stores if charge[i] != 0.0 and discharge[i] != 0.0 else -1
        if g >= 0:
            for k in range(few_stores):
                first = np.int64(store_part[k, 0])
                if (
                    home[k] == store_zone[i]
                    and store[0, k] == into[i]
                    and store[1, k] == out_of[i]
                    and _same(charge[i] * discharge[first], charge[first] * discharge[i])
                    and _same(charge[i] * content[first], charge[first] * content[i])
                ):
                    g = k
                    break
        rows[3 + lines + i] = g
        if g == few_stores:
            home[g], store_part[g, 0] = store_zone[i], i
            store[0, g], store[1, g] = into[i], out_of[i]
            store[2, g], store[3, g], store[4, g] = 0.0, 0.0, 0.0
            few_stores += 1
        if g >= 0:
            store[2, g] += charge[i]
            store[3, g] += discharge[i]
            store[4, g] += content[i]
    for i in range(stores):
        g = rows[3 + lines + i]
        store_part[i, 0] = charge[i] / store[2, g] if g >= 0 else 0.0

    place = home[few_stores:]
    few_loads = 0
    for i in range(loads):
        g = few_loads if flexible_mwh[i] != 0.0 else -1
        if g >= 0:
            for k in range(few_loads):
                first = np.int64(load_part[k, 0])
                if place[k] != flexible_zone[i]:
                    continue
                alike = True
                for h in range(flexible_mw.shape[1]):
                    here = flexible_mw[i, h] * flexible_mwh[first]
                    alike = alike and _same(here, flexible_mw[first, h] * flexible_mwh[i])
                if alike:
                    g = k
                    break
        rows[3 + lines + stores + i] = g
        if g == few_loads:
            place[g], load_part[g, 0] = flexible_zone[i], i
            energy[g] = 0.0
            power[g] = 0.0
            few_loads += 1
        if g >= 0:
            energy[g] += flexible_mwh[i]
            for h in range(flexible_mw.shape[1]):
                power[g, h] += flexible_mw[i, h]
    for i in range(loads):
        g = rows[3 + lines + stores + i]
        load_part[i, 0] = flexible_mwh[i] / energy[g] if g >= 0 else 0.0
    plan[3], plan[4], plan[5] = few_lines, few_stores, few_loads
    place[few_loads:] = -1
