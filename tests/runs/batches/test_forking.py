"""Packages that differ from a month on: shared years, the same runs bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from abm.calendar import parse_month
from policies.catalogue import catalogue
from policies.package import Package
from policies.trigger import Trigger
from runs import batch, simulate
from runs.assemble import prepare
from runs.batches import Batch, Fork, Keep
from runs.batches.forking import Branch, Forked, Trunk
from runs.batches.planning import plan
from runs.scenario import load_package

AT = "2026-07"
MONTH = 18
LEVERS = catalogue()


def package(name: str, **levers: object) -> Package:
    """A package of steps {lever: ((month text, value), ...)}."""
    schedule = {
        LEVERS[lever].handle: tuple((parse_month(month), value) for month, value in steps)  # type: ignore[attr-defined]
        for lever, steps in levers.items()
    }
    return Package(name, name, "", "", schedule, (), "")


BASE = package("base", state_gpu_purchases=(("2025-01", 500.0),), carbon_price=(("2025-06", 20000.0),))
LATER = package(
    "later",
    state_gpu_purchases=(("2025-01", 500.0), (AT, 3000.0)),
    carbon_price=(("2025-06", 20000.0), ("2027-01", 90000.0)),
)


def forked(base: Package, then: Package, seed: int = 3) -> Forked:
    return Forked(*(prepare("toy", "baseline", found, {"pue": 1.2}, seed) for found in (base, then)), AT)


def test_where_packages_differ_from_the_month_on_the_branch_is_the_plain_run() -> None:
    """Same id, same bits: sharing the years before only saves time."""
    found = forked(BASE, LATER)
    assert found.month == MONTH
    plain = prepare("toy", "baseline", LATER, {"pue": 1.2}, 3)
    assert found.run_id() == plain.run_id()
    whole = plain.build().run_model()
    model = found.build().run_model()
    assert np.array_equal(model.recorder.values, whole.recorder.values, equal_nan=True)
    assert model.decisions.records == whole.decisions.records
    assert model.site_report() == whole.site_report()
    differs = simulate("baseline", seed=3, world="toy", settings={"pue": 1.2}, package="no-policy")
    assert not np.array_equal(model.recorder.values, differs.recorder.values, equal_nan=True)


def test_a_run_that_was_another_package_before_has_an_id_of_its_own() -> None:
    found = forked(load_package("no-policy", LEVERS), LATER)
    assert found.run_id() != prepare("toy", "baseline", LATER, {"pue": 1.2}, 3).run_id()
    before = prepare("toy", "baseline", "no-policy", {"pue": 1.2}, 3).build().run_model()
    after = found.build().run_model()
    assert np.array_equal(after.recorder.values[:MONTH], before.recorder.values[:MONTH], equal_nan=True)
    assert not np.array_equal(after.recorder.values[MONTH:], before.recorder.values[MONTH:], equal_nan=True)


def test_the_same_package_on_both_sides_is_that_package() -> None:
    found = forked(BASE, BASE)
    assert found.run_id() == prepare("toy", "baseline", BASE, {"pue": 1.2}, 3).run_id()


def test_triggers_of_the_first_package_make_another_run() -> None:
    watching = replace(
        BASE, name="watching",
        triggers=(Trigger("t", "gpus_online", ">", 1.0, parse_month("2026-01"), 0.0, {"carbon_price": 50000.0}),),
    )  # fmt: skip
    both = forked(watching, replace(LATER, triggers=watching.triggers))
    plain = prepare("toy", "baseline", replace(LATER, triggers=watching.triggers), {"pue": 1.2}, 3)
    assert both.run_id() == plain.run_id()
    whole, model = plain.build().run_model(), both.build().run_model()
    assert whole.board.fired
    assert np.array_equal(model.recorder.values, whole.recorder.values, equal_nan=True)
    dropped = forked(watching, LATER)
    assert dropped.run_id() not in (both.run_id(), forked(BASE, LATER).run_id())
    # What the trigger had switched on gives way to the second package at the fork.
    assert dropped.build().run_model().board.target("carbon_price", MONTH) == 20000.0


def test_one_trunk_serves_many_branches_in_any_order() -> None:
    trunk = Trunk(forked(BASE, LATER))
    ways = [forked(BASE, LATER), forked(BASE, BASE), forked(BASE, LATER)]
    first, second, third = (Branch(trunk, way).run_model().recorder.values for way in ways)
    assert np.array_equal(first, third, equal_nan=True)
    assert not np.array_equal(first, second, equal_nan=True)


def test_a_batch_file_may_fork(tmp_path: Path) -> None:
    spec = Batch(
        world="toy", packages=("no-policy", LATER), replicates=2, fork=Fork(AT, BASE),
        keep=Keep(series=("gpus_online", "public_spend_krw")),
    )  # fmt: skip
    study = plan(spec)
    assert [found.decode() for found in study.ids()] == [study.run_id(case) for case in range(study.size)]
    shared = batch(spec, tmp_path / "shared", workers=0)
    apart = [study.prepared(case).build().run_model() for case in range(study.size)]
    for case, model in enumerate(apart):
        series = shared.series.filter(pl.col("run_id") == study.run_id(case)).drop("run_id")
        assert series.equals(model.series.select(series.columns))
    batch(spec, tmp_path / "two", workers=2)
    assert (tmp_path / "two").exists()
    frames = [batch(spec, tmp_path / name, workers=0).runs.drop("wall_s") for name in ("shared", "two")]
    assert frames[0].equals(frames[1])


def test_what_fails_before_the_fork_fails_every_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    from abm.model import Model

    def broken(self: Model) -> None:
        raise RuntimeError("before the fork")

    trunk = Trunk(forked(BASE, LATER))
    monkeypatch.setattr(Model, "step", broken)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="before the fork"):
            Branch(trunk, forked(BASE, LATER)).run_model()
