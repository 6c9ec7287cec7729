"""Two packages compared run by run: same scenario, same sample, same luck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from runs.checking import BadInput, Complaint, unknown
from runs.cubes import wanted
from runs.schema import M

if TYPE_CHECKING:
    import polars as pl

    from runs.results import Results

_KEYS = ["scenario", "sample", "replicate"]


def paired(results: Results, a: str, b: str, indicators: Sequence[str] | None, level: float) -> pl.DataFrame:
    """See :meth:`runs.results.Results.paired`."""
    import polars as pl

    from runs.batches.precision import interval

    schema = results.arrow_schema("runs")
    names = wanted(results, schema, indicators)
    columns = [M + name for name in names]
    packages = results.scan("runs").select("package").unique().collect()["package"].to_list()
    for package in (a, b):
        if package not in packages:
            message = unknown(package, "package of this folder", packages)
            raise BadInput([Complaint(str(results.place), 0, "package", message)])
    sides = [
        results.scan("runs").filter(pl.col("package") == package).select([*_KEYS, *columns]).collect()
        for package in (a, b)
    ]
    pairs = sides[0].join(sides[1], _KEYS, suffix=" b").sort(_KEYS)
    rows: list[dict[str, Any]] = []
    for (scenario,), part in pairs.group_by("scenario", maintain_order=True):
        samples, sample_at = np.unique(part["sample"].to_numpy(), return_inverse=True)
        replicates, replicate_at = np.unique(part["replicate"].to_numpy(), return_inverse=True)
        for name, column in zip(names, columns, strict=True):
            first, second = (
                part[key].cast(float).fill_null(np.nan).to_numpy() for key in (column, f"{column} b")
            )
            differences = np.full((len(samples), len(replicates)), np.nan)
            differences[sample_at, replicate_at] = second - first
            both = np.isfinite(first) & np.isfinite(second)
            found = interval(differences, level)
            unit = (schema.field(column).metadata or {}).get(b"unit", b"").decode()
            rows.append(
                {
                    "scenario": scenario,
                    "indicator": name,
                    "unit": unit,
                    "n": found.n,
                    "a": _mean(first[both]),
                    "b": _mean(second[both]),
                    "difference": _known(found.mean),
                    "low": _known(found.low),
                    "high": _known(found.high),
                }
            )
    numbers = dict.fromkeys(("a", "b", "difference", "low", "high"), pl.Float64)
    texts = dict.fromkeys(("scenario", "indicator", "unit"), pl.String)
    return pl.DataFrame(rows, schema={**texts, "n": pl.Int64, **numbers})


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
