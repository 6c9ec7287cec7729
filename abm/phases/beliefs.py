"""Phase 10: beliefs, talent, entry and exit, and rivals' building."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.core.market import told
from abm.population import ACCOUNT
from abm.state import AI, ENERGISED, WITHDRAWN

if TYPE_CHECKING:
    from abm.model import Model


def run(model: Model, month: int) -> None:
    _credibility(model, month)
    model.people.month(month)
    # All look before any acts, so that the order of the cast plays no part.
    entrants: dict[str, float] = {}
    for intent in [intent for agent in model.acting("entry") for intent in agent.act("entry", month)]:
        if intent.verb == "enter":
            entrants[intent.who] = entrants.get(intent.who, 0.0) + intent.amount
            model.decisions.repeat(month, intent, intent.amount, intent.bound, every=24)
        else:
            intent = model.supply.shocked(month, intent, "", "talent")
            model.people.train(month, intent.amount)
            model.decisions.repeat(month, intent, intent.amount, intent.bound, every=12)
    model.entered += model.startups.enter(entrants)
    model.ledger.post(ACCOUNT, "savings", "money", model.startups.take_capital(), "founders' capital")
    for intent in [intent for agent in model.acting("rivals") for intent in agent.act("rivals", month)]:
        lead = int(model.world.countries.lead_months[intent.target])
        if model.hosting and month + lead < len(model.hosting.coming):
            model.hosting.coming[month + lead, intent.target] += intent.amount
        model.decisions.repeat(month, intent, intent.amount, intent.bound, every=24)
    for agent in model.learners:
        agent.learn(month)


def _credibility(model: Model, month: int) -> None:
    """A Beta belief fed by each announced site once: on time counts for, a year late or withdrawn against."""
    sites = model.state.sites
    rows = np.empty(sites.announced_rows, np.int64)
    count = told(
        month, sites.announced_rows, AI, ENERGISED, WITHDRAWN, sites.kind, sites.status, sites.announced,
        sites.expected, model.judged, rows,
    )  # fmt: skip
    for row in rows[:count].tolist():
        if sites.status[row] == ENERGISED:
            kept = max(1.0 - (int(sites.step["energised"][row]) - int(sites.expected[row])) / 12.0, 0.0)
        else:
            kept = 0.0
        model.belief[0] += min(kept, 1.0)
        model.belief[1] += 1.0 - min(kept, 1.0)
