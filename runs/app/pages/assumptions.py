"""The Assumptions page: every number of the world, with range and source."""

from __future__ import annotations

import math
from typing import Any

import solara

from runs.app.knobs import Knobs
from runs.app.pages.common import box, my_session, parcel, words
from runs.app.parts import AssumptionList, Plain
from runs.views.charts import Table
from runs.views.data import table_csv
from runs.views.numbers import digits
from runs.views.texts import Texts


def rows_of(knobs: Knobs, t: Texts) -> list[dict[str, Any]]:
    """Levers, uncertainties and plain parameters, in this order."""
    rows: list[dict[str, Any]] = []
    for knob in sorted(knobs.of.values(), key=lambda knob: knob.parameter):
        rows.append(
            {
                "name": knob.name,
                "kind": knob.kind,
                "label": t.knob(knob.name),
                "unit": knob.unit,
                "value": knob.default,
                "low": knob.low if math.isfinite(knob.low) else None,
                "high": knob.high if math.isfinite(knob.high) else None,
                "step": "any" if knob.parameter else knob.step,
                "range": t("control.range", low=digits(knob.low), high=digits(knob.high)) + f" {knob.unit}",
                "confidence": knob.confidence,
                "source": knob.source,
                "moves": knob.moves,
            }
        )
    return rows


def varying(knobs: Knobs, package: str) -> list[str]:
    """Levers that a package moves more than once, so that no single value says where they stand."""
    steps = knobs.packages[package].targets(knobs.world.calendar.first)
    return [knob.name for knob in knobs.of.values() if knob.lever and len(steps.get(knob.handle, ())) > 1]


@solara.component
def AssumptionsPage() -> None:
    """Search, read, change."""
    session = my_session()
    t = session.t
    rows = solara.use_memo(lambda: rows_of(session.knobs, t), [t.language])

    def change(one: dict[str, Any]) -> None:
        session.move(str(one["name"]), float(one["value"]))
        session.commit()

    def csv(*_: Any) -> None:
        values = session.values()
        table = Table(
            ("name", "kind", "value", "unit", "low", "high", "confidence", "source", "moves"),
            tuple(
                (
                    r["name"],
                    r["kind"],
                    repr(values.get(r["name"], r["value"])),
                    r["unit"],
                    str(r["low"]),
                    str(r["high"]),
                    r["confidence"],
                    r["source"],
                    r["moves"],
                )
                for r in rows
            ),
        )
        session.parcel.value = parcel(
            "madang-assumptions.csv", table_csv(table, (session.knobs.world.title,))
        )

    labels = {key.removeprefix("assume."): text for key, text in t.table.items() if key.startswith("assume.")}
    labels["by_package"] = t("control.by_package")
    with box("main", "md-single", [], id="md-content", tabindex="-1"):
        words("h1", t("assume.title"))
        words("p", t("assume.about", count=len(rows)), "md-lead")
        AssumptionList(
            texts=labels,
            rows=Plain(rows),
            varying=varying(session.knobs, session.state.value.package),
            values=session.values(),
            settings=session.state.value.values,
            event_set=change,
            event_reset=lambda name: session.reset_one(str(name)),
            event_csv=csv,
        )
