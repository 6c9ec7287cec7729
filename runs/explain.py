"""Why: answers from the decision log that a run keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abm.calendar import Calendar, parse_month
from abm.decisions import Decision
from abm.quantities import nearest
from runs.checking import BadInput, Complaint
from runs.cli_text import amount, console, number, table
from runs.record import RunRecord
from runs.results import MANIFEST, Results
from runs.summary import Slip, binding, slip_of, slips_of, was_due, was_there

if TYPE_CHECKING:
    from rich.console import Console

STORIES = 3
"""How many of the latest sites are told in full where none is asked for."""

STEPS: tuple[tuple[str, str], ...] = (
    ("announced", "announced"),
    ("applied", "applied to the grid"),
    ("assessed", "grid assessment passed"),
    ("permitted", "permits in hand"),
    ("decided", "financed and decided"),
    ("building_complete", "building stands"),
    ("connected", "connected"),
    ("chips_complete", "accelerators there"),
    ("energised", "energised"),
)
_PARALLEL = ("building_complete", "connected")
"""Steps that run side by side before a site is energised; the last of them bound."""

_STANDING = {
    "announced": "no more than announced",
    "applied": "in the grid queue",
    "passed": "waiting for finance",
    "decided": "under construction",
}
_HIGHLIGHTS = ("gpus_online", "ai_sites_mw", "grid_queue_mw", "power_price_krw_per_mwh", "kepco_debt_krw")
_UNITS = {"_mwh": "MWh", "_mw": "MW", "_months": "months", "_gpus": "GPU", "_krw": "KRW", "_usd": "USD"}


def explain_command(
    folder: Path | None, run_id: str | None, who: str | None, month: str | None, site: str | None
) -> int:
    """Print the answer; the exit code."""
    folder = folder or newest_results()
    results = Results(folder)
    record = results.record(results.run_id(run_id))
    currency = str(results.manifest["world"].get("currency", ""))
    calendar = record.calendar
    at = None if month is None else month_of(month, calendar)
    sites = {row["site"] for row in record.sites}
    if who is not None:
        known = {decision.who for decision in record.decisions} | {row["owner"] for row in record.sites}
        require(who, "stakeholder of this run", known | set(_cast(record.world)), "--who")
    if site is not None:
        require(
            site, "site or other subject of this run", sites | {d.subject for d in record.decisions}, "--site"
        )

    out = console()
    out.print(
        f"[dim]{record.world} · scenario [/]{record.scenario}[dim] · package [/]"
        f"{record.package}[dim] · seed [/]{record.seed}[dim] · run {record.run_id} · "
        f"{calendar.text(0)} to {calendar.text(calendar.months - 1)}[/]"
    )
    if who is None and at is None and site is None:
        tell_latest(out, record, currency)
    elif who is None and at is None and site in sites:
        tell_site(out, record, str(site), currency)
    else:
        if at is not None and who is None and site is None:
            tell_month(out, record, at, currency)
        found = [
            decision
            for decision in record.decisions
            if who in (None, decision.who)
            and at in (None, decision.month)
            and site in (None, decision.subject)
        ]
        tell_decisions(out, found, calendar, currency, without_who=who is not None)
    return 0


def newest_results(below: Path = Path("results")) -> Path:
    """The results folder written last."""
    found = [path.parent for path in below.glob(f"*/{MANIFEST}")] if below.is_dir() else []
    if not found:
        raise BadInput(
            [Complaint(str(below), 0, "DIR", "holds no results; `madang run` writes some, or name a folder")]
        )
    return max(found, key=lambda path: ((path / MANIFEST).stat().st_mtime_ns, path.name))


def month_of(text: str, calendar: Calendar) -> int:
    """Month index of ``text``; BadInput where it is no month of the run."""
    try:
        at = calendar.index(text)
    except ValueError as error:
        raise BadInput([Complaint("command line", 0, "--month", str(error))]) from None
    if not 0 <= at < calendar.months:
        raise BadInput(
            [
                Complaint(
                    "command line",
                    0,
                    "--month",
                    (f"found {text}, allowed {calendar.text(0)} to {calendar.text(calendar.months - 1)}"),
                )
            ]
        )
    return at


def require(name: str, what: str, known: Iterable[str], option: str) -> None:
    """BadInput with the nearest name where ``name`` is not known."""
    names = sorted(known)
    if name in names:
        return
    near = nearest(name, names) or next((other for other in names if name.lower() in other.lower()), None)
    hint = (
        f"did you mean {near!r}?"
        if near
        else f"there are {', '.join(names[:12])}{', …' if len(names) > 12 else ''}"
    )
    raise BadInput([Complaint("command line", 0, option, f"found {name!r}, which is no {what}; {hint}")])


# --- stories -----------------------------------------------------------------------------------------


def tell_latest(out: Console, record: RunRecord, currency: str) -> None:
    """What bound over all sites, then the latest ones step by step."""
    slips = [slip for slip in slips_of(record) if was_due(slip, record.calendar)]
    late = [slip for slip in slips if slip.late]
    if not slips:
        out.print("\nNo site was due to open during this run.")
        return
    out.print(f"\n{len(late)} of the {len(slips)} sites that were due during the run are late.")
    if not late:
        return
    rows = table("what bound", "sites", "months late on average", right=[1, 2])
    for bound, count, mean in binding(late):
        rows.add_row(bound, number(float(count)), number(float(round(mean))))
    out.print()
    out.print(rows)
    for slip in late[:STORIES]:
        tell_site(out, record, slip.site, currency)
    if len(late) > STORIES:
        others = ", ".join(slip.site for slip in late[STORIES : STORIES + 8])
        out.print(
            f"\n[dim]Also late:[/] {others}{' …' if len(late) > STORIES + 8 else ''}"
            f"[dim]; ask with --site NAME, --who NAME or --month YYYY-MM[/]",
            soft_wrap=True,
        )


def tell_site(out: Console, record: RunRecord, name: str, currency: str) -> None:
    """One site: the sentence, the dates, the decisions."""
    site = next(row for row in record.sites if row["site"] == name)
    slip = slip_of(site)
    size = [amount(site["mw"], "MW"), amount(site["gpus_planned"], "GPU") if site["gpus_planned"] else ""]
    about = " · ".join(filter(None, [site["programme"], site["owner"], site["zone"], *size]))
    out.print(f"\n[bold]{name}[/]  [dim]{about}[/]")
    out.print(verdict(site, slip, record.calendar), markup=False)
    if site["reason"]:
        out.print(site["reason"], markup=False)
    out.print()
    out.print(steps_table(site, slip))
    about_site = [decision for decision in record.decisions if decision.subject == name]
    if about_site:
        out.print()
        tell_decisions(out, about_site, record.calendar, currency, without_subject=True)


def verdict(site: Mapping[str, Any], slip: Slip, calendar: Calendar) -> str:
    """Announced for then, open since then, so many months late, because of this."""
    if was_there(site, calendar):
        return f"In operation since {site['energised']}, before the run begins."
    start = f"{'Planned' if site['originated'] else 'Announced'} for {slip.expected}"
    standing = _STANDING.get(slip.status, slip.status)
    if slip.withdrawn:
        return f"{start}; withdrawn. What bound: {slip.bound}."
    if not slip.open and slip.months <= 0:
        return f"{start}, after the run ends; {standing} by then."
    if not slip.open:
        end = calendar.text(calendar.months - 1)
        return (
            f"{start}; still {standing} in {end}, {slip.months:.0f} months later. What binds: {slip.bound}."
        )
    if slip.months <= 0:
        return f"{start}, energised {slip.energised}: on time."
    return f"{start}, energised {slip.energised}: {slip.months:.0f} months late. What bound: {slip.bound}."


def steps_table(site: Mapping[str, Any], slip: Slip) -> Any:
    """Dates from announced to energised in order of time; the longest wait and the last step are marked."""
    start = parse_month(site["announced"]) if site["announced"] else None
    order = {name: at for at, (name, _) in enumerate(STEPS)}
    words = dict(STEPS)
    dates = {name: parse_month(site[name]) for name in words if site[name]}
    done = sorted(dates, key=lambda name: (dates[name], order[name]))
    waits = {name: dates[name] - dates[before] for before, name in pairwise(done)}
    until = order["energised"]
    longest = max(
        (name for name in waits if order[name] <= until), key=lambda name: waits[name], default=None
    )
    last = max((name for name in _PARALLEL if name in dates), key=lambda name: dates[name], default=None)
    rows = table("step", "month", "since announced", "since the step before", "", right=[2, 3])
    for name in [*done, *(name for name in words if name not in dates)]:
        marks = []
        if slip.late and name == longest and waits[name] > 0:
            marks.append("longest wait")
        if slip.late and name == last and "energised" in dates:
            marks.append("came last")
        if name == "energised" and name in dates and slip.late:
            marks = [f"{slip.months:.0f} months after {slip.expected}"]
        rows.add_row(
            words[name],
            site[name] or "–",
            "" if name not in dates or start is None else number(float(dates[name] - start)),
            number(float(waits[name])) if name in waits else "",
            f"[yellow]{', '.join(marks)}[/]" if marks else "",
        )
    return rows


def tell_month(out: Console, record: RunRecord, month: int, currency: str) -> None:
    """How the main figures moved in the month."""
    calendar = record.calendar
    moves = []
    for name in _HIGHLIGHTS:
        series, indicator = record.monthly(name), record.about(name)
        if indicator is None or month >= len(series) or series[month] is None:
            continue
        before = series[month - 1] if month else None
        text = f"{name} {amount(series[month], indicator.unit, currency)}"
        moves.append(
            text + (f" (before: {amount(before, indicator.unit, currency)})" if before is not None else "")
        )
    out.print(f"\n[bold]{calendar.text(month)}[/]")
    for move in moves:
        out.print(move, markup=False)
    out.print()


def tell_decisions(
    out: Console,
    decisions: Sequence[Decision],
    calendar: Calendar,
    currency: str,
    without_who: bool = False,
    without_subject: bool = False,
) -> None:
    """The log as a table."""
    if not decisions:
        out.print("\nNothing was decided.")
        return
    if without_who:
        counts = Counter(decision.verb for decision in decisions)
        parts = [
            f"{verb} {count}" for verb, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]
        word = "decision" if len(decisions) == 1 else "decisions"
        out.print(f"\n{len(decisions)} {word}: {', '.join(parts)}.\n", markup=False)
    rows = table(
        *(
            head
            for head, hidden in (
                ("month", False),
                ("who", without_who),
                ("does", False),
                ("about", without_subject),
                ("granted of asked", False),
                ("what bound", False),
                ("on which values", False),
            )
            if not hidden
        )
    )
    from rich.text import Text

    for decision in decisions:
        cells = [calendar.text(decision.month)]
        if not without_who:
            cells.append(decision.who)
        cells.append(decision.verb)
        if not without_subject:
            cells.append(decision.subject)
        cells += [granted_text(decision, currency), decision.bound, values_text(decision.values, calendar)]
        rows.add_row(*map(Text, cells))
    rows.columns[0].no_wrap = True
    out.print(rows)


def granted_text(decision: Decision, currency: str) -> str:
    """``0 of 41 MW``, or the amount alone where all of it was granted."""
    unit = currency if decision.unit in ("money", "currency") else decision.unit
    asked = amount(decision.amount, unit, currency)
    if decision.granted == decision.amount:
        return asked if decision.amount or unit else ""
    return f"{amount(decision.granted, unit, currency)} of {asked}"


def values_text(values: Mapping[str, float], calendar: Calendar) -> str:
    """The figures that a decision rested on, with units where the names tell them."""
    return ", ".join(f"{_words(name)} {_value(name, value, calendar)}" for name, value in values.items())


def _words(name: str) -> str:
    for ending in ("_month", *_UNITS, "_share"):
        if name.endswith(ending) and name != ending:
            name = name.removesuffix(ending)
            break
    return name.replace("_", " ")


def _value(name: str, value: float, calendar: Calendar) -> str:
    if name.endswith("_month") and value == round(value) and abs(value) < 1e5:
        return calendar.text(int(value))
    if name.endswith("_share") or name in ("chance", "share", "belief", "credibility"):
        return f"{100.0 * value:.0f} %"
    unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
    return f"{number(value)} {unit}".rstrip()


def _cast(world: str) -> Sequence[str]:
    """Everybody in the world, where it can still be read; else nobody."""
    from runs.worlds import loader

    try:
        return loader.load(world).cast.keys
    except BadInput:
        return ()
