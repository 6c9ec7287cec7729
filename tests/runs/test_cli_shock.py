"""``madang shock``: what it prints, what it writes, how it ends."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import networkx as nx
import pytest
from typer.testing import CliRunner

from runs.cli import app
from runs.results import Results

RUN = CliRunner()
SHOCK = "chipmaker=0@2025-01+36"
TOY = ["--world", "toy", "-p", "no-policy", "-q"]


def test_it_says_who_lost_what_when_and_through_whom(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["shock", SHOCK, *TOY, "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "chipmaker -gpu-> platform" in done.stdout
    out = tmp_path / "out"
    with (out / "losses.csv").open(encoding="utf-8") as file:
        losses = {row["who"]: row for row in csv.DictReader(file)}
    assert losses["platform"]["path"] == "chipmaker platform"
    assert losses["platform"]["goods"] == "gpu"
    graph = nx.node_link_graph(json.loads((out / "graph.json").read_text(encoding="utf-8")), edges="edges")
    data = graph["chipmaker"]["platform"]["gpu"]
    assert sum(data["by_month"]) == pytest.approx(data["final"])
    for part in ("with", "without"):
        results = Results(out / part)
        assert results.runs["status"].to_list() == ["done"]
    ids = [Results(out / part).runs["run_id"][0] for part in ("with", "without")]
    assert ids[0] != ids[1]


def test_json_is_one_object_and_nothing_else() -> None:
    done = RUN.invoke(app, ["shock", SHOCK, *TOY, "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["shocks"] == [SHOCK]
    assert found["run_id"] != found["baseline_run_id"]
    assert {"platform"} <= {row["who"] for row in found["losses"]}
    assert found["shortfalls"][0]["supplier"] == "chipmaker"


def test_the_run_of_the_same_shock_is_the_shocked_run(tmp_path: Path) -> None:
    shock = json.loads(RUN.invoke(app, ["shock", SHOCK, *TOY, "--json"]).stdout)
    run = RUN.invoke(app, ["run", *TOY, "--set", f"shock.{SHOCK}", "--json", "-o", str(tmp_path / "run")])
    assert json.loads(run.stdout)["run_id"] == shock["run_id"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shock", "chipmakr=0@2025-01+3", *TOY], "did you mean 'chipmaker'?"),
        (["shock", "chipmaker", *TOY], "expected NAME=FACTOR@YYYY-MM+MONTHS"),
        (["shock", *TOY], "no shock that changes anything"),
        (["run", *TOY, "--set", "shock.chipmaker=3@2025-01+3"], "found 3, allowed 0 to 1"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], said: str) -> None:
    done = RUN.invoke(app, arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not done.stdout
