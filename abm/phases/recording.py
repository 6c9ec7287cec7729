"""Phase 11: measures of the month, by the framework's own names; the world says what they are called."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from abm.calendar import NEVER
from abm.core.sites import census as core
from abm.state import AI, APPLIED, DECIDED, ENERGISED, PASSED, WITHDRAWN, one_of

if TYPE_CHECKING:
    from abm.model import Model

NAN = math.nan


def members(model: Model) -> dict[str, list[str]]:
    """Who the measures of many are about, in the order in which :func:`run` gives them."""
    world = model.world
    return {
        "score": [agent.who for agent in model.stakeholders],
        "gpus_by_owner": [model.account(row) for row in model.owner_rows],
        "deployed_by": model.investor_names,
        "generation": list(world.technologies.keys),
        "zone_price": list(world.zones.keys),
        "ai_load": list(world.zones.keys),
        "hosted_share": list(world.countries.country),
    }


def run(model: Model, month: int) -> None:
    measures: dict[str, float] = {}
    of_members: dict[str, Any] = {}
    owned_h100e = _sites(model, month, measures, of_members)
    _market(model, measures, owned_h100e)
    _power(model, measures, of_members)
    _money(model, month, measures, of_members)
    _region(model, measures, of_members)
    model.forget_profits()
    scores = of_members["score"] = [NAN] * len(model.stakeholders)
    for place, agent in model.scorers:
        scores[place] = agent.score(month)
    model.ledger.close()
    model.recorder.record(month, measures, of_members)
    model.public_month = 0.0


def _sites(model: Model, month: int, out: dict[str, float], of_members: dict[str, Any]) -> float:
    """Sites and accelerators; returns the H100-equivalents that owners hold, at work or waiting."""
    state, sites = model.state, model.state.sites
    figures, by_owner = np.empty(core.FIGURES), np.empty(len(model.owner_rows))
    core.census(
        month,
        sites.count,
        sites.announced_rows,
        AI,
        ENERGISED,
        WITHDRAWN,
        NEVER,
        one_of((APPLIED, PASSED, DECIDED)),
        sites.kind,
        sites.status,
        sites.mw,
        sites.step["connected"],
        sites.started_before,
        sites.expected,
        sites.announced,
        sites.step["energised"],
        model.owner_number(),
        state.chips,
        state.store,
        model.is_npu,
        model.is_leader,
        model.vintage_h100e,
        sites.loan,
        sites.guaranteed,
        by_owner,
        figures,
    )
    found = figures.tolist()
    total, gpus = found[core.H100E], found[core.GPUS]
    due, alive = found[core.DUE_MW], found[core.ALIVE_MW]
    out["gpus_online"] = gpus
    out["compute_h100e"] = total
    out["leader_share"] = found[core.LEADER_H100E] / total if total > 0.0 else NAN
    out["npu_share"] = found[core.NPU_H100E] / total if total > 0.0 else NAN
    out["owner_concentration"] = found[core.SQUARES] / gpus**2 if gpus > 0.0 else NAN
    out["ai_sites_mw"] = found[core.RUNNING_MW]
    out["grid_queue_mw"] = found[core.QUEUE_MW]
    out["site_realisation_share"] = found[core.DUE_RUNNING_MW] / due if due > 0.0 else NAN
    out["site_delay_months"] = found[core.LATE_MW_MONTHS] / alive if alive > 0.0 else NAN
    out["contingent_liability"] = found[core.GUARANTEED]
    of_members["gpus_by_owner"] = by_owner
    return float(found[core.OWNED_H100E])


def _market(model: Model, out: dict[str, float], owned_h100e: float) -> None:
    found = model.compute_month
    out["compute_price"] = found.price if found.supply > 0.0 or found.home_demand > 0.0 else NAN
    out["compute_served_share"] = found.home_served / found.home_demand if found.home_demand > 0.0 else NAN
    hours = owned_h100e * model.calendar.hours(model.month)
    out["utilisation"] = found.used / hours if hours > 0.0 else NAN
    has_firms = bool(model.startups.groups)
    out["startup_served_share"] = (
        min(found.startup_home / found.startup_need, 1.0) if has_firms and found.startup_need > 0.0 else NAN
    )
    out["startups_alive"] = model.startups.firms() if has_firms else NAN
    out["imported_hours"] = found.imported
    out["talent"] = model.talent


def _power(model: Model, out: dict[str, float], of_members: dict[str, Any]) -> None:
    found = model.power_month
    out["power_price"] = found.price
    out["unserved"] = found.unserved
    out["curtailed"] = found.curtailed
    out["renewable_share"] = found.renewable_share
    out["ai_carbon_free_share"] = found.ai_carbon_free
    out["emissions"] = found.emissions_t / 1e6
    out["peak"] = found.peak_mw / 1000.0
    out["lole"] = found.lole_hours
    out["congestion"] = found.congestion
    out["pivots"] = float(found.pivots)
    out["fallbacks"] = float(found.fallbacks)
    out["power_gap"] = found.gap
    of_members["generation"] = found.made
    of_members["zone_price"] = found.zone_price
    of_members["ai_load"] = model.state.ai_mw


def _money(model: Model, month: int, out: dict[str, float], of_members: dict[str, Any]) -> None:
    books = model.utility
    out["utility_debt"] = books.debt
    out["tariff"] = books.tariff / 1000.0
    out["committed"] = model.committed_total
    out["deployed"] = model.deployed_total
    out["public_spend"] = model.public_month
    last = month == model.calendar.months - 1
    out["investor_irr"] = (
        model.pooled_irr(month) if last or model.calendar.month_of_year(month) == 11 else NAN
    )
    of_members["deployed_by"] = model.deployed


def _region(model: Model, out: dict[str, float], of_members: dict[str, Any]) -> None:
    if not model.hosting:
        return
    shares = model.hosting.all_shares()
    out["hosted_share"] = float(shares[model.hosting.home])
    of_members["hosted_share"] = shares
