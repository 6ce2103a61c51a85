"""A genuine FastAPI app answers by its compiled routes as it does under uvicorn, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"

#: FastAPI names operations after the first of a set of methods.
SEEDED = {"PYTHONHASHSEED": "0"}

ITEM = {"name": "a", "price": 1.5, "tags": ["x"]}
UUID = "123e4567-e89b-12d3-a456-426614174000"


def post(path: str, content: Any, method: str = "POST", **fields: str) -> tuple[str, str, dict[str, Any]]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return method, path, {"content": body, "headers": {"content-type": "application/json", **fields}}


def get(path: str, *fields: tuple[str, str]) -> tuple[str, str, dict[str, Any]]:
    return "GET", path, {"headers": [(name.encode(), value.encode("latin-1")) for name, value in fields]}


REQUESTS = [
    *map(
        get,
        [
            "/",
            "/bare",
            "/bare-nan",
            "/bare-odd",
            "/nan",
            "/odd",
            "/text",
            "/bad-result",
            "/no-content",
            "/html",
            "/plain",
            "/redirected",
        ],
    ),
    *map(get, ["/streamed", "/head-of-response", "/request/a%20b?x=1&x=2", "/mood", "/clock"]),
    *map(get, ["/path/1/a/b", "/path/-1/a", "/path/x/a", "/path/1_0/a", "/path/1", "/path/%31/%C3%A4", "/path/1/a%0A"]),
    get(f"/converted/1/2.5/{UUID}"),
    *map(get, ["/converted/x/2.5/k", "/converted/1/2.5/k"]),
    *map(
        get, ["/query", "/query?q=", "/query?q=a&q=b", "/query?q=a&n=x&ratio=1e3&flag=maybe", "/query?q=a+b%20c&n=%205"]
    ),
    get("/query?q=a&n=-7&ratio=.5&flag=on&colour=green&day=2026-01-02&tag=1&tag=2&other-name=ab&second=s&first=f"),
    *map(get, ["/query?q=a&tag=x", "/query?q=a&colour=blue", "/query?q=a&other-name=a", "/query?q=%FF", "/query?q=ä"]),
    get("/fields"),
    get(
        "/fields",
        ("X-Token", "a"),
        ("x-token", "b"),
        ("X-Many", "1"),
        ("x-many", "2"),
        ("Cookie", "session=s; visits=3"),
    ),
    get("/fields", ("cookie", 'session="q\\"uoted"; visits=x')),
    get("/fields", ("x-token", "caf\xe9")),
    *map(get, ["/filters", "/filters?limit=5&order=down&tags=a&tags=b", "/filters?limit=500", "/filters?extra=1"]),
    post("/items", ITEM),
    post("/items", {**ITEM, "born": "2026-01-02"}),
    post("/items", {"name": "x" * 30, "price": -1}),
    post("/items", b"{broken"),
    post("/items", b""),
    post("/items", b'{"name": "\\ud800", "price": 1}'),
    post("/items", b'{"name": "a", "price": NaN}'),
    post("/items", ITEM, **{"content-type": "text/plain"}),
    post("/items", ITEM, **{"content-type": "application/vnd.api+json; charset=utf-8"}),
    post("/items", [ITEM]),
    post("/items/201", ITEM),
    post("/money", {"amount": 1e2, "lasts": True}),
    post("/money", {"amount": "1.50", "lasts": 5}),
    post("/checked", {"value": 2}),
    post("/checked", {"value": 3}),
    post("/optional", ITEM),
    ("POST", "/optional", {}),
    post("/optional", None),
    post("/several/3", {"item": ITEM, "other": 2}, "PUT"),
    post("/several/3", {"item": ITEM}, "PUT"),
    post("/several/3", {"other": "x"}, "PUT"),
    post("/several/3", [1], "PUT"),
    post("/embedded", {"item": ITEM}),
    post("/embedded", ITEM),
    post("/any", {"a": [1, None, 2.5e300]}),
    post("/any", b"x" * 70_000),
    *map(get, ["/two", "/two?n=4", "/two?n=x", "/uncached?n=2", "/log", "/paging", "/paging?skip=1&limit=2"]),
    *map(get, ["/resource?n=3", "/log", "/resource?fail=true", "/log", "/secure", "/log"]),
    get("/secure", ("Authorization", "Bearer t")),
    get("/secure", ("Authorization", "Basic t")),
    *map(get, ["/teapot", "/mood", "/forbidden", "/sync?n=2", "/sync?n=x", "/async"]),
    post("/teapot", ITEM),
    ("POST", "/background", {}),
    get("/log?until=background%20busy"),
    *map(get, ["/api/nested/3", "/api/nested/x", "/order/me", "/order/you", "/slash", "/slash/", "/text/", "/nowhere"]),
    ("POST", "/order/me", {}),
    ("DELETE", "/order/me", {}),
    ("POST", "/text", {}),
    ("HEAD", "/text", {}),
    ("HEAD", "/methods", {}),
    ("OPTIONS", "/methods", {}),
    ("OPTIONS", "/text", {}),
    ("BREW", "/text", {}),
    *map(get, ["/sub/inner/3", "/sub/inner/x", "/sub/none", "/sub", "/openapi.json", "/docs"]),
    ("POST", "/override/9", {}),
    *map(get, ["/two?n=1", "/text"]),
    ("DELETE", "/override", {}),
    get("/two?n=1"),
    get("/added/b"),
    ("POST", "/routes/b", {}),
    get("/added/b"),
    get("/log"),
    get("/broken"),  # the last one: uvicorn closes the connection after it
]

#: Written by the server itself, each in its own way.
OWN = {"date", "server", "connection"}


@pytest.fixture(scope="module", params=[(), ("--no-compile",)], ids=["compiled", "plain"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    with (
        servers.data_bridge("rich:app", *request.param, app_dir=APPS, env=SEEDED) as ours,
        servers.uvicorn("rich:app", app_dir=APPS, env=SEEDED) as theirs,
    ):
        yield ours.url, theirs.url


def answers(base: str) -> list[Any]:
    # A connection for each: servers close it after an error of theirs, each at another time.
    with httpx.Client(limits=httpx.Limits(max_keepalive_connections=0)) as client:
        return [
            (answer.status_code, sorted(_own_left_out(answer.headers, base)), answer.content)
            for method, path, options in REQUESTS
            for answer in [client.request(method, base + path, **options)]
        ]


def _own_left_out(headers: httpx.Headers, base: str) -> list[tuple[str, str]]:
    return [(name, value.replace(base, "http://server")) for name, value in headers.multi_items() if name not in OWN]


def test_answers_as_under_uvicorn(pair: tuple[str, str]) -> None:
    ours, theirs = pair
    for sent, got, expected in zip(REQUESTS, answers(ours), answers(theirs), strict=True):
        assert got == expected, sent


def test_the_plan_under_uvicorn_too() -> None:
    """The same plan, its request source an ASGI scope."""
    with (
        servers.uvicorn("fronted:app", app_dir=APPS, env=SEEDED) as fronted,
        servers.uvicorn("rich:app", app_dir=APPS, env=SEEDED) as plain,
    ):
        for sent, got, expected in zip(REQUESTS, answers(fronted.url), answers(plain.url), strict=True):
            assert got == expected, sent
        served = httpx.get(fronted.url + "/served").headers["x-served"]
        assert int(served) > len(REQUESTS) / 2
