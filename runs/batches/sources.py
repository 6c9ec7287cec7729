"""What a plain Mesa model is made of, as a hash: results of two versions of it are never mixed."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from functools import cache
from importlib import metadata
from pathlib import Path


@cache
def source_hash(model: type) -> str:
    """Hash of the files that make the model (its module with its neighbours, or its package), and of the libraries."""
    digest = hashlib.sha256(repr(sorted(library_versions().items())).encode())
    files: set[Path] = set()
    for path in _modules_of(model):
        beside = (path.parent / "__init__.py").exists()
        files |= set(path.parent.glob("*.py")) if beside else _with_neighbours(path)
    for path in sorted(files):
        digest.update(f"{path.name}\0".encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def mistaken(model: type) -> str:
    """What this process takes for a file beside the model and is another of that name; '' where all is right."""
    for file in _modules_of(model):
        if (file.parent / "__init__.py").exists():
            continue  # imported under the package's name
        for path in sorted(_with_neighbours(file) - {file}):
            parts = path.relative_to(file.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            there = getattr(sys.modules.get(name), "__file__", None)
            if there is None and name not in sys.modules and "." not in name:
                found = importlib.util.find_spec(name)
                there = None if found is None else found.origin
            if there is not None and not (Path(there).exists() and path.samefile(there)):
                return f"{file.name} imports {name!r}, which is {there} in this process and not {path}"
    return ""


def _modules_of(model: type) -> list[Path]:
    """The files of the class and of those that it inherits from, Mesa's apart."""
    modules = {
        cls.__module__
        for cls in model.__mro__
        if cls.__module__.partition(".")[0] not in ("builtins", "mesa")
    }
    modules.add(model.__module__)
    files = [getattr(sys.modules.get(name), "__file__", None) for name in sorted(modules)]
    return [Path(file) for file in files if file is not None]


def _with_neighbours(file: Path) -> set[Path]:
    """A file, the files and packages beside it that it imports, and those that they import; of libraries, the file alone."""
    import ast

    if file.stem in sys.stdlib_module_names or file.parent.name in ("site-packages", "dist-packages"):
        return {file}
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):  # edited since it was imported
            continue
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for first in {name.partition(".")[0] for name in names if name} - sys.stdlib_module_names:
                waiting += [file.parent / f"{first}.py"] if (file.parent / f"{first}.py").is_file() else []
                waiting += (file.parent / first).rglob("*.py")
    return found


@cache
def library_versions() -> dict[str, str]:
    """Versions of the libraries that any Mesa model computes with."""
    return {name: metadata.version(name) for name in ("mesa", "numpy")}
