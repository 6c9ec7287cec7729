"""The Decade page: levers and uncertainties beside the charts of the whole decade."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import solara

from runs.app.controls import Controls
from runs.app.describe import state_words
from runs.app.pages.common import Figure, box, my_session, words
from runs.app.parts import Findings
from runs.app.session import Session
from runs.views import decade, gains
from runs.views.words import differences


@solara.component
def DecadePage() -> None:
    """Everything at once."""
    session = my_session()
    t = session.t
    with box("main", "md-main", [], id="md-content", tabindex="-1"):
        words("h1", t("decade.title"), "md-hidden")
        with box("aside", "md-side", [], aria_label=t("control.title")):
            Controls(session)
        with box("div", "md-content", []):
            Answers(session)


@solara.component
def Answers(session: Session) -> None:
    """What came of it: words, figures, charts. Drawn again whenever another run is shown."""
    t = session.t
    shown = session.shown.value
    year, set_year = solara.use_state(0)
    view, pinned = shown.view, shown.pinned
    router = solara.use_router()
    if view is None:
        words("p", t("loading"), "md-empty")
        return
    years = view.calendar.years
    at = year or (2030 if 2030 in years else years[-1])
    other = pinned if pinned is not None and pinned.run_id != view.run_id else None
    said = differences(view, other, t) if other is not None else []
    start = session.pinned.value == session.start
    against = t(
        "decade.against",
        what=t(
            "decade.pinned_start" if start else "decade.pinned_state",
            what=state_words(session.pinned.value, session.knobs, t),
        ),
    )

    def why(name: Any) -> None:
        session.subject.value = str(name)
        router.push("/why" + session.link({"ask": str(name)}))

    with box("div", "md-card", []):
        Findings(
            texts={"pin": t("bar.pin"), "year": t("decade.year"), "why": t("page.why")},
            heading=t("decade.changed"),
            against=against,
            none=t("decade.small") if other is not None else t("decade.same"),
            figures=t("decade.figures", year=at),
            said=[asdict(one) for one in said],
            tiles=[asdict(tile) for tile in decade.tiles(view, t, other, at)],
            years=years,
            year=at,
            can_pin=other is not None or session.pinned.value != session.state.value,
            event_pin=lambda *_: session.pin(),
            event_choose_year=set_year,
            event_why=why,
        )
    stamp = shown.stamp
    with box("section", "md-charts", [], aria_label=t("decade.charts")):
        for key, build in decade.CHARTS:
            chart = build(view, t, other)
            if not chart.names:
                continue
            Figure(session, chart, view, stamp=stamp).key(key)
        base = other or shown.bare
        if base is not None and base.run_id != view.run_id:
            name = t("pinned") if other is not None else t("winners.no_policy")
            chart = gains.winners(
                view,
                t,
                base,
                state_words(session.pinned.value, session.knobs, t) if other is not None else name,
            )
            with box("div", "md-wide-box", []):
                Figure(
                    session,
                    chart,
                    view,
                    height=max(200, 34 * len(chart.option["yAxis"]["data"]) + 60),
                    wide=True,
                    stamp=stamp,
                )
        slips = decade.slips(view, t)
        with box("div", "md-wide-box", []):
            Figure(
                session,
                slips,
                view,
                height=max(200, 27 * len(slips.option["yAxis"]["data"]) + 70),
                wide=True,
                stamp=stamp,
            )
