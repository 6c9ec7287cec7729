"""One run on one page: chips against the plan, sites against the queue, price and debt, and every slip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abm.calendar import parse_month
from runs.checking import BadInput, Complaint
from runs.cli_text import console, number, scale
from runs.explain import newest_results
from runs.record import RunRecord
from runs.results import Results
from runs.summary import Slip, kind_of_bound, slips_of, was_due

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, QUIET, FAINT = "#22303c", "#7a8793", "#d9dee3"
BLUE, CLAY, MOSS, GOLD = "#2f6f9f", "#c0603a", "#5b8c5a", "#c9982e"
BOUNDS = ("#c0603a", "#2f6f9f", "#c9982e", "#7b5ea7", "#3f9c9c", "#a05a75", "#8d7358")
"""Colours of what bound, the commonest first."""

MOST_SITES = 20
SUFFIXES = (".png", ".svg", ".pdf")


def picture_command(folder: Path | None, out: Path, run_id: str | None) -> int:
    """Draw and save; the exit code."""
    if out.suffix not in SUFFIXES:
        raise BadInput(
            [
                Complaint(
                    "command line",
                    0,
                    "--out",
                    f"found {out.name!r}, expected a name that ends in .png, .svg or .pdf",
                )
            ]
        )
    results = Results(folder or newest_results())
    record = results.record(results.run_id(run_id))
    try:
        draw(
            record,
            str(results.manifest["world"].get("title", record.world)),
            str(results.manifest["world"].get("currency", "")),
            results.manifest.get("goals", []),
            out,
        )
    except OSError as error:
        raise BadInput(
            [Complaint(str(out), 0, "--out", f"cannot be written: {error.strerror or error}")]
        ) from None
    console().print(f"{out}", soft_wrap=True, markup=False)
    return 0


def draw(record: RunRecord, title: str, currency: str, goals: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Write the picture to ``out``."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    style = {
        "font.family": "sans-serif",
        "font.size": 9.5,
        "text.color": INK,
        "axes.labelcolor": QUIET,
        "axes.edgecolor": FAINT,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": FAINT,
        "grid.linewidth": 0.6,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlecolor": INK,
        "axes.titlepad": 22,
        "svg.hashsalt": "madang",
        "figure.facecolor": "white",
    }
    slips = [slip for slip in slips_of(record) if was_due(slip, record.calendar) and slip.mw > 0]
    shown = sorted(
        sorted(slips, key=lambda slip: (-slip.mw, slip.site))[:MOST_SITES],
        key=lambda slip: (slip.expected, slip.site),
    )
    with plt.rc_context(style):
        rows = max(0.25 * len(shown) + 0.25, 0.9)
        width, height = 12.0, 7.95 + rows
        figure = plt.figure(figsize=(width, height))

        def place(left: float, top: float, wide: float, tall: float) -> Axes:
            """Axes by inches from the upper left corner."""
            return figure.add_axes((left / width, 1.0 - (top + tall) / height, wide / width, tall / height))

        figure.text(0.35 / width, 1 - 0.42 / height, title, fontsize=16, fontweight="bold", va="center")
        figure.text(
            0.35 / width,
            1 - 0.76 / height,
            f"scenario {record.scenario} · package {record.package} · seed {record.seed}",
            color=QUIET,
            va="center",
        )
        _chips(place(0.65, 1.65, 5.0, 2.3), record, goals)
        _sites(place(6.75, 1.65, 5.0, 2.3), record)
        _price(place(0.65, 4.85, 5.0, 1.9), record, currency)
        _debt(place(6.75, 4.85, 5.0, 1.9), record, currency)
        _slips(place(2.95, 7.55, 8.8, rows), record, shown, len(slips))
        figure.savefig(
            out,
            dpi=150,
            metadata={"Date": None}
            if out.suffix == ".svg"
            else {"CreationDate": None}
            if out.suffix == ".pdf"
            else None,
        )
        plt.close(figure)


def plan_of(record: RunRecord) -> list[float]:
    """Accelerators that should be online by month if every announcement held, from those at the start on."""
    online = record.monthly("gpus_online")
    plan = [next((value for value in online if value is not None), 0.0)] * record.calendar.months
    for site in record.sites:
        if not site["expected"] or site["originated"] or site["kind"] != "ai":
            continue
        start = parse_month(site["expected"]) - record.calendar.first
        if start >= 0:
            for month in range(start, len(plan)):
                plan[month] += site["gpus_planned"] or 0.0
    return plan


def _times(record: RunRecord) -> list[float]:
    return [(record.calendar.first + month) / 12.0 for month in range(record.calendar.months)]


def _line(
    axes: Axes, record: RunRecord, values: Sequence[float | None], label: str, colour: str, **how: Any
) -> None:
    times = _times(record)[: len(values)]
    points = [(time, value) for time, value in zip(times, values, strict=True) if value is not None]
    if not points:
        return
    axes.plot(
        *zip(*points, strict=True),
        color=colour,
        linewidth=how.pop("linewidth", 2.0),
        solid_capstyle="round",
        **how,
    )
    axes.annotate(
        label,
        points[-1],
        xytext=(5, 0),
        textcoords="offset points",
        color=colour,
        va="center",
        fontsize=9,
        annotation_clip=False,
    )


def _frame(axes: Axes, record: RunRecord, title: str, unit: str, room: float = 0.16) -> None:
    axes.set_title(title)
    first, last = record.calendar.first / 12.0, (record.calendar.first + record.calendar.months) / 12.0
    axes.set_xlim(first, last + room * (last - first))
    years = record.calendar.years
    axes.set_xticks([year for year in [*years, years[-1] + 1] if year % 2 == years[0] % 2 or len(years) < 6])
    axes.text(0.0, 1.02, unit, transform=axes.transAxes, color=QUIET, fontsize=8.5, va="bottom")
    axes.set_ylim(bottom=0.0)


def _missing(axes: Axes, title: str) -> None:
    axes.set_title(title)
    axes.axis("off")
    axes.text(0.0, 0.6, "not measured in this world", transform=axes.transAxes, color=QUIET)


def _scaled(values: Sequence[float | None], divider: float) -> list[float | None]:
    return [None if value is None else value / divider for value in values]


def _chips(axes: Axes, record: RunRecord, goals: Sequence[Mapping[str, Any]]) -> None:
    if not record.has("gpus_online"):
        return _missing(axes, "Accelerators")
    plan, online = plan_of(record), record.monthly("gpus_online")
    promised = [goal for goal in goals if goal["indicator"] == "gpus_online" and goal["comparison"] == ">="]
    top = 1.25 * max(*(value or 0.0 for value in online), *(goal["value"] for goal in promised), 1.0)
    divider, unit = scale([min(max(plan), top), *online], "GPU")
    axes.fill_between(
        _times(record)[: len(online)],
        [(value or 0.0) / divider for value in online],
        color=BLUE,
        alpha=0.10,
        linewidth=0,
    )
    _line(axes, record, _scaled(online, divider), "online", BLUE)
    within = [value if value <= top else None for value in plan]
    label = (
        "announced" if max(plan) <= top else f"announced,\nin the end {number(max(plan) / divider)} {unit}"
    )
    dashes: dict[str, Any] = {"linewidth": 1.4, "linestyle": (0, (4, 2)), "drawstyle": "steps-post"}
    _line(axes, record, _scaled(within, divider), label, QUIET, **dashes)
    for goal in {
        goal["by"]: goal for goal in sorted(promised, key=lambda goal: float(goal["value"]))
    }.values():
        at = (parse_month(goal["by"]) + 1) / 12.0
        axes.plot(at, goal["value"] / divider, marker="D", color=GOLD, markersize=6, zorder=5)
        _note(axes, at, goal["value"] / divider, f"promised {number(goal['value'] / divider)}", GOLD)
    _frame(axes, record, "Accelerators: what was announced and what came", unit)
    return None


def _sites(axes: Axes, record: RunRecord) -> None:
    if not record.has("ai_sites_mw"):
        return _missing(axes, "AI sites")
    energised, queue = record.monthly("ai_sites_mw"), record.monthly("grid_queue_mw")
    divider, unit = scale([*energised, *queue], "MW")
    _line(axes, record, _scaled(queue, divider), "in the queue", CLAY)
    _line(axes, record, _scaled(energised, divider), "on the grid", BLUE)
    _frame(axes, record, "AI sites on the grid, and who waits for it", unit)
    return None


def _price(axes: Axes, record: RunRecord, currency: str) -> None:
    if not record.has("power_price_krw_per_mwh"):
        return _missing(axes, "Power price")
    price, tariff = record.monthly("power_price_krw_per_mwh"), record.monthly("tariff_krw_per_kwh")
    _line(axes, record, _scaled(price, 1000.0), "system", FAINT, linewidth=1.0)
    axes.texts[-1].set_visible(False)
    yearly = [
        (year + 0.5, value / 1000.0)
        for year, value in record.yearly("power_price_krw_per_mwh").items()
        if value is not None
    ]
    axes.plot(*zip(*yearly, strict=True), color=CLAY, linewidth=2.0, marker="o", markersize=3.5)
    axes.annotate(
        "system",
        yearly[-1],
        xytext=(14, 0),
        textcoords="offset points",
        color=CLAY,
        va="center",
        fontsize=9,
        annotation_clip=False,
    )
    _line(axes, record, tariff, "tariff", INK, linewidth=1.6)
    _frame(axes, record, "Power: the system's price and what customers pay", f"{currency}/kWh")
    return None


def _debt(axes: Axes, record: RunRecord, currency: str) -> None:
    if not record.has("kepco_debt_krw"):
        return _missing(axes, "Debt of the grid utility")
    debt = record.monthly("kepco_debt_krw")
    divider, unit = scale(debt, currency, currency)
    axes.fill_between(
        _times(record)[: len(debt)],
        [(value or 0.0) / divider for value in debt],
        color=GOLD,
        alpha=0.15,
        linewidth=0,
    )
    _line(axes, record, _scaled(debt, divider), "debt", GOLD)
    _frame(axes, record, "Debt of the grid utility", unit)
    return None


def _slips(axes: Axes, record: RunRecord, shown: Sequence[Slip], of: int) -> None:
    count = f" (the {len(shown)} largest of {of})" if len(shown) < of else ""
    if not shown:
        return _missing(axes, "From the announced date to the grid")
    colours = colours_of(shown)
    end = (record.calendar.first + record.calendar.months) / 12.0
    for row, slip in enumerate(shown):
        start = parse_month(slip.expected) / 12.0
        stop = end if slip.energised is None else parse_month(slip.energised) / 12.0
        colour = colours.get(kind_of_bound(slip), QUIET) if slip.months > 0 else MOSS
        if slip.withdrawn:
            axes.plot(start, row, marker="x", color=QUIET, markersize=6, markeredgewidth=1.6)
            _note(axes, start, row, "withdrawn", QUIET)
            continue
        axes.plot(
            [start, stop],
            [row, row],
            color=colour,
            linewidth=5.5,
            solid_capstyle="butt",
            alpha=0.35 if not slip.open else 0.85,
        )
        axes.plot(start, row, marker="o", markerfacecolor="white", markeredgecolor=colour, markersize=5.5)
        if not slip.open:
            axes.plot(stop, row, marker=">", color=colour, markersize=6, clip_on=False)
            _note(axes, stop, row, f"not yet (> {slip.months:.0f})", QUIET)
        else:
            axes.plot(stop, row, marker="o", color=colour, markersize=5.5)
            _note(axes, stop, row, f"+{slip.months:.0f}" if slip.months > 0 else "on time", colour)
    _frame(axes, record, f"From the announced date (○) to the grid (●), in months late{count}", "", room=0.10)
    axes.set_ylim(len(shown) - 0.4, -0.9)
    axes.set_yticks(range(len(shown)), [f"{slip.site}  {slip.mw:,.0f} MW" for slip in shown], fontsize=8.5)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_visible(False)
    import matplotlib.lines as lines

    handles = [
        lines.Line2D([], [], color=colour, linewidth=5, alpha=0.85, label=bound)
        for bound, colour in colours.items()
    ]
    if handles:
        axes.legend(
            handles=handles,
            title="what bound",
            title_fontsize=8.5,
            fontsize=8.5,
            frameon=False,
            ncols=1,
            loc="lower left",
            alignment="left",
            labelcolor=INK,
        )
    return None


def colours_of(slips: Sequence[Slip]) -> Mapping[str, str]:
    """A colour for each of the commonest bounds; the rest are grey."""
    from runs.summary import binding

    late = [slip for slip in slips if not slip.withdrawn]
    return {bound: colour for (bound, _, _), colour in zip(binding(late), BOUNDS, strict=False)}


def _note(axes: Axes, at: float, row: float, text: str, colour: str) -> None:
    axes.annotate(
        text,
        (at, row),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=colour,
        annotation_clip=False,
    )
