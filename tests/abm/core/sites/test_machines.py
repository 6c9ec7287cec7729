"""Machines are put to work as power allows and go when they are old or no longer pay, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.sites import machines as core
from abm.state import DECIDED, ENERGISED

SITES, COUNT, VINTAGES, ZONES, MONTH = 9, 7, 4, 3, 70


@pytest.mark.parametrize("seed", range(8))
def test_machines_come_to_work_by_efficiency_and_go_by_age_or_rent(seed: int) -> None:
    draw = np.random.default_rng(seed)
    terms, per_kw = np.zeros(core.TERMS), 1.5 / 1000.0
    terms[core.MONTH], terms[core.LIFE_MONTHS] = MONTH, 60.0
    terms[core.MW_PER_KW], terms[core.OVERBOOKING] = per_kw, 1.1
    terms[core.RENT], terms[core.POWER] = 2.0, 3.0
    status, zone = draw.choice([DECIDED, ENERGISED], SITES), draw.integers(0, ZONES, SITES)
    mw, price = draw.uniform(0.0, 1.0, SITES), draw.uniform(0.1, 2.0, ZONES)
    h100e, kw = draw.uniform(0.5, 4.0, VINTAGES), draw.uniform(0.7, 2.0, VINTAGES)
    best = np.argsort(-h100e / kw)
    born = draw.integers(0, MONTH + 1, (SITES, VINTAGES)).astype(float)
    shape = SITES, VINTAGES
    store, chips = (draw.uniform(0.0, 200.0, shape) * (draw.random(shape) < 0.6) for _ in range(2))
    waits, works = store.copy(), chips.copy()
    rows, vintages = np.zeros((2, SITES * VINTAGES), np.int64)
    scrapped, by_age = np.zeros(SITES * VINTAGES), np.zeros(SITES * VINTAGES, np.bool_)
    found = core.turn_over(
        terms, COUNT, ENERGISED, status, mw, zone, h100e, kw, best, born, price, store, chips, rows, vintages, scrapped,
        by_age,
    )  # fmt: skip

    gone = []
    for row in range(COUNT):
        room = mw[row] * 1.1 - sum((works[row] * kw).tolist()) * per_kw
        for v in best.tolist() if status[row] == ENERGISED else ():
            moved = max(min(waits[row, v], room / (kw[v] * per_kw)), 0.0)
            waits[row, v] -= moved
            works[row, v] += moved
            room -= moved * (kw[v] * per_kw)
        for v in range(VINTAGES):
            age = MONTH - born[row, v]
            pays = h100e[v] * 2.0 >= kw[v] * 3.0 * price[zone[row]]
            if works[row, v] > 0.0 and (age >= 60.0 or (age >= 12.0 and not pays)):
                gone.append((row, v, works[row, v], age >= 60.0))
                works[row, v] = 0.0
    assert store == pytest.approx(waits)
    assert chips == pytest.approx(works)
    assert [*zip(rows[:found], vintages[:found], by_age[:found], strict=True)] == [
        (row, v, old) for row, v, _, old in gone
    ]
    assert scrapped[:found] == pytest.approx([number for _, _, number, _ in gone])
    assert np.array_equal(chips[COUNT:], works[COUNT:]), "rows of sites to come are left alone"
