"""Tables are read by name and cannot be written; a world answers for its tables and traits."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np
import pytest

from abm.calendar import Calendar
from abm.world import Table, World


def table() -> Table:
    return Table("zones", {"zone": ["north", "south"], "mw": np.array([1.0, 2.0])}, "zone")


def world() -> World:
    tables = {
        "cast": Table("cast", {"who": ["utility", "fund"]}, "who"),
        "traits": Table(
            "traits",
            {
                "who": np.array([1, 0, 1]),
                "trait": ["beta", "beta", "exposure"],
                "value": np.array([1.2, 0.8, 0.5]),
            },
        ),
        "zones": table(),
    }
    return World("w", "A world", "KRW", Calendar(24300, 12), tables, {}, {"grid": "utility"})


def test_columns_are_attributes_and_rows_have_keys() -> None:
    one = table()
    assert len(one) == 2
    assert one.zone == one.keys == ("north", "south")
    assert one.mw.tolist() == [1.0, 2.0]
    assert one.row("south") == 1
    assert "north" in one
    assert "east" not in one
    assert list(one.columns) == ["zone", "mw"]


def test_a_column_or_key_that_does_not_exist_is_an_error_with_its_name() -> None:
    with pytest.raises(AttributeError, match="no column 'colour'"):
        _ = table().colour
    with pytest.raises(KeyError, match="east"):
        table().row("east")


def test_columns_cannot_be_written_and_are_no_ones_else() -> None:
    mine = np.array([1.0, 2.0])
    one = Table("zones", {"mw": mine})
    mine[0] = 99.0
    assert one.mw.tolist() == [1.0, 2.0]
    assert mine.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        one.mw[0] = 5.0


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"table zones: columns of different lengths \[1, 2\]"):
        Table("zones", {"zone": ["north", "south"], "mw": np.array([1.0])}, "zone")
    with pytest.raises(ValueError, match="different lengths"):
        table().replace(mw=np.zeros(3))


def test_replace_makes_a_copy_with_the_keys_and_leaves_the_original() -> None:
    one = table()
    other = one.replace(mw=np.array([3.0, 4.0]))
    assert other.mw.tolist() == [3.0, 4.0]
    assert other.row("south") == 1
    assert one.mw.tolist() == [1.0, 2.0]


def test_an_empty_table_has_no_rows() -> None:
    assert len(Table("nothing", {})) == len(Table("zones", {"mw": np.zeros(0)})) == 0


def test_a_table_can_be_copied() -> None:
    assert copy.copy(table()).zone == ("north", "south")
    assert copy.deepcopy(table()).row("south") == 1


def test_a_world_hands_out_its_tables_by_name() -> None:
    assert world().zones.row("south") == 1
    with pytest.raises(AttributeError, match="no table 'planets'"):
        _ = world().planets


def test_traits_belong_to_their_owner() -> None:
    one = world()
    assert one.trait("fund", "beta") == 1.2
    assert one.traits_of("utility") == {"beta": 0.8}
    assert one.traits_of("fund") == {"beta": 1.2, "exposure": 0.5}
    with pytest.raises(KeyError, match="exposure"):
        one.trait("utility", "exposure")


def test_a_world_with_other_traits_does_not_remember_the_old_ones() -> None:
    one = world()
    assert one.trait("fund", "beta") == 1.2
    other = dataclasses.replace(
        one, tables={**one.tables, "traits": one.traits.replace(value=np.array([9.0, 0.8, 0.5]))}
    )
    assert other.trait("fund", "beta") == 9.0


def test_changing_what_traits_of_returns_changes_nothing() -> None:
    one = world()
    one.traits_of("fund")["beta"] = 9.0
    assert one.trait("fund", "beta") == 1.2


def test_a_world_is_frozen() -> None:
    one: Any = world()
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "another"
