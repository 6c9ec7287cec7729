"""From a finished model to the rows that a batch keeps of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from abm.series import Indicator, Recorder
from runs.batches.spec import Keep
from runs.batches.study import Outcome

if TYPE_CHECKING:
    import pyarrow as pa


class NotFinite(ValueError):
    """A run whose figures are infinite is a failed run."""


def outcome_of(
    run_id: str, model: Any, finals: Sequence[Indicator], series: Sequence[Indicator], keep: Keep
) -> Outcome:
    """What is kept of a finished model; :class:`NotFinite` names the first infinite figure."""
    from runs.store import decisions_table, sites_table

    recorder: Recorder = model.recorder
    calendar = recorder.calendar
    values = recorder.values[: recorder.recorded]
    if np.isinf(values).any():
        month, column = (int(at) for at in np.argwhere(np.isinf(values))[0])
        raise NotFinite(f"{recorder.indicators[column].name} is infinite in {calendar.text(month)}")
    more: dict[str, pa.Table] = {}
    if keep.decisions:
        more["decisions"] = decisions_table(run_id, calendar, model.decisions.records)
    if keep.sites:
        more["sites"] = sites_table(run_id, model.site_report())
    columns = [recorder.column[indicator.name] for indicator in series]
    return Outcome(
        final_values(recorder, finals),
        np.ascontiguousarray(values[:, columns]) if columns else None,
        [calendar.date(month) for month in range(recorder.recorded)],
        more,
    )


def final_values(recorder: Recorder, wanted: Sequence[Indicator]) -> np.ndarray:
    """``recorder.final`` of many indicators, without making the years before the last."""
    calendar = recorder.calendar
    last = recorder.values[recorder.recorded - 1]
    year = recorder.values[calendar.months_of_year(calendar.years[-1])]
    found = np.empty(len(wanted))
    for at, indicator in enumerate(wanted):
        column = recorder.column[indicator.name]
        if indicator.yearly == "last":
            found[at] = last[column]
            continue
        months = year[:, column]
        defined = months[~np.isnan(months)].tolist()
        if not defined:
            found[at] = math.nan
        elif indicator.yearly == "sum":
            found[at] = math.fsum(defined)
        elif indicator.yearly == "max":
            found[at] = max(defined)
        else:
            found[at] = math.fsum(defined) / len(defined)
    return found
