"""Arrow tables of plain values, made from buffers.

`pyarrow.array` imports Pandas before it looks at a list, to know a series when it sees one: a quarter of a second of
processor in a command that keeps one run, and in each worker of a batch.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

_EPOCH = datetime.date(1970, 1, 1)


def table_of_rows(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """What `Table.from_pylist` gives."""
    kept = list(rows)
    return table_of_columns({name: [row.get(name) for row in kept] for name in schema.names}, schema)


def table_of_columns(columns: Mapping[str, Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """What `Table.from_pydict` gives."""
    return pa.Table.from_arrays([array(columns[field.name], field.type) for field in schema], schema=schema)


def array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """What `pyarrow.array` gives for values of ``kind``, one that :mod:`runs.schema` has; None is null."""
    if pa.types.is_map(kind):
        pairs = [pair for value in values for pair in value]
        keys, items = ([pair[part] for pair in pairs] for part in (0, 1))
        offsets = _plain(_offsets([len(value) for value in values]), pa.int32())
        return pa.MapArray.from_arrays(
            offsets, array(keys, kind.key_type), array(items, kind.item_type), type=kind
        )
    there = [value is not None for value in values]
    valid = None if all(there) else _bits(there)
    if pa.types.is_string(kind):
        texts = [b"" if value is None else str.encode(value) for value in values]
        offsets = _offsets([len(text) for text in texts])
        buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts))]
        return pa.Array.from_buffers(kind, len(values), buffers)
    if pa.types.is_boolean(kind):
        return pa.Array.from_buffers(kind, len(values), [valid, _bits([bool(value) for value in values])])
    if pa.types.is_date32(kind):
        numbers = [0 if value is None else (value - _EPOCH).days for value in values]
        return _plain(np.array(numbers, np.int32), kind, valid)
    numbers = [0 if value is None else value for value in values]
    return _plain(np.array(numbers, kind.to_pandas_dtype()), kind, valid)


def doubles(values: np.ndarray[Any, np.dtype[np.float64]]) -> pa.Array:
    """What `pyarrow.array` gives for doubles with ``from_pandas``: null where they are not a number."""
    values = np.ascontiguousarray(values, np.float64)
    undefined = np.isnan(values)
    return _plain(values, pa.float64(), _bits(~undefined) if undefined.any() else None)


def _plain(numbers: np.ndarray[Any, Any], kind: pa.DataType, valid: pa.Buffer | None = None) -> pa.Array:
    return pa.Array.from_buffers(kind, len(numbers), [valid, pa.py_buffer(numbers)])


def _offsets(lengths: Sequence[int]) -> np.ndarray[Any, Any]:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if offsets[-1] > np.iinfo(np.int32).max:
        raise OverflowError(
            f"a column of {offsets[-1]:,} bytes is longer than Arrow's offsets of 32 bits reach"
        )
    return offsets.astype(np.int32)


def _bits(flags: Sequence[bool] | np.ndarray[Any, np.dtype[np.bool_]]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(np.array(flags, np.bool_), bitorder="little"))
