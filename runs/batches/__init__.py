"""Many runs: specification, sampling, executors, shards. The front door is imported piece by piece."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runs.batches.api import Job, batch, monte_carlo, replay, start
    from runs.batches.executors import InProcess
    from runs.batches.pool import Pool
    from runs.batches.runner import Progress, Stopped
    from runs.batches.spec import Batch, Correlation, Fork, Keep, Limits, Range, Sample

_WHERE = {
    **dict.fromkeys(("Job", "batch", "monte_carlo", "replay", "start"), "api"),
    **dict.fromkeys(("Batch", "Correlation", "Fork", "Keep", "Limits", "Range", "Sample"), "spec"),
    **dict.fromkeys(("Progress", "Stopped"), "runner"),
    "InProcess": "executors",
    "Pool": "pool",
}
__all__ = [
    "Batch", "Correlation", "Fork", "InProcess", "Job", "Keep", "Limits", "Pool", "Progress", "Range", "Sample",
    "Stopped", "batch", "monte_carlo", "replay", "start",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'runs.batches' has no attribute {name!r}")
    return getattr(import_module(f"runs.batches.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
