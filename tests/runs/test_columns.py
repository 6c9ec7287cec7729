"""Columns made from buffers are the columns that Arrow makes of the same values."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from runs import schema
from runs.columns import array, doubles, table_of_rows

DAY = datetime.date(2031, 2, 1)
FIGURES = pa.map_(pa.string(), pa.float64())


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", "전력", "", None], pa.string()),
        ([1.5, None, math.inf, -0.0, 3], pa.float64()),
        ([2**62, -1], pa.int64()),
        ([7, None], pa.int32()),
        ([True, None, False] * 5, pa.bool_()),
        ([DAY, None, datetime.date(1969, 12, 31)], pa.date32()),
        ([[("a", 1.0), ("b", None)], [], [("c", 2.0)]], FIGURES),
        *(([], kind) for kind in (pa.string(), pa.float64(), pa.bool_(), pa.date32(), FIGURES)),
        *(([None, None], kind) for kind in (pa.string(), pa.float64(), pa.bool_(), pa.date32())),
    ],
)
def test_a_column_is_what_arrow_makes_of_the_same_values(values: list[Any], kind: pa.DataType) -> None:
    made = array(values, kind)
    made.validate(full=True)
    assert made.type == kind
    assert made.equals(pa.array(values, kind))
    assert made.null_count == sum(value is None for value in values)


def test_what_is_not_a_number_stays_so() -> None:
    [found] = array([math.nan], pa.float64()).to_pylist()
    assert math.isnan(found)


@pytest.mark.parametrize(("value", "kind"), [(1, pa.string()), ("x", pa.float64()), (2**40, pa.int32())])
def test_a_value_of_another_kind_is_refused(value: Any, kind: pa.DataType) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        array([value], kind)


def test_what_a_row_lacks_is_null() -> None:
    rows = [
        {"run_id": "r", "site": "a", "mw": 5.0},
        {"run_id": "r", "site": "b", "announced": DAY, "originated": True},
    ]
    made = table_of_rows(rows, schema.sites_schema())
    assert made.equals(pa.Table.from_pylist(rows, schema=schema.sites_schema()), check_metadata=True)


@pytest.mark.parametrize("values", [[], [1.0, -0.0, math.inf], [math.nan] * 9, [1.0, math.nan, 3.0] * 4])
def test_doubles_are_null_where_they_are_not_a_number(values: list[float]) -> None:
    table = np.array([values, values]).T  # a column of it does not lie in one piece
    made = doubles(table[:, 1])
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.float64(), from_pandas=True))
    assert made.null_count == sum(map(math.isnan, values))


def test_doubles_of_other_numbers_are_their_values() -> None:
    assert doubles(np.array([1, 2])).to_pylist() == [1.0, 2.0]
    assert doubles(np.array([1.5], np.float32)).to_pylist() == [1.5]
