"""AI professionals: how many there are, who needs them, and who goes short.

The stock grows by itself and by training, less outflow. Needed are people at AI sites, in startups and in
other firms. When there are too few, they are shared among these by the trainer's rule of ``rationing.csv``
(proportionally to need where it says nothing); each group of startups founds firms as far as it is served.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from abm.core.allocate import join, staff
from abm.core.allocate import people as at
from abm.core.allocate.rationing import rule_code
from abm.decisions import Intent
from abm.state import AI, ENERGISED
from abm.works import LAST_CLASS

if TYPE_CHECKING:
    from abm.model import Model

OTHERS = "other firms"


class TalentPool:
    """People and needs by user: owners of AI sites, groups of startups, other firms."""

    def __init__(self, model: Model):
        self.model = model
        supply, cast = model.supply, model.world.cast
        trainers = [agent.who for agent in model.acting("entry") if supply.out_of(agent.who, "talent")]
        self.trainer = trainers[0] if trainers else ""
        self.owners = [cast.keys[row] for row in model.owner_rows]
        self.users = [*self.owners, *model.startups.groups, OTHERS]
        rule = supply.rule_of(self.trainer, "talent")
        edges = [supply.edge(self.trainer, who, "talent") for who in self.users]
        self._edges = np.array([-1 if edge is None else edge for edge in edges], np.int64)
        self._tier = supply.at(supply.priority, self._edges, LAST_CLASS)
        # Nobody stands in a queue for people: who comes first is who needs them, so that need stands for both.
        self._rule = rule_code("proportional" if rule == "first-come" else rule)
        self.need = np.zeros(len(self.users))
        self.served = np.ones(len(self.users))
        """Share of each user's need that there are people for."""
        self._place = {who: i for i, who in enumerate(self.users)}
        self._owner_place = np.full(len(cast), -1, np.int64)
        self._owner_place[model.owner_rows] = np.arange(len(self.owners))

    def served_share(self, who: str) -> float:
        """Share of the need of one user that there are people for."""
        return self.served.item(self._place[who])

    def month(self, month: int) -> None:
        """Grow the stock, count the needs, share the people."""
        model, p, sites = self.model, self.model.parameters, self.model.state.sites
        fade = p["growth_fade"] ** (month / 12.0)
        model.talent *= (1.0 + p["talent_growth"] * fade - p["talent_outflow"]) ** (1.0 / 12.0)
        others = p["talent_other"] * math.exp(math.log1p(p["talent_other_growth"]) * month / 12.0)
        found = np.empty(at.FOUND)
        staff(
            sites.count, ENERGISED, AI, sites.status, sites.kind, sites.owner, sites.mw, self._owner_place,
            len(self.owners), p["talent_per_mw"], model.state.ai_mw, model.startups.living, p["talent_per_firm"],
            others, self._rule, self._tier, model.talent, self.need, self.served, found,
        )  # fmt: skip
        model.talent_needed, worst = found.tolist()
        if model.talent < model.talent_needed and self.trainer:
            values = {"people": model.talent, "worst_served_share": worst}
            intent = Intent(self.trainer, "ration", "talent", model.talent_needed, "person", values)
            model.decisions.repeat(month, intent, model.talent, "shortage", every=12)

    def train(self, month: int, people: float) -> None:
        """``people`` join the stock; they are booked where they are missing most."""
        model = self.model
        model.talent += people
        supply = model.supply
        join(people, self._edges, self.need, self.served, supply.flow[month], supply.asked[month])
