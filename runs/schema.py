"""The columns of a results folder, made from the quantities, levers and indicators of a run.

Explicit schemas keep shards readable together: without them a column that happens to be all null in
one shard gets another type there. Units and meanings travel in the metadata of each column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from abm.series import Indicator

SCHEMA_VERSION = 1
"""Raised whenever a column changes its name, type or meaning; new columns do not raise it."""

X, L, M = "x.", "l.", "m."
"""Prefixes of the runs table: uncertainties, levers, indicators at the end of the run."""

_VERSION = {"schema_version": str(SCHEMA_VERSION)}

RUN_COLUMNS: tuple[pa.Field, ...] = (
    pa.field("run_id", pa.string(), nullable=False),
    pa.field("scenario", pa.string(), nullable=False),
    pa.field("package", pa.string(), nullable=False),
    pa.field("sample", pa.int32(), nullable=False),
    pa.field("replicate", pa.int32(), nullable=False),
    pa.field("seed", pa.int64(), nullable=False),
    pa.field("status", pa.string(), nullable=False),
    pa.field("error", pa.string()),
    pa.field("wall_s", pa.float64(), metadata={"unit": "second"}),
    pa.field("replay", pa.string(), metadata={"about": "the command that runs a failed run again"}),
)

SITE_COLUMNS: tuple[pa.Field, ...] = (
    *(pa.field(name, pa.string()) for name in ("site", "programme", "owner", "zone", "pool", "kind")),
    pa.field("mw", pa.float64(), metadata={"unit": "MW"}),
    pa.field("gpus_planned", pa.float64(), metadata={"unit": "GPU"}),
    pa.field("gpus_online", pa.float64(), metadata={"unit": "GPU"}),
    pa.field("gpus_waiting", pa.float64(), metadata={"unit": "GPU"}),
    *(
        pa.field(name, pa.date32())
        for name in (
            "announced",
            "expected",
            "applied",
            "assessed",
            "permitted",
            "decided",
            "building_complete",
            "connected",
            "chips_complete",
            "energised",
        )
    ),
    pa.field("originated", pa.bool_()),
    pa.field("status", pa.string()),
    pa.field("delay_months", pa.float64(), metadata={"unit": "month"}),
    pa.field("bound", pa.string()),
    pa.field("reason", pa.string()),
)

_RUN_ID = pa.field("run_id", pa.string(), nullable=False)
_MONTH = pa.field("month", pa.date32(), nullable=False)


def runs_schema(
    uncertainties: Mapping[str, str], levers: Mapping[str, str], indicators: Iterable[Indicator]
) -> pa.Schema:
    """One row for each run; the mappings are name to unit."""
    return pa.schema(
        [
            *RUN_COLUMNS,
            *(_number(X + name, unit) for name, unit in uncertainties.items()),
            *(_number(L + name, unit) for name, unit in levers.items()),
            *(_indicator(M + indicator.name, indicator) for indicator in indicators),
        ],
        metadata=_VERSION,
    )


def series_schema(indicators: Iterable[Indicator]) -> pa.Schema:
    """One row for each run and month."""
    return pa.schema([_RUN_ID, _MONTH, *(_indicator(i.name, i) for i in indicators)], metadata=_VERSION)


def plain_schemas(
    parameters: Mapping[str, str], finals: Iterable[str], series: Iterable[str]
) -> dict[str, pa.Schema]:
    """Tables of any model's runs: parameters (name to ``number``, ``flag`` or ``text``), figures without units."""
    kinds = {"number": pa.float64(), "flag": pa.bool_(), "text": pa.string()}
    inputs = [pa.field(X + name, kinds[kind], metadata={"unit": ""}) for name, kind in parameters.items()]
    last = [_indicator(M + name, _plain(name)) for name in finals]
    tables = {"runs": pa.schema([*RUN_COLUMNS, *inputs, *last], metadata=_VERSION)}
    columns = [_indicator(name, _plain(name)) for name in series]
    if columns:
        step = pa.field("step", pa.int32(), nullable=False)
        tables["series"] = pa.schema([_RUN_ID, step, *columns], metadata=_VERSION)
    return tables


def _plain(name: str) -> Indicator:
    return Indicator(name, name, "", "", "last", "")


def decisions_schema() -> pa.Schema:
    """The decision log: one row for each commitment, delay, refusal and rationing."""
    text = [pa.field(name, pa.string(), nullable=False) for name in ("who", "verb", "subject")]
    return pa.schema(
        [
            _RUN_ID,
            _MONTH,
            *text,
            pa.field("amount", pa.float64()),
            pa.field("granted", pa.float64()),
            pa.field("unit", pa.string()),
            pa.field("bound", pa.string()),
            pa.field("values", pa.map_(pa.string(), pa.float64())),
        ],
        metadata=_VERSION,
    )


def sites_schema() -> pa.Schema:
    """One row for each run and site: its dates from announced to energised, and what came last."""
    return pa.schema([_RUN_ID, *SITE_COLUMNS], metadata=_VERSION)


def indicators_of(schema: pa.Schema) -> tuple[Indicator, ...]:
    """The indicators that a series schema was made from."""
    found = []
    for field in schema:
        about = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        if "yearly" in about:
            found.append(
                Indicator(
                    field.name,
                    about.get("measure", ""),
                    about.get("who", ""),
                    about.get("unit", ""),
                    about["yearly"],
                    about.get("about", ""),
                    about.get("later", ""),
                )
            )
    return tuple(found)


def lean(schema: pa.Schema) -> pa.Schema:
    """The same columns with their units alone: a batch says the rest once, in its manifest."""
    fields = [
        field.with_metadata({"unit": field.metadata[b"unit"]} if b"unit" in (field.metadata or {}) else None)
        for field in schema
    ]
    return pa.schema(fields, metadata=_VERSION)


def columns_of(schema: pa.Schema) -> dict[str, dict[str, str]]:
    """What the columns mean, as plain data: name to metadata."""
    return {
        field.name: {key.decode(): value.decode() for key, value in field.metadata.items() if value}
        for field in schema
        if field.metadata
    }


def with_columns(schema: pa.Schema, columns: Mapping[str, Mapping[str, str]]) -> pa.Schema:
    """The schema with its columns' meanings put back."""
    fields = [field.with_metadata(dict(columns.get(field.name, field.metadata or {}))) for field in schema]
    return pa.schema(fields, metadata=schema.metadata)


def _number(name: str, unit: str) -> pa.Field:
    return pa.field(name, pa.float64(), metadata={"unit": unit})


def _indicator(name: str, indicator: Indicator) -> pa.Field:
    return pa.field(
        name,
        pa.float64(),
        metadata={
            "unit": indicator.unit,
            "yearly": indicator.yearly,
            "about": indicator.about,
            "later": indicator.later,
            "measure": indicator.measure,
            "who": indicator.who,
        },
    )
