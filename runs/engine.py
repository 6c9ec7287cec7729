"""One run from Python: ``simulate``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from runs.assemble import prepare

if TYPE_CHECKING:
    from abm.core.power import Backend
    from abm.model import Model
    from abm.world import World


def simulate(
    scenario: str = "baseline",
    package: str = "as-announced",
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    world: str | World = "korea",
    progress: Callable[[int, int], None] | None = None,
    power_backend: Backend | None = None,
) -> Model:
    """Run a world to its end and return the finished ``mesa.Model``.

    ``scenario`` and ``package`` are names that ship or paths to TOML files; ``settings`` set
    uncertainties and levers by name and win over both, and shock the supply graph
    (``{"shock.sk-hynix": "0@2027-01+6"}``, see ``runs.supply_shocks``); ``seed`` is the root of all luck, so that two
    packages under one seed meet the same luck. ``progress(months done, months)`` is called after each
    month. Raises :class:`runs.checking.BadInput` before anything runs if something is wrong.

    >>> model = simulate("baseline", package="as-announced", seed=7, settings={"pue": 1.2})
    >>> model.series  # polars: one row a month, one column an indicator
    """
    return prepare(world, scenario, package, settings, seed).build(power_backend).run_model(progress)
