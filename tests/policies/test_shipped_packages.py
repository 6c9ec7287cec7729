"""The packages that ship say what design and public announcements say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from abm.board import Board
from abm.calendar import Calendar, parse_month
from policies import Package, catalogue, shipped_packages
from policies.library import FOLDER, Library

LEVERS = catalogue()
DECADE = Calendar.between("2025-01", "2035-12")
CUT_OFF = parse_month("2025-11")
WITH_BASE = (
    "grid-first",
    "renewables-first",
    "nuclear-return",
    "startup-access",
    "sovereign-chips",
    "open-hub",
)


@cache
def package(name: str) -> Package:
    def read(path: Path) -> Mapping[str, Any]:
        return tomllib.loads(path.read_text(encoding="utf-8"))

    library = Library(read, LEVERS, currency="KRW")
    found = library.package(FOLDER / f"{name}.toml")
    assert not library.problems
    assert found is not None
    return found


def in_force(name: str, handle: str) -> list[float]:
    """The lever by month of the decade when its owner enacts each target at once."""
    found = package(name)
    board = Board(list(LEVERS.values()), found.targets(DECADE.first), found.triggers, DECADE.months)
    for month in range(DECADE.months):
        if board.target(handle, month) != board.announced(handle):
            board.enact(handle, board.target(handle, month), month, "owner")
    return [board.value(handle, month) for month in range(DECADE.months)]


def test_all_that_design_names_are_there() -> None:
    assert set(shipped_packages()) == {"as-announced", "no-policy", "adaptive", *WITH_BASE}


@pytest.mark.parametrize("name", shipped_packages())
def test_every_package_has_title_and_purpose(name: str) -> None:
    assert package(name).title != name
    assert package(name).about.endswith(".")


def test_no_policy_sets_nothing() -> None:
    assert not package("no-policy").schedule
    assert not package("no-policy").triggers


def test_nothing_of_as_announced_is_decided_after_the_cut_off_but_steps_announced_before() -> None:
    for handle, steps in package("as-announced").schedule.items():
        assert steps[0][0] <= CUT_OFF, f"{handle} starts with what nobody had announced"


def test_nobody_knows_in_january_2025_what_was_announced_later() -> None:
    known = {
        handle for handle, steps in package("as-announced").schedule.items() if steps[0][0] <= DECADE.first
    }
    assert known == {"regional_siting_incentive"}


def test_the_state_buys_what_it_has_announced() -> None:
    monthly = [value / 12 for value in in_force("as-announced", "state_gpu_purchases")]
    bought = {
        year: round(sum(monthly[month] for month in DECADE.months_of_year(year))) for year in DECADE.years
    }
    assert {year: count for year, count in bought.items() if count} == {
        2025: 13_000,
        2026: 15_000,
        2027: 11_000,
        2028: 11_000,
    }


def test_the_waiver_of_connection_charges_ends_when_it_was_said_to_end() -> None:
    waived = in_force("as-announced", "regional_siting_incentive")
    assert waived[DECADE.index("2026-05")] == 0.5
    assert waived[DECADE.index("2026-06")] == 0


@pytest.mark.parametrize("name", WITH_BASE)
def test_alternatives_share_the_past_with_as_announced_and_differ_after(name: str) -> None:
    found, base = package(name), package("as-announced")
    assert found.base == "as-announced"
    own = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["levers"]
    assert len(own) >= 3
    for lever in own:
        handle = LEVERS[lever].handle
        steps, before = found.schedule[handle], base.schedule.get(handle, ())
        assert [step for step in steps if step[0] <= CUT_OFF] == [
            step for step in before if step[0] <= CUT_OFF
        ]
        stood = before[-1][1] if before else LEVERS[lever].default
        reach = LEVERS[lever].high - LEVERS[lever].low
        assert abs(steps[-1][1] - stood) > 0.05 * reach, f"{name} hardly moves {lever}"
    others = {handle for handle in base.schedule if handle not in {LEVERS[lever].handle for lever in own}}
    assert all(found.schedule[handle] == base.schedule[handle] for handle in others)


@pytest.mark.parametrize(
    ("name", "more", "less"),
    [
        ("grid-first", ("grid_investment", "grid_fast_track", "nonfirm_connection", "queue_deposit"), ()),
        ("renewables-first", ("renewable_auction_gw", "storage_auction_gw", "coal_retirement_gw"), ()),
        ("nuclear-return", ("nuclear_extension_gw",), ("renewable_auction_gw",)),
        ("startup-access", ("startup_voucher_share", "state_gpu_purchases"), ()),
        ("sovereign-chips", ("npu_preference", "domestic_hbm_reserve"), ("data_openness",)),
        ("open-hub", ("data_openness", "foreign_capital_openness", "guarantee_share"), ()),
    ],
)
def test_a_package_moves_what_its_name_says(name: str, more: tuple[str, ...], less: tuple[str, ...]) -> None:
    for handle in more:
        assert in_force(name, handle)[-1] > in_force("as-announced", handle)[-1]
    for handle in less:
        assert in_force(name, handle)[-1] < in_force("as-announced", handle)[-1]


def test_adaptive_is_as_announced_with_signposts() -> None:
    adaptive = package("adaptive")
    assert adaptive.schedule == package("as-announced").schedule
    assert {trigger.package for trigger in adaptive.triggers} >= {"grid-first", "startup-access"}
    by_indicator = {trigger.indicator: trigger for trigger in adaptive.triggers}
    queue = by_indicator["grid_queue_mw"]
    assert (queue.comparison, queue.value, queue.by) == (">", 3000, parse_month("2028-12"))
    assert all(trigger.switching_cost > 0 and trigger.changes for trigger in adaptive.triggers)


@pytest.mark.parametrize("name", shipped_packages())
def test_every_value_of_a_package_has_its_reason_above_it(name: str) -> None:
    lines = (FOLDER / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    for above, line in pairwise(lines):
        if re.match(r"(\w+) = ", line) and line.split(" = ")[0] in LEVERS:
            assert above.startswith("#"), f"no reason for: {line}"
