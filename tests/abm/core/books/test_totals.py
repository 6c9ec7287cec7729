"""The compiled sum is NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from abm.core.books.totals import total


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 103])
def test_the_sum_is_that_of_all_values(size: int) -> None:
    values = np.random.default_rng(size).uniform(-1.0, 9.0, size)
    assert total(values) == pytest.approx(float(values.sum()))
