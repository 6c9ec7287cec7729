"""Packages that build on one another: bases, triggers that switch packages on, circles."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from policies import Package, catalogue, shipped_packages
from policies.library import FOLDER, FileProblem, Library, is_path

LEVERS = catalogue()


class Shelf:
    """A folder of the user's own packages, and a library that reads it."""

    def __init__(self, folder: Path, **files: str):
        self.folder = folder
        self.read_files: list[str] = []
        for name, text in files.items():
            (folder / f"{name}.toml").write_text(text, encoding="utf-8")
        self.library = Library(self._read, LEVERS)

    def _read(self, path: Path) -> Mapping[str, Any] | None:
        self.read_files.append(path.stem)
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError:
            return None

    def package(self, name: str) -> Package | None:
        return self.library.package(self.folder / f"{name}.toml")

    @property
    def problems(self) -> list[FileProblem]:
        return self.library.problems


def test_a_chain_of_bases_is_merged_from_the_bottom(tmp_path: Path) -> None:
    shelf = Shelf(
        tmp_path,
        bottom="[levers]\ntax_credit = 0.1\ncarbon_price = 1",
        middle='base = "bottom"\n[levers]\ncarbon_price = 2',
        top='base = "./middle.toml"\n[levers]\ngpu_subsidy = 0.3',
    )
    package = shelf.package("top")
    assert package is not None
    assert not shelf.problems
    assert {handle: steps[0][1] for handle, steps in package.schedule.items()} == {
        "tax_credit": 0.1,
        "carbon_price": 2.0,
        "gpu_subsidy": 0.3,
    }
    assert (package.name, package.base) == ("top", "./middle.toml")


def test_a_package_of_ones_own_builds_on_one_that_ships_even_under_its_name(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, **{"grid-first": 'base = "grid-first"\n[levers]\ngrid_investment = 2'})
    package = shelf.package("grid-first")
    assert package is not None
    assert not shelf.problems
    assert package.schedule["grid_investment"][-1][1] == 2.0
    assert "queue_deposit" in package.schedule
    assert "tax_credit" in package.schedule, "the base of the base is below"


@pytest.mark.parametrize(
    "files",
    [
        {"a": 'base = "a"'},
        {"a": 'base = "b"', "b": 'base = "a"'},
        {"a": 'base = "b"', "b": 'base = "./c.toml"', "c": 'base = "b"'},
    ],
)
def test_bases_that_go_round_in_a_circle(tmp_path: Path, files: dict[str, str]) -> None:
    shelf = Shelf(tmp_path, **files)
    shelf.package("a")
    ((_, path, message),) = shelf.problems
    assert path == ("base",)
    assert "circle" in message


def test_a_base_that_is_not_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, a='base = "grid-frist"', b='base = "none.toml"')
    shelf.package("a")
    shelf.package("b")
    assert [message for _, _, message in shelf.problems] == [
        "found 'grid-frist', which is no package that ships; did you mean 'grid-first'?",
        "found 'none.toml', and there is no such file",
    ]


def test_a_trigger_switches_on_the_levers_of_the_file_it_names_and_not_of_its_base(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, a=trigger('package = "grid-first"'))
    package = shelf.package("a")
    assert package is not None
    assert not shelf.problems
    (fired,) = package.triggers
    assert fired.package == "grid-first"
    assert fired.changes == {
        "grid_fast_track": 0.9,
        "grid_investment": 1.7,
        "nonfirm_connection": 0.7,
        "queue_deposit": 200_000.0,
        "special_zone_gw": 2.5,
    }


def test_levers_in_a_trigger_win_over_its_package(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, a=trigger('package = "grid-first"\nlevers = { grid_investment = 1.1 }'))
    package = shelf.package("a")
    assert package is not None
    assert package.triggers[0].changes["grid_investment"] == 1.1


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a": 'package = "a"'}, "belongs to"),
        ({"a": 'package = "adaptive"'}, "has triggers of its own"),
        ({"a": 'package = "no-policy"'}, "sets no lever"),
        ({"a": 'package = "open-hug"'}, "did you mean 'open-hub'?"),
    ],
)
def test_packages_that_a_trigger_cannot_switch_on(tmp_path: Path, files: dict[str, str], says: str) -> None:
    shelf = Shelf(tmp_path, **{name: trigger(text) for name, text in files.items()})
    shelf.package("a")
    ((file, path, message),) = shelf.problems
    assert (file.stem, path) == ("a", ("triggers", 0, "package"))
    assert says in message


def test_a_wrong_trigger_does_not_shift_the_place_of_the_next(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, a="[[triggers]]\nname = 'x'\n" + trigger('package = "open-hug"'))
    shelf.package("a")
    assert ("triggers", 1, "package") in [path for _, path, _ in shelf.problems]


def test_what_is_wrong_below_is_reported_with_its_own_file(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, a='base = "b"\n[levers]\nx = 1', b="[levers]\ny = 1")
    shelf.package("a")
    assert [(file.stem, path) for file, path, _ in shelf.problems] == [
        ("a", ("levers", "x")),
        ("b", ("levers", "y")),
    ]


def test_an_unreadable_base_is_left_to_the_reader(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, a='base = "b"', b="no toml")
    assert shelf.package("a") is not None
    assert not shelf.problems


def test_each_file_is_read_once(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, a='base = "adaptive"')
    shelf.package("a")
    assert sorted(set(shelf.read_files)) == sorted(shelf.read_files)


def test_names_and_paths_are_told_apart() -> None:
    assert not is_path("grid-first")
    assert all(map(is_path, ["a.toml", "./a", "mine/a.toml"]))
    assert set(shipped_packages()) == {path.stem for path in FOLDER.iterdir()}


def trigger(answer: str) -> str:
    return f'[[triggers]]\nname = "t"\nindicator = "i"\nabove = 1\nby = "2030-01"\n{answer}\n'
