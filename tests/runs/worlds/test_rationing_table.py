"""``rationing.csv`` and the priority classes of edges: what is read, and what is said about a slip."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from abm.supply import SupplyGraph
from runs.worlds import loader

HEADER = "supplier,good,rule,deposit,source,confidence,note\n#-,-,-,share,-,-,-\n"
ROW = "chipmaker,gpu,priority,0.2,invented,assumption,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(loader.HOME / "toy", tmp_path / "mine"))


def with_table(folder: Path, rows: str) -> Path:
    (folder / "rationing.csv").write_text(HEADER + rows, encoding="utf-8")
    return folder


def test_a_world_without_the_table_shares_proportionally_and_takes_no_deposits() -> None:
    supply = SupplyGraph(loader.load("toy"), 3)
    assert supply.rule_of("chipmaker", "gpu") == "proportional"
    assert supply.deposit_share("chipmaker", "gpu") == 0.0
    assert not supply.priority.any()


def test_the_table_states_rule_and_deposit(folder: Path) -> None:
    supply = SupplyGraph(loader.load(with_table(folder, ROW)), 3)
    assert supply.rule_of("chipmaker", "gpu") == "priority"
    assert supply.deposit_share("chipmaker", "gpu") == 0.2
    assert supply.rule_of("fund", "capital") == "proportional"


def test_edges_may_carry_classes(folder: Path) -> None:
    lines = (folder / "edges.csv").read_text(encoding="utf-8").splitlines()
    lines[0] += ",priority"
    lines[1] += ",-"
    lines[2:] = [f"{line},{at}" for at, line in enumerate(lines[2:], 1)]
    (folder / "edges.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    supply = SupplyGraph(loader.load(folder), 3)
    assert supply.priority[supply.edge("chipmaker", "platform", "gpu")] == 1
    assert supply.priority[supply.edge("chipmaker", "government", "gpu")] == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("priority", "prioriti", "did you mean 'priority'?"),
        ("0.2", "1.2", "found 1.2, allowed 0 to 1 share"),
        ("chipmaker", "chipmakr", "did you mean 'chipmaker'?"),
        ("gpu", "power", "no good that chipmaker supplies on an edge"),
    ],
)
def test_a_slip_is_said(folder: Path, old: str, new: str, said: str) -> None:
    found = [str(complaint) for complaint in loader.check(with_table(folder, ROW.replace(old, new, 1)))]
    assert len(found) == 1
    assert said in found[0]
    assert found[0].startswith("rationing.csv:3")
