"""Both languages say everything: no key is missing, none is left over, and every blank is filled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runs.app.knobs import knobs_of
from runs.views.texts import FOLDER, LANGUAGES, texts

TABLES = {language: texts(language).table for language in LANGUAGES}
CODE = [*FOLDER.parents[0].rglob("*.py"), *(FOLDER.parents[1] / "views").glob("*.py")]
LITERAL = re.compile(r"""\bt\(\s*["']([a-z_0-9.]+)["']""")
BEGINNING = re.compile(r"""\bt\(\s*f["']([a-z_.]+)\{""")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_key(language):
    assert TABLES[language].keys() == TABLES["en"].keys()


def test_blanks_are_the_same_in_every_language():
    for key, text in TABLES["en"].items():
        blanks = set(re.findall(r"\{(\w+)\}", text))
        for language in LANGUAGES:
            assert set(re.findall(r"\{(\w+)\}", TABLES[language][key])) == blanks, (language, key)


def test_every_key_that_the_code_names_is_there():
    named = {key for file in CODE for key in LITERAL.findall(file.read_text(encoding="utf-8"))}
    assert len(named) > 60
    assert sorted(named - TABLES["en"].keys()) == []
    begun = {key for file in CODE for key in BEGINNING.findall(file.read_text(encoding="utf-8"))}
    assert [one for one in sorted(begun) if not any(key.startswith(one) for key in TABLES["en"])] == []


def test_every_lever_uncertainty_and_indicator_has_a_name_in_both_languages():
    knobs = knobs_of("korea")
    for language in LANGUAGES:
        table = TABLES[language]
        moved = [knob.name for knob in knobs.of.values() if not knob.parameter]
        assert [name for name in moved if f"knob.{name}" not in table] == []
        stems = {name.removesuffix(".*") for name in knobs.world.indicators.keys}
        assert [stem for stem in sorted(stems) if f"indicator.{stem}" not in table] == []
        assert [name for name in knobs.scenarios if f"scenario.{name}.title" not in table] == []
        assert [name for name in knobs.packages if f"package.{name}.title" not in table] == []


def test_korean_is_korean():
    hangul = re.compile("[가-힣]")
    latin = {"app.name", "site.mw", "app.language", "points", "control.range"}
    plain = [
        key
        for key, text in TABLES["ko"].items()
        if len(text) > 4 and not hangul.search(text) and key not in latin and not key.startswith("unit.")
    ]
    assert plain == []


def test_an_unknown_language_falls_back_to_english():
    assert texts("xx").language == "en"
    assert texts("en")("no.such.key") == "no.such.key"
    assert Path(FOLDER, "ko.toml").is_file()
