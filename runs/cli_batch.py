"""The body of `madang batch`: check, say what it will take, run what is missing, say what came of it."""

from __future__ import annotations

import json
import math
from itertools import islice
from pathlib import Path
from typing import Any

from runs.batches.api import HOME, default_name, find_run, make_executor, parse_until
from runs.batches.batchfile import open_batch
from runs.batches.display import Display, duration, line, parts_said, size
from runs.batches.executors import InProcess
from runs.batches.pool import Pool, cores
from runs.batches.runner import Progress, Runner, Stopped
from runs.batches.study import Study
from runs.checking import BadInput, Complaint
from runs.cli_text import console, number, save_traceback, say, table
from runs.folder import Folder

MOST_ROWS = 100
"""Lines of the table at the end; the folder has them all."""


def batch_command(
    file: Path,
    out: str | None,
    workers: int | None,
    scheduler: str | None,
    dry_run: bool,
    until: str | None,
    retry_failed: bool,
    only: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run a batch file; the exit code."""
    if workers is not None and scheduler is not None:
        raise BadInput([Complaint("command line", 0, "--scheduler", "give either --workers or --scheduler")])
    study, limits = open_batch(file)
    place = Folder.of(out if out is not None else HOME / default_name(file.stem, study))
    condition = parse_until(until, study)
    if only is not None:
        return _only(study, only, as_json)
    if dry_run:
        return _dry_run(study, place, workers, as_json)
    executor = make_executor(workers, scheduler)
    if isinstance(executor, Pool):
        executor.prepare(study.imports)  # before the display has a thread of its own
    last: list[Progress] = []
    try:
        with Display(not quiet, study.unit(study.watch), study.cell_names) as display:

            def show(progress: Progress) -> None:
                last[:] = [progress]
                display.update(progress)

            progress = Runner(study, place, executor, limits, condition, retry_failed, show).run()
    except KeyboardInterrupt:
        ended = last[0].done + last[0].failed if last else 0
        say(
            f"madang: interrupted; {ended:,} of {study.size:,} runs are in {place}, and the same command goes on "
            "from there"
        )
        return 130
    except Stopped as stopped:
        raise BadInput(
            [
                Complaint(
                    str(place), 0, "--out",
                    f"{stopped}; what is stored is safe, and the same command goes on from there",
                )
            ]
        ) from None  # fmt: skip
    finally:
        executor.close()
    for note in progress.notes:
        say(f"madang: {note}")
    if as_json:
        print(json.dumps(_json_of(progress, place, study.cell_names), allow_nan=False, ensure_ascii=False))
    else:
        _print(progress, place, file, study.cell_names)
    return 1 if progress.failed else 0


def _json_of(progress: Progress, place: Folder, heads: tuple[str, str]) -> dict[str, Any]:
    return {
        "folder": str(place),
        "runs": progress.total,
        "done": progress.done,
        "failed": progress.failed,
        "ran_now": progress.ran,
        "runs_per_s": _plain(progress.rate),
        "stopped": progress.stopped or None,
        "watch": progress.watch,
        "estimates": [
            {
                **dict(zip(heads, cell, strict=True)),
                "mean": _plain(found.mean),
                "low": _plain(found.low),
                "high": _plain(found.high),
                "n": found.n,
            }
            for cell, found in progress.estimates.items()
        ],
        "notes": list(progress.notes),
    }


def _plain(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _print(progress: Progress, place: Folder, file: Path, heads: tuple[str, str]) -> None:
    screen = console()
    if not progress.ran and not progress.notes:
        text = f"nothing to do: all {progress.total:,} runs of {file.name} are in {place}"
        if progress.stopped:
            text = f"nothing to do: {progress.stopped}; they are in {place}"
        screen.print(text, markup=False, soft_wrap=True)
    else:
        text = f"{line(progress).partition(';')[0]}; they are in {place}"
        if progress.stopped:
            text = f"{progress.stopped}; they are in {place}"
        screen.print(text, markup=False, soft_wrap=True)
    if progress.estimates:
        from rich.text import Text

        said = parts_said(progress.estimates)
        first = len(said)
        made = table(
            *(heads[at] for at in said),
            progress.watch,
            "low",
            "high",
            "runs",
            right=range(first, first + 4),
        )
        for cell, found in islice(progress.estimates.items(), MOST_ROWS):
            made.add_row(
                *(Text(cell[at]) for at in said), number(found.mean), number(found.low), number(found.high),
                f"{found.n:,}",
            )  # fmt: skip
        screen.print(made)
        if progress.cells > MOST_ROWS:
            screen.print(f"and {progress.cells - MOST_ROWS:,} more", markup=False)
    if progress.failed:
        screen.print(
            f"{progress.failed:,} runs failed: their rows in runs/ say why (error) and how to see it again (replay); "
            "--retry-failed runs them once more",
            markup=False, soft_wrap=True,
        )  # fmt: skip


def _dry_run(study: Study, place: Folder, workers: int | None, as_json: bool) -> int:
    """How many, how long, how large; one to three runs are made to know, and nothing is written."""
    import numpy as np

    from runs.batches.estimate import estimate

    found = estimate(study)
    different = len(np.unique(study.ids()))
    processes = max(cores() if workers is None else workers, 1)
    seconds = different * found.run_s / processes
    stored = found.total_bytes(different, InProcess.target_s if workers == 0 else Pool.TARGET_S)
    facts = study.facts()
    if as_json:
        print(
            json.dumps(
                {
                    "folder": str(place), "runs": study.size, "different_runs": different, **facts.counts,
                    "drawn": list(facts.drawn),
                    "run_s": found.run_s, "workers": processes, "seconds": seconds,
                    "bytes": round(stored), "trial_failure": found.failure or None,
                },
                ensure_ascii=False,
            )
        )  # fmt: skip
        return 0
    words = " x ".join(
        f"{many:,} {name if many > 1 else name.removesuffix('s')}" for name, many in facts.counts.items()
    )
    lines = [f"{study.size:,} runs: {words}"]
    if different < study.size:
        lines.append(
            f"{study.size - different:,} of them are the same as others in all that matters, and are run once"
        )
    if facts.drawn:
        lines.append(f"drawn: {', '.join(facts.drawn)}")
    lines += facts.remarks
    workers_text = f"{processes} worker{'s' if processes > 1 else ''}"
    lines.append(f"about {duration(seconds)} with {workers_text}, at {found.run_s:.2g} s a run")
    lines.append(f"about {size(stored)} in {place}")
    if found.failure:
        lines.append(f"a trial run failed: {found.failure}")
    for text in lines:
        console().print(text, markup=False, soft_wrap=True)
    return 0


def _only(study: Study, run_id: str, as_json: bool) -> int:
    """One run of the batch by itself, with the traceback where it fails."""
    case = find_run(study, run_id)
    try:
        figures = study.figures(study.rerun(case))
    except (BadInput, KeyboardInterrupt):
        raise
    except Exception as error:
        say(
            f"madang: the run failed: {type(error).__name__}: {error}; the traceback is in {save_traceback()}"
        )
        return 1
    if as_json:
        finals = {name: _plain(value) for name, value, _ in figures}
        print(json.dumps({"run_id": run_id, "indicators": finals}, ensure_ascii=False))
        return 0
    from rich.text import Text

    units = any(unit for _, _, unit in figures)
    made = table("indicator", "at the end", *(("unit",) if units else ()), right=(1,))
    for name, value, unit in figures:
        if "." not in name or not units:
            made.add_row(Text(name), number(value), *((Text(unit),) if units else ()))
    console().print(made)
    return 0
