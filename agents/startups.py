"""Startups and small firms: one agent for each zone and kind in front of a slice of a population."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from abm.decisions import Intent
from abm.stakeholder import Stakeholder


class StartupGroup(Stakeholder):
    """Decides how many firms of its kind enter its zone.

    Entry is free (Hopenhayn 1992): the usual rate (trait ``entry_year``, of firms alive at the
    start) is scaled by what a young firm can expect, measured as the group's mean margin over its
    burn in the last half year, and by the talent that is to be had; the more firms lose, the fewer enter,
    none when a month's loss is a month's burn.
    What a firm buys, earns and when it leaves is the population's rule, in ``abm.population``.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        "firms": "firm",
        "entry_year": "1/year",
        "need_h100e": "H100-equivalents",
        "spread": "ratio",
        "runway": "currency",
        "burn_month": "currency/month",
        "quality": "ratio",
    }
    PHASES: ClassVar[tuple[str, ...]] = ("entry",)

    def act(self, phase: str, month: int) -> Iterator[Intent]:
        model = self.world_model
        outlook = model.startups.outlook(self.who)
        talent = min(model.talent / max(model.talent_needed, 1.0), 1.0)
        count = (
            self.trait["firms"] * self.trait["entry_year"] / 12.0 * max(min(1.0 + outlook, 2.0), 0.0) * talent
        )
        yield self.intent("enter", self.who, count, "firm", "talent" if talent < 1.0 else "", outlook=outlook)

    def score(self, month: int) -> float:
        """Firms alive (weights)."""
        return self.world_model.startups.alive_of(self.who)
