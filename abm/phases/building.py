"""Phase 6: building proceeds, equipment and accelerators arrive, sites open, old accelerators go."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from abm.calendar import NEVER
from abm.decisions import Intent
from abm.holdings import Holdings
from abm.rationing import proportional_fairness
from abm.state import AI, DECIDED, ENERGISED

if TYPE_CHECKING:
    from abm.model import Model


def run(model: Model, month: int) -> None:
    supplied: dict[str, float] = {}
    for agent in model.acting("capacity"):
        for intent in agent.act("capacity", month):
            supplied[intent.subject] = supplied.get(intent.subject, 0.0) + intent.amount * model.recipe_share(
                intent.subject
            )
            model.decisions.repeat(
                month, intent, intent.amount, "expanding" if intent.values["order_book"] else ""
            )
    capacity = {good: supplied.get(good, math.inf) for good in ("power-equipment", "cooling", "construction")}
    _build(model, month, capacity)
    _equip(model, month, capacity["power-equipment"])
    _receive(model, month)
    _open(model, month)
    _install(model, month)
    _scrap(model, month)
    _build_power(model, month)


def building_months(model: Model, row: int) -> float:
    """Time a building takes with all the crews it wants; larger ones take longer, less than in proportion."""
    mw = float(model.state.sites.mw[row])
    return model.parameters["build_months"] * max(mw / 100.0, 1.0) ** model.parameters["build_size_exponent"]


def _build(model: Model, month: int, capacity: dict[str, float]) -> None:
    """Buildings proceed as crews and cooling reach; chip plants have crews of their own."""
    sites = model.state.sites
    rows = [
        row
        for row in sites.rows(DECIDED).tolist()
        if sites.built[row] < 1.0 and sites.step["built"][row] == NEVER
    ]
    if not rows:
        return
    ai = sites.kind[rows] == AI
    want = np.array(
        [
            min(1.0 / max(building_months(model, row), 1e-9), 1.0 - sites.built[row]) * sites.mw[row]
            for row in rows
        ]
    )
    weight = np.where(ai, sites.mw[rows], 0.0)
    crews = proportional_fairness(want * ai, weight, capacity["construction"])
    cooled = proportional_fairness(want * ai, weight, capacity["cooling"])
    done = np.where(ai, np.minimum(crews, cooled), want)
    for i, row in enumerate(rows):
        before = float(sites.built[row])
        sites.built[row] = min(before + float(done[i]) / float(sites.mw[row]), 1.0)
        if sites.built[row] > 1.0 - 1e-9:
            sites.built[row] = 1.0
            sites.step["built"][row] = month
        if ai[i]:
            model.draw(month, row, model.shell_budget(row) * (float(sites.built[row]) - before), "builders")
            if done[i] < want[i] - 1e-9:
                model.note_scarcity(month, row, "crews" if crews[i] <= cooled[i] else "cooling")
    for good in ("construction", "cooling"):
        model.supplied(month, good, rows, np.where(ai, done, 0.0))


def _equip(model: Model, month: int, capacity: float) -> None:
    sites = model.state.sites
    rows = []
    for row in sites.rows(DECIDED):
        if sites.equipment[row] >= sites.mw[row]:
            continue
        lead = model.lead_of("power-equipment", int(sites.owner[row]))
        due = (
            int(sites.expected[row]) - 6
            if sites.started_before[row]
            else int(sites.step["decided"][row]) + lead
        )
        if month >= due:
            rows.append(int(row))
    if not rows:
        return
    want = sites.mw[rows] - sites.equipment[rows]
    got = proportional_fairness(want, sites.mw[rows].astype(float), capacity)
    sites.equipment[rows] += got
    model.supplied(month, "power-equipment", rows, got)


def _receive(model: Model, month: int) -> None:
    state, sites = model.state, model.state.sites
    for row, column, count, price in model.chips.arrivals(month):
        maker = model.chips.makers[column]
        vintage = max(model.vintage_of(maker, month), 0)
        state.ordered[row] = max(state.ordered[row] - count, 0.0)
        state.store[row, vintage] += count
        owner = model.owner_key(row)
        model.ledger.post(f"gpus {owner}", "gpus in transit", "gpu", count, "delivery")
        model.supply.book(month, maker, model.buyer_of[row], "npu" if model.is_npu[vintage] else "gpu", count)
        model.delivered_by[maker] = model.delivered_by.get(maker, 0.0) + count
        model.pay_chip_deposit(month, row, -model.chips.release_deposit(row, column, count))
        if row in model.state_purchased:
            model.pay_public(month, count * price, maker, "state accelerators")
        else:
            model.draw(month, row, count * price, maker)
        before = state.chips[row].sum() + state.store[row].sum() - count
        model.chip_age[row, vintage] = (
            model.chip_age[row, vintage] * (state.chips[row, vintage] + state.store[row, vintage] - count)
            + month * count
        ) / (state.chips[row, vintage] + state.store[row, vintage])
        if (
            sites.gpus[row] > 0
            and before < 0.9 * sites.gpus[row] <= before + count
            and sites.step["equipped"][row] == NEVER
        ):
            sites.step["equipped"][row] = month
            model.decisions.note(month, Intent(maker, "deliver", sites.key[row], before + count, "GPU"))


def _open(model: Model, month: int) -> None:
    sites = model.state.sites
    for row in sites.rows(DECIDED):
        built, connected = int(sites.step["built"][row]), int(sites.step["connected"][row])
        if sites.equipment[row] >= sites.mw[row] - 1e-9 and sites.ready[row] <= month and connected == NEVER:
            connected = sites.step["connected"][row] = month
        if built > month or connected > month or sites.expected[row] > month:
            continue
        sites.status[row] = ENERGISED
        sites.step["energised"][row] = month
        model.refund_deposit(int(row))
        late = month - int(sites.expected[row])
        model.decisions.note(
            month,
            Intent(
                model.owner_key(row),
                "energise",
                sites.key[row],
                float(sites.mw[row]),
                "MW",
                {
                    "late_months": float(late),
                    "built_month": float(built),
                    "connected_month": float(connected),
                },
            ),
            bound=last_bound(model, row) if late > 0 else "on time",
        )


def last_bound(model: Holdings, row: int) -> str:
    """Which step came last, for a site that opened after its announced date."""
    sites = model.state.sites
    built, connected = int(sites.step["built"][row]), int(sites.step["connected"][row])
    if connected > built:
        line = int(sites.needs_line[row])
        if line >= 0 and model.state.line_ready[line] >= connected - 1:
            return "line " + model.world.lines.keys[line]
        return "power equipment" if sites.ready[row] < connected else "substation"
    return "building"


def _install(model: Model, month: int) -> None:
    """Put delivered accelerators to work as far as the site's power allows, the most efficient first."""
    state, sites, v = model.state, model.state.sites, model.world.vintages
    waiting = np.flatnonzero(state.store.sum(axis=1) > 0.0)
    factor = model.parameters["gpu_power_factor"] * model.parameters["pue"] / 1000.0
    for row in waiting:
        if sites.status[row] != ENERGISED:
            continue
        room = float(sites.mw[row]) * model.parameters["power_overbooking"] - model.site_power(int(row))
        for vintage in sorted(
            np.flatnonzero(state.store[row] > 0.0), key=lambda i: (-v.h100e[i] / v.kw[i], i)
        ):
            count = min(float(state.store[row, vintage]), max(room, 0.0) / (float(v.kw[vintage]) * factor))
            state.store[row, vintage] -= count
            state.chips[row, vintage] += count
            room -= count * float(v.kw[vintage]) * factor


def _scrap(model: Model, month: int) -> None:
    """Accelerators go at the end of their life, or when a year of rent no longer pays their running cost."""
    state, p, v = model.state, model.parameters, model.world.vintages
    rows, vintages = np.nonzero(state.chips > 0.0)
    if not len(rows):
        return
    life = p["gpu_life_months"]
    hours = 8760.0 * p["availability"]
    price = state.market.price
    for row, vintage in zip(rows.tolist(), vintages.tolist(), strict=True):
        age = month - model.chip_age[row, vintage]
        rent = float(v.h100e[vintage]) * hours * price
        power = float(v.kw[vintage]) * p["gpu_power_factor"] * p["pue"] / 1000.0 * 8760.0 * p["load_factor"]
        cost = power * float(state.site_price[state.sites.zone[row]]) * (1.0 + p["running_overhead"])
        if age >= life - 1e-6 or (rent < cost and age >= 12):
            count = float(state.chips[row, vintage])
            state.chips[row, vintage] = 0.0
            owner = model.owner_key(row)
            model.ledger.post("gpus scrapped", f"gpus {owner}", "gpu", count, "scrap")
            model.decisions.note(
                month,
                Intent(owner, "scrap", state.sites.key[row], count, "GPU", {"age_months": float(age)}),
                bound="age" if age >= life - 1e-6 else "rent below running cost",
            )


def _build_power(model: Model, month: int) -> None:
    state, world = model.state, model.world
    for agent in model.acting("power-building"):
        for intent in agent.act("power-building", month):
            row = intent.target
            zone, tech = int(world.resources.zone[row]), int(world.resources.technology[row])
            lead = int(world.resources.lead_months[row])
            model.resource_used[row] += intent.amount
            if tech >= 0:
                state.coming_mw[month + lead, zone, tech] += intent.amount
                model.build_direct(month + lead, intent.values.get("direct", 0.0))
            else:
                state.coming_store_mw[month + lead, zone] += intent.amount
            good = world.technologies.profile[tech] if tech >= 0 else "batteries"
            model.supply.book(month, intent.who, model.utility_account, good, intent.amount)
            if month % 12 == 0:
                model.decisions.note(month, intent)
    state.added_mw += state.coming_mw[month]
    state.added_store_mw += state.coming_store_mw[month]
