"""The same application on FastAPI and on ours: every answer is equal, whoever carries it."""

from __future__ import annotations

import asyncio
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx
import pytest
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"
JSON = {"content-type": "application/json"}
UUID = "123e4567-e89b-12d3-a456-426614174000"

RESULTS = ["dict", "list", "str", "int", "float", "true", "none", "tuple", "set", "model", "models", "uuid", "int-keys"]

#: Method, target, and where needed headers and body.
CASES: list[tuple[str, str] | tuple[str, str, dict[str, str], bytes]] = [
    *(("GET", f"/results/{mode}/{name}") for mode in ("task", "thread") for name in [*RESULTS, "empty"]),
    *(
        ("GET", f"/results/{name}")
        for name in ("filtered", "filtered-list", "mapping", "from-dict", "unfit", "suspended")
    ),
    ("POST", "/results/created"),
    ("DELETE", "/results/gone"),
    # Path parameters.
    *(("GET", f"/path/plain/{text}") for text in ("x", "42", "%C3%A4", "a%20b", "%2F", "", "%FF", "a+b")),
    *(("GET", f"/path/str/{text}") for text in ("x", "a/b", ".")),
    *(
        ("GET", f"/path/int/{text}")
        for text in ("42", "-1", "+1", "007", "1_000", "1.0", "1.5", "x", "%201", "1e3", "9" * 30, "%D9%A3", "-0")
    ),
    *(("GET", f"/path/float/{text}") for text in ("1.5", "-0.0", "1e5", ".5", "1.", "x", "1_0.5", "3")),
    *(("GET", f"/path/bool/{text}") for text in ("true", "False", "1", "0", "on", "OFF", "t", "N", "yes", "2", "x")),
    *(("GET", f"/path/uuid/{text}") for text in (UUID, UUID.upper(), UUID.replace("-", ""), "{" + UUID + "}", "x")),
    *(("GET", f"/path/rest/{text}") for text in ("", "a", "a/b", "a//b/")),
    *(("GET", f"/path/converted/{text}") for text in ("1/2", "1/2.5", "x/2", "1/x", "-1/2", "9" * 25 + "/1.0")),
    *(("GET", f"/path/beside/{text}") for text in ("a.b", "a.b.c", ".b", "a.", "ab")),
    ("GET", "/path/swapped/1/2"),
    ("GET", "/path/swapped/x/y"),
    # Query parameters.
    *(
        ("GET", f"/items/{text}")
        for text in (
            "1?q=a",
            "1?q=a&limit=5&short=yes&ratio=1.5",
            "1",
            "x?limit=y&short=z&ratio=w",
            "1?q=",
            "1?q=a&q=b&limit=1&limit=2",
            "1?q=a%20b%2B+c",
            "1?q=%FF",
            "1?q=%zz",
            "1?q=a&limit=",
            "1?q=a&limit=1_0",
            "1?q=a&short=",
            "1?q=a;limit=3",
            "1?q",
            "1?&&q=a&=x&",
            "1?q=a&unknown=1",
            "1?%71=a",
        )
    ),
    ("GET", "/query/unannotated"),
    ("GET", "/query/unannotated?q=1&r="),
    ("GET", "/query/uuid"),
    ("GET", f"/query/uuid?value={UUID}"),
    ("GET", "/query/uuid?value=x"),
    # Bodies.
    *(
        ("POST", "/body/model", JSON, body)
        for body in (
            b'{"name":"a","price":1}',
            b'{"name":"a","price":"1.5","tags":["x"],"maker":{"name":"m"}}',
            b'{"name":1,"price":"x","maker":{}}',
            b'{"name":"a","price":1,"extra":true}',
            b"{}",
            b"[]",
            b"null",
            b"",
            b"{",
            b'{"name":"a",}',
            b"\xff",
            b'{"name":"\\ud800","price":1}',
            b'{"name":"a","name":"b","price":1}',
            "\ufeff{}".encode(),
            b" " * 10,
        )
    ),
    *(
        ("POST", "/body/model", {"content-type": media_type}, b'{"name":"a","price":1}')
        for media_type in (
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/problem+json",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json;charset=latin-1",
            "application",
        )
    ),
    ("POST", "/body/model", {}, b'{"name":"a","price":1}'),
    ("PUT", "/body/model/7?q=x", JSON, b'{"name":"a","price":1}'),
    ("PUT", "/body/model/x", JSON, b'{"name":"a"}'),
    *(("POST", "/body/dict", JSON, body) for body in (b'{"a":[1,2]}', b"[1]", b"", b'"x"', b"{")),
    *(("POST", "/body/typed-dict", JSON, body) for body in (b'{"a":1}', b'{"a":"x"}')),
    *(("POST", "/body/list", JSON, body) for body in (b'[{"name":"a","price":1}]', b'[{"name":"a"}]', b"{}")),
    *(("PATCH", "/body/optional", JSON, body) for body in (b'{"name":"a","price":1}', b"null", b"", b"[]")),
    ("PATCH", "/body/optional", {}, b""),
    # Responses and exceptions.
    *(
        ("GET", f"/responses/{name}")
        for name in (
            "text", "html", "json", "bytes", "empty", "redirect", "cookies", "class", "stream", "iterator",
        )
    ),
    *(
        ("GET", f"/raises/{name}")
        for name in (
            "http", "http-default", "http-detail", "http-bodiless", "fault", "fault-in-thread", "unserialisable",
        )
    ),
    # Routing.
    *(
        ("GET", path)
        for path in (
            "/", "/nothing", "/order/me", "/order/you", "/static/me", "/static/you", "/two/x", "/slash", "/slash/",
            "/slash//", "/slashed", "/slashed/", "/slashed?a=1&b=%20", "/only-post/", "/only-post", "/methods",
            "/typed/7", "/typed/x", "/typed/7/", "/a/x/b", "/a/x/b/", "//slash", "/order/", "/results/",
        )
    ),
    *((method, "/two/x") for method in ("POST", "PUT", "HEAD", "OPTIONS")),
    *((method, "/methods") for method in ("PUT", "POST", "HEAD", "OPTIONS")),
    *((method, "/explicit-head") for method in ("HEAD", "GET")),
    *((method, "/explicit-options") for method in ("OPTIONS", "GET")),
    ("POST", "/slash/"),
    ("POST", "/request/x/7?a=1&b=2&a=3", {"x-test": "yes"}, b"some body"),
    ("POST", "/request/%2F/7"),
    # Dependencies, markers, response models.
    *(
        ("GET", f"/depends/{target}", {"x-token": token})
        for token in ("secret", "wrong")
        for target in (
            "two", "two?skip=5", "two?skip=x", "two?limit=101&skip=y", "in-thread", "deep/3?limit=7", "deep/x",
            "deep/x?limit=101", "uncached", "class", "class?q=a&skip=1", "class?limit=x", "request", "fails",
            "fails?skip=x",
        )
    ),
    ("GET", "/depends/two"),
    *(
        ("POST", "/depends/body", {**JSON, "x-token": token}, body)
        for token in ("secret", "wrong")
        for body in (b'{"name":"a","price":1}', b'{"name":"bad","price":0}', b'{"name":"bad"}', b"{", b"")
    ),
    *(
        ("GET", f"/marked/{target}", {**headers, "user-agent": "test"})
        for target in ("7", "x", "7?order-by=date", "7?order-by=A", "7?order=date")
        for headers in ({}, {"x-count": "1"}, {"X-Count": "x"}, {"x-count": "2", "x-other_name": b"\xe4"})
    ),
    *(("GET", f"/constrained/{target}") for target in ("1", "0", "x", "1?q=ab", "1?q=a", "0?q=a", "1?q=")),
    *(
        ("GET", f"/model/{name}")
        for name in ("option", "none", "unset", "defaults", "without-none", "fields", "by-name", "unfit")
    ),
]  # fmt: skip


class InProcess:
    """A client of an ASGI application that needs no server."""

    def __init__(self, app: Any) -> None:
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://127.0.0.1"
        )
        self.build_request = self._client.build_request

    def send(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._client.send(request))


@pytest.fixture(scope="module")
def theirs() -> Iterator[httpx.Client]:
    with servers.uvicorn("theirs:app", app_dir=APPS) as server, _client(server) as client:
        yield client


@pytest.fixture(
    scope="module", params=["data_bridge", "data_bridge --interface asgi", "uvicorn", "hypercorn", "in process"]
)
def ours(request: pytest.FixtureRequest) -> Iterator[httpx.Client | InProcess]:
    if request.param == "in process":
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(APPS))
            yield InProcess(importlib.import_module("ours").app)
        return
    carrier, *options = request.param.split()
    with getattr(servers, carrier)("ours:app", *options, app_dir=APPS) as server, _client(server) as client:
        yield client


def _client(server: servers.Server) -> httpx.Client:
    # After an exception in the application uvicorn closes the connection without having said so.
    fresh = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(base_url=server.url, timeout=servers.PATIENCE, limits=fresh)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answers_are_those_of_fastapi(case, ours, theirs):
    assert _answer(ours, *case) == _answer(theirs, *case)


@pytest.mark.parametrize(("name", "count"), [("list?name=a", 3), ("nothing", 0), ("task", 1), ("stream", 1)])
def test_what_is_left_for_afterwards_is_that_of_fastapi(name, count, ours, theirs):
    # The second waits for what the first has left to be done.
    for case in (("POST", f"/background/{name}"), ("GET", f"/background?count={count}")):
        assert _answer(ours, *case) == _answer(theirs, *case)


@pytest.mark.parametrize(
    "case",
    [
        ("GET", "/path/float/nan"),
        ("GET", "/path/float/-inf"),
        ("POST", "/body/model", JSON, b'{"name":"a","price":NaN}'),
        ("POST", "/body/dict", JSON, b'{"a":1e999}'),
    ],
    ids=str,
)
def test_what_json_does_not_know_is_refused_or_null_as_fastapi_does(case, ours, theirs):
    assert _answer(ours, *case) == _answer(theirs, *case)


#: A cookie that is deleted names the second in which that was.
_NOW = re.compile(r"\bexpires=[^;]+")


def _answer(
    client: httpx.Client | InProcess,
    method: str,
    target: str,
    headers: dict[str, str] | None = None,
    content: bytes = b"",
) -> tuple[int, list[tuple[str, str]], bytes]:
    """What has to be equal: all but the framing, which is the server's, absolute locations, and the second."""
    response = client.send(client.build_request(method, target, headers=headers or {}, content=content))
    base = f"{response.url.scheme}://{response.url.netloc.decode()}"
    carriers = {"date", "server", "connection", "transfer-encoding", "content-length"}
    fields = [
        (
            name,
            urljoin(str(response.url), value).removeprefix(base) if name == "location" else _NOW.sub("expires", value),
        )
        for name, value in response.headers.multi_items()
        if name not in carriers
    ]
    return response.status_code, sorted(fields), response.content
