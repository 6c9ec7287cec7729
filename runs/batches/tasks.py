"""A task: some cases for one worker, and what comes back of it. Workers keep results; reports name them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runs.batches.shards import RUNS, Shard, shard_name
from runs.batches.study import Study
from runs.folder import Folder, why_not
from runs.record import DONE

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker must know before its first task."""

    key: str
    study: bytes
    """The pickled study."""
    folder: str
    imports: tuple[str, ...] = ()
    """Modules that every worker will need."""


@dataclass(frozen=True, slots=True)
class Task:
    """Cases to run in order until ``budget_s`` is over; at least one is run."""

    number: int
    cases: tuple[int, ...]
    ids: tuple[str, ...]
    budget_s: float
    salt: str = ""
    """Tells the shard of a second try from that of the first."""

    @property
    def shard(self) -> str:
        return shard_name([self.salt, *self.ids] if self.salt else self.ids)


@dataclass(frozen=True, slots=True)
class Finished:
    """Runs that are on disk now; ``rest`` was not begun."""

    task: Task
    cases: tuple[int, ...]
    done: tuple[bool, ...]
    watched: tuple[float, ...]
    """Final value of the indicator that is watched; NaN where undefined or failed."""
    seconds: float
    rest: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker went away with its task. ``culprit`` is the case it was at, None where it was between cases."""

    task: Task
    culprit: int | None
    reason: str
    final: bool
    """Whether the culprit is to blame for sure (over its limit), so that trying again is of no use."""
    seconds: float = 0.0
    unknown: bool = False
    """Whether any of the cases may have been the culprit: nobody saw which one it was at."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The work cannot go on: a full disk, a study that cannot be loaded. Nothing of the task was kept."""

    task: Task
    reason: str


Report = Finished | Lost | Refused


@dataclass
class Performer:
    """Runs tasks of one study in this process."""

    study: Study
    folder: Folder
    schemas: dict[str, pa.Schema] = field(default_factory=dict)
    clock: Callable[[], float] = time.perf_counter

    def __post_init__(self) -> None:
        self.schemas = self.schemas or self.study.schemas()
        names = list(self.study.finals)
        self._watch = names.index(self.study.watch) if self.study.watch in names else -1

    def perform(
        self, task: Task, begin: Callable[[int], None] = lambda case: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Report:  # fmt: skip
        """Run the task, write its shard, and say what is there."""
        try:
            found = self.found(task)
            if found is not None:
                return found
            started = self.clock()
            shard = Shard(self.study)
            done, watched = [], []
            names = dict(zip(task.cases, task.ids, strict=True))
            for ran in self.study.simulate(task.cases, task.ids, begin):
                shard.add(ran, names[ran.case])
                done.append(ran.error is None)
                value = (
                    float("nan")
                    if ran.outcome is None or self._watch < 0
                    else ran.outcome.finals[self._watch]
                )
                watched.append(float(value))
                if self.clock() - started >= task.budget_s or stop():
                    break
            shard.commit(self.folder, task.shard, self.schemas)
        except OSError as error:
            return Refused(task, f"cannot write results to {self.folder}: {why_not(error)}")
        ran_cases = task.cases[: len(done)]
        rest = task.cases[len(done) :]
        return Finished(task, ran_cases, tuple(done), tuple(watched), self.clock() - started, rest)

    def found(self, task: Task) -> Finished | None:
        """What an earlier attempt at the same task has left on disk, if it got that far."""
        name = f"{RUNS}/{task.shard}"
        if not self.folder.exists(name):
            return None
        rows = read_rows(self.folder, name, self.study.watch)
        at = dict(zip(task.ids, task.cases, strict=True))
        cases = tuple(at[run_id] for run_id in rows.ids)
        there = set(cases)
        return Finished(
            task, cases, tuple(rows.done), tuple(rows.watched), 0.0,
            tuple(case for case in task.cases if case not in there),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """The few columns of a runs shard that resuming needs."""

    ids: Sequence[str]
    done: Sequence[bool]
    watched: Sequence[float]


def read_rows(folder: Folder, name: str, watch: str) -> Rows:
    """Read them; an Arrow error or ``OSError`` where the shard is damaged."""
    with folder.open_parquet(name) as file:
        column = f"m.{watch}"
        wanted = ["run_id", "status", *([column] if column in file.schema_arrow.names else [])]
        table = file.read(columns=wanted, use_threads=False)
    status = table["status"].to_pylist()
    watched = (
        [float("nan") if value is None else value for value in table[column].to_pylist()]
        if column in wanted
        else [float("nan")] * len(status)
    )
    return Rows(table["run_id"].to_pylist(), [value == DONE for value in status], watched)
