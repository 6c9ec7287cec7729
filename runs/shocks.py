"""What a shock to the supply graph costs whom, when, and through which path.

:func:`shock_experiment` runs a scenario twice under the same luck, without and with the shock, and compares:
every stakeholder's own objective, the indicators, and the deliveries on every edge of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from policies.reading import Problems
from runs.assemble import Prepared, prepare
from runs.checking import BadInput, Complaint
from runs.shortfalls import Route, route_text, routes, shortfall_graph, shortfall_table
from runs.supply_shocks import PREFIX, SupplyShock, edges_of, read_setting
from runs.worlds import loader

if TYPE_CHECKING:
    import networkx as nx
    import polars as pl

    from abm.core.power import Backend
    from abm.model import Model
    from abm.world import World

VISIBLE = 1e-9
"""Relative difference below which two runs agree."""

SOLVER = ("power_pivots", "power_fallbacks", "power_gap")
"""Indicators that tell about the solver, not about the world."""


@dataclass(frozen=True)
class ShockExperiment:
    """Two finished runs that differ by a shock alone, and what can be read from them."""

    shocks: tuple[SupplyShock, ...]
    baseline: Model
    shocked: Model
    baseline_run: Prepared
    shocked_run: Prepared

    @cached_property
    def graph(self) -> nx.MultiDiGraph:
        """Edges on which less was delivered than without the shock, at some time.

        Edge data: ``good``; ``first`` and ``worst_month`` (month indices); ``worst`` and ``final``, what was missing in
        all by then and at the end; ``by_month`` (months,) missing in each month, negative where it was made good.
        Nodes carry ``name``, ``kind``, ``loss`` (of the objective, at the end) and ``shocked``.
        """
        graph = shortfall_graph(self.baseline.supply, self.shocked.supply, VISIBLE)
        losses = self._score_losses()
        for who in graph.nodes:
            graph.nodes[who]["loss"] = float(losses[who][-1]) if who in losses else 0.0
            graph.nodes[who]["shocked"] = any(shock.supplier == who for shock in self.shocks)
        return graph

    @cached_property
    def shortfalls(self) -> pl.DataFrame:
        """One row for each edge and month in which deliveries differ: ``missing`` = without less with the shock."""
        return shortfall_table(self.baseline.supply, self.shocked.supply, self.baseline.calendar, VISIBLE)

    @cached_property
    def losses(self) -> pl.DataFrame:
        """One row for each stakeholder whose objective the shock moved, those hit hardest first.

        ``unit`` says what the objective counts; ``first`` month felt, ``worst_month`` and ``worst`` loss (negative: a gain
        throughout), ``final`` loss at the end, ``share``: worst loss over the largest objective without the shock;
        ``path`` and ``goods``: how it got there, blank where no delivery leads there (who counts the outcome of the whole
        hub, or gains from others' losses); ``how``: the same in words.
        """
        import polars as pl

        calendar, objective = self.baseline.calendar, self.baseline.world.cast.objective
        reached = self._routes()
        rows = []
        for who, loss in self._score_losses().items():
            base = self._series(self.baseline, f"stakeholder_score.{who}")
            felt = np.abs(loss) > VISIBLE * max(float(np.nanmax(np.abs(base))), 1e-300)
            if not felt.any():
                continue
            first, worst = int(np.argmax(felt)), int(np.nanargmax(loss))
            route = reached.get(who)
            row = self.baseline.world.cast.row(who)
            rows.append(
                {
                    "who": who,
                    "name": self.baseline.world.cast.name[row],
                    "kind": self.baseline.world.cast.kind[row],
                    "unit": objective[row],
                    "first": calendar.text(first),
                    "worst_month": calendar.text(worst),
                    "worst": float(loss[worst]),
                    "final": float(loss[-1]),
                    "share": float(loss[worst]) / max(float(np.nanmax(np.abs(base))), 1e-300),
                    "path": list(route.nodes) if route else [],
                    "goods": list(route.goods) if route else [],
                    "how": route_text(route),
                }
            )
        schema: dict[str, Any] = {
            "who": pl.Utf8, "name": pl.Utf8, "kind": pl.Utf8, "unit": pl.Utf8, "first": pl.Utf8, "worst_month": pl.Utf8,
            "worst": pl.Float64, "final": pl.Float64, "share": pl.Float64, "path": pl.List(pl.Utf8),
            "goods": pl.List(pl.Utf8), "how": pl.Utf8,
        }  # fmt: skip
        return pl.DataFrame(rows, schema=schema).sort("share", "who", descending=[True, False])

    @cached_property
    def indicators(self) -> pl.DataFrame:
        """One row for each indicator that the shock moved: ``first`` month, where it moved most, and at the end."""
        import polars as pl

        calendar = self.baseline.calendar
        rows = []
        for indicator in self.baseline.indicators:
            name = indicator.name
            if name in SOLVER or indicator.later or name.startswith("stakeholder_score."):
                continue
            one, other = self._series(self.baseline, name), self._series(self.shocked, name)
            size = max(float(np.nanmax(np.abs(one))), 1e-300) if np.isfinite(one).any() else 1.0
            move = other - one
            moved = np.abs(move) > VISIBLE * size
            if not moved.any():
                continue
            most = int(np.nanargmax(np.abs(move)))
            rows.append({
                "indicator": name, "unit": indicator.unit, "first": calendar.text(int(np.argmax(moved))),
                "most_month": calendar.text(most), "without": float(one[most]), "with": float(other[most]),
                "change": float(move[most]), "final_without": float(one[-1]), "final_with": float(other[-1]),
            })  # fmt: skip
        return pl.DataFrame(rows)

    def summary(self) -> dict[str, Any]:
        """Plain data for JSON: the shocks, what was lost, what indicators did."""
        return {
            "shocks": [str(shock) for shock in self.shocks],
            "world": self.baseline.world.name,
            "run_id": self.shocked_run.run_id(),
            "baseline_run_id": self.baseline_run.run_id(),
            "losses": self.losses.to_dicts(),
            "indicators": self.indicators.to_dicts(),
            "shortfalls": [
                {
                    "supplier": supplier, "buyer": buyer, "good": good, "worst": data["worst"], "final": data["final"],
                    "first": self.baseline.calendar.text(data["first"]),
                    "worst_month": self.baseline.calendar.text(data["worst_month"]),
                }
                for supplier, buyer, good, data in sorted(
                    self.graph.edges(keys=True, data=True), key=lambda edge: (edge[3]["first"], edge[:3])
                )
            ],
        }  # fmt: skip

    def _routes(self) -> Mapping[str, Route]:
        start = {
            shock.supplier: max(shock.start - self.baseline.calendar.first, 0)
            for shock in reversed(self.shocks)
        }
        cut = {(shock.supplier, shock.buyer, shock.good) for shock in self.shocks if shock.buyer}
        whole = {shock.supplier for shock in self.shocks if not shock.buyer}
        return routes(self.graph, start, {edge for edge in cut if edge[0] not in whole})

    def _score_losses(self) -> dict[str, np.ndarray]:
        """Stakeholder to (months,) of its objective without less with the shock; who has none is left out."""
        found = {}
        for agent in self.baseline.stakeholders:
            name = f"stakeholder_score.{agent.who}"
            if name not in self.baseline.recorder.column:
                continue
            one, other = self._series(self.baseline, name), self._series(self.shocked, name)
            if np.isfinite(one).any() and np.isfinite(other).any():
                found[agent.who] = np.where(np.isfinite(one - other), one - other, 0.0)
        return found

    @staticmethod
    def _series(model: Model, name: str) -> np.ndarray:
        found: np.ndarray = model.recorder.values[: model.recorder.recorded, model.recorder.column[name]]
        return found


def shock_experiment(
    shocks: str | SupplyShock | Iterable[str | SupplyShock] = (),
    scenario: str = "baseline",
    package: str = "as-announced",
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    world: str | World = "korea",
    progress: Callable[[int, int], None] | None = None,
    power_backend: Backend | None = None,
) -> ShockExperiment:
    """Run ``scenario`` without and with ``shocks`` under the same luck, and compare.

    A shock is a text such as ``"sk-hynix=0@2027-01+6"`` (see ``runs.supply_shocks``) or a ``SupplyShock``; shocks that
    the scenario or the settings hold already are part of the shocked run only. Raises
    :class:`runs.checking.BadInput` before anything runs if something is wrong. ``progress`` counts the months of
    both runs together.

    >>> found = shock_experiment("sk-hynix=0@2027-01+12", seed=7)
    >>> found.losses, found.graph
    """
    without, with_shock = prepare_both(shocks, scenario, package, seed, settings, world)
    months = without.settled.calendar.months

    def counted(done_before: int) -> Callable[[int, int], None] | None:
        return None if progress is None else lambda done, _: progress(done_before + done, 2 * months)

    baseline = without.build(power_backend).run_model(counted(0))
    shocked = with_shock.build(power_backend).run_model(counted(months))
    return ShockExperiment(with_shock.supply_shocks(), baseline, shocked, without, with_shock)


def prepare_both(
    shocks: str | SupplyShock | Iterable[str | SupplyShock],
    scenario: str,
    package: str,
    seed: int,
    settings: Mapping[str, Any] | None,
    world: str | World,
) -> tuple[Prepared, Prepared]:
    """The runs without and with the shocks, checked."""
    loaded = loader.load(world) if isinstance(world, str) else world
    given = dict(settings or {})
    plain = {name: value for name, value in given.items() if not name.startswith(PREFIX)}
    shocked = prepare(world, scenario, package, {**given, **_as_settings(shocks, loaded, given)}, seed)
    if not shocked.settled.supply_shocks:
        message = "found no shock that changes anything; name one, such as sk-hynix=0@2027-01+6"
        raise BadInput([Complaint("shock", 0, "SHOCK", message)])
    calm = replace(shocked.scenario, supply_shocks=())
    return prepare(world, calm, package, plain, seed), shocked


def _as_settings(
    shocks: str | SupplyShock | Iterable[str | SupplyShock], world: World, given: Mapping[str, Any]
) -> dict[str, str]:
    """Shocks as settings, on top of those ``given``."""
    listed: Sequence[str | SupplyShock] = [shocks] if isinstance(shocks, (str, SupplyShock)) else list(shocks)
    windows: dict[str, list[str]] = {
        name: [str(value)] for name, value in given.items() if name.startswith(PREFIX)
    }
    problems = Problems()
    for one in map(str, listed):
        name, equals, value = (part.strip() for part in one.removeprefix(PREFIX).partition("="))
        if not equals:
            problems.note((one,), "expected NAME=FACTOR@YYYY-MM+MONTHS, such as sk-hynix=0@2027-01+6")
            continue
        read_setting(PREFIX + name, value, edges_of(world), world.calendar, problems)
        windows.setdefault(PREFIX + name, []).append(value)
    if problems:
        raise BadInput([Complaint("shock", 0, str(path[0]), message) for path, message in problems])
    return {name: ";".join(values) for name, values in windows.items()}
