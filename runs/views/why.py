"""Why: a site's path, a stakeholder's rule and decisions, what lies behind a figure."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from abm.calendar import parse_month
from abm.decisions import Decision
from abm.quantities import nearest
from runs.explain import STEPS, values_text
from runs.summary import slip_of
from runs.views.charts import Chart, Line, Plot, Table, over_months
from runs.views.decade import SCORE, bound_text, bound_words, late_words
from runs.views.months import granted_words, subject_words
from runs.views.numbers import amount, digits
from runs.views.runview import RunView
from runs.views.texts import Texts

SITE, STAKEHOLDER, FIGURE, LINE, LEVER = "site", "stakeholder", "figure", "line", "lever"
MOST_DECISIONS = 200
MOST_TURNS = 6


@dataclass(frozen=True)
class Subject:
    """Something that can be asked about."""

    kind: str
    key: str
    name: str


def subjects(view: RunView, t: Texts) -> list[Subject]:
    """All that can be asked about: sites, stakeholders, figures, lines."""
    world = view.world
    found = [Subject(SITE, site["site"], site["site"]) for site in view.sites]
    found += [Subject(STAKEHOLDER, who, t.name(world, who)) for who in world.cast.keys]
    found += [
        Subject(FIGURE, i.name, t.indicator(i.name, world))
        for i in view.record.indicators
        if not i.name.startswith(SCORE) and view.has(i.name)
    ]
    found += [Subject(LINE, key, key) for key in world.lines.keys]
    return found


def find(asked: str, known: Sequence[Subject]) -> Subject | str | None:
    """What ``asked`` means, by key or by name; else the nearest name, or None where nothing is near."""
    wanted = asked.strip().casefold()
    if not wanted:
        return None
    for one in known:
        if wanted in (one.key.casefold(), one.name.casefold()):
            return one
    inside = [one for one in known if wanted in one.name.casefold() or wanted in one.key.casefold()]
    if inside:
        return min(inside, key=lambda one: (len(one.name), one.name))
    near = nearest(asked, [one.name for one in known])
    return near


def site_sentence(view: RunView, site: str, t: Texts) -> tuple[str, str]:
    """Heading and sentence for a site."""
    entry = view.site_of[site]
    slip = slip_of(entry)
    head = t(
        "why.site_head",
        site=site,
        mw=digits(entry["mw"]),
        owner=t.name(view.world, entry["owner"]),
        zone=t.name(view.world, entry["zone"]),
    )
    if slip.open:
        text = t(
            "why.site_opened", expected=slip.expected, energised=slip.energised, late=late_words(slip, t)
        )
    else:
        text = t("why.site_open", expected=slip.expected or "–", status=t.word("status", slip.status))
    if slip.late or slip.withdrawn:
        text += " " + t("why.bound", bound=bound_words(slip, t))
    return head, text


def site_steps(view: RunView, site: str, t: Texts) -> Table:
    """Every step with its month, and how long it took; the longest wait is marked."""
    entry = view.site_of[site]
    dates = {name: parse_month(entry[name]) for name, _ in STEPS if entry[name]}
    order = {name: at for at, (name, _) in enumerate(STEPS)}
    done = sorted(dates, key=lambda name: (dates[name], order[name]))
    waits = {name: dates[name] - dates[before] for before, name in pairwise(done)}
    longest = max(waits, key=lambda name: waits[name], default=None)
    start = dates.get("announced")
    rows = []
    for name in [*done, *(name for name, _ in STEPS if name not in dates)]:
        mark = t("why.longest") if name == longest and waits[name] > 0 else ""
        since = digits(dates[name] - start) if name in dates and start is not None else ""
        rows.append(
            (t(f"step.{name}"), entry[name] or "–", since, digits(waits[name]) if name in waits else "", mark)
        )
    head = (t("why.step"), t("month"), t("why.since"), t("why.wait"), "")
    return Table(head, tuple(rows), (2, 3))


def decisions_table(view: RunView, decisions: Sequence[Decision], t: Texts) -> Table:
    """The decisions, oldest first, with the figures that each rested on."""
    head = (
        t("month"),
        t("months.who"),
        t("months.does"),
        t("months.about"),
        t("months.granted"),
        t("months.bound"),
        t("why.values"),
    )
    rows = tuple(
        (
            view.calendar.text(one.month),
            t.name(view.world, one.who),
            t.word("verb", one.verb),
            subject_words(view, one.subject, t),
            granted_words(one, view.currency, t),
            bound_text(one.bound, t),
            values_text(one.values, view.calendar),
        )
        for one in decisions[:MOST_DECISIONS]
    )
    return Table(head, rows)


def rule_of(view: RunView, who: str) -> tuple[str, str]:
    """The rule of a stakeholder as its source states it, and the name of the class."""
    from agents import cast

    kind = view.world.cast.kind[view.world.cast.row(who)]
    found = cast.KINDS.get(kind) if hasattr(cast, "KINDS") else None
    if found is None:
        return "", ""
    return flowing(inspect.cleandoc(found.__doc__ or "")), found.__name__


def flowing(text: str) -> str:
    """A docstring as prose: lines joined to paragraphs, points on lines of their own, no mark-up."""
    text = re.sub(r":\w+:`([^`]*)`", r"\1", text).replace("``", "")
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n|\n(?=\s*\* )", text)]
    return "\n".join(paragraphs)


def objective_of(view: RunView, who: str) -> str:
    """What counts for a stakeholder."""
    cast = view.world.cast
    return str(cast.objective[cast.row(who)])


def score_chart(view: RunView, who: str, t: Texts, pinned: RunView | None) -> Chart | None:
    """How a stakeholder fares by its own objective."""
    name = f"{SCORE}.{who}"
    if not view.has(name):
        return None
    plot = Plot("score", t("why.score"), (Line(name, t.name(view.world, who), "@blue"),), from_zero=False)
    return over_months(view, plot, t, pinned)


def traits_table(view: RunView, who: str, t: Texts) -> Table:
    """A stakeholder's own numbers, with their sources."""
    table = view.world.tables.get("traits")
    rows = []
    if table is not None:
        row_of = view.world.cast.row(who)
        columns = table.columns
        for at in range(len(table)):
            if int(columns["who"][at]) == row_of:
                rows.append(
                    (
                        str(columns["trait"][at]).replace("_", " "),
                        digits(float(columns["value"][at])),
                        str(columns["source"][at]) if "source" in columns else "",
                    )
                )
    return Table((t("why.trait"), t("why.value"), t("assume.source")), tuple(rows), (1,))


def figure_chart(view: RunView, name: str, t: Texts, pinned: RunView | None) -> Chart:
    """The course of one figure."""
    plot = Plot(
        "figure",
        t.indicator(name, view.world),
        (Line(name, t.indicator(name, view.world), "@blue"),),
        area=True,
        from_zero=False,
    )
    return over_months(view, plot, t, pinned)


def turns(view: RunView, name: str, t: Texts) -> Table:
    """The months in which a figure moved most, and what was decided in them."""
    indicator = view.about(name)
    values = view.values(name)
    moves = np.abs(np.diff(values))
    moves = np.where(np.isfinite(moves), moves, 0.0)
    best = [int(m) + 1 for m in np.argsort(-moves, kind="stable")[:MOST_TURNS] if moves[int(m)] > 0]
    rows = []
    for month in sorted(best):
        said = [
            one
            for one in view.decisions
            if one.month == month
            and one.verb not in ("sell", "order", "scrap", "supply", "build", "wait", "expand")
        ]
        largest = sorted(said, key=lambda one: -abs(one.granted))[:4]
        text = "; ".join(
            f"{t.name(view.world, one.who)} {t.word('verb', one.verb)}: {subject_words(view, one.subject, t)}"
            for one in largest
        )
        change = float(values[month] - values[month - 1])
        rows.append(
            (
                view.calendar.text(month),
                amount(change, indicator.unit if indicator else "", t, sign=True),
                text or "–",
            )
        )
    return Table((t("month"), t("winners.change"), t("why.decisions_then")), tuple(rows), (1,))


def line_table(view: RunView, line: str, t: Texts) -> Table:
    """What is known of a line: ends, limits, dates and source."""
    lines, zones = view.world.lines, view.world.zones.keys
    row = lines.row(line)
    service = None if view.in_service is None else int(view.in_service[row])
    came = (
        "–"
        if service is None or service >= view.calendar.months
        else (t("why.from_start") if service < 0 else view.calendar.text(service))
    )
    due = int(lines.due[row])
    rows = (
        (t("months.from"), t.name(view.world, zones[int(lines.from_zone[row])])),
        (t("months.to"), t.name(view.world, zones[int(lines.to_zone[row])])),
        (t("months.limit"), f"{digits(float(lines.forward_mw[row]))} MW"),
        (
            t("site.expected"),
            t("why.from_start") if lines.status[row] == "existing" else view.calendar.text(due),
        ),
        (t("why.in_service"), came),
        (t("assume.source"), str(lines.columns["source"][row]) if "source" in lines.columns else ""),
    )
    return Table(("", ""), rows)
