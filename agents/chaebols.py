"""Chaebols with AI factories, cloud platforms, and the public computing centre."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from abm.decisions import Intent
from agents.capital import Developer
from agents.owners import Owner
from agents.suppliers import npu_share


class Chaebol(Developer):
    """Builds AI factories for its own industry and rents out what it does not need.

    An hour of own use is worth the trait ``own_use_premium`` times the spot price, so it keeps
    capacity up to its own need and offers the rest; the need (``own_need``) grows with demand. It
    pays out of its yearly capital budget and borrows what coverage allows.
    """

    PHASES: ClassVar[tuple[str, ...]] = ("investment", "own-equity", "orders", "market")
    RULES: ClassVar[Mapping[str, str]] = {**Developer.RULES, "market": "rent_out"}

    def rent_out(self, month: int) -> Iterable[Intent]:
        """What it keeps of its own machines, site after site, before the rest goes to market: its own need."""
        need = self.trait["own_need"] * self.world_model.demand_scale(month)
        return (Intent(self.who, "keep", self.who, need, "H100-equivalents", {}, "", self.row),)


class Platform(Chaebol):
    """A cloud: sells most of its hours, keeps what its own services need, and mixes in home processors.

    Of each order it gives home-made processors the share that a logit of cost per
    H100-equivalent says, on top of the graph's contract share.
    """

    def _order(self, row: int, amount: float, month: int) -> Intent:
        share = npu_share(self.world_model, month)
        key = self.state.sites.key[row]
        return self.intent("order", key, amount, "GPU", target=row, npu_share=share)


class PublicOperator(Developer):
    """Runs the state's computing centre: builds while the state buys machines for it, sells nothing to itself.

    Its equity is the public part and what its partners bring (trait ``sponsor_share``); machines come
    from the science ministry's purchases, never from its own orders.
    """

    READS: ClassVar[tuple[str, ...]] = (*Owner.READS, "state_gpu_purchases")
    PHASES: ClassVar[tuple[str, ...]] = ("investment", "own-equity")

    def score(self, month: int) -> float:
        """H100-equivalents at work in its halls."""
        return self.world_model.compute_of(self.row)
