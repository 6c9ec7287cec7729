"""Any plain Mesa model is batched: Mesa's own examples among them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from mesa.examples import BoltzmannWealth, Schelling, VirusOnNetwork

from runs import batch
from runs.batches import Range, Sample
from runs.batches.mesaplan import mesa_study
from runs.batches.mesas import global_luck
from runs.checking import BadInput
from tests.runs.batches.models import Cheap, Luckless, WithoutCollector


@pytest.mark.parametrize(
    ("model", "parameters", "figure"),
    [
        (BoltzmannWealth, {"n": [10, 20]}, "Gini"),
        (Schelling, {"density": [0.5, 0.8], "height": 10, "width": 10}, "happy"),
        (VirusOnNetwork, {"num_nodes": [10, 20]}, "Infected"),
    ],
)
def test_mesas_examples_run_and_are_what_stepping_them_gives(
    tmp_path: Path, model: Any, parameters: dict[str, Any], figure: str
) -> None:
    how: dict[str, Any] = {"parameters": parameters, "replicates": 2, "max_steps": 5}
    results = batch(model=model, out=tmp_path, workers=0, **how)
    assert results.runs["status"].to_list() == ["done"] * 4
    study = mesa_study(model, **how)
    ids = [found.decode() for found in study.ids()]
    for case in range(4):
        with global_luck(study.labels(case).seed):
            alone = study.build(case)
            for _ in range(5):
                if alone.running:
                    alone.step()
        values = alone.datacollector.model_vars[figure]
        row = results.runs.filter(results.runs["run_id"] == ids[case]).row(0, named=True)
        assert row[f"m.{figure}"] == values[-1]
        mine = results.series.filter(results.series["run_id"] == row["run_id"]).sort("step")
        assert mine[figure].to_list() == values
    assert results.to_xarray([figure])[figure].sizes["step"] == results.series["step"].n_unique()


def test_a_model_that_draws_from_global_generators_is_reproducible_and_leaves_them_alone(
    tmp_path: Path,
) -> None:
    import random

    random.seed(1)
    expected = [random.random() for _ in range(2)]
    random.seed(1)
    found = [random.random()]
    frames = [
        batch(
            model=VirusOnNetwork, replicates=5, max_steps=5, out=tmp_path / str(workers), workers=workers
        ).runs
        for workers in (0, 2)
    ]
    assert frames[0].drop("wall_s").equals(frames[1].drop("wall_s"))
    assert [*found, random.random()] == expected


def test_workers_find_the_class_by_itself(tmp_path: Path) -> None:
    here, there = (
        batch(
            model=BoltzmannWealth,
            parameters={"n": 10},
            replicates=6,
            max_steps=5,
            out=tmp_path / str(n),
            workers=n,
        )
        for n in (0, 2)
    )
    assert here.runs.drop("wall_s").equals(there.runs.drop("wall_s"))


def test_figures_may_be_read_without_a_collector(tmp_path: Path) -> None:
    results = batch(
        model=WithoutCollector, parameters={"size": [3, 5]}, out=tmp_path, workers=0,
        indicators={"total": "total", "half": half},
    )  # fmt: skip
    assert results.runs["m.total"].to_list() == [12.0, 15.0]
    assert results.runs["m.half"].to_list() == [6.0, 7.5]
    assert results.series.filter(results.series["step"] == 0)["total"].to_list() == [0.0, 0.0]


def half(model: WithoutCollector) -> float:
    return model.total / 2


def test_parameters_are_drawn_and_whole_ones_stay_whole(tmp_path: Path) -> None:
    sample = Sample("lhs", 8, ranges={"steps": Range(2, 9), "x": Range(0.0, 1.0)})
    results = batch(model=Cheap, sample=sample, max_steps=20, out=tmp_path, workers=0)
    steps = results.runs["x.steps"].to_list()
    assert steps == [round(value) for value in steps]
    assert len(set(steps)) > 4
    assert results.runs["m.at"].to_list() == steps
    assert results.runs["x.x"].n_unique() == 8


def test_a_replicate_has_the_same_seed_for_all_parameters_and_another_from_the_next() -> None:
    study = mesa_study(Cheap, {"x": [0.0, 1.0]}, replicates=3)
    seeds = [study.labels(case).seed for case in range(study.size)]
    assert seeds[::2] == seeds[1::2]
    assert len(set(seeds)) == 3
    assert [study.arguments(case)["x"] for case in range(4)] == [0.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("model", "how", "says"),
    [
        (Cheap, {"parameters": {"xx": 1}}, "xx: .*did you mean 'x'|xx: .*no parameter of Cheap"),
        (Cheap, {"parameters": {"x": []}}, "found an empty list"),
        (Cheap, {"replicates": 0}, "expected 1 or more"),
        (Cheap, {"sample": Sample("lhs", 4)}, "nothing to draw"),
        (Cheap, {"sample": Sample("lhs", 4, ranges={"x": Range(2, 1)})}, "low end must lie below"),
        (BoltzmannWealth, {"parameters": {"m": 3}}, "no parameter of BoltzmannWealth"),
        (WithoutCollector, {}, "has no data collector"),
        (Luckless, {}, "its luck cannot be set"),
        (int, {}, "a class that is a mesa.Model"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_runs(model: Any, how: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        mesa_study(model, **how)


def test_a_class_that_workers_cannot_import_is_refused() -> None:
    class Hidden(Cheap):
        pass

    with pytest.raises(BadInput, match="cannot be imported by workers"):
        mesa_study(Hidden)


def test_a_figure_that_is_no_number_fails_its_run_with_its_name(tmp_path: Path) -> None:
    results = batch(model=WithoutCollector, out=tmp_path, workers=0, indicators={"all": vars})
    assert results.runs["status"].to_list() == ["failed"]
    assert "all is dict, expected a number" in results.runs["error"][0]
    assert results.runs["m.all"].to_list() == [None]
    assert not math.isnan(results.runs["wall_s"][0])
