"""The server of `madang ui`: Solara with its doors closed.

Solara checks no websocket's Origin, fetches whatever is asked of its path for front-end files, forbids the
browser to zoom, and reports its use to its makers. All four are put right here.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
import threading
import warnings
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runs.app.pool import Pool

if TYPE_CHECKING:
    from runs.app.runs import Runs

HERE = Path(__file__).parent
CDN = "/_solara/cdn/"
ECHARTS = "echarts@5.4.0/dist/echarts.min.js"

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Options:
    """What the command line decides."""

    host: str = "127.0.0.1"
    port: int = 8765
    world: str = "korea"
    results: Path = Path("results")
    origins: tuple[str, ...] = ()
    most_users: int = 50
    most_runs: int = 200
    """Largest ensemble that a page may start."""
    workers: int | None = None

    @property
    def nearby(self) -> bool:
        """Whether browsers of this machine alone are served; where there is a proxy, its address is an origin."""
        return is_loopback(self.host) and not self.origins


@dataclass
class Serving:
    """What all pages of this process share: a pool and finished runs, which never change."""

    options: Options = field(default_factory=Options)
    _pool: Pool | None = None
    _runs: Runs | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def start(self, options: Options) -> None:
        """Start the pool, before anything large is imported: nothing takes the first page longer than its process."""
        self.options = options
        _ = self.pool

    @property
    def pool(self) -> Pool:
        with self._lock:
            if self._pool is None:
                from runs.app.state import State

                self._pool = Pool(self.options.workers, State(world=self.options.world).question)
            return self._pool

    @property
    def runs(self) -> Runs:
        with self._lock:
            if self._runs is None:
                from runs.app.runs import Runs

                self._runs = Runs(self.pool)
            return self._runs

    def close(self) -> None:
        with self._lock:
            if self._runs is not None:
                self._runs.close()
            elif self._pool is not None:
                self._pool.close()
            self._runs = self._pool = None
        if "runs.app.ensembles" in sys.modules:
            from runs.app.ensembles import ensembles_of

            ensembles_of(self.options.results, self.options.most_runs).close()


serving = Serving()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def settle_environment(options: Options) -> None:
    """Solara's settings, before it is imported. What the administrator has set stays."""
    fixed = {
        "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
        "SOLARA_MODE": "production",
        "SOLARA_CHECK_HOOKS": "off",
        "SOLARA_APP": "runs.app.main",
        "SERVER_NAME": options.host,
        "SERVER_PORT": str(options.port),
    }
    defaults = {
        "SOLARA_SESSION_SECRET_KEY": secrets.token_urlsafe(32),
        "SOLARA_SESSION_HTTP_ONLY": "True",
        "SOLARA_KERNEL_CULL_TIMEOUT": "30m",
        "SOLARA_KERNEL_MAX_COUNT": str(options.most_users),
        "SOLARA_KERNEL_MAX_PER_SESSION": "10",
        "SOLARA_THEME_VARIANT": "light",
        "SOLARA_THEME_LOADER": "plain",
        "SOLARA_THEME_SHOW_BANNER": "False",
        "SOLARA_THEME_TITLE": "madang",
        "SOLARA_ASSETS_FONTAWESOME_ENABLED": "False",
        "SOLARA_SERVER_HTTP_GZIP": str(not options.nearby),  # a quarter of a second for what goes nowhere
    }
    os.environ.update(fixed)
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


class Guard:
    """Around Solara's application: origins are checked, nothing is fetched from elsewhere, people may zoom."""

    def __init__(self, app: App, origins: Sequence[str] = (), files: Path | None = None, head: str = ""):
        self.app = app
        self.origins = {origin.rstrip("/").lower() for origin in origins}
        self.files = files
        self.head = head

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        if kind == "websocket":
            if not self.welcome(headers):
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": "origin not allowed"})
                return
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path.startswith(CDN) and not self.installed(path.removeprefix(CDN)):
            await _answer(send, 404, "not installed here, and nothing is fetched from elsewhere")
            return
        if scope["method"] not in ("GET", "HEAD") and not self.welcome(headers):
            await _answer(send, 403, "origin not allowed")
            return
        if path.startswith(("/_solara/", "/static/", "/jupyter/")):
            await self.app(scope, receive, send)
            return
        plain = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
        await self._page({**scope, "headers": plain}, receive, send)

    def welcome(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from our own page: its Origin is the host asked for, or one that is allowed."""
        origin = headers.get("origin")
        if not origin:
            return True  # no browser: browsers always say where a websocket comes from
        if origin.rstrip("/").lower() in self.origins:
            return True
        return not self.origins and urlsplit(origin).netloc.lower() == headers.get("host", "").lower()

    def installed(self, path: str) -> bool:
        """Whether a front-end file lies on this disk, below the folder of the installed assets."""
        if self.files is None or "\\" in path:
            return False
        root = self.files.resolve()
        found = (root / path).resolve()
        return found.is_file() and found.is_relative_to(root)

    async def _page(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass on; a page of ours gets its language, its styles, and the right to zoom."""
        held: list[dict[str, Any]] = []
        body = bytearray()

        async def passing(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                found = dict(message["headers"]).get(b"content-type", b"")
                if found.startswith(b"text/html") and message["status"] == 200:
                    held.append(message)
                    return
            if not held:
                await send(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            page = self.improved(body.decode("utf-8")).encode("utf-8")
            start = held.pop()
            headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
            headers += [(b"content-length", str(len(page)).encode()), *_SAFE]
            await send({**start, "headers": headers})
            await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, passing)

    def improved(self, page: str) -> str:
        """The page with its language, our styles and scripts, and without the ban on zooming."""
        page = page.replace("<html>", '<html lang="en">', 1)
        page = page.replace(", maximum-scale=1, user-scalable=no, minimal-ui", "", 1)
        page = page.replace(
            "<v-progress-linear ", '<v-progress-linear aria-label="madang" '
        )  # it has no name
        return page.replace("</head>", f"{self.head}</head>", 1)


_SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (
        b"content-security-policy",
        b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' ws: wss:; frame-ancestors 'self'",
    ),
)


async def _answer(send: Any, status: int, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def head() -> str:
    """What our pages have in their head."""
    from runs.views.theme import css

    styles = css() + (HERE / "style.css").read_text(encoding="utf-8")
    script = (HERE / "madang.js").read_text(encoding="utf-8")
    return f'<link rel="preload" as="script" href="{CDN}{ECHARTS}"><style>{styles}</style><script>{script}</script>'


def application(options: Options) -> App:
    """The ASGI application."""
    serving.start(options)
    settle_environment(options)
    import solara.server.settings as settings
    import solara.server.starlette as starlette

    settings.telemetry.mixpanel_enable = False
    logging.getLogger("solara").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=UserWarning, module=r"solara\.server\.starlette")
    return Guard(starlette.app, options.origins, settings.assets.proxy_cache_dir, head())


def serve(options: Options, started: Callable[[], None]) -> None:
    """Serve until interrupted; ``started`` is called when the page can be opened."""
    import uvicorn

    app = application(options)

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        log_level="error",
        access_log=False,
        proxy_headers=True,
        timeout_graceful_shutdown=2,
        ws_ping_interval=20,
        ws_per_message_deflate=not options.nearby,
    )
    try:
        Server(config).run()
    finally:
        serving.close()
