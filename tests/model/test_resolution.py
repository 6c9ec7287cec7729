"""How many rows stand for the startups is a choice of resolution: aggregates agree within sampling error."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.model import worlds

SEEDS = range(8)
NAMES = ("startups_alive", "startup_served_share", "compute_served_share", "compute_price_krw_per_gpuh")


@pytest.mark.long
def test_few_rows_and_many_tell_the_same_decade() -> None:
    """Paired over seeds, the mean difference between 2,000 rows and 100,000 is no more than chance explains."""
    values = {}
    for rows in (2_000, 100_000):
        world = worlds.parameters(worlds.korea(), startup_rows=rows)
        runs = [worlds.run(world, seed=seed, package="as-announced") for seed in SEEDS]
        values[rows] = {
            name: np.array([np.nanmean(worlds.series(run, name).reshape(-1, 12), axis=1) for run in runs])
            for name in NAMES
        }
        assert min(len(run.startups) for run in runs) > 0.5 * rows
    for name in NAMES:
        few, many = values[2_000][name], values[100_000][name]
        difference = few - many
        error = difference.std(axis=0, ddof=1) / math.sqrt(len(SEEDS))
        # Eleven years of four indicators are looked at: a standard error has to be exceeded well to mean anything.
        allowed = 5.0 * error + 1e-3 * np.abs(many).mean(axis=0)
        assert (np.abs(difference.mean(axis=0)) <= allowed).all(), (name, difference.mean(axis=0), error)
        assert np.abs(difference.mean(axis=0)).max() < 0.05 * np.abs(many).mean(axis=0).max(), name
