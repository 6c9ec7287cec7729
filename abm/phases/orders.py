"""Phase 5: orders for accelerators, and the month of the graph that memory and accelerators flow through.

Owners and ministries order; makers of memory say what they sell and keep back, makers of accelerators
what memory they want and what they can make; licences cap what may come from abroad. Then the compiled
graph moves by a month (:class:`abm.chips.ChipChain`): each maker shares what is scarce by its rule, and what
a site was allocated arrives after the edge's lead time, in the vintage of that month and at the price that
held when it was allocated. Orders that were not met stay in the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abm.decisions import Intent

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
    for agent in model.acting("orders"):
        for intent in agent.act("orders", month):
            _order(model, month, intent)
    memory = {
        intent.who: intent.amount
        for agent in model.acting("memory-orders")
        for intent in agent.act("memory-orders", month)
    }
    made = {
        intent.who: (
            intent.amount,
            intent.values.get("abroad", 0.0),
            intent.values.get("home_weight", 1.0),
            intent.values.get("rival_weight", 0.0),
        )
        for agent in model.acting("supply")
        for intent in agent.act("supply", month)
    }
    model.chips.month(month, sold, memory, made, model.export_quota - model.imported_this_quarter)


def _order(model: Model, month: int, intent: Intent) -> None:
    """Split an order among makers: the home processors' share first, the rest by contract share."""
    supply, chips, row = model.supply, model.chips, intent.target
    buyer, public = intent.who, intent.verb == "purchase"
    model.buyer_of[row] = buyer
    rest = intent.amount
    npu = supply.into(buyer, "npu")
    if npu:
        share = intent.values.get("npu_share", 0.0)
        held = max(sum(float(supply.share[edge]) for edge in npu), 1e-12)
        for edge in npu:
            part = share * intent.amount * float(supply.share[edge]) / held
            chips.place(month, row, supply.who_supplies(edge), part, public)
            rest -= part
    edges = supply.into(buyer, "gpu")
    total = sum(float(supply.share[edge]) for edge in edges)
    for edge in edges:
        part = float(supply.share[edge]) / total if total > 0.0 else 1.0 / len(edges)
        chips.place(month, row, supply.who_supplies(edge), rest * part, public)
    if public:
        model.budget.spent += intent.values["price"] * intent.amount
        model.state_purchased[row] = model.state_purchased.get(row, 0.0) + intent.amount
    model.decisions.note(
        month,
        intent,
        granted=intent.amount if edges or npu else 0.0,
        bound=intent.bound if edges or npu else "no supplier",
    )
