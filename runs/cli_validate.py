"""The body of `madang validate`: every complaint about every file, and nothing run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from abm.quantities import nearest
from policies.catalogue import catalogue
from runs.assemble import cast_complaints, indicators, series_names
from runs.checking import BadInput, Complaint
from runs.cli_text import console, say
from runs.located_toml import Document, read_document
from runs.scenario import load_package, load_scenario
from runs.supply_shocks import edges_of
from runs.worlds import loader

if TYPE_CHECKING:
    from abm.world import World

SCENARIO_KEYS = ("world", "start", "end", "uncertainties", "shocks", "supply_shocks")
PACKAGE_KEYS = ("base", "levers", "triggers")
BATCH_KEYS = (
    "scenarios", "packages", "replicates", "seed", "settings", "sample", "keep", "fork", "limits", "model", "max_steps",
)  # fmt: skip


def validate_command(files: Sequence[Path], world: str, as_json: bool) -> int:
    """Check all files; the exit code."""
    checked: list[tuple[str, str]] = []
    complaints: list[Complaint] = []
    for file in files:
        kind, found = check_file(file, world)
        complaints += found
        if not found:
            checked.append((str(file), kind))
    if as_json:
        print(
            json.dumps(
                {
                    "valid": not complaints,
                    "files": [{"file": str(file), "valid": str(file) in dict(checked)} for file in files],
                    "complaints": [
                        {
                            "file": c.file,
                            "line": c.line,
                            "key": c.key,
                            "column": c.column,
                            "message": c.message,
                        }
                        for c in complaints
                    ],
                },
                ensure_ascii=False,
            )
        )
    else:
        for complaint in complaints:
            say(str(complaint))
        for name, kind in checked:
            console().print(f"{name}: {kind}, no complaints", markup=False, soft_wrap=True)
    return 2 if complaints else 0


def check_file(file: Path, world: str) -> tuple[str, list[Complaint]]:
    """What the file is, and everything wrong with it."""
    if file.is_dir() or file.name == loader.SETTINGS:
        return "world", _check_world(file if file.is_dir() else file.parent)
    try:
        document = read_document(file)
        if is_batch(document):
            from runs.batches.batchfile import open_batch

            open_batch(file)
            return "batch", []
        kind = kind_of(document, file)
        if kind == "scenario":
            check_scenario(document, file, world)
        else:
            loaded = loader.load(world)
            load_package(_as_path(file), catalogue(), indicators=_units(loaded), currency=loaded.currency)
    except BadInput as bad:
        return "file", list(bad.complaints)
    return kind, []


def kind_of(document: Document, file: Path) -> str:
    """``scenario`` or ``package``, by the keys, else by the folder; BadInput where nothing tells."""
    scenario, package = (_likeness(document.data, keys) for keys in (SCENARIO_KEYS, PACKAGE_KEYS))
    if scenario != package:
        return "scenario" if scenario > package else "package"
    if scenario > 0:
        raise BadInput(
            [
                Complaint(
                    document.file,
                    0,
                    "file",
                    "found keys of a scenario as well as of a package; a file is one of them",
                )
            ]
        )
    if document.data.keys() <= {"title", "about"}:  # all defaults, which is a scenario as well as a package
        return "scenario" if file.resolve().parent.name == "scenarios" else "package"
    raise BadInput(
        [
            Complaint(
                document.file,
                0,
                "file",
                (
                    f"found no key that tells what it is; a scenario has {', '.join(SCENARIO_KEYS)}, "
                    f"a package {', '.join(PACKAGE_KEYS)}"
                ),
            )
        ]
    )


def is_batch(document: Document) -> bool:
    """Whether it names a model, or more of its keys are those of a batch than of a scenario or a package."""
    if "model" in document.data:
        return True
    batch, *others = (_likeness(document.data, keys) for keys in (BATCH_KEYS, SCENARIO_KEYS, PACKAGE_KEYS))
    return batch > max(others)


def _likeness(found: Iterable[str], keys: Sequence[str]) -> float:
    """How many keys are these; a misspelt one counts for half."""
    return sum(1.0 if key in keys else 0.5 if nearest(key, keys) else 0.0 for key in found)


def check_scenario(document: Document, file: Path, world: str) -> None:
    """BadInput with everything wrong; the world is the scenario's own where it names one that ships."""
    named = document.data.get("world")
    loaded = loader.load(named if isinstance(named, str) and named in loader.available() else world)
    load_scenario(
        _as_path(file),
        file.parent,
        loaded.quantities,
        series_names(loaded),
        loaded.calendar,
        world="" if named is None else loaded.name,
        currency=loaded.currency,
        edges=edges_of(loaded),
    )


def _check_world(folder: Path) -> list[Complaint]:
    complaints = loader.check(folder)
    if complaints:
        return [_placed(complaint, folder) for complaint in complaints]
    scenarios = sorted((folder / "scenarios").glob("*.toml"))
    found = [_on_its_line(complaint, folder) for complaint in cast_complaints(loader.load(folder))]
    for scenario in scenarios:
        try:
            check_scenario(read_document(scenario), scenario, str(folder))
        except BadInput as bad:
            found += bad.complaints
    return found


def _on_its_line(complaint: Complaint, folder: Path) -> Complaint:
    """A complaint about the cast with the line of the row it is about (of the stakeholder, where a trait is missing)."""
    path = folder / complaint.file.rpartition("/")[2]
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [number for number, text in enumerate(lines, 1) if text.startswith(f"{complaint.key},")]
    exact = [number for number in rows if lines[number - 1].startswith(f"{complaint.key},{complaint.column},")]
    line = (exact or rows or [0])[0]
    return Complaint(str(path), line, complaint.key, complaint.message, complaint.column)


def _placed(complaint: Complaint, folder: Path) -> Complaint:
    """The complaint with the folder before the file, where the loader names the file alone."""
    path = folder / complaint.file
    if complaint.file == "world" or (not path.exists() and Path(complaint.file).exists()):
        return complaint
    return Complaint(str(path), complaint.line, complaint.key, complaint.message, complaint.column)


def _units(world: World) -> dict[str, str]:
    return {indicator.name: indicator.unit for indicator in indicators(world)}


def _as_path(file: Path) -> str:
    """The file so that it is taken for a path even where it is a bare name."""
    return str(file) if file.suffix == ".toml" else f"./{file}" if "/" not in str(file) else str(file)
