"""Phase 6: building proceeds, equipment and accelerators arrive, sites open, old accelerators go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.calendar import NEVER
from abm.decisions import Intent
from abm.holdings import Holdings
from abm.state import AI, DECIDED, ENERGISED
from abm.works import GOODS

if TYPE_CHECKING:
    from abm.model import Model


def run(model: Model, month: int) -> None:
    capacity: dict[str, float] = {}
    for agent in model.acting("capacity"):
        for intent in agent.act("capacity", month):
            capacity[intent.who] = intent.amount * model.recipe_share(intent.subject)
            model.decisions.repeat(
                month, intent, intent.amount, "expanding" if intent.values["order_book"] else ""
            )
    _build(model, month, capacity)
    _receive(model, month)
    _open(model, month)
    _install(model, month)
    _scrap(model, month)
    _build_power(model, month)


def building_months(model: Model, row: int) -> float:
    """Time a building takes with all the crews it wants; larger ones take longer, less than in proportion."""
    return float(_months_to_build(model, model.state.sites.mw[row : row + 1])[0])


def _months_to_build(model: Model, mw: np.ndarray) -> np.ndarray:
    p = model.parameters
    return np.asarray(p["build_months"] * np.maximum(mw / 100.0, 1.0) ** p["build_size_exponent"])


def _build(model: Model, month: int, capacity: dict[str, float]) -> None:
    """Buildings proceed as crews and cooling reach, equipment comes; chip plants have crews of their own."""
    sites, works = model.state.sites, model.works
    n = sites.count
    decided = sites.status[:n] == DECIDED
    ai = sites.kind[:n] == AI
    mw, built = sites.mw[:n], sites.built[:n]
    rising = decided & (built < 1.0) & (sites.step["built"][:n] == NEVER)
    missing = np.where(decided, mw - sites.equipment[:n], 0.0)
    if not rising.any() and not (missing > 0.0).any() and not works.late():
        return
    months = np.maximum(_months_to_build(model, mw), 1e-9)
    want = np.where(rising, np.minimum(1.0 / months, 1.0 - built) * mw, 0.0)
    size = len(sites.mw)
    asked = {good: np.zeros(size) for good in GOODS}
    weight = {good: np.zeros(size) for good in GOODS}
    own = np.where(ai, want, 0.0)
    left = np.where(ai, (1.0 - built) * mw, 0.0)
    asked["construction"][:n] = np.maximum(np.minimum(own, left - works.on_way["construction"][:n]), 0.0)
    asked["cooling"][:n] = works.cooling_asked(own, left)
    weight["construction"][:n] = weight["cooling"][:n] = np.where(ai, mw, 0.0)
    lead = works.lead("power-equipment")[sites.owner[:n]]
    due = np.where(sites.started_before[:n], sites.expected[:n] - 6, sites.step["decided"][:n] + lead)
    ready = (missing > 0.0) & (month >= due)
    asked["power-equipment"][:n] = np.where(ready, np.maximum(missing - works.on_way["power-equipment"][:n], 0.0), 0.0)
    weight["power-equipment"][:n] = mw
    got = works.month(month, asked, weight, capacity)
    sites.equipment[:n] += got["power-equipment"][:n]
    crews, cooled = got["construction"][:n], works.stock[:n] + got["cooling"][:n]
    done = np.where(ai, np.minimum(np.minimum(crews, cooled), left), want)
    works.use_cooling(np.where(ai, got["cooling"][:n], 0.0), np.where(ai, done, 0.0))
    for row in np.flatnonzero(rising & ((done > 0.0) | (want > 0.0))).tolist():
        before = float(built[row])
        after = min(before + float(done[row]) / float(mw[row]), 1.0)
        if after > 1.0 - 1e-9:
            after = 1.0
            sites.step["built"][row] = month
        sites.built[row] = after
        if ai[row]:
            model.draw(month, row, model.shell_budget(row) * (after - before), "builders")
            if done[row] < want[row] - 1e-9:
                scarce = "construction" if crews[row] <= cooled[row] else "cooling"
                model.note_scarcity(month, row, works.why(scarce, row))


def _receive(model: Model, month: int) -> None:
    state, sites = model.state, model.state.sites
    for row, column, count, price in model.chips.arrivals(month):
        maker = model.chips.makers[column]
        vintage = max(model.chips.vintage(maker, month), 0)
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
    waiting = (state.store.sum(axis=1) > 0.0) & (sites.status == ENERGISED)
    if not waiting.any():
        return
    factor = model.parameters["gpu_power_factor"] * model.parameters["pue"] / 1000.0
    rows = np.flatnonzero(waiting)
    best = np.argsort(-v.h100e / v.kw, kind="stable").tolist()
    rooms = sites.mw[rows] * model.parameters["power_overbooking"] - (state.chips[rows] @ v.kw) * factor
    for row, room in zip(rows.tolist(), rooms.tolist(), strict=True):
        if room <= 0.0:
            continue
        for vintage in [i for i in best if state.store[row, i] > 0.0]:
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
    age = month - model.chip_age[rows, vintages]
    rent = v.h100e[vintages] * (8760.0 * p["availability"]) * state.market.price
    power = v.kw[vintages] * (p["gpu_power_factor"] * p["pue"] / 1000.0 * 8760.0 * p["load_factor"])
    cost = power * state.site_price[state.sites.zone[rows]] * (1.0 + p["running_overhead"])
    worn = age >= p["gpu_life_months"] - 1e-6
    for at in np.flatnonzero(worn | ((rent < cost) & (age >= 12))).tolist():
        row, vintage = int(rows[at]), int(vintages[at])
        count = float(state.chips[row, vintage])
        state.chips[row, vintage] = 0.0
        owner = model.owner_key(row)
        model.ledger.post("gpus scrapped", f"gpus {owner}", "gpu", count, "scrap")
        model.decisions.note(
            month,
            Intent(owner, "scrap", state.sites.key[row], count, "GPU", {"age_months": float(age[at])}),
            bound="age" if worn[at] else "rent below running cost",
        )


def _build_power(model: Model, month: int) -> None:
    """What developers of renewables and storage build comes after its lead time, later where a shock delays it."""
    state, supply, resources = model.state, model.supply, model.world.resources
    for agent in model.acting("power-building"):
        for programme in agent.act("power-building", month):
            rows, mw = programme.rows, programme.mw.copy()
            delay = np.zeros(len(rows), np.int64)
            if supply.disruptions:
                for i, row in enumerate(rows.tolist()):
                    edge = supply.edge(programme.who, model.utility_account, _good(model, row))
                    mw[i] *= supply.passes(month, programme.who, model.utility_account, _good(model, row))
                    delay[i] = supply.delay(month, edge)
            model.resource_used[rows] += mw
            zone, tech = resources.zone[rows], resources.technology[rows]
            ready = month + resources.lead_months[rows].astype(np.int64) + delay
            plant = tech >= 0
            # A zone has each technology once, so that no entry is met twice.
            state.coming_mw[ready[plant], zone[plant], tech[plant]] += mw[plant]
            state.coming_store_mw[ready[~plant], zone[~plant]] += mw[~plant]
            for i in np.flatnonzero(programme.direct > 0.0).tolist():
                model.build_direct(int(ready[i]), min(float(programme.direct[i]), float(mw[i])))
            for good, amount in _by_good(model, rows, mw):
                supply.book(month, programme.who, model.utility_account, good, amount)
            if month % 12 == 0:
                for i in range(len(rows)):
                    model.decisions.note(month, programme.intent(i), float(mw[i]))
    state.added_mw += state.coming_mw[month]
    state.added_store_mw += state.coming_store_mw[month]


def _good(model: Model, row: int) -> str:
    """What a resource's plants are called on the supply graph."""
    tech = int(model.world.resources.technology[row])
    name: str = model.world.technologies.profile[tech] if tech >= 0 else "batteries"
    return name


def _by_good(model: Model, rows: np.ndarray, mw: np.ndarray) -> list[tuple[str, float]]:
    total: dict[str, float] = {}
    for row, amount in zip(rows.tolist(), mw.tolist(), strict=True):
        good = _good(model, row)
        total[good] = total.get(good, 0.0) + amount
    return list(total.items())
