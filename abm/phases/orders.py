"""Phase 5: orders, and the sharing of scarce accelerators over the graph.

Memory is sold first, since it limits accelerators. Buyers order; each maker says how much it lets go
to the home country; that is shared among the sites that ordered by proportional fairness, with the
graph's contract shares times the site's size as weights, so that an inflated order gains nothing.
What was allocated arrives after the edge's lead time, in the vintage and at the price that hold then.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from abm.decisions import Intent
from abm.rationing import proportional_fairness

if TYPE_CHECKING:
    from abm.model import Model


def run(model: Model, month: int) -> None:
    if month % 3 == 0:
        model.imported_this_quarter = 0.0
    _sell_memory(model, month)
    for agent in model.acting("orders"):
        for intent in agent.act("orders", month):
            _order(model, month, intent)
    for intent in _licensed(
        model, [intent for agent in model.acting("supply") for intent in agent.act("supply", month)]
    ):
        _allocate(model, month, intent)
        if intent.who == model.leading_maker:
            _judge_memory(model, month, intent)


def _sell_memory(model: Model, month: int) -> None:
    sold: dict[str, float] = {}
    model.memory_gb = model.memory_reserved_gb = 0.0
    for agent in model.acting("memory"):
        for intent in agent.act("memory", month):
            sold[intent.who] = intent.amount
            model.memory_gb += intent.amount
            model.memory_reserved_gb += intent.values["kept"]
            if month % 12 == 0:
                model.decisions.note(month, intent)
    share = model.parameters["maker_memory_share"]
    for maker in model.makers:
        for who, amount in sold.items():
            model.supply.book(month, who, maker, "hbm", amount * share)


def _licensed(model: Model, intents: list[Intent]) -> list[Intent]:
    """Cut what makers abroad let go to what export licences leave this quarter, shared by proportional fairness."""
    abroad = [i for i, intent in enumerate(intents) if model.is_foreign(intent.who)]
    # A maker may offer more than is ordered; only what would be taken uses up the licence.
    asked = np.array([min(intents[i].amount, model.backlog(intents[i].who)) for i in abroad])
    left = max(model.export_quota - model.imported_this_quarter, 0.0)
    if asked.sum() <= left:
        return intents
    for i, granted in zip(abroad, proportional_fairness(asked, asked, left), strict=True):
        if granted < intents[i].amount:
            intents[i] = dataclasses.replace(intents[i], amount=float(granted), bound="export licence")
    return intents


def _judge_memory(model: Model, month: int, intent: Intent) -> None:
    """Memory counts as sold out while the leading maker's output needs nine tenths of its part."""
    per_chip = float(model.world.vintages.hbm_gb[max(model.vintage_of(intent.who, month), 0)])
    part = model.memory_gb * model.parameters["maker_memory_share"]
    model.memory_sold_out = part <= 0.0 or intent.values["world"] * per_chip >= 0.9 * part


def _order(model: Model, month: int, intent: Intent) -> None:
    """Split an order among makers: the home processors' share first, the rest by contract share."""
    supply, row = model.supply, intent.target
    buyer = intent.who
    rest = intent.amount
    npu = supply.into(buyer, "npu")
    if npu:
        share = intent.values.get("npu_share", 0.0)
        for edge in npu:
            part = (
                share
                * intent.amount
                * float(supply.share[edge])
                / max(sum(float(supply.share[e]) for e in npu), 1e-12)
            )
            model.state.wanted[row, model.makers[supply.who_supplies(edge)]] += part
            rest -= part
    edges = supply.into(buyer, "gpu")
    total = sum(float(supply.share[edge]) for edge in edges)
    for edge in edges:
        part = float(supply.share[edge]) / total if total > 0.0 else 1.0 / len(edges)
        model.state.wanted[row, model.makers[supply.who_supplies(edge)]] += rest * part
    model.buyer_of[row] = buyer
    if intent.verb == "purchase":
        price = intent.values["price"] * intent.amount
        model.budget.spent += price
        model.state_purchased[row] = model.state_purchased.get(row, 0.0) + intent.amount
    model.decisions.note(
        month,
        intent,
        granted=intent.amount if edges or npu else 0.0,
        bound=intent.bound if edges or npu else "no supplier",
    )


def _allocate(model: Model, month: int, intent: Intent) -> None:
    state, supply = model.state, model.supply
    maker, good = intent.who, intent.subject
    column = model.makers[maker]
    orders = state.wanted[:, column]
    rows = np.flatnonzero(orders > 1e-9)
    if not len(rows):
        return
    weights, lead, room = np.empty(len(rows)), np.empty(len(rows), np.int64), np.empty(len(rows))
    for i, row in enumerate(rows):
        edge = supply.edge(maker, model.buyer_of[int(row)], good)
        size = max(float(model.state.sites.mw[row]), 1.0)
        weights[i] = max(float(supply.share[edge]), 1e-3) * size if edge is not None else 0.0
        lead[i] = int(supply.lead[edge]) if edge is not None else 0
        room[i] = float(supply.capacity[edge]) if edge is not None else 0.0
    asked = np.minimum(orders[rows], room)
    got = proportional_fairness(asked, weights, intent.amount)
    vintages = {int(months): model.vintage_of(maker, month + int(months)) for months in set(lead.tolist())}
    for i, row in enumerate(rows):
        count = float(got[i])
        if count <= 0.0:
            continue
        vintage = vintages[int(lead[i])]
        price = model.chip_price(vintage, month)
        state.wanted[row, column] -= count
        if state.wanted[row, column] < 1e-9:
            state.wanted[row, column] = 0.0
        state.ordered[row] += count
        state.deliveries[month + int(lead[i])].append((int(row), vintage, count, maker, price))
    granted = float(got.sum())
    if model.is_foreign(maker):
        model.imported_this_quarter += granted
        model.imported_total += granted
    if granted < float(orders[rows].sum()) - 1e-6:
        model.decisions.repeat(
            month,
            Intent(maker, "ration", good, float(orders[rows].sum()) + granted, intent.unit, intent.values),
            granted,
            intent.bound or "edge capacity",
            every=6,
        )
