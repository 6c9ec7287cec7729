"""A world: frozen tables, parameters and roles, with the hash of the bytes they came from.

Nothing here reads a disk; ``runs.worlds.loader`` turns a folder of CSV and TOML into a ``World``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from abm.calendar import Calendar
from abm.quantities import Quantity


class Table:
    """Columns of equal length, read as attributes; numeric columns are read-only arrays.

    Text columns are tuples of ``str``. Month columns are integer month indices of the run
    (``abm.calendar.NEVER`` where blank); references are row numbers of the table they point to
    (-1 where blank); blank numbers are NaN.
    """

    def __init__(self, name: str, columns: Mapping[str, Any], key: str | None = None):
        self._name = name
        self._columns: dict[str, Any] = {}
        lengths = set()
        for column, values in columns.items():
            if isinstance(values, np.ndarray):
                values = values.copy()
                values.setflags(write=False)
            else:
                values = tuple(values)
            lengths.add(len(values))
            self._columns[column] = values
        # As attributes of their own: they are read by the hundred thousand in a run.
        self.__dict__.update(self._columns)
        if len(lengths) > 1:
            raise ValueError(f"table {name}: columns of different lengths {sorted(lengths)}")
        self._length = lengths.pop() if lengths else 0
        self.keys: tuple[str, ...] = self._columns[key] if key else ()
        self._row = {text: row for row, text in enumerate(self.keys)}

    def __getattr__(self, column: str) -> Any:
        raise AttributeError(f"this table has no column {column!r}")

    def __len__(self) -> int:
        return self._length

    @property
    def columns(self) -> Mapping[str, Any]:
        return self._columns

    def row(self, key: str) -> int:
        """Row number of ``key``; KeyError where there is none."""
        return self._row[key]

    def __contains__(self, key: object) -> bool:
        return key in self._row

    def replace(self, **columns: Any) -> Table:
        """A copy with some columns exchanged."""
        key = next((name for name, values in self._columns.items() if values is self.keys), None)
        return Table(self._name, {**self._columns, **columns}, key)


@dataclass(frozen=True)
class World:
    """Everything that does not change during a run."""

    name: str
    title: str
    currency: str
    calendar: Calendar
    tables: Mapping[str, Table]
    quantities: Mapping[str, Quantity]
    roles: Mapping[str, str]
    """Role (such as ``finance``) to the key of the stakeholder that plays it."""
    hash: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.__dict__.update(self.tables)

    def __getattr__(self, table: str) -> Table:
        raise AttributeError(f"this world has no table {table!r}")

    def trait(self, who: str, trait: str) -> float:
        """A stakeholder's own number; KeyError with both names where it is missing."""
        try:
            return self.traits_of(who)[trait]
        except KeyError:
            raise KeyError(who, trait) from None

    def traits_of(self, who: str) -> dict[str, float]:
        return dict(_by_owner(self.tables["traits"], self.tables["cast"]).get(who, {}))


@lru_cache(maxsize=8)
def _by_owner(traits: Table, cast: Table) -> dict[str, dict[str, float]]:
    """Stakeholder to its traits. Tables are frozen, so this is kept for other worlds made of the same ones."""
    found: dict[str, dict[str, float]] = {}
    for row, trait, value in zip(traits.who.tolist(), traits.trait, traits.value.tolist(), strict=True):
        found.setdefault(cast.keys[row], {})[trait] = value
    return found
