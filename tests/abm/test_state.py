"""The state starts from the world's tables, has room to grow, and never writes back into the world."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from abm.calendar import NEVER
from abm.quantities import Parameters
from abm.state import (
    AI,
    ANNOUNCED,
    DECIDED,
    ENERGISED,
    FAB,
    FINANCE,
    GROWTH_SLOTS,
    HIDDEN,
    STATUS,
    STEPS,
    WITHDRAWN,
    Sites,
    State,
)
from abm.world import World
from runs.worlds.loader import load

FIRST, SECOND, ONE, TWO = range(4)
"""Rows of north-one (operating), north-two (building), south-one and south-two (announced)."""


def sites(world: World | None = None, **settings: float) -> Sites:
    world = world or load("toy")
    return Sites(world, Parameters(world.quantities, settings))


def state() -> State:
    world = load("toy")
    return State(world, Parameters(world.quantities), world.calendar.months)


def test_each_site_stands_where_its_table_says() -> None:
    one = sites()
    assert one.key == ["north-one", "north-two", "south-one", "south-two"]
    assert one.status[:4].tolist() == [ENERGISED, DECIDED, HIDDEN, HIDDEN]
    assert one.started_before[:4].tolist() == [True, True, False, False]
    assert one.built[:4].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert one.equipment[:4].tolist() == [10.0, 0.0, 0.0, 0.0]
    assert [STATUS[status] for status in one.status[:3]] == ["energised", "decided", "hidden"]


def test_steps_before_the_run_have_dates_and_steps_to_come_have_none() -> None:
    one = sites()
    expected = load("toy").calendar.index("2023-06")
    assert {name: int(one.step[name][FIRST]) for name in STEPS} == dict.fromkeys(STEPS, expected)
    assert one.step["decided"][SECOND] == load("toy").calendar.index("2024-10")
    assert one.step["energised"][SECOND] == one.step["applied"][ONE] == NEVER


def test_a_building_announced_after_the_start_is_known_to_nobody_before() -> None:
    world = load("toy")
    announced = world.sites.announced.copy()
    announced[SECOND] = 5
    later = dataclasses.replace(
        world, tables={**world.tables, "sites": world.sites.replace(announced=announced)}
    )
    one = sites(later)
    assert one.status[SECOND] == HIDDEN
    assert all(one.step[name][SECOND] == NEVER for name in STEPS)


def test_a_phase_points_to_the_one_it_waits_for() -> None:
    one = sites()
    assert one.after[:4].tolist() == [-1, -1, -1, ONE]
    assert [FINANCE[kind] for kind in one.finance[:4]] == ["corporate", "corporate", "project", "project"]


def test_a_building_of_unknown_cost_stays_unknown() -> None:
    one = sites()
    assert np.isnan(one.shell_cost[:3]).all()
    assert one.shell_cost[TWO] == 500e9


def test_free_rows_are_empty_and_never_found() -> None:
    one = sites()
    assert one.count == one.announced_rows == 4
    assert len(one.mw) == len(one.wait_reason) == 4 + GROWTH_SLOTS
    assert one.live == slice(0, 4)
    assert not one.mw[4:].any()
    assert (one.owner[4:] == -1).all()
    assert (one.announced[4:] == NEVER).all()
    assert one.rows(HIDDEN).tolist() == [ONE, TWO]


def test_rows_are_found_by_any_of_several_statuses() -> None:
    one = sites()
    assert one.rows(ENERGISED, DECIDED).tolist() == [FIRST, SECOND]
    one.status[ONE] = ANNOUNCED
    one.status[TWO] = WITHDRAWN
    assert one.rows(ANNOUNCED).tolist() == [ONE]
    assert one.rows(WITHDRAWN, ENERGISED).tolist() == [FIRST, TWO]


def test_a_row_taken_for_growth_is_found_once_counted() -> None:
    one = sites()
    one.status[4] = ANNOUNCED
    assert 4 not in one.rows(ANNOUNCED)
    one.count = 5
    assert 4 in one.rows(ANNOUNCED)


@pytest.mark.parametrize("load_gw", [0.0, 0.5, 12.0])
def test_fabs_share_the_load_the_world_is_set_to_and_ai_sites_keep_theirs(load_gw: float) -> None:
    world = load("toy")
    kinds = world.sites.replace(kind=("ai", "fab", "ai", "fab"))
    one = sites(dataclasses.replace(world, tables={**world.tables, "sites": kinds}), fab_load_gw=load_gw)
    assert one.mw[one.kind == FAB].tolist() == pytest.approx([load_gw * 250.0, load_gw * 750.0])
    assert one.mw[:4][one.kind[:4] == AI].tolist() == [10.0, 40.0]


def test_fabs_without_load_are_never_announced() -> None:
    world = load("toy")
    kinds = world.sites.replace(kind=("ai", "ai", "ai", "fab"))
    one = sites(dataclasses.replace(world, tables={**world.tables, "sites": kinds}), fab_load_gw=0.0)
    assert one.announced[TWO] == NEVER
    assert one.announced[ONE] == load("toy").sites.announced[ONE]


def test_what_is_installed_at_the_start_is_the_stock() -> None:
    one, stock = state(), load("toy").stock
    assert one.chips.sum() == stock.gpus.sum()
    for site, vintage, gpus in zip(stock.site, stock.vintage, stock.gpus, strict=True):
        assert one.chips[site, vintage] == gpus
    assert not one.store.any()


def test_existing_lines_are_ready_and_planned_ones_have_work_left() -> None:
    one, lines = state(), load("toy").lines
    existing = np.array([status == "existing" for status in lines.status])
    assert existing.any()
    assert not existing.all()
    assert (one.line_ready[existing] == -1).all()
    assert (one.line_ready[~existing] == NEVER).all()
    assert not one.line_left[existing].any()
    np.testing.assert_array_equal(one.line_left[~existing], np.maximum(lines.due[~existing], 0))


def test_a_run_never_writes_into_its_world() -> None:
    world = load("toy")
    before = {
        (name, column): np.array(values)
        for name, table in world.tables.items()
        for column, values in table.columns.items()
    }
    one = state()
    written: list[Any] = [value for part in (one, one.sites) for value in vars(part).values()]
    for value in written:
        if isinstance(value, np.ndarray):
            value[...] = 7
    for (name, column), values in before.items():
        np.testing.assert_array_equal(np.array(world.tables[name].columns[column]), values)
