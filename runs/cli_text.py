"""Words, numbers and tables on the terminal, the same on every machine."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PLAIN_WIDTH = 110
"""Columns where standard output is no terminal and COLUMNS does not say."""

_MONEY = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"))
_ENERGY = {"MWh": ((1e6, "TWh"), (1e3, "GWh")), "MW": ((1e3, "GW"),)}
_COUNT = ((1e6, "M"), (1e3, "k"))


def say(line: str) -> None:
    """One line on standard error."""
    print(" ".join(line.split("\n")), file=sys.stderr, flush=True)


def console() -> Console:
    """Where results are printed: as wide as the terminal, or of a fixed width, to be reproducible."""
    from rich.console import Console

    fixed = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else PLAIN_WIDTH
    return Console(width=fixed, highlight=False, soft_wrap=False)


def table(*columns: str, right: Iterable[int] = (), tight: bool = False) -> Table:
    """A quiet table: one rule below its heads; the columns numbered in ``right`` hold numbers."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    space = (0, 0, 0, 0) if tight else (0, 1, 0, 0)
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=space)
    numbers = set(right)
    for at, column in enumerate(columns):
        made.add_column(
            Text(column), justify="right" if at in numbers else "left", no_wrap=at in numbers, overflow="fold"
        )
    return made


def number(value: float | None) -> str:
    """Three or four digits that say enough; a dash for what is undefined."""
    if value is None or math.isnan(value):
        return "–"
    size = abs(value)
    if size >= 1e7:
        step, name = next((step, name) for step, name in _MONEY if size >= step)
        return f"{number(value / step)} {name}"
    if size >= 99.95 or size == 0.0 or (value == round(value) and size < 1e4):
        return f"{value:,.0f}"
    if size >= 9.995:
        return f"{value:.1f}"
    if size >= 0.01:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:.2g}"


def scale(values: Sequence[float | None], unit: str, currency: str = "") -> tuple[float, str]:
    """Divider and unit that bring the largest of ``values`` below ten thousand."""
    sizes = [abs(value) for value in values if value is not None and math.isfinite(value)]
    largest = max(sizes, default=0.0)
    if unit in _ENERGY:
        return next(((step, name) for step, name in _ENERGY[unit] if largest >= 10 * step), (1.0, unit))
    if currency and unit == currency:
        return next(((step, f"{name} {unit}") for step, name in _MONEY if largest >= step), (1.0, unit))
    if unit == "share":
        return 0.01, "%"
    if currency and unit == f"{currency}/MWh":
        return 1e3, f"{currency}/kWh"
    if "/" in unit or unit in ("ratio", "index", "month", "year"):
        return 1.0, unit
    return next(((step, f"{name} {unit}") for step, name in _COUNT if largest >= 10 * step), (1.0, unit))


def amount(value: float | None, unit: str, currency: str = "") -> str:
    """A number with its unit, in a size that can be read."""
    if value is None or math.isnan(value):
        return "–"
    step, named = (
        scale([value], unit, currency)
        if unit in _ENERGY or unit == "share" or (currency and unit.startswith(currency))
        else (1.0, unit)
    )
    return f"{number(value / step)} {named}" if named not in ("", "-") else number(value)


def listing(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def save_traceback(folder: Path | None = None) -> Path:
    """Write the traceback of the exception in flight to ``folder``, else to a temporary file."""
    import tempfile
    import traceback

    from runs.results import TRACEBACK

    text = traceback.format_exc()
    if folder is not None:
        with suppress(OSError):
            path = folder / TRACEBACK
            path.write_text(text, encoding="utf-8")
            return path
    with tempfile.NamedTemporaryFile(
        "w", prefix="madang-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    return Path(file.name)
