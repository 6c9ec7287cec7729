"""How long one run of the Korea hub takes, and where the time goes: `python -m tests.benchmarks.decade`.

The first run of a process compiles or loads the kernels; the second is the one that counts.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from types import ModuleType
from typing import Any

import abm.model
from runs import simulate


def timed(spent: dict[str, float], name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """``run``, adding up the seconds that it takes."""

    def measured(*arguments: Any) -> Any:
        start = time.perf_counter()
        try:
            return run(*arguments)
        finally:
            spent[name] += time.perf_counter() - start

    return measured


def main() -> None:
    start = time.perf_counter()
    simulate()
    print(f"first run   {time.perf_counter() - start:6.2f} s, with kernels")
    spent: dict[str, float] = defaultdict(float)
    for name, phase in vars(abm.model).items():
        if (
            isinstance(phase, ModuleType)
            and phase.__name__.startswith("abm.phases.")
            and hasattr(phase, "run")
        ):
            phase.__dict__["run"] = timed(spent, name, phase.run)
    start = time.perf_counter()
    model = simulate()
    total = time.perf_counter() - start
    print(
        f"second run  {total:6.2f} s for {model.calendar.months} months, {model.power_report['solves']} power cases"
    )
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {name:<12}{seconds:6.2f} s {100 * seconds / total:5.1f} %")
    rest = total - sum(spent.values())
    print(f"  {'the rest':<12}{rest:6.2f} s {100 * rest / total:5.1f} %")


if __name__ == "__main__":
    main()
