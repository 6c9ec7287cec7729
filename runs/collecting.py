"""Python's collector of cycles in processes that are ours alone: the command and its workers."""

from __future__ import annotations

import atexit
import gc

YOUNG = 20_000
"""Objects made before the collector looks for cycles among them: models are full of cycles that end with the run."""


def take_over() -> None:
    """For a process of ours, before it imports anything large.

    Imports make some hundred thousand objects that stay, which the collector would look through dozens of times
    on the way, and again at the end, when all of it goes anyway. Not for a process that is somebody else's:
    there, objects in cycles may have something to say when they go.
    """
    gc.set_threshold(YOUNG)
    atexit.register(gc.freeze)


def settle() -> None:
    """Look less often for cycles, and never again through what is there already.

    For worker processes only, after they have read what they need: what was there before the first run
    stays anyway, and a fork's pages that nobody looks through are not copied (so what is garbage already stays
    too; a process that has run something collects first).
    """
    gc.freeze()
    gc.set_threshold(YOUNG)
