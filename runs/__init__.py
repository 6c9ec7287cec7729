"""The front door: ``from runs import simulate, batch, monte_carlo, Results``.

Heavy modules are imported when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import madang as _madang  # noqa: F401  (makes sure that abm, agents and policies are ours)

if TYPE_CHECKING:
    from runs.batches.api import batch, monte_carlo
    from runs.engine import simulate
    from runs.results import Results
    from runs.shocks import shock_experiment

_WHERE = {
    "simulate": "runs.engine",
    "Results": "runs.results",
    "batch": "runs.batches.api",
    "monte_carlo": "runs.batches.api",
    "shock_experiment": "runs.shocks",
}
__all__ = ["Results", "batch", "monte_carlo", "shock_experiment", "simulate"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'runs' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
