"""What a batch looks like while it runs: on a terminal a live bar with intervals, elsewhere a line now and then."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from runs.batches.runner import Progress
from runs.cli_text import number, say

LINE_S = 15.0
MOST_CELLS = 12
HEADS = ("scenario", "package")


class Display:
    """Shows progress on standard error; use as a context."""

    def __init__(self, shown: bool, unit: str = "", heads: tuple[str, str] = HEADS):
        self._shown, self._unit, self._heads = shown, unit, heads
        self._live: Any = None
        self._said = -math.inf

    def __enter__(self) -> Display:
        if self._shown and sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), refresh_per_second=5, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def update(self, progress: Progress) -> None:
        """Called by the runner."""
        if self._live is not None:
            self._live.update(panel(progress, self._unit, self._heads))
        elif self._shown and not progress.finished and time.monotonic() - self._said >= LINE_S:
            self._said = time.monotonic()
            say(line(progress))


def line(progress: Progress) -> str:
    """One line that says how far it is."""
    ended = progress.done + progress.failed
    text = f"{ended:,} of {progress.total:,} runs"
    if progress.failed:
        text += f", {progress.failed:,} of them failed"
    if progress.rate > 0.0:
        text += f", {number(progress.rate)} a second"
        if not progress.finished:
            text += f", {duration(progress.left_s)} left"
    return text + (f"; {interval_text(progress)}" if progress.estimates else "")


def interval_text(progress: Progress) -> str:
    """The watched indicator in the first scenario and package (or combination of parameters)."""
    (_, package), found = next(iter(progress.estimates.items()))
    if not math.isfinite(found.mean):
        return f"{progress.watch}: nothing yet"
    where = f" ({package})" if package else ""
    return f"{progress.watch}{where} {number(found.mean)} ± {number(found.half)}"


def duration(seconds: float) -> str:
    """Hours, minutes or seconds, as a person would say it."""
    if not math.isfinite(seconds):
        return "–"
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds == 0 else f"{seconds:.1g} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


def size(count: float) -> str:
    """Bytes in a unit that can be read."""
    for step, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= step:
            return f"{count / step:.3g} {name}"
    return f"{count:.0f} bytes"


def parts_said(cells: Iterable[tuple[str, str]]) -> list[int]:
    """Which of the two parts of cells say something in any of them."""
    there = list(cells)
    return [at for at in (0, 1) if any(cell[at] for cell in there)]


def panel(progress: Progress, unit: str = "", heads: tuple[str, str] = HEADS) -> Any:
    """Bar, rate, time left, failures, and the watched indicator's intervals."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    ended = progress.done + progress.failed
    head = Table.grid(padding=(0, 2), expand=True)
    head.add_column(ratio=1)
    for _ in range(4):
        head.add_column(justify="right", no_wrap=True)
    failed = Text(f"{progress.failed:,} failed", style="red" if progress.failed else "dim")
    head.add_row(
        ProgressBar(total=max(progress.total, 1), completed=ended),
        f"{ended:,} / {progress.total:,}",
        f"{number(progress.rate)}/s",
        f"{duration(progress.left_s)} left",
        failed,
    )
    if not progress.estimates:
        return head
    cells = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    said = parts_said(progress.estimates)
    for at in said:
        cells.add_column(heads[at])
    for name in (progress.watch + (f", {unit}" if unit else ""), "95 % interval", "runs"):
        cells.add_column(Text(name), justify="right")
    shown = list(progress.estimates.items())
    for cell, found in shown[:MOST_CELLS]:
        share = (
            f" (± {100 * found.half / abs(found.mean):.1f} %)"
            if found.mean and math.isfinite(found.half)
            else ""
        )
        bounds = f"{number(found.low)} to {number(found.high)}{share}"
        cells.add_row(*(Text(cell[at]) for at in said), number(found.mean), bounds, f"{found.n:,}")
    more = max(len(shown), progress.cells) - MOST_CELLS
    return Group(head, cells, Text(f"and {more:,} more", style="dim")) if more > 0 else Group(head, cells)
