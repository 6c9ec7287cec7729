"""The server's doors: who may connect, what it sends, and where it refuses to listen."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from runs.app.ensembles import confined, folders
from runs.app.server import Guard, Options, is_loopback, settle_environment
from runs.checking import BadInput
from runs.cli import app as command

VIEWPORT = "width=device-width, initial-scale=1, maximum-scale=1, user-scalable=no, minimal-ui"
PAGE = f'<!doctype html>\n<html>\n<head><meta name="viewport" content="{VIEWPORT}"></head><body></body></html>'.encode()


async def inner(scope: Any, receive: Any, send: Any) -> None:
    """Stands for Solara."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    kind = b"text/html; charset=utf-8" if scope["path"] == "/" else b"application/javascript"
    start = [(b"content-type", kind), (b"content-length", str(len(PAGE)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": start})
    await send({"type": "http.response.body", "body": PAGE})


def call(
    guard: Guard, path: str = "/", kind: str = "http", method: str = "GET", **headers: str
) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    raw = [(name.encode(), value.encode()) for name, value in {"host": "127.0.0.1:8765", **headers}.items()]
    scope = {"type": kind, "path": path, "method": method, "headers": raw}
    asyncio.run(guard(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    ("origin", "allowed", "welcome"),
    [
        ("http://127.0.0.1:8765", (), True),
        ("", (), True),
        ("http://evil.example", (), False),
        ("http://127.0.0.1:9999", (), False),
        ("null", (), False),
        ("http://127.0.0.1:8765.evil.example", (), False),
        ("https://madang.example", ("https://madang.example",), True),
        ("http://127.0.0.1:8765", ("https://madang.example",), False),
    ],
)
def test_a_websocket_is_opened_for_our_own_page_only(origin, allowed, welcome):
    headers = {"origin": origin} if origin else {}
    [answer] = call(Guard(inner, allowed), "/jupyter/api/kernels/x", "websocket", **headers)
    assert answer["type"] == ("websocket.accept" if welcome else "websocket.close")


def test_a_foreign_page_cannot_post():
    assert call(Guard(inner), method="POST", origin="http://evil.example")[0]["status"] == 403
    assert call(Guard(inner), method="POST", origin="http://127.0.0.1:8765")[0]["status"] == 200


@pytest.mark.parametrize(
    "path", ["lib@1.0.0/a.js", "../secret.txt", "lib@1.0.0/../../secret.txt", "lib@2/none.js", ".."]
)
def test_front_end_files_come_from_this_disk_or_not_at_all(tmp_path, path):
    files = tmp_path / "cdn"
    (files / "lib@1.0.0").mkdir(parents=True)
    (files / "lib@1.0.0" / "a.js").write_text("1")
    (tmp_path / "secret.txt").write_text("x")
    status = call(Guard(inner, files=files), f"/_solara/cdn/{path}")[0]["status"]
    assert status == (200 if path == "lib@1.0.0/a.js" else 404)


def test_a_page_may_be_zoomed_says_its_language_and_carries_our_styles():
    start, body = call(Guard(inner, head="<style>x</style>"))
    page = body["body"].decode()
    assert '<html lang="en">' in page
    assert "user-scalable" not in page
    assert "<style>x</style></head>" in page
    headers = dict(start["headers"])
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert b"frame-ancestors 'self'" in headers[b"content-security-policy"]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *((host, True) for host in ("127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "192.168.1.2", "example.org")),
    ],
)
def test_loopback_is_known(host, loopback):
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("host", "origins", "compressed"),
    [("127.0.0.1", (), "False"), ("192.0.2.1", (), "True"), ("::1", ("https://madang.example",), "True")],
)
def test_what_stays_on_this_machine_is_not_compressed(monkeypatch, host, origins, compressed):
    monkeypatch.setattr(os, "environ", {})
    settle_environment(Options(host, origins=origins))
    assert os.environ["SOLARA_SERVER_HTTP_GZIP"] == compressed


def test_it_refuses_to_listen_for_others_and_says_what_that_means():
    result = CliRunner().invoke(command, ["ui", "--host", "0.0.0.0"])
    assert result.exit_code == 2
    for part in ("--host", "log-in", "reverse proxy", "--allow-remote"):
        assert part in result.output


def test_a_port_that_is_taken_and_a_wrong_origin_are_said_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(command, ["ui", "--port", port])
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in result.output
    result = CliRunner().invoke(command, ["ui", "--origin", "madang.example"])
    assert result.exit_code == 2
    assert "https://madang.example.org" in result.output


@pytest.mark.parametrize("name", ["..", "../other", "/etc", "a/../../other", "", "   ", "link", "a\0b"])
def test_no_folder_outside_the_results_root_is_opened(tmp_path: Path, name: str):
    root = tmp_path / "results"
    (root / "a").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (root / "link").symlink_to(tmp_path / "other")
    with pytest.raises(BadInput, match="only folders below"):
        confined(root, name)
    assert confined(root, "a") == (root / "a").resolve()


def test_only_results_folders_are_listed_and_links_are_not_followed(tmp_path: Path):
    root = tmp_path / "results"
    for name in ("good", "deep/er", "plain"):
        (root / name).mkdir(parents=True)
    for name in ("good", "deep/er"):
        (root / name / "manifest.json").write_text("{}")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "manifest.json").write_text("{}")
    (root / "link").symlink_to(outside)
    assert sorted(folders(root)) == ["deep/er", "good"]
    assert folders(tmp_path / "none") == []
