"""Middleware that our server carries out itself, around FastAPI's app and around ours, as uvicorn's app does it."""

from __future__ import annotations

import itertools
import json
import socket
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import starlette
from fastapi.middleware.cors import CORSMiddleware as StarlettesCORS
from tests.support import servers

from data_bridge.adapters.layers import known_layers
from data_bridge.fastapi import FastAPI
from data_bridge.middleware.base import BaseMiddleware
from data_bridge.middleware.compression import CompressionMiddleware
from data_bridge.middleware.cors import CORSMiddleware
from data_bridge.middleware.gzip import GZipMiddleware
from data_bridge.middleware.httpsredirect import HTTPSRedirectMiddleware
from data_bridge.middleware.trustedhost import TrustedHostMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"

#: What a server says of itself, and how it frames.
OWN = {"date", "server", "transfer-encoding", "connection"}

Sent = tuple[str, str, dict[str, str], bytes | None]

ORIGINS = [None, "https://a.org", "https://x.b.org", "https://other.org"]
#: Hosts and targets that our server lets pass to an app.
HOSTS = [
    None,
    "x.c.org",
    "X.C.ORG:80",
    "c.org",
    "xc.org",
    "d.org",
    "www.D.org:443",
    "[::1]",
    "x.c.org:",
    "x.c.org:080",
    "x.c.org:99999",
    "x_y.c.org",
    "",
]
PATHS = [
    "/json",
    "/items/3",
    "/items/3?size=300",
    "/plain/3?size=300",
    "/items/x",
    "/sync/3",
    "/response",
    "/response?vary=Accept",
    "/response?vary=Accept&size=600",
    "/response?origin=me",
    "/response?size=499",
    "/response?size=500",
    "/response?size=140000",
    "/items/3?size=70000",
    "/response?size=700&encoding=gzip",
    "/response?size=700&kind=image/png",
    "/response?size=700&kind=Video/x%3B+a",
    "/response?size=700&kind=text/html",
    "/response?size=700&kind=text/event-stream",
    "/response?size=700&kind=application/grpc%2Bproto",
    "/response?size=700&status=206",
    "/stream",
    "/unchanged",
    "/nothing",
    "/fails",
    "/breaks",
    "/own",
    "/own?size=700",
    "/none",
    "/json/",
]
URLS = [
    "/",
    "/json?",
    "/json?a=b&c=%20d+e",
    "/a%20b",
    "/a%2Fb",
    "//x.org/y",
    "/a;b",
    "/%ff",
    "/a?b=[c]",
    "/a?b='c'",
    "/a/../b",
    '/a?b="c"',
    "/a?b?c",
    "/~a-b._c",
]
ENCODINGS = [
    "",
    "gzip",
    "br",
    "zstd",
    "gzip, br, zstd",
    "gzip;q=0.5, br;q=0",
    "*",
    "*;q=0",
    "identity",
    "GZIP",
    "gzip;q=x",
    "gzip;q=0, *;q=0.1",
    "br;q=0.1, gzip;q=0.2",
    "x-gzip",
]


def simple() -> Iterator[Sent]:
    for origin, path, accept in itertools.product(ORIGINS, PATHS, ["gzip", "identity"]):
        yield "GET", path, {"accept-encoding": accept} | ({"origin": origin} if origin else {}), None
    for size in (1, 900, 990, 2000):
        body = json.dumps({"a": "x" * size}).encode()
        yield "POST", "/items", {"content-type": "application/json", "origin": "https://a.org"}, body
        yield "GET", "/json", {"content-type": "application/json", "origin": "https://a.org"}, body
    for method, path in itertools.product(("HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND"), ("/json", "/head")):
        yield method, path, {"origin": "https://a.org", "accept-encoding": "gzip"}, None


def preflights() -> Iterator[Sent]:
    asked_fields = [None, "X-One", "x-one , Accept", "X-One,,", "X-Other", "", "\t X-One\t", "X-Önë"]
    for origin, method, fields in itertools.product(ORIGINS, [None, "GET", "PUT", "POST", "get", "M"], asked_fields):
        asked = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": fields}
        for path, more in (("/json", {}), ("/none", {"access-control-request-private-network": "true"})):
            yield "OPTIONS", path, {name: value for name, value in asked.items() if value is not None} | more, None
    yield "GET", "/json", {"origin": "https://a.org", "access-control-request-method": "GET"}, None


def hosts() -> Iterator[Sent]:
    for host, path in itertools.product(HOSTS, ["/json", "/none"]):
        yield "GET", path, {} if host is None else {"host": host}, None
    yield "OPTIONS", "/", {"host": "no.org", "origin": "https://a.org", "access-control-request-method": "GET"}, None


def urls() -> Iterator[Sent]:
    for host, url in itertools.product(HOSTS, URLS):
        yield "GET", url, {} if host is None else {"host": host}, None
    for origin in ORIGINS[1:]:
        yield "POST", "/json", {"origin": origin}, b"x"


def encodings() -> Iterator[Sent]:
    for accept, path in itertools.product(ENCODINGS, ["/json", "/items/3?size=30", "/response?size=140000", "/stream"]):
        yield "GET", path, {"accept-encoding": accept}, None


def answers(server: servers.Server, requests: Iterator[Sent]) -> list[Any]:
    return [answer(server, *sent) for sent in requests]


def answer(server: servers.Server, method: str, target: str, fields: dict[str, str], body: bytes | None) -> Any:
    """Send a request as it stands, which a client would mend; gives the answer without its framing, and not encoded."""
    length = {} if body is None else {"content-length": str(len(body))}
    lines = {"host": f"{server.host}:{server.port}", "connection": "close", **length, **fields}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection((server.host, server.port), timeout=servers.PATIENCE) as connection:
        connection.sendall(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + (body or b""))
        response = HTTPResponse(connection, method=method)
        response.begin()
        content = response.read()
    netloc = f"{server.host}:{server.port}"
    received = [(name.lower(), value.replace(netloc, "server")) for name, value in response.getheaders()]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in received]
    encoded = httpx.Response(response.status, headers=raw, content=content)
    left_out = OWN | ({"content-length"} if "content-encoding" in encoded.headers else set())
    return response.status, sorted(field for field in received if field[0] not in left_out), encoded.content


@pytest.mark.parametrize(
    ("app", "kinds"),
    [("app", (simple, preflights, hosts)), ("open_to_all", (simple, preflights)), ("secure", (preflights, urls))],
)
def test_answers_are_those_of_the_apps_own_middleware(app: str, kinds: Any) -> None:
    def requests() -> Iterator[Sent]:
        return itertools.chain.from_iterable(kind() for kind in kinds)

    with ExitStack() as stack:
        oracle = stack.enter_context(servers.uvicorn(f"layered:{app}", app_dir=APPS, env={"FRAMEWORK": "fastapi"}))
        expected = answers(oracle, requests())
        for framework in ("fastapi", "data_bridge.fastapi"):
            ours = stack.enter_context(
                servers.data_bridge(f"layered:{app}", app_dir=APPS, env={"FRAMEWORK": framework})
            )
            for sent, got, wanted in zip(requests(), answers(ours, requests()), expected, strict=True):
                assert got == wanted, (framework, sent)


def test_the_encoding_is_the_one_that_our_middleware_chooses() -> None:
    env = {"FRAMEWORK": "data_bridge.fastapi"}
    with (
        servers.uvicorn("layered:best", app_dir=APPS, env=env) as oracle,
        servers.data_bridge("layered:best", app_dir=APPS, env=env) as ours,
    ):
        found, expected = answers(ours, encodings()), answers(oracle, encodings())
    for sent, got, wanted in zip(encodings(), found, expected, strict=True):
        assert got == wanted, sent


@pytest.mark.parametrize("framework", ["fastapi", "data_bridge.fastapi"])
def test_nothing_stands_around_an_endpoint(framework: str) -> None:
    with servers.data_bridge("layered:app", app_dir=APPS, env={"FRAMEWORK": framework}) as server:
        fields = {"origin": "https://a.org"}
        assert httpx.get(f"{server.url}/around", headers=fields).json() == []
        # An origin that a pattern may match is the app's to judge.
        assert "cors.py" in httpx.get(f"{server.url}/around", headers={"origin": "https://x.b.org"}).json()
        if framework != "fastapi":
            native = httpx.get(f"{server.url}/native", headers=fields)
            assert (native.text, native.headers["vary"]) == ("here", "Origin")


def test_the_layers_of_an_app() -> None:
    app = FastAPI()
    app.add_middleware(HTTPSRedirectMiddleware)
    app.add_middleware(CompressionMiddleware, minimum_size=20, encodings=["gzip"], exclude_content_types=["X/*"])
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["*"])
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["A.org"], www_redirect=False)
    compression = ("compression", ([("gzip", 6)], 6, 20, 128 * 1024, ["x/*"]))
    assert known_layers(app) == ([("hosts", (["a.org"], False)), compression, ("secure", None)], None)


class Subclassed(CORSMiddleware):
    """Not the class that is known."""


@pytest.mark.parametrize(
    ("declared", "options"),
    [
        (Subclassed, {}),
        (BaseMiddleware, {}),
        (CORSMiddleware, {"allow_origins": "https://a"}),
        (GZipMiddleware, {"compresslevel": 10}),
        (GZipMiddleware, {"minimum_size": 0.5}),
        (lambda app: app, {}),
    ],
)
def test_what_is_not_exactly_known_is_the_apps(declared: Any, options: dict[str, Any]) -> None:
    app = FastAPI()
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["a"])
    app.add_middleware(declared, **options)
    assert known_layers(app) == ([], declared)


@pytest.mark.parametrize("name", ["__call__", "_is_ours"])
def test_a_class_of_which_a_part_was_replaced_is_the_apps(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    app = FastAPI()
    app.add_middleware(TrustedHostMiddleware)
    assert known_layers(app).unknown is None
    monkeypatch.setattr(TrustedHostMiddleware, name, lambda *_: None)
    assert known_layers(app).unknown is TrustedHostMiddleware


def test_another_release_of_starlettes_is_the_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI()
    app.add_middleware(StarlettesCORS)
    assert known_layers(app).unknown is None
    monkeypatch.setattr(starlette, "__version__", "9.0.0")
    assert known_layers(app).unknown is StarlettesCORS
