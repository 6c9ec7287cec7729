"""A batch of a world: checked as a whole before anything runs, then a study of numbered cases."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import groupby, product
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import madang
from abm.world import World
from policies.catalogue import catalogue
from policies.lever import Lever
from policies.library import is_path
from policies.package import Package
from policies.reading import unit_text
from runs.assemble import Prepared, indicators, prepare
from runs.batches import forking, sampling
from runs.batches.outcome import outcome_of
from runs.batches.sampling import Factor
from runs.batches.spec import DESIGNS, Batch
from runs.batches.study import Facts, Ids, Labels, Ran, plain, reason_of
from runs.hashing import hash_text
from runs.results import FORMAT
from runs.scenario import Scenario
from runs.spec import library_versions, model_hash
from runs.worlds import loader

if TYPE_CHECKING:
    import pyarrow as pa

    from abm.series import Indicator


@dataclass
class WorldStudy:
    """Cases of a batch: packages vary fastest, then scenarios, replicates and samples."""

    batch: Batch
    world: World
    scenarios: tuple[Scenario, ...]
    packages: tuple[Package, ...]
    base: Package | None
    factors: tuple[Factor, ...]
    values: np.ndarray
    """(samples, factors)"""
    settings: dict[str, float]
    watch: str = ""
    source: str = field(default_factory=model_hash)

    def __post_init__(self) -> None:
        self.watch = self.watch or self._watched()

    def _watched(self) -> str:
        """What the batch names, else the first indicator that the world's goals promise, else the first."""
        kept = self.finals
        if self.batch.watch:
            return self.batch.watch
        promised = [name for name in self.world.tables["goals"].columns["indicator"] if name in kept]
        return promised[0] if promised else (kept[0] if kept else "")

    # -- counting ----------------------------------------------------------------------------
    @property
    def size(self) -> int:
        return len(self.values) * self.batch.replicates * len(self.cells)

    @cached_property
    def cells(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (scenario.name, package.name) for scenario, package in product(self.scenarios, self.packages)
        )

    cell_names: ClassVar[tuple[str, str]] = ("scenario", "package")

    @property
    def replicates(self) -> int:
        return self.batch.replicates

    def facts(self) -> Facts:
        counts = {
            "scenarios": len(self.scenarios),
            "packages": len(self.packages),
            "samples": len(self.values),
            "replicates": self.replicates,
        }
        fork = self.batch.fork
        shared = (
            f"the months before {fork.at} are run once for all packages ({self.base.name})"
            if fork is not None and self.base is not None
            else ""
        )
        return Facts(counts, [factor.name for factor in self.factors], [shared] if shared else [])

    @property
    def together(self) -> int:
        return len(self.packages) if self.base is not None else 1

    imports: ClassVar[tuple[str, ...]] = ("runs.batches.warm",)

    @property
    def design(self) -> bool:
        return self.batch.sample is not None and self.batch.sample.method in DESIGNS

    def _place(self, case: int) -> tuple[int, int, int, int]:
        """(sample, replicate, scenario, package) of a case."""
        rest, package = divmod(case, len(self.packages))
        rest, scenario = divmod(rest, len(self.scenarios))
        sample, replicate = divmod(rest, self.batch.replicates)
        return sample, replicate, scenario, package

    def root(self, replicate: int) -> int:
        """The root seed of a replicate, the same for every scenario, package and sample."""
        return sampling.stream_seed(self.batch.seed, "replicate", replicate)

    def labels(self, case: int) -> Labels:
        sample, replicate, scenario, package = self._place(case)
        return Labels(
            self.scenarios[scenario].name,
            self.packages[package].name,
            sample,
            replicate,
            self.root(replicate),
        )

    def settings_of(self, case: int) -> dict[str, float]:
        """What the case sets by name: what is fixed for all, and its sample."""
        row = self.values[self._place(case)[0]]
        return {**self.settings, **{f.name: float(v) for f, v in zip(self.factors, row, strict=True)}}

    # -- identity ----------------------------------------------------------------------------
    def prepared(self, case: int) -> Prepared | forking.Forked:
        """The case, ready to be built."""
        _, replicate, scenario, package = self._place(case)
        return self._prepare(scenario, package, self.settings_of(case), self.root(replicate))

    def _prepare(
        self, scenario: int, package: int, settings: dict[str, float], root: int
    ) -> Prepared | forking.Forked:
        chosen = self.scenarios[scenario]
        then = prepare(self.world, chosen, self.packages[package], settings, root)
        if self.base is None:
            return then
        assert self.batch.fork is not None
        return forking.Forked(
            prepare(self.world, chosen, self.base, settings, root), then, self.batch.fork.at
        )

    def run_id(self, case: int) -> str:
        return self.prepared(case).run_id()

    def ids(self) -> Ids:
        """All ids; the canonical form is made once for each scenario and package and filled in for each case."""
        size = self.size
        ids = np.empty(size, "S16")
        roots = [self.root(replicate) for replicate in range(self.batch.replicates)]
        template = []
        for scenario, package in product(range(len(self.scenarios)), range(len(self.packages))):
            prepared = self._prepare(scenario, package, self.settings_of(0), roots[0])
            template.append(prepared.canonical())
        levers = catalogue()
        uncertain = [(at, f.name) for at, f in enumerate(self.factors) if f.role == "uncertainty"]
        pulled = [(at, levers[f.name]) for at, f in enumerate(self.factors) if f.role == "lever"]
        case = 0
        for row in self.values:
            drawn = {name: float(row[at]) + 0.0 for at, name in uncertain}
            pinned = {lever.handle: (float(row[at]) + 0.0, lever) for at, lever in pulled}
            filled = [_filled(canonical, drawn, pinned) for canonical in template]
            for root in roots:
                for canonical in filled:
                    canonical["root"] = root
                    ids[case] = hash_text([canonical, self.source])
                    case += 1
        return ids

    def check_source(self) -> None:
        if model_hash() != self.source:
            raise RuntimeError(
                "this machine has another source of the model, or other versions of the libraries, than "
                "the one that made the plan; install the same on all"
            )
        if self._stands_on_disk() and loader.load(self.batch.world).hash != self.world.hash:
            raise RuntimeError("this machine has other tables of the world than the one that made the plan")

    def _stands_on_disk(self) -> bool:
        return self.batch.world in loader.available()

    # -- tables ------------------------------------------------------------------------------
    @cached_property
    def indicators(self) -> tuple[Indicator, ...]:
        return indicators(self.world)

    @cached_property
    def _finals_kept(self) -> tuple[Indicator, ...]:
        wanted = self.batch.keep.indicators
        return tuple(i for i in self.indicators if wanted is None or i.name in wanted)

    @cached_property
    def _series_kept(self) -> tuple[Indicator, ...]:
        wanted = self.batch.keep.series
        return tuple(i for i in self.indicators if wanted is None or i.name in wanted)

    @property
    def finals(self) -> tuple[str, ...]:
        return tuple(i.name for i in self._finals_kept)

    def unit(self, indicator: str) -> str:
        return next((i.unit for i in self.indicators if i.name == indicator), "")

    def schemas(self) -> dict[str, pa.Schema]:
        from runs import schema

        currency = self.world.currency
        uncertain = {
            name: unit_text(quantity.unit, currency)
            for name, quantity in self.world.quantities.items()
            if quantity.role == "uncertainty"
        }
        levers = {name: unit_text(lever.unit, currency) for name, lever in catalogue().items()}
        tables = {"runs": schema.runs_schema(uncertain, levers, self._finals_kept)}
        if self._series_kept:
            tables["series"] = schema.series_schema(self._series_kept)
        if self.batch.keep.decisions:
            tables["decisions"] = schema.decisions_schema()
        if self.batch.keep.sites:
            tables["sites"] = schema.sites_schema()
        return tables

    def inputs(self, case: int) -> list[float]:
        """Uncertainties in the order of the registry, then levers (as they stand at the end) in the catalogue's."""
        settings = self.settings_of(case)
        _, _, scenario, package = self._place(case)
        uncertainties, stands = self._inputs_of(scenario, package)
        return [settings.get(name, value) for name, value in (*uncertainties, *stands)]

    def _inputs_of(
        self, scenario: int, package: int
    ) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        cache: dict[tuple[int, int], Any] = self.__dict__.setdefault("_inputs", {})
        if (scenario, package) not in cache:
            prepared = prepare(self.world, self.scenarios[scenario], self.packages[package], self.settings, 0)
            last = prepared.settled.calendar.months - 1
            stands = prepared.settled.lever_values(prepared.levers, last)
            cache[scenario, package] = (
                list(prepared.settled.uncertainties.items()),
                [(name, stands[name]) for name in prepared.levers],
            )
        found: tuple[list[tuple[str, float]], list[tuple[str, float]]] = cache[scenario, package]
        return found

    def replay(self, case: int) -> str:
        labels = self.labels(case)
        _, _, scenario, package = self._place(case)
        chosen, bundle = self.scenarios[scenario], self.packages[package]
        from_file = _asked_for(self.batch.scenarios[scenario]), _asked_for(self.batch.packages[package])
        if self.base is not None or None in from_file:
            if self.batch.file:
                return f"madang batch {self.batch.file} --only {self.run_id(case)}"
            return f"runs.batches.replay(spec, {self.run_id(case)!r})"
        scenario_name, package_name = (
            given if is_path(str(given)) else name
            for given, name in zip(from_file, (chosen.name, bundle.name), strict=True)
        )
        given = "".join(f" --set {name}={value!r}" for name, value in self.settings_of(case).items())
        return (
            f"madang run {scenario_name} --world {self.batch.world} --package {package_name} "
            f"--seed {labels.seed}{given}"
        )

    # -- running -----------------------------------------------------------------------------
    def simulate(
        self, cases: Sequence[int], ids: Sequence[str], begin: Callable[[int], None]
    ) -> Iterator[Ran]:
        if self.base is None:
            for case, run_id in zip(cases, ids, strict=True):
                begin(case)
                yield self._run(case, run_id, partial(self._build, case))
            return
        for _, group in groupby(zip(cases, ids, strict=True), key=lambda pair: pair[0] // self.together):
            yield from self._branches(list(group), begin)

    def _build(self, case: int) -> Any:
        return self.prepared(case).build()

    def _branches(self, cases: Sequence[tuple[int, str]], begin: Callable[[int], None]) -> Iterator[Ran]:
        """Cases that differ from a month on: the years before are run once, in the time of the first."""
        trunk: forking.Trunk | None = None

        def branch(case: int) -> forking.Branch:
            nonlocal trunk
            forked = self.prepared(case)
            assert isinstance(forked, forking.Forked)
            trunk = trunk or forking.Trunk(forked)
            return forking.Branch(trunk, forked)

        for case, run_id in cases:
            begin(case)
            yield self._run(case, run_id, partial(branch, case))

    def _run(self, case: int, run_id: str, build: Callable[[], Any]) -> Ran:
        started = time.perf_counter()
        try:
            model = build().run_model()
            outcome = outcome_of(run_id, model, self._finals_kept, self._series_kept, self.batch.keep)
        except Exception as error:
            return Ran(case, None, reason_of(error), time.perf_counter() - started)
        return Ran(case, outcome, None, time.perf_counter() - started)

    def rerun(self, case: int) -> Any:
        return self.prepared(case).build().run_model()

    def figures(self, model: Any) -> list[tuple[str, float | None, str]]:
        return [(i.name, model.recorder.final(i.name), i.unit) for i in model.recorder.indicators]

    # -- the manifest ------------------------------------------------------------------------
    def head(self) -> dict[str, Any]:
        from runs.cli_run import goals_in
        from runs.schema import SCHEMA_VERSION

        world = self.world
        return {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "asked": {"kind": "batch", "world": world.name, **self.asked()},
            "world": {
                "name": world.name,
                "title": world.title,
                "currency": world.currency,
                "hash": world.hash,
            },
            "goals": goals_in(world),
            "model_hash": self.source,
            "versions": {
                "madang": madang.__version__,
                "python": sys.version.split()[0],
                **library_versions(),
            },
        }

    def asked(self) -> dict[str, Any]:
        """The whole specification as plain data, scenarios and packages with all that is in them."""
        batch = self.batch
        found: dict[str, Any] = plain(
            {
                "title": batch.title,
                "scenarios": self.scenarios,
                "packages": self.packages,
                "replicates": batch.replicates,
                "seed": batch.seed,
                "settings": self.settings,
                "sample": batch.sample,
                "factors": self.factors,
                "keep": batch.keep,
                "fork": batch.fork and {"at": batch.fork.at, "base": self.base},
                "limits": batch.limits,
                "watch": self.watch,
            }
        )
        return found


def _asked_for(given: object) -> str | None:
    return given if isinstance(given, str) else None


def _filled(
    canonical: dict[str, Any], drawn: dict[str, float], pinned: dict[str, tuple[float, Lever]]
) -> dict[str, Any]:
    """The canonical form of another sample."""
    levers = {handle: steps for handle, steps in canonical["levers"].items() if handle not in pinned}
    levers |= {handle: [[0, value]] for handle, (value, lever) in pinned.items() if value != lever.default}
    return {**canonical, "uncertainties": {**canonical["uncertainties"], **drawn}, "levers": levers}
