"""From a batch of a Mesa model to a study: everything in it that only the class can judge is checked before a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import nan, prod
from pathlib import Path
from typing import Any

from policies.reading import KeyPath, Problems, Unreadable, unknown
from runs.batches import sampling
from runs.batches.batchfile import bad_input, range_complaint
from runs.batches.classes import SEEDS, Maker, check_class, found_again, load_class, reason_at
from runs.batches.mesas import MesaStudy, global_luck
from runs.batches.sampling import Factor
from runs.batches.sources import mistaken
from runs.batches.spec import DESIGNS, LARGEST_BATCH, LARGEST_SEED, METHODS, ModelBatch, Reporter, Sample
from runs.located_toml import Document


def mesa_study(
    model: type | str,
    parameters: Mapping[str, Any] | None = None,
    *,
    replicates: int = 1,
    max_steps: int = 1000,
    seed: int = 0,
    sample: Sample | None = None,
    indicators: Mapping[str, Reporter] | Sequence[str] | None = None,
    series: bool | Sequence[str] = True,
    watch: str = "",
) -> MesaStudy:
    """The study of a ``mesa.Model`` class (or its name, ``"package.module:Class"`` or ``"file.py:Class"``).

    ``parameters`` are values or lists of values, run in all combinations; they go to the class by name,
    or into its Mesa scenario where it takes one. ``sample`` draws those named in its ``ranges`` instead
    (whole numbers stay whole). Figures come from the model's data collector (``indicators`` may name some
    of its model reporters), or from ``indicators`` (name to attribute or function of the model); ``series``
    names those to keep at every step, or says all or none. The seed goes in as ``rng``.
    :class:`runs.checking.BadInput` with what is wrong; the class must be importable by the workers.
    """
    given = {  # values are looked at more than once, and iterators are not
        name: value if isinstance(value, Mapping) else _values(value)
        for name, value in (parameters or {}).items()
    }
    return plan_model(
        ModelBatch(model, given, replicates, max_steps, seed, sample, indicators, series, watch=watch)
    )


def plan_model(
    batch: ModelBatch, document: Document | None = None, problems: Problems | None = None
) -> MesaStudy:
    """The study that a batch asks for; :class:`BadInput` with everything wrong, on its line in ``document``."""
    problems = Problems() if problems is None else problems
    check = _Checker(batch, Path(document.file).parent if document is not None else Path(), problems)
    check.numbers()
    check.parameters()
    factors = check.factors()
    check.size(len(factors))
    # Whatever the class draws while it is looked at, the caller's generators stay as they are.
    with global_luck(batch.seed):
        maker = check.maker()
        probe = None if maker is None else check.probe(maker, factors)
    reporters, extra, series = ((), {}, ()) if probe is None else check.kept(probe)
    check.watch(reporters)
    if problems or maker is None:
        raise bad_input(problems, document)
    values = {name: _values(value) for name, value in batch.parameters.items()}
    grid = [tuple(row) for row in product(*values.values())]
    combinations = len(grid)
    sample = batch.sample
    if sample is not None:
        whole = [maker.is_whole(factor.name) for factor in factors]
        try:
            rows = sampling.draw(sample, factors, batch.seed).tolist()
        except ValueError as error:
            problems.note(("sample", "correlations"), str(error))
            raise bad_input(problems, document) from None
        drawn = [tuple(round(v) if w else v for v, w in zip(row, whole, strict=True)) for row in rows]
        grid = [(*fixed, *row) for row in drawn for fixed in grid]
    names = tuple(factor.name for factor in factors)
    return MesaStudy(
        maker.model, (*values, *names), tuple(grid), combinations, batch.replicates, batch.seed, batch.max_steps,
        reporters, series, extra, maker.by_scenario, names,
        design=sample is not None and sample.method in DESIGNS, watch=batch.watch, title=batch.title,
        file=batch.file, home=check.home,
    )  # fmt: skip


class _Checker:
    """Everything in a batch that only the class can judge, and what a batch made in Python may get wrong."""

    def __init__(self, batch: ModelBatch, beside: Path, problems: Problems):
        self.batch, self.beside, self.problems = batch, beside, problems
        self.home = ""

    def numbers(self) -> None:
        for key, low, high in (
            ("replicates", 1, LARGEST_BATCH),
            ("max_steps", 1, LARGEST_SEED),
            ("seed", 0, LARGEST_SEED),
        ):
            value = getattr(self.batch, key)
            if not low <= value <= high:
                text = f"expected {low} or more" if value < low else f"allowed {low} to {high}"
                self.problems.note((key,), f"found {value}, {text}")

    def parameters(self) -> None:
        for name, value in self.batch.parameters.items():
            if name in SEEDS:
                self._note(
                    name,
                    f"found {name!r}, which every run is given by its `seed` and replicate; leave it out",
                )
            elif isinstance(value, Mapping):
                self._note(name, "found a table, expected a value or a list of values")
            elif not _values(value):
                self._note(name, "found an empty list, expected values")

    def factors(self) -> list[Factor]:
        """What is drawn, in the order of the names."""
        sample = self.batch.sample
        if sample is None:
            return []
        if sample.method not in METHODS:
            self.problems.note(("sample", "method"), unknown(sample.method, "method of sampling", METHODS))
        if sample.n < 1:
            self.problems.note(("sample", "n"), f"found {sample.n}, expected 1 or more")
        if not sample.ranges:
            self.problems.note(("sample", "ranges"), "found nothing to draw; give a range for each parameter")
        found = []
        for name, r in sorted(sample.ranges.items()):
            here = ("sample", "ranges", name)
            if text := range_complaint(r):
                self.problems.note(here, text)
            elif name in self.batch.parameters:
                self.problems.note(here, f"{name!r} is given and drawn; leave one out")
            else:
                found.append(
                    Factor(
                        name, "uncertainty", r.low, r.high, r.distribution, nan if r.mode is None else r.mode
                    )
                )
        for at, pair in enumerate(sample.correlations):
            between: KeyPath = ("sample", "correlations", at, "between")
            for end, name in enumerate((pair.first, pair.second)):
                if name not in sample.ranges:
                    self.problems.note(
                        (*between, end), unknown(name, "parameter that is drawn", sample.ranges)
                    )
            if pair.first == pair.second:
                self.problems.note(between, f"found {pair.first!r} twice, expected two parameters")
        return found

    def size(self, factors: int) -> None:
        batch = self.batch
        known = batch.sample is not None and batch.sample.method in METHODS
        samples = sampling.count(batch.sample, factors) if known and batch.sample else 1
        size = samples * batch.replicates * prod(len(_values(value)) for value in batch.parameters.values())
        if size > LARGEST_BATCH and batch.replicates <= LARGEST_BATCH:
            key = "sample" if samples > batch.replicates else "replicates"
            self.problems.note((key,), f"asks for {size:,} runs in all, allowed {LARGEST_BATCH:,}")

    def maker(self) -> Maker | None:
        """The class, and how it is made; None where it cannot be, or takes no such parameters."""
        given = self.batch.model
        try:
            if isinstance(given, str):
                if not given:  # its reader has said why
                    return None
                model, self.home = load_class(given, self.beside)
            else:
                check_class(given)
                model = given
            if not found_again(model):
                raise Unreadable(f"{model.__qualname__} cannot be imported by workers; put it into a module")
            if wrong := mistaken(model):
                raise Unreadable(f"{wrong}; rename one of the two, or give each batch a process of its own")
            maker = Maker.of(model)
        except Unreadable as error:
            self.problems.note(("model",), str(error))
            return None
        except (Exception, SystemExit) as error:
            self.problems.note(("model",), f"cannot be made: {reason_at(error, self.home)}")
            return None
        drawn = self.batch.sample.ranges if self.batch.sample is not None else ()
        for table, names in ((("parameters",), self.batch.parameters), (("sample", "ranges"), drawn)):
            for name in names:
                if maker.names is not None and name not in maker.names and name not in SEEDS:
                    message = unknown(name, f"parameter of {model.__name__}", maker.names)
                    self.problems.note((*table, name), message)
        return maker

    def probe(self, maker: Maker, factors: Sequence[Factor]) -> Any:
        """One model, made to see what it reports; None where something is wrong with what it would be given."""
        if any(path[0] in ("parameters", "sample") for path, _ in self.problems):
            return None
        arguments = {name: _values(value)[0] for name, value in self.batch.parameters.items()}
        for factor in factors:
            middle = (factor.low + factor.high) / 2
            arguments[factor.name] = round(middle) if maker.is_whole(factor.name) else middle
        try:
            return maker.make(arguments, 0)
        except (Exception, SystemExit) as error:
            given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
            self.problems.note(
                ("parameters",) if arguments else ("model",),
                f"{maker.model.__name__}({given}) cannot be made: {reason_at(error, self.home)}",
            )
            return None

    def kept(self, probe: Any) -> tuple[tuple[str, ...], Mapping[str, Reporter], tuple[str, ...]]:
        """Names of the final values, where those are read that the data collector has not, names of the series."""
        wanted, series = self.batch.indicators, self.batch.series
        here = ("keep", "indicators")
        extra: Mapping[str, Reporter] = {}
        if isinstance(wanted, Mapping) and wanted:
            extra, there = dict(wanted), tuple(wanted)
            finals = there
            for name, reporter in extra.items():
                self._attribute(probe, reporter, (*here, name))
        else:
            collector = getattr(probe, "datacollector", None)
            there = tuple(getattr(collector, "model_reporters", ()))
            if not there:
                what = f"{type(probe).__name__} has no data collector with model reporters"
                self.problems.note(here, f"{what}; give indicators as a table, name = attribute")
            finals = tuple(wanted) if wanted else there
            self._among(finals, there, here)
        names = (there if series else ()) if isinstance(series, bool) else tuple(series)
        self._among(names, there, ("keep", "series"))
        return finals, extra, names

    def _attribute(self, probe: Any, reporter: Reporter, path: KeyPath) -> None:
        if not isinstance(reporter, str):
            return
        try:
            getattr(probe, reporter)
        except AttributeError:
            there = [name for name in dir(probe) if not name.startswith("_")]
            self.problems.note(path, unknown(reporter, f"attribute of {type(probe).__name__}", there))
        except Exception as error:
            self.problems.note(path, f"{reporter!r} cannot be read: {reason_at(error, self.home)}")

    def _among(self, names: Iterable[str], there: Sequence[str], path: KeyPath) -> None:
        for at, name in enumerate(names):
            if there and name not in there:
                self.problems.note((*path, at), unknown(name, "model reporter of this model", there))

    def watch(self, reporters: Sequence[str]) -> None:
        watch = self.batch.watch
        broken = any(path[:2] == ("keep", "indicators") for path, _ in self.problems)
        if watch and reporters and not broken and watch not in reporters:
            self.problems.note(("watch",), unknown(watch, "indicator that is kept", reporters))

    def _note(self, name: str, message: str) -> None:
        self.problems.note(("parameters", name), message)


def _values(value: Any) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        return (value,)
    return tuple(value)
