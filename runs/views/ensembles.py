"""Many runs at once: fans, paired differences of packages, winners and losers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from runs.views.charts import Chart, Table
from runs.views.numbers import amount, digits, scale, short
from runs.views.texts import Texts
from runs.views.theme import SERIES

SHARE = 0.8
"""Share of runs inside a band."""


@dataclass(frozen=True)
class Fan:
    """One indicator of one package: months x runs."""

    label: str
    values: np.ndarray


@dataclass(frozen=True)
class Difference:
    """Mean paired difference of an indicator between two packages, with its interval."""

    name: str
    unit: str
    pairs: int
    before: float
    now: float
    difference: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out nought."""
        return bool(self.low > 0 or self.high < 0)


def quantiles(values: np.ndarray) -> np.ndarray:
    """Low, median and high of each month (3 x months); NaN where no run defines the month."""
    edge = (1.0 - SHARE) / 2.0
    found = np.full((3, values.shape[0]), np.nan)
    defined = np.isfinite(values).any(axis=1)
    if defined.any():
        found[:, defined] = np.nanquantile(values[defined], [edge, 0.5, 1.0 - edge], axis=1)
    return found


def fan_chart(
    name: str, label: str, unit: str, months: Sequence[str], fans: Sequence[Fan], t: Texts
) -> Chart:
    """Medians as lines, the middle runs as bands, one colour for each package."""
    bands = [quantiles(fan.values) for fan in fans]
    finite = [band[np.isfinite(band)] for band in bands]
    top = max((float(np.abs(part).max()) for part in finite if part.size), default=0.0)
    divider, named = scale([top], unit, t)
    series: list[dict[str, Any]] = []
    for number, (fan, band) in enumerate(zip(fans, bands, strict=True)):
        colour = SERIES[number % len(SERIES)]
        low, middle, high = band
        hidden = {
            "type": "line",
            "showSymbol": False,
            "silent": True,
            "lineStyle": {"width": 0},
            "tooltip": {"show": False},
        }
        series += [
            {
                **hidden,
                "name": f"{fan.label} ",
                "stack": f"b{number}",
                "stackStrategy": "all",
                "data": short(low, divider),
                "itemStyle": {"color": colour},
            },
            {
                **hidden,
                "name": f"{fan.label}  ",
                "stack": f"b{number}",
                "stackStrategy": "all",
                "data": short(high - low, divider),
                "areaStyle": {"color": colour, "opacity": 0.18},
                "itemStyle": {"color": colour},
            },
            {
                "type": "line",
                "name": fan.label,
                "showSymbol": False,
                "z": 4,
                "data": short(middle, divider),
                "lineStyle": {
                    "width": 2.6,
                    "color": colour,
                    "type": ("solid", "dashed", "dotted")[number % 3],
                },
                "itemStyle": {"color": colour},
            },
        ]
    option = {
        "madang": {"months": True, "unit": named},
        "grid": {"left": 8, "right": 18, "top": 34, "bottom": 6, "containLabel": True},
        "legend": {"top": 0, "left": 0, "data": [fan.label for fan in fans]},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {"type": "category", "boundaryGap": False, "data": list(months)},
        "yAxis": {"type": "value", "scale": True},
        "series": series,
    }
    head = [t("year")]
    for fan in fans:
        head += [
            f"{fan.label}, {word}, {named}"
            for word in (t("ensemble.low"), t("chart.median"), t("ensemble.high"))
        ]
    rows = []
    for at, month in enumerate(months):
        if month.endswith("-12") or at == len(months) - 1:
            rows.append(
                (month, *(digits(float(band[line, at]) / divider) for band in bands for line in range(3)))
            )
    parts = []
    for fan, band in zip(fans, bands, strict=True):
        low, middle, high = (digits(float(value) / divider) for value in band[:, -1])
        parts.append(
            t(
                "ensemble.fan_summary",
                label=fan.label,
                low=low,
                middle=middle,
                high=high,
                unit=named,
                month=months[-1],
                share=round(100 * SHARE),
            )
        )
    return Chart(
        "fan",
        f"{label}",
        named,
        f"{label}. " + " ".join(parts),
        option,
        Table(tuple(head), tuple(rows), tuple(range(1, len(head)))),
        (),
        t("ensemble.fan_about"),
    )


def difference_chart(found: Sequence[Difference], names: Mapping[str, str], title: str, t: Texts) -> Chart:
    """Paired differences in units of the first package's value, with intervals as bars and ticks."""
    shown = [one for one in found if np.isfinite(one.difference)][::-1]
    relative, lows, highs = [], [], []
    for one in shown:
        size = max(abs(one.before), abs(one.now), 1e-12)
        relative.append(100 * one.difference / size)
        lows.append(100 * one.low / size)
        highs.append(100 * one.high / size)
    series: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": t("ensemble.difference"),
            "barWidth": "50%",
            "data": [
                {
                    "value": float(f"{value:.3g}"),
                    "itemStyle": {"color": ("@blue" if value > 0 else "@orange") if one.clear else "@grey"},
                }
                for one, value in zip(shown, relative, strict=True)
            ],
        },
    ]
    for key, values in (("ensemble.low", lows), ("ensemble.high", highs)):
        series.append(
            {
                "type": "scatter",
                "name": t(key),
                "symbol": "rect",
                "symbolSize": [3, 16],
                "itemStyle": {"color": "@ink"},
                "data": [None if not np.isfinite(value) else float(f"{value:.3g}") for value in values],
            }
        )
    option = {
        "madang": {"unit": "%"},
        "grid": {"left": 8, "right": 26, "top": 30, "bottom": 6, "containLabel": True},
        "legend": {
            "top": 0,
            "left": 0,
            "data": [t("ensemble.difference"), t("ensemble.low"), t("ensemble.high")],
        },
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "confine": True},
        "xAxis": {"type": "value"},
        "yAxis": {
            "type": "category",
            "data": [names[one.name] for one in shown],
            "axisLabel": {"width": 230, "overflow": "truncate"},
        },
        "series": series,
    }
    rows = tuple(
        (
            names[one.name],
            amount(one.before, one.unit, t),
            amount(one.now, one.unit, t),
            amount(one.difference, one.unit, t, sign=True),
            amount(one.low, one.unit, t, sign=True),
            amount(one.high, one.unit, t, sign=True),
            str(one.pairs),
            t("ensemble.clear") if one.clear else "",
        )
        for one in found
    )
    head = (
        t("ensemble.indicator"), t("winners.before"), t("winners.now"), t("ensemble.difference"), t("ensemble.low"),
        t("ensemble.high"), t("ensemble.pairs"), "",
    )  # fmt: skip
    clear = [one for one in found if one.clear]
    said = [
        f"{names[one.name]}: {amount(one.difference, one.unit, t, sign=True)} "
        f"({amount(one.low, one.unit, t)}, {amount(one.high, one.unit, t)})."
        for one in clear[:6]
    ]
    summary = " ".join([f"{title}.", *said])
    return Chart(
        "differences",
        title,
        "%",
        summary,
        option,
        Table(head, rows, tuple(range(1, 7))),
        (),
        t("ensemble.compare_about"),
    )
