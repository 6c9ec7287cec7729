"""What libraries import and no run of ours uses, put off until it is asked for: for processes that are ours alone.

Mesa imports Pandas, NetworkX and SciPy's spatial part for data frames, networks and grids, Numba SciPy's linear
algebra to see whether it is there: together a third of the start of a process that runs decades. Solara imports
Requests to fetch what our server never fetches. While one of the modules in ``BROUGHT`` is imported, stand-ins take
the places of what it brings. Afterwards only the library holds them: ``sys.modules`` is as though nobody had asked
yet, so whatever imports one of these modules from then on gets the real one, by Python's own machinery with its
locks; and a stand-in hands on what is asked of it to the real one. In a script of somebody else's all of it is
imported as ever.

(``importlib.util.LazyLoader`` leaves unfinished modules in ``sys.modules``: the next import of the same module loads
it after all, as do libraries that look there for Pandas, and a submodule imported first is loaded twice.)
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from importlib.abc import Loader

BROUGHT = {
    "mesa": ("pandas", "networkx", "asyncio", "mesa.discrete_space", "mesa.experimental.continuous_space"),
    "numba.np.arraymath": ("scipy.linalg", "scipy.linalg.cython_blas"),
    "solara.server.starlette": ("requests",),
}
"""Importer to what it imports as whole modules, no name out of them, and does without until it is used."""


def unused_libraries() -> None:
    """From now on; an importer that is there already stays as it is."""
    sys.meta_path.insert(0, _Finder())


class StandIn(ModuleType):
    """A module by name only; what is asked of it is asked of the real one."""

    def __getattr__(self, name: str) -> Any:
        if name == "__file__" and sys.modules.get(self.__name__) is self:
            raise AttributeError(name)  # Mesa's log asks all modules where they are, to find out who asks
        return getattr(self._real(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real(), name, value)

    def __dir__(self) -> Sequence[str]:
        return dir(self._real())

    def __reduce__(self) -> tuple[Any, ...]:
        return importlib.import_module, (self.__name__,)

    def _real(self) -> ModuleType:
        _withdraw(self)
        return importlib.import_module(self.__name__)


def _withdraw(stand_in: StandIn) -> None:
    if sys.modules.get(stand_in.__name__) is stand_in:
        del sys.modules[stand_in.__name__]


@contextmanager
def _standing_in(names: Sequence[str]) -> Iterator[None]:
    stand_ins = [StandIn(name) for name in names if name not in sys.modules]
    sys.modules.update({one.__name__: one for one in stand_ins})
    try:
        yield
    finally:
        for one in stand_ins:
            _withdraw(one)


class _Finder:
    """Finds the importers."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in BROUGHT or target is not None:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Loader", _Loader(spec.loader))
        return spec


class _Loader:
    """A module's own loader, with stand-ins in place while it works."""

    def __init__(self, own: Loader):
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        module.__loader__ = self._own
        with _standing_in(BROUGHT[module.__name__]):
            self._own.exec_module(module)
