"""How lines and substations advance, when the sites that passed the grid assessment can be connected, and which are.

Shapes: S sites, L lines, P pools of substations.
"""

from __future__ import annotations

import math

from abm.core.jit import kernel

(MONTH, PASSED, DECIDED, NEVER, HANDOVER, SUBSTATION, NONFIRM_SUBSTATION, TERMS) = range(8)
"""Places in ``terms``: the month, the two statuses that count, the month of what has no date, and in months how long
before its announced date a site under way at the start is handed over, and how long a substation takes."""


@kernel(
    ["int64(int64, int64, float64, float64, float64[::1], int64[::1], float64[::1], float64[::1])"],
    allocates=False,
)
def advance(
    month,
    never,  # the month of what has not happened
    speed,  # months of line work done in a month
    funded,  # share of the grid plan that is paid for
    growth,  # (P,) headroom that a pool gains when all is paid for, MW a year
    line_ready,  # in and out (L,) month in which the line serves, or ``never``
    line_left,  # in and out (L,) months of work left
    headroom,  # in and out (P,) MW
):
    """A month of work on lines and pools of substations; returns how many lines serve from this month on."""
    done = 0
    for line in range(line_ready.size):
        if line_ready[line] != never:
            continue
        # Looked at before the month's work: a line on schedule serves from the month in which it is due.
        if line_left[line] < 1e-9:
            line_ready[line] = month
            done += 1
        line_left[line] -= speed
    for pool in range(headroom.size):
        headroom[pool] += growth[pool] / 12.0 * funded
    return done


@kernel(
    [
        "void(int64[::1], float64, int64, int64[::1], int64[::1], boolean[::1], boolean[::1], int64[::1], int64[::1],"
        "int64[::1], int64[::1], float64[::1], float64[::1], float64[::1], int64[::1], int64[::1], int64[::1])"
    ],
    allocates=False,
)
def foresee(
    terms,  # (TERMS,)
    speed,  # months of line work done in a month, above 0
    count,  # sites
    status,  # (S,)
    permit_due,  # (S,) month
    started_before,  # (S,) under way when the run begins
    nonfirm,  # (S,)
    assessed,  # (S,) month in which the assessment was passed
    expected,  # (S,) month announced
    needs_line,  # (S,) line without which the site cannot be served, or -1
    line_ready,  # (L,) month in which the line serves, or NEVER
    line_left,  # (L,) months of work left
    equipment,  # (S,) MW delivered
    mw,  # (S,)
    permitted,  # (S,) written: month in which the permit came
    ready,  # (S,) written: month in which substation and line can be energised, as now foreseen
    connected,  # (S,) written: month of the connection
):
    """Dates of all sites that have passed. A decided site is connected when ready and all its equipment is there."""
    month, never = terms[MONTH], terms[NEVER]
    for row in range(count):
        if status[row] != terms[PASSED] and status[row] != terms[DECIDED]:
            continue
        if permit_due[row] <= month and permitted[row] == never:
            permitted[row] = month
        if connected[row] != never:
            continue
        if started_before[row]:
            at = expected[row] - terms[HANDOVER]
        elif nonfirm[row]:
            at = assessed[row] + terms[NONFIRM_SUBSTATION]
        else:
            at = assessed[row] + terms[SUBSTATION]
        line = needs_line[row]
        if line >= 0:
            done = line_ready[line]
            if done == never:
                done = month + max(math.ceil(line_left[line] / speed - 1e-9), 0) + 1
            at = max(at, done)
        ready[row] = at
        if at <= month and status[row] == terms[DECIDED] and equipment[row] >= mw[row] - 1e-9:
            connected[row] = month
