"""What the repository promises about its set-up, checked without building anything."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from hatchling.builders.wheel import WheelBuilder

import madang

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_the_lock_names_no_host() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
    assert not re.search(r"\.(org|com|net|io)\b", LOCK)


def test_the_lock_pins_everything_that_is_asked_for() -> None:
    lines = [line for line in LOCK.splitlines() if line and not line.startswith("#")]
    assert all(re.match(r"[a-z0-9.-]+==\S+( ; .+)?$", line) for line in lines)
    locked = {name_of(line) for line in lines}
    extras = PROJECT["project"]["optional-dependencies"]["test"]
    assert {name_of(wanted) for wanted in [*PROJECT["project"]["dependencies"], *extras]} <= locked


def test_nothing_that_git_ignores_is_ours() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert not {"runs", "runs/", "/runs/", "/runs", "abm/", "agents/", "policies/"} & set(ignored)
    assert "/results/" in ignored


def test_the_python_that_is_asked_for_is_one_that_works() -> None:
    wanted = tuple(map(int, (ROOT / ".python-version").read_text().strip().split(".")))
    assert wanted >= (3, 12)
    assert PROJECT["project"]["requires-python"] == ">=3.12"


def test_continuous_integration_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "make test" in lines
    assert "export MADANG_BROWSER_TESTS=required" in lines


def test_a_wheel_ships_source_and_data_under_a_folder_of_our_own() -> None:
    files = {
        file.distribution_path: Path(file.path)
        for file in WheelBuilder(str(ROOT)).recurse_included_files()
        if "__pycache__" not in file.path
    }
    tops = {path.split("/")[0] for path in files}
    assert tops == {"madang.py", "madang.pth", "madang_root"}
    for package in madang.PACKAGES:
        here = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / package).rglob("*")
            if path.is_file() and path.suffix in (".py", ".csv", ".toml", ".md")
        }
        shipped = {
            path.removeprefix("madang_root/") for path in files if path.startswith(f"madang_root/{package}/")
        }
        assert here, package
        assert here <= shipped


def test_claiming_puts_our_packages_first_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert madang.ROOT == ROOT
    monkeypatch.setattr(sys, "path", ["elsewhere", str(ROOT), "beyond"])
    madang.claim()
    madang.claim()
    assert sys.path == [str(ROOT), "elsewhere", "beyond"]


@pytest.mark.parametrize("name", madang.PACKAGES)
def test_a_name_taken_by_another_distribution_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    other = ModuleType(name)
    other.__path__ = [str(tmp_path / name)]
    monkeypatch.setitem(sys.modules, name, other)
    with pytest.raises(ImportError, match="was already imported from") as error:
        madang.claim()
    assert str(tmp_path / name) in str(error.value)
    assert str(ROOT / name) in str(error.value)
    assert "write 'import madang' before" in str(error.value)


def test_a_module_of_that_name_is_no_package_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = ModuleType("agents")
    other.__file__ = str(tmp_path / "agents.py")
    monkeypatch.setitem(sys.modules, "agents", other)
    with pytest.raises(ImportError, match=re.escape(str(tmp_path / "agents.py"))):
        madang.claim()
