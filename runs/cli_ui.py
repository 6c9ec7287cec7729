"""The body of `madang ui`: refuse what is unsafe or cannot work, say where the page is, serve."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from pathlib import Path

from runs.app.server import Options, is_loopback, serve, serving
from runs.checking import BadInput, Complaint
from runs.cli_text import say

OPEN_HOST = (
    "can be reached from other machines. The app has no log-in of its own: whoever reaches it can run the "
    "model, start ensembles and read every results folder under the results root. Put a reverse proxy with TLS, "
    "log-in and an Origin check in front of it (runs/app/DEPLOYMENT.md), and say that you mean it with "
    "--allow-remote"
)


def ui_command(
    host: str,
    port: int,
    world: str,
    results: Path,
    origins: Sequence[str],
    allow_remote: bool,
    workers: int | None,
    most_runs: int,
    most_users: int,
) -> int:
    """Serve until interrupted; the exit code."""
    if not is_loopback(host) and not allow_remote:
        raise BadInput([Complaint("command line", 0, "--host", f"found {host!r}, which {OPEN_HOST}")])
    for origin in origins:
        if not origin.startswith(("http://", "https://")):
            message = f"found {origin!r}, expected the address of the page's host, such as https://madang.example.org"
            raise BadInput([Complaint("command line", 0, "--origin", message)])
    _check_port(host, port)
    options = Options(host, port, world, results, tuple(origins), most_users, most_runs, workers)
    serving.start(options)
    try:
        from runs.worlds import loader

        loader.load(world)  # one that cannot be read is told at once
    except BaseException:
        serving.close()
        raise
    address = f"[{host}]" if ":" in host else host

    def started() -> None:
        print(f"madang: http://{address}:{port}/  (stop with Ctrl+C)", flush=True)
        if not is_loopback(host):
            say("madang: reachable from other machines; see runs/app/DEPLOYMENT.md")

    serve(options, started)
    return 0


def _check_port(host: str, port: int) -> None:
    """BadInput where nothing can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host.strip("[]"), port))
        except OSError as error:
            key = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
            message = f"cannot listen on {host}:{port}: {error.strerror or error}; choose another"
            raise BadInput([Complaint("command line", 0, key, message)]) from None
