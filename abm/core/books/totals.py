"""The sum of an array, for stocks that are counted every month: a fraction of what NumPy's call costs."""

from __future__ import annotations

from abm.core.jit import kernel


@kernel(["float64(float64[::1])"], allocates=False)
def total(values):
    """Sum of ``values`` (n,), in four sums side by side."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    fours = values.size // 4
    for k in range(fours):
        a += values[4 * k]
        b += values[4 * k + 1]
        c += values[4 * k + 2]
        d += values[4 * k + 3]
    for k in range(4 * fours, values.size):
        a += values[k]
    return (a + b) + (c + d)
