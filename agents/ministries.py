"""Ministries, local governments and the presidential office."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from abm.calendar import NEVER
from abm.decisions import Intent
from abm.stakeholder import Stakeholder
from abm.state import ANNOUNCED, APPLIED, FAB, HIDDEN, WITHDRAWN

if TYPE_CHECKING:
    from abm.model import Model


class Ministry(Stakeholder):
    """Enacts the levers it owns.

    Each month it compares what the package wants with what it last decided and proposes the
    difference; the envelope of the finance ministry decides how much of it is granted.
    """

    PHASES: ClassVar[tuple[str, ...]] = ("policy",)

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        levers = model.board.levers.items()
        self._levers = [handle for handle, lever in levers if model.world.roles.get(lever.owner) == who]

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        return self.enact(month) if phase == "policy" else ()

    def enact(self, month: int) -> list[Intent]:
        return [
            self.propose(handle, wanted, month)
            for handle, wanted, stands in self.world_model.board.unsettled(self._levers, month)
            if abs(wanted - stands) > 1e-12 * max(abs(wanted), 1.0)
        ]

    def propose(self, handle: str, wanted: float, month: int) -> Intent:
        return self.intent("enact", handle, wanted)

    def score(self, month: int) -> float:
        """What the state has spent on the hub so far, with a minus: the ministry's cost."""
        return -self.world_model.budget.total


class ScienceMinistry(Ministry):
    """Buys accelerators for the computing centre and the clouds that host state machines.

    Each month it may buy a twelfth of the yearly programme plus what earlier months could not
    place; it buys no more than its host sites can still take and no more than the envelope has
    left. A share, the preference, must be home-made processors.
    """

    READS: ClassVar[tuple[str, ...]] = ("state_gpu_purchases", "npu_preference")
    PHASES: ClassVar[tuple[str, ...]] = ("policy", "purchases")

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self.carried = 0.0
        self._lead = model.lead_months(who, "gpu")
        sites = model.state.sites
        own = np.flatnonzero((sites.finance == 0) & (sites.kind != FAB)).tolist()
        self._hosts = sorted(own, key=lambda row: (sites.expected.item(row), row))
        """Sites that the state finances, by the month for which they were announced; none is added in a run."""

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        return self.enact(month) if phase == "policy" else self.purchase(month)

    def purchase(self, month: int) -> Iterator[Intent]:
        model, state, sites = self.world_model, self.state, self.state.sites
        self.carried += self.lever("state_gpu_purchases") / 12.0
        if self.carried < 1.0:
            return
        lead = self._lead
        vintage = model.vintage_for(month + lead)
        price = model.chip_price(vintage, month)
        for row in self._hosts:
            opening = max(sites.expected.item(row), sites.ready.item(row) if sites.ready.item(row) < NEVER else 0)
            if sites.status.item(row) in (HIDDEN, WITHDRAWN) or month < opening - lead:
                continue
            there = sum(state.chips[row].tolist()) + sum(state.store[row].tolist())
            coming = float(state.ordered[row]) + sum(state.wanted[row].tolist())
            room = sites.gpus.item(row) - there - coming
            if room < 1.0:
                continue
            affordable = (
                max(model.budget.left - model.running_costs_to_come(month), 0.0) / price
                if price > 0.0
                else math.inf
            )
            count = min(room, self.carried)
            granted = min(count, affordable)
            bound = "" if granted >= count - 1e-9 else "budget envelope"
            if granted >= 1.0:
                self.carried -= granted
                yield self.intent(
                    "purchase",
                    sites.key[row],
                    granted,
                    "GPU",
                    bound,
                    row,
                    price=price,
                    asked=count,
                    npu_share=self.lever("npu_preference"),
                )
            if bound or self.carried < 1.0:
                break

    def score(self, month: int) -> float:
        """H100-equivalents installed for research and startups at state sites."""
        return self.world_model.state_compute()


class EnergyMinistry(Ministry):
    """Enacts energy levers, but puts price-raising ones off while households already pay more.

    A rise of the carbon price or of the tariff is postponed while the power price stands more than
    the trait ``pain`` above its mean of the last twelve months.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {"pain": "share"}

    def propose(self, handle: str, wanted: float, month: int) -> Intent:
        stands = self.world_model.board.announced(handle)
        history = self.world_model.price_history
        if handle in ("carbon_price", "tariff_adjustment") and wanted > stands and len(history) >= 12:
            mean = sum(history[-12:]) / 12.0
            if history[-1] > (1.0 + self.trait["pain"]) * mean:
                return self.intent(
                    "postpone", handle, wanted, bound="power price", price=history[-1], mean=mean
                )
        return self.intent("enact", handle, wanted)

    def score(self, month: int) -> float:
        """Emissions of power so far, Mt, with a minus."""
        return -self.world_model.emissions_total


class FinanceMinistry(Ministry):
    """Sets the yearly envelope for the hub, in January.

    The envelope grows as planned from its first two years; it is cut by the trait ``prudence``
    times the expected loss on guarantees (their stock times the share of loans in arrears).
    """

    TRAITS: ClassVar[Mapping[str, str]] = {
        "envelope": "currency/year",
        "envelope_second": "currency/year",
        "envelope_growth": "1/year",
        "prudence": "ratio",
    }

    PHASES: ClassVar[tuple[str, ...]] = ("frame", "policy")

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        return self.frame(month) if phase == "frame" else self.enact(month)

    def frame(self, month: int) -> Iterator[Intent]:
        """The year's envelope, in January."""
        if month == 0 or self.world_model.calendar.month_of_year(month) == 0:
            year = month // 12
            planned = (
                self.trait["envelope"]
                if year == 0
                else (self.trait["envelope_second"] * (1.0 + self.trait["envelope_growth"]) ** (year - 1))
            )
            risk = self.trait["prudence"] * self.world_model.expected_guarantee_loss()
            granted = max(planned - risk, 0.0)
            yield self.intent(
                "set-envelope",
                "envelope",
                granted,
                "money/year",
                "guarantees" if granted < planned else "",
                planned=planned,
            )


class LandMinistry(Ministry):
    """Gives special-zone capacity to the pools outside the capital region where most waits for it."""

    READS: ClassVar[tuple[str, ...]] = ("special_zone_gw",)

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self._outside = ~np.asarray(model.world.zones.capital_region, bool)
        """(zones,) outside the capital region."""

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        left = self.lever("special_zone_gw") * 1000.0 - self.world_model.special_given
        given = self.give(left) if left > 0.0 else ()
        return [*self.enact(month), *given]

    def give(self, left: float) -> Iterator[Intent]:
        """Give away up to ``left`` MW, where most waits for it first."""
        sites, special, pools = self.state.sites, self.world_model.special_mw, self.world_model.world.pools
        rows = sites.rows(ANNOUNCED, APPLIED)
        rows = rows[sites.sponsor[rows] & (sites.kind[rows] != FAB) & self._outside[sites.zone[rows]]]
        waiting: dict[int, float] = {}
        for pool, mw in zip(sites.pool[rows].tolist(), sites.mw[rows].tolist(), strict=True):
            waiting[pool] = waiting.get(pool, 0.0) + mw
        for pool in sorted(waiting, key=lambda pool: (-waiting[pool], pool)):
            give = min(max(waiting[pool] - float(special[pool]), 0.0), left)
            if give >= 1.0:
                left -= give
                yield self.intent(
                    "give-zone", pools.keys[pool], give, "MW", target=pool, waiting_mw=waiting[pool]
                )

    def score(self, month: int) -> float:
        """AI-site capacity energised outside the capital region, MW."""
        return self.world_model.running_mw(self._outside)


class DataProtection(Ministry):
    """Opens or closes cross-border data in steps: no more than the trait ``step`` a year."""

    TRAITS: ClassVar[Mapping[str, str]] = {"step": "1/year"}

    def propose(self, handle: str, wanted: float, month: int) -> Intent:
        stands = self.world_model.board.announced(handle)
        step = self.trait["step"] / 12.0
        return self.intent(
            "enact",
            handle,
            stands + max(min(wanted - stands, step), -step),
            bound="step" if abs(wanted - stands) > step else "",
        )

    def score(self, month: int) -> float:
        """Data openness in force: how far rules were relaxed, with a minus (strictness is its mandate)."""
        return -self.lever("data_openness")


class EducationMinistry(Ministry):
    """Trains as many as the programme allows, but no more than the shortage of the year calls for."""

    READS: ClassVar[tuple[str, ...]] = ("talent_programme",)
    PHASES: ClassVar[tuple[str, ...]] = ("policy", "entry")

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        return self.enact(month) if phase == "policy" else self.train(month)

    def train(self, month: int) -> Iterator[Intent]:
        model = self.world_model
        shortage = max(model.talent_needed - model.talent, 0.0)
        trained = min(self.lever("talent_programme") / 12.0, shortage)
        if trained > 0.0:
            yield self.intent(
                "train", "talent", trained, "person", "programme" if trained < shortage else "shortage"
            )

    def score(self, month: int) -> float:
        """AI professionals at work, persons."""
        return self.world_model.talent


class PresidentialOffice(Ministry):
    """Watches the signposts of the package.

    It knows last month's indicators. A trigger fires once, in the first month after its indicator
    has passed its value, no later than its date; switching is paid for.
    """

    PHASES: ClassVar[tuple[str, ...]] = ("frame", "policy")

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        return self.watch(month) if phase == "frame" else self.enact(month)

    def watch(self, month: int) -> Iterator[Intent]:
        """The triggers that last month's indicators have passed."""
        model = self.world_model
        for trigger in model.board.triggers:
            if trigger.name in model.board.fired or model.calendar.first + month > trigger.by:
                continue
            seen = model.recorder.last(trigger.indicator)
            passed = seen > trigger.value if trigger.comparison == ">" else seen < trigger.value
            if not math.isnan(seen) and passed:
                yield self.intent(
                    "fire", trigger.name, seen, bound=trigger.indicator, threshold=trigger.value
                )

    def score(self, month: int) -> float:
        """Accelerators online."""
        return self.world_model.machines_at_work()


class LocalGovernment(Stakeholder):
    """Consents to sites in its zone, or puts them off.

    What a place bears within two years is the trait ``tolerance_mw``, more where the siting
    incentive pays for it; a request beyond that waits. Consent then takes ``consent_months``.
    """

    TRAITS: ClassVar[Mapping[str, str]] = {"tolerance_mw": "MW", "consent_months": "month"}
    CONSENTS = True
    READS: ClassVar[tuple[str, ...]] = ("regional_siting_incentive",)
    PHASES: ClassVar[tuple[str, ...]] = ("connection",)

    def __init__(self, model: Model, who: str):
        super().__init__(model, who)
        self.given: list[tuple[int, float]] = []

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        return self.consider(self.world_model.seeking_consent.get(self.zone, ()), month)

    def consider(self, asking: Iterable[int], month: int) -> Iterator[Intent]:
        """Consent to sites ``asking`` for it, or put them off."""
        sites = self.state.sites
        recent = sum(mw for at, mw in self.given if at > month - 24)
        capital = bool(self.world_model.world.zones.capital_region[self.zone])
        incentive = 0.0 if capital else self.lever("regional_siting_incentive")
        bears = self.trait["tolerance_mw"] * (1.0 + incentive)
        for row in asking:
            if sites.permit_due.item(row) != NEVER:
                continue
            mw = sites.mw.item(row)
            if sites.kind.item(row) == FAB or recent + mw <= bears or recent == 0.0:
                if sites.kind.item(row) != FAB:
                    recent += mw
                    self.given.append((month, mw))
                yield self.intent(
                    "consent", sites.key[row], mw, "MW", target=row, months=self.trait["consent_months"]
                )
            elif (month - sites.step["applied"].item(row)) % 6 == 0:
                yield self.intent(
                    "postpone", sites.key[row], mw, "MW", "consent", row, recent_mw=recent, bears_mw=bears
                )

    def score(self, month: int) -> float:
        """AI-site capacity at work in the zone, MW."""
        running: float = self.state.ai_mw.item(self.zone)
        return running
