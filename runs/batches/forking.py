"""A run that is one package until a month and another from then on, and the years that such runs share.

The run is defined without any sharing: the first package's targets before the month, the second's from it
on, decisions taken so far in force. Sharing the years before through a snapshot only saves time. Where both
packages want the same before the month and watch the same triggers, it is the plain run of the second, and
has its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from abm.calendar import parse_month
from runs.assemble import Prepared
from runs.hashing import hash_text
from runs.spec import changes_in, model_hash

if TYPE_CHECKING:
    from abm.board import Board
    from abm.model import Model
    from abm.snapshot import Snapshot


@dataclass(frozen=True)
class Forked:
    """``first`` until the month ``at`` (``YYYY-MM``), ``then`` from it on; the same in all but the package."""

    first: Prepared
    then: Prepared
    at: str

    @property
    def month(self) -> int:
        """Month index of the fork."""
        return parse_month(self.at) - self.first.settled.calendar.first

    def canonical(self) -> dict[str, Any]:
        """What determines the run; the second package's own canonical form where the fork makes no difference."""
        first, then = (prepared.canonical() for prepared in (self.first, self.then))
        levers = self.then.levers
        months = self.then.settled.calendar.months
        steps: dict[str, list[list[float]]] = {}
        for lever in sorted(levers.values(), key=lambda lever: lever.handle):
            before = self.first.settled.schedule.get(lever.handle, ())
            after = self.then.settled.schedule.get(lever.handle, ())
            stands = next((value for month, value in reversed(after) if month <= self.month), lever.default)
            joined = [step for step in before if step[0] < self.month]
            joined += [(self.month, stands), *(step for step in after if step[0] > self.month)]
            if changes := changes_in(joined, lever.default, months):
                steps[lever.handle] = changes
        found = {**then, "levers": steps}
        if first["triggers"] != then["triggers"]:
            # With triggers of two kinds, what they had switched matters beside what was wanted.
            found["fork"] = [self.month, first["triggers"], then["levers"]]
        return found

    def run_id(self) -> str:
        return hash_text([self.canonical(), model_hash()])

    def build(self) -> Branch:
        """The run by itself, its years before the fork included."""
        return Branch(Trunk(self), self)

    def board(self) -> Board:
        """A fresh board of the second package."""
        from abm.board import Board

        settled = self.then.settled
        return Board(
            list(self.then.levers.values()), settled.schedule, settled.triggers, settled.calendar.months
        )


class Trunk:
    """The years before the fork, run when first asked for and then shared by every package."""

    def __init__(self, forked: Forked):
        self._first, self._month = forked.first, forked.month
        self._saved: Snapshot | None = None
        self._error: Exception | None = None

    def snapshot(self) -> Snapshot:
        """The run at the fork; what went wrong before it goes wrong for every branch."""
        if self._error is not None:
            raise self._error
        if self._saved is None:
            try:
                model = self._first.build()
                while model.month < self._month:
                    model.step()
                self._saved = model.snapshot()
            except Exception as error:
                self._error = error
                raise
        return self._saved


@dataclass(frozen=True)
class Branch:
    """One package from the fork on."""

    trunk: Trunk
    forked: Forked

    def run_model(self) -> Model:
        """The finished run."""
        from abm.snapshot import resume

        model = resume(self.trunk.snapshot(), self.forked.board())
        model.spec = self.forked.then.spec
        return model.run_model()
