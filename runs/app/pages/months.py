"""The Month by month page: the decade as it happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import solara

from runs.app.pages.common import Figure, box, my_session, parcel, words
from runs.app.parts import Flows, Log, Plain, Player, ZoneMap
from runs.app.state import command_of
from runs.views import months
from runs.views.charts import Chart, Table


@solara.component
def MonthsPage() -> None:
    """Player, graph, map, log. Only the leaves follow the month, and they do so in the browser."""
    session = my_session()
    t = session.t
    view = session.shown.value.view
    router = solara.use_router()

    def made() -> tuple[Any, ...]:
        if view is None:
            return ()
        return (
            months.supply(view, t),
            months.zone_map(view, t),
            months.log(view, t),
            months.figures(view, t),
            months.sankey(view, t),
        )

    parts = solara.use_memo(made, [view.run_id if view else "", t.language])

    def pick(subject: Any) -> None:
        session.subject.value = str(subject)
        router.push("/why" + session.link({"ask": str(subject)}))

    def rest(month: Any) -> None:
        session.month.value = int(month)

    def save(build: Callable[..., str], name: str) -> Callable[[Any], None]:
        """Hands the data of a part of the page to the browser."""

        def saved(*_: Any) -> None:
            state = session.shown.value.state or session.state.value
            if view is not None:
                notes = [view.world.title, f"run {view.run_id}; computed by the command: {command_of(state)}"]
                session.parcel.value = parcel(f"madang-{name}.csv", build(view, notes))

        return saved

    with box("main", "md-single", [], id="md-content", tabindex="-1"):
        words("h1", t("months.title"))
        if view is None:
            words("p", t("loading"), "md-empty")
            return
        graph, zones, log, figures, sankey = parts
        labels = {
            key.removeprefix("months."): text for key, text in t.table.items() if key.startswith("months.")
        }
        labels |= {"table": t("chart.table"), "backto": t("chart.back")}
        source = f"madang · {view.record.scenario} · {view.record.package} · seed {view.record.seed} · run {view.run_id}"
        names = list(view.months)
        Player(
            texts=labels, months=names, figures=Plain(figures), start=session.month.peek(), event_month=rest
        )
        with box("div", "md-two", []):
            Flows(
                texts=labels,
                graph=Plain(graph),
                months=names,
                source=source,
                event_pick=pick,
                event_csv=save(months.flows_csv, "flows"),
            )
            ZoneMap(
                texts=labels,
                zones=Plain(zones),
                months=names,
                source=source,
                event_pick=pick,
                event_csv=save(months.map_csv, "map"),
            )
        known = [site["site"] for site in view.sites] + list(view.world.cast.keys)
        Log(
            texts=labels,
            log=Plain(log),
            months=names,
            known=known,
            event_pick=pick,
            event_csv=save(months.log_csv, "log"),
        )
        if sankey:
            table = Table(
                (t("months.supplier"), t("months.buyer"), t("unit.GPU")), tuple(sankey["rows"]), (2,)
            )
            chart = Chart(
                "sankey",
                t("months.sankey"),
                t("unit.GPU"),
                t("months.sankey_about"),
                sankey["option"],
                table,
                (),
                t("months.sankey_about"),
            )
            Figure(session, chart, view, height=460, wide=True, level=2)
