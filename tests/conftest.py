"""Shared by all tests."""

from __future__ import annotations

import contextlib

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Compile the kernels once, before the worker processes that would each compile them again."""
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        return
    with contextlib.suppress(Exception):  # what is wrong is a test's to say
        from runs import simulate

        simulate("baseline", world="toy")


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No colours and no widths from the terminal of whoever runs the tests."""
    for name in ("COLUMNS", "FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "_TYPER_FORCE_DISABLE_TERMINAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
