"""Packages that ship, packages of users, and how those that build on one another are put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from policies.lever import Lever
from policies.package import Draft, Package, parse
from policies.reading import KeyPath, unknown
from policies.trigger import Trigger

FOLDER = Path(__file__).with_name("packages")

Read = Callable[[Path], Mapping[str, Any] | None]
"""Reads and parses a TOML file; None where it could not (and has said why elsewhere)."""


class FileProblem(NamedTuple):
    """One thing wrong at a key of a file."""

    file: Path
    path: KeyPath
    message: str


def shipped_packages() -> tuple[str, ...]:
    """Names of the packages that ship, in order of the alphabet."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def is_path(name: str) -> bool:
    """Whether ``name`` is the path of a file rather than the name of a package that ships."""
    return name.endswith(".toml") or "/" in name or "\\" in name


class Library:
    """Reads packages, each file once, and gathers everything wrong with them in ``problems``."""

    def __init__(
        self,
        read: Read,
        levers: Mapping[str, Lever],
        *,
        indicators: Collection[str] | None = None,
        currency: str = "",
    ):
        self.problems: list[FileProblem] = []
        self._read = read
        self._levers = levers
        self._indicators = indicators
        self._currency = currency
        self._drafts: dict[Path, Draft | None] = {}

    def package(self, file: Path) -> Package | None:
        """The package in ``file`` with its bases below it; None where no file could be read."""
        return self._build(file, ())

    def _build(self, file: Path, above: tuple[Path, ...]) -> Package | None:
        draft = self._draft(file)
        if draft is None:
            return None
        base = None
        if draft.base:
            base_file = self._locate(draft.base, file, ("base",))
            if base_file in (*above, file):
                circle = [path.stem for path in (*above, file)] + [draft.base]
                self._note(file, ("base",), f"the bases go round in a circle: {' -> '.join(circle)}")
            elif base_file is not None:
                base = self._build(base_file, (*above, file))
        triggers = tuple(self._resolved(trigger, at, file) for at, trigger in enumerate(draft.triggers))
        return replace(draft, triggers=triggers).on(base)

    def _resolved(self, trigger: Trigger, at: int, file: Path) -> Trigger:
        """``trigger`` with the levers of the package that it names."""
        if not trigger.package:
            return trigger
        path = ("triggers", at, "package")
        found = self._locate(trigger.package, file, path)
        draft = self._draft(found) if found is not None else None
        if draft is None:
            return trigger
        if found == file:
            self._note(file, path, "a trigger cannot switch on the package that it belongs to")
        elif draft.triggers:
            message = f"{trigger.package!r} has triggers of its own; a trigger switches on levers only"
            self._note(file, path, message)
        elif not draft.schedule:
            self._note(file, path, f"{trigger.package!r} sets no lever, so there is nothing to switch on")
        return draft.switched(trigger)

    def _draft(self, file: Path) -> Draft | None:
        if file not in self._drafts:
            data = self._read(file)
            draft = None
            if data is not None:
                draft, problems = parse(data, file.stem, self._levers, indicators=self._indicators,
                                        currency=self._currency, file=str(file))
                self.problems += [FileProblem(file, path, message) for path, message in problems]
            self._drafts[file] = draft
        return self._drafts[file]

    def _locate(self, name: str, file: Path, path: KeyPath) -> Path | None:
        """The file of the package that ``file`` names: a path from there, one that ships, a neighbour."""
        folders = (FOLDER, file.parent)
        candidates = [file.parent / name] if is_path(name) else [folder / f"{name}.toml" for folder in folders]
        found = [candidate for candidate in candidates if candidate.is_file()]
        others = [candidate for candidate in found if not candidate.samefile(file)]
        if others:
            return others[0]
        if found:
            return file
        if is_path(name):
            self._note(file, path, f"found {name!r}, and there is no such file")
        else:
            self._note(file, path, unknown(name, "package that ships", shipped_packages()))
        return None

    def _note(self, file: Path, path: KeyPath, message: str) -> None:
        problem = FileProblem(file, path, message)
        if problem not in self.problems:
            self.problems.append(problem)
