"""Phase 5: orders for accelerators, and the month of the graph that memory and accelerators flow through.

Ministries order, then owners whose sites want machines; makers of memory say what they sell and keep back,
makers of accelerators what memory they want and what they can make; licences cap what may come from abroad.
Then the compiled graph moves by a month (:class:`abm.chips.ChipChain`): each maker shares what is scarce by
its rule, and what a site was allocated arrives after the edge's lead time, in the vintage of that month and at
the price that held when it was allocated. Orders that were not met stay in the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abm.chip_graph import Made
from abm.core.sites import build as core
from abm.decisions import Intent
from abm.state import AI, DECIDED, ENERGISED

if TYPE_CHECKING:
    from abm.model import Model


def run(model: Model, month: int) -> None:
    if month % 3 == 0:
        model.imported_this_quarter = 0.0
    sold: dict[str, tuple[float, float]] = {}
    for agent in model.acting("memory"):
        for intent in agent.act("memory", month):
            sold[intent.who] = (intent.amount, intent.values["kept"])
            if month % 12 == 0:
                model.decisions.note(month, intent)
    model.short_of_chips = _short_of_chips(model, month)
    for agent in model.acting("purchases"):
        for intent in agent.act("purchases", month):
            _order(model, month, intent)
    for agent in model.acting("orders"):
        if agent.row in model.short_of_chips:
            for intent in agent.act("orders", month):
                _order(model, month, intent)
    memory = {
        intent.who: intent.amount
        for agent in model.acting("memory-orders")
        for intent in agent.act("memory-orders", month)
    }
    made = {}
    for agent in model.acting("supply"):
        for intent in agent.act("supply", month):
            said = intent.values
            made[intent.who] = Made(
                intent.amount,
                said.get("abroad", 0.0),
                said.get("home_weight", 1.0),
                said.get("rival_weight", 0.0),
            )
    model.chips.month(month, sold, memory, made, model.export_quota - model.imported_this_quarter)


def _short_of_chips(model: Model, month: int) -> dict[int, list[tuple[int, float]]]:
    """Owner to its sites that want accelerators, and how many.

    A site wants its plan, or what its power holds, less what will stand there when an order of today arrives;
    gaps below 2 % of the plan are left open.
    """
    state, sites, chips = model.state, model.state.sites, model.chips
    own, rows, missing = model.site_machines, model.site_machines.short, model.site_machines.missing
    own.want_terms[core.NOW] = month
    found = core.short_of_chips(
        own.want_terms, sites.count, DECIDED, ENERGISED, AI, sites.status, sites.kind, sites.finance, sites.owner,
        chips.lead_of_buyer, chips.newest[month:], sites.mw, sites.gpus, state.chips, state.store, model.chip_age,
        state.ordered, state.wanted, model.vintage_kw, rows, missing,
    )  # fmt: skip
    by_owner: dict[int, list[tuple[int, float]]] = {}
    for row, gap in zip(rows[:found].tolist(), missing[:found].tolist(), strict=True):
        by_owner.setdefault(sites.owner.item(row), []).append((row, gap))
    return by_owner


def _order(model: Model, month: int, intent: Intent) -> None:
    """Split an order among makers: the home processors' share first, the rest by contract share."""
    chips, row = model.chips, intent.target
    buyer, public = intent.who, intent.verb == "purchase"
    rest = intent.amount
    npu, gpu = chips.sources(buyer, "npu"), chips.sources(buyer, "gpu")
    if npu:
        share = intent.values.get("npu_share", 0.0)
        held = max(sum(source.share for source in npu), 1e-12)
        for source in npu:
            part = share * intent.amount * source.share / held
            chips.place(month, row, source, part, public)
            rest -= part
    total = sum(source.share for source in gpu)
    for source in gpu:
        part = source.share / total if total > 0.0 else 1.0 / len(gpu)
        chips.place(month, row, source, rest * part, public)
    if public:
        model.budget.spent += intent.values["price"] * intent.amount
        model.state_purchased[row] = True
    model.decisions.note(
        month,
        intent,
        granted=intent.amount if gpu or npu else 0.0,
        bound=intent.bound if gpu or npu else "no supplier",
    )
