"""The body of `madang shock`: a run without and with a shock to the supply graph, and what it cost whom."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runs.checking import BadInput
from runs.cli_run import Bar, completed, manifest_of, planned, settings_of
from runs.cli_text import amount, console, number, save_traceback, say, scale, table
from runs.record import RUNNING
from runs.store import cannot_write, open_folder, write_run

if TYPE_CHECKING:
    from runs.shocks import ShockExperiment

MOST = 15
"""Rows of each table on the terminal; the files hold all."""

SMALL = 1e-4
"""Losses below this part of an objective are left to the files."""

MAIN = (
    "gpus_online", "compute_h100e", "ai_sites_mw", "compute_price_krw_per_gpuh", "compute_served_share",
    "startup_served_share", "startups_alive", "npu_share", "imported_compute_hours", "public_spend_krw", "kepco_debt_krw",
)  # fmt: skip
PARTS = ("without", "with")


def shock_command(
    shocks: Sequence[str],
    scenario: str,
    package: str,
    seed: int,
    texts: Sequence[str],
    world: str,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run both; the exit code."""
    settings = settings_of(texts, world, seed)
    from runs.shocks import prepare_both, shock_experiment

    runs = prepare_both(shocks, scenario, package, seed, settings, world)
    if out is not None:
        for part, prepared in zip(PARTS, runs, strict=True):
            manifest = manifest_of(planned(prepared), prepared)
            open_folder(out / part, {**manifest, "runs": [{**manifest["runs"][0], "status": RUNNING}]})
    bar = Bar(runs[0].settled.calendar, shown=not quiet)
    started = time.perf_counter()
    try:
        with bar.running():
            found = shock_experiment(shocks, scenario, package, seed, settings, world, progress=bar.advance)
    except BadInput:
        raise
    except KeyboardInterrupt:
        say("madang: interrupted; an experiment keeps nothing half done: give the same command again")
        return 130
    except Exception as error:
        say(
            f"madang: the run failed: {type(error).__name__}: {error}; the traceback is in {save_traceback(out)}"
        )
        return 1
    wall_s = time.perf_counter() - started
    if out is not None:
        write_experiment(found, out, wall_s)
    if as_json:
        print(json.dumps(_plain(found.summary()), ensure_ascii=False, allow_nan=False))
    else:
        print_experiment(found, out)
    return 0


def write_experiment(found: ShockExperiment, out: Path, wall_s: float) -> None:
    """Both runs as results folders, the tables as CSV, the graph of shortfalls as JSON (node-link)."""
    import networkx as nx

    for part, prepared, model in zip(
        PARTS, (found.baseline_run, found.shocked_run), (found.baseline, found.shocked), strict=True
    ):
        record = completed(planned(prepared), model, wall_s / 2.0)
        write_run(out / part, record, manifest_of(record, prepared))
    graph = found.graph.copy()
    for _, _, data in graph.edges(data=True):
        data["by_month"] = [float(value) for value in data["by_month"]]
    try:
        flat = found.losses.with_columns(*[found.losses[name].list.join(" ") for name in ("path", "goods")])
        flat.write_csv(out / "losses.csv")
        found.indicators.write_csv(out / "indicators.csv")
        found.shortfalls.write_csv(out / "shortfalls.csv")
        text = json.dumps(
            _plain(nx.node_link_data(graph, edges="edges")), ensure_ascii=False, allow_nan=False
        )
        (out / "graph.json").write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(out, error) from error


def print_experiment(found: ShockExperiment, out: Path | None) -> None:
    """Who lost what, when, through whom; and what the main indicators did."""
    screen, currency = console(), found.baseline.world.currency
    screen.print(f"\nShock: {'; '.join(map(str, found.shocks))}", markup=False)
    screen.print(
        f"[dim]{found.baseline.world.name} · scenario [/]{found.baseline_run.scenario.name}[dim] · package [/]"
        f"{found.baseline_run.package.name}[dim] · seed [/]{found.baseline.root}[dim] · both runs meet the same luck[/]"
    )
    losers = [
        row for row in found.losses.iter_rows(named=True) if row["worst"] > 0.0 and row["share"] >= SMALL
    ]
    if not losers:
        screen.print("\nNobody lost anything that counts.")
    else:
        rows = table("who lost", "at most", "in", "felt from", "at the end", "through", right=[1, 4])
        for row in losers[:MOST]:
            unit = _unit(row["unit"])
            rows.add_row(
                row["who"], amount(row["worst"], unit, currency), row["worst_month"], row["first"],
                number(row["final"]), row["how"] or "the outcome of the hub",
            )  # fmt: skip
        screen.print()
        screen.print(rows)
        if len(losers) > MOST:
            screen.print(f"[dim]and {len(losers) - MOST} more[/]")
    moved = [row for row in found.indicators.iter_rows(named=True) if row["indicator"] in MAIN]
    if moved:
        rows = table(
            "indicator", "without", "with", "change", "unit", "most in", "felt from", right=[1, 2, 3]
        )
        for row in moved:
            step, unit = scale([row["without"], row["with"]], row["unit"], currency)
            rows.add_row(
                row["indicator"], number(row["without"] / step), number(row["with"] / step),
                number(row["change"] / step), unit, row["most_month"], row["first"],
            )  # fmt: skip
        screen.print()
        screen.print(rows)
    if out is not None:
        screen.print(
            f"\n{out}: losses.csv, indicators.csv, shortfalls.csv, graph.json; `madang explain {out / 'with'}` tells why",
            markup=False, soft_wrap=True,
        )  # fmt: skip


def _unit(objective: str) -> str:
    """The unit in ``accelerators delivered to Korea, GPU`` and the like."""
    parts = [part for part in objective.split(", ") if part != "negative"]
    return parts[-1] if len(parts) > 1 else parts[0]


def _plain(value: Any) -> Any:
    """Data that JSON knows; null for what is not finite."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
