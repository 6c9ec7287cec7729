"""What of a batch a folder holds: read from its shards, and put in order where a run was cut off.

Temporary files and tables whose runs never arrived are swept away; a shard that cannot be read goes, with
its runs, which are then missing and run again; a run that is there twice (a worker that was thought dead)
stays once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from runs.batches.shards import RUNS, TABLES, shard_name
from runs.batches.study import Ids, Study
from runs.batches.tasks import Rows, read_rows
from runs.folder import Folder

if TYPE_CHECKING:
    import pyarrow as pa

WAITING, DONE, FAILED, SAME = 0, 1, 2, 3
"""Status of a case. SAME: another case is this very run, so it is run once and listed twice."""

SAME_SHARD = "part-same-"


@dataclass
class Inventory:
    """Status and watched value of every case; small, whatever the runs are."""

    ids: Ids
    status: NDArray[np.int8]
    watched: NDArray[np.float64]
    first: NDArray[np.int64]
    """Case that stands for the same run (itself, mostly)."""
    notes: list[str] = field(default_factory=list)
    strangers: int = 0
    """Runs in the folder that the batch does not ask for."""
    _order: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    _sorted: Ids = field(default_factory=lambda: np.empty(0, "S16"))

    @classmethod
    def empty(cls, study: Study) -> Inventory:
        """Nothing is there yet."""
        ids = study.ids()
        order = np.argsort(ids, kind="stable")
        in_order = ids[order]
        is_new = np.ones(len(ids), bool)
        is_new[1:] = in_order[1:] != in_order[:-1]
        first = np.empty(len(ids), np.int64)
        # The sort is stable, so the first of equals is the lowest case.
        first[order] = order[np.maximum.accumulate(np.where(is_new, np.arange(len(ids)), 0))]
        status = np.where(first == np.arange(len(ids)), WAITING, SAME).astype(np.int8)
        return cls(ids, status, np.full(len(ids), np.nan), first, _order=order, _sorted=in_order)

    def cases(self, run_ids: Sequence[str]) -> NDArray[np.int64]:
        """Case of each id, -1 for a stranger."""
        wanted = np.array(run_ids, "S16")
        at = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
        return np.where(self._sorted[at] == wanted, self._order[at], -1)

    @property
    def missing(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.status == WAITING)

    def count(self, status: int) -> int:
        """Cases of that status, those that are the same run as another included."""
        return int(np.count_nonzero(self.status[self.first] == status))

    def values(self) -> NDArray[np.float64]:
        """The watched value of every case, NaN where there is none yet."""
        return self.watched[self.first]


def survey(folder: Folder, study: Study, schemas: Mapping[str, pa.Schema], inventory: Inventory) -> None:
    """Fill in ``inventory`` from the shards of ``folder``, and put the folder in order.

    Where there are runs that the batch does not ask for, they are counted, and nothing is touched.
    """
    inventory.status[inventory.status != SAME] = WAITING
    inventory.watched[:] = np.nan
    inventory.notes.clear()
    inventory.strangers = 0
    names = {table: folder.names(table) for table in TABLES}
    shards = [n for n in names[RUNS] if n.startswith("part-") and not n.startswith(SAME_SHARD)]
    kept: dict[str, NDArray[np.int64]] = {}
    damaged: list[str] = []
    owner = np.full(len(inventory.ids), -1, np.int32)
    for number, name in enumerate(shards):
        try:
            rows = read_rows(folder, f"{RUNS}/{name}", study.watch)
            why = _damage(folder, name, rows, schemas, names)
        except (OSError, ValueError) as error:
            why = f"cannot be read ({str(error).splitlines()[0][:120]})"
        if why:
            inventory.notes.append(f"{RUNS}/{name} {why}: its runs are run again")
            damaged.append(name)
            continue
        cases = kept[name] = inventory.cases(rows.ids)
        inventory.strangers += int(np.count_nonzero(cases < 0))
        for case, done, value in zip(cases.tolist(), rows.done, rows.watched, strict=True):
            # Of two rows of a run the finished one counts, else the first.
            if case >= 0 and (owner[case] < 0 or (done and inventory.status[case] == FAILED)):
                owner[case] = number
                inventory.status[case] = DONE if done else FAILED
                inventory.watched[case] = value
    if inventory.strangers:
        return
    _sweep(folder, names, set(kept))
    for name in damaged:
        _drop(folder, name)
    for number, name in enumerate(shards):
        if name in kept:
            cases = kept[name]
            stay = owner[cases] == number
            stay &= np.isin(np.arange(len(cases)), np.unique(cases, return_index=True)[1])
            if not stay.all():
                _thin(folder, name, stay)
                twice = int(len(stay) - stay.sum())
                inventory.notes.append(f"{RUNS}/{name} held {twice} runs that are there twice: kept once")


def _damage(
    folder: Folder, name: str, rows: Rows, schemas: Mapping[str, pa.Schema], names: Mapping[str, list[str]]
) -> str:
    """What is wrong with a shard's other tables; empty where all is well."""
    for table in schemas:
        if table == RUNS or not any(rows.done):
            continue
        if name not in names[table]:
            return f"lost its {table}"
        if not _readable(folder, f"{table}/{name}"):
            return f"has {table} that cannot be read"
    return ""


def _readable(folder: Folder, name: str) -> bool:
    try:
        folder.open_parquet(name).close()
    except (OSError, ValueError):
        return False
    return True


def _drop(folder: Folder, name: str) -> None:
    for table in reversed(TABLES):  # the runs first: without them nothing of a shard counts
        folder.remove(f"{table}/{name}")


def _sweep(folder: Folder, names: Mapping[str, list[str]], kept: set[str]) -> None:
    """Remove half-written files, and tables whose runs never arrived."""
    for table, found in names.items():
        for name in found:
            if name.startswith(".part-") or (table != RUNS and name.startswith("part-") and name not in kept):
                folder.remove(f"{table}/{name}")


def _thin(folder: Folder, name: str, stay: NDArray[np.bool_]) -> None:
    """Rewrite a shard with the rows that are to stay, then remove the old one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    with folder.open_parquet(f"{RUNS}/{name}") as file:
        runs = file.read().filter(pa.array(stay))
    keep = runs["run_id"].combine_chunks()
    if len(keep):
        new = shard_name(["thinned", name, *keep.to_pylist()])
        for table in TABLES:
            if folder.exists(f"{table}/{name}"):
                with folder.open_parquet(f"{table}/{name}") as file:
                    whole = file.read()
                part = runs if table == RUNS else whole.filter(pc.is_in(whole["run_id"], keep))
                folder.write_table(f"{table}/{new}", part)
    _drop(folder, name)


def needs_same(folder: Folder, inventory: Inventory) -> bool:
    """Whether runs that are listed under more than one name are not all listed yet."""
    twins = np.flatnonzero(inventory.status == SAME)
    if not len(twins):
        return False
    wanted = int(np.isin(inventory.status[inventory.first[twins]], (DONE, FAILED)).sum())
    listed = 0
    for name in folder.names(RUNS):
        if name.startswith(SAME_SHARD):
            try:
                with folder.open_parquet(f"{RUNS}/{name}") as file:
                    listed += file.metadata.num_rows
            except (OSError, ValueError):
                return True
    return listed != wanted


def write_same(folder: Folder, study: Study, inventory: Inventory) -> None:
    """List cases that are the very run of another one: its row again, under their own labels.

    One shard of them for each shard of runs, named after all that it lists; those of another plan go.
    """
    twins = np.flatnonzero(inventory.status == SAME)
    there = [name for name in folder.names(RUNS) if name.startswith(SAME_SHARD)]
    whole = [name for name in there if _readable(folder, f"{RUNS}/{name}")]
    wanted: set[str] = set()
    if len(twins):
        by_first: dict[int, list[int]] = {}
        for case in twins.tolist():
            by_first.setdefault(int(inventory.first[case]), []).append(case)
        for name in folder.names(RUNS):
            if name.startswith("part-") and not name.startswith(SAME_SHARD):
                written = _write_twins(folder, study, inventory, name, by_first, whole)
                if written:
                    wanted.add(written)
    for name in there:
        if name not in wanted:
            folder.remove(f"{RUNS}/{name}")


def _write_twins(
    folder: Folder, study: Study, inventory: Inventory, name: str, by_first: dict[int, list[int]],
    whole: Sequence[str],
) -> str | None:  # fmt: skip
    import pyarrow as pa

    rows = read_rows(folder, f"{RUNS}/{name}", "")
    pairs = [
        (row, twin)
        for row, case in enumerate(inventory.cases(rows.ids).tolist())
        for twin in by_first.get(case, ())
    ]
    if not pairs:
        return None
    digest = shard_name([name, *(f"{rows.ids[row]} {twin}" for row, twin in pairs)])
    made = SAME_SHARD + digest.removeprefix("part-")
    if made in whole:
        return made
    with folder.open_parquet(f"{RUNS}/{name}") as file:
        table = file.read().take([row for row, _ in pairs])
    for column in ("scenario", "package", "sample", "replicate", "seed"):
        at = table.schema.get_field_index(column)
        values = [getattr(study.labels(twin), column) for _, twin in pairs]
        table = table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))
    folder.write_table(f"{RUNS}/{made}", table)
    return made
