"""Those who set limits: parliament, the nuclear regulator, the export authority."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from abm.decisions import Intent
from abm.stakeholder import Stakeholder

if TYPE_CHECKING:
    from abm.model import Model


class Assembly(Stakeholder):
    """Sets the multiple of capital and reserves up to which the grid utility may issue bonds.

    Until the law in force ends (trait ``law_ends``, months from the start) the multiple is the
    trait ``multiple``, plus one with approval when debt uses more than ``approval_at`` of the limit.
    Afterwards it is the uncertainty of the bond limit, with the same approval.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {"multiple": "ratio", "law_ends": "month", "approval_at": "share"}
    PHASES: ClassVar[tuple[str, ...]] = ("frame",)

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        model, books = self.world_model, self.world_model.utility
        law = self.trait["multiple"] if month < self.trait["law_ends"] else model.parameters["bond_limit"]
        used = model.bonds() / max(law * books.capital, 1.0)
        approved = 1.0 if used > self.trait["approval_at"] and law >= 5.0 else 0.0
        if law + approved == books.bond_multiple:
            return ()
        bound = "approval" if approved else "law"
        return (self.intent("set-bond-limit", "bond limit", law + approved, "ratio", bound, used=used),)

    def score(self, month: int) -> float:
        """The grid utility's debt, with a minus."""
        return -self.world_model.utility.debt


class NuclearRegulator(Stakeholder):
    """Renews a licence when its review is over.

    A review takes the trait ``review_months``, spread by luck of the unit (the first such review
    took more than two years); it is never shortened by policy.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {"review_months": "month", "review_spread": "ratio"}
    PHASES: ClassVar[tuple[str, ...]] = ("frame",)

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self._review: dict[int, float] = {}
        """Months that a unit's review takes, by row; its luck is drawn when the review begins."""
        self._mw: list[float] = model.world.plants.mw.tolist()

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        model = self.world_model
        return self.review(month) if len(model.extension_asked) > len(model.extension_granted) else ()

    def review(self, month: int) -> Iterator[Intent]:
        """The units whose review is open and now over."""
        model = self.world_model
        open_reviews = [
            (asked, model.plant_name(row), row)
            for row, asked in model.extension_asked.items()
            if row not in model.extension_granted
        ]
        for asked, name, row in sorted(open_reviews):
            if row not in self._review:
                spread = model.luck.lognormal("licence", name, 1.0, self.trait["review_spread"])
                self._review[row] = self.trait["review_months"] * spread
            if month >= asked + self._review[row]:
                model.extension_granted.add(row)
                yield self.intent(
                    "grant-extension",
                    name,
                    self._mw[row],
                    "MW",
                    target=row,
                    review_months=float(month - asked),
                )

    def score(self, month: int) -> float:
        """Nuclear capacity running under renewed licences, MW."""
        return sum([self._mw[row] for row in self.world_model.extension_granted])


class ExportAuthority(Stakeholder):
    """Licenses accelerators for export to the home country by quarter.

    A quarter of the yearly cap may leave each quarter; what a quarter does not use lapses, so late
    orders cannot be made good from early restraint.
    """

    PHASES: ClassVar[tuple[str, ...]] = ("frame",)

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        if month % 3 == 0:
            yield self.intent(
                "licence",
                "accelerator exports",
                self.world_model.parameters["export_cap_gpus"] / 4.0,
                "GPU/quarter",
            )

    def score(self, month: int) -> float:
        """Accelerators licensed to the home country so far."""
        return self.world_model.imported_total
