"""Neighbouring countries: rivals, customers, imitators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from abm.decisions import Intent
from abm.stakeholder import Stakeholder

if TYPE_CHECKING:
    from abm.model import Model


class Rival(Stakeholder):
    """A country that competes for the region's computing demand.

    It builds at its pipeline's pace while its capacity is used above the trait ``build_above``, slower
    in proportion below; the pace is raised by the rival response times what the home country's
    share has gained since the start (imitation). Capacity comes after its own lead time, and no
    faster than the accelerators it is allocated can fill it.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {"build_above": "share", "imitation": "ratio"}
    PHASES: ClassVar[tuple[str, ...]] = ("rivals",)

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        table = model.world.countries
        self.country = next(i for i in range(len(table)) if int(table.who[i]) == self.row)
        self.chips_wanted = 0.0
        self.chips_received = 0.0

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        model, table = self.world_model, self.world_model.world.countries
        hosting = model.hosting
        used = hosting.used[self.country]
        pace = float(table.pipeline_mw_year[self.country]) / 12.0 * min(used / self.trait["build_above"], 1.5)
        gained = max(hosting.home_share - hosting.home_share_first, 0.0)
        pace *= 1.0 + model.parameters["rival_response"] * self.trait["imitation"] * gained
        pace *= 0.5 + 0.5 * model.parameters["rival_response"]
        p = model.parameters
        kw = float(model.world.vintages.kw[model.vintage_for(month)]) * p["gpu_power_factor"] * p["pue"]
        share = model.parameters["ai_share_of_hosting"]
        self.chips_wanted = pace * share * 1000.0 / kw
        got = min(self.chips_received / self.chips_wanted, 1.0) if self.chips_wanted > 0.0 and month else 1.0
        built = pace * (1.0 - share + share * got)
        yield self.intent(
            "expand",
            table.country[self.country],
            built,
            "MW",
            "accelerators" if got < 1.0 else "",
            target=self.country,
            used=used,
        )

    def score(self, month: int) -> float:
        """Contestable demand hosted, MW."""
        return float(self.world_model.hosting.hosted[self.country])
