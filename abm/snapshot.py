"""A run saved at a month, to be continued: as it was, or under another board.

A snapshot is the model's state as bytes, so it can be continued many times and the model it was taken
from goes on unhurt. The world does not change during a run and is kept beside the bytes, not in them.
Continued under the board it had, a run is the uninterrupted run bit for bit; under another board it
shares the past: what was decided is in force, what the new package wants holds from this month on.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from abm.phases.power_cases import DayCases, cases_of

if TYPE_CHECKING:
    from abm.board import Board
    from abm.model import Model
    from abm.world import World

_WORLD, _CASES = "world", "day cases"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A model at the beginning of ``month``. Good for the source and the Python it was taken with."""

    month: int
    world: World
    state: bytes


def take(model: Model) -> Snapshot:
    """Save ``model`` as it stands between two months."""
    buffer = io.BytesIO()
    _Pickler(buffer, model.world).dump(model)
    return Snapshot(model.month, model.world, buffer.getvalue())


def resume(snapshot: Snapshot, board: Board | None = None) -> Model:
    """A new model that goes on from ``snapshot``, under ``board`` where one is given.

    ``board`` must be fresh, of the same months and levers (``ValueError`` otherwise). It takes over
    what the old one had in force, announced and enacted, and which triggers had fired; its own targets
    and triggers hold from the snapshot's month on.
    """
    model: Model = _Unpickler(io.BytesIO(snapshot.state), snapshot.world).load()
    if board is not None:
        board.take_over(model.board, snapshot.month)
        model.board = board
    return model


class _Pickler(pickle.Pickler):
    """Leaves the world out, and the day cases that follow from it."""

    def __init__(self, file: io.BytesIO, world: World):
        super().__init__(file, protocol=5)
        self._world = world

    def persistent_id(self, found: Any) -> str | None:
        if isinstance(found, DayCases):
            return _CASES
        return _WORLD if found is self._world else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, world: World):
        super().__init__(file)
        self._world = world

    def persistent_load(self, name: Any) -> Any:
        return cases_of(self._world) if name == _CASES else self._world
