"""Reading a batch file: TOML to a :class:`runs.batches.spec.Batch`, with everything wrong said at once.

What can be told without the world (types, unknown keys, numbers of runs) is told here; names are checked
by :func:`runs.batches.planning.plan`, which adds to the same problems.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abm.quantities import nearest
from policies.library import is_path
from policies.reading import (
    KeyPath,
    Problems,
    Unreadable,
    read_amount,
    read_month,
    read_table,
    read_tables,
    read_text,
    read_whole,
    shown,
    unknown,
)
from runs.batches.spec import (
    DESIGNS,
    LARGEST_BATCH,
    LARGEST_SEED,
    METHODS,
    Batch,
    Correlation,
    Fork,
    Keep,
    Limits,
    Range,
    Sample,
)
from runs.checking import BadInput, Complaint
from runs.located_toml import Document, key_text, read_document

if TYPE_CHECKING:
    from runs.batches.study import Study

KEYS = (
    "title", "about", "world", "scenarios", "packages", "replicates", "seed", "settings", "sample", "keep",
    "fork", "limits", "watch",
)  # fmt: skip
MODEL_KEYS = (
    "title", "about", "model", "replicates", "max_steps", "seed", "parameters", "sample", "keep", "limits", "watch",
)  # fmt: skip
OF_MODELS = 'goes with a batch of a Mesa model, which has a key model = "package.module:Class"'
SAMPLE_KEYS = (
    "method", "n", "uncertainties", "levers", "ranges", "correlations", "levels", "second_order",
)  # fmt: skip
SAMPLED = ("uniform", "triangular", "loguniform")


def open_batch(path: Path) -> tuple[Study, Limits]:
    """What a batch file asks for, of a world or of a Mesa model, ready to run; :class:`BadInput` with all that is wrong."""
    document = read_document(path)
    if "model" in document.data:
        from runs.batches.mesaplan import plan_model
        from runs.batches.modelfile import parse_model_batch

        problems = Problems()
        asked = replace(parse_model_batch(document.data, problems), file=path.name)
        return plan_model(asked, document, problems), asked.limits
    from runs.batches.planning import plan

    found, document, problems = read_batch(path)
    return plan(found, document, problems), found.limits


def bad_input(
    problems: Problems, document: Document | None, complaints: Sequence[Complaint] = ()
) -> BadInput:
    """Everything wrong: ``problems`` on their lines in ``document`` (None: a batch made in Python), then ``complaints``."""
    if document is not None:
        here = [document.complaint(path, message) for path, message in problems]
        here.sort(key=lambda complaint: complaint.line)
    else:
        here = [Complaint("batch", 0, key_text(path), message) for path, message in problems]
    return BadInput([*here, *complaints])


def note_keys(
    problems: Problems, path: KeyPath, table: Mapping[str, Any], known: Sequence[str], what: str,
    others: Mapping[str, str],
) -> None:  # fmt: skip
    """Note every key that is not among ``known``; ``others`` are of the other kind of batch, with what to say of them."""
    for key in table:
        if key in others:
            problems.note((*path, key), others[key])
        else:
            near = nearest(key, others)
            problems.keys(path, {key: table[key]}, (*known, near) if near else known, what)


def read_batch(path: Path) -> tuple[Batch, Document, Problems]:
    """The batch that a file asks for, where its keys stand, and everything wrong with it.

    :class:`runs.checking.BadInput` where the file cannot be read as TOML at all.
    """
    document = read_document(path)
    problems = Problems()
    found = replace(parse_batch(document.data, problems, path.parent), file=path.name)
    return found, document, problems


def parse_batch(data: Mapping[str, Any], problems: Problems, folder: Path | None = None) -> Batch:
    """The batch of parsed TOML; paths in it are seen from ``folder``. What is wrong is left at its default."""
    others = dict.fromkeys(set(MODEL_KEYS) - set(KEYS), OF_MODELS)
    note_keys(problems, (), data, KEYS, "a batch", others)
    default = Batch()
    read = Reader(problems, data)
    return Batch(
        world=read.text("world") or default.world,
        scenarios=_places(read.texts("scenarios"), folder) or default.scenarios,
        packages=_places(read.texts("packages"), folder) or default.packages,
        replicates=read.whole("replicates", "replicate", 1, LARGEST_BATCH) or 1,
        seed=read.whole("seed", "seed", 0, LARGEST_SEED) or 0,
        settings=read.table("settings"),
        sample=read_sample(read.inside("sample")) if "sample" in data else None,
        keep=_keep(read.inside("keep")),
        fork=_fork(read.inside("fork"), folder) if "fork" in data else None,
        limits=read_limits(read.inside("limits")),
        watch=read.text("watch") or "",
        title=read.text("title") or "",
        about=read.text("about") or "",
    )


class Reader:
    """Typed reading of one table's keys; a key that is missing or wrong gives None."""

    def __init__(self, problems: Problems, data: Mapping[str, Any], path: tuple[str, ...] = ()):
        self.problems, self.data, self.path = problems, data, path

    def _read(self, key: str, reader: Any, *arguments: Any) -> Any:
        if key not in self.data:
            return None
        return self.problems.attempt((*self.path, key), reader, self.data[key], *arguments)

    def text(self, key: str) -> str | None:
        found: str | None = self._read(key, read_text)
        return found

    def whole(self, key: str, unit: str, low: float, high: float) -> int | None:
        found: int | None = self._read(key, _whole, unit, low, high)
        return found

    def number(self, key: str, unit: str, low: float, high: float) -> float | None:
        found: float | None = self._read(key, read_amount, unit, low, high)
        return found

    def flag(self, key: str) -> bool:
        return bool(self._read(key, _flag))

    def table(self, key: str) -> Mapping[str, Any]:
        return self._read(key, read_table) or {}

    def inside(self, key: str) -> Reader:
        return Reader(self.problems, self.table(key), (*self.path, key))

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of different texts; None where there is none."""
        value = self.data.get(key)
        if value is None:
            return None
        here = (*self.path, key)
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            self.problems.note(here, f"found {shown(value)}, expected a list of names in quotes")
            return None
        found: list[str] = []
        for at, entry in enumerate(value):
            name = self.problems.attempt((*here, at), read_text, entry)
            if name is not None and name in found:
                self.problems.note((*here, at), f"found {name!r} twice")
            elif name is not None:
                found.append(name)
        return tuple(found)


def _whole(value: object, unit: str, low: float, high: float) -> int:
    """Like ``read_whole``, without going through a float: seeds have more digits than a float holds."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not low <= value <= high:
            raise Unreadable(f"found {shown(value)}, allowed {int(low)} to {int(high)}")
        return value
    return read_whole(value, unit, low, high)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unreadable(f"found {shown(value)}, expected true or false")
    return value


def _places(names: tuple[str, ...] | None, folder: Path | None) -> tuple[str, ...]:
    return tuple(_place(name, folder) for name in names or ())


def _place(name: str, folder: Path | None) -> str:
    """A path is seen from the folder of the file that names it."""
    if folder is None or not is_path(name):
        return name
    return str(Path(name) if Path(name).is_absolute() else folder / name)


def read_sample(
    read: Reader, known: tuple[str, ...] = SAMPLE_KEYS, others: Mapping[str, str] | None = None
) -> Sample:
    """The table [sample]; ``known`` and ``others`` as :func:`note_keys` takes them."""
    problems, here = read.problems, read.path
    note_keys(problems, here, read.data, known, "a sample", others or {})
    method = read.text("method") or "lhs"
    if method not in METHODS:
        problems.note((*here, "method"), unknown(method, "method of sampling", METHODS))
        method = "lhs"
    unused = {
        "n": method == "factorial",
        "levels": method != "factorial",
        "second_order": method != "saltelli",
    }
    for key, useless in unused.items():
        if useless and key in read.data:
            problems.note((*here, key), f"means nothing for the method {method!r}; leave it out")
    if "n" not in read.data and method != "factorial":
        problems.note(here, f"the key 'n' is missing: how many {_rows_word(method)}")
    uncertainties = read.texts("uncertainties")
    levers = read.texts("levers")
    if method in DESIGNS and read.data.get("correlations"):
        problems.note((*here, "correlations"), f"a {method} design draws its quantities independently")
    return Sample(
        method=method,
        n=read.whole("n", "row", 1, LARGEST_BATCH) or 1,
        uncertainties=uncertainties,
        levers=levers or (),
        ranges=_ranges(read.inside("ranges")),
        correlations=_correlations(read),
        levels=read.whole("levels", "level", 2, 1000) or 3,
        second_order=read.flag("second_order"),
    )


def _rows_word(method: str) -> str:
    return {"saltelli": "rows in the base sample", "morris": "trajectories"}.get(method, "samples")


def _ranges(read: Reader) -> dict[str, Range]:
    found: dict[str, Range] = {}
    for name, value in read.data.items():
        here = (*read.path, name)
        if isinstance(value, list):
            if len(value) != 2:
                read.problems.note(here, f"found {len(value)} numbers, expected [low, high]")
                continue
            ends = [read.problems.attempt((*here, at), read_amount, end, "-") for at, end in enumerate(value)]
            low, high = ends
            distribution, mode = "uniform", None
        else:
            table = read.problems.attempt(here, read_table, value)
            if table is None:
                continue
            inside = Reader(read.problems, table, here)
            read.problems.keys(here, table, ("low", "high", "distribution", "mode"), "a range")
            for key in ("low", "high"):
                if key not in table:
                    read.problems.note(here, f"the key {key!r} is missing")
            low, high = (inside.number(key, "-", float("-inf"), float("inf")) for key in ("low", "high"))
            mode = inside.number("mode", "-", float("-inf"), float("inf"))
            distribution = inside.text("distribution") or ("triangular" if mode is not None else "uniform")
            if distribution not in SAMPLED:
                read.problems.note(
                    (*here, "distribution"), unknown(distribution, "distribution to draw from", SAMPLED)
                )
                continue
        if low is None or high is None:
            continue
        complaint = range_complaint(Range(low, high, distribution, mode))
        if complaint:
            read.problems.note(here, complaint)
        else:
            found[name] = Range(low, high, distribution, mode)
    return found


def range_complaint(wanted: Range) -> str | None:
    """What is wrong with a range by itself, or None."""
    if not wanted.low < wanted.high:
        return f"found {wanted.low:g} to {wanted.high:g}; the low end must lie below the high end"
    if wanted.distribution == "loguniform" and wanted.low <= 0.0:
        return f"found {wanted.low:g} as low end; a loguniform range begins above 0"
    if wanted.mode is not None and wanted.distribution != "triangular":
        return "only a triangular distribution has a mode"
    if wanted.mode is not None and not wanted.low <= wanted.mode <= wanted.high:
        return f"found the mode {wanted.mode:g}, allowed {wanted.low:g} to {wanted.high:g}"
    return None


def _correlations(read: Reader) -> tuple[Correlation, ...]:
    found = []
    entries = read._read("correlations", read_tables) or ()
    for at, entry in enumerate(entries):
        here: KeyPath = (*read.path, "correlations", at)
        read.problems.keys(here, entry, ("between", "rank"), "a correlation")
        between = entry.get("between")
        if not (isinstance(between, list) and len(between) == 2 and all(isinstance(n, str) for n in between)):
            read.problems.note(
                (*here, "between"), 'expected two names, such as ["lng_price_factor", "coal_price_factor"]'
            )
            continue
        rank = read.problems.attempt((*here, "rank"), read_amount, entry.get("rank"), "-", -0.99, 0.99)
        if rank is not None:
            found.append(Correlation(between[0], between[1], rank))
    return tuple(found)


def _keep(read: Reader) -> Keep:
    read.problems.keys(read.path, read.data, ("indicators", "series", "decisions", "sites"), "what is kept")
    return Keep(read.texts("indicators"), read.texts("series"), read.flag("decisions"), read.flag("sites"))


def _fork(read: Reader, folder: Path | None) -> Fork | None:
    read.problems.keys(read.path, read.data, ("at", "base"), "a fork")
    if "at" not in read.data:
        read.problems.note(read.path, "the key 'at' is missing: the month from which packages differ")
        return None
    month = read._read("at", read_month)
    base = read.text("base") or "as-announced"
    return None if month is None else Fork(str(read.data["at"]).strip(), _place(base, folder))


def read_limits(read: Reader) -> Limits:
    read.problems.keys(read.path, read.data, ("time_s", "memory_mb", "attempts"), "limits")
    default = Limits()
    return Limits(
        read.number("time_s", "second", 0.01, 1e7) or default.time_s,
        read.number("memory_mb", "-", 50.0, 1e8),
        read.whole("attempts", "attempt", 1, 100) or default.attempts,
    )
