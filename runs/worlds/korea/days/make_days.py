"""Three weighted days a month out of 8,760 hours: the day of the highest net load, and two for the rest.

    python make_days.py HOURS.csv FOLDER

HOURS.csv has a column ``time`` (2025-01-01T00:00, ...), ``demand_mw_<zone>``, ``solar_cf_<zone>``,
``wind_cf_<zone>`` for each mainland zone, and ``hydro_cf``. Written to FOLDER: days.csv, day_weights.csv.

The pair and its weights are found by trying all of them: least error of the duration curves of demand and
net load (Poncelet et al. 2017, doi:10.1109/TPWRS.2016.2596803), the extreme day added beforehand (Kotzur et
al. 2018, doi:10.1016/j.renene.2017.10.017). The two days, not the extreme one, are then scaled so that the
month's energy of each zone and source is that of the hours.
"""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ZONES = ("metro", "chungcheong", "east", "honam", "southeast")
SOLAR_MW = dict(zip(ZONES, (2045.6, 5316.2, 1890.7, 10871.9, 6405.5), strict=True))
WIND_MW = dict(zip(ZONES, (54.3, 2.0, 570.2, 534.4, 665.0), strict=True))
"""Registered at the end of 2024: the weights of net load."""
JEJU_MWH = 6.2e6
"""Jeju has no column: this much a year, with Honam's shape, sun and wind (assumption)."""
FACTOR_PENALTY = 0.15
"""What a doubling or halving of a series costs, in units of the duration curve's relative error."""


class Month(NamedTuple):
    """Hours of a month by day: national (D,24) and every series (D,24,C)."""

    dates: list[str]
    demand: Floats
    net: Floats
    series: Floats


class Choice(NamedTuple):
    """Rows of the month that were picked, the days each stands for, and the factor on each series."""

    error: float
    rows: tuple[int, int, int]
    weights: tuple[int, int, int]
    factors: Floats


def read_months(path: Path) -> tuple[list[str], list[Month]]:
    """Names of the series, and twelve months."""
    with path.open(encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    names, table = header[1:], np.array([row[1:] for row in rows], dtype=float)
    at = {name: column for column, name in enumerate(names)}
    demand = sum(table[:, at[f"demand_mw_{zone}"]] for zone in ZONES)
    sun = sum(table[:, at[f"solar_cf_{zone}"]] * SOLAR_MW[zone] for zone in ZONES)
    wind = sum(table[:, at[f"wind_cf_{zone}"]] * WIND_MW[zone] for zone in ZONES)
    months = []
    for month in range(1, 13):
        here = np.array([int(row[0][5:7]) == month for row in rows])
        dates = [row[0][5:10] for row, inside in zip(rows, here, strict=True) if inside][::24]
        days = (len(dates), 24)
        months.append(
            Month(
                dates,
                np.reshape(np.asarray(demand)[here], days),
                np.reshape(np.asarray(demand - sun - wind)[here], days),
                table[here].reshape(*days, -1),
            )
        )
    return names, months


def choose(month: Month) -> Choice:
    """The best pair of days and weights beside the day of the highest net load."""
    length = len(month.dates)
    peak = int(month.net.max(axis=1).argmax())
    energy = month.series.sum(axis=1)
    wanted = energy.sum(axis=0) - energy[peak]
    highest = month.series.max(axis=1)
    curves = [(np.sort(values.ravel()), float(np.ptp(values))) for values in (month.demand, month.net)]
    best = Choice(np.inf, (peak, peak, peak), (1, 0, 0), np.ones(energy.shape[1]))
    others = [row for row in range(length) if row != peak]
    for first, second in itertools.combinations(others, 2):
        for weight in range(1, length - 1):
            rest = length - 1 - weight
            factors = wanted / (weight * energy[first] + rest * energy[second])
            strain = float(np.mean(np.abs(np.log2(factors))))
            share = (factors * np.maximum(highest[first], highest[second]))[len(ZONES) :]
            if FACTOR_PENALTY * strain >= best.error or np.any(share > 1.0):
                continue
            rows, weights = (peak, first, second), (1, weight, rest)
            error = FACTOR_PENALTY * strain + _curve_error(month, rows, weights, float(factors[0]), curves)
            if error < best.error:
                best = Choice(error, rows, weights, factors)
    return best


def _curve_error(
    month: Month,
    rows: tuple[int, int, int],
    weights: tuple[int, int, int],
    factor: float,
    curves: Sequence[tuple[Floats, float]],
) -> float:
    """RMSE of the duration curves of demand and net load, and miss of the lowest hour, over their range."""
    error = 0.0
    for values, (exact, spread) in zip((month.demand, month.net), curves, strict=True):
        scaled = values[list(rows)] * np.array([1.0, factor, factor])[:, None]
        made = np.sort(np.repeat(scaled, weights, axis=0).ravel())
        error += float(np.sqrt(np.mean((made - exact) ** 2)) / spread)
        error += 0.25 * float(abs(made[0] - exact[0]) / spread)
    return error


def write(names: list[str], months: list[Month], folder: Path) -> list[Choice]:
    """Both tables of the world; the choices made, for a report."""
    choices = [choose(month) for month in months]
    at = {name: column for column, name in enumerate(names)}
    honam = sum(float(month.series[..., at["demand_mw_honam"]].sum()) for month in months)
    weights = [["calendar_month", "day", "days"], ["#month", "-", "day"]]
    hours = [
        ["calendar_month", "day", "hour", "zone", "demand_mw", "solar", "wind", "hydro"],
        ["#month", "-", "hour", "-", "MW", "MW/MW", "MW/MW", "MW/MW"],
    ]
    for number, (month, choice) in enumerate(zip(months, choices, strict=True), 1):
        for position, (row, days) in enumerate(zip(choice.rows, choice.weights, strict=True)):
            weights.append([str(number), month.dates[row], str(days)])
            values = month.series[row] * (choice.factors if position else 1.0)
            for hour, zone in itertools.product(range(24), (*ZONES, "jeju")):
                source, size = ("honam", JEJU_MWH / honam) if zone == "jeju" else (zone, 1.0)
                factors = [
                    values[hour, at[name]] for name in (f"solar_cf_{source}", f"wind_cf_{source}", "hydro_cf")
                ]
                hours.append(
                    [
                        str(number),
                        month.dates[row],
                        str(hour),
                        zone,
                        f"{values[hour, at[f'demand_mw_{source}']] * size:.2f}",
                        *(f"{factor:.6f}" for factor in factors),
                    ]
                )
    for name, lines in (("day_weights.csv", weights), ("days.csv", hours)):
        (folder / name).write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")
    return choices


def report(names: list[str], months: list[Month], choices: list[Choice]) -> str:
    """How far the year's duration curves are from those of the hours, in MW; a line for each month."""
    lines, pairs = [], list(zip(months, choices, strict=True))
    for label in ("demand", "net load"):
        exact = np.sort(
            np.concatenate([(month.demand if label == "demand" else month.net).ravel() for month in months])
        )
        made = np.sort(np.concatenate([_approximation(names, *pair, label).ravel() for pair in pairs]))
        error = np.sqrt(np.mean((made - exact) ** 2))
        lines.append(
            f"{label}: RMSE {error:.0f} MW of a mean of {exact.mean():.0f}, "
            f"largest error {np.abs(made - exact).max():.0f}, "
            f"max {made[-1]:.0f} ({exact[-1]:.0f} in the hours), "
            f"min {made[0]:.0f} ({exact[0]:.0f}), energy {made.sum() / exact.sum() - 1:+.1e}"
        )
    width = len(ZONES)
    bounds = {
        "demand": (0, width),
        "solar": (width, 2 * width),
        "wind": (2 * width, 3 * width),
        "hydro": (3 * width, None),
    }
    for month, choice in pairs:
        chosen = zip(choice.rows, choice.weights, strict=True)
        picked = [f"{month.dates[row]} x {days}" for row, days in chosen]
        spans = {label: choice.factors[start:stop] for label, (start, stop) in bounds.items()}
        factors = [f"{label} {span.min():.2f}-{span.max():.2f}" for label, span in spans.items()]
        lines.append(f"{', '.join(picked)}; factors {', '.join(factors)}")
    return "\n".join(lines)


def _approximation(names: list[str], month: Month, choice: Choice, label: str) -> Floats:
    at = {name: column for column, name in enumerate(names)}
    scale = np.stack([np.ones_like(choice.factors), choice.factors, choice.factors])[:, None, :]
    values = np.repeat(month.series[list(choice.rows)] * scale, choice.weights, axis=0)
    total = sum(values[..., at[f"demand_mw_{zone}"]] for zone in ZONES)
    if label != "demand":
        for zone in ZONES:
            total = total - values[..., at[f"solar_cf_{zone}"]] * SOLAR_MW[zone]
            total = total - values[..., at[f"wind_cf_{zone}"]] * WIND_MW[zone]
    return np.asarray(total)


if __name__ == "__main__":
    series, year = read_months(Path(sys.argv[1]))
    print(report(series, year, write(series, year, Path(sys.argv[2]))))
