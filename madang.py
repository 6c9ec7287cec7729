"""The way in: makes sure that `abm`, `agents`, `policies` and `runs` are ours before anything imports them.

Other distributions install top-level packages of the same names. Importing this module puts our
folder first on the path, and says so plainly when another distribution was imported before us.
"""

from __future__ import annotations

import sys
from pathlib import Path

__version__ = "0.1.0"

PACKAGES = ("abm", "agents", "policies", "runs")
_HERE = Path(__file__).resolve().parent
ROOT = _HERE / "madang_root" if (_HERE / "madang_root").is_dir() else _HERE
"""The folder that holds our packages: the checkout, or ``madang_root`` beside an installed ``madang.py``."""


def claim() -> None:
    """Put ``ROOT`` first on ``sys.path``; ImportError if one of our names already belongs to another."""
    for name in PACKAGES:
        taken = sys.modules.get(name)
        if taken is None:
            continue
        folders = [Path(place).resolve() for place in getattr(taken, "__path__", ())]
        if ROOT / name not in folders:
            where = folders[0] if folders else getattr(taken, "__file__", "an unknown place")
            raise ImportError(
                f"the package '{name}' was already imported from {where}, and madang's is {ROOT / name}; "
                f"write 'import madang' before anything that imports the other '{name}', "
                "or install madang in an environment of its own"
            )
    root = str(ROOT)
    if sys.path[:1] != [root]:
        sys.path[:] = [root, *(entry for entry in sys.path if entry != root)]


claim()


def main() -> None:
    """The command ``madang``."""
    from runs import collecting, putting_off

    collecting.take_over()  # before anything large is imported
    putting_off.unused_libraries()
    from runs.cli import main as command

    command()


if __name__ == "__main__":
    main()
