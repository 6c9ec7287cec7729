"""`kernel`: Numba compilation with a disk cache that notices every edit below this folder.

Numba's own cache looks at the file of the function alone: after an edit of a callee in another
file it goes on returning the old machine code. Here the cache directory carries a hash of all
sources below `abm/core`, so an edit anywhere means a fresh directory.
"""

from __future__ import annotations

import hashlib
import os
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
    if not numba.config.DISABLE_JIT and cache_folder() is not None:
        compiled._cache = _Cache(function)
    return compiled


@cache
def sources_hash() -> str:
    """Hash of every Python file below `abm/core`, and of Numba's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_CORE.rglob("*.py")):
        digest.update(path.relative_to(_CORE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> Path | None:
    """The first writable place for compiled code; None compiles anew in each process."""
    user = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    places = [
        Path(str(numba.config.CACHE_DIR)) if numba.config.CACHE_DIR else None,
        _CORE / "__pycache__",
        Path(user) / "madang",
        Path(tempfile.gettempdir()) / f"madang-{os.getuid() if hasattr(os, 'getuid') else 'user'}",
    ]
    for place in places:
        if place is None:
            continue
        folder = place / f"kernels-{sources_hash()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


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
        return None if cache_folder() is None else cls(function, source)

    def ensure_cache_path(self) -> None:
        Path(self.get_cache_path()).mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return sources_hash()

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
