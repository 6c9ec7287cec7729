"""Drawing uncertainties and levers: one row of values for each sample.

Monte Carlo and Latin hypercube draw every quantity from a stream of its own, keyed by its name, so that
adding a quantity shifts nobody else's values; Monte Carlo and Sobol rows stay what they were when ``n``
grows. Designs for sensitivity analysis come from SALib in unit ranges; all are then taken through the
quantities' inverse distribution functions.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runs.batches.spec import Correlation, Sample

Floats = NDArray[np.float64]
MORRIS_LEVELS = 4
"""Grid of the elementary effects (Morris 1991, with p = 4 as Campolongo et al. 2007 use it)."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One quantity to draw, with its distribution settled; ``role`` is ``uncertainty`` or ``lever``."""

    name: str
    role: str
    low: float
    high: float
    distribution: str
    mode: float = math.nan

    def quantile(self, u: Floats) -> Floats:
        """Values at the probabilities ``u``."""
        low, high, mode = self.low, self.high, self.mode
        if self.distribution == "loguniform":
            values = np.exp(math.log(low) + u * (math.log(high) - math.log(low)))
        elif self.distribution == "triangular":
            part = (mode - low) / (high - low)
            rising = low + np.sqrt(u * (high - low) * (mode - low))
            falling = high - np.sqrt((1.0 - u) * (high - low) * (high - mode))
            values = np.where(u < part, rising, falling)
        else:
            values = low + u * (high - low)
        return np.asarray(np.clip(values, low, high))


def stream_seed(seed: int, process: str, name: str | int = "") -> int:
    """A root for one use of one batch: a hash, so that neighbouring seeds have nothing in common."""
    digest = hashlib.blake2b(f"{seed}\x1f{process}\x1f{name}".encode(), digest_size=8, person=b"batch")
    return int.from_bytes(digest.digest(), "little") >> 1


def count(sample: Sample, factors: int) -> int:
    """How many rows a sample of so many quantities has."""
    if sample.method == "factorial":
        return int(sample.levels) ** factors
    if sample.method == "saltelli":
        return sample.n * (2 * factors + 2 if sample.second_order else factors + 2)
    return sample.n * (factors + 1) if sample.method == "morris" else sample.n


def draw(sample: Sample, factors: Sequence[Factor], seed: int) -> Floats:
    """Values (rows, quantities). ``ValueError`` where the correlations contradict each other."""
    u = _unit(sample, [factor.name for factor in factors], seed)
    if sample.correlations:
        u = _correlated(u, [factor.name for factor in factors], sample.correlations, sample.method == "lhs")
    columns = [factor.quantile(u[:, at]) for at, factor in enumerate(factors)]
    return np.column_stack(columns) if columns else np.zeros((len(u), 0))


def _unit(sample: Sample, names: Sequence[str], seed: int) -> Floats:
    from scipy.stats import qmc

    n, d = sample.n, len(names)
    if sample.method == "monte-carlo":
        return np.column_stack(
            [np.random.default_rng(stream_seed(seed, "sample", name)).random(n) for name in names]
        )
    if sample.method == "lhs":
        engines = (
            qmc.LatinHypercube(1, rng=np.random.default_rng(stream_seed(seed, "sample", name)))
            for name in names
        )
        return np.column_stack([engine.random(n)[:, 0] for engine in engines])
    if sample.method == "sobol":
        with warnings.catch_warnings():  # SciPy says that n should be a power of two; the plan says so too
            warnings.simplefilter("ignore", UserWarning)
            engine = qmc.Sobol(d, scramble=True, rng=np.random.default_rng(stream_seed(seed, "sample")))
            return np.asarray(engine.random(n))
    if sample.method == "factorial":
        grid = np.linspace(0.0, 1.0, sample.levels)
        return np.stack(np.meshgrid(*[grid] * d, indexing="ij"), -1).reshape(-1, d)
    problem = {"num_vars": d, "names": list(names), "bounds": [[0.0, 1.0]] * d}
    # SALib takes a seed of 32 bits at most.
    small = stream_seed(seed, "sample") & 0x7FFFFFFF
    if sample.method == "saltelli":
        from SALib.sample import sobol  # type: ignore[import-untyped, unused-ignore]

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return np.asarray(sobol.sample(problem, n, calc_second_order=sample.second_order, seed=small))
    from SALib.sample import morris  # type: ignore[import-untyped, unused-ignore]

    return np.asarray(morris.sample(problem, n, num_levels=MORRIS_LEVELS, seed=small))


def correlation_matrix(names: Sequence[str], wanted: Sequence[Correlation]) -> Floats:
    """Correlations of the normals behind the wanted rank correlations, r = 2 sin(pi rho / 6) (Pearson 1907)."""
    at = {name: column for column, name in enumerate(names)}
    matrix = np.eye(len(names))
    for pair in wanted:
        i, j = at[pair.first], at[pair.second]
        matrix[i, j] = matrix[j, i] = 2.0 * math.sin(math.pi * pair.rank / 6.0)
    return matrix


def _correlated(u: Floats, names: Sequence[str], wanted: Sequence[Correlation], reorder: bool) -> Floats:
    """A Gaussian copula on ``u``; for a Latin hypercube its values are reordered (Iman and Conover 1982)."""
    from scipy.special import ndtr, ndtri

    matrix = correlation_matrix(names, wanted)
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        raise ValueError(
            "no numbers can be correlated like that: the correlations contradict each other"
        ) from None
    scores = ndtri(np.clip(u, 1e-12, 1.0 - 1e-12)) @ factor.T
    if not reorder:
        touched = {name for pair in wanted for name in (pair.first, pair.second)}
        moved = ndtr(scores)
        keep = [at for at, name in enumerate(names) if name not in touched]
        moved[:, keep] = u[:, keep]
        return np.asarray(moved)
    ranks = np.argsort(np.argsort(scores, axis=0, kind="stable"), axis=0, kind="stable")
    return np.take_along_axis(np.sort(u, axis=0), ranks, axis=0)
