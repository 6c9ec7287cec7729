"""Phase 6: building proceeds, equipment and accelerators arrive, sites open, old accelerators go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from abm.calendar import NEVER
from abm.core.energy import programmes
from abm.core.sites import build as core
from abm.core.sites import machines
from abm.decisions import Intent, Programme
from abm.holdings import Holdings
from abm.state import AI, DECIDED, ENERGISED
from abm.transfers import BUILDERS, CHIP_MAKERS

if TYPE_CHECKING:
    from abm.model import Model

TOLD_AGAIN = 24
"""Months after which a site is told again that crews or cooling did not reach for what it wanted."""


def run(model: Model, month: int) -> None:
    capacity: dict[str, float] = {}
    for agent in model.acting("capacity"):
        for intent in agent.act("capacity", month):
            capacity[intent.who] = intent.amount * model.recipe_share(intent.subject)
            model.decisions.repeat(
                month, intent, intent.amount, "expanding" if intent.values["order_book"] else ""
            )
    spent = [*_build(model, month, capacity), *_receive(model, month)]
    model.draw_all(month, spent)
    _open(model, month)
    _install(model, month)
    _scrap(model, month)
    _build_power(model, month)


def building_months(model: Model, row: int) -> float:
    """Time a building takes with all the crews it wants; larger ones take longer, less than in proportion."""
    p = model.parameters
    size = max(float(model.state.sites.mw[row]) / 100.0, 1.0)
    return float(p["build_months"] * size ** p["build_size_exponent"])


def _build(model: Model, month: int, capacity: dict[str, float]) -> list[tuple[int, float, int]]:
    """Buildings proceed as crews and cooling reach, equipment comes; chip plants have crews of their own.

    Returns what that costs: sites, amounts and the place of those who are paid.
    """
    sites, works = model.state.sites, model.works
    works.pace[core.MONTH] = month
    busy = core.ask(
        works.pace, sites.count, DECIDED, AI, NEVER, sites.status, sites.kind, sites.mw, sites.built, sites.equipment,
        sites.step["built"], sites.started_before, sites.expected, sites.step["decided"], sites.owner, works.lead,
        works.on_way, works.stock, works.want, works.asked, works.weight,
    )  # fmt: skip
    if not busy and not works.late():
        return []
    got = works.month(month, capacity)
    rows, spent, told, lacks = works.rows, works.spent, works.told, works.lacks
    found, news = core.progress(
        month, TOLD_AGAIN, sites.count, AI, works.money, sites.kind, sites.mw, sites.shell_cost, sites.waived,
        sites.built, sites.step["built"], sites.equipment, works.want, works.stock, got, works.bound, works.is_shock,
        works.said, works.said_in, rows, spent, told, lacks,
    )  # fmt: skip
    for row, short in zip(told[:news].tolist(), lacks[:news].tolist(), strict=True):
        slowed = Intent(model.owner_key(row), "slow", sites.key[row], float(sites.mw[row]), "MW")
        model.decisions.note(month, slowed, 0.0, works.why(short))
    return [
        (row, amount, BUILDERS)
        for row, amount in zip(rows[:found].tolist(), spent[:found].tolist(), strict=True)
    ]


def _receive(model: Model, month: int) -> list[tuple[int, float, int]]:
    """Accelerators come to sites; returns what owners pay for them, like :func:`_build`."""
    chips, sites, paid = model.chips, model.state.sites, list[tuple[int, float, int]]()
    for row, column, vintage, count, price, returned, there, equips in chips.receive(month):
        maker, owner = chips.makers[column], model.owner_key(row)
        model.ledger.post(f"gpus {owner}", "gpus in transit", "gpu", count, "delivery")
        model.supply.book(month, maker, model.buyer_of[row], "npu" if model.is_npu[vintage] else "gpu", count)
        model.delivered_by[maker] = model.delivered_by.get(maker, 0.0) + count
        model.pay_chip_deposit(month, row, -returned)
        if row in model.state_purchased:
            model.pay_public(month, count * price, maker, "state accelerators")
        else:
            paid.append((row, count * price, CHIP_MAKERS + column))
        if equips:
            model.decisions.note(month, Intent(maker, "deliver", sites.key[row], there, "GPU"))
    return paid


def _open(model: Model, month: int) -> None:
    sites, rows = model.state.sites, model.works.rows
    found = core.opening(
        month, sites.count, DECIDED, NEVER, sites.status, sites.mw, sites.equipment, sites.ready, sites.expected,
        sites.step["built"], sites.step["connected"], rows,
    )  # fmt: skip
    for row in rows[:found].tolist():
        built, connected = int(sites.step["built"][row]), int(sites.step["connected"][row])
        sites.status[row] = ENERGISED
        sites.step["energised"][row] = month
        model.refund_deposit(row)
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
    state, sites, p = model.state, model.state.sites, model.parameters
    terms = np.array([p["gpu_power_factor"] * p["pue"] / 1000.0, p["power_overbooking"]])
    machines.install(
        terms, sites.count, ENERGISED, sites.status, sites.mw, model.vintage_kw, model.chips.most_efficient, state.store,
        state.chips,
    )  # fmt: skip


def _scrap(model: Model, month: int) -> None:
    """Accelerators go at the end of their life, or when a year of rent no longer pays their running cost."""
    state, sites, p = model.state, model.state.sites, model.parameters
    rent = 8760.0 * p["availability"] * state.market.price
    power = (
        p["gpu_power_factor"] * p["pue"] / 1000.0 * 8760.0 * p["load_factor"] * (1.0 + p["running_overhead"])
    )
    terms = np.array([month, p["gpu_life_months"], rent, power])
    rows, vintages, by_age = model.chips.worn_out
    found = machines.worn_out(
        terms, sites.count, state.chips, model.chip_age, model.chips.h100e, model.vintage_kw, sites.zone,
        state.site_price, rows, vintages, by_age,
    )  # fmt: skip
    for row, vintage, old in zip(
        rows[:found].tolist(), vintages[:found].tolist(), by_age[:found].tolist(), strict=True
    ):
        count = float(state.chips[row, vintage])
        state.chips[row, vintage] = 0.0
        owner = model.owner_key(row)
        model.ledger.post("gpus scrapped", f"gpus {owner}", "gpu", count, "scrap")
        age = float(month - model.chip_age[row, vintage])
        model.decisions.note(
            month,
            Intent(owner, "scrap", sites.key[row], count, "GPU", {"age_months": age}),
            bound="age" if old else "rent below running cost",
        )


def _build_power(model: Model, month: int) -> None:
    """What developers of renewables and storage build comes after its lead time, later where a shock delays it."""
    state, supply = model.state, model.supply
    for agent in model.acting("power-building"):
        for programme in agent.act("power-building", month):
            if not isinstance(programme, Programme):
                raise TypeError(
                    f"{agent.who}: what is built in this phase is a programme, not {programme.verb!r}"
                )
            mw, ready = programme.mw, month + programme.lead
            edges = supply.edges(programme.who, model.utility_account, programme.goods)
            if supply.disruptions:
                to = model.utility_account
                mw = mw * [supply.passes(month, programme.who, to, good) for good in programme.goods]
                ready = ready + supply.delays(month, edges)
            technology, coming = programme.technology, state.coming_mw
            if technology is None:  # batteries are all of one kind
                technology, coming = np.zeros(len(mw), np.int64), state.coming_store_mw[:, :, None]
            programmes.begin(
                ready, programme.rows, programme.zone, technology, mw, programme.direct, edges, model.resource_used,
                coming, model.coming_direct, supply.flow[month],
            )  # fmt: skip
            if month % 12 == 0:
                for i in np.flatnonzero(mw > 0.0).tolist():
                    model.decisions.note(month, programme.one(i), float(mw[i]))
    state.added_mw += state.coming_mw[month]
    state.added_store_mw += state.coming_store_mw[month]
