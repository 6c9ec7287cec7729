"""`kernel`: Numba compilation with a disk cache that notices every edit below this folder.

Numba's own cache looks at the file of the function alone: after an edit of a callee in another
file it goes on returning the old machine code. Here the cache directory carries a hash of sources:
of the files of `abm/core` itself, and of the whole room (`abm/core/power`, say) that the function
lives in. A kernel may call kernels of its own room and of `abm/core`, of no other room.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import caching

_CORE = Path(__file__).resolve().parent
_announced = False
KEPT = 4
"""Compiled versions of a room that stay on disk."""


def kernel(target: Callable[..., Any] | Sequence[str], *, allocates: bool = True) -> Any:
    """Compile without the interpreter lock, without fastmath, cached on disk.

    `@kernel` compiles at the first call of each combination of types; `@kernel(["float64(...)"])`
    compiles these signatures at once, or reads them from the disk, and takes no others. The
    first compilation of a process announces itself on stderr. With `allocates=False` no array
    is reference-counted: a kernel that makes none, and its helpers, run faster.
    """
    if callable(target):
        return _compiled(target, allocates)

    def decorate(function: Callable[..., Any]) -> Any:
        compiled = _compiled(function, allocates)
        if numba.config.DISABLE_JIT:
            return compiled
        for signature in target:
            compiled.compile(signature)
        compiled.disable_compile()
        return compiled

    return decorate


def helper(function: Callable[..., Any]) -> Any:
    """Compile a function that kernels without allocation call; it is cached as a part of them."""
    return numba.njit(nogil=True, fastmath=False, error_model="numpy", _nrt=False)(function)


def _compiled(function: Callable[..., Any], allocates: bool) -> Any:
    options = {} if allocates else {"_nrt": False}
    compiled = numba.njit(nogil=True, fastmath=False, error_model="numpy", **options)(function)
    if not numba.config.DISABLE_JIT and cache_folder(room_of(function.__code__.co_filename)) is not None:
        compiled._cache = _Cache(function)
    return compiled


def room_of(source: str | Path) -> str:
    """The folder right below `abm/core` that a source file lies in; "" for a file of `abm/core` itself."""
    inside = Path(source).resolve().relative_to(_CORE)
    return inside.parts[0] if len(inside.parts) > 1 else ""


@cache
def sources_hash(room: str = "") -> str:
    """Hash of every Python file that a kernel of ``room`` may be made of, and of Numba's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    paths = [*_CORE.glob("*.py"), *((_CORE / room).rglob("*.py") if room else ())]
    for path in sorted(paths):
        digest.update(path.relative_to(_CORE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder(room: str = "") -> Path | None:
    """The first writable place for compiled code; None compiles anew in each process."""
    user = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    own = _CORE / "__pycache__"
    places = [
        Path(str(numba.config.CACHE_DIR)) if numba.config.CACHE_DIR else None,
        own,
        Path(user) / "madang",
        Path(tempfile.gettempdir()) / f"madang-{os.getuid() if hasattr(os, 'getuid') else 'user'}",
    ]
    family = f"kernels-{room or 'core'}-"
    for place in places:
        if place is None:
            continue
        folder = place / f"{family}{sources_hash(room)}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                if place == own:
                    _prune(own, family, folder)
                return folder
        except OSError:
            continue
    return None


def _prune(place: Path, family: str, keep: Path) -> None:
    """Of what other versions of this checkout's sources left, the last few stay (branches), the rest goes."""
    os.utime(keep)
    others = sorted(place.glob(f"{family}*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in others[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def _announce() -> None:
    global _announced
    if not _announced:
        _announced = True
        print("madang: compiling the numerical core, once ...", file=sys.stderr, flush=True)


class _Locator:
    """Tells Numba where a function's machine code lies and what it depends on."""

    def __init__(self, function: Callable[..., Any], source: str) -> None:
        self._line = function.__code__.co_firstlineno
        self._source = source

    @classmethod
    def from_function(cls, function: Callable[..., Any], source: str) -> _Locator | None:
        return None if cache_folder(room_of(source)) is None else cls(function, source)

    def ensure_cache_path(self) -> None:
        Path(self.get_cache_path()).mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        return str(cache_folder(room_of(self._source)))

    def get_source_stamp(self) -> str:
        return sources_hash(room_of(self._source))

    def get_disambiguator(self) -> str:
        return f"{Path(self._source).stem}-{self._line}"


class _CacheImpl(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class _Cache(caching.FunctionCache):  # type: ignore[misc]
    _impl_class = _CacheImpl

    def load_overload(self, signature: Any, target: Any) -> Any:
        found = super().load_overload(signature, target)
        if found is None:
            _announce()
        return found
