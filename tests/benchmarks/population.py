"""What a firm costs in a month: `python -m tests.benchmarks.population [--most 1000000] [--decade 1000000]`.

Populations of 1,000 to a million firms live the same months, one after the other and round after round,
so that a busy machine slows all of them alike; the figures are medians of the processor's time, the ratio
the median of the ratios round by round. A month is planning, signing, the market's price, settling with
exits, and entry. With ``--decade N`` a decade of the Korea hub is run with as many rows.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from abm.calendar import Calendar
from abm.core.population import clear as find_price
from abm.core.population import clearing, columns
from abm.luck import Luck
from abm.population import Startups
from runs import simulate
from runs.worlds import loader

SIZES = (1_000, 10_000, 50_000, 200_000, 1_000_000)
FEW, MANY = 50_000, 1_000_000
MONTHS = 12
HOURS = 580.0


class Firms:
    """Korea's startups as ``rows`` rows, with a market of their own in front of them."""

    def __init__(self, rows: int):
        world = loader.load("korea")
        groups = [
            who for who, kind in zip(world.cast.keys, world.cast.kind, strict=True) if kind == "startups"
        ]
        parameters = {quantity.key: quantity.default for quantity in world.quantities.values()}
        parameters["startup_rows"] = float(rows)
        model: Any = SimpleNamespace(parameters=parameters, world=world, luck=Luck(1), month=0)
        self.model, self.p, self.firms = model, parameters, Startups(model, groups)
        self.reference = self.price = parameters["world_compute_price"] * parameters["exchange_rate"]
        self.entering = np.array([world.trait(who, "firms") for who in groups]) * 0.14 / 12.0
        self.evaluations = 0

    def month(self) -> None:
        """A month in which prices fall by three in a hundred and as many enter as usually do."""
        p, firms, month, e = self.p, self.firms, self.model.month, self.p["compute_price_elasticity"]
        scale, last = HOURS * 1.03**month, self.price
        factor = (last / self.reference) ** -e
        plans = firms.plan(month, scale * factor / HOURS, 0.85 * last, last, HOURS, 1.0)
        wished = float(plans[columns.WISHED])
        room = max(0.3 * float(plans[columns.WANT]) - float(plans[columns.STANDING]), 0.0)
        terms = columns.Month(
            last, self.reference, 0.85 * last, e, scale, factor, factor, 0.1, 0.2 * last, HOURS,
            p["startup_break_even"] * firms.crowding, p["startup_theta"], p["startup_served_most"],
            p["startup_spend_share"], 0.008, p["startup_credit_months"], p["startup_cash_months"],
            p["startup_growth"] / 12.0, p["startup_quality_spread"], p["startup_quality_persistence"],
        )  # fmt: skip
        firms.sign(month, min(room / wished, 1.0) if wished > 0.0 else 0.0, 0.85 * last, terms)
        found, industry = np.zeros(clearing.FOUND), float(plans[columns.WANT]) * scale
        find_price(
            firms.firm, firms.count, e, np.array([[industry, e]]), self.reference,
            1.6 * industry * (0.97 * last / self.reference) ** -e, 0.1 * last, 1.5 * last, last, found,
        )  # fmt: skip
        self.price, self.evaluations = float(found[clearing.PRICE]), int(found[clearing.EVALUATIONS])
        firms.settle(month, terms._replace(price=self.price))
        for who, count in zip(firms.groups, self.entering, strict=True):
            firms.enter({who: float(count)})
        self.model.month += 1


def compare(sizes: tuple[int, ...]) -> None:
    """Nanoseconds for each firm and month, size by size, and the ratio of the largest to 50,000."""
    Firms(100).month()  # kernels are compiled or loaded
    populations = {}
    for size in sizes:
        start = time.process_time()
        populations[size] = Firms(size)
        print(f"{size:>9,} rows born in {1e9 * (time.process_time() - start) / size:6.0f} ns each")
        populations[size].month()
    taken: dict[int, list[float]] = {size: [] for size in sizes}
    each: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(MONTHS):
        for size, one in populations.items():
            rows, start = len(one.firms), time.process_time()
            one.month()
            taken[size].append(time.process_time() - start)
            each[size].append(1e9 * taken[size][-1] / rows)
    print(f"\n{'rows':>9}  {'ms/month':>9}  {'ns/row':>7}  evaluations of demand")
    for size, one in populations.items():
        print(
            f"{size:>9,}  {1e3 * statistics.median(taken[size]):9.3f}  {statistics.median(each[size]):7.1f}"
            f"  {one.evaluations}"
        )
    if FEW in taken and MANY in taken:
        ratio = statistics.median(many / few for many, few in zip(taken[MANY], taken[FEW], strict=True))
        print(f"\na million takes {ratio:.1f} times as long as 50,000 (goal: under 30)")


def decade(rows: int) -> None:
    """One decade of Korea with ``rows`` rows beside one as it ships; processor's time."""
    world = loader.load("korea")
    name = "startup_rows"
    quantities = {**world.quantities, name: replace(world.quantities[name], default=float(rows))}
    short = replace(world, calendar=Calendar(world.calendar.first, 1))
    simulate(world=short)
    for one in (world, replace(world, quantities=quantities)):
        start = time.process_time()
        model = simulate(world=one, seed=1)
        seconds = time.process_time() - start
        final = {
            key: model.recorder.yearly(key)[2035]
            for key in ("startups_alive", "startup_served_share", "compute_price_krw_per_gpuh", "gpus_online")
        }
        print(
            f"{one.quantities[name].default:>11,.0f} rows: {seconds:6.2f} s, at the end {len(model.startups):,} rows, "
            + ", ".join(f"{key} {value:.4g}" for key, value in final.items())
        )
    unit = 2**30 if sys.platform == "darwin" else 2**20
    print(f"most memory used: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit:.2f} GiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=MANY, help="largest population")
    parser.add_argument("--decade", type=int, metavar="N", help="a decade of Korea with N rows instead")
    arguments = parser.parse_args()
    if arguments.decade:
        decade(arguments.decade)
    else:
        compare(tuple(size for size in SIZES if size <= arguments.most))


if __name__ == "__main__":
    main()
