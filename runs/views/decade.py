"""The decade on one page: what was announced and what came, power, money, and who gained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from abm.calendar import parse_month
from runs.summary import Slip, kind_of_bound, slips_of, was_due
from runs.views.charts import Chart, Extra, Line, Mark, Plot, Table, over_months, palette
from runs.views.numbers import amount, digits
from runs.views.runview import RunView
from runs.views.texts import Texts

SCORE = "stakeholder_score"
HARDLY = 0.0005
"""Relative difference that rounds to nothing in the figures shown."""

TELLING = 0.005
"""Relative difference below which a figure is neither better nor worse."""

MOST_SITES = 18


@dataclass(frozen=True)
class Tile:
    """One key figure: what, how much, when, and how it differs from the pinned run."""

    name: str
    label: str
    value: str
    when: str
    change: str
    better: int
    """1 better than pinned, -1 worse, 0 neither."""


GOOD_WHEN = {
    "gpus_online": 1,
    "ai_sites_mw": 1,
    "grid_queue_mw": -1,
    "site_delay_months": -1,
    "kepco_debt_krw": -1,
    "startup_served_share": 1,
    "emissions_mt": -1,
    "public_spend_krw": 0,
    "apac_share": 1,
    "capital_deployed_krw": 1,
}
"""Key figures; 1 where more is what the plan wants, -1 where less is, 0 where it is a matter of view."""

TILES = (
    "gpus_online",
    "ai_sites_mw",
    "site_delay_months",
    "kepco_debt_krw",
    "startup_served_share",
    "emissions_mt",
)


def tiles(view: RunView, t: Texts, pinned: RunView | None, year: int) -> list[Tile]:
    """The key figures at the end of ``year``."""
    found = []
    for name in TILES:
        indicator = view.about(name)
        if indicator is None or not view.has(name):
            continue
        now = view.yearly(name).get(year)
        before = pinned.yearly(name).get(year) if pinned is not None else None
        change, better = "", 0
        if pinned is not None and now is not None and before is not None:
            if same(now, before):
                change = t("tile.same")
            elif abs(now - before) < HARDLY * max(abs(now), abs(before)):
                change = t("tile.hardly")
            else:
                change = t("tile.change", amount=amount(now - before, indicator.unit, t, sign=True))
                if abs(now - before) > TELLING * max(abs(now), abs(before)):
                    better = GOOD_WHEN[name] * (1 if now > before else -1)
        when = t(f"when.{indicator.yearly}", year=year)
        found.append(Tile(name, t.indicator(name), amount(now, indicator.unit, t), when, change, better))
    return found


def same(a: float, b: float) -> bool:
    """Whether two figures differ by no more than rounding."""
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1.0)


# -- charts --------------------------------------------------------------------------------
def accelerators(view: RunView, t: Texts, pinned: RunView | None = None) -> Chart:
    """Accelerators online, against what was announced and what was promised."""
    announced = plan_of(view)
    online = view.values("gpus_online")
    top = 1.3 * max(float(np.nanmax(online, initial=0.0)), 300_000.0 if view.goals else 1.0)
    marks = [
        Mark(month, goal["value"], t("chart.promised"))
        for goal in view.goals
        if goal["indicator"] == "gpus_online"
        and goal["comparison"] == ">="
        and 0 <= (month := parse_month(goal["by"]) - view.calendar.first) < view.calendar.months
    ]
    marks = [max(marks, key=lambda mark: mark.value)] if marks else []
    plan = Extra(t("chart.announced"), [v if v <= top else None for v in announced], "@ink", step=True)
    plot = Plot(
        "accelerators",
        t("chart.accelerators"),
        (Line("gpus_online", t("chart.online"), "@blue"),),
        area=True,
        marks=tuple(marks),
        extras=(plan,),
    )
    return over_months(view, plot, t, pinned)


def plan_of(view: RunView) -> list[float]:
    """Accelerators that would be online by month if every announcement held."""
    online = view.values("gpus_online")
    defined = online[np.isfinite(online)]
    plan = np.full(view.calendar.months, float(defined[0]) if len(defined) else 0.0)
    for site in view.sites:
        if site["expected"] and not site["originated"] and site["kind"] == "ai":
            start = parse_month(site["expected"]) - view.calendar.first
            if start >= 0:
                plan[start:] += site["gpus_planned"] or 0.0
    return [float(value) for value in plan]


def _simple(
    key: str,
    *names: str,
    area: bool = False,
    yearly: bool = False,
    from_zero: bool = True,
    labels: str = "indicator",
) -> Callable[[RunView, Texts, RunView | None], Chart]:
    """A builder of a plain chart of some indicators."""

    def build(view: RunView, t: Texts, pinned: RunView | None = None) -> Chart:
        colours = palette(len(names))
        lines = tuple(
            Line(
                name,
                t(f"short.{name}") if t.has(f"short.{name}") else t.indicator(name),
                colour,
                dash="solid" if at == 0 else "dashed",
                yearly=yearly and (found := view.about(name)) is not None and found.yearly in ("sum", "mean"),
            )
            for at, (name, colour) in enumerate(zip(names, colours, strict=True))
        )
        return over_months(
            view, Plot(key, t(f"chart.{key}"), lines, area=area, from_zero=from_zero), t, pinned
        )

    return build


def _family(key: str, stem: str, yearly: bool = False) -> Callable[[RunView, Texts, RunView | None], Chart]:
    """A builder of stacked areas of a family of indicators, the largest at the bottom."""

    def build(view: RunView, t: Texts, pinned: RunView | None = None) -> Chart:
        members = view.family(stem)
        weight = {member: float(np.nansum(view.values(name))) for member, name in members.items()}
        order = sorted((m for m in members if weight[m] > 0), key=lambda m: -weight[m])
        kept = order[:7]
        lines = tuple(
            Line(members[member], t.name(view.world, member), colour, yearly=yearly)
            for member, colour in zip(kept, palette(len(kept)), strict=True)
        )
        return over_months(view, Plot(key, t(f"chart.{key}"), lines, stacked=True), t, pinned)

    return build


sites = _simple("sites", "ai_sites_mw", "grid_queue_mw", area=True)
power_by_zone = _family("zones", "ai_load_mw")
generation = _family("generation", "generation_mwh", yearly=True)
price = _simple("price", "power_price_krw_per_mwh", yearly=True)
debt = _simple("debt", "kepco_debt_krw", area=True, from_zero=False)
capital = _simple("capital", "capital_deployed_krw", "capital_committed_krw", area=True)
spending = _simple("spending", "public_spend_krw", yearly=True)
served = _simple("served", "compute_served_share", "startup_served_share")
compute_price = _simple("compute_price", "compute_price_krw_per_gpuh")
emissions = _simple("emissions", "emissions_mt", yearly=True)
startups = _simple("startups", "startups_alive", area=True, from_zero=False)
region = _simple("region", "apac_share")
tariff = _simple("tariff", "tariff_krw_per_kwh", from_zero=False)


def slips(view: RunView, t: Texts, pinned: RunView | None = None) -> Chart:
    """Each site from its announced month to the month in which it came to the grid."""
    found = [slip for slip in slips_of(view.record) if was_due(slip, view.calendar) and slip.mw > 0]
    largest = sorted(found, key=lambda slip: (-slip.mw, slip.site))[:MOST_SITES]
    shown = sorted(largest, key=lambda slip: (slip.expected, slip.site), reverse=True)
    first, end = view.calendar.first / 12.0, (view.calendar.first + view.calendar.months) / 12.0
    base, late, waiting = [], [], []
    marks = []
    for row, slip in enumerate(shown):
        start = parse_month(slip.expected) / 12.0
        stop = end if slip.energised is None else parse_month(slip.energised) / 12.0
        base.append(round(start, 3))
        gone = slip.withdrawn
        late.append(round(max(stop - start, 0.0), 3) if slip.open else 0)
        waiting.append(0 if slip.open or gone else round(max(stop - start, 0.0), 3))
        if slip.open and slip.months <= 0:
            marks.append(
                {"value": [round(start, 3), row], "itemStyle": {"color": "@green"}, "symbol": "circle"}
            )
        elif gone:
            marks.append(
                {"value": [round(start, 3), row], "itemStyle": {"color": "@grey"}, "symbol": "diamond"}
            )
    hidden = {"itemStyle": {"color": "transparent"}, "silent": True, "tooltip": {"show": False}}
    option = {
        "madang": {"years": True, "unit": ""},
        "grid": {"left": 8, "right": 16, "top": 34, "bottom": 6, "containLabel": True},
        "legend": {"top": 0, "left": 0, "data": [t("slip.late"), t("slip.waiting"), t("slip.marks")]},
        "tooltip": {"show": False},
        "xAxis": {"type": "value", "min": int(first), "max": int(np.ceil(end)), "minInterval": 1},
        "yAxis": {
            "type": "category",
            "data": [f"{slip.site}, {digits(slip.mw)} MW" for slip in shown],
            "axisLabel": {"width": 190, "overflow": "truncate"},
        },
        "series": [
            {"type": "bar", "stack": "s", "name": "", "data": base, **hidden},
            {
                "type": "bar",
                "stack": "s",
                "name": t("slip.late"),
                "data": late,
                "barWidth": "55%",
                "itemStyle": {"color": "@orange"},
            },
            {
                "type": "bar",
                "stack": "s",
                "name": t("slip.waiting"),
                "data": waiting,
                "itemStyle": {
                    "color": "@grey",
                    "decal": {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 4]},
                },
            },
            {
                "type": "scatter",
                "name": t("slip.marks"),
                "data": marks,
                "symbolSize": 11,
                "itemStyle": {"color": "@green"},
            },
        ],
    }
    head = tuple(
        t(f"site.{key}") for key in ("site", "owner", "zone", "mw", "expected", "energised", "late", "bound")
    )
    rows = tuple(
        (
            slip.site,
            t.name(view.world, slip.owner),
            t.name(view.world, slip.zone),
            digits(slip.mw),
            slip.expected,
            slip.energised or "–",
            late_words(slip, t),
            bound_words(slip, t) if slip.late or slip.withdrawn else "",
        )
        for slip in found
    )
    on_time = sum(slip.open and slip.months <= 0 for slip in found)
    summary = t(
        "chart.slips_summary",
        due=len(found),
        on_time=on_time,
        late=sum(slip.late for slip in found),
        gone=sum(slip.withdrawn for slip in found),
    )
    return Chart("slips", t("chart.slips"), "", summary, option, Table(head, rows, (3,)), (), summary)


def late_words(slip: Slip, t: Texts) -> str:
    """How late, in words."""
    if slip.withdrawn:
        return t("slip.withdrawn")
    if not slip.open:
        return t("slip.more_than", months=f"{slip.months:.0f}") if slip.months > 0 else t("slip.not_due")
    if slip.months == 1:
        return t("slip.month")
    return t("slip.months", months=f"{slip.months:.0f}") if slip.months > 0 else t("slip.on_time")


def bound_words(slip: Slip, t: Texts) -> str:
    """What bound a site, in this language."""
    kind = kind_of_bound(slip)
    return t.word("bound", kind) if t.has(f"bound.{kind}") else bound_text(slip.bound, t)


def bound_text(bound: str, t: Texts) -> str:
    """A bound of the log in this language; a line keeps its name."""
    if bound.startswith("line "):
        return t("bound_line", line=bound.removeprefix("line "))
    if bound.startswith("rule of "):
        return t("bound_rule", who=bound.removeprefix("rule of "))
    if t.has(f"indicator.{bound}"):
        return t.indicator(bound)
    return t.word("bound", bound) if bound else ""


CHARTS: tuple[tuple[str, Callable[..., Chart]], ...] = (
    ("accelerators", accelerators),
    ("sites", sites),
    ("zones", power_by_zone),
    ("capital", capital),
    ("debt", debt),
    ("spending", spending),
    ("served", served),
    ("compute_price", compute_price),
    ("price", price),
    ("tariff", tariff),
    ("generation", generation),
    ("emissions", emissions),
    ("startups", startups),
    ("region", region),
)
"""The charts of the decade in their order, less winners and slips, which need more than a run."""
