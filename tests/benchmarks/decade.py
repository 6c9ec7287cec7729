"""How long one run of the Korea hub takes, and where the time goes: `python -m tests.benchmarks.decade`.

The first run of a process compiles or loads the kernels, so it does not count. Processor time is told
besides the clock's, since these machines are shared. `--highs` runs the same decade with HiGHS at its
defaults, built anew for each solve, between two of ours.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from types import ModuleType
from typing import Any

import abm.model
import abm.phases.power
from abm.core.power import Backend
from runs.assemble import prepare


def timed(spent: dict[str, float], name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """``run``, adding up the processor seconds that it takes."""

    def measured(*arguments: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return run(*arguments, **named)
        finally:
            spent[name] += time.process_time() - start

    return measured


def decade(backend: Backend | None = None) -> tuple[float, float, Any]:
    """Clock and processor seconds of a run, and the model."""
    clock, processor = time.perf_counter(), time.process_time()
    model = prepare("korea", "baseline", "as-announced", None, 7).build(backend).run_model()
    return time.perf_counter() - clock, time.process_time() - processor, model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--highs", action="store_true", help="compare with HiGHS at its defaults (20 s more)")
    parser.add_argument("--runs", type=int, default=7, metavar="N", help="runs to take the median of")
    arguments = parser.parse_args()
    print(f"first run   {decade()[0]:6.2f} s, with kernels")
    runs = [decade() for _ in range(arguments.runs)]
    clock, processor = (median(run[at] for run in runs) for at in (0, 1))
    model = runs[-1][2]
    print(
        f"a run       {clock:6.2f} s ({processor:.2f} s of processor) for {model.calendar.months} months and "
        f"{model.power_report['solves']} power cases, median of {arguments.runs}"
    )

    spent: dict[str, float] = defaultdict(float)
    power = vars(abm.phases.power)
    power["dispatch_many"] = timed(spent, "of which dispatch", power["dispatch_many"])
    phases = [
        (name, phase)
        for name, phase in vars(abm.model).items()
        if isinstance(phase, ModuleType)
        and phase.__name__.startswith("abm.phases.")
        and hasattr(phase, "run")
    ]
    for name, phase in phases:
        vars(phase)["run"] = timed(spent, name, phase.run)
    total = decade()[1]
    dispatch = spent.pop("of which dispatch")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {name:<18}{seconds:6.3f} s {100 * seconds / total:5.1f} %")
        if name == "power":
            print(f"    {'of which dispatch':<16}{dispatch:6.3f} s {100 * dispatch / total:5.1f} %")
    rest = total - sum(spent.values())
    print(f"  {'the rest':<18}{rest:6.3f} s {100 * rest / total:5.1f} %")
    print(
        f"everything but dispatch takes {(total - dispatch) / dispatch:.2f} of the time of dispatch (goal 0.6)"
    )
    if arguments.highs:
        ours, theirs = [decade()[1]], decade("highs-default")[1]
        ours.append(decade()[1])
        print(
            f"the same run with HiGHS at its defaults takes {theirs / median(ours):.1f} times as long (goal 20)"
        )


if __name__ == "__main__":
    main()
