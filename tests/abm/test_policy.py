"""The envelope bounds what costs more than before, and nothing else."""

from __future__ import annotations

import pytest

from abm.decisions import Intent
from abm.model import Model
from abm.phases import policy
from runs.assemble import prepare

COSTLY, FREE = "renewable_auction_gw", "carbon_price"


@pytest.fixture
def overdrawn() -> Model:
    """A model whose decided programmes cost more than the year's envelope, which has just been cut to nothing."""
    model = prepare("toy", "baseline", "as-announced").build()
    board = model.board
    costly = [handle for handle, lever in board.levers.items() if lever.cost > 0.0]
    assert COSTLY in costly
    assert FREE not in costly
    board.enact(COSTLY, board.levers[COSTLY].high, 0, "industry")
    model.budget.envelope = 0.0
    return model


def enacted(model: Model, handle: str, amount: float) -> float:
    """What stands announced after somebody wanted ``amount``."""
    policy._enact(model, 1, Intent("industry", "enact", handle, amount, model.board.levers[handle].unit))
    return model.board.announced(handle)


def test_a_lever_that_costs_nothing_moves_however_far_the_envelope_is_overdrawn(overdrawn: Model) -> None:
    wanted = overdrawn.board.levers[FREE].high
    assert overdrawn.board.announced(FREE) != wanted
    assert enacted(overdrawn, FREE, wanted) == wanted


def test_a_programme_can_be_cut_when_the_envelope_is_overdrawn(overdrawn: Model) -> None:
    lever = overdrawn.board.levers[COSTLY]
    assert enacted(overdrawn, COSTLY, lever.default) == lever.default


def test_a_programme_does_not_grow_when_the_envelope_is_overdrawn(overdrawn: Model) -> None:
    lever = overdrawn.board.levers[COSTLY]
    half = 0.5 * (lever.default + lever.high)
    assert enacted(overdrawn, COSTLY, half) == half
    assert enacted(overdrawn, COSTLY, lever.high) == half
    assert overdrawn.decisions.records[-1].bound == "budget envelope"


def test_programmes_are_paid_by_the_month_each_on_its_own_line() -> None:
    model = prepare("toy", "baseline", "as-announced").build()
    board, ledger = model.board, model.ledger
    for handle, lever in board.levers.items():
        board.enact(handle, lever.high, -lever.lead_months, "industry")
    model.pay_programmes(0)
    costs = {handle: board.running_cost(handle, lever.high) / 12.0 for handle, lever in board.levers.items()}
    assert any(costs.values())
    for handle, cost in costs.items():
        assert ledger.moved("money", f"programme {handle}") == pytest.approx(cost)
    assert (
        model.budget.spent == model.budget.total == model.public_month == pytest.approx(sum(costs.values()))
    )
