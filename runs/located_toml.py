"""TOML with line numbers: the standard library reads the values, a small scanner the lines of the keys.

``tomllib`` tells nobody where a key stood, and a complaint without a line is no help. The scanner runs
after ``tomllib`` has accepted the text, so it may take valid TOML for granted.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from runs.checking import BadInput, Complaint

KeyPath = tuple[str | int, ...]
"""Keys from the root inwards; an integer counts the elements of an array from 0."""

_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)\s*$")
_BARE_MONTH = re.compile(r"=\s*(\d{4}-\d{2})\s*(?:#.*)?$|[{,]\s*\w+\s*=\s*(\d{4}-\d{2})\s*[,}]")


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed TOML file and the line of each of its keys."""

    file: str
    data: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """Line of ``path``, or of the nearest enclosing key where ``path`` itself is missing."""
        for depth in range(len(path), 0, -1):
            found = self.lines.get(path[:depth])
            if found is not None:
                return found
        return 1

    def complaint(self, path: KeyPath, message: str) -> Complaint:
        """What is wrong at ``path``, with file and line."""
        return Complaint(self.file, self.line(path), key_text(path), message)


def key_text(path: KeyPath) -> str:
    """``levers.pue`` or ``triggers[1].by`` (elements counted from 1), as a reader would say it."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{part}" if text else part
    return text or "file"


def read_document(path: Path, file: str | None = None) -> Document:
    """Read and parse ``path``; ``BadInput`` where it is missing, no UTF-8 text, or no TOML."""
    name = file if file is not None else str(path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BadInput([Complaint(name, 0, "file", "found no such file")]) from None
    except OSError as error:
        raise BadInput([Complaint(name, 0, "file", f"cannot be read: {error.strerror or error}")]) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = "found a byte that is not UTF-8; save the file as UTF-8"
        raise BadInput([Complaint(name, line, "file", message)]) from None
    return parse_document(text, name)


def parse_document(text: str, file: str = "<text>") -> Document:
    """Parse TOML ``text``; ``BadInput`` with the line where it is none."""
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
        lines = _lines_of(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput([_syntax_complaint(text, file, str(error))]) from None
    except RecursionError:
        raise BadInput([Complaint(file, 1, "file", "found values nested too deeply to be read")]) from None
    except ValueError as error:  # tomllib lets out those of int and datetime: too many digits, 30 February
        raise BadInput([Complaint(file, 0, "file", f"no valid TOML: {error}")]) from None
    return Document(file, data, lines)


@lru_cache(maxsize=64)
def _lines_of(text: str) -> Mapping[KeyPath, int]:
    """The line of each key of valid TOML. Kept by text: runs of a process read the same few files again and again."""
    return _Scanner(text).scan()


def _syntax_complaint(text: str, file: str, message: str) -> Complaint:
    place = _PLACE.search(message)
    last = text.rstrip("\n").count("\n") + 1
    line = int(place[1]) if place and place[1] else last
    what = message[: place.start()].strip() if place else message
    column = f" at column {place[2]}" if place and place[2] else ""
    source = text.split("\n")[line - 1] if line <= text.count("\n") + 1 else ""
    key = source.split("=")[0].strip() if "=" in source else ""
    month = _BARE_MONTH.search(source)
    hint = f'; a month is written in quotes: "{month[1] or month[2]}"' if month else ""
    return Complaint(file, line, key or "file", f"no valid TOML{column}: {what}{hint}")


class _Scanner:
    """Walks valid TOML once and notes the line of every key and array element."""

    _BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
    _SPACE = re.compile(r"[ \t]*")
    _BARE = re.compile(r"[A-Za-z0-9_-]+")
    _STRING = re.compile(
        r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\])*"' r"|'[^']*'", re.DOTALL
    )
    _SCALAR = re.compile(r"[^,\]}\n#]+")

    def __init__(self, text: str):
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._counted, self._line = 0, 1
        self._sizes: dict[KeyPath, int] = {}
        """How many elements each array of tables has so far."""

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while True:
            self._skip(self._BLANK)
            if self.at >= len(self.text):
                return self.lines
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise AssertionError(f"scanner lost at character {self.at}")
        self.at = found.end()
        return found[0]

    def _here(self) -> int:
        """The present line; the text is counted through once only."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def _note(self, path: KeyPath, line: int) -> None:
        self.lines.setdefault(path, line)

    def _header(self) -> KeyPath:
        line = self._here()
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        keys = self._keys()
        self.at += 2 if many else 1
        path: KeyPath = ()
        for depth, key in enumerate(keys):
            path = (*path, key)
            self._note(path, line)
            if many and depth == len(keys) - 1:
                self._sizes[path] = self._sizes.get(path, 0) + 1
            if path in self._sizes:
                path = (*path, self._sizes[path] - 1)
                self._note(path, line)
        return path

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(self._SPACE)
            if self.text[self.at] in "\"'":
                keys.append(tomllib.loads("key = " + self._skip(self._STRING))["key"])
            else:
                keys.append(self._skip(self._BARE))
            self._skip(self._SPACE)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _pair(self, table: KeyPath) -> None:
        line = self._here()
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path, line)
        self.at += 1  # the equals sign
        self._skip(self._SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        first = self.text[self.at]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._skip(self._STRING if first in "\"'" else self._SCALAR)

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        element = 0
        while True:
            self._skip(self._BLANK)
            if self.text[self.at] == "]":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._note((*path, element), self._here())
            self._value((*path, element))
            element += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while True:
            self._skip(self._BLANK)
            if self.text[self.at] == "}":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._pair(path)
