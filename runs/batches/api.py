"""``batch`` and ``monte_carlo``: many runs from Python, at once or in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runs.batches.executors import Executor, InProcess
from runs.batches.pool import Pool
from runs.batches.precision import Until
from runs.batches.runner import Progress, Runner
from runs.batches.spec import Batch, Keep, Limits, Sample
from runs.batches.study import Study
from runs.checking import BadInput, Complaint
from runs.folder import Folder
from runs.results import Results

if TYPE_CHECKING:
    from policies.package import Package
    from runs.scenario import Scenario

HOME = Path("results")
READER = "polars"
"""What :class:`Results` reads with."""


def batch(
    spec: Batch | str | Path | None = None,
    out: str | Path | None = None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
    until: str | None = None,
    retry_failed: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    model: type | str | None = None,
    **of_model: Any,
) -> Results:
    """Run a batch to its end, or go on with one that was cut off, and return its results.

    ``spec`` is a :class:`Batch` or the path of a batch file. ``out`` is a folder or a URL; without one, a
    folder under ``results/`` named after the specification. ``workers`` processes run it (0: this one;
    None: one for each core), or a Dask cluster at the address ``scheduler``, or an ``executor`` of your
    own, which stays open. ``until`` stops early, as ``"m.ai_sites_mw ci95 < 2%"``.

    Any ``mesa.Model`` class is run with ``model=`` (the class, or its name as in a batch file) and, by name, what
    :func:`runs.batches.mesaplan.mesa_study` takes:

    >>> batch(model=BoltzmannWealth, parameters={"n": [50, 100]}, replicates=10, max_steps=100)  # doctest: +SKIP

    A script calls this below ``if __name__ == "__main__":``. :class:`runs.checking.BadInput` before
    anything runs where something is wrong; runs that fail are rows that say why, not exceptions.
    """
    study, limits, name = _study(spec, model, of_model)
    place = Folder.of(out if out is not None else HOME / default_name(name, study))
    own = executor is None
    chosen = executor or make_executor(workers, scheduler)
    try:
        Runner(
            study,
            place,
            chosen,
            limits,
            parse_until(until, study),
            retry_failed,
            on_progress,
            afterwards=READER,
        ).run()
    finally:
        if own:
            chosen.close()
    return Results(place.url)


def monte_carlo(
    scenario: str | Scenario = "baseline",
    packages: Sequence[str | Package] = ("as-announced",),
    n: int = 1000,
    method: str = "monte-carlo",
    seed: int = 0,
    out: str | Path | None = None,
    *,
    world: str = "korea",
    uncertainties: Sequence[str] | None = None,
    levers: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    replicates: int = 1,
    keep: Keep | None = None,
    **how: Any,
) -> Results:
    """``n`` samples of the uncertainties under each package, as :func:`batch` runs them (``how`` goes there).

    Sample ``k`` draws the same values, and replicate ``r`` has the same luck, under every package: compare
    them with ``results.paired(a, b)``.

    >>> monte_carlo(packages=["as-announced", "grid-first"], n=1000, method="sobol", seed=1)  # doctest: +SKIP
    """
    drawn = None if uncertainties is None else tuple(uncertainties)
    spec = Batch(
        world=world,
        scenarios=(scenario,),
        packages=tuple(packages),
        replicates=replicates,
        seed=seed,
        settings=dict(settings or {}),
        sample=Sample(method, n, drawn, tuple(levers)),
        keep=keep or Keep(),
    )
    return batch(spec, out, **how)


def replay(spec: Batch | str | Path, run_id: str) -> Any:
    """The finished model of one run of a batch, by itself in this process; raises what the run raises."""
    study, _, _ = _study(spec, None, {})
    return study.rerun(find_run(study, run_id))


def find_run(study: Study, run_id: str) -> int:
    """The case of a run id, or of its beginning; :class:`BadInput` where none or several begin so."""
    at = [case for case, found in enumerate(study.ids()) if found.decode().startswith(run_id)]
    if len(at) == 1:
        return at[0]
    what = "no run of this batch has that id" if not at else f"{len(at)} run ids begin so; write more of it"
    raise BadInput([Complaint("command line", 0, "--only", f"found {run_id!r}: {what}")])


def start(
    spec: Batch | str | Path,
    out: str | Path,
    *,
    executor: Executor,
    until: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Job:
    """Begin a batch in the background; ``executor`` (a :class:`Pool`, say) serves one batch at a time.

    :class:`runs.checking.BadInput` at once where the specification is wrong.
    """
    study, limits, _ = _study(spec, None, {})
    return Job(study, Folder.of(out), executor, limits, parse_until(until, study), on_progress)


class Job:
    """A batch that runs in a thread of this process."""

    def __init__(
        self, study: Study, folder: Folder, executor: Executor, limits: Limits, until: Until | None,
        on_progress: Callable[[Progress], None] | None,
    ):  # fmt: skip
        self._folder = folder
        self._cancel = threading.Event()
        self._progress: Progress | None = None
        self._error: BaseException | None = None
        self._tell = on_progress
        self._runner = Runner(
            study,
            folder,
            executor,
            limits,
            until,
            on_progress=self._note,
            cancelled=self._cancel.is_set,
            afterwards=READER,
        )
        self._thread = threading.Thread(target=self._run, name="madang-batch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._progress = self._runner.run()
        except BaseException as error:  # handed to whoever waits for the job
            self._error = error

    def _note(self, progress: Progress) -> None:
        self._progress = progress
        if self._tell is not None:
            self._tell(progress)

    @property
    def progress(self) -> Progress | None:
        """How far it is; None before the first run is begun."""
        return self._progress

    def cancel(self) -> None:
        """Stop soon; runs that are not finished are dropped, the others stay on disk."""
        self._cancel.set()

    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return not self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> Progress | None:
        """Wait for the end; raises what the batch raised. None where the time was too short for any progress."""
        self._thread.join(timeout)
        if self.done() and self._error is not None:
            raise self._error
        return self._progress

    def results(self) -> Results:
        """What is on disk, once it has ended."""
        self.wait()
        return Results(self._folder.url)


def make_executor(workers: int | None = None, scheduler: str | None = None) -> Executor:
    """The executor that these ask for."""
    if scheduler is not None:
        from runs.batches.cluster import Cluster

        return Cluster(scheduler)
    return InProcess() if workers == 0 else Pool(workers)


def default_name(name: str, study: Study) -> str:
    """A folder's name that is the same for the same question."""
    import hashlib
    import json

    asked = json.dumps(study.head()["asked"], sort_keys=True, default=str)
    return f"{name}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def _study(
    spec: Batch | str | Path | None, model: type | str | None, of_model: Mapping[str, Any]
) -> tuple[Study, Limits, str]:
    if model is not None:
        if spec is not None:
            raise TypeError("give either a specification or model=, not both")
        from runs.batches.mesaplan import mesa_study

        limits = of_model.get("limits") or Limits()
        rest = {key: value for key, value in of_model.items() if key != "limits"}
        study: Study = mesa_study(model, **rest)
        return study, limits, study.cells[0][0].lower()
    if of_model:
        raise TypeError(f"unexpected {', '.join(sorted(of_model))}: these go with model=")
    if isinstance(spec, Batch):
        from runs.batches.planning import plan

        return plan(spec), spec.limits, _name_of(spec)
    if spec is None:
        raise TypeError("give a specification, the path of a batch file, or model=")
    from runs.batches.batchfile import open_batch

    path = Path(spec)
    study, limits = open_batch(path)
    return study, limits, path.stem


def _name_of(spec: Batch) -> str:
    return "batch" if len(spec.scenarios) > 1 else str(getattr(spec.scenarios[0], "name", spec.scenarios[0]))


def parse_until(text: str | None, study: Study) -> Until | None:
    """The condition to stop at; :class:`BadInput` where it is none, or the design must be run whole."""
    if text is None:
        return None
    found = Until.parse(text, tuple(study.finals))
    if study.design:
        message = "this design means something only as a whole, so it cannot be stopped early"
        raise BadInput([Complaint("command line", 0, "--until", message)])
    return found
