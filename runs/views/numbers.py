"""Numbers as people say them: three digits, a unit, and the steps of their language (tn and bn, or 조 and 억)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from runs.views.texts import Texts

MINUS = "−"
DASH = "–"

_STEPS: dict[str, dict[str, tuple[tuple[float, str], ...]]] = {
    "en": {
        "money": ((1e12, "tn {unit}"), (1e9, "bn {unit}"), (1e6, "m {unit}")),
        "count": ((1e6, "m {unit}"), (1e3, "k {unit}")),
    },
    "ko": {
        "money": ((1e12, "조 {unit}"), (1e8, "억 {unit}"), (1e4, "만 {unit}")),
        "count": ((1e8, "억 {unit}"), (1e4, "만 {unit}")),
    },
}
_ENERGY = {"MWh": ((1e6, "TWh"), (1e3, "GWh")), "MW": ((1e3, "GW"),)}
_PLAIN = (
    "ratio",
    "index",
    "month",
    "year",
    "count",
    "hour",
    "GW",
    "Mt",
    "standard deviations",
    "natural unit",
)


def digits(value: float | None) -> str:
    """``value`` with three digits that say something; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return DASH
    size = abs(value)
    if size >= 99.95:
        text = f"{size:,.0f}"
    elif size >= 9.995:
        text = f"{size:.1f}".removesuffix(".0")
    elif size >= 0.01 or size == 0.0:
        text = f"{size:.2f}".rstrip("0").rstrip(".")
    else:
        text = f"{size:.2g}"
    return (MINUS if value < 0 and text.strip("0.") else "") + text


def scale(values: Iterable[float | None], unit: str, t: Texts) -> tuple[float, str]:
    """Divider and unit's name with which the largest of ``values`` is easy to read."""
    sizes = [abs(value) for value in values if value is not None and math.isfinite(value)]
    largest = max(sizes, default=0.0)
    if unit in _ENERGY:
        return next(((step, name) for step, name in _ENERGY[unit] if largest >= 10 * step), (1.0, unit))
    if unit == "share":
        return 0.01, "%"
    if unit == "1/year":
        return 0.01, t("unit.percent_a_year")
    if unit.endswith("/MWh"):
        return 1e3, t.unit(unit.removesuffix("/MWh")) + "/kWh"
    head, slash, per = unit.partition("/")
    named, after = t.unit(head), f"/{t.word('per', per)}" if slash else ""
    if head in ("KRW", "USD"):
        kind = "money" if not slash or per in ("year", "month") else ""
    else:
        kind = "" if slash and per not in ("year", "month") else "count"
    if unit in _PLAIN or head in _PLAIN or not kind:
        return 1.0, t.unit(unit) if not slash else named + after
    least = 1.0 if kind == "money" else 10.0
    for step, name in _STEPS[t.language][kind]:
        if largest >= least * step:
            return step, name.format(unit=named).strip() + after
    return 1.0, named + after


def amount(value: float | None, unit: str, t: Texts, sign: bool = False) -> str:
    """``value`` with its unit; with ``sign``, a plus where it rises."""
    if value is None or not math.isfinite(value):
        return DASH
    step, name = scale([value], unit, t)
    text = digits(value / step)
    if sign and value > 0:
        text = "+" + text
    return f"{text} {name}".strip() if name != "%" else f"{text} %"


def short(values: Any, divider: float = 1.0) -> list[float | None]:
    """Values for a chart: divided, four significant digits, None where undefined."""
    found = np.asarray(values, float) / divider
    return [None if not math.isfinite(value) else float(f"{value:.4g}") for value in found.tolist()]
