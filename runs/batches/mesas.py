"""Any ``mesa.Model`` class as a study: parameters in a grid or drawn, replicates, its data collector's figures.

What ``mesa.batch_run`` runs runs here, and is kept in a results folder: ``x.`` columns are parameters,
``m.`` columns what the model reporters said last, the series what they said at every step.
"""

from __future__ import annotations

import importlib
import inspect
import math
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import madang
from runs.batches import sampling
from runs.batches.batchfile import range_complaint
from runs.batches.sampling import Factor
from runs.batches.sources import library_versions, source_hash
from runs.batches.spec import DESIGNS, METHODS, Sample
from runs.batches.study import Ids, Labels, Outcome, Ran, plain, reason_of
from runs.checking import BadInput, Complaint, unknown
from runs.results import FORMAT
from runs.spec import hash_text

if TYPE_CHECKING:
    import pyarrow as pa

Reporter = str | Callable[[Any], Any]


@dataclass
class MesaStudy:
    """Cases of a model class; replicates vary fastest."""

    model: type
    names: tuple[str, ...]
    """Parameters that differ or are given, in order."""
    grid: tuple[tuple[Any, ...], ...]
    """One row of values for each sample."""
    replicates: int
    seed: int
    max_steps: int
    reporters: tuple[str, ...]
    extra: Mapping[str, Reporter]
    keep_series: bool
    by_scenario: type | None
    """Mesa's scenario class, for models that take their parameters in one."""
    design: bool = False
    watch: str = ""
    source: str = field(default="")

    def __post_init__(self) -> None:
        self.source = self.source or source_hash(self.model)
        self.watch = self.watch or (self.reporters[0] if self.reporters else "")

    @property
    def size(self) -> int:
        return len(self.grid) * self.replicates

    @property
    def cells(self) -> tuple[tuple[str, str], ...]:
        return ((self.model.__name__, ""),)

    together = 1
    imports: ClassVar[tuple[str, ...]] = ()

    @property
    def finals(self) -> tuple[str, ...]:
        return self.reporters

    def root(self, replicate: int) -> int:
        """The seed of a replicate, the same for every sample."""
        return sampling.stream_seed(self.seed, "replicate", replicate)

    def labels(self, case: int) -> Labels:
        sample, replicate = divmod(case, self.replicates)
        return Labels(self.model.__name__, "", sample, replicate, self.root(replicate))

    def inputs(self, case: int) -> tuple[Any, ...]:
        return self.grid[case // self.replicates]

    def arguments(self, case: int) -> dict[str, Any]:
        """Parameters of the case by name."""
        return dict(zip(self.names, self.inputs(case), strict=True))

    def ids(self) -> Ids:
        ids = np.empty(self.size, "S16")
        roots = [self.root(replicate) for replicate in range(self.replicates)]
        extra = sorted(f"{name}={_name_of(reporter)}" for name, reporter in self.extra.items())
        case = 0
        for row in self.grid:
            values = {name: _canonical(value) for name, value in zip(self.names, row, strict=True)}
            for root in roots:
                ids[case] = hash_text([_path(self.model), values, self.max_steps, root, extra, self.source])
                case += 1
        return ids

    def replay(self, case: int) -> str:
        module, name = _path(self.model).split(":")
        given = "".join(f"{key}={value!r}, " for key, value in self.arguments(case).items())
        seed = self.root(case % self.replicates)
        made = f"{name}({given}rng={seed})"
        if self.by_scenario is not None:
            scenario = self.by_scenario
            made = f"{name}(scenario={scenario.__name__}({given}rng={seed}))"
            name = f"{name}, {scenario.__name__}"
        steps = f"[m.step() for _ in range({self.max_steps}) if m.running]"
        return f'python -c "from {module} import {name}; m = {made}; {steps}"'

    def check_source(self) -> None:
        if source_hash(self.model) != self.source:
            raise RuntimeError(
                f"this machine has another source of {self.model.__name__}, or other libraries"
            )

    # -- running -----------------------------------------------------------------------------
    def build(self, case: int) -> Any:
        """The model of a case, at its beginning."""
        return _made(self.model, self.by_scenario, self.arguments(case), self.root(case % self.replicates))

    def simulate(
        self, cases: Sequence[int], ids: Sequence[str], begin: Callable[[int], None]
    ) -> Iterator[Ran]:
        with global_luck():
            for case in cases:
                begin(case)
                started = time.perf_counter()
                _seed_globals(self.root(case % self.replicates))
                try:
                    outcome = self._run(self.build(case))
                except Exception as error:
                    yield Ran(case, None, reason_of(error), time.perf_counter() - started)
                else:
                    yield Ran(case, outcome, None, time.perf_counter() - started)

    def _run(self, model: Any) -> Outcome:
        own = {name: [_read(model, reporter)] for name, reporter in self.extra.items()}
        for _ in range(self.max_steps):
            if not model.running:
                break
            model.step()
            if self.keep_series:
                for name, values in own.items():
                    values.append(_read(model, self.extra[name]))
        for name, values in own.items():
            if not self.keep_series:
                values.append(_read(model, self.extra[name]))
        collected = {} if self.extra else model.datacollector.model_vars
        columns = [own.get(name) or collected[name] for name in self.reporters]
        finals = np.array(
            [
                _number(name, values[-1]) if values else math.nan
                for name, values in zip(self.reporters, columns, strict=True)
            ]
        )
        if not self.keep_series:
            return Outcome(finals, None, (), {})
        steps = max((len(values) for values in columns), default=0)
        series = np.full((steps, len(columns)), np.nan)
        for at, (name, values) in enumerate(zip(self.reporters, columns, strict=True)):
            series[: len(values), at] = [_number(name, value) for value in values]
        return Outcome(finals, series, range(steps), {})

    # -- tables ------------------------------------------------------------------------------
    def schemas(self) -> dict[str, pa.Schema]:
        from runs import schema

        return schema.plain_schemas(
            {name: _type_of(row[at] for row in self.grid) for at, name in enumerate(self.names)},
            self.reporters,
            self.keep_series,
        )

    def head(self) -> dict[str, Any]:
        from runs.schema import SCHEMA_VERSION

        name = _path(self.model)
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
                "keep": {"indicators": list(self.reporters), "series": self.keep_series},
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


def mesa_study(
    model: type,
    parameters: Mapping[str, Any] | None = None,
    *,
    replicates: int = 1,
    max_steps: int = 1000,
    seed: int = 0,
    sample: Sample | None = None,
    indicators: Mapping[str, Reporter] | None = None,
    series: bool = True,
) -> MesaStudy:
    """The study of a ``mesa.Model`` class.

    ``parameters`` are values or lists of values, run in all combinations; they go to the class by name,
    or into its Mesa scenario where it takes one. ``sample`` draws those named in its ``ranges`` instead
    (whole numbers stay whole). Figures come from the model's data collector, or from ``indicators`` (name
    to attribute or function of the model). The seed goes in as ``rng``. :class:`BadInput` with what is
    wrong; the class must be importable by the workers.
    """
    given = dict(parameters or {})
    complaints = _complaints(model, given, replicates, max_steps, sample)
    if complaints:
        raise BadInput([Complaint("batch", 0, key, message) for key, message in complaints])
    values = {name: _values(value) for name, value in given.items()}
    first = {name: value[0] for name, value in values.items()}
    with global_luck(seed):
        by_scenario = _scenario_class(model)
    allowed = _parameters(model, by_scenario)
    unknown_names = [
        n for n in (*given, *(sample.ranges if sample else ())) if allowed is not None and n not in allowed
    ]
    if unknown_names:
        raise BadInput(
            [
                Complaint("batch", 0, n, unknown(n, f"parameter of {model.__name__}", allowed or ()))
                for n in unknown_names
            ]
        )
    with global_luck(seed):
        probe = _made(model, by_scenario, first, 0)
    collected = getattr(getattr(probe, "datacollector", None), "model_reporters", {})
    reporters = tuple(indicators) if indicators else tuple(collected)
    if not reporters:
        message = "has no data collector with model reporters; give indicators={name: attribute or function}"
        raise BadInput([Complaint("batch", 0, model.__name__, message)])
    grid = [tuple(row) for row in product(*values.values())] if values else [()]
    names = tuple(values)
    if sample is not None:
        factors = tuple(
            Factor(name, "uncertainty", r.low, r.high, r.distribution, math.nan if r.mode is None else r.mode)
            for name, r in sorted(sample.ranges.items())
        )
        whole = [isinstance(_default(probe, model, by_scenario, f.name), int) for f in factors]
        drawn = [
            tuple(round(float(v)) if w else float(v) for v, w in zip(row, whole, strict=True))
            for row in sampling.draw(sample, factors, seed)
        ]
        grid = [(*fixed, *row) for row in drawn for fixed in grid]
        names = (*names, *(f.name for f in factors))
    return MesaStudy(
        model, names, tuple(grid), replicates, seed, max_steps, reporters, dict(indicators or {}), series,
        by_scenario, design=sample is not None and sample.method in DESIGNS,
    )  # fmt: skip


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


def _complaints(
    model: type, given: Mapping[str, Any], replicates: int, max_steps: int, sample: Sample | None
) -> list[tuple[str, str]]:
    import mesa

    found = []
    if not (isinstance(model, type) and issubclass(model, mesa.Model)):
        return [("model", f"found {model!r}, expected a class that is a mesa.Model")]
    if _lookup(model) is not model:
        found.append(("model", f"{model.__qualname__} cannot be imported by workers; put it into a module"))
    if replicates < 1:
        found.append(("replicates", f"found {replicates}, expected 1 or more"))
    if max_steps < 1:
        found.append(("max_steps", f"found {max_steps}, expected 1 or more"))
    found += [
        (name, "found an empty list, expected values") for name, value in given.items() if not _values(value)
    ]
    if sample is not None:
        if sample.method not in METHODS:
            found.append(("sample.method", unknown(sample.method, "method of sampling", METHODS)))
        if not sample.ranges:
            found.append(("sample.ranges", "found nothing to draw; give a range for each parameter"))
        found += [
            (f"sample.ranges.{n}", text) for n, r in sample.ranges.items() if (text := range_complaint(r))
        ]
        found += [(n, "is given and drawn; leave one out") for n in sample.ranges if n in given]
    return found


def _made(model: type, by_scenario: type | None, arguments: Mapping[str, Any], seed: int) -> Any:
    if by_scenario is not None:
        return model(scenario=by_scenario(rng=seed, **arguments))
    return model(**arguments, rng=seed)


def _scenario_class(model: type) -> type | None:
    """The class of scenario that the model makes for itself, where it takes its seed in one."""
    signature = inspect.signature(model).parameters
    if "rng" in signature or any(p.kind is p.VAR_KEYWORD for p in signature.values()):
        return None
    if "scenario" not in signature:
        message = "takes neither rng nor scenario, so its luck cannot be set; add rng to its parameters"
        raise BadInput([Complaint("batch", 0, model.__name__, message)])
    found: type = type(model().scenario)
    return found


def _parameters(model: type, by_scenario: type | None) -> set[str] | None:
    """Names that may be given; None where anything goes."""
    if by_scenario is not None:
        known = set(getattr(by_scenario, "_scenario_defaults", {}))
        return known or None
    signature = inspect.signature(model).parameters
    if any(p.kind is p.VAR_KEYWORD for p in signature.values()):
        return None
    return set(signature) - {"rng", "seed", "scenario"}


def _default(probe: Any, model: type, by_scenario: type | None, name: str) -> Any:
    if by_scenario is not None:
        return getattr(probe.scenario, name, None)
    found = inspect.signature(model).parameters.get(name)
    return None if found is None else found.default


def _values(value: Any) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        return (value,)
    return tuple(value)


def _read(model: Any, reporter: Reporter) -> Any:
    return getattr(model, reporter) if isinstance(reporter, str) else reporter(model)


def _number(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, (Real, np.bool_)):
        return float(value)
    raise TypeError(f"{name} is {type(value).__name__}, expected a number; leave it out with indicators=")


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
    return float(value) + 0.0 if isinstance(value, Real) else repr(value)


def _path(thing: Any) -> str:
    return f"{thing.__module__}:{thing.__qualname__}"


def _name_of(reporter: Reporter) -> str:
    return reporter if isinstance(reporter, str) else _path(reporter)


def _lookup(model: type) -> Any:
    found: Any = sys.modules.get(model.__module__) or importlib.import_module(model.__module__)
    for part in model.__qualname__.split("."):
        found = getattr(found, part, None)
    return found
