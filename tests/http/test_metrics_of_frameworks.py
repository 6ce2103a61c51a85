"""Requests of apps that are not compiled are counted by the routes that their frameworks name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import httpx
import pytest
from tests.support import servers
from tests.support.figures import await_figures
from websockets.sync.client import connect

APPS = Path(__file__).parent / "apps"
COUNTS = ("--metrics-port", "0", "--no-access-log")

STARLETTE = [
    ("GET", "/", "/", 200),
    ("GET", "/items/1", "/items/{number:int}", 200),
    ("GET", "/items/2", "/items/{number:int}", 200),
    ("POST", "/items/2", "/items/{number:int}", 405),
    ("GET", "/items/x", "app", 404),
    ("GET", "/boom", "/boom", 500),
    ("GET", "/boom/", "app", 307),
    ("GET", "/sub/", "/sub/", 200),
    ("GET", "/sub/items/3", "/sub/items/{number:int}", 200),
    ("GET", "/sub/deep/end", "/sub/deep/end", 200),
    ("GET", "/sub/nowhere", "/sub/{path}", 404),
    ("GET", "/raw/any/thing", "/raw/{path}", 200),
    ("GET", "/raw/x?template", "/raw/shop/{item}", 200),
    # What a mount with a parameter has taken is another text each time.
    ("GET", "/tenants/7/items/3", "app", 200),
    ("GET", "/tenants/7/deep/end", "app", 200),
    ("GET", "/tenants/7/nowhere", "app", 404),
]
RAW = [
    ("GET", f"/?{said}", name, 200)
    for said, name in {
        "": "app",
        "template": "/shop/{item}",
        "number": "app",
        "word": "app",
        "long": "app",
        "surrogate": "app",
        "route": "app",
        "nothing": "app",
        "mounts": "app",
        "fastapi": "app",
    }.items()
]
FASTAPI = [
    ("GET", "/shop/items/1", "/shop/items/{number}", 200),
    ("GET", "/shop/items/x", "/shop/items/{number}", 422),
    ("GET", "/v2/shop/items/1", "/v{version}/shop/items/{number}", 200),
    ("GET", "/files/a/b", "/files/{path:path}", 200),
    ("GET", "/boom", "/boom", 500),
]
FASTAPIS_REST = [
    ("GET", "/shop/plain", "/shop/plain", 200),
    ("GET", "/behind/sub/items/3", "/sub/items/{number:int}", 200),
    ("GET", "/behind/sub/nowhere", "/sub/{path}", 404),
]
LITESTAR = [
    ("GET", "/", "/", 200),
    ("GET", "/sync/5", "/sync/{number}", 200),
    ("POST", "/body", "/body", 400),
    ("GET", "/nowhere", "app", 404),
    ("DELETE", "/body", "app", 405),
]


def check(app: str, asked: list[tuple[str, str, str, int]], *flags: str, echo: tuple[str, str] | None = None) -> None:
    expected: Counter[tuple[str, str, str]] = Counter()
    with (
        servers.data_bridge(app, *COUNTS, *flags, app_dir=APPS) as server,
        httpx.Client(base_url=server.url) as one,
        httpx.Client(base_url=server.url, http1=False, http2=True) as two,
    ):
        for client in (one, two):
            for method, path, route, status in asked:
                assert client.request(method, path).status_code == status, (method, path)
                expected[method, route, str(status)] += 1
        if echo is not None:
            path, route = echo
            with connect(f"ws://{server.host}:{server.port}{path}") as websocket:
                websocket.send("hello")
                assert websocket.recv(timeout=servers.PATIENCE) == "hello"
            expected["GET", route, "101"] += 1
        await_figures(server, lambda figures: figures.answered() == expected)


def test_starlette() -> None:
    check("templated:starlette", STARLETTE, echo=("/echo/me", "/echo/{name}"))


def test_hosts_of_starlette() -> None:
    with servers.data_bridge("templated:starlette", *COUNTS, app_dir=APPS) as server:
        assert httpx.get(server.url + "/hosted", headers={"host": "other.example"}).status_code == 200
        await_figures(server, lambda figures: figures.answered() == {("GET", "/hosted", "200"): 1})


@pytest.mark.parametrize("flags", [(), ("--no-compile",)], ids=["compiled", "not compiled"])
def test_fastapi_is_counted_alike_whoever_answers(flags: tuple[str, ...]) -> None:
    check("templated:fastapi", [*FASTAPI, *FASTAPIS_REST], *flags, echo=("/shop/echo/me", "/shop/echo/{name}"))


def test_litestar() -> None:
    pytest.importorskip("litestar")
    check("litestarred:app", LITESTAR, echo=("/echo", "/echo"))


def test_what_is_no_template_is_not_taken() -> None:
    check("templated:raw", RAW)


def test_scopes_are_not_kept() -> None:
    """An app may leave in its scope what refers to the call: neither may keep the other."""
    with (
        servers.data_bridge("templated:raw", *COUNTS, app_dir=APPS) as server,
        httpx.Client(base_url=server.url, timeout=servers.PATIENCE) as client,
    ):
        for path, status in (("/", 200), ("/?template", 200), ("/raises", 500)) * 5:
            assert client.get(path).status_code == status
        assert client.get("/held").text == "0"
