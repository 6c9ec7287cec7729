"""What a plain Mesa model is made of, as a hash: results of two versions of it are never mixed."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib import metadata
from pathlib import Path


@cache
def source_hash(model: type) -> str:
    """Hash of the files that make the model (its module, or its whole package), and of the libraries."""
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
        files |= set(path.parent.glob("*.py")) if beside else {path}
    for path in sorted(files):
        digest.update(f"{path.name}\0".encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


@cache
def library_versions() -> dict[str, str]:
    """Versions of the libraries that any Mesa model computes with."""
    return {name: metadata.version(name) for name in ("mesa", "numpy")}
