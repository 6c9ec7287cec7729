"""`madang ui` as a process of its own, and Chromium to look at it: for tests and for the benchmark."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REQUIRED = "MADANG_BROWSER_TESTS"
ROOT = Path(__file__).resolve().parents[3]


def chromium() -> str | None:
    """The Chromium on the path, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def missing() -> str:
    """Why there can be no tests in a browser here; empty where there can."""
    if chromium() is None:
        return "no Chromium on the path"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed"
    return ""


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@dataclass
class Server:
    """A running `madang ui`."""

    url: str
    process: subprocess.Popen[bytes]
    results: Path
    began: float
    log: Path
    ready_s: float = 0.0


@contextmanager
def serving(results: Path, *arguments: str, wait_s: float = 120.0) -> Iterator[Server]:
    """Start `madang ui` on a free port; it is stopped at the end."""
    port = free_port()
    with tempfile.NamedTemporaryFile(prefix="madang-ui-", suffix=".txt", delete=False) as log:
        began = time.monotonic()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [
            sys.executable,
            "-m",
            "madang",
            "ui",
            "--port",
            str(port),
            "--results",
            str(results),
            *arguments,
        ]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=ROOT)
    found = Server(f"http://127.0.0.1:{port}", process, results, began, Path(log.name))
    try:
        while b"http://" not in found.log.read_bytes():
            if process.poll() is not None or time.monotonic() - began > wait_s:
                raise RuntimeError(found.log.read_text(encoding="utf-8"))
            time.sleep(0.02)
        found.ready_s = time.monotonic() - began
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        found.log.unlink()


@dataclass
class Seen:
    """What a page asked for outside of the server, and what it complained of."""

    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def watched(page: Any, url: str) -> Seen:
    """Write down every request that leaves the server, and every error on the console."""
    seen = Seen()
    local = (url, url.replace("http", "ws", 1), "data:", "blob:", "about:")

    def requested(request: Any) -> None:
        if not request.url.startswith(local):
            seen.outside.append(request.url)

    page.on("request", requested)
    page.on(
        "websocket", lambda socket: None if socket.url.startswith(local) else seen.outside.append(socket.url)
    )
    page.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    return seen


def settled(page: Any, timeout: float = 60_000) -> None:
    """Wait until the page shows a run and computes nothing."""
    page.wait_for_function(
        "() => { const s = document.querySelector('[data-status]');"
        " return s && /[0-9a-f]{16}/.test(s.textContent) && !s.classList.contains('busy'); }",
        timeout=timeout,
    )


def run_id(page: Any) -> str:
    """The run that the page says it shows."""
    text: str = page.inner_text("[data-status]")
    return text.split()[-1]
