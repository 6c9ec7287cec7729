"""Keyed random streams: the same event has the same luck under every policy.

A draw belongs to (root seed, process, who, ordinal of the event). The calendar month is no part of
it, so a site that starts a month later keeps its luck; neither are scenario and package, so two
packages under one root meet the same luck (common random numbers). Adding a stakeholder or a
process shifts nobody else's draws.
"""

from __future__ import annotations

import hashlib
import math
from statistics import NormalDist

import numpy as np

_NORMAL = NormalDist()
_SMALLEST = 2.0**-54


class Luck:
    """All draws of a run. Keys are BLAKE2b hashes of root, process and entity; the ordinal is Philox' counter."""

    def __init__(self, root: int):
        self.root = int(root)
        self._keys: dict[tuple[str, str], tuple[np.uint64, np.uint64]] = {}

    def _key(self, process: str, who: str) -> tuple[np.uint64, np.uint64]:
        key = self._keys.get((process, who))
        if key is None:
            text = f"{self.root}\x1f{process}\x1f{who}".encode()
            digest = hashlib.blake2b(text, digest_size=16, person=b"luck").digest()
            key = (
                np.uint64(int.from_bytes(digest[:8], "little")),
                np.uint64(int.from_bytes(digest[8:], "little")),
            )
            self._keys[process, who] = key
        return key

    def key(self, process: str, who: str) -> tuple[np.uint64, np.uint64]:
        """Philox key of a process and an entity, for kernels that draw many numbers themselves."""
        return self._key(process, who)

    def uniform(self, process: str, who: str, ordinal: int = 0) -> float:
        """One uniform in [0, 1)."""
        from abm.core import philox

        key0, key1 = self._key(process, who)
        return float(philox.uniform(key0, key1, np.uint64(ordinal), np.uint64(0)))

    def normal(self, process: str, who: str, ordinal: int = 0) -> float:
        """One standard normal, by inversion: monotone in the uniform, which keeps pairs comparable."""
        return _NORMAL.inv_cdf(max(self.uniform(process, who, ordinal), _SMALLEST))

    def normals(self, process: str, who: str, ordinals: np.ndarray) -> np.ndarray:
        """``normal`` for each of ``ordinals``."""
        from abm.core import philox

        key0, key1 = self._key(process, who)
        out = np.empty(len(ordinals))
        philox.fill_ordinals(key0, key1, ordinals.astype(np.int64), out)
        return np.array([_NORMAL.inv_cdf(u) for u in np.maximum(out, _SMALLEST).tolist()])

    def lognormal(self, process: str, who: str, mean: float, deviation: float, ordinal: int = 0) -> float:
        """Lognormal with the given mean and standard deviation (not of the logarithm)."""
        if mean <= 0.0:
            return 0.0
        variance = math.log1p((deviation / mean) ** 2)
        return math.exp(
            math.log(mean) - variance / 2 + math.sqrt(variance) * self.normal(process, who, ordinal)
        )

    def uniforms(self, process: str, who: str, births: np.ndarray, ordinal: int = 0) -> np.ndarray:
        """One uniform for each birth id (a population's members; luck belongs to the id, not the slot)."""
        from abm.core import philox

        key0, key1 = self._key(process, who)
        out = np.empty(len(births))
        philox.fill(key0, key1, births.astype(np.int64), np.uint64(ordinal), out)
        return out
