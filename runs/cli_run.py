"""The body of `madang run`: check, simulate with a progress bar, keep the results, say what came of it."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import madang
from abm.calendar import Calendar
from policies.catalogue import catalogue
from policies.reading import unit_text
from runs.assemble import indicators, prepare
from runs.checking import BadInput, Complaint
from runs.cli_text import save_traceback, say
from runs.record import DONE, FAILED, RUNNING, RunRecord, Setting
from runs.results import FORMAT
from runs.spec import library_versions, model_hash, parse_settings
from runs.store import abandon_folder, open_folder, write_run
from runs.supply_shocks import edges_of
from runs.worlds import loader

if TYPE_CHECKING:
    from abm.world import World
    from runs.assemble import Prepared

RESULTS = Path("results")
LARGEST_SEED = 2**63 - 1
Progress = Callable[[int, int], None]


def run_command(
    scenario: str,
    package: str,
    seed: int,
    texts: Sequence[str],
    world: str,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run once; the exit code."""
    settings = settings_of(texts, world, seed)
    prepared = prepare(world, scenario, package, settings, seed)
    record = planned(prepared)
    manifest = manifest_of(record, prepared)
    folder = out or RESULTS / f"{record.scenario}-{record.package}-{seed}-{record.run_id[:8]}"
    open_folder(folder, {**manifest, "runs": [{**manifest["runs"][0], "status": RUNNING}]})

    started = time.perf_counter()
    bar = Bar(record.calendar, shown=not quiet)
    try:
        with bar.running():
            from runs.engine import simulate

            model = simulate(
                scenario, package=package, seed=seed, settings=settings, world=world, progress=bar.advance
            )
    except KeyboardInterrupt:
        abandon_folder(folder)
        say(
            f"madang: interrupted {bar.place()}; a single run keeps nothing half done, so nothing is lost: "
            "give the same command again"
        )
        return 130
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".replace("\n", " ")
        failed = replace(record, status=FAILED, error=reason, wall_s=time.perf_counter() - started)
        write_run(folder, failed, {**manifest, "runs": [{**manifest["runs"][0], "status": FAILED}]})
        say(f"madang: the run failed {bar.place()}: {reason}; the traceback is in {save_traceback(folder)}")
        return 1
    record = completed(record, model, time.perf_counter() - started)
    write_run(folder, record, manifest)
    if as_json:
        print(json.dumps(json_of(record), ensure_ascii=False, allow_nan=False))
    else:
        from runs.summary import print_summary

        print_summary(record, prepared.world, folder)
    return 0


def planned(prepared: Prepared) -> RunRecord:
    """What is known of a run before it has begun."""
    spec, settled, levers, world = prepared.spec, prepared.settled, prepared.levers, prepared.world
    currency = world.currency
    last = settled.calendar.months - 1
    return RunRecord(
        run_id=prepared.run_id(),
        world=world.name,
        scenario=spec.scenario.name,
        package=spec.package.name,
        seed=spec.root,
        calendar=settled.calendar,
        indicators=indicators(world),
        uncertainties={
            name: Setting(value, unit_text(world.quantities[name].unit, currency))
            for name, value in settled.uncertainties.items()
        },
        levers={
            name: Setting(value, unit_text(levers[name].unit, currency))
            for name, value in settled.lever_values(levers, last).items()
        },
    )


def completed(record: RunRecord, model: Any, wall_s: float) -> RunRecord:
    """``record`` with all that the finished model says."""
    return replace(
        record,
        indicators=tuple(model.recorder.indicators),
        recorder=model.recorder,
        decisions=tuple(model.decisions.records),
        sites=tuple(model.site_report()),
        residual=dict(model.balance_residual),
        power=dict(model.power_report),
        status=DONE,
        wall_s=wall_s,
    )


def json_of(record: RunRecord) -> dict[str, Any]:
    """What `--json` prints."""
    calendar = record.calendar
    return {
        "run_id": record.run_id,
        "world": record.world,
        "scenario": record.scenario,
        "package": record.package,
        "seed": record.seed,
        "start": calendar.text(0),
        "end": calendar.text(calendar.months - 1),
        "months": calendar.months,
        "wall_s": round(record.wall_s, 3),
        "balance_residual": {name: _plain(value) for name, value in record.residual.items()},
        "power": {name: _plain(value) for name, value in record.power.items()},
        "indicators": {
            indicator.name: {
                "unit": indicator.unit,
                "final": _plain(record.final(indicator.name)),
                "yearly": {str(year): _plain(value) for year, value in record.yearly(indicator.name).items()},
            }
            for indicator in record.indicators
        },
    }


def manifest_of(record: RunRecord, prepared: Prepared) -> dict[str, Any]:
    """What was asked and what it was answered with; the same for the same question."""
    from runs.schema import SCHEMA_VERSION

    world, spec = prepared.world, prepared.spec
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "asked": {
            "world": record.world,
            "scenario": record.scenario,
            "package": record.package,
            "seed": record.seed,
            "settings": dict(spec.settings),
            "specification": spec.canonical(world, prepared.levers),
        },
        "world": {"name": world.name, "title": world.title, "currency": world.currency, "hash": world.hash},
        "goals": goals_in(world),
        "model_hash": model_hash(),
        "versions": {"madang": madang.__version__, "python": sys.version.split()[0], **library_versions()},
        "runs": [
            {
                "run_id": record.run_id,
                "scenario": record.scenario,
                "package": record.package,
                "sample": record.sample,
                "replicate": record.replicate,
                "seed": record.seed,
                "status": DONE,
            }
        ],
    }


def goals_in(world: World) -> list[dict[str, Any]]:
    """What was promised in this world; ``by`` is a month as text."""
    columns = world.goals.columns
    names = ("text", "indicator", "comparison", "value", "by")
    return [
        {
            "text": text,
            "indicator": name,
            "comparison": sign,
            "value": float(value),
            "by": world.calendar.text(int(by)),
        }
        for text, name, sign, value, by in zip(*(columns[column] for column in names), strict=True)
    ]


def settings_of(texts: Sequence[str], world: str, seed: int) -> dict[str, float | str]:
    """What `--set` asks for, checked, and the seed too."""
    if seed > LARGEST_SEED:
        raise BadInput([Complaint("command line", 0, "--seed", f"found {seed}, allowed 0 to {LARGEST_SEED}")])
    if not texts:
        return {}
    loaded = loader.load(world)
    return parse_settings(
        texts,
        loaded.quantities,
        catalogue(),
        currency=loaded.currency,
        edges=edges_of(loaded),
        calendar=loaded.calendar,
    )


def _plain(value: float | None) -> float | int | None:
    """A number that JSON knows; null for what is not finite."""
    if value is None or not math.isfinite(value):
        return None
    return value if isinstance(value, int) else float(value)


class Bar:
    """Months done, on standard error: a bar on a terminal, one line a year elsewhere."""

    def __init__(self, calendar: Calendar, shown: bool):
        self._calendar, self._shown = calendar, shown
        self._done = 0
        self._bar: Any = None
        self._task: Any = None

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        if not (self._shown and sys.stderr.isatty()):
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("[dim]left[/]"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        with self._bar:
            self._task = self._bar.add_task("preparing", total=self._calendar.months)
            yield
        self._bar = None

    def advance(self, done: int, months: int) -> None:
        """So many months are done, of one run or of several one after the other."""
        self._done = done
        last = (done - 1) % self._calendar.months
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=months, description=self._calendar.text(last))
        elif self._shown and (self._calendar.month_of_year(last) == 11 or done == months):
            say(f"{self._calendar.year(last)} done ({done} of {months} months)")

    def place(self) -> str:
        """Where the run stands, in words."""
        if not self._done:
            return "before its first month"
        return f"after {self._calendar.text(self._done - 1)} ({self._done} of {self._calendar.months} months)"
