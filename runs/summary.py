"""What became of the plan, in one screen: goals against outcome, the decade, what slipped, who won.

The functions before ``print_summary`` turn a run into plain values; ``explain`` and ``picture`` use them too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abm.calendar import Calendar, parse_month
from abm.series import Indicator
from runs.cli_text import amount, console, listing, number, scale, table
from runs.record import RunRecord

if TYPE_CHECKING:
    from rich.console import Console

    from abm.world import World

SCORE = "stakeholder_score."

DECADE: tuple[tuple[str, str], ...] = (
    ("gpus_online", "GPUs online"),
    ("compute_h100e", "computing power"),
    ("ai_sites_mw", "AI sites on the grid"),
    ("grid_queue_mw", "waiting for the grid"),
    ("site_realisation_share", "announced sites in use"),
    ("capital_deployed_krw", "capital deployed"),
    ("public_spend_krw", "public spending"),
    ("compute_price_krw_per_gpuh", "price of computing"),
    ("compute_served_share", "computing demand served"),
    ("startup_served_share", "of it startups'"),
    ("startups_alive", "startups alive"),
    ("apac_share", "share of Asia-Pacific"),
    ("power_price_krw_per_mwh", "power price"),
    ("tariff_krw_per_kwh", "tariff"),
    ("kepco_debt_krw", "grid utility's debt"),
    ("renewable_share", "renewable power"),
    ("emissions_mt", "emissions"),
    ("unserved_mwh", "power not served"),
)
"""Indicators of the decade table with the words for them; those that a world lacks are left out."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One site and how it fared against its announcement."""

    site: str
    owner: str
    zone: str
    mw: float
    gpus: float
    announced: str
    expected: str
    energised: str | None
    months: float
    """Months late; for a site that is not open, months from its announced opening to the end of the run."""
    status: str
    bound: str
    reason: str

    @property
    def open(self) -> bool:
        """Whether the site is on the grid."""
        return self.energised is not None

    @property
    def withdrawn(self) -> bool:
        return self.status == "withdrawn"

    @property
    def late(self) -> bool:
        return self.months > 0 and not self.withdrawn

    @property
    def late_text(self) -> str:
        if self.withdrawn:
            return "withdrawn"
        if self.open:
            return f"{self.months:+.0f}" if self.months else "on time"
        return f"> {self.months:.0f}" if self.months > 0 else "not due"


def slips_of(record: RunRecord) -> list[Slip]:
    """The announced AI sites, the latest first, withdrawn ones last.

    Left out are sites that were there from the start, and those that somebody thought of during the run.
    """
    found = [
        slip_of(site)
        for site in record.sites
        if site["kind"] == "ai" and not site["originated"] and not was_there(site, record.calendar)
    ]
    return sorted(found, key=lambda slip: (slip.withdrawn, -slip.months, slip.expected or "", slip.site))


def slip_of(site: Mapping[str, Any]) -> Slip:
    """The slip of one entry of the site report."""
    return Slip(
        site["site"],
        site["owner"],
        site["zone"],
        site["mw"],
        site["gpus_planned"] or 0.0,
        site["announced"],
        site["expected"],
        site["energised"],
        float(site["delay_months"] or 0.0),
        site["status"],
        site["bound"] or "",
        site["reason"] or "",
    )


def was_there(site: Mapping[str, Any], calendar: Calendar) -> bool:
    """Whether the site was on the grid before the run began."""
    return bool(site["energised"]) and parse_month(site["energised"]) < calendar.first


def was_due(slip: Slip, calendar: Calendar) -> bool:
    """Whether the site was announced to open before the run ends."""
    return bool(slip.expected) and parse_month(slip.expected) < calendar.first + calendar.months


def binding(slips: Sequence[Slip]) -> list[tuple[str, int, float]]:
    """What bound the late sites: the reason, how many sites, mean months; most sites first."""
    months: dict[str, list[float]] = defaultdict(list)
    for slip in slips:
        if slip.late:
            months[kind_of_bound(slip)].append(slip.months)
    rows = [(bound, len(late), sum(late) / len(late)) for bound, late in months.items()]
    return sorted(rows, key=lambda row: (-row[1], -row[2], row[0]))


def kind_of_bound(slip: Slip) -> str:
    """The bound without the name of the line or pool in it, so that sites can be counted together."""
    return slip.bound.split(":")[0].split("(")[0].strip() or "unknown"


@dataclass(frozen=True, slots=True)
class GoalOutcome:
    """A promise and what came of it; numbers in the indicator's unit, None where undefined."""

    text: str
    indicator: str
    comparison: str
    by: str
    unit: str
    promised: float
    reached: float | None
    """At the promised date; None where undefined, or where the run ends before it."""
    met: str | None
    """First month in which the promise was met."""

    @property
    def kept(self) -> bool | None:
        return None if self.reached is None else meets(self.reached, self.comparison, self.promised)


def meets(value: float, comparison: str, promised: float) -> bool:
    return value >= promised if comparison == ">=" else value <= promised


def goals_of(record: RunRecord, world: World) -> list[GoalOutcome]:
    """Every goal of the world against the outcome."""
    goals, calendar, found = world.goals.columns, record.calendar, []
    for text, name, comparison, value, by in zip(
        *(goals[column] for column in ("text", "indicator", "comparison", "value", "by")), strict=True
    ):
        indicator = record.about(name)
        if indicator is None:
            continue
        promised = float(value)
        due = int(by) + world.calendar.first - calendar.first  # the run may be a part of the world's months
        series = [_by_rule(record, name, indicator.yearly, month) for month in range(calendar.months)]
        reached = series[max(due, 0)] if due < len(series) else None
        met = next(
            (
                calendar.text(month)
                for month, seen in enumerate(series)
                if seen is not None and meets(seen, comparison, promised)
            ),
            None,
        )
        found.append(
            GoalOutcome(text, name, comparison, calendar.text(due), indicator.unit, promised, reached, met)
        )
    return found


def _by_rule(record: RunRecord, name: str, rule: str, month: int) -> float | None:
    """The indicator as it stood in ``month``; what is summed or averaged over a year, for its whole year."""
    if rule == "last":
        series = record.monthly(name)
        return series[month] if month < len(series) else None
    return record.yearly(name).get(record.calendar.year(month))


# --- on the terminal ---------------------------------------------------------------------------------


def print_summary(record: RunRecord, world: World, folder: Path) -> None:
    """The whole summary on standard output."""
    out = console()
    out.print(f"[bold]{world.title}[/]", highlight=False)
    out.print(
        f"[dim]scenario [/]{record.scenario}[dim] · package [/]{record.package}"
        f"[dim] · seed [/]{record.seed}[dim] · run {record.run_id}[/]"
    )
    slips = slips_of(record)
    for section in (
        _goal_section(record, world),
        _decade_section(record, world, out.width),
        _slip_section(record, slips, world),
        _score_section(record, world),
    ):
        if section is not None:
            heading, body = section
            out.print(f"\n[bold]{heading}[/]\n")
            out.print(body)
    prices = price_story(record, world.currency)
    if prices:
        out.print("\n[bold]Where the power price went[/]\n")
        for sentence in prices:
            out.print(sentence, markup=False)
    _print_end(out, record, folder)


def _goal_section(record: RunRecord, world: World) -> tuple[str, Any] | None:
    outcomes = goals_of(record, world)
    if not outcomes:
        return None
    rows = table("goal", "by", "promised", "came", "", "reached in", right=[2, 3])
    for goal in outcomes:
        divider, unit = scale([goal.promised, goal.reached], goal.unit, world.currency)
        mark = {True: "[green]kept[/]", False: "[red]missed[/]", None: "[dim]not measured[/]"}[goal.kept]
        end = record.calendar.text(record.calendar.months - 1)
        when = goal.met or ("–" if goal.kept is None else f"not by {end}")
        if goal.by > end:
            mark = "[dim]not due[/]"
        came = "–" if goal.reached is None else number(goal.reached / divider)
        sign = "" if goal.comparison == ">=" else "at most "
        rows.add_row(goal.text, goal.by, f"{sign}{number(goal.promised / divider)} {unit}", came, mark, when)
    return "What was promised, and what came", rows


def _decade_section(record: RunRecord, world: World, width: int) -> tuple[str, Any] | None:
    shown = [(name, words) for name, words in DECADE if record.has(name)]
    if not shown:
        return None
    years = some_years(record.calendar.years, (width - 42) // 6)
    rows = table("", "", *map(str, years), right=range(2, 2 + len(years)), tight=True)
    for name, words in shown:
        indicator = record.about(name)
        yearly = record.yearly(name)
        divider, unit = scale(list(yearly.values()), indicator.unit if indicator else "", world.currency)
        values = [yearly[year] for year in years]
        rows.add_row(
            words + " ",
            f"[dim]{short_unit(unit)}[/] ",
            *(number(None if value is None else value / divider) for value in values),
        )
    rows.columns[0].no_wrap = rows.columns[1].no_wrap = True
    return "The decade", rows


def some_years(years: Sequence[int], most: int) -> list[int]:
    """All years where there is room for them, else some of them with the first and the last."""
    if len(years) <= most:
        return list(years)
    most = max(most, 2)
    places = {round(at * (len(years) - 1) / (most - 1)) for at in range(most)}
    return [years[place] for place in sorted(places)]


def short_unit(unit: str) -> str:
    """A unit as short as a table needs it."""
    for long, short in (("H100-equivalents", "H100e"), ("H100-equivalent", "H100e"), (" hour", " h")):
        unit = unit.replace(long, short)
    return unit


def _slip_section(
    record: RunRecord, slips: Sequence[Slip], world: World, most: int = 12
) -> tuple[str, Any] | None:
    due = [slip for slip in slips if was_due(slip, record.calendar)]
    if not due:
        return None
    late = [slip for slip in due if slip.late]
    heading = "What slipped, and why"
    never = sum(not slip.open for slip in late)
    withdrawn = sum(slip.withdrawn for slip in due)
    end = record.calendar.text(record.calendar.months - 1)
    said = [f"Of {len(due)} announced AI sites that were due, {len(late)} are late"]
    if never:
        said.append(f"{never} of them not on the grid by {end}")
    if withdrawn:
        said.append(f"and {withdrawn} withdrawn")
    opening = ", ".join(said) + "."
    if not late and not withdrawn:
        return heading, "Every announced AI site opened by its date."
    rows = table("site", "owner", "zone", "MW", "due", "opened", "months late", "what bound", right=[3, 6])
    told = [*late, *(slip for slip in due if slip.withdrawn)]
    for slip in told[:most]:
        rows.add_row(
            slip.site,
            slip.owner,
            slip.zone,
            number(slip.mw),
            slip.expected,
            slip.energised or "–",
            slip.late_text,
            slip.bound,
        )
    parts = [
        f"{bound} ({count}, {mean:.0f} months late on average)" for bound, count, mean in binding(late)[:6]
    ]
    from rich.console import Group

    more = f"\n… and {len(told) - most} more." if len(told) > most else ""
    closing = f"\nWhat bound the late ones: {listing(parts)}." if parts else ""
    return heading, Group(opening + "\n", rows, more + closing)


def _score_section(
    record: RunRecord, world: World, most: int = 3, singles: int = 12
) -> tuple[str, Any] | None:
    scores = scores_of(record)
    if not scores:
        return None
    from rich.console import Group

    names = _names(world, "cast")
    groups: dict[tuple[str, str], list[Score]] = defaultdict(list)
    for score in scores:
        groups[score.what, score.unit].append(score)
    first, last = record.calendar.years[0], record.calendar.years[-1]
    together = table("what counts", "", f"ahead in {last}", f"behind in {last}")
    for (what, _), members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(members) < 3:
            continue
        ranked = sorted(members, key=lambda score: (-score.last, score.who))
        divider, unit = scale([score.last for score in ranked], ranked[0].unit, world.currency)
        cut = min(most, len(ranked) // 2)
        best, worst = ranked[:cut], ranked[-cut:][::-1]
        together.add_row(
            what,
            f"[dim]{short_unit(unit)}[/]",
            *(
                "; ".join(f"{names.get(s.who, s.who)} {number(s.size(s.last) / divider)}" for s in side)
                for side in (best, worst)
            ),
        )
    alone = table("", "what counts", "", str(first), str(last), right=[3, 4])
    lonely = [score for score in scores if len(groups[score.what, score.unit]) < 3]
    for score in lonely[:singles]:
        divider, unit = scale([score.first, score.last], score.unit, world.currency)
        alone.add_row(
            names.get(score.who, score.who),
            score.what + (" (less is better)" if score.negative else ""),
            f"[dim]{short_unit(unit)}[/]",
            number(score.size(score.first) / divider),
            number(score.size(score.last) / divider),
        )
    parts = [part for part in (together, alone) if part.row_count]
    return "Who won, who lost", Group(*[item for part in parts for item in (part, "")][:-1])


@dataclass(frozen=True, slots=True)
class Score:
    """A stakeholder's own objective in the first and the last year of the run."""

    who: str
    what: str
    unit: str
    negative: bool
    """Whether the objective counts something that its owner wants little of."""
    first: float
    last: float

    def size(self, value: float) -> float:
        """The value as it is spoken of: what counts negative is shown positive."""
        return -value + 0.0 if self.negative else value

    @property
    def change(self) -> float:
        """Symmetric relative change, -1 to 1: comparable between objectives in different units."""
        size = max(abs(self.first), abs(self.last))
        return (self.last - self.first) / size / (2.0 if self.first * self.last < 0 else 1.0) if size else 0.0


def scores_of(record: RunRecord) -> list[Score]:
    """Every stakeholder with a score, the one that changed most first."""
    found = []
    for indicator in record.indicators:
        if not indicator.name.startswith(SCORE):
            continue
        values = [value for value in record.yearly(indicator.name).values() if value is not None]
        if values:
            what, unit, negative = objective_of(indicator)
            who = indicator.name.removeprefix(SCORE)
            found.append(Score(who, what, unit, negative, values[0], values[-1]))
    return sorted(found, key=lambda score: (-abs(score.change), score.who))


def objective_of(indicator: Indicator) -> tuple[str, str, bool]:
    """What a score counts, its unit, and whether it counts negative.

    A stakeholder states its objective in one text, "what it counts, unit" or "..., unit, negative".
    """
    text = indicator.about.split(": ", 1)[-1]
    if indicator.unit not in text:
        text = f"{text}, {indicator.unit}"
    parts = [part.strip() for part in text.split(",")]
    negative = parts[-1] == "negative"
    parts = parts[:-1] if negative else parts
    return parts[0], parts[1] if len(parts) > 1 else "", negative


def price_story(record: RunRecord, currency: str) -> list[str]:
    """Sentences on power price, tariff and the utility's debt."""
    sentences = []
    for name, words in (
        ("power_price_krw_per_mwh", "Power cost"),
        ("tariff_krw_per_kwh", "Customers paid"),
        ("kepco_debt_krw", "The grid utility owed"),
    ):
        years = {year: value for year, value in record.yearly(name).items() if value is not None}
        indicator = record.about(name)
        if not years or indicator is None:
            continue
        first, last = min(years), max(years)
        highest, lowest = max(years, key=lambda year: years[year]), min(years, key=lambda year: years[year])
        sentence = (
            f"{words} {amount(years[first], indicator.unit, currency)} in {first} and "
            f"{amount(years[last], indicator.unit, currency)} in {last}"
        )
        extremes = [
            f"{word} {amount(years[year], indicator.unit, currency)} in {year}"
            for word, year in (("at most", highest), ("at least", lowest))
            if year not in (first, last)
        ]
        sentences.append(f"{sentence}{'; ' if extremes else ''}{' and '.join(extremes)}.")
    return sentences


def _print_end(out: Console, record: RunRecord, folder: Path) -> None:
    worst = max(record.residual.values(), default=0.0)
    checks = [f"balances close to {worst:.0e} of their size" if worst else "all balances close exactly"]
    if record.power:
        checks.append(
            f"{record.power.get('solves', 0):,} power cases solved "
            f"to a gap of {record.power.get('max_gap', 0.0):.0e}"
        )
    out.print(f"\n[dim]Checked:[/] {listing(checks)}. [dim]Took[/] {record.wall_s:.1f} s.")
    out.print(f"[dim]Kept in[/] {folder}[dim]; ask why with[/] madang explain {folder}", soft_wrap=True)
    empty = sum(bool(indicator.later) for indicator in record.indicators)
    if empty:
        out.print(
            f"[dim]Not measured yet: {empty} of the indicators; [/]madang list indicators[dim] says why.[/]"
        )


def _names(world: World, name: str) -> Mapping[str, str]:
    found = world.tables[name]
    return dict(zip(found.keys, found.columns["name"], strict=True))
