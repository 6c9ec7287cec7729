"""Many runs: workers, overhead, memory, resuming, forks: `python -m tests.benchmarks.batch [--quick]`.

Figures are ratios of things measured one after the other in the same sitting; what needs a fresh
interpreter (start-up, peak memory) gets one. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.runs.batches.models import Cheap

ROOT = Path(__file__).resolve().parents[2]
Say = Callable[[str], None]

MANY = """
import json, resource, sys, time
from runs import batch
from tests.runs.batches.models import Cheap

if __name__ == "__main__":
    out, count, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    started, last = time.perf_counter(), []
    batch(model=Cheap, parameters={"x": [0.0, 0.5, 1.0, 1.5]}, replicates=count // 4, max_steps=4, out=out,
          workers=workers, on_progress=last.append)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "ran": last[-1].ran, "done": last[-1].done}))
"""

PLAIN = """
import sys
from runs import collecting
from runs.assemble import prepare

def decades(first, count):
    for seed in range(first, first + count):
        prepare("korea", "baseline", "as-announced", None, seed).build().run_model()

decades(0, 1)
collecting.settle()
print("ready", flush=True)
for line in sys.stdin:
    decades(*map(int, line.split()))
    print("done", flush=True)
"""

MESA = """
import sys, warnings
warnings.simplefilter("ignore")
from mesa import batch_run
from mesa.examples import VirusOnNetwork

if __name__ == "__main__":
    found = batch_run(VirusOnNetwork, {"num_nodes": [10]}, number_processes=2, rng=list(range(int(sys.argv[1]))),
                      max_steps=20, display_progress=False)
    assert len({row["RunId"] for row in found}) == int(sys.argv[1])
"""

OURS = """
import sys, tempfile
from runs import batch
from mesa.examples import VirusOnNetwork

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as out:
        found = batch(model=VirusOnNetwork, parameters={"num_nodes": [10]}, replicates=int(sys.argv[1]),
                      max_steps=20, out=out, workers=2, series=False)
        assert found.runs["status"].to_list() == ["done"] * int(sys.argv[1])
"""

VIRUS = """
model = "mesa.examples:VirusOnNetwork"
replicates = {count}
max_steps = 20
[parameters]
num_nodes = [10]
[keep]
series = false
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs and repetitions")
    parser.add_argument("--only", nargs="*", help="parts to measure: " + ", ".join(PARTS))
    asked = parser.parse_args()
    for name, part in PARTS.items():
        if not asked.only or name in asked.only:
            part(asked.quick, print)


def overhead(quick: bool, say: Say) -> None:
    """Runner and store against a plain loop of the same runs, in CPU time of one process.

    Both are measured within the same batch: what checking, building and stepping the models takes is what a
    plain loop would take; all the rest (plan, ids, lock, tables, shards, manifest) is the runner's and the
    store's. So it does not matter what else the machine is doing.
    """
    from abm.model import Model
    from runs.assemble import Prepared
    from runs.batches import Batch, InProcess, Keep, batch
    from runs.batches.worlds import WorldStudy

    plain = [0.0]

    def counted(run: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*arguments: Any, **named: Any) -> Any:
            start = time.process_time()
            try:
                return run(*arguments, **named)
            finally:
                plain[0] += time.process_time() - start

        return measured

    parts = ((WorldStudy, "_prepare"), (Prepared, "build"), (Model, "run_model"))
    before = {(owner, name): getattr(owner, name) for owner, name in parts}
    for (owner, name), run in before.items():
        setattr(owner, name, counted(run))
    try:
        for world, count in (("toy", 100 if quick else 300), ("korea", 16 if quick else 40)):
            ratios = []
            for turn in range(3 if quick else 4):
                spec = Batch(
                    world=world, packages=("no-policy",), replicates=count if turn else 1, keep=Keep()
                )
                with tempfile.TemporaryDirectory() as out:
                    plain[0], start = 0.0, time.process_time()
                    batch(spec, out, executor=InProcess())
                    ratios.append((time.process_time() - start) / plain[0])
            say(
                f"overhead    {world}: {100 * (median(ratios[1:]) - 1):.1f} % on top of {count} runs of "
                f"{1000 * plain[0] / count:.0f} ms (goal 5 %), all series kept"
            )
    finally:
        for (owner, name), run in before.items():
            setattr(owner, name, run)


def workers(quick: bool, say: Say) -> None:
    """Runs a second with one and with two workers of a pool that is up, interleaved.

    Once with decades of Korea, and in the same rounds with plain loops of them in one process and in two side by
    side, without the runner: two cores of a machine that others use too seldom do twice the work of one. And once with
    runs that only wait, which show what the runner itself loses whatever the machine does.
    """
    from runs.batches import Batch, Keep, Pool, batch

    def waiting(turn: int, out: str, pool: Pool) -> int:
        count = 100 if quick else 200
        asked = {"x": [0.0], "pause": 0.02}
        batch(model=Cheap, parameters=asked, replicates=count, seed=turn, max_steps=4, out=out, executor=pool)
        return count

    def decades(turn: int, out: str, pool: Pool) -> int:
        count = 12 if turn else 2
        batch(Batch(replicates=count, seed=turn, keep=Keep(series=())), out, executor=pool)
        return count

    def rate_of(run: Callable[[int, str, Pool], int], turn: int, pool: Pool) -> float:
        with tempfile.TemporaryDirectory() as out:
            start = time.perf_counter()
            return run(turn, out, pool) / (time.perf_counter() - start)

    with Pool(1, target_s=2.0) as one, Pool(2, target_s=2.0) as two, _PlainLoops(2) as plain:
        one.prepare(("runs.batches.warm",))
        two.prepare(("runs.batches.warm",))
        for name, run, turns in (
            ("runs that wait", waiting, 3),
            ("Korea decades", decades, 4 if quick else 9),
        ):
            rates = []
            for turn in range(turns):
                found = [rate_of(run, turn, one), rate_of(run, turn, two)]
                if run is decades:
                    found += [plain.rate(1, 12, turn), plain.rate(2, 12, turn)]
                if turn:
                    rates.append(found)
            ratio = median(found[1] / found[0] for found in rates)
            middle, best = ([how(column) for column in zip(*rates, strict=True)] for how in (median, max))
            text = f"workers     {name}: {middle[0]:.2f} runs/s with 1, {middle[1]:.2f} with 2, ratio {ratio:.2f}"
            if run is decades:
                alone = median(found[3] / found[2] for found in rates)
                text += (
                    f", of the best rounds {best[1] / best[0]:.2f}; plain loops without the runner: "
                    f"{middle[2]:.2f} and {middle[3]:.2f}, ratio {alone:.2f}, of the best rounds {best[3] / best[2]:.2f}"
                )
            say(f"{text} (goal 1.85; load of the machine {os.getloadavg()[0]:.1f})")


class _PlainLoops:
    """Processes that run decades one after the other and do nothing else."""

    def __init__(self, count: int):
        self._all = [
            subprocess.Popen(
                [sys.executable, "-c", PLAIN],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(count)
        ]

    def __enter__(self) -> _PlainLoops:
        for one in self._all:
            _answer(one)
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._all:
            one.communicate()

    def rate(self, processes: int, count: int, seed: int) -> float:
        """Decades a second of so many processes side by side, which share ``count`` of them."""
        start = time.perf_counter()
        for at, one in enumerate(self._all[:processes]):
            assert one.stdin is not None
            one.stdin.write(f"{1000 * seed + 100 * at} {count // processes}\n")
            one.stdin.flush()
        for one in self._all[:processes]:
            _answer(one)
        return count / (time.perf_counter() - start)


def _answer(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if not process.stdout.readline():
        raise SystemExit("a plain loop of decades ended")


def against_mesa(quick: bool, say: Say) -> None:
    """Mesa's own batch_run on one of its cheap examples, from Python and as a command; two processes, start-up included."""
    from runs import Results

    count = 1000
    command = ("-c", "import madang; madang.main()", "batch", "virus.toml", "-o", "out", "--workers", "2")
    ways: dict[str, Callable[[str], object]] = {
        "batch_run": lambda home: _script(MESA, str(count)),
        "batch()": lambda home: _script(OURS, str(count)),
        "madang batch": lambda home: _run(home, *command),
    }
    wall: dict[str, list[float]] = {way: [] for way in ways}
    work: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(3 if quick else 5):
        for way, run in ways.items():
            with tempfile.TemporaryDirectory() as home:
                Path(home, "virus.toml").write_text(VIRUS.format(count=count), encoding="utf-8")
                start, before = time.perf_counter(), _children_s()
                run(home)
                wall[way].append(time.perf_counter() - start)
                work[way].append(_children_s() - before)
                if way == "madang batch":  # the scripts look for themselves
                    assert Results(Path(home, "out")).runs["status"].to_list() == ["done"] * count

    def ratio(times: dict[str, list[float]], way: str) -> float:
        return median(mesa / ours for mesa, ours in zip(times["batch_run"], times[way], strict=True))

    say(
        f"mesa        {count} runs of VirusOnNetwork, 2 processes, start-up included: batch_run "
        f"{median(wall['batch_run']):.1f} s, CPU {median(work['batch_run']):.1f} s"
    )
    for way in ("batch()", "madang batch"):
        say(
            f"mesa        {way}: {median(wall[way]):.1f} s, {ratio(wall, way):.2f} times the throughput (goal 1.5); CPU "
            f"{median(work[way]):.1f} s, {ratio(work, way):.2f} times less"
        )


def parent(quick: bool, say: Say) -> None:
    """Peak memory of the parent at 1,000 and 20,000 runs, and what a finished folder costs to look at."""
    counts = (1000, 5000) if quick else (1000, 20000)
    peaks = {}
    with tempfile.TemporaryDirectory() as home:
        for count in counts:
            first = _script(MANY, f"{home}/{count}", str(count), "2")
            again = _script(MANY, f"{home}/{count}", str(count), "2")
            peaks[count] = first["peak_mb"]
            size = sum(path.stat().st_size for path in Path(home, str(count)).rglob("*") if path.is_file())
            say(
                f"parent      {count:,} cheap runs: {first['done'] / first['seconds']:,.0f} runs/s with 2 workers, peak "
                f"{first['peak_mb']:.0f} MB, folder {size / 1e6:.1f} MB; resuming it finished takes "
                f"{again['seconds']:.2f} s and runs {again['ran']} (goal under 5 s at 20,000)"
            )
    small, large = (peaks[count] for count in counts)
    say(
        f"parent      peak memory grows by {100 * (large / small - 1):.1f} % from {counts[0]:,} to {counts[1]:,} runs "
        "(goal at most 10 %)"
    )


def fork(quick: bool, say: Say) -> None:
    """Packages that differ from a month on share the years before: CPU time saved, same bits."""
    from runs.batches import Batch, Fork, Keep
    from runs.batches.planning import plan

    packages = ("as-announced", "grid-first", "startup-access", "renewables-first")
    spec = Batch(packages=packages, fork=Fork("2030-07"), keep=Keep(series=()))
    study = plan(spec)
    ids = [found.decode() for found in study.ids()]
    ratios = []
    list(study.simulate([0], ids[:1], lambda case: None))
    for _ in range(1 if quick else 3):
        start = time.process_time()
        shared = list(study.simulate(range(study.size), ids, lambda case: None))
        together = time.process_time() - start
        start = time.process_time()
        apart = [next(study.simulate([case], [ids[case]], lambda case: None)) for case in range(study.size)]
        ratios.append((time.process_time() - start) / together)
        for one, other in zip(shared, apart, strict=True):
            assert one.outcome is not None
            assert other.outcome is not None
            assert one.outcome.finals.tobytes() == other.outcome.finals.tobytes()
    say(
        f"fork        4 packages from 2030-07 on share the 66 months before: {median(ratios):.2f} times as fast as "
        f"apart (at most {4 * 132 / (66 + 4 * 66):.2f}), same bits"
    )


def _script(text: str, *arguments: str) -> dict[str, float]:
    """Run a script in a fresh interpreter; what it prints as JSON, if anything."""
    with tempfile.TemporaryDirectory() as home:
        file = Path(home, "script.py")
        file.write_text(text, encoding="utf-8")
        printed = _run(str(ROOT), str(file), *arguments)
    return json.loads(printed) if printed.strip() else {}


def _run(folder: str, *arguments: str) -> str:
    """What a fresh interpreter prints."""
    ended = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if ended.returncode:
        raise SystemExit(ended.stderr)
    return ended.stdout


def _children_s() -> float:
    """CPU seconds of all processes that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


PARTS: dict[str, Callable[[bool, Say], None]] = {
    "overhead": overhead,
    "workers": workers,
    "mesa": against_mesa,
    "parent": parent,
    "fork": fork,
}


if __name__ == "__main__":
    main()
