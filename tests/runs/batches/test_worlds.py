"""A batch of a world: its cases are the runs that `madang run` makes, under the same luck for every package."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from abm.luck import Luck
from runs import Results, batch, monte_carlo, simulate
from runs.assemble import prepare
from runs.batches import Batch, Correlation, Keep, Progress, Range, Sample, replay
from runs.batches.planning import plan
from runs.checking import BadInput
from tests.runs.batches.folders import runs_of, series_of

SPEC = Batch(
    world="toy",
    scenarios=("baseline", "shortage"),
    packages=("no-policy", "startup-access"),
    replicates=2,
    seed=3,
    settings={"pue": 1.3},
    sample=Sample("lhs", 3, ("gpu_supply_factor", "line_delay_months"), ("carbon_price",)),
    keep=Keep(series=("gpus_online", "ai_sites_mw"), decisions=True, sites=True),
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return batch(SPEC, tmp_path_factory.mktemp("batch") / "out", workers=0)


def test_ids_are_those_of_the_single_runs() -> None:
    study = plan(SPEC)
    assert study.size == 2 * 2 * 3 * 2
    assert [found.decode() for found in study.ids()] == [study.run_id(case) for case in range(study.size)]
    assert len(set(study.ids())) == study.size
    prepared = prepare("toy", "shortage", "startup-access", study.settings_of(11), study.root(0))
    labels = study.labels(11)
    assert (labels.scenario, labels.package, labels.sample, labels.replicate) == (
        "shortage",
        "startup-access",
        1,
        0,
    )
    assert prepared.run_id() == study.run_id(11)


def test_every_run_is_what_simulate_gives(results: Results) -> None:
    study = plan(SPEC)
    for case in (0, 13, 23):
        labels = study.labels(case)
        model = simulate(labels.scenario, labels.package, labels.seed, study.settings_of(case), "toy")
        run_id = study.run_id(case)
        row = results.runs.row(by_predicate=pl.col("run_id") == run_id, named=True)
        for indicator in model.recorder.indicators:
            assert row[f"m.{indicator.name}"] == model.recorder.final(indicator.name)
        for name, value in study.settings_of(case).items():
            assert value in (row.get(f"x.{name}"), row.get(f"l.{name}"))
        series = results.series.filter(pl.col("run_id") == run_id).drop("run_id")
        assert series.equals(model.series.select(series.columns))
        record = results.record(run_id)
        assert list(record.decisions) == model.decisions.records
        assert record.yearly("gpus_online") == model.recorder.yearly("gpus_online")


def test_a_sample_draws_the_same_values_everywhere_and_a_replicate_has_the_same_root(
    results: Results,
) -> None:
    drawn = ["x.gpu_supply_factor", "x.line_delay_months", "l.carbon_price"]
    for column in drawn:
        assert results.runs.group_by("sample").agg(pl.col(column).n_unique())[column].to_list() == [1, 1, 1]
        assert results.runs[column].n_unique() == 3
    assert results.runs.group_by("replicate").agg(pl.col("seed").n_unique())["seed"].to_list() == [1, 1]
    assert results.runs["seed"].n_unique() == 2
    assert results.runs["x.pue"].unique().to_list() == [1.3]


def test_replicates_are_independent_and_packages_share_their_luck() -> None:
    study = plan(Batch(world="toy", packages=("no-policy", "startup-access"), replicates=400))
    first, second = (study.prepared(case) for case in (0, 1))
    assert (first.spec.package.name, second.spec.package.name) == ("no-policy", "startup-access")
    events = [("line-slip", "north-south", 0), ("macro", "common", 7)]
    lucks = [prepared.build().luck for prepared in (first, second)]
    for event in events:
        assert lucks[0].uniform(*event) == lucks[1].uniform(*event)
        draws = np.array([Luck(study.root(replicate)).uniform(*event) for replicate in range(400)])
        assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.15
        assert abs(draws.mean() - 0.5) < 0.05


def test_one_and_two_workers_in_any_order_write_the_same(results: Results, tmp_path: Path) -> None:
    batch(SPEC, tmp_path, workers=2)
    assert runs_of(tmp_path).equals(runs_of(results.folder))
    assert series_of(tmp_path).equals(series_of(results.folder))


def test_the_manifest_says_what_was_asked(results: Results) -> None:
    manifest = results.manifest
    asked = manifest["asked"]
    assert [scenario["name"] for scenario in asked["scenarios"]] == ["baseline", "shortage"]
    assert asked["factors"][0]["name"] == "gpu_supply_factor"
    assert manifest["world"]["hash"] == plan(SPEC).world.hash
    assert len(manifest["runs"]) == 24
    assert json.loads((results.folder / "manifest.json").read_text(encoding="utf-8")) == manifest


def test_the_command_of_a_row_is_the_run() -> None:
    study = plan(SPEC)
    words = shlex.split(study.replay(9))
    assert words[:3] == ["madang", "run", study.labels(9).scenario]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert (given["--world"], given["--package"], given["--seed"]) == (
        "toy", study.labels(9).package, str(study.labels(9).seed),
    )  # fmt: skip
    settings = dict(word.split("=") for word in words[4::2] if "=" in word)
    assert {name: float(value) for name, value in settings.items()} == study.settings_of(9)


def test_one_run_of_a_batch_is_run_by_itself(results: Results) -> None:
    run_id = plan(SPEC).run_id(5)
    model = replay(SPEC, run_id[:10])
    row = results.runs.row(by_predicate=pl.col("run_id") == run_id, named=True)
    assert model.recorder.final("gpus_online") == row["m.gpus_online"]
    with pytest.raises(BadInput, match="no run of this batch"):
        replay(SPEC, "zzzz")


def test_runs_that_are_the_same_are_run_once_and_listed_under_each_name(tmp_path: Path) -> None:
    """Where a sample draws all that sets two scenarios apart, their runs are one."""
    other = tmp_path / "same.toml"
    other.write_text('title = "A baseline by another name"\n[uncertainties]\npue = 1.4\n', encoding="utf-8")
    spec = Batch(
        world="toy", scenarios=("baseline", str(other)), packages=("no-policy",), replicates=2,
        sample=Sample("lhs", 3, ("pue",)), keep=Keep(series=("gpus_online",)),
    )  # fmt: skip
    seen: list[Progress] = []
    found = batch(spec, tmp_path / "out", workers=0, on_progress=seen.append)
    assert seen[-1].ran == 6
    assert seen[-1].done == 12
    assert found.runs.height == 12
    assert found.runs["run_id"].n_unique() == 6
    assert found.series.height == 6 * 48
    left, right = (found.runs.filter(pl.col("scenario") == name) for name in ("baseline", "same"))
    apart = ["scenario", "wall_s"]
    assert left.drop(apart).sort("run_id").equals(right.drop(apart).sort("run_id"))
    assert found.to_xarray(["gpus_online"])["gpus_online"].notnull().all()
    batch(spec, tmp_path / "out", workers=0, on_progress=seen.append)
    assert seen[-1].ran == 0
    twins = next((tmp_path / "out" / "runs").glob("part-same-*"))
    twins.write_bytes(b"torn")
    assert batch(spec, tmp_path / "out", workers=0).runs.height == 12


def test_paired_differences_are_those_of_the_runs(results: Results) -> None:
    found = results.paired("no-policy", "startup-access", ["ai_sites_mw", "public_spend_krw"])
    assert found.height == 4
    keys = ["scenario", "sample", "replicate"]
    sides = [
        results.runs.filter(pl.col("package") == name).sort(keys) for name in ("no-policy", "startup-access")
    ]
    difference = (sides[1]["m.public_spend_krw"] - sides[0]["m.public_spend_krw"]).to_numpy()
    mine = difference[(sides[0]["scenario"] == "baseline").to_numpy()]
    row = found.row(
        by_predicate=(pl.col("scenario") == "baseline") & (pl.col("indicator") == "public_spend_krw"),
        named=True,
    )
    assert row["n"] == 6
    assert row["difference"] == pytest.approx(mine.mean())
    assert row["low"] <= row["difference"] <= row["high"]
    assert row["b"] - row["a"] == pytest.approx(row["difference"])
    assert row["unit"] == "KRW"
    with pytest.raises(BadInput, match="did you mean 'no-policy'"):
        results.paired("no-polic", "startup-access")
    with pytest.raises(BadInput, match="did you mean 'ai_sites_mw'"):
        results.paired("no-policy", "startup-access", ["ai_site_mw"])


def test_cubes_queries_and_lazy_frames_agree_with_the_tables(results: Results) -> None:
    cube = results.to_xarray(["gpus_online"])
    assert cube["gpus_online"].dims == ("scenario", "package", "sample", "replicate", "month")
    assert list(cube["scenario"].values) == ["baseline", "shortage"]
    row = results.runs.row(17, named=True)
    where = {axis: row[axis] for axis in ("scenario", "package", "sample", "replicate")}
    series = results.series.filter(pl.col("run_id") == row["run_id"])["gpus_online"].to_numpy()
    assert np.array_equal(cube["gpus_online"].sel(where).values, series)
    assert float(cube["final.gpus_online"].sel(where)) == row["m.gpus_online"]
    assert cube["gpus_online"].attrs["unit"] == "GPU"
    top = results.sql("select max(gpus_online) as top from series")["top"][0]
    assert top == results.series["gpus_online"].max()
    lazy = results.scan("series").filter(pl.col("run_id") == row["run_id"]).select("gpus_online").collect()
    assert np.array_equal(lazy["gpus_online"].to_numpy(), series)
    with pytest.raises(BadInput, match="nonsense"):
        results.sql("select nonsense from runs")


def test_monte_carlo_is_a_batch(tmp_path: Path) -> None:
    results = monte_carlo(
        "baseline", ["no-policy", "startup-access"], n=4, method="sobol", seed=1, out=tmp_path, world="toy",
        uncertainties=["pue"], workers=0, keep=Keep(series=()),
    )  # fmt: skip
    assert results.runs.height == 8
    assert results.runs["x.pue"].n_unique() == 4
    with pytest.raises(BadInput, match="keeps no series"):
        _ = results.series


def test_stopping_at_a_precision_depends_on_nothing_but_the_runs(tmp_path: Path) -> None:
    spec = Batch(
        world="toy",
        packages=("no-policy",),
        replicates=200,
        keep=Keep(indicators=("emissions_mt",), series=()),
    )
    seen: list[Progress] = []
    condition = "m.emissions_mt ci95 < 5%"
    batch(spec, tmp_path / "one", workers=0, until=condition, on_progress=seen.append)
    stopped = seen[-1]
    assert "reached emissions_mt ci95 < 5 %" in stopped.stopped
    assert 16 <= stopped.done < 200
    (found,) = stopped.estimates.values()
    assert found.half < 0.05 * found.mean
    batch(spec, tmp_path / "two", workers=2, until=condition, on_progress=seen.append)
    assert runs_of(tmp_path / "two").equals(runs_of(tmp_path / "one"))
    batch(spec, tmp_path / "two", workers=0, until=condition, on_progress=seen.append)
    assert seen[-1].ran == 0
    batch(spec, tmp_path / "two", workers=0, until="m.emissions_mt ci95 < 4.9%", on_progress=seen.append)
    assert seen[-1].done >= stopped.done


def test_a_design_cannot_be_stopped_early(tmp_path: Path) -> None:
    spec = Batch(
        world="toy", packages=("no-policy",), sample=Sample("morris", 4, ("pue", "gpu_supply_factor"))
    )
    with pytest.raises(BadInput, match="only as a whole"):
        batch(spec, tmp_path, workers=0, until="m.gpus_online ci95 < 2%")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scenarios": ("baselin",)}, r"scenarios\[1\].*did you mean 'baseline'"),
        ({"packages": ()}, "packages: found none"),
        ({"replicates": 0}, "expected 1 or more"),
        ({"settings": {"pue": 9}}, r"settings.pue: found 9, allowed 1.05 to 1.6"),
        ({"sample": Sample("lhs", 4, ("pue",)), "settings": {"pue": 1.2}}, "fixed by"),
        ({"sample": Sample("lhs", 4, ("pue",), ranges={"pue": Range(1.0, 3.0)})}, "allowed 1.05 to 1.6"),
        (
            {"sample": Sample("lhs", 4, ("pue",), correlations=(Correlation("pue", "x", 0.5),))},
            "that is drawn",
        ),
        ({"keep": Keep(indicators=("gpus_online",)), "watch": "ai_sites_mw"}, "is not kept"),
        ({"sample": Sample("factorial", levels=100)}, "runs in all, allowed"),
    ],
)
def test_a_python_batch_is_checked_as_a_file_is(change: dict[str, Any], says: str) -> None:
    asked = {"world": "toy", "packages": ("no-policy",), **change}
    with pytest.raises(BadInput, match=says):
        plan(Batch(**asked))
