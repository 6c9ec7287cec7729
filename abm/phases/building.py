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

if TYPE_CHECKING:
    from abm.model import Model

TOLD_AGAIN = 24
"""Months after which a site is told again that crews or cooling did not reach for what it wanted."""


def run(model: Model, month: int) -> None:
    sites, capacity = model.state.sites, dict[str, float]()
    model.still_needed = core.still_needed(
        sites.count, DECIDED, AI, sites.status, sites.kind, sites.mw, sites.built, sites.equipment
    )
    for agent in model.acting("capacity"):
        for intent in agent.act("capacity", month):
            capacity[intent.who] = intent.amount * model.recipe_share(intent.subject)
            model.decisions.repeat(
                month, intent, intent.amount, "expanding" if intent.values["order_book"] else ""
            )
    spent = _build(model, month, capacity)
    spent = _receive(model, month, spent)
    model.draw_all(month, spent)
    _open(model, month)
    _turn_over(model, month)
    _build_power(model, month)


def building_months(model: Model, row: int) -> float:
    """Time a building takes with all the crews it wants; larger ones take longer, less than in proportion."""
    p = model.parameters
    size = max(float(model.state.sites.mw[row]) / 100.0, 1.0)
    return float(p["build_months"] * size ** p["build_size_exponent"])


def _build(model: Model, month: int, capacity: dict[str, float]) -> int:
    """Buildings proceed as crews and cooling reach, equipment comes; chip plants have crews of their own.

    What that costs is listed in the model's ``spending``; returns how many entries there are.
    """
    sites, works = model.state.sites, model.works
    works.pace[core.MONTH] = month
    busy = core.ask(
        works.pace, sites.count, DECIDED, AI, NEVER, sites.status, sites.kind, sites.mw, sites.built, sites.equipment,
        sites.step["built"], sites.started_before, sites.expected, sites.step["decided"], sites.owner, works.lead,
        works.on_way, works.stock, works.want, works.asked, works.weight,
    )  # fmt: skip
    if not busy and not works.late():
        return 0
    got = works.month(month, capacity)
    told, lacks = works.told, works.lacks
    found, news = core.progress(
        month, TOLD_AGAIN, sites.count, AI, model.site_terms_of_run, sites.kind, sites.mw, sites.shell_cost,
        sites.waived, sites.built, sites.step["built"], sites.equipment, works.want, works.stock, got, works.bound,
        works.is_shock, works.said, works.said_in, *model.spending, told, lacks,
    )  # fmt: skip
    for row, short in zip(told[:news].tolist(), lacks[:news].tolist(), strict=True):
        slowed = Intent(model.owner_key(row), "slow", sites.key[row], float(sites.mw[row]), "MW")
        model.decisions.note(month, slowed, 0.0, works.why(short))
    return found


def _receive(model: Model, month: int, spent: int) -> int:
    """Accelerators come to sites, deposits go back; what owners pay is listed after the first ``spent`` entries."""
    chips, sites, delivered = model.chips, model.state.sites, model.delivered_by
    found = chips.receive(month, spent)
    model.ledger.post_lines(model.transfers.delivered, found.by_owner)
    model.pooled_flow[month] += found.pooled
    for maker, came, public in zip(chips.makers, *found.by_maker, strict=True):
        delivered[maker] = delivered.get(maker, 0.0) + came
        if public > 0.0:
            model.pay_public(month, public, maker, "state accelerators")
    for row, column, there in found.equipped:
        model.decisions.note(month, Intent(chips.makers[column], "deliver", sites.key[row], there, "GPU"))
    return found.spent


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


def _turn_over(model: Model, month: int) -> None:
    """Delivered accelerators are put to work as far as power allows; old ones go, and those that no longer pay."""
    state, sites, own = model.state, model.state.sites, model.site_machines
    terms = own.terms
    terms[machines.MONTH] = month
    terms[machines.RENT] = 8760.0 * model.parameters["availability"] * state.market.price
    found = machines.turn_over(
        terms, sites.count, ENERGISED, sites.status, sites.mw, sites.zone, model.vintage_h100e,
        model.vintage_kw, own.most_efficient, model.chip_age, state.site_price, state.store, state.chips, *own.scrapped,
    )  # fmt: skip
    if not found:
        return
    for row, vintage, count, old in zip(*(listed[:found].tolist() for listed in own.scrapped), strict=True):
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
