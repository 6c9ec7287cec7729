"""What capacity the years ahead will bring, counted from what stands and what is under way."""

from __future__ import annotations

from abm.core.jit import kernel

(MONTH, LIFE_MONTHS, REPLACEMENT_CHANCE, PIPELINE_CHANCE, MW_PER_KW, TERMS) = range(6)
"""Places in ``terms``."""

FAR = 1_000_000
"""A month that is not known."""


@kernel(
    [
        "void(float64[::1], int64, int64, int64, int64[::1], int64[::1], int64[::1], int64[::1], int64,"
        "float64[::1], float64[:, ::1], float64[:, ::1], float64[::1], float64[::1], int64[::1], float64[::1])"
    ],
    allocates=False,
)
def supply_ahead(
    terms,  # (TERMS,)
    count,  # sites
    passed,  # statuses of sites that have passed the grid assessment,
    decided,  # and that are decided
    status,  # (S,)
    kind,  # (S,)
    expected,  # (S,) month announced
    ready,  # (S,) month in which the connection is foreseen, FAR or more if it is not
    ai,  # the kind that counts
    mw,  # (S,)
    chips,  # (S,V)
    chip_age,  # (S,V) mean month of delivery
    h100e,  # (V,)
    kw,  # (V,)
    newest,  # (Y,) vintage that will be had so many years ahead
    out,  # (Y,) H100-equivalents
):
    """Machines that reach their age are replaced by those that will then be had, at a chance; so are sites built."""
    month, vintages = terms[MONTH], kw.size
    for k in range(newest.size):
        out[k] = 0.0
    for v in range(vintages):
        slots, born = 0.0, 0.0
        for row in range(count):
            slots += chips[row, v]
            born += chips[row, v] * chip_age[row, v]
        if slots <= 0.0:
            continue
        born /= slots
        for k in range(newest.size):
            if month + 12 * k - born < terms[LIFE_MONTHS]:
                out[k] += slots * h100e[v]
            else:
                best = newest[k]
                out[k] += terms[REPLACEMENT_CHANCE] * slots * kw[v] * h100e[best] / kw[best]
    for row in range(count):
        if kind[row] != ai or (status[row] != passed and status[row] != decided):
            continue
        chance = terms[PIPELINE_CHANCE] * (1.0 if status[row] == decided else 0.5)
        opening = max(float(expected[row]), ready[row] if ready[row] < FAR else month)
        years = max((opening - month) / 12.0, 0.0)
        for k in range(newest.size):
            if years <= k:
                best = newest[k]
                out[k] += mw[row] * chance / (kw[best] * terms[MW_PER_KW]) * h100e[best]
