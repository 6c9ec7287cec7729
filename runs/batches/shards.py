"""Shards: what one task found, written by the worker that ran it, whole or not at all.

The other tables come first and the runs table last: a run counts as there when, and only when, its row
stands in a shard of ``runs/``. A shard's name is made of what the task was asked for, so that the same
task given twice writes the same shard once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from runs.batches.study import Outcome, Ran, Study
from runs.folder import Folder
from runs.record import DONE, FAILED

if TYPE_CHECKING:
    import pyarrow as pa

RUNS = "runs"
TABLES = ("decisions", "sites", "series", RUNS)
"""In the order in which a shard's files are written."""


def shard_name(ids: Iterable[str]) -> str:
    """The name of the shard of a task that was asked for these runs."""
    digest = hashlib.blake2b("\n".join(ids).encode(), digest_size=8, person=b"shard").hexdigest()
    return f"part-{digest}.parquet"


@dataclass
class Shard:
    """Rows gathered until they are committed."""

    study: Study
    rows: list[dict[str, Any]] = field(default_factory=list)
    finals: list[np.ndarray] = field(default_factory=list)
    outcomes: list[tuple[str, Outcome]] = field(default_factory=list)

    def add(self, ran: Ran, run_id: str) -> None:
        """One run, finished or failed."""
        labels = self.study.labels(ran.case)
        self.rows.append(
            {
                "run_id": run_id,
                "scenario": labels.scenario,
                "package": labels.package,
                "sample": labels.sample,
                "replicate": labels.replicate,
                "seed": labels.seed,
                "status": FAILED if ran.error else DONE,
                "error": ran.error,
                "wall_s": ran.wall_s,
                "replay": self.study.replay(ran.case) if ran.error else None,
                "inputs": self.study.inputs(ran.case),
            }
        )
        if ran.outcome is None:
            self.finals.append(np.full(len(self.study.finals), np.nan))
        else:
            self.finals.append(ran.outcome.finals)
            self.outcomes.append((run_id, ran.outcome))

    def commit(self, folder: Folder, name: str, schemas: dict[str, pa.Schema]) -> None:
        """Write all tables; ``OSError`` where the disk refuses, and then the runs are not there."""
        tables = self.tables(schemas)
        for table in TABLES:
            if table in tables:
                folder.write_table(f"{table}/{name}", tables[table])

    def tables(self, schemas: dict[str, pa.Schema]) -> dict[str, pa.Table]:
        """The rows as Arrow tables; only ``runs`` where no run was finished."""
        from runs.schema import lean

        schemas = {name: lean(schema) for name, schema in schemas.items()}
        found = {RUNS: self._runs(schemas[RUNS])}
        if not self.outcomes:
            return found
        if "series" in schemas:
            found["series"] = self._series(schemas["series"])
        for name in ("decisions", "sites"):
            if name in schemas:
                import pyarrow as pa

                parts = pa.concat_tables(outcome.more[name] for _, outcome in self.outcomes)
                found[name] = parts.cast(schemas[name])
        return found

    def _runs(self, schema: pa.Schema) -> pa.Table:
        import pyarrow as pa

        from runs.columns import array, doubles

        columns: list[Any] = []
        leading = [name for name in schema.names if "." not in name]
        columns += [array([row[name] for row in self.rows], schema.field(name).type) for name in leading]
        given = schema.names[len(leading) :]
        inputs = [name for name in given if not name.startswith("m.")]
        for at, name in enumerate(inputs):
            kind = schema.field(name).type
            given_here = [row["inputs"][at] for row in self.rows]
            columns.append(array([*map(str, given_here)] if pa.types.is_string(kind) else given_here, kind))
        finals = np.array(self.finals).reshape(len(self.rows), len(given) - len(inputs))
        columns += [doubles(finals[:, at]) for at in range(finals.shape[1])]
        return pa.Table.from_arrays(columns, schema=schema)

    def _series(self, schema: pa.Schema) -> pa.Table:
        import pyarrow as pa

        from runs.columns import array, doubles

        values = np.concatenate(
            [outcome.series for _, outcome in self.outcomes if outcome.series is not None]
        )
        ids = [run_id for run_id, outcome in self.outcomes for _ in outcome.times]
        times = [time for _, outcome in self.outcomes for time in outcome.times]
        columns = [array(ids, pa.string()), array(times, schema.field(1).type)]
        columns += [doubles(values[:, at]) for at in range(values.shape[1])]
        return pa.Table.from_arrays(columns, schema=schema)


def write_failures(
    study: Study, folder: Folder, schemas: dict[str, pa.Schema], failed: Sequence[Ran], ids: Sequence[str]
) -> None:
    """Rows of runs that their worker could not write, because it is gone."""
    shard = Shard(study)
    for ran, run_id in zip(failed, ids, strict=True):
        shard.add(ran, run_id)
    shard.commit(folder, shard_name(["lost", *ids]), schemas)
