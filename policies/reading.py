"""Reading single values of an input: amounts with units, months, texts; and saying what is wrong with them.

A reader returns the value or raises ``Unreadable`` with what was found and what is allowed. ``Problems``
gathers such messages with the path of the key, so that all of them are reported at once.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from abm.calendar import month_text, parse_month
from abm.quantities import nearest

KeyPath = tuple[str | int, ...]
"""Keys from the root of a document inwards; integers count array elements from 0."""

EARLIEST, LATEST = parse_month("1990-01"), parse_month("2100-12")
"""Months outside are taken for a slip of the pen."""

_NUMBER = r"[+-]?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|nan)"
_AMOUNT = re.compile(rf"({_NUMBER})\s*(.*)", re.DOTALL | re.ASCII)
_ALIASES = {"yr": "year", "mo": "month"}


class Problem(NamedTuple):
    """One thing wrong at a key."""

    path: KeyPath
    message: str


class Unreadable(ValueError):
    """A value that cannot be used; the message says what was found and what is allowed."""


class Problems(list[Problem]):
    """Everything wrong with one document."""

    def note(self, path: KeyPath, message: str) -> None:
        self.append(Problem(path, message))

    def attempt[**P, T](
        self, path: KeyPath, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """What ``read`` returns; None, and a problem noted, where it cannot."""
        try:
            return read(*args, **kwargs)
        except Unreadable as error:
            self.note(path, str(error))
            return None

    def keys(self, path: KeyPath, table: Mapping[str, Any], known: Iterable[str], what: str) -> None:
        """Note every key of ``table`` that is not among ``known``."""
        names = tuple(known)
        for key in table:
            if key not in names:
                self.note((*path, key), unknown(key, f"key of {what}", names))


def unknown(name: object, what: str, known: Iterable[str]) -> str:
    """'found ..., which is no lever', with the nearest name, or all of them where they are few."""
    names = sorted(known)
    near = nearest(str(name), names)
    if near:
        return f"found {name!r}, which is no {what}; did you mean {near!r}?"
    listing = ", ".join(names) if len(names) <= 12 else f"{len(names)} names, see `madang list`"
    return f"found {name!r}, which is no {what}; allowed: {listing or 'none'}"


def shown(value: object) -> str:
    """A value as the writer of the file would recognise it, cut where it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a number with more than 20 digits"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def unit_text(unit: str, currency: str = "") -> str:
    """The unit with the world's own currency in place of the word ``currency``."""
    return unit.replace("currency", currency) if currency else unit


def same_unit(given: str, unit: str, currency: str = "") -> bool:
    """Whether ``given`` names ``unit``: blanks, plurals, ``yr`` and the currency's name do not matter."""
    return _plain_unit(given) in {_plain_unit(unit), _plain_unit(unit_text(unit, currency))}


def _plain_unit(unit: str) -> str:
    def word(found: re.Match[str]) -> str:
        text = found[0]
        text = text[:-1] if len(text) > 2 and text.endswith("s") else text
        return _ALIASES.get(text, text)

    return re.sub(r"[^\W\d_]+", word, re.sub(r"\s+", "", unit))


def read_amount(
    value: object, unit: str, low: float = -math.inf, high: float = math.inf, currency: str = ""
) -> float:
    """A number in ``unit`` between ``low`` and ``high``, given as number or as text such as ``"15 GW"``."""
    named = unit_text(unit, currency)
    in_unit = f" in {named}" if named not in ("", "-") else ""
    if isinstance(value, str):
        number = _amount_of_text(value, unit, currency)
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unreadable(f"found {shown(value)}, expected a number{in_unit}")
    else:
        try:
            number = float(value)
        except OverflowError:
            raise Unreadable(f"found {shown(value)}, expected a number{in_unit}") from None
    if not math.isfinite(number):
        raise Unreadable(f"found {number}, expected a finite number{in_unit}")
    if not low <= number <= high:
        raise Unreadable(f"found {number_text(number)}, allowed {_range_text(low, high, named)}")
    return number + 0.0  # no negative zero


def number_text(number: float) -> str:
    """Six digits where they say it all, else all digits."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def _range_text(low: float, high: float, unit: str) -> str:
    unit = f" {unit}" if unit not in ("", "-") else ""
    if math.isinf(high):
        return f"{number_text(low)}{unit} or more"
    if math.isinf(low):
        return f"{number_text(high)}{unit} or less"
    return f"{number_text(low)} to {number_text(high)}{unit}"


def _amount_of_text(text: str, unit: str, currency: str) -> float:
    named = unit_text(unit, currency)
    found = _AMOUNT.fullmatch(text.strip())
    example = f"such as 15 or \"15 {named}\"" if named not in ("", "-") else "such as 15"
    if not found:
        raise Unreadable(f"found {shown(text)}, expected a number, {example}")
    number, given = float(found[1]), found[2].strip()
    if not given:
        raise Unreadable(f"found the text {shown(text)}, expected a number, {example}")
    if not same_unit(given, unit, currency):
        hint = f" (1 % is 0.01 {named})" if given == "%" else ""
        unit_wanted = f"the unit {named!r}" if named not in ("", "-") else "no unit"
        raise Unreadable(f"found the unit {given!r}, expected {unit_wanted}{hint}")
    return number


def read_whole(value: object, unit: str, low: float, high: float) -> int:
    """A whole number in ``unit`` between ``low`` and ``high``."""
    number = read_amount(value, unit, low, high)
    if number != int(number):
        raise Unreadable(f"found {number_text(number)}, expected a whole number of {unit}s")
    return int(number)


def read_month(value: object) -> int:
    """Absolute month of ``"YYYY-MM"``."""
    if isinstance(value, datetime.date):
        raise Unreadable(f'found the date {value}, expected a month in quotes: "{value:%Y-%m}"')
    if not isinstance(value, str):
        raise Unreadable(f'found {shown(value)}, expected a month in quotes, such as "2027-11"')
    try:
        month = parse_month(value)
    except ValueError:
        raise Unreadable(f'found {shown(value)}, expected a month such as "2027-11" (YYYY-MM)') from None
    if not EARLIEST <= month <= LATEST:
        raise Unreadable(f"found {value}, allowed {month_text(EARLIEST)} to {month_text(LATEST)}")
    return month


def read_text(value: object) -> str:
    """A text that says something."""
    if not isinstance(value, str):
        raise Unreadable(f"found {shown(value)}, expected text in quotes")
    if not value.strip():
        raise Unreadable("found an empty text")
    return value.strip()


def read_table(value: object) -> Mapping[str, Any]:
    """A table of keys."""
    if not isinstance(value, Mapping):
        raise Unreadable(f"found {shown(value)}, expected a table of keys")
    return value


def read_tables(value: object) -> list[Mapping[str, Any]]:
    """An array of tables."""
    if not isinstance(value, list) or not all(isinstance(element, Mapping) for element in value):
        raise Unreadable(f"found {shown(value)}, expected tables headed by [[...]]")
    return value
