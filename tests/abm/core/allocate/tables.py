"""Small balanced input-output tables for the tests and benchmarks of ARIO."""

from __future__ import annotations

import numpy as np


def table(
    regions: int, sectors: int, seed: int = 3, *, trade: float = 0.2
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(intermediate use, final demand, output) of every industry; an industry buys mostly in its own region."""
    n = regions * sectors
    rng = np.random.default_rng(seed)
    region = np.arange(n) // sectors
    a = rng.uniform(0.1, 1.0, (n, n)) * np.where(region[:, None] == region, 1.0, trade)
    a *= rng.uniform(0.3, 0.6, n) / a.sum(axis=0)
    final = 1e6 * rng.uniform(50.0, 150.0, n)
    output = np.linalg.solve(np.eye(n) - a, final)
    return a * output, final, output
