"""Specifications: what settles a run, what its id depends on, and what it does not."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.calendar import Calendar, parse_month
from abm.quantities import Quantity
from abm.world import World
from policies import Package, Trigger, catalogue
from runs.checking import BadInput
from runs.scenario import Scenario, Shock, load_package
from runs.spec import (
    LIBRARIES,
    ROOT,
    RunSpec,
    hash_model,
    library_versions,
    model_hash,
    parse_settings,
    read_settings,
)

LEVERS = catalogue()
M = parse_month


def quantity(
    name: str, unit: str, default: float, low: float, high: float, role: str = "uncertainty"
) -> Quantity:
    return Quantity(name, unit, default, low, high, "uniform", "a test", "assumption", "Moves it.", role)


QUANTITIES = {
    "pue": quantity("pue", "ratio", 1.25, 1.05, 1.6),
    "delay": quantity("delay", "month", 0, -12, 60),
    "hours": quantity("hours", "h", 24, 1, 48, role="parameter"),
}
WORLD = World("toy", "Toy", "KRW", Calendar.between("2025-01", "2028-12"), {}, QUANTITIES, {}, hash="w0")
TRIGGER = Trigger("t", "queue", ">", 3.0, M("2027-12"), 5.0, {"grid_investment": 1.5, "tax_credit": 0.1})
SPEC = RunSpec(
    "toy",
    Scenario("s", "A scenario", uncertainties={"delay": 6.0}, shocks=(Shock("gas", M("2026-01"), 12, 2.0),)),
    Package(
        "p",
        "A package",
        schedule={"tax_credit": ((M("2024-07"), 0.1), (M("2026-01"), 0.2)), "growth_fund": ((0, 1e12),)},
        triggers=(TRIGGER,),
    ),
    {"pue": 1.3},
    root=7,
)


def run_id(spec: RunSpec, world: World = WORLD, model: str = "m0") -> str:
    return spec.id(world, LEVERS, model)


def test_settling_fills_in_every_default() -> None:
    settled = SPEC.settle(QUANTITIES, LEVERS, WORLD.calendar)
    assert settled.calendar == WORLD.calendar
    assert settled.uncertainties == {"pue": 1.3, "delay": 6.0}
    assert settled.schedule == {"tax_credit": ((-6, 0.1), (12, 0.2)), "growth_fund": ((0, 1e12),)}
    assert settled.triggers == (TRIGGER,)
    assert settled.shocks == (("gas", 12, 12, 2.0, 0.0),)
    assert settled.lever_values(LEVERS)["tax_credit"] == 0.1
    assert settled.lever_values(LEVERS, 47)["tax_credit"] == 0.2
    assert settled.lever_values(LEVERS)["growth_fund_krw"] == 1e12
    assert settled.lever_values(LEVERS)["grid_investment"] == 1.0


def test_a_parameter_of_the_world_can_be_replaced_by_scenario_and_setting() -> None:
    plain = SPEC.settle(QUANTITIES, LEVERS, WORLD.calendar)
    assert plain.parameters == {}
    assert SPEC.with_settings({"hours": 24}).settle(QUANTITIES, LEVERS, WORLD.calendar) == plain
    assert run_id(SPEC.with_settings({"hours": 24})) == run_id(SPEC)
    there = replace(SPEC, scenario=replace(SPEC.scenario, parameters={"hours": 30.0}))
    assert there.settle(QUANTITIES, LEVERS, WORLD.calendar).parameters == {"hours": 30.0}
    here = there.with_settings({"hours": 36})
    assert here.settle(QUANTITIES, LEVERS, WORLD.calendar).parameters == {"hours": 36.0}
    assert len({run_id(SPEC), run_id(there), run_id(here)}) == 3
    assert run_id(here) == run_id(SPEC.with_settings({"hours": 36.0}))


def test_a_scenario_with_its_own_months_counts_from_its_own_start() -> None:
    spec = replace(SPEC, scenario=replace(SPEC.scenario, start=M("2026-01"), end=M("2027-12")))
    settled = spec.settle(QUANTITIES, LEVERS, WORLD.calendar)
    assert settled.calendar == Calendar.between("2026-01", "2027-12")
    assert settled.schedule["tax_credit"] == ((-18, 0.1), (0, 0.2))
    assert settled.shocks == (("gas", 0, 12, 2.0, 0.0),)


def test_a_lever_that_is_set_stays_set() -> None:
    spec = SPEC.with_settings({"tax_credit": 0.3, "growth_fund_krw": 2e12})
    assert spec.settings == {"pue": 1.3, "tax_credit": 0.3, "growth_fund_krw": 2e12}
    settled = spec.settle(QUANTITIES, LEVERS, WORLD.calendar)
    assert settled.schedule == {"tax_credit": ((0, 0.3),), "growth_fund": ((0, 2e12),)}
    assert [dict(trigger.changes) for trigger in settled.triggers] == [{"grid_investment": 1.5}]
    settled = spec.with_settings({"grid_investment": 1}).settle(QUANTITIES, LEVERS, WORLD.calendar)
    assert not settled.triggers, "nothing is left for it to change"


def test_shocks_act_in_order_of_time_however_they_are_written() -> None:
    shocks = (
        Shock("b", M("2026-01"), 1, 2.0),
        Shock("a", M("2026-01"), 1, 2.0),
        Shock("c", M("2025-01"), 1, 2.0),
    )
    first, second = (
        replace(SPEC, scenario=replace(SPEC.scenario, shocks=order)) for order in (shocks, shocks[::-1])
    )
    assert [shock[0] for shock in first.settle(QUANTITIES, LEVERS, WORLD.calendar).shocks] == ["c", "a", "b"]
    assert run_id(first) == run_id(second)


def same(spec: RunSpec) -> dict[str, RunSpec]:
    """Other ways to ask for the same run."""
    scenario, package = spec.scenario, spec.package
    return {
        "labels": replace(
            spec,
            scenario=replace(scenario, name="x", title="y", about="z", file="f", world="toy"),
            package=replace(package, name="x", title="y", about="z", file="f", base="b"),
        ),
        "a setting in the scenario": replace(
            spec, scenario=replace(scenario, uncertainties={"delay": 6, "pue": 1.3}), settings={}
        ),
        "a default said aloud": replace(
            spec, package=replace(package, schedule={**package.schedule, "grid_investment": ((0, 1),)})
        ),
        "a step that changes nothing": replace(
            spec,
            package=replace(
                package, schedule={**package.schedule, "growth_fund": ((0, 1e12), (M("2027-01"), 10**12))}
            ),
        ),
        "a step after the end": replace(
            spec,
            package=replace(
                package, schedule={**package.schedule, "growth_fund": ((0, 1e12), (M("2029-01"), 0.0))}
            ),
        ),
        "the months of the world": replace(
            spec, scenario=replace(scenario, start=M("2025-01"), end=M("2028-12"))
        ),
        "whole numbers": replace(spec, settings={"pue": 1.3, "delay": 6}, root=True + 6),
        "another order": replace(
            spec,
            package=replace(
                package,
                schedule=dict(reversed(list(package.schedule.items()))),
                triggers=(replace(TRIGGER, changes=dict(reversed(list(TRIGGER.changes.items())))),),
            ),
        ),
        "the name of a trigger": replace(
            spec, package=replace(package, triggers=(replace(TRIGGER, name="u"),))
        ),
    }


def other(spec: RunSpec) -> dict[str, RunSpec]:
    """Ways to ask for another run."""
    scenario, package = spec.scenario, spec.package

    def triggers(**changes: object) -> RunSpec:
        return replace(spec, package=replace(package, triggers=(replace(TRIGGER, **changes),)))  # type: ignore[arg-type]

    return {
        "root": replace(spec, root=8),
        "uncertainty": replace(spec, settings={"pue": 1.31}),
        "lever": spec.with_settings({"carbon_price": 1}),
        "date": replace(
            spec, package=replace(package, schedule={**package.schedule, "growth_fund": ((24301, 1e12),)})
        ),
        "shock": replace(spec, scenario=replace(scenario, shocks=())),
        "months": replace(spec, scenario=replace(scenario, end=M("2028-11"))),
        "no triggers": replace(spec, package=replace(package, triggers=())),
        "trigger value": triggers(value=4.0),
        "trigger comparison": triggers(comparison="<"),
        "trigger indicator": triggers(indicator="price"),
        "trigger deadline": triggers(by=M("2027-11")),
        "trigger cost": triggers(switching_cost=6.0),
        "trigger changes": triggers(changes={"grid_investment": 1.6}),
    }


@pytest.mark.parametrize("way", same(SPEC))
def test_the_id_does_not_depend_on(way: str) -> None:
    assert run_id(same(SPEC)[way]) == run_id(SPEC)


def test_the_id_depends_on_everything_else() -> None:
    ids = {way: run_id(spec) for way, spec in other(SPEC).items()}
    ids["nothing"] = run_id(SPEC)
    ids["world"] = run_id(SPEC, replace(WORLD, hash="w1"))
    ids["model"] = run_id(SPEC, model="m1")
    assert len(set(ids.values())) == len(ids)
    assert all(len(text) == 16 and int(text, 16) >= 0 for text in ids.values())


@settings(deadline=None)
@given(st.permutations(["pue", "delay", "carbon_price", "tax_credit"]), st.integers(1, 50))
def test_the_id_does_not_depend_on_the_order_or_type_of_settings(order: list[str], number: int) -> None:
    values = {"pue": 1.2, "delay": number, "carbon_price": number, "tax_credit": 0}
    straight = replace(SPEC, settings={name: float(value) for name, value in values.items()})
    assert run_id(replace(SPEC, settings={name: values[name] for name in order})) == run_id(straight)


def test_the_id_is_the_same_in_another_process_with_other_hash_seeds() -> None:
    code = "from tests.runs.test_spec import SPEC, run_id; print(run_id(SPEC))"
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert done.stdout.strip() == run_id(SPEC)


def test_a_package_of_defaults_is_no_policy() -> None:
    steps = {lever.handle: ((0, lever.default),) for lever in LEVERS.values()}
    nothing = replace(SPEC, package=load_package("no-policy", LEVERS), settings={})
    assert run_id(replace(nothing, package=Package("d", "Defaults", schedule=steps))) == run_id(nothing)


def test_the_ids_of_the_packages_that_ship_differ() -> None:
    names = ("as-announced", "no-policy", "grid-first", "startup-access", "adaptive")
    ids = {run_id(replace(SPEC, package=load_package(name, LEVERS))) for name in names}
    assert len(ids) == len(names)


def test_a_specification_travels_between_processes() -> None:
    assert pickle.loads(pickle.dumps(SPEC)) == SPEC


def test_the_models_hash_covers_source_tables_and_versions(tmp_path: Path) -> None:
    (tmp_path / "abm" / "phases").mkdir(parents=True)
    (tmp_path / "policies" / "packages").mkdir(parents=True)
    (tmp_path / "runs").mkdir()
    source = tmp_path / "abm" / "phases" / "a.py"
    source.write_bytes(b"x = 1\n")
    seen = [hash_model(tmp_path, {"numpy": "2"})]

    def changed() -> bool:
        seen.append(hash_model(tmp_path, {"numpy": "2"}))
        return seen[-1] != seen[-2]

    source.write_bytes(b"x = 1\r\n")
    assert not changed(), "line ends do not count"
    source.write_bytes(b"x = 2\n")
    assert changed()
    (tmp_path / "policies" / "levers.csv").write_text("name\n")
    assert changed()
    (tmp_path / "runs" / "assemble.py").write_text("y = 1\n")
    assert changed()
    (tmp_path / "runs" / "report.py").write_text("z = 1\n")
    assert not changed(), "what shows results is no part of the model"
    (tmp_path / "policies" / "packages" / "p.toml").write_text("title = 'p'\n")
    assert not changed(), "packages count by their levers, in the specification"
    source.rename(source.with_name("b.py"))
    assert changed()
    assert hash_model(tmp_path, {"numpy": "3"}) != seen[-1]


def test_the_models_own_hash() -> None:
    assert model_hash() == hash_model(ROOT, library_versions())
    assert set(library_versions()) == set(LIBRARIES)
    assert (ROOT / "policies" / "levers.csv").is_file()


def test_settings_from_the_command_line() -> None:
    texts = [
        "pue=1.2",
        "delay = 24 months",
        "renewable_auction_gw=8 GW/year",
        "growth_fund_krw=2e12 KRW/year",
    ]
    assert parse_settings(texts, QUANTITIES, LEVERS, currency="KRW") == {
        "pue": 1.2,
        "delay": 24.0,
        "renewable_auction_gw": 8.0,
        "growth_fund_krw": 2e12,
    }
    assert parse_settings([], QUANTITIES, LEVERS) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "peu=1.2",
            "--set: peu: found 'peu', which is no uncertainty, lever or parameter; did you mean 'pue'?",
        ),
        ("grid_invesment=1", "did you mean 'grid_investment'?"),
        ("hours=1e9", "--set: hours: found 1e+09, allowed"),
        ("pue=9", "--set: pue: found 9, allowed 1.05 to 1.6 ratio"),
        ("pue=nan", "--set: pue: found nan, expected a finite number in ratio"),
        ("pue=high", "--set: pue: found 'high', expected a number, such as 15"),
        ("renewable_auction_gw=8 GW", "found the unit 'GW', expected the unit 'GW/year'"),
        ("carbon_price=8 USD/t", "found the unit 'USD/t', expected the unit 'KRW/t'"),
        ("pue", "--set: pue: found 'pue', expected name=value"),
        ("=1", "--set: setting: found '=1', expected name=value"),
        ("pue=", "--set: pue: found 'pue=', expected name=value"),
    ],
)
def test_bad_settings_are_one_clear_line(text: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_settings([text], QUANTITIES, LEVERS, currency="KRW")
    (complaint,) = caught.value.complaints
    assert says in str(complaint)


def test_all_bad_settings_are_said_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        parse_settings(["x", "pue=1.2", "pue=1.3", "delay=99", "y=1"], QUANTITIES, LEVERS)
    assert [complaint.key for complaint in caught.value.complaints] == ["x", "pue", "delay", "y"]


def test_settings_from_python() -> None:
    assert read_settings({"pue": 1.2, "delay": "3 months"}, QUANTITIES, LEVERS) == {"pue": 1.2, "delay": 3.0}
    with pytest.raises(BadInput, match="settings: pue: found true, expected a number in ratio"):
        read_settings({"pue": True}, QUANTITIES, LEVERS)
    with pytest.raises(BadInput, match="settings: zzz"):
        replace(SPEC, settings={"zzz": 1}).settle(QUANTITIES, LEVERS, WORLD.calendar)
