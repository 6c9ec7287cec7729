"""The command ``madang``: what it takes, what it says, how it ends.

Only typer is imported here, so that ``--help`` answers at once; each command imports its own body.
Exit codes: 0 done, 1 a run failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="madang",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

WorldOption = Annotated[
    str,
    typer.Option(
        "--world", metavar="NAME|DIR", help="World to run in: one that ships, or the folder of your own."
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")
]


class Kind(StrEnum):
    """What `madang list` can list."""

    worlds = "worlds"
    scenarios = "scenarios"
    packages = "packages"
    levers = "levers"
    uncertainties = "uncertainties"
    parameters = "parameters"
    indicators = "indicators"
    stakeholders = "stakeholders"


def _version(asked: bool) -> None:
    if asked:
        import madang

        typer.echo(f"madang {madang.__version__}")
        raise typer.Exit


@app.callback(
    help="Who builds the AI hub, whose plan slips, and why: an agent-based model, month by month.\n\n"
    "A [bold]scenario[/] fixes what nobody controls (fuel prices, chip supply, line delays); "
    "a [bold]package[/] fixes what public bodies set (grid money, auctions, vouchers). "
    "A run is one scenario with one package and one seed.\n\n"
    "[bold]First steps[/]\n\n"
    "[cyan]madang run[/]  what becomes of the announced plan\n"
    "[cyan]madang explain[/]  why the latest sites are late\n"
    "[cyan]madang list levers[/]  what could be done about it\n"
    "[cyan]madang run --help[/]  examples; every command has some",
)
def top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Nothing by itself."""


@app.command()
def run(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="Scenario that ships, or your own TOML file.")
    ] = "baseline",
    world: WorldOption = "korea",
    package: Annotated[
        str,
        typer.Option(
            "--package",
            "-p",
            metavar="NAME|FILE",
            help="Package of levers that ships, or your own TOML file.",
        ),
    ] = "as-announced",
    seed: Annotated[
        int,
        typer.Option("--seed", "-s", metavar="N", min=0, help="Root of all luck in the run."),
    ] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Fix an uncertainty or a lever for the whole run, or shock the supply graph "
            "(shock.SUPPLIER=FACTOR@YYYY-MM+MONTHS); may be given again.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Results folder.  [dim]Default: a new one under results/[/]"
        ),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Simulate one decade and read what became of the plan.

    [bold]Examples[/]

    [cyan]madang run[/]  the announced plan under the announced policy
    [cyan]madang run grid-delay -p grid-first --seed 7[/]  late lines, and a package against them
    [cyan]madang run --set pue=1.2 --set grid_fast_track=1[/]  one uncertainty and one lever moved
    [cyan]madang run --set shock.sk-hynix=0@2027-01+12[/]  no memory from one maker for a year
    [cyan]madang run --world toy --json[/]  a tiny world; figures for a script
    [cyan]madang run my-scenario.toml -p my-package.toml -o results/mine[/]  your own files
    """
    from runs.cli_run import run_command

    with plain_errors():
        raise typer.Exit(run_command(scenario, package, seed, settings or [], world, out, as_json, quiet))


@app.command()
def shock(
    shocks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SHOCK...",
            help="SUPPLIER=FACTOR@YYYY-MM+MONTHS; also SUPPLIER/GOOD=..., FROM/TO/GOOD=..., delay:N instead of the "
            "factor or after it.  [dim]Default: the supply shocks of the scenario[/]",
        ),
    ] = None,
    scenario: Annotated[
        str,
        typer.Option("--scenario", metavar="NAME|FILE", help="Scenario that ships, or your own TOML file."),
    ] = "baseline",
    world: WorldOption = "korea",
    package: Annotated[
        str, typer.Option("--package", "-p", metavar="NAME|FILE", help="Package of levers.")
    ] = "as-announced",
    seed: Annotated[
        int, typer.Option("--seed", "-s", metavar="N", min=0, help="Root of all luck in both runs.")
    ] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Fix an uncertainty or a lever in both runs; may be given again.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Folder for both runs, the tables and the graph."),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Take a supplier or an edge out, cut or delay it: who loses what, when, through whom.

    Two runs under the same luck, without and with the shock. A factor is what is left of deliveries (0 takes
    out, 0.5 halves); delay:3 brings three months later what leaves in these months.

    [bold]Examples[/]

    [cyan]madang shock sk-hynix=0@2027-01+12[/]  a maker of memory stands still for a year
    [cyan]madang shock nvidia=0.5@2028-01+6 cooling=delay:4@2028-01+12[/]  two shocks at once
    [cyan]madang shock nvidia/naver-cloud/gpu=0@2027-06+24 -o results/cut[/]  one buyer cut off; files
    [cyan]madang shock --scenario my-scenario.toml --json[/]  the \\[\\[supply_shocks]] of your own file
    """
    from runs.cli_shock import shock_command

    with plain_errors():
        raise typer.Exit(
            shock_command(shocks or [], scenario, package, seed, settings or [], world, out, as_json, quiet)
        )


@app.command()
def batch(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.toml", help="What to run; `madang batch --help` shows one.")
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR|URL",
            help="Results folder.  [dim]Default: one under results/, by the file[/]",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            metavar="N",
            min=0,
            help="Processes; 0 runs in this one.  [dim]Default: the cores[/]",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler", metavar="ADDRESS", help="Dask scheduler of a cluster, such as tcp://node1:8786."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many runs, how long and how large; write nothing.")
    ] = False,
    until: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="CONDITION", help='Stop when known well enough: "m.ai_sites_mw ci95 < 2%".'
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run those that failed before once more.")
    ] = False,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="ID", help="One run of the batch by itself, to see it fail."),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run scenarios x packages x samples x replicates; the same command takes up what was cut off.

    [bold]A file[/]

    scenarios = ["baseline", "grid-delay"]
    packages = ["as-announced", "grid-first"]
    replicates = 20

    \\[sample]
    method = "lhs"
    n = 64
    uncertainties = ["line_delay_months", "gpu_supply_factor"]

    A file that begins with model = "package.module:Class" or "my_models.py:Class" runs that Mesa model instead:
    combinations of \\[parameters] x samples x replicates.

    [bold]Examples[/]

    [cyan]madang batch decade.toml --dry-run[/]  how many, how long, how large
    [cyan]madang batch decade.toml -o results/decade[/]  run it, or go on with it
    [cyan]madang batch decade.toml --until "m.ai_sites_mw ci95 < 2%"[/]  until that is known
    [cyan]madang batch decade.toml --scheduler tcp://node1:8786 -o s3://bucket/decade[/]  on a cluster
    """
    from runs.cli_batch import batch_command

    with plain_errors():
        raise typer.Exit(
            batch_command(file, out, workers, scheduler, dry_run, until, retry_failed, only, as_json, quiet)
        )


@app.command()
def validate(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Scenario, package or batch TOML files, world folders or their world.toml.",
        ),
    ],
    world: WorldOption = "korea",
    as_json: JsonOption = False,
) -> None:
    """Check files without running anything: every complaint at once, with file, line and key.

    Exit code 0 if all is well, 2 if not.

    [bold]Examples[/]

    [cyan]madang validate my-package.toml my-scenario.toml[/]
    [cyan]madang validate runs/worlds/korea[/]  a whole world
    """
    from runs.cli_validate import validate_command

    with plain_errors():
        raise typer.Exit(validate_command(files, world, as_json))


@app.command("list")
def list_(
    kind: Annotated[Kind, typer.Argument(help="What to list.", show_choices=True)],
    world: WorldOption = "korea",
    as_json: JsonOption = False,
) -> None:
    """Show what there is to choose from: with unit, default, range, what it moves, and source.

    [bold]Examples[/]

    [cyan]madang list packages[/]
    [cyan]madang list uncertainties --world toy[/]
    [cyan]madang list levers --json[/]
    """
    from runs.cli_list import list_command

    with plain_errors():
        raise typer.Exit(list_command(kind.value, world, as_json))


@app.command()
def explain(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Results folder.  [dim]Default: the newest under results/[/]"),
    ] = None,
    run_id: Annotated[
        str | None,
        typer.Option("--run", metavar="ID", help="Run of the folder; the start of its id will do."),
    ] = None,
    who: Annotated[
        str | None, typer.Option("--who", metavar="NAME", help="All that one stakeholder decided.")
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="All that happened in one month.")
    ] = None,
    site: Annotated[str | None, typer.Option("--site", metavar="NAME", help="The story of one site.")] = None,
) -> None:
    """Answer why, from the decision log that a run keeps.

    Without options: why the latest sites are late, step by step.

    [bold]Examples[/]

    [cyan]madang explain[/]  the newest results
    [cyan]madang explain results/mine --who kepco[/]
    [cyan]madang explain results/mine --month 2028-01[/]
    """
    from runs.explain import explain_command

    with plain_errors():
        raise typer.Exit(explain_command(folder, run_id, who, month, site))


@app.command()
def picture(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Results folder.  [dim]Default: the newest under results/[/]"),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Picture to write (png, svg or pdf).")
    ] = Path("madang.png"),
    run_id: Annotated[
        str | None,
        typer.Option("--run", metavar="ID", help="Run of the folder; the start of its id will do."),
    ] = None,
) -> None:
    """Draw one run on one page: chips, power, price and debt, and how every site slipped.

    [bold]Example[/]

    [cyan]madang picture results/mine --out overview.png[/]
    """
    from runs.picture import picture_command

    with plain_errors():
        raise typer.Exit(picture_command(folder, out, run_id))


@app.command()
def ui(
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="ADDRESS", help="Where to listen; other than loopback only with --allow-remote."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=1, max=65535)] = 8765,
    world: WorldOption = "korea",
    results: Annotated[
        Path,
        typer.Option(
            "--results", metavar="DIR", help="The only folder below which results are opened and written."
        ),
    ] = Path("results"),
    origins: Annotated[
        list[str] | None,
        typer.Option(
            "--origin",
            metavar="URL",
            help="Address that people see behind a reverse proxy; may be given again.",
        ),
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Listen where other machines can connect.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", metavar="N", min=1, help="Processes that run the model.  [dim]Default: one a core[/]"
        ),
    ] = None,
    most_runs: Annotated[
        int, typer.Option("--max-runs", metavar="N", min=1, help="Largest ensemble that a page may start.")
    ] = 200,
    most_users: Annotated[
        int, typer.Option("--max-users", metavar="N", min=1, help="Pages open at once.")
    ] = 50,
) -> None:
    """Open the browser app: move a lever, see the decade again, and ask why.

    [bold]Examples[/]

    [cyan]madang ui[/]  then open http://127.0.0.1:8765/
    [cyan]madang ui --port 9000 --results results[/]
    """
    from runs.cli_ui import ui_command

    with plain_errors():
        raise typer.Exit(
            ui_command(
                host, port, world, results, origins or [], allow_remote, workers, most_runs, most_users
            )
        )


@contextmanager
def plain_errors() -> Iterator[None]:
    """Bad input becomes one line each and exit code 2; a fault of ours one line and exit code 1."""
    from runs.checking import BadInput
    from runs.cli_text import save_traceback, say

    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt:
        say("madang: interrupted; nothing was changed")
        raise typer.Exit(130) from None
    except BadInput as error:
        for complaint in error.complaints:
            say(str(complaint))
        raise typer.Exit(2) from None
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise typer.Exit(0) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        say(
            f"madang: {type(error).__name__}: {error}; this is a fault of madang, "
            f"the traceback is in {save_traceback()}"
        )
        raise typer.Exit(1) from None


def main() -> None:
    """The entry point of the console script."""
    app(prog_name="madang")
