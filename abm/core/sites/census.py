"""Sites and their machines counted once a month, for what is recorded.

Shapes: S sites, V vintages, O owners, Z zones.
"""

from __future__ import annotations

from abm.core.jit import kernel

(
    GPUS,
    H100E,
    LEADER_H100E,
    NPU_H100E,
    OWNED_H100E,
    SQUARES,
    RUNNING_MW,
    QUEUE_MW,
    DUE_MW,
    DUE_RUNNING_MW,
    ALIVE_MW,
    LATE_MW_MONTHS,
    GUARANTEED,
    FIGURES,
) = range(14)
"""Places in ``out``. GPUS counts accelerators at work without home-made processors, and SQUARES the sum of their squares
by owner; H100E is at work, OWNED_H100E with what waits; DUE is announced for today or earlier, ALIVE what of it was not
withdrawn."""


@kernel(
    [
        "void(int64, int64, int64, int64, int64, int64, int64, boolean[::1], int64[::1], int64[::1], float64[::1],"
        "int64[::1], boolean[::1], int64[::1], int64[::1], int64[::1], int64[::1], float64[:, ::1], float64[:, ::1],"
        "boolean[::1], boolean[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1])"
    ],
    allocates=False,
)
def census(
    month,
    count,  # sites
    announced_rows,  # sites that were announced; the others were originated during the run
    ai,  # kind of a site that holds accelerators
    running,  # status of a site that runs
    withdrawn,  # status of a site that was given up
    never,  # the month of what has not happened
    waiting,  # (statuses,) whether a site of that status waits for the grid
    kind,  # (S,)
    status,  # (S,)
    mw,  # (S,)
    connected,  # (S,) month
    started_before,  # (S,)
    expected,  # (S,) month
    announced,  # (S,) month
    energised,  # (S,) month
    owner,  # (S,) number of the owner
    chips,  # (S,V) at work
    store,  # (S,V) waiting
    is_npu,  # (V,) home-made
    is_leader,  # (V,) made by the leading maker
    h100e,  # (V,)
    loan,  # (S,) currency
    guaranteed,  # (S,) share
    by_owner,  # out (O,) GPUs
    out,  # out (FIGURES,)
):
    """Count sites and machines in one pass: ``out`` gets the sums, ``by_owner`` the accelerators of each owner."""
    out[:] = 0.0
    by_owner[:] = 0.0
    for row in range(count):
        gpus = 0.0
        for v in range(h100e.size):
            number, waits = chips[row, v], store[row, v]
            if number == 0.0 and waits == 0.0:
                continue
            work = number * h100e[v]
            out[H100E] += work
            out[OWNED_H100E] += work + waits * h100e[v]
            if is_leader[v]:
                out[LEADER_H100E] += work
            if is_npu[v]:
                out[NPU_H100E] += work
            else:
                gpus += number
        by_owner[owner[row]] += gpus
    for o in range(by_owner.size):
        out[GPUS] += by_owner[o]
        out[SQUARES] += by_owner[o] * by_owner[o]
    for row in range(count):
        out[GUARANTEED] += loan[row] * guaranteed[row]
        if kind[row] != ai:
            continue
        if status[row] == running:
            out[RUNNING_MW] += mw[row]
        elif waiting[status[row]] and connected[row] == never and not started_before[row]:
            out[QUEUE_MW] += mw[row]
        if row >= announced_rows or announced[row] > month or not 0 <= expected[row] <= month:
            continue
        out[DUE_MW] += mw[row]
        came = month
        if status[row] == running:
            out[DUE_RUNNING_MW] += mw[row]
            came = min(energised[row], month)
        if status[row] != withdrawn:
            out[ALIVE_MW] += mw[row]
            out[LATE_MW_MONTHS] += mw[row] * max(came - expected[row], 0)


@kernel(
    ["float64(int64, int64, int64, int64[::1], int64[::1], float64[:, ::1], float64[::1])"], allocates=False
)
def at_work(
    count,  # sites
    running,  # status of a site that runs
    which,  # value of ``trait`` that is asked for
    status,  # (S,)
    trait,  # (S,) of the site: its finance, or its owner
    chips,  # (S,V) at work
    h100e,  # (V,)
):
    """H100-equivalents at work at sites whose ``trait`` is ``which``."""
    total = 0.0
    for row in range(count):
        if status[row] == running and trait[row] == which:
            for v in range(h100e.size):
                total += chips[row, v] * h100e[v]
    return total


@kernel(
    ["float64(int64, int64, int64, boolean[::1], int64[::1], int64[::1], int64[::1], float64[::1])"],
    allocates=False,
)
def running_mw(
    count,  # sites
    ai,  # kind of a site that holds accelerators
    running,  # status of a site that runs
    wanted,  # (Z,) whether a zone counts
    kind,  # (S,)
    status,  # (S,)
    zone,  # (S,)
    mw,  # (S,)
):
    """Capacity of AI sites that run in the zones ``wanted``, MW."""
    total = 0.0
    for row in range(count):
        if status[row] == running and kind[row] == ai and wanted[zone[row]]:
            total += mw[row]
    return total
