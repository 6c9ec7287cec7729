"""What a plain Mesa model is made of, as a hash: results of two versions of it are never mixed."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib import metadata
from pathlib import Path


@cache
def source_hash(model: type) -> str:
    """Hash of the files that make the model (its module with its neighbours, or its package), and of the libraries."""
    digest = hashlib.sha256(repr(sorted(library_versions().items())).encode())
    modules = {
        cls.__module__
        for cls in model.__mro__
        if cls.__module__.partition(".")[0] not in ("builtins", "mesa")
    }
    modules.add(model.__module__)
    files: set[Path] = set()
    for name in modules:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is None:
            continue
        path = Path(file)
        beside = (path.parent / "__init__.py").exists()
        files |= set(path.parent.glob("*.py")) if beside else _with_neighbours(path)
    for path in sorted(files):
        digest.update(f"{path.name}\0".encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


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
