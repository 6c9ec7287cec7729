"""Neighbouring countries: rivals, customers, imitators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
        self.name = table.country[self.country]
        self.pipeline_mw_year = float(table.pipeline_mw_year[self.country])
        self.chips_wanted = 0.0
        self.chips_received = 0.0

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        model, p = self.world_model, self.world_model.parameters
        hosting, response = model.hosting, p["rival_response"]
        used = hosting.used.item(self.country)
        pace = self.pipeline_mw_year / 12.0 * min(used / self.trait["build_above"], 1.5)
        gained = max(hosting.home_share - hosting.home_share_first, 0.0)
        pace *= 1.0 + response * self.trait["imitation"] * gained
        pace *= 0.5 + 0.5 * response
        kw = model.vintage_kw.item(model.vintage_for(month)) * p["gpu_power_factor"] * p["pue"]
        share = p["ai_share_of_hosting"]
        self.chips_wanted = pace * share * 1000.0 / kw
        got = min(self.chips_received / self.chips_wanted, 1.0) if self.chips_wanted > 0.0 and month else 1.0
        built = pace * (1.0 - share + share * got)
        bound = "accelerators" if got < 1.0 else ""
        return (Intent(self.who, "expand", self.name, built, "MW", {"used": used}, bound, self.country),)

    def score(self, month: int) -> float:
        """Contestable demand hosted, MW."""
        hosted: float = self.world_model.hosting.hosted.item(self.country)
        return hosted
