"""What decides which machines a site wants, puts to work and scraps, and room for a month's findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.core.sites import machines

if TYPE_CHECKING:
    from abm.model import Model

SMALL_GAP = 0.02
"""Part of a site's plan that it leaves open before it orders."""


class SiteMachines:
    """Terms and arrays that the compiled core takes month by month (S sites, V vintages)."""

    def __init__(self, model: Model):
        p, kw, sites = model.parameters, model.vintage_kw, len(model.state.sites.mw)
        power, cells = p["gpu_power_factor"] * p["pue"], sites * len(kw)
        self.most_efficient = np.argsort(-model.vintage_h100e / kw, kind="stable")
        """Vintages, the most efficient first."""
        self.want_terms = np.array([0.0, p["gpu_life_months"], power, p["power_overbooking"], SMALL_GAP])
        """How many a site wants; the month is set each month."""
        self.short, self.missing = np.zeros(sites, np.int64), np.zeros(sites)
        """(S,) sites that want some in a month, and how many."""
        terms = self.terms = np.zeros(machines.TERMS)
        """When they come to work and go; month and rent are set each month."""
        terms[machines.LIFE_MONTHS] = p["gpu_life_months"]
        terms[machines.MW_PER_KW] = power / 1000.0
        terms[machines.OVERBOOKING] = p["power_overbooking"]
        terms[machines.POWER] = power / 1000.0 * 8760.0 * p["load_factor"] * (1.0 + p["running_overhead"])
        self.scrapped = (
            np.zeros(cells, np.int64),
            np.zeros(cells, np.int64),
            np.zeros(cells),
            np.zeros(cells, np.bool_),
        )
        """(S * V,) what goes in a month: sites, vintages, machines, whether by age."""
