"""Month by month: the supply graph with its flows, the map of zones, and who decided what.

All months are handed to the browser at once, as compact numbers; playing asks the server nothing.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from abm.calendar import parse_month
from abm.supply import SupplyGraph
from runs.summary import was_there
from runs.views.decade import bound_text
from runs.views.numbers import amount, digits
from runs.views.outlines import geojson
from runs.views.runview import RunView
from runs.views.texts import Texts
from runs.views.theme import SERIES

COLUMNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("makers", ("gpu-maker", "rival-gpu-maker", "npu-maker", "hbm-maker", "power-equipment", "cooling", "builder")),
    ("energy", ("thermal-generator", "nuclear-generator", "renewable-developer", "storage-developer", "grid-utility",
                "market-operator")),
    ("capital", ("fund", "pension", "policy-bank", "lender")),
    ("owners", ("chaebol", "platform", "developer", "public-operator", "building-customer")),
    ("users", ("startups",)),
    ("abroad", ("rival",)),
    ("state", ()),
)  # fmt: skip
"""Groups of kinds of stakeholder; a kind in none is of the state."""

HEIGHTS = {
    "makers": 0.45,
    "energy": 0.22,
    "capital": 0.22,
    "owners": 0.7,
    "users": 0.6,
    "abroad": 0.2,
    "state": 0.08,
}
"""Share of the picture's height that a group takes."""

PLACES = {
    "makers": (0.0, 0.0),
    "energy": (0.0, 0.5),
    "capital": (0.0, 0.78),
    "owners": (0.5, 0.1),
    "users": (1.0, 0.1),
    "abroad": (1.0, 0.75),
    "state": (0.5, 0.92),
}
WIDEST = 9.0
FIGURES = (
    "gpus_online",
    "ai_sites_mw",
    "grid_queue_mw",
    "power_price_krw_per_mwh",
    "compute_price_krw_per_gpuh",
    "kepco_debt_krw",
)


def group_of(kind: str) -> str:
    """The group that a kind of stakeholder stands in."""
    return next((group for group, kinds in COLUMNS if kind in kinds), "state")


def supply(view: RunView, t: Texts) -> dict[str, Any]:
    """The supply graph: nodes with places, links, and for each month the links that carried something.

    A month is a flat list: number of the link, width in tenths of a pixel, amount with three digits, and so on.
    """
    world = view.world
    graph = SupplyGraph(world, 1)
    flows = view.flows
    if flows is None:
        return {"nodes": [], "links": [], "months": [], "goods": []}
    ever = flows.any(axis=0)
    keys, kinds = world.cast.keys, world.cast.kind
    used = {int(row) for side in (graph.supplier, graph.buyer) for row in side[ever]}
    members: dict[str, list[int]] = {}
    for row in sorted(used):
        members.setdefault(group_of(kinds[row]), []).append(row)
    nodes: list[dict[str, Any]] = []
    at: dict[int, int] = {}
    for number, (group, rows) in enumerate((group, members.get(group, [])) for group, _ in COLUMNS):
        x0, y0 = PLACES[group]
        tall = HEIGHTS[group]
        for place, row in enumerate(rows):
            share = (place + 0.5) / len(rows)
            at[row] = len(nodes)
            nodes.append(
                {
                    "id": keys[row],
                    "name": t.name(world, keys[row]),
                    "x": round(1000 * x0 + (24 if place % 2 else 0), 1),
                    "y": round(1000 * (y0 + tall * share), 1),
                    "group": number,
                    "side": "left" if x0 == 0.0 else "right" if x0 == 1.0 else "top",
                }
            )
    goods = [world.goods.keys[g] for g in sorted({int(graph.good[e]) for e in np.flatnonzero(ever)})]
    colour = {good: SERIES[i % len(SERIES)] for i, good in enumerate(goods)}
    links: list[dict[str, Any]] = []
    number_of: dict[int, int] = {}
    largest: dict[str, float] = {}
    for good in goods:
        mine = ever & (graph.good == world.goods.keys.index(good))
        largest[good] = float(flows[:, mine].max())
    for edge in np.flatnonzero(ever):
        good = world.goods.keys[int(graph.good[edge])]
        number_of[int(edge)] = len(links)
        links.append(
            {
                "a": at[int(graph.supplier[edge])],
                "b": at[int(graph.buyer[edge])],
                "good": good,
                "colour": colour[good],
            }
        )
    months = []
    for month in range(flows.shape[0]):
        moved: list[float] = []
        for edge in np.flatnonzero(flows[month]):
            link = number_of[int(edge)]
            value = float(flows[month, edge])
            width = 0.6 + WIDEST * math.sqrt(abs(value) / largest[links[link]["good"]])
            moved += [link, round(width, 1), float(f"{value:.3g}")]
        months.append(moved)
    units = dict(zip(world.goods.keys, world.goods.columns["unit"], strict=True))
    return {
        "nodes": nodes,
        "links": links,
        "months": months,
        "goods": [
            {"key": good, "name": t.name(world, good), "colour": colour[good], "unit": t.unit(units[good])}
            for good in goods
        ],
        "groups": [t(f"people.{group}") for group, _ in COLUMNS],
    }


def place_of_sites(view: RunView) -> dict[str, tuple[float, float]]:
    """Longitude and latitude of every site: around its zone's place, each at its own angle."""
    world = view.world
    count: dict[str, int] = {}
    places = {}
    for site in sorted(view.sites, key=lambda site: (-site["mw"], site["site"])):
        zone = site["zone"]
        row, nth = world.zones.row(zone), count.get(zone, 0)
        count[zone] = nth + 1
        angle, far = nth * 2.399963, 0.085 * math.sqrt(nth + 0.6)
        if zone == "jeju":
            far *= 0.5
        x = float(world.zones.longitude[row]) + far * 1.2 * math.cos(angle)
        y = float(world.zones.latitude[row]) + far * math.sin(angle)
        places[site["site"]] = (round(x, 3), round(y, 3))
    return places


def zone_map(view: RunView, t: Texts) -> dict[str, Any]:
    """Outlines, sites with the months in which they are announced and opened, pairs of zones with what they carry."""
    world, calendar = view.world, view.calendar
    zones = [
        {
            "key": key,
            "name": t.name(world, key),
            "at": [float(world.zones.longitude[i]), float(world.zones.latitude[i])],
        }
        for i, key in enumerate(world.zones.keys)
    ]
    places = place_of_sites(view)
    sites = []
    for site in view.sites:
        if site["kind"] != "ai":
            continue
        opened = parse_month(site["energised"]) - calendar.first if site["energised"] else None
        announced = parse_month(site["announced"]) - calendar.first if site["announced"] else 0
        sites.append(
            {
                "name": site["site"],
                "owner": t.name(world, site["owner"]),
                "zone": site["zone"],
                "mw": round(site["mw"], 1),
                "at": list(places[site["site"]]),
                "from": 0 if was_there(site, calendar) else max(announced, 0),
                "open": opened,
                "gone": site["status"] == "withdrawn",
            }
        )
    pairs: dict[tuple[int, int], list[int]] = {}
    lines = world.lines
    for row, (a, b) in enumerate(zip(lines.from_zone, lines.to_zone, strict=True)):
        if a != b:
            pairs.setdefault((min(int(a), int(b)), max(int(a), int(b))), []).append(row)
    carried, limits = [], []
    for (a, _), rows in pairs.items():
        total = np.zeros(calendar.months)
        limit = np.zeros(calendar.months)
        for row in rows:
            forward = int(lines.from_zone[row]) == a
            if view.carried is not None:
                total += view.carried[:, row] * (1.0 if forward else -1.0)
            start = 0 if view.in_service is None else max(int(view.in_service[row]), 0)
            if start < calendar.months:
                limit[start:] += float(lines.forward_mw[row] if forward else lines.backward_mw[row])
        carried.append([round(float(value)) for value in total])
        limits.append([round(float(value)) for value in limit])
    prices = []
    for key in world.zones.keys:
        values = view.values(f"zone_price_krw_per_mwh.{key}") / 1000.0
        prices.append([None if not np.isfinite(value) else round(float(value), 1) for value in values])
    return {
        "outlines": geojson(world),
        "map": f"madang-{world.name}",
        "zones": zones,
        "sites": sites,
        "pairs": [list(pair) for pair in pairs],
        "carried": carried,
        "limits": limits,
        "prices": prices,
        "price_unit": f"{t.unit(view.currency)}/kWh",
    }


def log(view: RunView, t: Texts) -> dict[str, Any]:
    """Every decision: month, who, verb, subject, granted of asked, what bound; words are numbered once."""
    words: dict[str, int] = {}

    def word(text: str) -> int:
        return words.setdefault(text, len(words))

    rows = []
    for decision in view.decisions:
        rows.append(
            [
                decision.month,
                word(t.name(view.world, decision.who)),
                word(t.word("verb", decision.verb)),
                word(subject_words(view, decision.subject, t)),
                word(granted_words(decision, view.currency, t)),
                word(bound_text(decision.bound, t)),
                word(decision.who),
                word(decision.subject),
            ]
        )
    return {"words": list(words), "rows": rows}


def subject_words(view: RunView, subject: str, t: Texts) -> str:
    """What a decision is about, in this language where it is a lever, a good, a zone or a stakeholder."""
    if t.has(f"knob.{subject}"):
        return t.knob(subject)
    if subject in view.world.cast or subject in view.world.zones or t.has(f"name.{subject}"):
        return t.name(view.world, subject)
    return subject


def granted_words(decision: Any, currency: str, t: Texts) -> str:
    """``0 MW of 41 MW``, or the amount alone where all of it was granted."""
    unit = decision.unit.replace("currency", currency).replace("money", currency)
    if not decision.amount and not unit:
        return ""
    asked = amount(decision.amount, unit, t)
    if decision.granted == decision.amount:
        return asked
    return t("granted_of", granted=amount(decision.granted, unit, t), asked=asked)


def figures(view: RunView, t: Texts) -> list[dict[str, Any]]:
    """Key figures of every month, as text."""
    found = []
    for name in FIGURES:
        indicator = view.about(name)
        if indicator is not None and view.has(name):
            values = [amount(float(v), indicator.unit, t) for v in view.values(name)]
            found.append({"name": name, "label": t.indicator(name), "values": values})
    return found


def sankey(view: RunView, t: Texts, good: str = "gpu") -> dict[str, Any]:
    """Who got how many accelerators from whom, over the whole run, as a Sankey option with its table."""
    if view.flows is None:
        return {}
    graph = SupplyGraph(view.world, 1)
    number = view.world.goods.keys.index(good) if good in view.world.goods.keys else -1
    total = view.flows.sum(axis=0)
    keys = view.world.cast.keys
    links = [
        (keys[int(graph.supplier[e])], keys[int(graph.buyer[e])], float(total[e]))
        for e in np.flatnonzero((graph.good == number) & (total > 0))
    ]
    names = {key: t.name(view.world, key) for link in links for key in link[:2]}
    colour = {key: SERIES[i % len(SERIES)] for i, key in enumerate(dict.fromkeys(link[0] for link in links))}
    option = {
        "madang": {"unit": t.unit("GPU")},
        "tooltip": {"trigger": "item", "confine": True},
        "series": [
            {
                "type": "sankey",
                "left": 4,
                "right": 210,
                "top": 8,
                "bottom": 8,
                "nodeGap": 12,
                "data": [
                    {"name": name, "itemStyle": {"color": colour.get(key, "@grey"), "borderWidth": 0}}
                    for key, name in names.items()
                ],
                "links": [
                    {"source": names[a], "target": names[b], "value": float(f"{value:.4g}")}
                    for a, b, value in links
                ],
                "label": {"fontSize": 14, "color": "@ink"},
                "lineStyle": {"color": "source", "opacity": 0.35},
            }
        ],
    }
    rows = [(names[a], names[b], digits(value)) for a, b, value in sorted(links, key=lambda link: -link[2])]
    return {"option": option, "rows": rows}


def flows_csv(view: RunView, notes: Sequence[str]) -> str:
    """Every flow of every month, in the unit of its good."""
    lines = [f"# {note}" for note in notes]
    lines += [
        "# month: YYYY-MM; supplier, buyer, good: keys of the world's tables; amount: moved in the month, in unit",
        "month,supplier,buyer,good,amount,unit",
    ]
    if view.flows is not None:
        graph = SupplyGraph(view.world, 1)
        keys, goods = view.world.cast.keys, view.world.goods.keys
        units = view.world.goods.columns["unit"]
        for month, edge in zip(*np.nonzero(view.flows), strict=True):
            good = int(graph.good[edge])
            ends = f"{keys[int(graph.supplier[edge])]},{keys[int(graph.buyer[edge])]}"
            amount_text = repr(float(view.flows[month, edge]))
            lines.append(f"{view.months[month]},{ends},{goods[good]},{amount_text},{units[good]}")
    return "\n".join(lines) + "\n"


def map_csv(view: RunView, notes: Sequence[str]) -> str:
    """Zonal prices and what every line carries, month by month."""
    zones, lines = view.world.zones.keys, view.world.lines
    head = ["month", *(f"price_{zone}" for zone in zones), *(f'"{line}"' for line in lines.keys)]
    rows = [f"# {note}" for note in notes]
    rows += [
        f"# price_ZONE: load-weighted price of the zone with line limits, {view.currency}/MWh, as the model computes it",
        "# other columns: mean MW that the line carries, positive from its first end to its second, likewise",
        ",".join(head),
    ]
    prices = [view.values(f"zone_price_krw_per_mwh.{zone}") for zone in zones]
    for month, text in enumerate(view.months):
        cells = [repr(float(price[month])) if np.isfinite(price[month]) else "" for price in prices]
        if view.carried is not None:
            cells += [repr(float(value)) for value in view.carried[month]]
        rows.append(",".join([text, *cells]))
    return "\n".join(rows) + "\n"


def log_csv(view: RunView, notes: Sequence[str]) -> str:
    """The decision log, with the figures that every decision rested on."""
    out = io.StringIO()
    for note in (*notes, "values: name=figure pairs that the decision rested on; granted and amount in unit"):
        out.write(f"# {note}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["month", "who", "verb", "subject", "granted", "amount", "unit", "bound", "values"])
    for one in view.decisions:
        values = " ".join(f"{name}={value!r}" for name, value in one.values.items())
        month = view.calendar.text(one.month)
        writer.writerow(
            [
                month,
                one.who,
                one.verb,
                one.subject,
                repr(one.granted),
                repr(one.amount),
                one.unit,
                one.bound,
                values,
            ]
        )
    return out.getvalue()
