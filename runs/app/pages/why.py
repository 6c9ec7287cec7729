"""The Why page: ask about a site, a stakeholder, a line or a figure."""

from __future__ import annotations

from typing import Any

import solara

from runs.app.describe import setting_words
from runs.app.pages.common import Figure, box, my_session, parcel, words
from runs.app.parts import Picker, Plain, Prose, TableCard
from runs.app.session import Session
from runs.app.state import State
from runs.app.worker import DONE
from runs.summary import slips_of, was_due
from runs.views import why
from runs.views.charts import Table
from runs.views.data import table_csv
from runs.views.decade import TILES, same
from runs.views.numbers import amount
from runs.views.runview import RunView
from runs.views.texts import Texts
from runs.views.why import FIGURE, LINE, SITE, STAKEHOLDER, Subject

PEOPLE = ("kepco", "science-ministry", "nvidia", "sk", "naver-cloud", "blackrock", "developers")


@solara.component
def WhyPage() -> None:
    """A question and its answer."""
    session = my_session()
    t = session.t
    shown = session.shown.value
    view = shown.view
    known = solara.use_memo(
        lambda: why.subjects(view, t) if view else [], [view.run_id if view else "", t.language]
    )
    with box("main", "md-single", [], id="md-content", tabindex="-1"):
        words("h1", t("why.title"))
        if view is None:
            words("p", t("loading"), "md-empty")
            return
        asked = session.subject.value
        found = why.find(asked, known)
        late = [slip for slip in slips_of(view.record) if slip.late and was_due(slip, view.calendar)]
        first = late[0].site if late else (view.sites[0]["site"] if view.sites else "")
        subject = found if isinstance(found, Subject) else None
        problem = ""
        if asked and subject is None:
            problem = (
                t("why.unknown", name=asked, nearest=found) if found else t("why.unknown_far", name=asked)
            )
        if subject is None and not asked:
            subject = next((one for one in known if one.key == first), None)

        def ask(said: Any) -> None:
            session.subject.value = str(said)

        groups = [
            {
                "title": t("why.sites"),
                "members": [{"key": slip.site, "name": slip.site} for slip in late[:6]],
            },
            {
                "title": t("why.people"),
                "members": [
                    {"key": who, "name": t.name(view.world, who)} for who in PEOPLE if who in view.world.cast
                ],
            },
            {
                "title": t("why.figures"),
                "members": [{"key": name, "name": t.indicator(name)} for name in TILES if view.has(name)],
            },
        ]
        Picker(
            texts={key: t(f"why.{key}") for key in ("ask", "placeholder", "title")},
            text=subject.name if subject else asked,
            chosen=subject.key if subject else "",
            names=[one.name for one in known],
            groups=groups,
            problem=problem,
            event_ask=ask,
        )
        if subject is not None:
            pinned = shown.pinned if shown.pinned is not None and shown.pinned.run_id != view.run_id else None
            Answer(session, view, pinned, subject).key(f"{subject.kind}:{subject.key}")


@solara.component
def Answer(session: Session, view: RunView, pinned: RunView | None, subject: Subject) -> None:
    """What there is to say about one thing."""
    t = session.t
    if subject.kind == SITE:
        head, text = why.site_sentence(view, subject.key, t)
        entry = view.site_of[subject.key]
        Prose(
            heading=head,
            lines=[text, *([entry["reason"]] if t.language == "en" and entry["reason"] else [])],
            event_act=_nothing,
        )
        Sheet(session, "steps", t("why.steps"), why.site_steps(view, subject.key, t))
        Sheet(
            session,
            "decisions",
            t("why.decisions"),
            why.decisions_table(view, view.decisions_about(subject.key), t),
        )
        places(session, view, subject, t)
    elif subject.kind == STAKEHOLDER:
        rule, name = why.rule_of(view, subject.key)
        Prose(
            heading=subject.name,
            lines=[
                f"{t('why.objective')}: {why.objective_of(view, subject.key)}",
                rule,
                t("why.rule_of", name=name),
            ],
            event_act=_nothing,
        )
        chart = why.score_chart(view, subject.key, t, pinned)
        if chart is not None:
            Figure(session, chart, view, level=2)
        mine = view.decisions_by(subject.key)
        Sheet(session, "decisions", t("why.decisions_by"), why.decisions_table(view, mine[::-1], t))
        Sheet(session, "traits", t("why.traits"), why.traits_table(view, subject.key, t))
    elif subject.kind == FIGURE:
        indicator = view.about(subject.key)
        Prose(
            heading=subject.name,
            lines=[
                indicator.about if indicator else "",
                t(
                    "why.figure_unit",
                    unit=indicator.unit if indicator else "",
                    year=t(f"yearly.{indicator.yearly}") if indicator else "",
                ),
            ],
            event_act=_nothing,
        )
        Figure(session, why.figure_chart(view, subject.key, t, pinned), view, level=2)
        Parts(session, view, subject.key)
        Sheet(session, "turns", t("why.turns"), why.turns(view, subject.key, t))
        Rests(session)
    elif subject.kind == LINE:
        Sheet(session, "line", subject.name, why.line_table(view, subject.key, t))
        Sheet(
            session,
            "decisions",
            t("why.decisions"),
            why.decisions_table(view, view.decisions_about(subject.key), t),
        )


def _nothing(*_: Any) -> None:
    """No button, no act."""


def places(session: Session, view: RunView, subject: Subject, t: Texts) -> None:
    """Where the announcement of a site comes from."""
    world = view.world
    if subject.key not in world.sites:
        return
    row, columns = world.sites.row(subject.key), world.sites.columns
    rows = [
        (t(f"assume.{key}"), str(columns[key][row]))
        for key in ("source", "confidence", "note")
        if key in columns and str(columns[key][row])
    ]
    Sheet(session, "source", t("why.assumptions"), Table(("", ""), tuple(rows)))


@solara.component
def Sheet(session: Session, name: str, heading: str, table: Table, about: str = "") -> None:
    """A table card that can be saved."""
    t = session.t

    def csv(_: Any) -> None:
        session.parcel.value = parcel(f"madang-{name}.csv", table_csv(table, (heading,)))

    TableCard(
        name=name,
        heading=heading,
        table=Plain(table.plain()),
        about=about,
        empty=t("none"),
        download="CSV",
        event_csv=csv,
        event_pick=_nothing,
    )


@solara.component
def Parts(session: Session, view: RunView, name: str) -> None:
    """What each change since the pinned state did to a figure: each is taken back alone, and the decade run again."""
    t = session.t
    state, pinned = session.shown.value.state or session.state.value, session.pinned.value
    found, set_found = solara.use_state(dict[str, RunView]())
    asked, set_asked = solara.use_state("")
    changes = changes_between(pinned, state)
    key = repr((state, pinned))
    runs = found if asked == key else {}

    def compute(*_: Any) -> None:
        set_asked(key)
        set_found({})
        gathered: dict[str, RunView] = {}
        for label, variant in changes.items():

            def told(kind: str, what: Any, label: str = label) -> None:
                if kind == DONE:
                    with session.page.kernel():
                        gathered[label] = what
                        set_found(dict(gathered))

            session.runs.want((id(session), "why", label), variant.question, told)

    if not changes:
        Prose(heading=t("why.moves"), lines=[t("why.moves_none")], event_act=_nothing)
        return
    if asked != key:
        Prose(
            heading=t("why.moves"), lines=[t("why.moves_about")], action=t("why.compute"), event_act=compute
        )
        return
    indicator = view.about(name)
    unit = indicator.unit if indicator else ""
    years = [year for year in (2030, view.calendar.years[-1]) if year in view.calendar.years]
    rows = []
    for label in changes:
        told_name = label if label in ("scenario", "package", "seed") else ""
        text = t(f"control.{told_name}") if told_name else setting_or_taken(label, state, session, t)
        cells = []
        for year in years:
            now = view.yearly(name).get(year)
            without = runs[label].yearly(name).get(year) if label in runs else None
            if label not in runs:
                cells.append("…")
            elif now is None or without is None:
                cells.append("–")
            else:
                cells.append(
                    t("tile.same") if same(now, without) else amount(now - without, unit, t, sign=True)
                )
        rows.append((text, *cells))
    head = (t("why.moves_change"), *(f"{t('why.moves_part')}, {year}" for year in years))
    Sheet(
        session,
        "parts",
        t("why.moves"),
        Table(head, tuple(rows), tuple(range(1, len(head)))),
        t("why.moves_about"),
    )


def setting_or_taken(name: str, state: State, session: Session, t: Texts) -> str:
    """A setting in words; one that was taken back, as such."""
    if name in state.values:
        return setting_words(name, state.values[name], session.knobs, t)
    return t("describe.taken_back", name=t.knob(name))


def changes_between(before: State, after: State) -> dict[str, State]:
    """Each difference by name, with the state that has all of ``after`` but it."""
    from dataclasses import replace

    changes: dict[str, State] = {}
    for part in ("scenario", "package", "seed"):
        if getattr(before, part) != getattr(after, part):
            changes[part] = replace(after, **{part: getattr(before, part)})
    old, new = before.values, after.values
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            changes[name] = after.having(name, old.get(name))
    return changes


@solara.component
def Rests(session: Session) -> None:
    """What every figure rests on: the levers and uncertainties as they stand, with sources."""
    t = session.t
    values = session.values()
    settings = session.state.value.values
    rows = []
    for name in sorted(values, key=lambda name: (name not in settings, session.knobs.of[name].lever, name)):
        knob = session.knobs.of[name]
        rows.append(
            (
                t.knob(name),
                amount(values[name], knob.unit, t),
                t("assume.changed") if name in settings else t(f"assume.{knob.confidence}"),
                knob.source,
            )
        )
    head = (t("assume.name"), t("assume.value"), t("assume.confidence"), t("assume.source"))
    Sheet(session, "rests", t("why.assumptions"), Table(head, tuple(rows), (1,)), t("why.assumptions_about"))
