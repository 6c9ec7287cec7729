"""Classes of Mesa models: found by name (``package.module:Class`` or ``file.py:Class``), and made with their seed.

A file is imported under its own name, with its folder at the end of the path (a file of a package under the
package's name), so that the same class is found under the same name by every process that sees the file.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import pkgutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import madang
from abm.quantities import nearest
from policies.reading import Unreadable, shown, unknown

EXPECTED = 'expected "package.module:Class" or "file.py:Class"'
SEEDS = ("rng", "seed", "scenario")
"""Arguments of a model that a batch fills in by itself."""


def load_class(text: str, beside: Path) -> tuple[type, str]:
    """The class that ``text`` names, and the folder that must be on the path for it ('' for none).

    Files are seen from the folder ``beside``. ``Unreadable`` with what is wrong, whatever the module does.
    """
    where, colon, name = text.rpartition(":")
    if not (colon and where and name):
        package, _, last = text.rpartition(".")
        hint = f'; did you mean "{package}:{last}"?' if package and last != "py" else ""
        raise Unreadable(f"found {shown(text)}, {EXPECTED}{hint}")
    if where.endswith(".py"):
        module, home = _of_file(beside / where)
    else:
        module, home = _imported(where, beside, f"{where.partition('.')[0]}.py:{name}"), ""
    return _member(module, name), home


def see(home: str) -> None:
    """Let modules of the folder ``home`` be imported, after all others."""
    if home:
        if home not in sys.path:
            sys.path.append(home)
        importlib.invalidate_caches()


def path_of(thing: Any) -> str:
    """``module:name``"""
    return f"{thing.__module__}:{thing.__qualname__}"


def found_again(model: type) -> bool:
    """Whether another process that imports the class by its name gets this very class."""
    found: Any = sys.modules.get(model.__module__) or importlib.import_module(model.__module__)
    for part in model.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is model


@dataclass(frozen=True, slots=True)
class Maker:
    """How a class takes its parameters and its seed."""

    model: type
    by_scenario: type | None = None
    """Mesa's scenario class, for models that take their parameters in one."""
    names: frozenset[str] | None = None
    """Parameters that may be given; None where anything goes."""
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, model: type) -> Maker:
        """Read off the class; a model that makes its own scenario is made once. ``Unreadable`` without a seed."""
        signature = inspect.signature(model).parameters
        anything = any(p.kind is p.VAR_KEYWORD for p in signature.values())
        if "rng" in signature or anything:
            names = None if anything else frozenset(signature) - frozenset(SEEDS)
            return cls(model, None, names, {name: p.default for name, p in signature.items()})
        if "scenario" not in signature:
            raise Unreadable(
                f"{model.__name__} takes neither rng nor scenario, so its luck cannot be set; add rng to its "
                "parameters"
            )
        scenario = model().scenario
        kind: type = type(scenario)
        return cls(model, kind, frozenset(getattr(kind, "_scenario_defaults", ())) or None, dict(scenario))

    def is_whole(self, name: str) -> bool:
        """Whether the parameter is a whole number by default, so that what is drawn for it must be one."""
        return isinstance(self.defaults.get(name), int)

    def make(self, arguments: Mapping[str, Any], seed: int) -> Any:
        """The model at its beginning."""
        if self.by_scenario is not None:
            return self.model(scenario=self.by_scenario(rng=seed, **arguments))
        return self.model(**arguments, rng=seed)


def reason_at(error: BaseException, home: str = "") -> str:
    """What was raised, and in which line: the last one below ``home`` if there is any, else the last of all."""
    import traceback

    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({_shown_path(error.filename)}:{error.lineno})"
    text = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and frame.filename not in (__file__, importlib.__file__)
    ]
    mine = [frame for frame in frames if home and Path(frame.filename).is_relative_to(home)]
    if not (mine or frames):
        return text
    last = (mine or frames)[-1]
    return f"{text} ({_shown_path(last.filename)}:{last.lineno})"


def _of_file(file: Path) -> tuple[Any, str]:
    """The module of a file, and the folder it is imported from."""
    file = Path(os.path.abspath(file))
    if not file.is_file():
        near = nearest(file.name, [path.name for path in file.parent.glob("*.py")])
        hint = f"; did you mean {near!r}?" if near else ""
        raise Unreadable(f"found no file {_shown_path(file)}{hint}")
    parts, folder = [file.stem], file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    if any("." in part for part in parts):
        raise Unreadable(f"found {_shown_path(file)}, and a module has no dot in its name; rename the file")
    name = ".".join(parts)
    see(str(folder))
    module = _imported(name, folder)
    there = getattr(module, "__file__", None)
    if there is None or not (Path(there).exists() and file.samefile(there)):
        raise Unreadable(
            f"found {_shown_path(file)}, whose name {name!r} is that of another module "
            f"({there or 'built in'}); rename the file"
        )
    return module, str(folder)


def _imported(name: str, folder: Path, of_file: str = "") -> Any:
    """The module; ``of_file`` is what to write instead where a file of that name stands in ``folder``."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if not missing or not f"{name}.".startswith(f"{missing}."):
            raise _cannot(error, folder) from None
        raise Unreadable(f"found no module {missing!r}{_instead(missing, folder, of_file)}") from None
    except (Exception, SystemExit) as error:
        raise _cannot(error, folder) from None


def _instead(missing: str, folder: Path, of_file: str) -> str:
    if of_file and (folder / of_file.partition(":")[0]).is_file():
        return f'; a file beside this one is written "{of_file}"'
    package, _, last = missing.rpartition(".")
    places = None if not package else list(getattr(sys.modules.get(package), "__path__", ()))
    there = {found.name for found in pkgutil.iter_modules(places)}
    for near in difflib.get_close_matches(last, there, n=1, cutoff=0.75):  # there are hundreds
        return f"; did you mean {f'{package}.{near}' if package else near!r}?"
    return ""


def _cannot(error: BaseException, folder: Path) -> Unreadable:
    """A module that raises while it is imported."""
    text = f"cannot be imported: {reason_at(error, str(folder.absolute()))}"
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] in madang.PACKAGES:
        text += (
            f"; {', '.join(madang.PACKAGES)} are madang's own names: give the other file another, or make its "
            f"folder a package and write `from .{error.name} import ...`"
        )
    return Unreadable(text)


def _member(module: Any, name: str) -> type:
    import mesa

    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        there = {
            key
            for key, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, mesa.Model) and value is not mesa.Model
        }
        raise Unreadable(unknown(name, f"class in {module.__name__}", there))
    check_class(found, name)
    model: type = found
    return model


def check_class(found: Any, name: str = "") -> None:
    """``Unreadable`` where it is no class of a Mesa model."""
    import mesa

    if not (isinstance(found, type) and issubclass(found, mesa.Model)):
        what = f"{name!r}, which is {found!r:.60}" if name else repr(found)
        raise Unreadable(f"found {what}, expected a class that is a mesa.Model")


def _shown_path(path: str | Path) -> str:
    """Seen from where the command runs, if it stands below."""
    here = Path.cwd()
    return str(Path(path).relative_to(here) if Path(path).is_relative_to(here) else path)
