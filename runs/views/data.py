"""Data to take away: CSV below a description of every column and where it comes from."""

from __future__ import annotations

from typing import Any

import numpy as np

from runs.views.charts import Table
from runs.views.runview import RunView


def csv_of(view: RunView, names: tuple[str, ...], command: str) -> str:
    """The indicators month by month, in their own units, below a description of every column and its source."""
    lines = [
        f"# madang: {view.world.title}, scenario {view.record.scenario}, "
        f"package {view.record.package}, seed {view.record.seed}",
        f"# run {view.run_id}; computed by the command: {command}",
        "# month: YYYY-MM",
    ]
    for name in names:
        indicator = view.about(name)
        if indicator is not None:
            lines.append(
                f"# {name}: {indicator.about} Unit: {indicator.unit}. A year is the {indicator.yearly} of its months. "
                "Source: computed by the model in this run."
            )
    for name, value in view.settings.items():
        quantity = view.world.quantities.get(name)
        lines.append(
            f"# set: {name} = {value!r}"
            + (f" {quantity.unit}; source of its range: {quantity.source}" if quantity else "")
        )
    lines.append(",".join(["month", *names]))
    columns = [view.values(name) for name in names]
    for month, text in enumerate(view.months):
        cells = ["" if not np.isfinite(column[month]) else repr(float(column[month])) for column in columns]
        lines.append(",".join([text, *cells]))
    return "\n".join(lines) + "\n"


def table_csv(table: Table, notes: tuple[str, ...] = ()) -> str:
    """A table as CSV below its notes."""

    def cell(text: Any) -> str:
        text = str(text)
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text

    lines = [f"# {note}" for note in notes]
    lines += [",".join(map(cell, row)) for row in (table.head, *table.rows)]
    return "\n".join(lines) + "\n"
