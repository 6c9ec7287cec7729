"""From a batch to a study: everything in it that only its world can judge is checked before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from abm.quantities import nearest
from abm.world import World
from policies.catalogue import catalogue
from policies.library import is_path, shipped_packages
from policies.package import Package
from policies.reading import Problems, read_month, unknown
from runs.assemble import indicators, scenario_folder, series_names
from runs.batches import sampling
from runs.batches.batchfile import bad_input
from runs.batches.sampling import Factor
from runs.batches.spec import LARGEST_BATCH, LARGEST_SEED, Batch, Correlation, Sample
from runs.batches.worlds import WorldStudy
from runs.checking import BadInput, Complaint
from runs.located_toml import Document
from runs.scenario import Scenario, load_package, load_scenario, shipped_scenarios
from runs.spec import read_settings
from runs.worlds import loader


def plan(batch: Batch, document: Document | None = None, problems: Problems | None = None) -> WorldStudy:
    """The study that a batch asks for; :class:`BadInput` with everything wrong, on its line in ``document``."""
    problems = Problems() if problems is None else problems
    complaints: list[Complaint] = []
    known = loader.available()
    if document is not None and batch.world not in known and not is_world_folder(batch.world):
        problems.note(("world",), unknown(batch.world, "world or folder of one", known))
        raise bad_input(problems, document, complaints)
    world = loader.load(batch.world)
    check = _Checker(batch, world, problems, complaints)
    scenarios, packages = check.scenarios(), check.packages()
    base = check.base()
    settings = check.settings()
    factors = check.factors(settings)
    check.numbers()
    check.kept()
    size = check.size(len(factors))
    if problems or complaints:
        raise bad_input(problems, document, complaints)
    sample = batch.sample
    try:
        values = sampling.draw(sample, factors, batch.seed) if sample else np.zeros((1, 0))
    except ValueError as error:
        problems.note(("sample", "correlations"), str(error))
        raise bad_input(problems, document, complaints) from None
    assert size == len(values) * batch.replicates * len(scenarios) * len(packages)
    return WorldStudy(batch, world, scenarios, packages, base, factors, values, settings)


def is_world_folder(name: str) -> bool:
    return (Path(name) / loader.SETTINGS).is_file()


class _Checker:
    """Everything in a batch that only its world can judge."""

    def __init__(self, batch: Batch, world: World, problems: Problems, complaints: list[Complaint]):
        self.batch, self.world, self.problems, self.complaints = batch, world, problems, complaints
        self.levers = catalogue()
        self.units = {indicator.name: indicator.unit for indicator in indicators(world)}
        self.uncertain = {n: q for n, q in world.quantities.items() if q.role == "uncertainty"}

    def scenarios(self) -> tuple[Scenario, ...]:
        folder = scenario_folder(self.batch.world)
        shipped = shipped_scenarios(folder)
        found: list[Scenario] = []
        for at, given in enumerate(self.batch.scenarios):
            if isinstance(given, str) and not is_path(given) and given not in shipped:
                what = "scenario of this world"
                self.problems.note(
                    ("scenarios", at),
                    f"{unknown(given, what, shipped)}; the path of a file of your own ends in .toml",
                )
                continue
            try:
                world = self.world
                scenario = given if isinstance(given, Scenario) else load_scenario(
                    given, folder, world.quantities, series_names(world), world.calendar,
                    world=world.name, currency=world.currency,
                )  # fmt: skip
            except BadInput as bad:
                self.complaints += bad.complaints
                continue
            self._once(found, scenario, "scenarios", at)
        return tuple(found)

    def packages(self) -> tuple[Package, ...]:
        found: list[Package] = []
        for at, given in enumerate(self.batch.packages):
            package = self._package(given, ("packages", at))
            if package is not None:
                self._once(found, package, "packages", at)
        return tuple(found)

    def base(self) -> Package | None:
        fork = self.batch.fork
        if fork is None:
            return None
        month = self.problems.attempt(("fork", "at"), read_month, fork.at)
        calendar = self.world.calendar
        if month is not None and not 0 < month - calendar.first < calendar.months:
            last = calendar.text(calendar.months - 1)
            self.problems.note(
                ("fork", "at"),
                f"found {fork.at}, allowed {calendar.text(1)} to {last}, months within the run",
            )
        return self._package(fork.base, ("fork", "base"))

    def _package(self, given: str | Package, path: tuple[str | int, ...]) -> Package | None:
        if isinstance(given, Package):
            return given
        shipped = shipped_packages()
        if not is_path(given) and given not in shipped:
            message = unknown(given, "package that ships", shipped)
            self.problems.note(path, f"{message}; the path of a file of your own ends in .toml")
            return None
        try:
            return load_package(given, self.levers, indicators=self.units, currency=self.world.currency)
        except BadInput as bad:
            self.complaints += bad.complaints
            return None

    def _once(self, found: list[Any], new: Any, key: str, at: int) -> None:
        if any(other.name == new.name for other in found):
            self.problems.note(
                (key, at), f"found a second one of the name {new.name!r}; give it another name"
            )
        else:
            found.append(new)

    def numbers(self) -> None:
        """What the file's reader has judged already, for a batch made in Python."""
        batch = self.batch
        if not batch.scenarios:
            self.problems.note(("scenarios",), "found none, expected at least one")
        if not batch.packages:
            self.problems.note(("packages",), "found none, expected at least one")
        if not 1 <= batch.replicates <= LARGEST_BATCH:
            self.problems.note(("replicates",), f"found {batch.replicates}, expected 1 or more")
        if not 0 <= batch.seed <= LARGEST_SEED:
            self.problems.note(("seed",), f"found {batch.seed}, allowed 0 to {LARGEST_SEED}")
        if batch.sample is not None and batch.sample.n < 1:
            self.problems.note(("sample", "n"), f"found {batch.sample.n}, expected 1 or more")

    def settings(self) -> dict[str, float]:
        try:
            return read_settings(
                self.batch.settings, self.world.quantities, self.levers, currency=self.world.currency
            )
        except BadInput as bad:
            for complaint in bad.complaints:
                self.problems.note(("settings", complaint.key), complaint.message)
            return {}

    def factors(self, settings: dict[str, float]) -> tuple[Factor, ...]:
        sample = self.batch.sample
        if sample is None:
            return ()
        names = sample.uncertainties
        if names is None:
            drawn = [n for n, q in self.uncertain.items() if q.distribution != "fixed" or n in sample.ranges]
            names = tuple(sorted(name for name in drawn if name not in settings))
        found: list[Factor] = []
        for at, name in enumerate(names):
            here = ("sample", "uncertainties", at)
            if name not in self.uncertain:
                self.problems.note(here, _no_such(name, self.uncertain, self.levers))
            elif name in settings:
                self.problems.note(here, f"{name!r} is fixed by [settings]; it cannot be drawn as well")
            else:
                found += self._uncertainty(name, sample, here)
        for at, name in enumerate(sample.levers):
            here = ("sample", "levers", at)
            lever = self.levers.get(name)
            if lever is None:
                self.problems.note(here, unknown(name, "lever", self.levers))
            elif name in settings:
                self.problems.note(here, f"{name!r} is fixed by [settings]; it cannot be drawn as well")
            else:
                found += self._ranged(name, "lever", lever.low, lever.high, "uniform", lever.default, sample)
        names_drawn = [factor.name for factor in found]
        for name in sample.ranges:
            if name not in names_drawn:
                self.problems.note(
                    ("sample", "ranges", name), f"{name!r} is not drawn; name it in uncertainties or levers"
                )
        for at, pair in enumerate(sample.correlations):
            self._pair(pair, names_drawn, ("sample", "correlations", at, "between"))
        if not found and not self.problems:
            self.problems.note(("sample",), "found nothing to draw; name uncertainties or levers")
        return tuple(found)

    def _uncertainty(self, name: str, sample: Sample, here: tuple[str | int, ...]) -> list[Factor]:
        quantity = self.uncertain[name]
        if quantity.distribution == "fixed" and name not in sample.ranges:
            self.problems.note(
                here, f"{name!r} has no distribution in this world; give it one in [sample.ranges]"
            )
            return []
        return self._ranged(
            name, "uncertainty", quantity.low, quantity.high, quantity.distribution, quantity.default, sample
        )

    def _ranged(
        self, name: str, role: str, low: float, high: float, distribution: str, mode: float, sample: Sample
    ) -> list[Factor]:
        """The quantity's own range, or the one that the batch gives within it."""
        own = sample.ranges.get(name)
        if own is None:
            return [Factor(name, role, low, high, distribution, mode)]
        if own.low < low or own.high > high:
            self.problems.note(
                ("sample", "ranges", name),
                f"found {own.low:g} to {own.high:g}, allowed {low:g} to {high:g}",
            )
            return []
        middle = own.mode if own.mode is not None else min(max(mode, own.low), own.high)
        return [Factor(name, role, own.low, own.high, own.distribution, middle)]

    def _pair(self, pair: Correlation, drawn: list[str], here: tuple[str | int, ...]) -> None:
        for end, name in enumerate((pair.first, pair.second)):
            if name not in drawn:
                self.problems.note((*here, end), unknown(name, "quantity that is drawn", drawn))
        if pair.first == pair.second:
            self.problems.note(here, f"found {pair.first!r} twice, expected two quantities")

    def kept(self) -> None:
        keep = self.batch.keep
        for key, names in (("indicators", keep.indicators), ("series", keep.series)):
            for at, name in enumerate(names or ()):
                if name not in self.units:
                    self.problems.note(
                        ("keep", key, at), unknown(name, "indicator of this world", self.units)
                    )
        watch = self.batch.watch
        if watch and watch not in self.units:
            self.problems.note(("watch",), unknown(watch, "indicator of this world", self.units))
        elif watch and keep.indicators is not None and watch not in keep.indicators:
            self.problems.note(("watch",), f"{watch!r} is not kept; name it in keep.indicators")

    def size(self, factors: int) -> int:
        batch = self.batch
        samples = sampling.count(batch.sample, factors) if batch.sample else 1
        size = samples * batch.replicates * len(batch.scenarios) * len(batch.packages)
        if size > LARGEST_BATCH:
            key = ("sample",) if samples > batch.replicates else ("replicates",)
            self.problems.note(key, f"asks for {size:,} runs in all, allowed {LARGEST_BATCH:,}")
        return size


def _no_such(name: str, uncertain: Any, levers: Any) -> str:
    if name in levers:
        return f"{name!r} is a lever; name it in sample.levers"
    near = nearest(name, uncertain)
    return (
        unknown(name, "uncertainty", uncertain)
        if near
        else unknown(name, "uncertainty of this world", uncertain)
    )
