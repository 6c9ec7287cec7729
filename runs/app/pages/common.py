"""What the pages have in common: the session of this user, charts as components, files to save."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import reacton.ipyvuetify as rv
import solara

from runs.app.parts import ChartFigure, Plain
from runs.app.session import Session
from runs.app.state import command_of
from runs.views.charts import Chart
from runs.views.data import csv_of, table_csv
from runs.views.runview import RunView

session_context: Any = solara.create_context(None)
"""The session of this user; every page reads it with :func:`my_session`."""

_parcels = itertools.count(1)


def my_session() -> Session:
    """The session of the user whose page is drawn."""
    found: Session = solara.use_context(session_context)
    return found


def parcel(name: str, text: str, kind: str = "text/csv;charset=utf-8") -> dict[str, Any]:
    """A file for the browser."""
    return {"number": next(_parcels), "name": name, "text": text, "type": kind}


def box(tag: str, classes: str, children: list[Any], **attributes: Any) -> Any:
    """An HTML element around components."""
    return rv.Html(tag=tag, class_=classes, children=children, attributes=attributes)


def words(tag: str, text: str, classes: str = "") -> Any:
    """An HTML element that holds text."""
    return rv.Html(tag=tag, class_=classes, children=[text])


@solara.component
def Figure(
    session: Session,
    chart: Chart,
    view: RunView | None = None,
    height: int = 290,
    wide: bool = False,
    on_pick: Callable[[str], None] | None = None,
    stamp: int = 0,
    level: int = 3,
    data: Callable[[], str] | None = None,
) -> None:
    """A chart of the views in the page."""
    t = session.t

    def csv(_: Any) -> None:
        if data is not None:
            text = data()
        elif view is not None and chart.names:
            state = session.shown.value.state or session.state.value
            text = csv_of(view, chart.names, command_of(state))
        else:
            notes = [chart.title, chart.summary]
            if view is not None:
                notes.append(f"run {view.run_id}; computed by the command: {command_of(session.state.value)}")
            text = table_csv(chart.table, tuple(notes))
        session.parcel.value = parcel(f"madang-{chart.key}.csv", text)

    labels = {key: t(f"chart.{key}") for key in ("table", "back")}
    for key in ("table_label", "data_label", "picture_label"):
        labels[key] = t(f"chart.{key}", title=chart.title)
    option = chart.option
    if stamp:
        option = {**option, "madang": {**option.get("madang", {}), "stamp": stamp}}
    source = (
        f"madang · {view.record.scenario} · {view.record.package} · seed {view.record.seed} · run {view.run_id}"
        if view
        else "madang"
    )
    ChartFigure(
        name=chart.key,
        heading=chart.title,
        unit=chart.unit,
        summary=chart.summary,
        note=chart.note,
        source=source,
        option=Plain(option),
        table=Plain(chart.table.plain()),
        texts=labels,
        height=height,
        wide=wide,
        clickable=on_pick is not None,
        level=level,
        event_csv=csv,
        event_pick=lambda data: on_pick(str(data.get("name", ""))) if on_pick else None,
    )
