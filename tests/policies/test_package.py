"""Packages from parsed TOML: schedules, triggers, and everything wrong with them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.board import Board
from abm.calendar import NEVER, parse_month
from policies import catalogue
from policies.package import FROM_START, Draft, Package, parse
from policies.trigger import Trigger

LEVERS = catalogue()
INDICATORS = {"grid_queue_mw": "MW", "price": "KRW/MWh"}
M = parse_month


def draft(text: str, name: str = "test") -> Draft:
    found, problems = parse(tomllib.loads(text), name, LEVERS, indicators=INDICATORS, currency="KRW")
    assert not problems
    return found


def problems_of(text: str) -> list[tuple[str, str]]:
    _, problems = parse(tomllib.loads(text), "test", LEVERS, indicators=INDICATORS, currency="KRW")
    return [(".".join(map(str, path)), message) for path, message in problems]


def test_a_whole_package() -> None:
    package = draft("""
        title = "A title"
        about = "What it does."
        [levers]
        carbon_price = "30_000 KRW/t"
        growth_fund_krw = [{ from = "2026-01", value = 1e12 }, { from = "2027-01", value = "2e12 KRW/year" }]
        [[triggers]]
        name = "queue"
        indicator = "grid_queue_mw"
        above = "3000 MW"
        by = "2028-12"
        switching_cost = "2e11 KRW"
        levers = { grid_fast_track = 0.8, growth_fund_krw = 3e12 }
    """).on(None)
    assert (package.title, package.about) == ("A title", "What it does.")
    assert package.schedule == {
        "carbon_price": ((FROM_START, 30_000.0),),
        "growth_fund": ((M("2026-01"), 1e12), (M("2027-01"), 2e12)),
    }
    changes = {"grid_fast_track": 0.8, "growth_fund": 3e12}
    assert package.triggers == (Trigger("queue", "grid_queue_mw", ">", 3000.0, M("2028-12"), 2e11, changes),)


def test_an_empty_package_is_no_policy() -> None:
    package = draft("").on(None)
    assert (package.title, package.schedule, package.triggers) == ("test", {}, ())


def test_targets_count_months_from_the_start_of_the_run() -> None:
    package = draft("""
        [levers]
        tax_credit = 0.1
        gpu_subsidy = [{ from = "2024-07", value = 0.2 }, { from = "2025-03", value = 0 }]
    """).on(None)
    assert package.targets(M("2025-01")) == {"tax_credit": [(0, 0.1)], "gpu_subsidy": [(-6, 0.2), (2, 0.0)]}
    board = Board(list(LEVERS.values()), package.targets(M("2025-01")), package.triggers, 12)
    assert [board.target("gpu_subsidy", month) for month in range(4)] == [0.2, 0.2, 0.0, 0.0]


def test_a_dated_step_before_the_run_wins_over_what_holds_from_the_start() -> None:
    base = draft("[levers]\ntax_credit = 0.1").on(None)
    package = draft('[levers]\ntax_credit = [{ from = "2024-07", value = 0.2 }]').on(base)
    assert package.targets(M("2025-01")) == {"tax_credit": [(-6, 0.2)]}
    assert package.targets(M("2024-01")) == {"tax_credit": [(0, 0.1), (6, 0.2)]}


def test_a_trigger_without_deadline_and_below() -> None:
    (trigger,) = draft("""
        [[triggers]]
        name = "cheap"
        indicator = "price"
        below = 5
        levers = { tax_credit = 0 }
    """).triggers
    assert (trigger.comparison, trigger.by, trigger.switching_cost) == ("<", NEVER, 0.0)
    assert trigger.passed(4.9)
    assert not trigger.passed(5.0)
    assert not trigger.passed(float("nan"))


LEVER_PROBLEMS: dict[str, tuple[str, str, str]] = {
    "unknown": ("grid_investmnt = 1", "levers.grid_investmnt", "did you mean 'grid_investment'?"),
    "handle": ("growth_fund = 1", "levers.growth_fund", "did you mean 'growth_fund_krw'?"),
    "range": (
        "renewable_auction_gw = 15",
        "levers.renewable_auction_gw",
        "found 15, allowed 0 to 12 GW/year",
    ),
    "unit": ('renewable_auction_gw = "8 GW"', "levers.renewable_auction_gw", "expected the unit 'GW/year'"),
    "type": ("tax_credit = true", "levers.tax_credit", "found true, expected a number in share"),
    "table": ("tax_credit = { from = 1 }", "levers.tax_credit", "found a table, expected a number"),
    "empty": ("tax_credit = []", "levers.tax_credit", "found an empty list"),
    "bare step": ("tax_credit = [0.1]", "levers.tax_credit.0", "found 0.1, expected a step such as"),
    "step key": ('tax_credit = [{ frm = "2026-01", value = 0 }]', "levers.tax_credit.0.frm", "mean 'from'?"),
    "step lacks": (
        'tax_credit = [{ from = "2026-01" }]',
        "levers.tax_credit.0",
        "the key 'value' is missing",
    ),
    "date": ('tax_credit = [{ from = "2026-1", value = 0 }]', "levers.tax_credit.0.from", "expected a month"),
    "day": ("tax_credit = [{ from = 2026-01-01, value = 0 }]", "levers.tax_credit.0.from", "found the date"),
    "order": (
        'tax_credit = [{ from = "2026-01", value = 0 }, { from = "2026-01", value = 0.1 }]',
        "levers.tax_credit.1.from",
        "found 2026-01 after 2026-01",
    ),
    "step range": (
        'tax_credit = [{ from = "2026-01", value = 1 }]',
        "levers.tax_credit.0.value",
        "allowed 0 to 0.35 share",
    ),
}


@pytest.mark.parametrize(("line", "path", "says"), LEVER_PROBLEMS.values(), ids=LEVER_PROBLEMS)
def test_what_is_wrong_with_a_lever(line: str, path: str, says: str) -> None:
    ((found, message), *_) = problems_of(f"[levers]\n{line}")
    assert found == path
    assert says in message


TRIGGER = 'name = "t"\nindicator = "price"\nabove = 1\nby = "2028-12"\nlevers = { tax_credit = 0 }\n'
TRIGGER_PROBLEMS: dict[str, tuple[str, str, str, str]] = {
    "indicator": ('"price"', '"prize"', "triggers.0.indicator", "did you mean 'price'?"),
    "both": ("above = 1", "above = 1\nbelow = 2", "triggers.0", "found both"),
    "neither": ("above = 1", "", "triggers.0", "found neither"),
    "unit": ("above = 1", 'above = "1 MW"', "triggers.0.above", "expected the unit 'KRW/MWh'"),
    "type": ("above = 1", "above = []", "triggers.0.above", "found a list, expected a number in KRW/MWh"),
    "date": ('"2028-12"', '"2028-31"', "triggers.0.by", "expected a month"),
    "key": ("by =", "until =", "triggers.0.until", "which is no key of a trigger"),
    "name": ('name = "t"', "", "triggers.0", "the key 'name' is missing"),
    "nothing": ("levers = { tax_credit = 0 }", "levers = {}", "triggers.0", "nothing to change"),
    "lever": ("tax_credit", "tax_kredit", "triggers.0.levers.tax_kredit", "did you mean 'tax_credit'?"),
    "lever range": ("tax_credit = 0", "tax_credit = 2", "triggers.0.levers.tax_credit", "allowed 0 to 0.35"),
    "levers": ("{ tax_credit = 0 }", "3", "triggers.0.levers", "found 3, expected a table of keys"),
    "cost": ("above = 1", "above = 1\nswitching_cost = -1", "triggers.0.switching_cost", "0 KRW or more"),
}


@pytest.mark.parametrize(("old", "new", "path", "says"), TRIGGER_PROBLEMS.values(), ids=TRIGGER_PROBLEMS)
def test_what_is_wrong_with_a_trigger(old: str, new: str, path: str, says: str) -> None:
    assert not problems_of(f"[[triggers]]\n{TRIGGER}")
    found = problems_of(f"[[triggers]]\n{TRIGGER.replace(old, new, 1)}")
    assert [message for where, message in found if where == path and says in message], found


def test_two_triggers_need_two_names() -> None:
    ((path, message),) = problems_of(f"[[triggers]]\n{TRIGGER}[[triggers]]\n{TRIGGER}")
    assert path == "triggers.1.name"
    assert "twice" in message


def test_everything_wrong_is_said_at_once() -> None:
    found = problems_of("""
        titel = "x"
        about = 5
        base = ""
        [levers]
        nothing = 1
        carbon_price = "1 GW"
        tax_credit = [{ from = "x", value = "y" }]
        [[triggers]]
        above = "x"
    """)
    assert [path for path, _ in found] == [
        "titel",
        "levers.nothing",
        "levers.carbon_price",
        "levers.tax_credit.0.from",
        "levers.tax_credit.0.value",
        "triggers.0",
        "triggers.0",
        "triggers.0.above",
        "triggers.0",
        "about",
        "base",
    ]


@pytest.mark.parametrize(
    "text", ["levers = 1", "triggers = 1", "triggers = [1]", "title = []", "levers = []"]
)
def test_wrong_shapes_are_problems_not_crashes(text: str) -> None:
    assert problems_of(text)


def test_from_its_first_step_on_a_draft_replaces_its_base() -> None:
    base = draft("""
        [levers]
        tax_credit = [{ from = "2025-07", value = 0.1 }, { from = "2026-06", value = 0.2 }]
        gpu_subsidy = [{ from = "2025-07", value = 0.1 }]
        carbon_price = 5
    """).on(None)
    package = draft("""
        [levers]
        tax_credit = [{ from = "2026-01", value = 0.3 }]
        gpu_subsidy = 0.4
    """).on(base)
    assert package.schedule == {
        "tax_credit": ((M("2025-07"), 0.1), (M("2026-01"), 0.3)),
        "gpu_subsidy": ((FROM_START, 0.4),),
        "carbon_price": ((FROM_START, 5.0),),
    }


def test_triggers_of_the_base_stay_unless_named_again() -> None:
    base = Package("b", "b", triggers=(_trigger("one", 1), _trigger("two", 1)))
    package = draft(f"[[triggers]]\n{TRIGGER.replace('"t"', '"two"')}").on(base)
    assert [(trigger.name, trigger.value, trigger.indicator) for trigger in package.triggers] == [
        ("one", 1, "x"),
        ("two", 1, "price"),
    ]


def test_a_switched_package_gives_what_it_wants_at_the_deadline() -> None:
    answer = draft("""
        [levers]
        tax_credit = [{ from = "2026-01", value = 0.1 }, { from = "2028-01", value = 0.2 },
                      { from = "2030-01", value = 0.0 }]
        gpu_subsidy = [{ from = "2033-01", value = 0.5 }]
        carbon_price = 7
    """)
    trigger = _trigger("t", 1, by=M("2028-12"), changes={"carbon_price": 9.0})
    assert answer.switched(trigger).changes == {"tax_credit": 0.2, "gpu_subsidy": 0.5, "carbon_price": 9.0}


def _trigger(name: str, value: float, by: int = NEVER, changes: Mapping[str, float] | None = None) -> Trigger:
    return Trigger(name, "x", ">", value, by, 0.0, changes or {})


KEYS = st.sampled_from(
    ["title", "base", "levers", "triggers", "tax_credit", "from", "value", "name", "above"]
)
SCALARS = st.one_of(
    st.booleans(), st.integers(), st.floats(), st.sampled_from(["", "2026-01", "1 share", "x"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_no_document_breaks_the_parser(data: dict[str, object]) -> None:
    found, problems = parse(data, "any", LEVERS, indicators=INDICATORS)
    for handle, steps in found.schedule.items():
        lever = LEVERS[handle]
        assert all(lever.low <= value <= lever.high for _, value in steps)
        assert [month for month, _ in steps] == sorted({month for month, _ in steps})
    assert all(message for _, message in problems)
