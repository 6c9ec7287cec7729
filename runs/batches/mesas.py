"""Any ``mesa.Model`` class as a study: parameters in a grid or drawn, replicates, its data collector's figures.

What ``mesa.batch_run`` runs runs here, and is kept in a results folder: ``x.`` columns are parameters,
``m.`` columns what the model reporters said last, the series what they said at every step.
"""

from __future__ import annotations

import math
import pickle
import random
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import madang
from runs.batches import sampling
from runs.batches.classes import Maker, path_of, see
from runs.batches.sources import library_versions, mistaken, source_hash
from runs.batches.spec import Reporter
from runs.batches.study import Facts, Ids, Labels, Outcome, Ran, plain, reason_of
from runs.hashing import hash_text
from runs.results import FORMAT

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class MesaStudy:
    """Cases of a model class: combinations of parameters vary fastest, then replicates and samples."""

    model: type
    names: tuple[str, ...]
    """Parameters that are given, then those that are drawn."""
    grid: tuple[tuple[Any, ...], ...]
    """One row of values for each sample and combination; combinations vary fastest."""
    combinations: int
    replicates: int
    seed: int
    max_steps: int
    reporters: tuple[str, ...]
    """Figures whose last values are kept."""
    series: tuple[str, ...]
    """Figures that are kept at every step."""
    extra: Mapping[str, Reporter]
    """Where figures are read that are not the data collector's."""
    by_scenario: type | None
    """Mesa's scenario class, for models that take their parameters in one."""
    drawn: tuple[str, ...] = ()
    design: bool = False
    watch: str = ""
    title: str = ""
    file: str = ""
    """Name of the batch file, if any."""
    home: str = ""
    """Folder that must be on the path for the class to be found."""
    source: str = field(default="")

    def __post_init__(self) -> None:
        self.source = self.source or source_hash(self.model)
        self.watch = self.watch or (self.reporters[0] if self.reporters else "")

    def __reduce__(self) -> tuple[Any, ...]:
        """A process that unpickles it can import the class before it must."""
        return _revived, (self.home, pickle.dumps(vars(self)))

    # -- counting ----------------------------------------------------------------------------
    @property
    def size(self) -> int:
        return len(self.grid) * self.replicates

    cell_names: ClassVar[tuple[str, str]] = ("model", "parameters")

    @cached_property
    def cells(self) -> tuple[tuple[str, str], ...]:
        first = self.grid[: self.combinations]
        differ = [
            at for at in range(len(self.names)) if any(repr(row[at]) != repr(first[0][at]) for row in first)
        ]
        shown = [
            str if len({str(row[at]) for row in first}) == len({repr(row[at]) for row in first}) else repr
            for at in range(len(self.names))
        ]
        return tuple(
            (self.model.__name__, ", ".join(f"{self.names[at]}={shown[at](row[at])}" for at in differ))
            for row in first
        )

    together = 1
    imports: ClassVar[tuple[str, ...]] = ()

    @property
    def finals(self) -> tuple[str, ...]:
        return self.reporters

    def unit(self, indicator: str) -> str:
        return ""

    def facts(self) -> Facts:
        counts = {
            "combinations": self.combinations,
            "samples": len(self.grid) // self.combinations,
            "replicates": self.replicates,
        }
        return Facts(counts, self.drawn)

    def _place(self, case: int) -> tuple[int, int]:
        """(row of the grid, replicate) of a case."""
        rest, combination = divmod(case, self.combinations)
        sample, replicate = divmod(rest, self.replicates)
        return sample * self.combinations + combination, replicate

    def root(self, replicate: int) -> int:
        """The seed of a replicate, the same for every sample."""
        return sampling.stream_seed(self.seed, "replicate", replicate)

    def labels(self, case: int) -> Labels:
        row, replicate = self._place(case)
        return Labels(self.model.__name__, "", row, replicate, self.root(replicate))

    def inputs(self, case: int) -> tuple[Any, ...]:
        return self.grid[self._place(case)[0]]

    def arguments(self, case: int) -> dict[str, Any]:
        """Parameters of the case by name."""
        return dict(zip(self.names, self.inputs(case), strict=True))

    # -- identity ----------------------------------------------------------------------------
    def ids(self) -> Ids:
        ids = np.empty(self.size, "S16")
        roots = [self.root(replicate) for replicate in range(self.replicates)]
        case = 0
        for first in range(0, len(self.grid), self.combinations):
            rows = [self._determined(row) for row in self.grid[first : first + self.combinations]]
            for root in roots:
                for determined in rows:
                    determined[3] = root
                    ids[case] = hash_text(determined)
                    case += 1
        return ids

    def _determined(self, row: Sequence[Any], root: int = 0) -> list[Any]:
        """All that makes a run what it is; the root stands fourth."""
        values = {name: _canonical(value) for name, value in zip(self.names, row, strict=True)}
        extra = sorted(f"{name}={_name_of(reporter)}" for name, reporter in self.extra.items())
        return [path_of(self.model), values, self.max_steps, root, extra, self.source]

    def replay(self, case: int) -> str:
        row, replicate = self._place(case)
        seed = self.root(replicate)
        if self.file:
            return f"madang batch {shlex.quote(self.file)} --only {hash_text(self._determined(self.grid[row], seed))}"
        module, name = path_of(self.model).split(":")
        given = "".join(f"{key}={value!r}, " for key, value in self.arguments(case).items())
        made = f"{name}({given}rng={seed})"
        if self.by_scenario is not None:
            scenario = self.by_scenario
            made = f"{name}(scenario={scenario.__name__}({given}rng={seed}))"
            name = f"{name}, {scenario.__name__}"
        steps = f"[m.step() for _ in range({self.max_steps}) if m.running]"
        luck = f"random.seed({seed}); numpy.random.seed({seed & 0xFFFFFFFF})"
        return f'python -c "import random, numpy; from {module} import {name}; {luck}; m = {made}; {steps}"'

    def check_source(self) -> None:
        if wrong := mistaken(self.model):
            raise RuntimeError(wrong)
        if source_hash(self.model) != self.source:
            raise RuntimeError(
                f"this machine has another source of {self.model.__name__}, or other libraries"
            )

    # -- running -----------------------------------------------------------------------------
    def build(self, case: int) -> Any:
        """The model of a case, at its beginning."""
        root = self.root(self._place(case)[1])
        return Maker(self.model, self.by_scenario).make(self.arguments(case), root)

    def simulate(
        self, cases: Sequence[int], ids: Sequence[str], begin: Callable[[int], None]
    ) -> Iterator[Ran]:
        with global_luck():
            for case in cases:
                begin(case)
                started = time.perf_counter()
                _seed_globals(self.labels(case).seed)
                try:
                    outcome = self._run(self.build(case))
                except Exception as error:
                    yield Ran(case, None, reason_of(error), time.perf_counter() - started)
                else:
                    yield Ran(case, outcome, None, time.perf_counter() - started)

    def _run(self, model: Any) -> Outcome:
        own = {name: [_read(model, reporter)] for name, reporter in self.extra.items()}
        by_step = {name: values for name, values in own.items() if name in self.series}
        for _ in range(self.max_steps):
            if not model.running:
                break
            model.step()
            for name, values in by_step.items():
                values.append(_read(model, self.extra[name]))
        for name, values in own.items():
            if name not in by_step:
                values.append(_read(model, self.extra[name]))
        collected = own or model.datacollector.model_vars
        finals = np.array([_last(name, collected[name]) for name in self.reporters])
        if not self.series:
            return Outcome(finals, None, (), {})
        columns = [collected[name] for name in self.series]
        steps = max(len(values) for values in columns)
        series = np.full((steps, len(columns)), np.nan)
        for at, (name, values) in enumerate(zip(self.series, columns, strict=True)):
            series[: len(values), at] = [_number(name, value) for value in values]
        return Outcome(finals, series, range(steps), {})

    def rerun(self, case: int) -> Any:
        with global_luck(self.labels(case).seed):
            model = self.build(case)
            self._run(model)
        return model

    def figures(self, model: Any) -> list[tuple[str, float | None, str]]:
        def last(name: str) -> float:
            if self.extra:
                return _number(name, _read(model, self.extra[name]))
            return _last(name, model.datacollector.model_vars[name])

        return [(name, last(name), "") for name in self.reporters]

    # -- tables ------------------------------------------------------------------------------
    def schemas(self) -> dict[str, pa.Schema]:
        from runs import schema

        return schema.plain_schemas(
            {name: _type_of(row[at] for row in self.grid) for at, name in enumerate(self.names)},
            self.reporters,
            self.series,
        )

    def head(self) -> dict[str, Any]:
        from runs.schema import SCHEMA_VERSION

        name = path_of(self.model)
        # The usual cases as before, so that folders of old are known again.
        series = True if self.series == self.reporters else list(self.series) or False
        return {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "asked": {
                "kind": "mesa",
                "model": name,
                "parameters": plain(
                    {n: sorted({str(row[at]) for row in self.grid}) for at, n in enumerate(self.names)}
                ),
                "samples": len(self.grid),
                "replicates": self.replicates,
                "seed": self.seed,
                "max_steps": self.max_steps,
                "keep": {"indicators": list(self.reporters), "series": series},
                **({"title": self.title} if self.title else {}),
            },
            "world": {"name": name, "title": self.model.__name__, "currency": "", "hash": self.source},
            "goals": [],
            "model_hash": self.source,
            "versions": {
                "madang": madang.__version__,
                "python": sys.version.split()[0],
                **library_versions(),
            },
        }


def _seed_globals(seed: int) -> None:
    """Set the libraries' global generators: some models (Mesa's virus on a network, for one) draw from them as well."""
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)  # noqa: NPY002


@contextmanager
def global_luck(seed: int | None = None) -> Iterator[None]:
    """Put the libraries' global generators back, at the end, as they were found; ``seed`` them for what runs in between.

    Around the loop of a generator that is when the loop ends: its consumer meets seeded ones between two runs.
    """
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    if seed is not None:
        _seed_globals(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002


def _revived(home: str, state: bytes) -> MesaStudy:
    see(home)
    study = MesaStudy.__new__(MesaStudy)
    vars(study).update(pickle.loads(state))
    return study


def _read(model: Any, reporter: Reporter) -> Any:
    return getattr(model, reporter) if isinstance(reporter, str) else reporter(model)


def _last(name: str, values: Sequence[Any]) -> float:
    return _number(name, values[-1]) if values else math.nan


def _number(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, (Real, np.bool_)):
        return float(value)
    raise TypeError(
        f"{name} is {type(value).__name__}, expected a number; leave it out of the indicators that are kept"
    )


def _type_of(values: Iterable[Any]) -> str:
    kinds = {type(value) for value in values}
    if kinds <= {bool}:
        return "flag"
    if all(issubclass(kind, (Real, np.number)) for kind in kinds):
        return "number"
    return "text"


def _canonical(value: Any) -> Any:
    if isinstance(value, (bool, str)) or value is None:
        return value
    if not isinstance(value, Real):
        return repr(value)
    try:
        number = float(value) + 0.0
    except OverflowError:
        return repr(value)
    return number if math.isfinite(number) else repr(value)  # JSON has no others


def _name_of(reporter: Reporter) -> str:
    return reporter if isinstance(reporter, str) else path_of(reporter)
