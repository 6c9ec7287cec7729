"""Startups and small firms: one agent for each zone and kind in front of its firms in the population."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from abm.decisions import Intent
from abm.stakeholder import Stakeholder

if TYPE_CHECKING:
    from abm.model import Model


class StartupGroup(Stakeholder):
    """Decides how many firms of its kind enter its zone.

    Founders enter while what a firm can be expected to be worth beats what founding costs them
    (Hopenhayn 1992). The costs of those who might found differ: ``(v / startup_entry_cost) ^
    startup_entry_elasticity`` times the usual number (trait ``entry_year``, of the firms at the start) find
    it below a worth of ``v`` years of cost, and ``startup_entry_most`` times that number is all there are.
    v counts the years in which an average entrant would lose and those in which a lucky one would
    gain, with the right to stop, at what such a firm would have earned in the last half year
    (:meth:`abm.population.Startups.worth`). Entrants also need talent that is to be had.
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

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self.usual = self.trait["firms"] * self.trait["entry_year"] / 12.0
        """Firms that enter in a usual month."""

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        model, p = self.world_model, self.world_model.parameters
        worth = model.startups.worth(self.who)
        beats = (worth / p["startup_entry_cost"]) ** p["startup_entry_elasticity"] if worth > 0.0 else 0.0
        talent = model.people.served_share(self.who)
        count = self.usual * min(beats, p["startup_entry_most"]) * talent
        bound = "talent" if talent < 1.0 else ""
        values = {"worth": worth, "beats": beats}
        return (Intent(self.who, "enter", self.who, count, "firm", values, bound),)

    def score(self, month: int) -> float:
        """Firms alive (weights)."""
        return self.world_model.startups.alive_of(self.who)
