"""How fast the power core is, as ratios: `python -m tests.benchmarks.power [--quick]`.

All ways solve the same days, one way after the other and round after round, on one thread, so
that a busy machine slows all of them alike; the figures are medians, the ratios medians of the
ratios day by day. The days are the same month in successive years with the weather redrawn; a
warm start takes the basis of the year before.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from abm.core.power import PowerCase, dispatch
from abm.core.power.case import line_limits
from abm.core.power.highs import new_solver, pass_to, programme
from tests.benchmarks.days import day

SHAPES: dict[str, dict[str, Any]] = {
    "Z=7, H=24 (the goal's shape)": {},
    "Z=6, G=14, S=12, H=24": {"zones": 6, "segments": 14, "lines": 12, "stores": 12, "flexible": 6},
    "Z=6, G=14, S=12, one node": {
        "zones": 6, "segments": 14, "lines": 12, "stores": 12, "flexible": 6, "one_node": True,
    },
    "Z=17, H=24": {"zones": 17, "lines": 30, "stores": 17, "flexible": 17},
    "Z=7, H=48": {"hours": 48},
    "Z=7, H=168": {"hours": 168},
}  # fmt: skip
QUICK = ("Z=7, H=24 (the goal's shape)", "Z=6, G=14, S=12, one node", "Z=17, H=24", "Z=7, H=168")
GOAL = "Z=7, H=24 (the goal's shape)"
REFERENCE = "network simplex, warm"


class WarmHighs:
    """HiGHS that keeps its model and basis; only numbers change, and only the run is timed."""

    def __init__(self) -> None:
        self.solver = new_solver("fast")
        self.built = False

    def run(self, case: PowerCase) -> float:
        lp = programme(case)
        columns = np.arange(lp.cost.size, dtype=np.int32)
        rows = np.arange(lp.rhs.size, dtype=np.int32)
        if self.built:
            self.solver.changeColsBounds(columns.size, columns, lp.lower, lp.upper)
            self.solver.changeColsCost(columns.size, columns, lp.cost)
            for row in rows:
                self.solver.changeRowBounds(int(row), lp.rhs[row], lp.rhs[row])
        else:
            pass_to(self.solver, lp)
            self.built = True
        began = time.perf_counter()
        self.solver.run()
        return time.perf_counter() - began


def highs_run(mode: Any, case: PowerCase, built: bool) -> float:
    """HiGHS cold; `built` counts the making and passing of the model too."""
    began = time.perf_counter()
    solver = new_solver(mode)
    pass_to(solver, programme(case))
    if not built:
        began = time.perf_counter()
    solver.run()
    return time.perf_counter() - began


def timed(case: PowerCase, basis: Any, pivots: list[int]) -> float:
    """Seconds of the compiled solver, its answer handed over and checked by its certificate."""
    began = time.perf_counter()
    result = dispatch(case, basis)
    spent = time.perf_counter() - began
    assert result.fallbacks == 0
    pivots.append(result.pivots)
    return spent


def measure(
    shape: dict[str, Any], years: int, repeats: int
) -> tuple[dict[str, list[float]], list[int], list[int]]:
    """Seconds of each way, day by day, and the pivots of the compiled solver cold and warm."""
    seconds: dict[str, list[float]] = {}
    cold_pivots: list[int] = []
    warm_pivots: list[int] = []
    days = [day(year, **shape) for year in range(years)]
    dispatch(days[0])  # compiled, or read from the cache
    bases = [dispatch(days[0]).basis]
    for case in days[1:]:
        bases.append(dispatch(case, bases[-1]).basis)
    ways: dict[str, Callable[[int], float]] = {
        "HiGHS defaults, model built": lambda k: highs_run("default", days[k], built=True),
        "HiGHS defaults, run only": lambda k: highs_run("default", days[k], built=False),
        "HiGHS simplex, no presolve": lambda k: highs_run("fast", days[k], built=True),
        "HiGHS simplex, run only": lambda k: highs_run("fast", days[k], built=False),
        "HiGHS warm, run only": lambda k: keeper.run(days[k]),
        "network simplex, cold": lambda k: timed(days[k], None, cold_pivots),
        REFERENCE: lambda k: timed(days[k], bases[k - 1], warm_pivots),
    }
    for _ in range(repeats):
        keeper = WarmHighs()
        keeper.run(days[0])
        for way, run in ways.items():
            seconds.setdefault(way, []).extend([run(k) for k in range(1, years)])
    return seconds, cold_pivots, warm_pivots


def pypsa_network(pypsa: Any, case: PowerCase) -> Any:
    """The same day as a PyPSA network: the same optimum, flexible loads included."""
    hours = case.shape.hours
    network = pypsa.Network()
    network.set_snapshots(range(hours))

    def supply(name: str, zone: int, most_mw: Any, cost: Any) -> None:
        nominal = float(most_mw.max()) or 1.0
        network.add(
            "Generator", name, bus=f"z{zone}",
            p_nom=nominal, p_max_pu=most_mw / nominal, marginal_cost=cost,
        )  # fmt: skip

    for z in range(case.shape.zones):
        network.add("Bus", f"z{z}")
        network.add("Load", f"d{z}", bus=f"z{z}", p_set=case.demand_mw[z])
        for g in range(case.shape.segments):
            supply(f"g{z}.{g}", z, case.capacity_mw[z, g], case.cost[z, g])
        for k in range(case.shape.tiers):
            supply(f"k{z}.{k}", z, case.shed_mw[z, k], float(case.shed_cost[k]))
    forward, backward = line_limits(case)
    for i in range(case.shape.lines):
        nominal = float(max(forward[i].max(), backward[i].max())) or 1.0
        network.add(
            "Link", f"l{i}", bus0=f"z{case.line_from[i]}", bus1=f"z{case.line_to[i]}",
            p_nom=nominal, p_max_pu=forward[i] / nominal, p_min_pu=-backward[i] / nominal,
        )  # fmt: skip
    for s in range(case.shape.stores):
        nominal = float(max(case.charge_mw[s], case.discharge_mw[s])) or 1.0
        network.add(
            "StorageUnit", f"s{s}", bus=f"z{case.store_zone[s]}",
            p_nom=nominal,
            p_min_pu=-float(case.charge_mw[s]) / nominal,
            p_max_pu=float(case.discharge_mw[s]) / nominal,
            max_hours=float(case.store_mwh[s]) / nominal,
            efficiency_store=float(case.charge_efficiency[s]),
            efficiency_dispatch=float(case.discharge_efficiency[s]),
            cyclic_state_of_charge=True,
        )  # fmt: skip
    for f in range(case.shape.flexible):
        # A vessel that has to be full at the end of the day: by the load's hours, or at a price.
        nominal, energy = float(case.flexible_mw[f].max()) or 1.0, float(case.flexible_mwh[f])
        network.add("Bus", f"f{f}")
        network.add(
            "Link", f"f{f}", bus0=f"z{case.flexible_zone[f]}", bus1=f"f{f}",
            p_nom=nominal, p_max_pu=case.flexible_mw[f] / nominal,
        )  # fmt: skip
        network.add(
            "Generator", f"u{f}", bus=f"f{f}", p_nom=energy, marginal_cost=case.unserved_flexible_cost
        )
        network.add(
            "Store", f"e{f}", bus=f"f{f}", e_nom=energy, e_initial=0.0,
            e_min_pu=np.where(np.arange(hours) == hours - 1, 1.0, 0.0),
        )  # fmt: skip
    return network


def pypsa_seconds(case: PowerCase) -> float | None:
    """PyPSA's `optimize` on the same day, where PyPSA is installed; its network is made before."""
    if importlib.util.find_spec("pypsa") is None:
        return None
    pypsa: Any = importlib.import_module("pypsa")
    for name in ("pypsa", "linopy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        network = pypsa_network(pypsa, case)
        began = time.perf_counter()
        network.optimize(solver_name="highs", solver_options={"output_flag": False, "threads": 1})
        spent = time.perf_counter() - began
    theirs, ours = float(network.objective), dispatch(case).objective
    if abs(theirs - ours) > 1e-6 * abs(ours):
        raise RuntimeError(f"PyPSA finds {theirs}, we find {ours}: the two cases differ")
    return spent


def table(name: str, seconds: dict[str, list[float]], cold: list[int], warm: list[int]) -> None:
    """Print medians, ratios to the warm compiled solver, and pivots."""
    print(f"\n{name}")
    print(f"  {'way':<30}{'ms':>10}{'times ours':>12}")
    for way, values in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(values, seconds[REFERENCE], strict=True))
        print(f"  {way:<30}{statistics.median(values) * 1e3:>10.3f}{ratio:>12.1f}")
    print(
        f"  pivots: cold {statistics.median(cold):.0f}, warm {statistics.median(warm):.0f} "
        f"(most {max(warm)}); {len(warm)} warm solves"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="four shapes, few days")
    quick = parser.parse_args().quick
    for name, shape in SHAPES.items():
        if quick and name not in QUICK:
            continue
        small = shape.get("hours", 24) <= 24
        years = 11 if small and not quick else 5 if small else 3
        seconds, cold, warm = measure(shape, years, 3 if small else 1)
        table(name, seconds, cold, warm)
        if name == GOAL:
            print_pypsa(statistics.median(seconds[REFERENCE]), 2 if quick else 5)


def print_pypsa(ours: float, days: int) -> None:
    """The row of PyPSA; its first day, which loads much of it, does not count."""
    spent = [pypsa_seconds(day(year)) for year in range(days + 1)][1:]
    found = [seconds for seconds in spent if seconds is not None]
    if not found:
        print("  PyPSA is not installed (a benchmark-only extra)")
        return
    middle = statistics.median(found)
    print(f"  {'PyPSA optimize, same optimum':<30}{middle * 1e3:>10.0f}{middle / ours:>12.0f}")


if __name__ == "__main__":
    main()
