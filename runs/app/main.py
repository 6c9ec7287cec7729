"""The app that Solara runs: pages, and around them what all pages have."""

from __future__ import annotations

from typing import Any

import solara

from runs.app import server
from runs.app.describe import state_words, step_words
from runs.app.knobs import knobs_of
from runs.app.pages.assumptions import AssumptionsPage
from runs.app.pages.common import box, my_session, parcel, session_context, words
from runs.app.pages.decade import DecadePage
from runs.app.pages.ensembles import EnsemblesPage
from runs.app.pages.months import MonthsPage
from runs.app.pages.why import WhyPage
from runs.app.parts import Porter, Sheet, StatusLine, TopBar
from runs.app.session import Session
from runs.app.state import command_of, files_command_of, package_toml, scenario_toml
from runs.app.worker import prepared
from runs.views.data import csv_of

PAGES = ("decade", "months", "why", "ensembles", "assumptions")


def path_of(page: str) -> str:
    """Where a page is."""
    return "/" if page == PAGES[0] else f"/{page}"


@solara.component
def Layout(children: list[Any] | None = None) -> None:
    """Top bar, status, the page, and sheets above it; makes the session of this user."""
    router = solara.use_router()

    def make() -> Session:
        options = server.serving.options
        return Session(server.serving.runs, knobs_of(options.world), router.search or "")

    session = solara.use_memo(make, [])

    def live() -> Any:
        session.begin()
        return session.close

    solara.use_effect(live, [])
    session_context.provide(session)
    with box("div", "md-app", []):
        Bar(session)
        Messages(session)
        box("div", "md-page", children or [])
        Sheets(session)
        Parcels(session)
        words("footer", session.t("app.footer"), "md-foot")


@solara.component
def Bar(session: Session) -> None:
    """The top bar."""
    t = session.t
    router = solara.use_router()
    here = router.path.strip("/").split("/")[0] or PAGES[0]
    extras = {}
    if here == "months" and session.month.value:
        extras["month"] = str(session.month.value)
    if here == "why" and session.subject.value:
        extras["ask"] = session.subject.value
    settled = session.past.value[session.at.value] == session.state.value
    link = session.link(extras)
    kept = solara.use_ref(link)
    if settled:
        kept.current = link

    def go(page: Any) -> None:
        if page in PAGES:
            router.push(path_of(page) + session.link())

    def act(what: Any) -> None:
        if what in ("undo", "redo", "reset"):
            getattr(session, what)()
        elif what in ("history", "take"):
            session.dialog.value = what
        elif what == "language":
            session.language.value = "en" if session.language.value == "ko" else "ko"

    bar = ("undo", "redo", "reset", "link", "copied", "take", "history", "actions")
    app = ("subtitle", "skip", "language", "language_label", "theme", "dark", "light", "pages")
    TopBar(
        texts={**{key: t(f"bar.{key}") for key in bar}, **{key: t(f"app.{key}") for key in app}},
        pages=[{"key": page, "title": t(f"page.{page}"), "path": path_of(page)} for page in PAGES],
        here=here,
        link=kept.current,
        language=t.language,
        can_undo=session.can_undo,
        can_redo=session.can_redo,
        event_go=go,
        event_act=act,
    )


@solara.component
def Messages(session: Session) -> None:
    """The status line, and what went wrong."""
    t = session.t
    status = session.status.value
    messages = []
    if status.error:
        messages.append({"key": "error", "head": t("app.failed"), "lines": status.error.splitlines()[:6]})
    if session.link_problems.value:
        messages.append(
            {"key": "link", "head": t("app.bad_link"), "lines": list(session.link_problems.value)[:10]}
        )

    def dismiss(key: Any) -> None:
        if key == "link":
            session.link_problems.value = ()
        else:
            session.forgive()

    text = t("app.ran", seconds=f"{status.seconds:.2f}", run_id=status.run_id) if status.run_id else ""
    if status.busy:
        text = t("app.running") if not text else f"{t('app.running')} {text}"
    StatusLine(
        texts={"dismiss": t("app.dismiss")},
        text=text,
        busy=status.busy,
        stamp=status.stamp,
        messages=messages,
        event_dismiss=dismiss,
    )


@solara.component
def Sheets(session: Session) -> None:
    """The sheet that is open, if any."""
    if session.dialog.value == "take":
        Take(session)
    elif session.dialog.value == "history":
        History(session)


def _close(session: Session) -> Any:
    def close(*_: Any) -> None:
        session.dialog.value = ""

    return close


@solara.component
def Take(session: Session) -> None:
    """The state as a command, as files and as data."""
    t = session.t
    state = session.state.value
    ready = prepared(state.question)

    def fetch(key: Any) -> None:
        view = session.shown.value.view
        if key == "data" and view is not None:
            names = tuple(indicator.name for indicator in view.record.indicators)
            text = csv_of(view, names, command_of(session.shown.value.state or state))
            session.parcel.value = parcel(f"madang-{view.run_id}.csv", text)

    parts = [
        {"key": "command", "text": command_of(state), "file": ""},
        {"key": "scenario", "text": scenario_toml(ready, ready.world.name), "file": "my-scenario.toml"},
        {"key": "package", "text": package_toml(ready), "file": "my-package.toml"},
        {"key": "files_command", "text": files_command_of(state), "file": ""},
        {"key": "data", "text": "", "file": "data"},
    ]
    Sheet(
        texts={key: t(f"take.{key}") for key in ("copy", "save", "close")} | {"copied": t("bar.copied")},
        heading=t("take.title"),
        about=t("take.about") + f" ({ready.run_id()})",
        parts=[{**part, "title": t(f"take.{part['key']}")} for part in parts],
        entries=[],
        event_close=_close(session),
        event_go=lambda *_: None,
        event_compare=lambda *_: None,
        event_fetch=fetch,
    )


@solara.component
def History(session: Session) -> None:
    """Every state since the page was opened."""
    t, knobs = session.t, session.knobs
    past = session.past.value
    entries = []
    for at, state in enumerate(past):
        text = state_words(state, knobs, t) if at == 0 else step_words(past[at - 1], state, knobs, t)
        entries.append(
            {"at": at, "text": text, "now": at == session.at.value, "pinned": state == session.pinned.value}
        )

    def compare(at: Any) -> None:
        session.pin(past[int(at)])

    Sheet(
        texts={key: t(f"history.{key}") for key in ("go", "compare", "now", "compared", "close")},
        heading=t("history.title"),
        about=t("history.about"),
        parts=[],
        entries=entries[::-1],
        event_close=_close(session),
        event_go=lambda at: session.go(int(at)),
        event_compare=compare,
        event_fetch=lambda *_: None,
    )


@solara.component
def Parcels(session: Session) -> None:
    """Files on their way to the browser; forgotten once they are there."""

    def taken(_: Any) -> None:
        session.parcel.value = {}

    Porter(parcel=session.parcel.value, event_taken=taken)


@solara.component
def Empty() -> None:
    """A page without content yet."""
    box("main", "md-single", [], id="md-content")


routes = [
    solara.Route(path="/", component=DecadePage, layout=Layout, label="madang"),
    solara.Route(path="months", component=MonthsPage, label="madang"),
    solara.Route(path="why", component=WhyPage, label="madang"),
    solara.Route(path="ensembles", component=EnsemblesPage, label="madang"),
    solara.Route(path="assumptions", component=AssumptionsPage, label="madang"),
]
__all__ = ["my_session", "routes"]
