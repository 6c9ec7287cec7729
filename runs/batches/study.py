"""What a batch needs to know of the thing it runs: a :class:`Study` counts cases, names them and runs them.

There are two: worlds of this project (:mod:`runs.batches.worlds`) and any ``mesa.Model`` class
(:mod:`runs.batches.mesas`). Everything else here (executors, shards, resuming) knows only this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Ids = NDArray[np.bytes_]
"""Run ids as bytes of 16 hexadecimal digits: a million of them are 16 MB."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What a case is called in the runs table."""

    scenario: str
    package: str
    sample: int
    replicate: int
    seed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished run says: undefined figures are NaN here and null in the tables."""

    finals: NDArray[np.float64]
    """(indicators kept,)"""
    series: NDArray[np.float64] | None
    """(months, series kept)"""
    times: Sequence[Any]
    """Date of each month (or number of each step)."""
    more: Mapping[str, pa.Table]
    """Other tables of this run: decisions, sites."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One case, run: its outcome, or the error that ended it."""

    case: int
    outcome: Outcome | None
    error: str | None
    wall_s: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What a person is told before anything runs."""

    counts: Mapping[str, int]
    """What is multiplied to the number of runs, by its name in the plural."""
    drawn: Sequence[str]
    """Names of what the samples draw."""
    remarks: Sequence[str] = ()


class Study(Protocol):
    """Cases numbered from 0, so ordered that every beginning of them is a fair sample of the whole."""

    watch: str
    """The indicator whose interval is shown while the batch runs; empty for none."""

    @property
    def size(self) -> int: ...
    @property
    def cells(self) -> Sequence[tuple[str, str]]:
        """(scenario, package) of the cases of one draw, in order; they follow each other in the numbering."""

    @property
    def cell_names(self) -> tuple[str, str]:
        """What the two parts of a cell are called."""

    @property
    def replicates(self) -> int: ...
    @property
    def together(self) -> int:
        """So many cases in a row share work, and are best run by one worker."""

    @property
    def design(self) -> bool:
        """Whether the samples mean something only when all are there."""

    @property
    def imports(self) -> tuple[str, ...]:
        """Modules that every worker will need, to be imported once for all."""

    @property
    def finals(self) -> Sequence[str]:
        """Names of the indicators whose final values are kept."""

    def unit(self, indicator: str) -> str:
        """Of an indicator; empty where it has none."""

    def facts(self) -> Facts: ...
    def ids(self) -> Ids: ...
    def labels(self, case: int) -> Labels: ...
    def inputs(self, case: int) -> Sequence[Any]:
        """Values of the ``x.`` and ``l.`` columns, in the order of the schema."""

    def replay(self, case: int) -> str:
        """One command that runs the case again."""

    def schemas(self) -> dict[str, pa.Schema]:
        """Table name to schema, ``runs`` first; tables that are not kept are not there."""

    def simulate(
        self, cases: Sequence[int], ids: Sequence[str], begin: Callable[[int], None]
    ) -> Iterator[Ran]:
        """Run cases (with their ids) in order; ``begin(case)`` is called before each. Errors are outcomes."""

    def rerun(self, case: int) -> Any:
        """The finished model of one case, in this process; raises what the run raises."""

    def figures(self, model: Any) -> list[tuple[str, float | None, str]]:
        """Final values of a finished model: name, value (None or NaN where undefined), unit."""

    def head(self) -> dict[str, Any]:
        """The manifest without its run list: the same for the same question."""

    def check_source(self) -> None:
        """Raise where this process would compute something else than the process that made the plan."""


def plain(value: Any) -> Any:
    """Dataclasses, tuples and mappings as JSON knows them; infinite and undefined numbers as text."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def reason_of(error: BaseException) -> str:
    """One line that says what went wrong."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:2000]
