"""Variants of the worlds that ship, and runs of them: what the tests of the model have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from abm.calendar import NEVER, Calendar
from abm.model import Model
from abm.schema import BY_NAME
from abm.world import Table, World
from policies.lever import Lever
from policies.package import Package
from runs.assemble import Prepared, prepare
from runs.scenario import Scenario
from runs.worlds import loader

LONG_AGO = -1000
"""A step of a package dated so early that the lever is in force when the run starts."""

SOLVER = ("power_pivots", "power_fallbacks", "power_gap")
"""Indicators that tell about the solver, not about the world."""

RESPONSIBLE = ("science", "energy", "finance", "land", "data", "education", "presidential")


# -- worlds ----------------------------------------------------------------------------------
def toy() -> World:
    """The toy world with a government that owns every lever, so that each of them can be enacted."""
    world = loader.load("toy")
    return dataclasses.replace(world, roles={**dict.fromkeys(RESPONSIBLE, "government"), **world.roles})


def korea() -> World:
    return loader.load("korea")


def shortened(world: World, months: int, rows: int = 100) -> World:
    """The first ``months`` of a world, with one day a month (the one of most weight) and few startups."""
    weights, days = world.day_weights, world.days
    kept: dict[int, tuple[float, str]] = {}
    for month, day, count in zip(weights.calendar_month, weights.day, weights.days, strict=True):
        kept[int(month)] = max(kept.get(int(month), (-1.0, "")), (float(count), day))
    of_day = np.array(
        [kept[int(month)][1] == day for month, day in zip(days.calendar_month, days.day, strict=True)]
    )
    of_weight = np.array(
        [kept[int(month)][1] == day for month, day in zip(weights.calendar_month, weights.day, strict=True)]
    )
    world = reindexed(
        reindexed(world, "days", np.flatnonzero(of_day)), "day_weights", np.flatnonzero(of_weight)
    )
    whole = world.calendar
    world = dataclasses.replace(world, calendar=Calendar(whole.first, min(months, whole.months)))
    return parameters(world, startup_rows=float(rows))


def tables(world: World, **changed: Table) -> World:
    return dataclasses.replace(world, tables={**world.tables, **changed})


def columns(world: World, table: str, **changed: Any) -> World:
    """``world`` with some columns of one table exchanged; a plain number fills its column."""
    old = world.tables[table]
    whole = {
        name: np.full(len(old), value, dtype=np.asarray(old.columns[name]).dtype)
        if np.isscalar(value) and not isinstance(value, str)
        else value
        for name, value in changed.items()
    }
    return tables(world, **{table: old.replace(**whole)})


def parameters(world: World, **values: float) -> World:
    """``world`` with other defaults of its quantities, given by handle; ranges widen where needed."""
    by_handle = {quantity.key: name for name, quantity in world.quantities.items()}
    quantities = dict(world.quantities)
    for handle, value in values.items():
        old = quantities[by_handle[handle]]
        quantities[old.name] = dataclasses.replace(
            old, default=float(value), low=min(old.low, value), high=max(old.high, value)
        )
    return dataclasses.replace(world, quantities=quantities)


def traits(world: World, **values: float) -> World:
    """``world`` with traits, given as ``who__trait`` (hyphens of ``who`` written ``_``) or ``any__trait``."""
    table = world.traits
    new = table.value.astype(float).copy()
    for name, value in values.items():
        who, trait = name.split("__")
        rows = [
            row
            for row, (at, key) in enumerate(zip(table.who, table.trait, strict=True))
            if key == trait and who in ("any", world.cast.keys[int(at)].replace("-", "_"))
        ]
        assert rows, f"{name}: nobody has such a trait"
        new[rows] = value
    return columns(world, "traits", value=new)


def added(world: World, table: str, **new: Sequence[Any]) -> World:
    """``world`` with rows added at the end of ``table``; columns that are not given stay blank."""
    old, form = world.tables[table], BY_NAME[table]
    count = len(next(iter(new.values())))
    blank = {
        "number": np.nan,
        "ref": -1,
        "month": NEVER,
        "text": "",
        "flag": 0,
        "whole": 0,
        "key": "",
        "choice": "",
    }
    kinds = {column.name: column.kind for column in form.columns}
    result: dict[str, Any] = {}
    for name, values in old.columns.items():
        fresh = new.get(name, [blank[kinds.get(name, "text")]] * count)
        if isinstance(values, np.ndarray):
            result[name] = np.concatenate([values, np.asarray(fresh).astype(values.dtype)])
        else:
            result[name] = (*values, *fresh)
    return tables(world, **{table: Table(table, result, form.key)})


def reindexed(world: World, table: str, order: Iterable[int]) -> World:
    """``world`` with the rows ``order`` of ``table``, in that order; references follow their rows.

    Rows elsewhere that refer to a row left out go too, or lose the reference where it may be blank.
    """
    order = np.asarray(list(order), np.int64)
    old, form = world.tables[table], BY_NAME[table]
    moved = {
        name: values[order] if isinstance(values, np.ndarray) else tuple(values[row] for row in order)
        for name, values in old.columns.items()
    }
    new_row = np.full(len(old) + 1, -1, np.int64)
    new_row[order] = np.arange(len(order))
    world = tables(world, **{table: Table(table, moved, form.key)})
    for other, other_form in BY_NAME.items():
        for column in other_form.columns:
            if column.kind != "ref" or column.to != table:
                continue
            there = world.tables[other]
            before = np.asarray(there.columns[column.name], np.int64)
            after = new_row[before]
            lost = (after < 0) & (before >= 0)
            world = columns(world, other, **{column.name: after})
            if lost.any() and not column.blank:
                world = reindexed(world, other, np.flatnonzero(~lost))
    return world


def rows_of(world: World, table: str, wanted: Callable[[int], bool]) -> World:
    """``world`` with those rows of ``table`` only that ``wanted`` accepts."""
    return reindexed(world, table, [row for row in range(len(world.tables[table])) if wanted(row)])


def with_stakeholder(world: World, who: str, like: str, **changed: float) -> World:
    """``world`` with one more row of the cast: a copy of ``like`` with other traits."""
    row = world.cast.row(like)
    table = world.traits
    world = added(
        world,
        "cast",
        who=[who],
        name=[who],
        kind=[world.cast.kind[row]],
        zone=[world.cast.zone[row]],
        foreign=[world.cast.foreign[row]],
        objective=[world.cast.objective[row]],
    )
    copied = [at for at in range(len(table)) if int(table.who[at]) == row]
    new = world.cast.row(who)
    return added(
        world,
        "traits",
        who=[new] * len(copied),
        trait=[table.trait[at] for at in copied],
        unit=[table.unit[at] for at in copied],
        value=[changed.get(table.trait[at], float(table.value[at])) for at in copied],
    )


# -- runs ------------------------------------------------------------------------------------
def prepared(
    world: World,
    settings: Mapping[str, float] | None = None,
    *,
    seed: int = 1,
    package: str | Package = "no-policy",
    in_force: Mapping[str, float] | None = None,
    shocks: Sequence[tuple[str, int, int, float, float]] = (),
    triggers: Sequence[Any] = (),
) -> Prepared:
    """A run, checked. ``in_force`` are levers (by handle) that stand at a value since long before the start."""
    if isinstance(package, str) and package == "no-policy":
        package = Package("no-policy", "no policy")
    ready = prepare(world, Scenario("test", "test"), package, settings, seed)
    settled = ready.settled
    schedule = {
        **settled.schedule,
        **{handle: ((LONG_AGO, value),) for handle, value in (in_force or {}).items()},
    }
    settled = dataclasses.replace(
        settled, schedule=schedule, shocks=(*settled.shocks, *shocks), triggers=(*settled.triggers, *triggers)
    )
    return dataclasses.replace(ready, settled=settled)


def built(world: World, settings: Mapping[str, float] | None = None, **options: Any) -> Model:
    """A model at its first month."""
    return prepared(world, settings, **options).build()


def run(
    world: World, settings: Mapping[str, float] | None = None, *, months: int | None = None, **options: Any
) -> Model:
    """A finished run, or one stopped after ``months``."""
    model = built(world, settings, **options)
    for _ in range(model.calendar.months if months is None else months):
        model.step()
    return model


# -- comparing -------------------------------------------------------------------------------
def names_of(model: Model, *but: str) -> list[str]:
    """Indicators that tell about the world, less those that begin with one of ``but``."""
    return [
        indicator.name
        for indicator in model.indicators
        if indicator.name not in SOLVER
        and not indicator.later
        and not indicator.name.startswith(but or ("\0",))
    ]


def series(model: Model, name: str) -> np.ndarray:
    return model.recorder.values[: model.recorder.recorded, model.recorder.column[name]]


def physical(model: Model) -> list[str]:
    """Indicators that are not counted in the world's money."""
    money = model.world.currency
    return [
        indicator.name
        for indicator in model.indicators
        if indicator.name in names_of(model)
        and money not in indicator.unit
        and "currency" not in indicator.unit
    ]


def differing(
    one: Model,
    other: Model,
    names: Iterable[str] | None = None,
    tolerance: float = 0.0,
    until: int | None = None,
) -> dict[str, tuple[int, float, float]]:
    """Indicators whose series differ: name to (first month, value there in one, in the other).

    ``tolerance`` is relative to the larger of the two values and the series' own size.
    """
    found = {}
    for name in names_of(one) if names is None else names:
        a, b = series(one, name)[:until], series(other, name)[:until]
        size = np.maximum(np.abs(a), np.abs(b))
        scale = np.maximum(size, 1e-3 * np.nanmax(size)) if np.isfinite(size).any() else size
        unequal = ~((np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= tolerance * scale))
        if unequal.any():
            month = int(np.argmax(unequal))
            found[name] = (month, float(a[month]), float(b[month]))
    return found


def decision_lines(model: Model) -> list[tuple[Any, ...]]:
    return [
        (
            d.month,
            d.who,
            d.verb,
            d.subject,
            d.amount,
            d.granted,
            d.unit,
            d.bound,
            tuple(sorted(d.values.items())),
        )
        for d in model.decisions.records
    ]


def levers_of(ready: Prepared) -> dict[str, Lever]:
    return {lever.handle: lever for lever in ready.levers.values()}
