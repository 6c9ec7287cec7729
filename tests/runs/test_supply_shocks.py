"""Shocks to the supply graph in scenario files and settings: what is read, and what is said about bad input."""

from __future__ import annotations

from pathlib import Path

import pytest

from abm.calendar import Calendar, parse_month
from policies.catalogue import catalogue
from policies.reading import Problems
from runs.assemble import prepare
from runs.checking import BadInput
from runs.cli_validate import check_file
from runs.spec import parse_settings
from runs.supply_shocks import SupplyShock, edges_of, read_setting
from runs.worlds import loader

KOREA = loader.load("korea")
EDGES = edges_of(KOREA)
DECADE = Calendar.between("2025-01", "2035-12")
JANUARY = parse_month("2027-01")


def said(key: str, value: object) -> list[str]:
    problems = Problems()
    assert read_setting(key, value, EDGES, DECADE, problems) == () or not problems
    return [message for _, message in problems]


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("shock.sk-hynix", "0@2027-01+6", SupplyShock(JANUARY, "sk-hynix", "", "", 6, 0.0)),
        (
            "shock.samsung-memory/hbm",
            "0.5@2027-01+12",
            SupplyShock(JANUARY, "samsung-memory", "", "hbm", 12, 0.5),
        ),
        ("shock.nvidia/kt/gpu", "delay:3@2027-01+1", SupplyShock(JANUARY, "nvidia", "kt", "gpu", 1, 1.0, 3)),
        ("shock.nvidia", " 0.25, delay:2 @ 2027-01 + 4 ", SupplyShock(JANUARY, "nvidia", "", "", 4, 0.25, 2)),
    ],
)
def test_a_setting_says_which_shock(key: str, value: str, found: SupplyShock) -> None:
    problems = Problems()
    assert read_setting(key, value, EDGES, DECADE, problems) == (found,)
    assert not problems
    assert read_setting(f"shock.{found.name}", str(found).partition("=")[2], EDGES, DECADE, problems) == (
        found,
    )


def test_one_setting_may_hold_several_windows() -> None:
    problems = Problems()
    found = read_setting("shock.nvidia", "0@2027-01+2; 0.5@2028-01+3", EDGES, DECADE, problems)
    assert [(shock.months, shock.factor) for shock in found] == [(2, 0.0), (3, 0.5)]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("shock.sk-hynixx", "0@2027-01+6", "did you mean 'sk-hynix'?"),
        ("shock.samsung-memory/gpu", "0@2027-01+6", "no good that samsung-memory supplies"),
        ("shock.nvidia/kepco/gpu", "0@2027-01+6", "no buyer of gpu from nvidia"),
        ("shock.kepco", "0@2027-01+6", "no supplier whose deliveries the model shares out"),
        ("shock.nvidia", "2@2027-01+6", "found 2, allowed 0 to 1 ratio"),
        ("shock.nvidia", "0@2027-1+6", "expected a month such as"),
        ("shock.nvidia", "0@2041-01+6", "allowed 2025-01 to 2035-12"),
        ("shock.nvidia", "0@2027-01+0", "found 0, allowed 1 to 1200 month"),
        ("shock.nvidia", "0@2027-01", "expected FACTOR@YYYY-MM+MONTHS"),
        ("shock.nvidia", "@2027-01+6", "expected FACTOR@YYYY-MM+MONTHS"),
        ("shock.nvidia", "delay:1.5@2027-01+6", "expected a whole number of months"),
        ("shock.nvidia", 0.5, "found 0.5, expected FACTOR"),
        ("shock.", "0@2027-01+6", "a shock is of a supplier"),
        ("shock.a/b/c/d", "0@2027-01+6", "a shock is of a supplier"),
        ("shock.lenders", "delay:3@2027-01+6", "debt cannot be delayed, only cut"),
    ],
)
def test_a_wrong_setting_is_answered_with_what_is_allowed(key: str, value: object, message: str) -> None:
    assert any(message in text for text in said(key, value)), said(key, value)


def test_the_command_line_takes_shocks_beside_numbers() -> None:
    texts = ["pue=1.2", "shock.nvidia=0@2027-01+6"]
    found = parse_settings(texts, KOREA.quantities, catalogue(), edges=EDGES, calendar=DECADE)
    assert found == {"pue": 1.2, "shock.nvidia": "0@2027-01+6"}
    with pytest.raises(BadInput) as caught:
        parse_settings(["pue=9", "shock.nvida=0@2027-01+6"], KOREA.quantities, catalogue(), edges=EDGES)
    assert {complaint.key for complaint in caught.value.complaints} == {"pue", "shock.nvida"}


FILE = """\
title = "A test"
[[supply_shocks]]
node = "sk-hynix"
from = "2027-01"
months = 6
factor = 0

[[supply_shocks]]
edge = { from = "nvidia", to = "kt", good = "gpu" }
from = "2028-01"
months = 12
delay_months = 3
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_scenario_file_holds_shocks(tmp_path: Path) -> None:
    prepared = prepare("korea", str(write(tmp_path, FILE)), "as-announced")
    assert prepared.settled.supply_shocks == (
        ("nvidia", "kt", "gpu", 36, 12, 1.0, 3),
        ("sk-hynix", "", "", 24, 6, 0.0, 0),
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('node = "sk-hynix"', 'node = "sk-hynx"', 3, "did you mean 'sk-hynix'?"),
        ('node = "sk-hynix"', 'nod = "sk-hynix"', 3, "did you mean 'node'?"),
        ('node = "sk-hynix"', 'node = "sk-hynix"\ngood = "gpu"', 4, "no good that sk-hynix supplies"),
        ('to = "kt"', 'to = "ktt"', 9, "did you mean 'kt'?"),
        ('to = "kt", ', "", 9, "the key 'to' is missing"),
        ("factor = 0\n", "factor = 1.5\n", 6, "found 1.5, allowed 0 to 1"),
        ("factor = 0\n", "", 2, "the key 'factor' or 'delay_months' is missing"),
        ('"2028-01"', '"2048-01"', 10, "the months of the run"),
        ("months = 6", "months = 0", 5, "found 0, allowed 1 to 1200"),
        ('node = "sk-hynix"', 'node = "sk-hynix"\nedge = 1', 2, "either a node or an edge"),
    ],
)
def test_a_mistake_in_a_file_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in FILE
    _, complaints = check_file(write(tmp_path, FILE.replace(old, new)), "korea")
    found = [(complaint.line, complaint.message) for complaint in complaints]
    assert any(at == line and message in text for at, text in found), found


@pytest.mark.parametrize("key", ["sk-hynix", "samsung-memory/hbm", "nvidia/kt/gpu"])
def test_a_shock_is_written_as_it_is_read(tmp_path: Path, key: str) -> None:
    problems = Problems()
    [shock] = read_setting(f"shock.{key}", "0.25,delay:2@2027-01+4", EDGES, DECADE, problems)
    text = "\n".join(["[[supply_shocks]]", *shock.toml()])
    assert prepare("korea", str(write(tmp_path, text))).supply_shocks() == (shock,)


def test_the_id_of_a_run_knows_its_shocks_and_nothing_else_of_them() -> None:
    def run_id(**settings: str) -> str:
        return prepare(
            "korea", settings={f"shock.{name}": value for name, value in settings.items()}
        ).run_id()

    calm = run_id()
    assert run_id(nvidia="1@2027-01+6") == calm, "a shock that changes nothing is none"
    assert run_id(nvidia="0@2027-01+6") != calm
    assert run_id(nvidia="0@2027-01+6") != run_id(nvidia="0@2027-02+6") != run_id(amd="0@2027-02+6")
    assert run_id(nvidia="0@2027-01+6;0@2028-01+6") == run_id(nvidia="0.0@2028-01+6; 0@2027-01+6")
