"""How fast the allocation kernel is: `python -m tests.benchmarks.supply [--quick]`.

Three tables: the month over graphs of 100 to 100,000 edges; one supplier's rationing against the
same in NumPy; ARIO on the kernel against BoARIO (Juhel 2024) on the same table and shock, where
BoARIO is installed. Ways are timed in turn, round after round, in one process; figures are medians of CPU
time, ratios medians of the ratios round by round.
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

from abm.core.allocate import Network, State, ration
from abm.core.allocate.ario import Economy, ario
from tests.abm.core.allocate.tables import table

EDGES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
GROUPS = 5
DAYS, YEAR = 500, 365
EARLY = 70
"""Days before BoARIO leaves small changes of inventories out."""
SHOCK_DAY, SHOCK_LENGTH, RECOVERY = 5, 10, 60
TABLES = ((1, 4), (3, 4), (6, 8))
"""Regions and sectors; the second is the goal's small table."""
GOAL = 20.0


def cpu(run: Callable[[], Any], times: int = 1) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - began) / times


def graph(edges: int, *, groups: int = 0, rule: Any = "proportional") -> tuple[State, Callable[[], Any]]:
    """A two-tier graph of ten edges a supplier in which four goods in ten are scarce, and its month."""
    rng = np.random.default_rng(edges)
    makers = max(edges // 20, 2)
    supplier = rng.integers(0, 2 * makers, edges)
    feeds = supplier < makers  # the first tier feeds the second, the second final buyers
    buyer = np.where(feeds, rng.integers(makers, 2 * makers, edges), 2 * makers)
    capacity = np.append(rng.uniform(6.0, 14.0, 2 * makers), 0.0)
    network = Network(
        2 * makers + 1,
        supplier,
        buyer,
        lead=rng.integers(0, 12, edges),
        slot=np.where(feeds, buyer - makers, -1),
        slot_node=np.arange(makers, 2 * makers),
        capacity=capacity,
        rule=rule,
        weight=rng.uniform(1.0, 2.0, edges),
        group=rng.integers(-1, groups, edges) if groups else -1,
        groups=groups,
    )
    state = State(network, input_stock=20.0)
    orders = rng.uniform(0.0, 2.0, edges)
    cap = np.full(groups, 0.1 * orders.sum()) if groups else None

    def month() -> None:
        state.month(orders, group_cap=cap, cancel=state.backlog)

    for _ in range(14):
        month()
    return state, month


def graphs(quick: bool) -> None:
    """Cost of a month by number of edges; the last column grows with the size if the cost is not linear."""
    rounds = 3 if quick else 9
    sizes = EDGES[:5] if quick else EDGES
    ways: dict[str, dict[str, Any]] = {
        "proportional": {},
        "with caps on 5 groups": {"groups": GROUPS},
        "first come": {"rule": "first-come"},
    }
    print(f"\nA month of the graph, call included, medians of {rounds} rounds")
    print(f"{'edges':>8} " + "".join(f"{name + ', us':>27}{'ns/edge':>9}" for name in ways))
    for edges in sizes:
        months = {name: graph(edges, **values)[1] for name, values in ways.items()}
        times = max(3_000 // edges, 1)
        seconds: dict[str, list[float]] = {name: [] for name in months}
        for _ in range(rounds):
            for name, month in months.items():
                seconds[name].append(cpu(month, times))
        middle = {name: statistics.median(values) for name, values in seconds.items()}
        row = "".join(f"{1e6 * s:27,.1f}{1e9 * s / edges:9.0f}" for s in middle.values())
        print(f"{edges:8,} {row}")


def by_sorting(orders: np.ndarray, weights: np.ndarray, supply: float) -> np.ndarray:
    """The same water filling in NumPy."""
    met_at = orders / weights
    rank = np.argsort(met_at, kind="stable")
    filled = np.concatenate(([0.0], np.cumsum(orders[rank])[:-1]))
    level = (supply - filled) / np.cumsum(weights[rank][::-1])[::-1]
    at = int(np.argmax(level <= met_at[rank]))
    return np.minimum(orders, level[at] * weights)


def rationing(quick: bool) -> None:
    """One supplier's call, its checks and reasons included, against the bare arithmetic in NumPy."""
    rounds = 5 if quick else 15
    print(f"\nOne supplier's rationing, call included, medians of {rounds} rounds of 500")
    print(f"{'orders':>8}{'kernel, us':>12}{'NumPy, us':>12}{'ratio':>8}")
    for n in (10, 30, 100, 300):
        rng = np.random.default_rng(n)
        orders, weights = rng.uniform(1.0, 10.0, n), rng.uniform(1.0, 2.0, n)
        supply = 0.5 * float(orders.sum())
        np.testing.assert_allclose(
            ration(orders, supply, weights=weights).granted, by_sorting(orders, weights, supply)
        )
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(cpu(lambda o=orders, w=weights, s=supply: ration(o, s, weights=w), 500))
            theirs.append(cpu(lambda o=orders, w=weights, s=supply: by_sorting(o, w, s), 500))
        ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
        print(
            f"{n:8}{1e6 * statistics.median(ours):12.1f}{1e6 * statistics.median(theirs):12.1f}{ratio:8.1f}"
        )


def boario_run(regions: int, sectors: int, damage: np.ndarray, kind: str) -> Any:
    """BoARIO's simulation of the shock, ready to loop."""
    pandas: Any = importlib.import_module("pandas")
    pymrio: Any = importlib.import_module("pymrio")
    models: Any = importlib.import_module("boario.extended_models")
    simulation: Any = importlib.import_module("boario.simulation")
    events: Any = importlib.import_module("boario.event")
    use, final, _ = table(regions, sectors)
    places = [f"r{i:03}" for i in range(regions)]
    goods = [f"s{i:03}" for i in range(sectors)]  # BoARIO sorts them by name
    rows = pandas.MultiIndex.from_product([places, goods], names=["region", "sector"])
    columns = pandas.MultiIndex.from_product([places, ["final"]], names=["region", "category"])
    demand = np.outer(final, np.full(regions, 1.0 / regions))
    system = pymrio.IOSystem(Z=pandas.DataFrame(use, rows, rows), Y=pandas.DataFrame(demand, rows, columns))
    system.calc_all()
    model = models.ARIOPsiModel(
        system, order_type="alt", alpha_max=1.25, alpha_tau=YEAR, main_inv_dur=30, psi_param=0.8,
        inventory_restoration_tau=60, monetary_factor=1,
    )  # fmt: skip
    run = simulation.Simulation(model, n_temporal_units_to_sim=DAYS)
    impact = pandas.Series(damage, rows)
    common = {"occurrence": SHOCK_DAY, "duration": SHOCK_LENGTH, "event_monetary_factor": 1}
    if kind == "recover":
        event = events.from_series(
            impact[impact > 0.0], event_type="recovery", recovery_tau=RECOVERY, **common
        )
    else:
        event = events.from_series(
            impact[impact > 0.0], event_type="rebuild", rebuild_tau=RECOVERY,
            rebuilding_sectors={goods[-1]: 1.0}, rebuilding_factor=1.0, **common,
        )  # fmt: skip
    run.add_event(event)
    return run


def our_run(regions: int, sectors: int, damage: np.ndarray, kind: str) -> tuple[Economy, dict[str, Any]]:
    """The same economy, with a day's flows, and the same shock."""
    use, final, output = table(regions, sectors)
    economy = Economy(
        use / YEAR, final / YEAR, product=np.tile(np.arange(sectors), regions), inventory=30.0, psi=0.8
    )
    capital = 4.0 * (output - use.sum(axis=0))
    if kind == "recover":
        # BoARIO's capacity begins to come back a day after the shock has lasted its length.
        gone = (np.arange(DAYS) - SHOCK_DAY - SHOCK_LENGTH - 1.0).clip(0.0) / RECOVERY
        left = np.where(np.arange(DAYS) < SHOCK_DAY, 0.0, (1.0 - gone).clip(0.0))
        return economy, {"loss": np.outer(left, damage / capital)}
    builders = np.zeros(regions * sectors)
    builders[sectors - 1 :: sectors] = 1.0
    return economy, {
        "damage": damage, "at": SHOCK_DAY, "capital": capital, "rebuild_share": builders,
        "rebuild_steps": float(RECOVERY), "rebuild_after": SHOCK_LENGTH,
    }  # fmt: skip


def compare(regions: int, sectors: int, kind: str, depth: float, rounds: int) -> None:
    """One line: losses, the largest difference of the paths, the same of the first days with the timing of
    overproduction aligned, milliseconds and their ratio."""
    use, _, output = table(regions, sectors)
    damage = np.zeros(regions * sectors)
    damage[[0, 2]] = depth * 4.0 * (output - use.sum(axis=0))[[0, 2]]
    ours, theirs, whole_ours, whole_theirs = [], [], [], []
    for _ in range(rounds):
        began = time.process_time()
        run = boario_run(regions, sectors, damage, kind)
        theirs.append(cpu(run.loop))
        whole_theirs.append(time.process_time() - began)
        began = time.process_time()
        economy, shock = our_run(regions, sectors, damage, kind)
        ours.append(cpu(lambda e=economy, s=shock: ario(e, DAYS, **s)))
        whole_ours.append(time.process_time() - began)
    path = ario(economy, DAYS, **shock)
    made = run.production_realised.to_numpy()
    lost = [float((economy.output - each).sum() / economy.output.sum()) for each in (made, path.made)]
    twin = ario(economy, DAYS, lagged=True, **shock)
    apart = float(np.abs((made - path.made) / economy.output).max())
    aligned = float(np.abs((made - twin.made) / economy.output)[:EARLY].max())
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    whole = statistics.median(b / a for a, b in zip(whole_ours, whole_theirs, strict=True))
    name = f"{regions} x {sectors} {kind} {depth:.0%}"
    print(
        f"{name:>22}{lost[0]:11.4f}{lost[1]:11.4f}{lost[1] / lost[0]:9.4f}{apart:10.5f}{aligned:11.0e}"
        f"{1e3 * statistics.median(theirs):11.1f}{1e3 * statistics.median(ours):9.2f}{ratio:9.0f}{whole:9.0f}"
    )


def against_boario(quick: bool) -> None:
    """The same shock in both; where their assumptions differ is in `abm/core/allocate/README.md`."""
    needed = ("boario", "pymrio", "pandas", "progressbar")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        print(f"\nARIO against BoARIO: skipped, not installed: {', '.join(missing)}")
        return
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    rounds = 3 if quick else 7
    our_run(1, 4, np.zeros(4), "recover")
    print(
        f"\nARIO against BoARIO, {DAYS} days, losses in days of output, medians of {rounds} rounds; goal {GOAL:.0f}x"
    )
    print(
        f"{'table, shock':>22}{'lost there':>11}{'lost here':>11}{'ratio':>9}{'path diff':>10}{'aligned':>11}"
        f"{'there, ms':>11}{'here, ms':>9}{'faster':>9}{'in all':>9}"
    )
    for regions, sectors in TABLES:
        compare(regions, sectors, "recover", 0.3, rounds)
    compare(1, 6, "rebuild", 0.002, rounds)
    compare(1, 6, "rebuild", 0.03, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller graphs, fewer rounds")
    quick = parser.parse_args().quick
    graphs(quick)
    rationing(quick)
    against_boario(quick)


if __name__ == "__main__":
    main()
