"""Phase 11: measures of the month, by the framework's own names; the world says what they are called."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from abm.calendar import NEVER
from abm.state import AI, APPLIED, DECIDED, ENERGISED, PASSED, WITHDRAWN, one_of

if TYPE_CHECKING:
    from abm.model import Model

NAN = math.nan


def run(model: Model, month: int) -> None:
    measures: dict[tuple[str, str], float] = {}
    _accelerators(model, measures)
    _sites(model, month, measures)
    _market(model, measures)
    _power(model, measures)
    _money(model, month, measures)
    _region(model, measures)
    model.forget_book_values()
    for agent in model.stakeholders:
        measures["score", agent.who] = agent.score(month)
    model.ledger.close()
    model.recorder.record(month, measures)
    model.public_month = 0.0


def _accelerators(model: Model, out: dict[tuple[str, str], float]) -> None:
    state, v = model.state, model.world.vintages
    by_vintage = state.chips.sum(axis=0)
    gpu = ~model.is_npu
    out["gpus_online", ""] = float(by_vintage[gpu].sum())
    compute = by_vintage * v.h100e
    total = float(compute.sum())
    out["compute_h100e", ""] = total
    out["leader_share", ""] = float(compute[model.is_leader].sum()) / total if total > 0.0 else NAN
    out["npu_share", ""] = float(compute[model.is_npu].sum()) / total if total > 0.0 else NAN
    sites = state.sites
    per_site = state.chips[:, gpu].sum(axis=1)
    n = sites.count
    by_owner = np.bincount(sites.owner[:n], per_site[:n], len(model.world.cast))
    for row in model.owner_rows:
        out["gpus_by_owner", model.world.cast.keys[row]] = float(by_owner[row])
    everything = float(by_owner.sum())
    out["owner_concentration", ""] = float(((by_owner / everything) ** 2).sum()) if everything > 0.0 else NAN


def _sites(model: Model, month: int, out: dict[tuple[str, str], float]) -> None:
    sites = model.state.sites
    n = sites.count
    status, mw = sites.status[:n], sites.mw[:n]
    ai = sites.kind[:n] == AI
    online = ai & (status == ENERGISED)
    out["ai_sites_mw", ""] = float(mw[online].sum())
    queue = (
        ai
        & one_of((APPLIED, PASSED, DECIDED))[status]
        & (sites.step["connected"][:n] == NEVER)
        & ~sites.started_before[:n]
    )
    out["grid_queue_mw", ""] = float(mw[queue].sum())
    a = sites.announced_rows
    due = ai[:a] & (sites.expected[:a] <= month) & (sites.expected[:a] >= 0) & (sites.announced[:a] <= month)
    mw = sites.mw[:a]
    total = float(mw[due].sum())
    out["site_realisation_share", ""] = float(mw[due & online[:a]].sum()) / total if total > 0.0 else NAN
    late = np.where(online[:a], np.minimum(sites.step["energised"][:a], month), month) - sites.expected[:a]
    alive = due & (sites.status[:a] != WITHDRAWN)
    weight = float(mw[alive].sum())
    out["site_delay_months", ""] = (
        float((mw * np.maximum(late, 0))[alive].sum()) / weight if weight > 0.0 else NAN
    )


def _market(model: Model, out: dict[tuple[str, str], float]) -> None:
    found = model.compute_month
    out["compute_price", ""] = found.price if found.supply > 0.0 or found.home_demand > 0.0 else NAN
    out["compute_served_share", ""] = (
        found.home_served / found.home_demand if found.home_demand > 0.0 else NAN
    )
    everything = (model.state.chips + model.state.store).sum(axis=0) @ model.world.vintages.h100e
    hours = float(everything) * model.calendar.hours(model.month)
    out["utilisation", ""] = found.used / hours if hours > 0.0 else NAN
    has_firms = bool(model.startups.groups)
    out["startup_served_share", ""] = (
        min(found.startup_home / found.startup_need, 1.0) if has_firms and found.startup_need > 0.0 else NAN
    )
    out["startups_alive", ""] = model.startups.firms() if has_firms else NAN
    out["imported_hours", ""] = found.imported
    out["talent", ""] = model.talent


def _power(model: Model, out: dict[tuple[str, str], float]) -> None:
    found = model.power_month
    out["power_price", ""] = found.price
    out["unserved", ""] = found.unserved
    out["curtailed", ""] = found.curtailed
    out["renewable_share", ""] = found.renewable_share
    out["ai_carbon_free_share", ""] = found.ai_carbon_free
    out["emissions", ""] = found.emissions_t / 1e6
    out["peak", ""] = found.peak_mw / 1000.0
    out["lole", ""] = found.lole_hours
    out["congestion", ""] = found.congestion
    out["pivots", ""] = float(found.pivots)
    out["fallbacks", ""] = float(found.fallbacks)
    out["power_gap", ""] = found.gap
    energy = found.generation.sum(0)
    for i, key in enumerate(model.world.technologies.keys):
        out["generation", key] = float(energy[i])
    for zone, key in enumerate(model.world.zones.keys):
        out["zone_price", key] = float(found.zone_price[zone])
        out["ai_load", key] = float(model.state.ai_mw[zone])


def _money(model: Model, month: int, out: dict[tuple[str, str], float]) -> None:
    books, sites = model.utility, model.state.sites
    out["utility_debt", ""] = books.debt
    out["tariff", ""] = books.tariff / 1000.0
    out["committed", ""] = model.committed_total
    out["deployed", ""] = model.deployed_total
    for who, amount in zip(model.investor_names, model.deployed.tolist(), strict=True):
        out["deployed_by", who] = amount
    out["contingent_liability", ""] = float((sites.loan * sites.guaranteed)[: sites.count].sum())
    out["public_spend", ""] = model.public_month
    last = month == model.calendar.months - 1
    out["investor_irr", ""] = (
        model.pooled_irr(month) if last or model.calendar.month_of_year(month) == 11 else NAN
    )


def _region(model: Model, out: dict[tuple[str, str], float]) -> None:
    if not model.hosting:
        return
    out["hosted_share", ""] = model.hosting.share_of(model.hosting.home)
    for country, key in enumerate(model.world.countries.country):
        out["hosted_share", key] = model.hosting.share_of(country)
