"""A chart is an ECharts option, a sentence for those who do not see it, and the table behind it.

Options are plain data. What only the browser can do (formatting numbers, resolving colours) is asked for under
the option's key ``madang``: ``months`` (the horizontal axis holds months), ``unit``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from runs.views.numbers import digits, scale, short
from runs.views.runview import RunView
from runs.views.texts import Texts
from runs.views.theme import SERIES

Cell = str | float | None


@dataclass(frozen=True)
class Table:
    """Rows as people read them; ``numbers`` are the columns that hold figures."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()

    def plain(self) -> dict[str, Any]:
        return {
            "head": list(self.head),
            "rows": [list(row) for row in self.rows],
            "numbers": list(self.numbers),
        }


@dataclass(frozen=True)
class Chart:
    """``names`` are the indicators shown, for the download of their data."""

    key: str
    title: str
    unit: str
    summary: str
    option: Mapping[str, Any]
    table: Table
    names: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Line:
    """One series of a chart over months."""

    name: str
    label: str
    colour: str
    dash: str = "solid"
    width: float = 2.5
    yearly: bool = False
    """Drawn as the value of the year, for what swings with the seasons."""


@dataclass(frozen=True)
class Mark:
    """A promise: a point with its label."""

    month: int
    value: float
    label: str


@dataclass(frozen=True)
class Extra:
    """A line that is no indicator."""

    label: str
    values: Sequence[float | None]
    colour: str
    step: bool = False


@dataclass(frozen=True)
class Plot:
    """What :func:`over_months` draws."""

    key: str
    title: str
    lines: tuple[Line, ...]
    area: bool = False
    stacked: bool = False
    from_zero: bool = True
    marks: tuple[Mark, ...] = ()
    extras: tuple[Extra, ...] = field(default=())
    unit: str = ""


def values_of(view: RunView, line: Line) -> np.ndarray:
    """What is drawn of a series: months, or in each month the value of its year."""
    if not line.yearly:
        return view.values(line.name)
    found = np.full(view.calendar.months, np.nan)
    for year, value in view.yearly(line.name).items():
        if value is not None:
            found[view.calendar.months_of_year(year)] = value
    return found


def over_months(view: RunView, plot: Plot, t: Texts, pinned: RunView | None = None) -> Chart:
    """Lines or stacked areas over the months; the pinned run's lines stand behind, grey and dashed."""
    shown = [line for line in plot.lines if view.has(line.name)]
    found = [values_of(view, line) for line in shown]
    indicator = view.about(shown[0].name) if shown else None
    unit = plot.unit or (indicator.unit if indicator else "")
    before = [values_of(pinned, line) for line in shown] if pinned is not None and not plot.stacked else []
    top = (
        np.sum(found, axis=0)
        if plot.stacked and found
        else np.concatenate([*found, *before] or [np.zeros(1)])
    )
    largest = [float(np.nanmax(np.abs(top)))] if np.isfinite(top).any() else [0.0]
    divider, named = scale([*largest, *(mark.value for mark in plot.marks)], unit, t)
    series: list[dict[str, Any]] = []
    for line, values in zip(shown, before, strict=False):
        series.append(
            {
                "type": "line",
                "name": f"{line.label} ({t('pinned')})",
                "data": short(values, divider),
                "showSymbol": False,
                "silent": True,
                "z": 1,
                "lineStyle": {"width": 1.6, "type": "dashed", "color": "@grey"},
                "itemStyle": {"color": "@grey"},
                "step": "end" if line.yearly else False,
            }
        )
    for line, values in zip(shown, found, strict=True):
        one: dict[str, Any] = {
            "type": "line",
            "name": line.label,
            "data": short(values, divider),
            "showSymbol": False,
            "z": 3,
            "lineStyle": {
                "width": 0 if plot.stacked else line.width,
                "type": line.dash,
                "color": line.colour,
            },
            "itemStyle": {"color": line.colour},
            "emphasis": {"focus": "series" if plot.stacked else "none"},
            "step": "end" if line.yearly else False,
        }
        if plot.stacked:
            one |= {"stack": "all", "areaStyle": {"opacity": 0.85, "color": line.colour}}
        elif plot.area and line is shown[0]:
            one["areaStyle"] = {"opacity": 0.10, "color": line.colour}
        series.append(one)
    for extra in plot.extras:
        series.append(
            {
                "type": "line",
                "name": extra.label,
                "data": short([np.nan if v is None else v for v in extra.values], divider),
                "showSymbol": False,
                "z": 2,
                "step": "end" if extra.step else False,
                "lineStyle": {"width": 1.8, "type": "dotted", "color": extra.colour},
                "itemStyle": {"color": extra.colour},
            }
        )
    named_in_legend = [line.label for line in shown] + [extra.label for extra in plot.extras]
    if before:
        named_in_legend.append(t("pinned"))
        grey = {"width": 1.6, "type": "dashed", "color": "@grey"}
        series.insert(
            0,
            {
                "type": "line",
                "name": t("pinned"),
                "data": [],
                "lineStyle": grey,
                "itemStyle": {"color": "@grey"},
            },
        )
    if plot.marks and series:
        series[-1 - len(plot.extras)]["markPoint"] = {
            "symbol": "diamond",
            "symbolSize": 13,
            "silent": True,
            "itemStyle": {"color": "@gold"},
            "label": {"position": "top", "color": "@gold", "fontSize": 13, "formatter": "{b}"},
            "data": [
                {"name": mark.label, "coord": [mark.month, short([mark.value], divider)[0]]}
                for mark in plot.marks
            ],
        }
    option = {
        "madang": {"months": True, "unit": named},
        "grid": {"left": 8, "right": 18, "top": 34, "bottom": 6, "containLabel": True},
        "legend": {"top": 0, "left": 0, "itemWidth": 18, "itemHeight": 8, "data": named_in_legend},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {"type": "category", "boundaryGap": False, "data": list(view.months)},
        "yAxis": {"type": "value", "scale": not plot.from_zero, "min": 0 if _floor(plot, found) else None},
        "series": series,
    }
    return Chart(
        plot.key,
        plot.title,
        named,
        summary_of(view, plot.title, shown, named, divider, t, pinned),
        option,
        yearly_table(view, shown, divider, named, t, pinned),
        tuple(line.name for line in shown),
    )


def _floor(plot: Plot, found: Sequence[np.ndarray]) -> bool:
    """Whether the axis begins at nought: nothing shown lies below it."""
    return plot.from_zero and not any(np.nanmin(values) < 0 for values in found if np.isfinite(values).any())


def summary_of(
    view: RunView,
    title: str,
    lines: Sequence[Line],
    unit: str,
    divider: float,
    t: Texts,
    pinned: RunView | None,
) -> str:
    """What the chart shows, in one sentence for each series."""
    parts = []
    for line in lines:
        years = {year: value for year, value in view.yearly(line.name).items() if value is not None}
        if not years:
            continue
        first, last = min(years), max(years)
        text = t(
            "chart.course",
            label=line.label,
            start=digits(years[first] / divider),
            first=first,
            end=digits(years[last] / divider),
            last=last,
            unit=unit,
        )
        other = pinned.yearly(line.name).get(last) if pinned is not None else None
        if other is not None and abs(other - years[last]) > 1e-9 * max(abs(other), 1.0):
            text += t("chart.against", value=digits(other / divider), unit=unit)
        parts.append(text)
    return f"{title}. " + " ".join(parts)


def yearly_table(
    view: RunView,
    lines: Sequence[Line],
    divider: float,
    unit: str,
    t: Texts,
    pinned: RunView | None = None,
) -> Table:
    """A row for each year; beside each series, the pinned run's."""
    head = [t("year")]
    columns: list[Mapping[int, float | None]] = []
    for line in lines:
        head.append(f"{line.label}, {unit}")
        columns.append(view.yearly(line.name))
        if pinned is not None:
            head.append(f"{line.label} ({t('pinned')}), {unit}")
            columns.append(pinned.yearly(line.name))
    rows = [
        (
            str(year),
            *(digits(None if (v := column.get(year)) is None else v / divider) for column in columns),
        )
        for year in view.calendar.years
    ]
    return Table(tuple(head), tuple(rows), tuple(range(1, len(head))))


def palette(count: int) -> list[str]:
    """Colours for ``count`` series."""
    return [SERIES[at % len(SERIES)] for at in range(count)]
