"""Results as an xarray Dataset: one axis for each of scenario, package, sample, replicate and month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from runs.checking import BadInput, Complaint, unknown
from runs.schema import L, M, X

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa
    import xarray

    from runs.results import Results

AXES = ("scenario", "package", "sample", "replicate")


def to_xarray(results: Results, indicators: Sequence[str] | None) -> xarray.Dataset:
    """See :meth:`runs.results.Results.to_xarray`."""
    import xarray

    schema = results.arrow_schema("runs")
    finals = wanted(results, schema, indicators)
    inputs = [name for name in schema.names if name.startswith((X, L))]
    runs = results.scan("runs").select([*AXES, "run_id", *inputs, *(M + name for name in finals)]).collect()
    axes: dict[str, list[Any]] = {axis: _in_order(results, runs, axis) for axis in AXES}
    place = _places(runs, axes)
    shape = tuple(len(values) for values in axes.values())
    variables: dict[str, Any] = {}
    for name in finals:
        variables[f"final.{name}"] = (AXES, _fill(shape, place, runs[M + name]), _about(schema, M + name))
    for name in inputs:
        if runs.schema[name].is_numeric():
            variables[name] = (AXES, _fill(shape, place, runs[name]), _about(schema, name))
    if results.place.names("series"):
        variables |= _series(results, runs, finals, shape, place, axes)
    return xarray.Dataset(variables, coords=axes, attrs={"world": results.head["world"]["name"]})


def wanted(results: Results, schema: pa.Schema, indicators: Sequence[str] | None) -> list[str]:
    """The indicators asked for; :class:`BadInput` for one that is not kept."""
    kept = [name.removeprefix(M) for name in schema.names if name.startswith(M)]
    for name in indicators or ():
        if name.removeprefix(M) not in kept:
            message = unknown(name, "indicator of this folder", kept)
            raise BadInput([Complaint(str(results.place), 0, "indicator", message)])
    return kept if indicators is None else [name.removeprefix(M) for name in indicators]


def _series(
    results: Results, runs: pl.DataFrame, names: list[str], shape: tuple[int, ...], place: np.ndarray,
    axes: dict[str, list[Any]],
) -> dict[str, Any]:  # fmt: skip
    import polars as pl

    schema = results.arrow_schema("series")
    time = schema.names[1]
    kept = [name for name in names if name in schema.names]
    table = results.scan("series").select(["run_id", time, *kept]).collect()
    axes[time] = table[time].unique().sort().to_list()
    # A run that is listed under several names has one series, which goes to each of its places.
    rows = runs.select("run_id").with_columns(pl.Series("place", place)).join(table, "run_id")
    months = len(axes[time])
    month_at = {value: at for at, value in enumerate(axes[time])}
    at = (
        rows["place"].to_numpy() * months
        + rows[time].replace_strict(month_at, return_dtype=pl.Int64).to_numpy()
    )
    whole = (*shape, months)
    return {name: ((*AXES, time), _fill(whole, at, rows[name]), _about(schema, name)) for name in kept}


def _in_order(results: Results, runs: pl.DataFrame, axis: str) -> list[Any]:
    """Scenarios and packages as they were asked for, numbers by size."""
    found = set(runs[axis].to_list())
    asked = results.head.get("asked", {}).get(f"{axis}s", ()) if axis in ("scenario", "package") else ()
    named = [entry["name"] for entry in asked if isinstance(entry, dict) and entry.get("name") in found]
    return named if len(named) == len(found) else sorted(found)


def _places(runs: pl.DataFrame, axes: dict[str, list[Any]]) -> np.ndarray:
    """Where each run lies in an array of all axes, flattened."""
    at = np.zeros(len(runs), np.int64)
    for axis in AXES:
        index = {value: number for number, value in enumerate(axes[axis])}
        at = at * len(index) + np.array([index[value] for value in runs[axis].to_list()], np.int64)
    return at


def _fill(shape: tuple[int, ...], at: np.ndarray, values: pl.Series) -> np.ndarray:
    whole = np.full(shape, np.nan)
    whole.reshape(-1)[at] = values.cast(float).fill_null(np.nan).to_numpy()
    return whole


def _about(schema: pa.Schema, name: str) -> dict[str, str]:
    metadata = schema.field(name).metadata or {}
    about = {key.decode(): value.decode() for key, value in metadata.items()}
    return {key: about[key] for key in ("unit", "about", "yearly") if about.get(key)}
