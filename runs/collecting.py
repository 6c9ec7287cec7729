"""Python's collector of cycles in processes that do nothing but run models."""

from __future__ import annotations

import gc

YOUNG = 20_000
"""Objects made before the collector looks for cycles among them: models are full of cycles that end with the run."""


def settle() -> None:
    """Look less often for cycles, and never again through what is there already.

    For worker processes only, after they have read what they need: what was there before the first run
    stays anyway, and a fork's pages that nobody looks through are not copied (so what is garbage already stays
    too; a process that has run something collects first).
    """
    gc.freeze()
    gc.set_threshold(YOUNG)
