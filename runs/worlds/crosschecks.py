"""What no single cell can show: sums, orders, cycles, and names that must agree between tables.

A check runs only where the tables it reads are clean, so that one slip gives one complaint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from abm.calendar import NEVER, Calendar
from abm.quantities import Quantity
from runs.checking import unknown
from runs.worlds.converting import Draft

DAYS_OF_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
TOLERANCE = 1e-9


def run(
    drafts: Mapping[str, Draft],
    quantities: Mapping[str, Quantity] | None,
    calendar: Calendar | None,
) -> None:
    """Book the complaints of every check with the table they are about.

    ``quantities`` and ``calendar`` are None where they could not be read.
    """

    def clean(names: Iterable[str]) -> bool:
        return all(name in drafts and drafts[name].clean for name in names)

    for names, one in CHECKS:
        if clean(names):
            one(*[drafts[name] for name in names])
    if calendar is not None:
        for name, dated in DATED.items():
            if clean([name]):
                dated(drafts[name], calendar)
    if quantities is not None and clean(["fuels"]):
        _factors(drafts["fuels"], quantities)


def find_cycle(after: Mapping[str, Iterable[str]]) -> list[str]:
    """One cycle of a directed graph as the nodes along it, or an empty list."""
    left = {node: set(following) for node, following in after.items()}
    while True:
        ends = [node for node, following in left.items() if not following & left.keys()]
        if not ends:
            break
        for node in ends:
            del left[node]
    if not left:
        return []
    path = [min(left)]
    while (following := min(left[path[-1]] & left.keys())) not in path:
        path.append(following)
    return path[path.index(following) :]


def _weights(weights: Draft, days: Draft, zones: Draft) -> None:
    table = weights.columns
    total: dict[int, float] = defaultdict(float)
    first: dict[int, int] = {}
    declared: dict[tuple[int, str], int] = {}
    cells = zip(table["calendar_month"].tolist(), table["day"], table["days"].tolist(), strict=True)
    for row, (month, day, count) in enumerate(cells):
        total[month] += count
        first.setdefault(month, row)
        declared[month, day] = row
    for month, length in enumerate(DAYS_OF_MONTH, 1):
        if month not in total:
            weights.complain(-1, f"calendar month {month} has no days", "calendar_month")
        elif abs(total[month] - length) > TOLERANCE:
            message = f"days of calendar month {month} sum to {total[month]:.12g}, expected {length}"
            weights.complain(first[month], message, "days")
    hours: dict[tuple[int, str, int], list[int]] = defaultdict(list)
    began: dict[tuple[int, str], int] = {}
    places = zip(
        days.columns["calendar_month"].tolist(),
        days.columns["day"],
        days.columns["hour"].tolist(),
        days.columns["zone"].tolist(),
        strict=True,
    )
    for row, (month, day, hour, zone) in enumerate(places):
        hours[month, day, zone].append(hour)
        began.setdefault((month, day), row)
    expected = max((len(found) for found in hours.values()), default=0)
    for (month, day), row in declared.items():
        if (month, day) not in began:
            weights.complain(row, f"no hours of this day in {days.raw.file}", "day")
    for (month, day), row in began.items():
        if (month, day) not in declared:
            message = f"day {day!r} of calendar month {month} has no row in {weights.raw.file}"
            days.complain(row, message, "day")
        for zone, key in enumerate(zones.keys):
            found = sorted(hours.get((month, day, zone), []))
            if found != list(range(expected)):
                message = (
                    f"day {day!r} of calendar month {month} has hours {_span(found)} for zone {key}, "
                    f"expected 0 to {expected - 1}"
                )
                days.complain(row, message, "hour")


def _span(hours: list[int]) -> str:
    return f"{hours[0]} to {hours[-1]} ({len(hours)} of them)" if hours else "none"


def _sites(sites: Draft, pools: Draft, zones: Draft) -> None:
    table, keys = sites.columns, sites.keys
    for row, key in enumerate(keys):
        if table["expected"][row] < table["announced"][row]:
            sites.complain(row, "expected before it was announced", "expected")
        home = int(pools.columns["zone"][table["pool"][row]])
        if home != table["zone"][row]:
            pool, here = pools.keys[table["pool"][row]], zones.keys[table["zone"][row]]
            sites.complain(row, f"pool {pool} lies in zone {zones.keys[home]}, the site in {here}", "pool")
        before = int(table["after"][row])
        if before >= 0 and table["programme"][before] != table["programme"][row]:
            message = (
                f"{keys[before]!r} belongs to programme {table['programme'][before]!r}, "
                f"{key!r} to {table['programme'][row]!r}"
            )
            sites.complain(row, message, "after")
    cycle = find_cycle(
        {
            key: [keys[before]] if before >= 0 else []
            for key, before in zip(keys, table["after"].tolist(), strict=True)
        }
    )
    if cycle:
        sites.complain(keys.index(cycle[0]), f"phases wait for each other: {_round(cycle)}", "after")


def _round(cycle: list[str]) -> str:
    return " -> ".join([*cycle, cycle[0]])


def _stock(stock: Draft, sites: Draft) -> None:
    for row, site in enumerate(stock.columns["site"].tolist()):
        if sites.columns["status"][site] != "operating":
            stock.complain(row, f"{sites.keys[site]!r} is not operating at the start", "site")


def _retirement(table: Draft) -> None:
    for row in np.flatnonzero(table.columns["retires"] <= table.columns["commissioned"]):
        table.complain(int(row), "retires before it is commissioned", "retires")


def _lines(lines: Draft) -> None:
    table = lines.columns
    for row, status in enumerate(table["status"]):
        if status == "planned" and table["due"][row] == NEVER:
            lines.complain(row, "missing; a planned line has the month of its completion", "due")
        within = table["from_zone"][row] == table["to_zone"][row]
        if within and (table["forward_mw"][row] or table["backward_mw"][row]):
            message = "capacity inside one zone carries nothing; write 0 and relieve a pool"
            lines.complain(row, message, "forward_mw")
        if table["relieves"][row] < 0 and table["relief_mw"][row] > 0:
            lines.complain(row, "missing; the line has relief_mw", "relieves")


def _recipes(recipes: Draft, goods: Draft) -> None:
    table = recipes.columns
    after: dict[str, list[str]] = defaultdict(list)
    parts = zip(table["output"].tolist(), table["input"].tolist(), table["lead_months"].tolist(), strict=True)
    for output, made_of, lead in parts:
        after[goods.keys[output]]
        if lead == 0:
            after[goods.keys[output]].append(goods.keys[made_of])
    cycle = find_cycle(after)
    if cycle:
        row = [goods.keys[output] for output in table["output"].tolist()].index(cycle[0])
        message = f"each needs the other in the same month: {_round(cycle)}; give one a lead of a month"
        recipes.complain(row, message, "lead_months")


def _sum_at_most_one(table: Draft, by: tuple[str, ...], what: str, exactly: bool) -> None:
    total: dict[tuple[Any, ...], float] = defaultdict(float)
    first: dict[tuple[Any, ...], int] = {}
    for row, share in enumerate(table.columns["share"].tolist()):
        group = tuple(table.raw.rows[row][table.raw.header.index(name)] for name in by)
        total[group] += share
        first.setdefault(group, row)
    for group, found in total.items():
        if found > 1 + TOLERANCE or (exactly and found < 1 - TOLERANCE):
            name = "/".join(cell or "(blank)" for cell in group)
            limit = "1" if exactly else "at most 1"
            table.complain(first[group], f"{what} of {name} sum to {found:.12g}, expected {limit}", "share")


def _edges(edges: Draft) -> None:
    _sum_at_most_one(edges, ("buyer", "good"), "contract shares", exactly=False)


def _rationing(rationing: Draft, edges: Draft, cast: Draft, goods: Draft) -> None:
    sold = set(zip(edges.columns["supplier"].tolist(), edges.columns["good"].tolist(), strict=True))
    rows = zip(rationing.columns["supplier"].tolist(), rationing.columns["good"].tolist(), strict=True)
    for row, (who, good) in enumerate(rows):
        if (who, good) not in sold:
            others = [goods.keys[g] for w, g in sorted(sold) if w == who]
            message = unknown(goods.keys[good], f"good that {cast.keys[who]} supplies on an edge", others)
            rationing.complain(row, message, "good")


def _resources(resources: Draft) -> None:
    _sum_at_most_one(resources, ("technology",), "shares", exactly=True)


def _traits(traits: Draft) -> None:
    table = traits.columns
    for row, (low, value, high) in enumerate(zip(table["low"], table["value"], table["high"], strict=True)):
        if not low <= value <= high:
            message = f"found {value:g}, allowed {low:g} to {high:g} (low <= value <= high)"
            traits.complain(row, message, "value")


def _fuel_prices(prices: Draft, fuels: Draft) -> None:
    months: dict[int, list[int]] = defaultdict(list)
    for fuel, month in zip(prices.columns["fuel"].tolist(), prices.columns["month"].tolist(), strict=True):
        months[fuel].append(month)
    for fuel, key in enumerate(fuels.keys):
        last = sorted(months[fuel])[-12:]
        if len(last) < 12 or last[-1] - last[0] != 11:
            prices.complain(-1, f"fuel {key} needs twelve months in a row at its end", "month")


def _countries(countries: Draft) -> None:
    home = int(countries.columns["home"].sum())
    if home != 1:
        countries.complain(-1, f"found {home} home countries, expected 1", "home")


def _goals(goals: Draft, indicators: Draft, cast: Draft, countries: Draft) -> None:
    known, each = set(indicators.keys), {*cast.keys, *countries.keys}
    about = zip(indicators.keys, indicators.columns["who"], strict=True)
    starred = {key.removesuffix(".*") for key, who in about if who == "*"}
    for row, name in enumerate(goals.columns["indicator"]):
        base, _, who = name.partition(".")
        if name in known or (base in starred and who in each):
            continue
        if base in starred and who:
            goals.complain(row, unknown(who, "stakeholder or country", each), "indicator")
        else:
            goals.complain(row, unknown(name, "declared indicator", known), "indicator")


def _site_dates(sites: Draft, calendar: Calendar) -> None:
    table, end = sites.columns, calendar.text(calendar.months - 1)
    for row, status in enumerate(table["status"]):
        if table["announced"][row] >= calendar.months:
            sites.complain(row, f"announced after the run ends ({end})", "announced")
        if status == "operating" and table["expected"][row] > 0:
            sites.complain(row, f"is operating, so it opened by {calendar.text(0)}", "expected")


def _goal_dates(goals: Draft, calendar: Calendar) -> None:
    for row in np.flatnonzero((goals.columns["by"] < 0) | (goals.columns["by"] >= calendar.months)):
        message = f"lies outside the run, {calendar.text(0)} to {calendar.text(calendar.months - 1)}"
        goals.complain(int(row), message, "by")


def _factors(fuels: Draft, quantities: Mapping[str, Quantity]) -> None:
    known = {quantity.key for quantity in quantities.values()}
    for row, factor in enumerate(fuels.columns["factor"]):
        if factor and factor not in known:
            fuels.complain(row, unknown(factor, "parameter", known), "factor")


CHECKS: tuple[tuple[tuple[str, ...], Callable[..., None]], ...] = (
    (("day_weights", "days", "zones"), _weights),
    (("sites", "pools", "zones"), _sites),
    (("stock", "sites"), _stock),
    (("plants",), _retirement),
    (("stores",), _retirement),
    (("lines",), _lines),
    (("recipes", "goods"), _recipes),
    (("edges",), _edges),
    (("rationing", "edges", "cast", "goods"), _rationing),
    (("resources",), _resources),
    (("traits",), _traits),
    (("fuel_prices", "fuels"), _fuel_prices),
    (("countries",), _countries),
    (("goals", "indicators", "cast", "countries"), _goals),
)
DATED: dict[str, Callable[[Draft, Calendar], None]] = {"sites": _site_dates, "goals": _goal_dates}
