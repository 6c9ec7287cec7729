"""All that is said to people, in one catalogue for each language: ``runs/app/texts/en.toml`` and ``ko.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abm.world import World

FOLDER = Path(__file__).parents[1] / "app" / "texts"
LANGUAGES: tuple[str, ...] = ("en", "ko")


class Texts:
    """A catalogue. ``t("decade.title")`` is the text of that key; names in braces are filled in."""

    def __init__(self, language: str, table: Mapping[str, str]):
        self.language = language
        self.table = table

    def __call__(self, key: str, **values: object) -> str:
        text = self.table.get(key, key)
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        return key in self.table

    def unit(self, unit: str) -> str:
        """The unit's name, as it stands where the catalogue has none."""
        return self.table.get(f"unit.{unit}", unit)

    def word(self, group: str, key: str) -> str:
        """A word of a group (verb, bound, step, ...); the key itself, readable, where the catalogue has none."""
        return self.table.get(f"{group}.{key}", key.replace("-", " ").replace("_", " "))

    def name(self, world: World, key: str) -> str:
        """The name of a stakeholder, a zone, a technology or a country, in this language."""
        if "zones" in world.tables and key in world.zones and f"name.{key}" in self.table:
            return self.table[f"name.{key}"]  # shorter than the world's own
        for table in ("cast", "zones"):
            found = world.tables.get(table)
            if found is not None and key in found:
                row, columns = found.row(key), found.columns
                local = columns.get("name_ko", ()) if self.language == "ko" else ()
                return str((local and local[row]) or columns["name"][row])
        return self.word("name", key)

    def indicator(self, name: str, world: World | None = None) -> str:
        """What an indicator is called; of a family, with the member's name."""
        if f"indicator.{name}" in self.table:
            return self.table[f"indicator.{name}"]
        stem, dot, member = name.partition(".")
        label = self.table.get(f"indicator.{stem}", stem.replace("_", " "))
        if not dot:
            return label
        return f"{label}: {self.name(world, member) if world is not None else member}"

    def knob(self, name: str) -> str:
        """What a lever or an uncertainty is called."""
        return self.table.get(f"knob.{name}", name.replace("_", " "))


@cache
def texts(language: str) -> Texts:
    """The catalogue of a language; English for one that there is not."""
    language = language if language in LANGUAGES else LANGUAGES[0]
    with (FOLDER / f"{language}.toml").open("rb") as file:
        return Texts(language, flat(tomllib.load(file)))


def flat(tree: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Nested tables as dotted keys."""
    found: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{key}.")
        else:
            found[before + key] = str(value)
    return found
