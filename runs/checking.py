"""Bad input, said once and clearly: file, line, key, what was found, what is allowed, the nearest name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.reading import unknown


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong with an input, on one line."""

    file: str
    line: int
    key: str
    message: str
    column: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f"{self.key}, column {self.column}" if self.column else self.key
        return f"{place}: {key}: {self.message}"


class BadInput(Exception):
    """Input that cannot be used; carries every complaint found."""

    def __init__(self, complaints: Sequence[Complaint]):
        self.complaints = tuple(complaints)
        super().__init__("\n".join(map(str, self.complaints)))


__all__ = ["BadInput", "Complaint", "unknown"]
