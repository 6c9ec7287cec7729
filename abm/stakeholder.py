"""The base of all stakeholders: a Mesa agent with traits, memory and rules that return intents."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import mesa

from abm.decisions import Intent

if TYPE_CHECKING:
    from abm.model import Model
    from abm.state import State


class Stakeholder(mesa.Agent):
    """Somebody who decides.

    A subclass states its rule in its docstring, declares in ``TRAITS`` the numbers it needs (name
    to unit), in ``READS`` the levers it looks at, and acts in the phases named in ``PHASES`` by
    returning intents. It changes nothing itself: the phase resolves intents against what is scarce,
    books them and writes the decision log.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {}
    READS: ClassVar[tuple[str, ...]] = ()
    PHASES: ClassVar[tuple[str, ...]] = ()
    CONSENTS: ClassVar[bool] = False
    """Whether sites in the stakeholder's zone need its consent."""

    def __init__(self, model: Model, who: str):
        super().__init__(model)
        row = model.world.cast.row(who)
        self.who = who
        self.row = row
        self.kind: str = model.world.cast.kind[row]
        self.zone = int(model.world.cast.zone[row])
        self.foreign = bool(model.world.cast.foreign[row])
        self.trait: dict[str, float] = model.world.traits_of(who)
        self.world_model: Model = model
        self.state: State = model.state
        digest = hashlib.blake2b(who.encode(), digest_size=4).digest()
        self.stagger = int.from_bytes(digest, "little")
        """Offset of the stakeholder's reviews: from its name, so that the order of the cast plays no part."""

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        """Intents of this month in ``phase``, one of ``PHASES``; the base does nothing.

        Asked in the months that :meth:`every` names. Owners are asked in ``orders`` while sites of theirs want
        machines (``purchases``, before that, is asked of everybody), and who ``CONSENTS`` while somebody seeks it.
        """
        return ()

    def every(self, phase: str) -> tuple[int, int]:
        """(months, offset): in ``investment`` it acts in the months m in which ``m + offset`` is a multiple of ``months``.

        Settled when the phase is first run.
        """
        return 1, 0

    def learn(self, month: int) -> None:
        """Take in what the month brought (beliefs); called once, after money has moved."""

    def score(self, month: int) -> float:
        """The stakeholder's own objective, in the natural unit that the cast declares; NaN if undefined."""
        return math.nan

    def intent(
        self,
        verb: str,
        subject: str,
        amount: float = 1.0,
        unit: str = "",
        bound: str = "",
        target: int = -1,
        **values: Any,
    ) -> Intent:
        """What this stakeholder wants to do; ``values`` are the figures on which it decided."""
        return Intent(self.who, verb, subject, amount, unit, values, bound, target)

    def lever(self, handle: str) -> float:
        """What a lever stands at this month."""
        return self.world_model.board.value(handle, self.world_model.month)
