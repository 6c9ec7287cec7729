"""The manifest of a batch: what was asked, versions and hashes, and every run with its status.

The run list comes last, one run to a line, and is written as it is made: a reader that wants only what
was asked stops before it, and a million runs are never held at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from runs.batches.inventory import DONE, FAILED, WAITING, Inventory
from runs.batches.shards import RUNS
from runs.batches.study import Study
from runs.checking import BadInput, Complaint
from runs.folder import Folder
from runs.results import MANIFEST, read_head
from runs.schema import columns_of

_WORDS = {WAITING: "waiting", DONE: "done", FAILED: "failed"}


def check_folder(folder: Folder, study: Study) -> bool:
    """Whether the folder holds runs that this batch may go on from; :class:`BadInput` where it must not."""
    entries = [name for name in folder.names() if not name.startswith(".")]
    if not entries:
        return False
    has_runs = any(name.startswith("part-") for name in folder.names(RUNS))
    if MANIFEST not in entries:
        if has_runs:
            return True  # the runs' own ids say whether they belong here
        raise _refusal(folder, "holds something that is no madang results; choose a new or an empty folder")
    held = read_head(folder)
    if held.get("asked", {}).get("kind") is None:
        raise _refusal(folder, "holds the results of a single run; choose another folder")
    if not has_runs:
        return False
    mine = study.head()
    for key, what in (
        ("model_hash", "another version of the model, or of the libraries it computes with"),
        ("world", "other tables of the world"),
    ):
        then, now = (_hash_in(head, key) for head in (held, mine))
        if then != now:
            raise _refusal(
                folder,
                f"was computed with {what} ({then[:12]}, now {now[:12]}); results of two are never mixed: choose "
                "another folder, or go back to that version",
            )
    if held["asked"].get("keep") != mine["asked"].get("keep"):
        raise _refusal(
            folder, "keeps other indicators or tables than [keep] asks for now; choose another folder"
        )
    return True


def _hash_in(head: dict[str, Any], key: str) -> str:
    found = head.get(key)
    return str(found.get("hash") if isinstance(found, dict) else found)


def open_manifest(folder: Folder, study: Study, inventory: Inventory) -> None:
    """Say what the folder is about to hold, before anything is computed."""
    _write(folder, study, inventory, finished=False)


def finish_manifest(folder: Folder, study: Study, inventory: Inventory) -> None:
    """Say what it holds now."""
    _write(folder, study, inventory, finished=True)


def agrees(folder: Folder, study: Study, inventory: Inventory) -> bool:
    """Whether the manifest on disk says already what would be written now."""
    try:
        held = read_head(folder)
    except BadInput:
        return False
    return {**held, "runs": []} == {**json.loads(json.dumps(_head(study, inventory, True))), "runs": []}


def _head(study: Study, inventory: Inventory, finished: bool) -> dict[str, Any]:
    counts = {_WORDS[status]: inventory.count(status) for status in (DONE, FAILED, WAITING)}
    columns = {table: columns_of(schema) for table, schema in study.schemas().items()}
    return {**study.head(), "columns": columns, "counts": {"runs": study.size, **counts}, "ended": finished}


def _write(folder: Folder, study: Study, inventory: Inventory, finished: bool) -> None:
    head = json.dumps(_head(study, inventory, finished), indent=2, ensure_ascii=False)

    def lines() -> Iterator[bytes]:
        yield (head[: head.rindex("\n}")] + ',\n  "runs": [\n').encode()
        last = study.size - 1
        some: list[str] = []
        for case in range(study.size):
            labels = study.labels(case)
            run = {
                "run_id": inventory.ids[case].decode(),
                "scenario": labels.scenario,
                "package": labels.package,
                "sample": labels.sample,
                "replicate": labels.replicate,
                "seed": labels.seed,
                "status": _WORDS[int(inventory.status[inventory.first[case]])],
            }
            some.append(f"    {json.dumps(run, ensure_ascii=False)}{',' if case < last else ''}\n")
            if len(some) == 1000:
                yield "".join(some).encode()
                some.clear()
        yield ("".join(some) + "  ]\n}\n").encode()

    folder.write(MANIFEST, lines())


def _refusal(folder: Folder, message: str) -> BadInput:
    return BadInput([Complaint(str(folder), 0, "--out", message)])
