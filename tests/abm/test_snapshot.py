"""A run saved at a month goes on as if it had never been saved, and the model it came from is not touched."""

from __future__ import annotations

import numpy as np
import pytest

from abm.board import Board
from abm.model import Model
from runs.assemble import prepare


def values(model: Model) -> np.ndarray:
    return model.recorder.values


@pytest.mark.parametrize("month", [0, 1, 17, 47, 48])
def test_a_saved_run_goes_on_bit_for_bit(month: int) -> None:
    whole = prepare("toy", seed=5).build().run_model()
    model = prepare("toy", seed=5).build()
    while model.month < month:
        model.step()
    saved = model.snapshot()
    assert saved.month == month
    for again in (Model.resume(saved), Model.resume(saved), model):
        again.run_model()
        assert np.array_equal(values(again), values(whole), equal_nan=True)
        assert again.decisions.records == whole.decisions.records
        assert again.site_report() == whole.site_report()
        assert again.balance_residual == whole.balance_residual
        assert again.power_report == whole.power_report


def test_what_goes_on_has_nothing_in_common_with_what_was_saved() -> None:
    model = prepare("toy", seed=5).build()
    for _ in range(20):
        model.step()
    saved = model.snapshot()
    before = Model.resume(saved)
    gone_on = Model.resume(saved).run_model()
    assert gone_on.month == 48
    assert before.month == model.month == 20
    assert before.world is model.world
    assert before.state is not model.state
    assert before.run_model().site_report() == gone_on.site_report()


def test_a_snapshot_goes_to_another_process_as_bytes() -> None:
    import pickle

    model = prepare("toy", seed=5).build()
    for _ in range(10):
        model.step()
    sent = pickle.loads(pickle.dumps(model.snapshot()))
    assert np.array_equal(values(Model.resume(sent).run_model()), values(model.run_model()), equal_nan=True)


def test_another_board_must_have_the_same_levers_and_months() -> None:
    prepared = prepare("toy", seed=5)
    model = prepared.build()
    saved = model.snapshot()
    board = Board(list(prepared.levers.values())[1:], {}, (), 48)
    with pytest.raises(ValueError, match="levers and the months"):
        Model.resume(saved, board)


@pytest.mark.long
def test_a_saved_decade_of_korea_goes_on_bit_for_bit() -> None:
    whole = prepare("korea", seed=5).build().run_model()
    model = prepare("korea", seed=5).build()
    for _ in range(40):
        model.step()
    again = Model.resume(model.snapshot()).run_model()
    assert np.array_equal(values(again), values(whole), equal_nan=True)
    assert again.decisions.records == whole.decisions.records
