"""Line numbers of TOML keys, whatever the form in which a key is written."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.checking import BadInput
from runs.located_toml import KeyPath, key_text, parse_document, read_document

EVERYTHING = '''\
# a comment with = and [brackets]
title = "a # no comment"          # 2
about = """
text over [lines]
key = "not a key"
"""
literal = \'\'\'
also = 'not a key'\'\'\'
site.owner."first name" = 1       # 9
'quoted key' = 2                  # 10

[levers]                          # 12
plain = 15_000
steps = [                         # 14
    { from = "2026-01", value = 1 },
    # a comment ] in between
    { from = "2027-01", value = [ # 17
      1, 2] },
]
inline = { a = { b = "}" }, "c.d" = [ "]", \'[\' ] }
date = 1979-05-27 07:32:00Z       # 21

[[triggers]]                      # 23
name = "one"
[triggers.levers]                 # 25
x = 1
[[triggers]]                      # 27
name = "two"
[[triggers.parts]]                # 29
p = 1
[[triggers.parts]]                # 31
[a.b.c]                           # 32
[a.b]                             # 33
d.e = true
'''

LINES: dict[KeyPath, int] = {
    ("title",): 2,
    ("about",): 3,
    ("literal",): 7,
    ("site",): 9,
    ("site", "owner", "first name"): 9,
    ("quoted key",): 10,
    ("levers",): 12,
    ("levers", "plain"): 13,
    ("levers", "steps"): 14,
    ("levers", "steps", 0): 15,
    ("levers", "steps", 0, "value"): 15,
    ("levers", "steps", 1, "from"): 17,
    ("levers", "steps", 1, "value"): 17,
    ("levers", "steps", 1, "value", 1): 18,
    ("levers", "inline", "a", "b"): 20,
    ("levers", "inline", "c.d", 1): 20,
    ("levers", "date"): 21,
    ("triggers",): 23,
    ("triggers", 0): 23,
    ("triggers", 0, "name"): 24,
    ("triggers", 0, "levers"): 25,
    ("triggers", 0, "levers", "x"): 26,
    ("triggers", 1): 27,
    ("triggers", 1, "name"): 28,
    ("triggers", 1, "parts", 0): 29,
    ("triggers", 1, "parts", 0, "p"): 30,
    ("triggers", 1, "parts", 1): 31,
    ("a", "b", "c"): 32,
    ("a",): 32,
    ("a", "b", "d", "e"): 34,
}


@pytest.mark.parametrize(("path", "line"), LINES.items(), ids=lambda value: str(value))
def test_every_form_of_key_has_its_line(path: KeyPath, line: int) -> None:
    document = parse_document(EVERYTHING)
    assert document.data == tomllib.loads(EVERYTHING)
    assert document.line(path) == line


def test_windows_line_ends_count_once() -> None:
    assert parse_document(EVERYTHING.replace("\n", "\r\n")).lines == parse_document(EVERYTHING).lines


def test_a_missing_key_points_to_the_nearest_table() -> None:
    document = parse_document(EVERYTHING)
    assert document.line(("triggers", 1, "by")) == 27
    assert document.line(("nowhere",)) == 1
    complaint = document.complaint(("triggers", 1, "by"), "missing")
    assert str(complaint) == "<text>:27: triggers[2].by: missing"


def test_key_text_counts_elements_from_one() -> None:
    assert key_text(("levers", "steps", 0, "from")) == "levers.steps[1].from"
    assert key_text(()) == "file"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a = 1\nb = \n", 2, "Invalid value"),
        ("a = 1\na = 2\n", 2, "overwrite"),
        ("[t]\nx = 1\n[t]\n", 3, "twice"),
        ('a = 1\nb = "open', 2, "no valid TOML"),
        ("a = 1\nb = [1, 2", 2, "no valid TOML"),
        ("a = 1\nb = { x = 1", 2, "no valid TOML"),
        ("ü = 1", 1, "no valid TOML"),
        ("a = 1\n\n\nx\n", 4, "no valid TOML"),
    ],
)
def test_broken_toml_names_the_line(text: str, line: int, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_document(text, "f.toml")
    (complaint,) = caught.value.complaints
    assert (complaint.file, complaint.line) == ("f.toml", line)
    assert says in complaint.message


@pytest.mark.parametrize(
    "text", ["\n[[shocks]]\nfrom = 2027-10\n", "\n\nx = [{ from = 2027-10, value = 1 }]\n"]
)
def test_a_month_without_quotes_is_told_how_to_write_it(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_document(text)
    (complaint,) = caught.value.complaints
    assert complaint.line == 3
    assert 'a month is written in quotes: "2027-10"' in complaint.message


@pytest.mark.parametrize("text", ["x = " + "[" * 5000 + "]" * 5000, "x = " + "9" * 5000, "x = 2025-02-30"])
def test_what_breaks_the_parser_itself_is_a_complaint_too(text: str) -> None:
    with pytest.raises(BadInput):
        parse_document(text)


def test_reading_a_file(tmp_path: Path) -> None:
    good = tmp_path / "good.toml"
    good.write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    assert read_document(good, "good.toml").lines == {("a",): 1, ("b",): 2}
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"a = 1\nb = '\xff'\n")
    with pytest.raises(BadInput, match=r"bad.toml:2: .*UTF-8"):
        read_document(bad)
    with pytest.raises(BadInput, match="found no such file"):
        read_document(tmp_path / "none.toml")
    with pytest.raises(BadInput, match="cannot be read"):
        read_document(tmp_path)


NAMES = st.text(st.sampled_from("abcXYZ019_-. ü\"'#=[]{},\n\\"), min_size=1, max_size=6)
SCALARS = st.one_of(
    st.integers(-(10**9), 10**9),
    st.booleans(),
    st.floats(allow_nan=False),
    st.text(st.sampled_from("ab =#[]{}\"'\\,\n"), max_size=12),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    root=st.dictionaries(NAMES, VALUES, max_size=4),
    tables=st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=3), max_size=3),
    arrays=st.dictionaries(
        NAMES, st.lists(st.dictionaries(NAMES, VALUES, max_size=2), min_size=1, max_size=3), max_size=2
    ),
)
def test_any_document_read_back_has_the_lines_it_was_written_on(
    root: dict[str, Any], tables: dict[str, Any], arrays: dict[str, Any]
) -> None:
    writer = _Writer()
    for key, value in root.items():
        writer.pair((), key, value)
    heads = set(root)
    for key, table in tables.items():
        if key not in heads:
            heads.add(key)
            writer.header((key,), table, many=False)
    for key, elements in arrays.items():
        if key not in heads:
            for at, element in enumerate(elements):
                writer.header((key, at), element, many=True)
    document = parse_document(writer.text)
    assert document.lines == writer.lines
    assert set(document.lines) == set(_paths(document.data, ()))


class _Writer:
    """Writes TOML and remembers on which line each key went."""

    def __init__(self) -> None:
        self.text = ""
        self.lines: dict[KeyPath, int] = {}

    def note(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def header(self, path: KeyPath, table: dict[str, Any], many: bool) -> None:
        self.note(path[:1])
        self.note(path)
        name = json.dumps(path[0], ensure_ascii=False)
        self.text += f"[[ {name} ]] # comment [x]\n" if many else f"[{name}]\n"
        for key, value in table.items():
            self.pair(path, key, value)

    def pair(self, table: KeyPath, key: str, value: Any) -> None:
        self.note((*table, key))
        self.text += f"{json.dumps(key, ensure_ascii=False)} = "
        self.value((*table, key), value, inline=False)
        self.text += " # comment ] = }\n"

    def value(self, path: KeyPath, value: Any, inline: bool) -> None:
        if isinstance(value, list):
            self.text += "[\n# comment ] in an array\n" if not inline else "["
            for at, element in enumerate(value):
                self.note((*path, at))
                self.value((*path, at), element, inline)
                self.text += ", " if inline else ",\n"
            self.text += "]"
        elif isinstance(value, dict):
            self.text += "{ "
            for at, (key, inner) in enumerate(value.items()):
                self.text += ", " if at else ""
                self.note((*path, key))
                self.text += json.dumps(key, ensure_ascii=False) + " = "
                self.value((*path, key), inner, inline=True)
            self.text += " }"
        elif isinstance(value, str) and "\n" in value and "'''" not in value and not value.endswith("'"):
            self.text += f"'''\n{value}'''"
        else:
            self.text += json.dumps(value).replace("Infinity", "inf")


def _paths(value: Any, path: KeyPath) -> list[KeyPath]:
    own = [path] if path else []
    if isinstance(value, dict):
        return own + [found for key, inner in value.items() for found in _paths(inner, (*path, key))]
    if isinstance(value, list):
        return own + [found for at, inner in enumerate(value) for found in _paths(inner, (*path, at))]
    return own
