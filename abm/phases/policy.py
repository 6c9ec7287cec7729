"""Phase 2: ministries act, triggers fire, those who set limits set them.

A lever moves only through the board, by its owner's intent, within the year's envelope: the running
cost of what is in force is paid first, a new act gets what is left of the envelope and is asked for
again later. What was cut or postponed stands in the decision log with what bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from abm.calendar import NEVER
from abm.decisions import Intent

if TYPE_CHECKING:
    from abm.model import Model


@dataclass(slots=True)
class Budget:
    """The state's purse for the hub: this year's envelope and what has been spent of it."""

    envelope: float = float("inf")
    spent: float = 0.0
    total: float = 0.0
    """Spent since the start of the run."""

    @property
    def left(self) -> float:
        return max(self.envelope - self.spent, 0.0)


def run(model: Model, month: int) -> None:
    if model.calendar.month_of_year(month) == 0 or month == 0:
        model.budget.spent = 0.0
    # The frame first (envelope, triggers, limits), whatever the order of the cast; then acts within it.
    for phase in ("frame", "policy"):
        intents = [intent for agent in model.acting(phase) for intent in agent.act(phase, month)]
        if len(intents) > 1:
            intents.sort(key=lambda intent: _rank(model, intent))
        for intent in intents:
            _RESOLVE[intent.verb](model, month, intent)
    model.pay_programmes(month)
    _retire_by_policy(model, month)


def _rank(model: Model, intent: Intent) -> tuple[int, int, str]:
    """Order of resolution: by what kind of act it is, levers in the order of the catalogue, then by subject."""
    return _ORDER[intent.verb], model.board.place(intent.subject), intent.subject


def _enact(model: Model, month: int, intent: Intent) -> None:
    board, handle = model.board, intent.subject
    lever = board.levers[handle]
    before = board.announced(handle)
    more = model.board.running_cost(handle, intent.amount) - model.board.running_cost(handle, before)
    committed = sum(model.board.running_cost(other, board.announced(other)) for other in board.levers)
    room = max(model.budget.envelope - committed, 0.0)
    value, bound = intent.amount, ""
    if more > room + 1e-6:  # what costs no more is free to be done, however tight money is
        share = room / more
        value, bound = before + share * (intent.amount - before), "budget envelope"
    if abs(value - before) < 1e-12 * max(abs(value), 1.0):
        model.decisions.repeat(month, intent, before, bound)
        return
    board.enact(handle, value, month, intent.who)
    model.decisions.note(
        month,
        Intent(
            intent.who,
            "enact",
            lever.name,
            intent.amount,
            lever.unit,
            {"before": before, "effective_month": float(month + lever.lead_months)},
        ),
        granted=value,
        bound=bound,
    )


def _fire(model: Model, month: int, intent: Intent) -> None:
    trigger = next(t for t in model.board.triggers if t.name == intent.subject)
    model.board.retarget(trigger.changes, month)
    model.board.fired[trigger.name] = month
    model.spend(month, trigger.switching_cost, "switching")
    model.decisions.note(month, intent)


def _set_envelope(model: Model, month: int, intent: Intent) -> None:
    model.budget.envelope = intent.amount
    model.decisions.note(month, intent)


def _set_bond_limit(model: Model, month: int, intent: Intent) -> None:
    if intent.amount != model.utility.bond_multiple:
        model.decisions.note(month, intent)
    model.utility.bond_multiple = intent.amount


def _give_zone(model: Model, month: int, intent: Intent) -> None:
    model.special_mw[intent.target] += intent.amount
    model.special_given += intent.amount
    model.decisions.note(month, intent)


def _ask_extension(model: Model, month: int, intent: Intent) -> None:
    model.extension_asked.setdefault(intent.target, month)
    model.decisions.note(month, intent)


def _grant_extension(model: Model, month: int, intent: Intent) -> None:
    state = model.state
    # A unit whose licence has run out stands still until the licence is renewed.
    state.plant_retires[intent.target] = NEVER
    expired = int(model.world.plants.retires[intent.target])
    if expired < month:
        model.plant_back[intent.target] = month
    model.decisions.note(month, intent)


def _licence(model: Model, month: int, intent: Intent) -> None:
    if intent.amount != model.export_quota:
        model.decisions.note(month, intent)
    model.export_quota = intent.amount


def _nothing(model: Model, month: int, intent: Intent) -> None:
    model.decisions.repeat(month, intent, 0.0)


_RESOLVE = {
    "set-envelope": _set_envelope,
    "fire": _fire,
    "set-bond-limit": _set_bond_limit,
    "licence": _licence,
    "grant-extension": _grant_extension,
    "enact": _enact,
    "postpone": _nothing,
    "give-zone": _give_zone,
    "ask-extension": _ask_extension,
}
_ORDER = {verb: place for place, verb in enumerate(_RESOLVE)}


def _retire_by_policy(model: Model, month: int) -> None:
    """Close coal oldest first, evenly over the run, up to what the lever asks for by its end."""
    plants, state = model.world.plants, model.state
    asked = model.board.value("coal_retirement_gw", month) * 1000.0 * (month + 1) / model.calendar.months
    closed = model.closed_by_policy_mw
    if asked <= closed + 1.0:
        return
    generator = model.role("thermal")
    for row in model.closing_order:
        if state.plant_retires.item(row) <= month or plants.commissioned.item(row) > month:
            continue
        if closed + state.plant_mw[row] > asked + 1e-9:
            break
        state.plant_retires[row] = month
        closed += float(state.plant_mw[row])
        if generator is not None:
            name = f"{model.world.technologies.keys[plants.technology[row]]} {model.world.zones.keys[plants.zone[row]]}"
            model.decisions.note(
                month, Intent(generator.who, "retire", name, float(state.plant_mw[row]), "MW")
            )
    model.closed_by_policy_mw = closed
