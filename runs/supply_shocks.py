"""Shocks to the supply graph: a supplier or an edge taken out, cut or delayed for some months.

In a scenario file::

    [[supply_shocks]]
    node = "sk-hynix"          # all that it supplies; good = "hbm" narrows it down
    from = "2027-01"
    months = 6
    factor = 0                 # 0 takes it out, 0.5 halves it

    [[supply_shocks]]
    edge = { from = "nvidia", to = "kt", good = "gpu" }
    from = "2027-01"
    months = 12
    delay_months = 3           # what leaves in these months comes three months later

As a setting (command line, Python): ``shock.sk-hynix=0@2027-01+6``, ``shock.samsung-memory/hbm=...`` for
one good of a supplier, ``shock.nvidia/kt/gpu=delay:3@2027-01+12`` for an edge, ``0.5,delay:3@...`` for both,
several windows with ``;`` between them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from abm.calendar import Calendar, month_text
from abm.goods import GOVERNED
from policies.reading import (
    Problems,
    Unreadable,
    read_amount,
    read_month,
    read_table,
    read_text,
    read_whole,
    shown,
    unknown,
)

if TYPE_CHECKING:
    from abm.world import World

PREFIX = "shock."
LONGEST_DELAY = 60
"""Months; a longer delay is taken for a slip of the pen."""

KEYS = ("node", "edge", "good", "from", "months", "factor", "delay_months")
_EDGE_KEYS = ("from", "to", "good")
_FORM = "FACTOR@YYYY-MM+MONTHS, such as 0@2027-01+6, 0.5@2027-01+6 or delay:3@2027-01+6"
_WINDOW = re.compile(
    r"(?:(?P<factor>[^,@:]+),?\s*)?(?:delay:(?P<delay>[^,@:]+))?@(?P<start>[^+]+)\+(?P<months>.+)"
)

Edges = Collection[tuple[str, str, str]]
"""(supplier, buyer, good) of a world's edges."""


@dataclass(frozen=True, slots=True, order=True)
class SupplyShock:
    """From the absolute month ``start`` on, for ``months``: ``factor`` of what left before, ``delay`` months later.

    ``buyer`` and ``good`` are blank where all of the supplier's are meant. Shocks that overlap multiply
    their factors and add up their delays.
    """

    start: int
    supplier: str
    buyer: str = ""
    good: str = ""
    months: int = 1
    factor: float = 1.0
    delay: int = 0

    @property
    def acts(self) -> bool:
        """Whether it is a shock at all."""
        return self.factor != 1.0 or self.delay > 0

    @property
    def name(self) -> str:
        """Key of the setting that says the same: ``nvidia/kt/gpu`` or ``sk-hynix``."""
        if self.buyer:
            return f"{self.supplier}/{self.buyer}/{self.good}"
        return f"{self.supplier}/{self.good}" if self.good else self.supplier

    def toml(self) -> list[str]:
        """Lines of a ``[[supply_shocks]]`` table that says the same."""
        where = f'edge = {{ from = "{self.supplier}", to = "{self.buyer}", good = "{self.good}" }}'
        if not self.buyer:
            where = f'node = "{self.supplier}"'
        lines = [where, *([f'good = "{self.good}"'] if self.good and not self.buyer else [])]
        lines += [
            f'from = "{month_text(self.start)}"',
            f"months = {self.months}",
            f"factor = {self.factor!r}",
        ]
        return [*lines, *([f"delay_months = {self.delay}"] if self.delay else [])]

    def __str__(self) -> str:
        parts = [f"{self.factor:g}"] if self.factor != 1.0 or not self.delay else []
        parts += [f"delay:{self.delay}"] if self.delay else []
        return f"{self.name}={','.join(parts)}@{month_text(self.start)}+{self.months}"


def edges_of(world: World) -> frozenset[tuple[str, str, str]]:
    """The world's edges by names."""
    edges, cast, goods = world.edges, world.cast.keys, world.goods.keys
    return frozenset(
        (cast[supplier], cast[buyer], goods[good])
        for supplier, buyer, good in zip(
            edges.supplier.tolist(), edges.buyer.tolist(), edges.good.tolist(), strict=True
        )
    )


def read_entry(
    here: tuple[str | int, ...],
    entry: Mapping[str, Any],
    edges: Edges | None,
    calendar: Calendar,
    problems: Problems,
) -> SupplyShock | None:
    """One ``[[supply_shocks]]`` table; None, and problems noted, where something is wrong with it."""
    before = len(problems)
    problems.keys(here, entry, KEYS, "a supply shock")
    supplier = buyer = good = ""
    if ("node" in entry) == ("edge" in entry):
        problems.note(here, "it names either a node or an edge = { from, to, good }")
    elif "node" in entry:
        supplier = problems.attempt((*here, "node"), read_text, entry["node"]) or ""
        if "good" in entry:
            good = problems.attempt((*here, "good"), read_text, entry["good"]) or ""
    else:
        table = problems.attempt((*here, "edge"), read_table, entry["edge"]) or {}
        problems.keys((*here, "edge"), table, _EDGE_KEYS, "an edge")
        for key in _EDGE_KEYS:
            if key not in table:
                problems.note((*here, "edge"), f"the key {key!r} is missing")
        if "good" in entry:
            problems.note((*here, "good"), "an edge names its good itself")
        ends = [
            problems.attempt((*here, "edge", key), read_text, table[key]) or ""
            for key in _EDGE_KEYS
            if key in table
        ]
        supplier, buyer, good = (*ends, "", "", "")[:3]
    for key in ("from", "months"):
        if key not in entry:
            problems.note(here, f"the key {key!r} is missing")
    if "factor" not in entry and "delay_months" not in entry:
        problems.note(here, "the key 'factor' or 'delay_months' is missing")
    start = problems.attempt((*here, "from"), read_month, entry.get("from", calendar.text(0)))
    months = problems.attempt((*here, "months"), read_whole, entry.get("months", 1), "month", 1, 1200)
    factor = problems.attempt((*here, "factor"), read_amount, entry.get("factor", 1), "ratio", 0.0, 1.0)
    delay = problems.attempt(
        (*here, "delay_months"), read_whole, entry.get("delay_months", 0), "month", 0, LONGEST_DELAY
    )
    if len(problems) > before or start is None or months is None or factor is None or delay is None:
        return None
    shock = SupplyShock(start, supplier, buyer, good, months, factor, delay)
    place = (*here, "node") if not buyer else (*here, "edge")
    _check(shock, place, (*here, "good"), (*here, "from"), edges, calendar, problems)
    return shock if len(problems) == before else None


def read_setting(
    key: str, value: object, edges: Edges | None, calendar: Calendar | None, problems: Problems
) -> tuple[SupplyShock, ...]:
    """The shocks that a setting ``shock.NAME = WINDOWS`` asks for; none, and problems noted, where it is wrong."""
    before = len(problems)
    names = key.removeprefix(PREFIX).split("/")
    if not all(names) or len(names) > 3:
        problems.note(
            (key,),
            "a shock is of a supplier (shock.NAME), of one good of it (shock.NAME/GOOD) or of an edge "
            "(shock.FROM/TO/GOOD)",
        )
        return ()
    supplier, good = names[0], names[-1] if len(names) > 1 else ""
    buyer = names[1] if len(names) == 3 else ""
    if not isinstance(value, str):
        problems.note((key,), f"found {shown(value)}, expected {_FORM}")
        return ()
    found: list[SupplyShock] = []
    for text in value.split(";"):
        shock = problems.attempt((key,), _window, text.strip(), supplier, buyer, good)
        if shock is not None and (calendar is not None or edges is not None):
            _check(shock, (key,), (key,), (key,), edges, calendar, problems)
        if shock is not None:
            found.append(shock)
    return tuple(found) if len(problems) == before else ()


def _window(text: str, supplier: str, buyer: str, good: str) -> SupplyShock:
    match = _WINDOW.fullmatch(text)
    if match is None or (match["factor"] is None and match["delay"] is None):
        raise Unreadable(f"found {shown(text)}, expected {_FORM}")
    factor = read_amount(_number(match["factor"]), "ratio", 0.0, 1.0) if match["factor"] else 1.0
    delay = read_whole(_number(match["delay"]), "month", 0, LONGEST_DELAY) if match["delay"] else 0
    start = read_month(match["start"].strip())
    months = read_whole(_number(match["months"]), "month", 1, 1200)
    return SupplyShock(start, supplier, buyer, good, months, factor, delay)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip()


def _check(
    shock: SupplyShock,
    place: tuple[str | int, ...],
    good_place: tuple[str | int, ...],
    month_place: tuple[str | int, ...],
    edges: Edges | None,
    calendar: Calendar | None,
    problems: Problems,
) -> None:
    """Note where the graph has no such supplier, good or edge, and a beginning outside the run."""
    if calendar is not None and not 0 <= shock.start - calendar.first < calendar.months:
        span = f"{calendar.text(0)} to {calendar.text(calendar.months - 1)}"
        problems.note(month_place, f"found {month_text(shock.start)}, allowed {span}, the months of the run")
    if edges is None:
        return
    suppliers = {supplier for supplier, _, good in edges if good in GOVERNED}
    if shock.supplier not in suppliers:
        problems.note(
            place, unknown(shock.supplier, "supplier whose deliveries the model shares out", suppliers)
        )
        return
    goods = {good for supplier, _, good in edges if supplier == shock.supplier and good in GOVERNED}
    if shock.good and shock.good not in goods:
        problems.note(good_place, unknown(shock.good, f"good that {shock.supplier} supplies", goods))
        return
    if shock.delay and not any(GOVERNED[good] for good in ([shock.good] if shock.good else goods)):
        problems.note(place, f"{' and '.join(sorted(goods))} cannot be delayed, only cut: use a factor")
    if shock.buyer:
        buyers = {
            buyer for supplier, buyer, good in edges if (supplier, good) == (shock.supplier, shock.good)
        }
        if shock.buyer not in buyers:
            problems.note(place, unknown(shock.buyer, f"buyer of {shock.good} from {shock.supplier}", buyers))
