"""The wheel beside another distribution that also calls its package `agents`: neither is harmed."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """A throw-away environment."""

    home: Path

    @property
    def packages(self) -> Path:
        return Path(sysconfig.get_path("purelib", vars={"base": str(self.home), "platbase": str(self.home)}))

    def install(self, *wheels: Path) -> None:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(self.home / "bin" / "python"),
            "install",
            "--no-index",
        ]
        done = subprocess.run(
            [*pip, "--no-deps", "--no-compile", "--quiet", "--disable-pip-version-check", *map(str, wheels)],
            capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return subprocess.run(
            [str(self.home / "bin" / command[0]), *command[1:]],
            capture_output=True, text=True, check=False, cwd=self.home, env=clean)  # fmt: skip

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        return self.call("python", "-c", code)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel, built without a network."""
    out = tmp_path_factory.mktemp("ours")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=ROOT, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of somebody else with a package `agents`."""
    wheel = tmp_path_factory.mktemp("theirs") / "other_agents-1.0-py3-none-any.whl"
    files = {
        "agents/__init__.py": "WHOSE = 'theirs'\n",
        "other_agents-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: other-agents\nVersion: 1.0\n",
        "other_agents-1.0.dist-info/WHEEL":
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }  # fmt: skip
    record = "".join(f"{name},,\n" for name in files) + "other_agents-1.0.dist-info/RECORD,,\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, "other_agents-1.0.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    return wheel


@pytest.fixture(scope="module", params=["ours first", "theirs first"])
def both(
    request: pytest.FixtureRequest, ours: Path, theirs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """Both installed, in either order, with the dependencies of the environment that runs the tests."""
    environment = Environment(tmp_path_factory.mktemp("environment"))
    venv.create(environment.home, with_pip=False, symlinks=True)
    for wheel in [ours, theirs] if request.param == "ours first" else [theirs, ours]:
        environment.install(wheel)
    # the path alone: .pth files in there, such as that of our own editable installation, are not read
    (environment.packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment


def test_the_other_distribution_is_unharmed(both: Environment) -> None:
    answer = both.python("import agents; print(agents.WHOSE)")
    assert answer.stdout == "theirs\n", answer.stderr


def test_our_command_takes_our_packages_and_data(both: Environment) -> None:
    answer = both.call("madang", "list", "worlds", "--json")
    assert answer.returncode == 0, answer.stderr
    assert '"name": "toy"' in answer.stdout
    assert '"name": "korea"' in answer.stdout
    answer = both.call("madang", "list", "packages")
    assert "as-announced" in answer.stdout, answer.stderr


def test_importing_madang_first_gives_our_packages(both: Environment) -> None:
    answer = both.python("import madang, agents, abm; print(agents.__file__, abm.__file__, sep='\\n')")
    assert answer.stdout.splitlines() == [
        str(both.packages.resolve() / "madang_root" / package / "__init__.py")
        for package in ("agents", "abm")
    ], answer.stderr


def test_importing_runs_alone_is_enough(both: Environment) -> None:
    answer = both.python("import runs, agents; print(agents.__file__)")
    assert "madang_root" in answer.stdout, answer.stderr


def test_too_late_is_said_with_the_remedy(both: Environment) -> None:
    answer = both.python("import agents, madang")
    assert answer.returncode == 1
    last = answer.stderr.splitlines()[-1]
    assert last.startswith("ImportError: the package 'agents' was already imported from")
    assert "write 'import madang' before" in last
