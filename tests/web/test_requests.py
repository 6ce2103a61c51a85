"""Requests over a scope and a `receive`."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.web.twins import OURS, http, receiving, same

SCOPE = http(
    (b"host", b"example.org"),
    (b"cookie", b'a=1; b="quoted \\073 x"; =no name; alone; c==2;;'),
    (b"cookie", b"a=3"),
    path="/a/b",
    query_string=b"q=1&q=2",
    client=["127.0.0.1", 1],
    path_params={"p": 1},
    root_path="/root",
)


def test_what_a_request_says():
    def look(web):
        request = web.requests.Request(dict(SCOPE))
        return (
            request.method,
            str(request.url),
            str(request.base_url),
            request.headers.items(),
            request.query_params.multi_items(),
            request.path_params,
            request.cookies,
            tuple(request.client),
            request["path"],
            sorted(request),
            len(request),
            request == web.requests.Request(dict(SCOPE)),
            request in {request},
            request.url is request.url,
        )

    same(look)
    same(lambda web: web.requests.Request(http()).client)
    same(lambda web: str(web.requests.Request(http(app_root_path="/app", root_path="/app/mounted")).base_url))


@pytest.mark.parametrize("cookie", ["a=b", "a", "=", ";", "a = b ", 'a="b;c"', "a=b; a=c", "ä=ö", 'a="\\"\\303\\244"'])
def test_cookies(cookie):
    same(lambda web: web.requests.cookie_parser(cookie))


def test_what_middleware_leaves():
    class Session(dict):
        marked = False

        def mark_accessed(self):
            self.marked = True

    def look(web):
        session = Session(a=1)
        request = web.requests.Request(http(session=session, user="u", auth="x", app="app", state={"a": 1}))
        request.state.b = 2
        return request.session, session.marked, request.user, request.auth, request.app, request.scope["state"]

    assert same(look)[1]
    for missing in ("session", "user", "auth"):
        same(lambda web, missing=missing: getattr(web.requests.Request(http()), missing))
    same(lambda web: web.requests.Request(http()).app)


def test_what_no_request_is():
    assert OURS.requests.HTTPConnection({"type": "websocket", "headers": []}).scope["type"] == "websocket"
    for kind in ("lifespan", "websocket"):
        with pytest.raises(AssertionError):
            OURS.requests.Request({"type": kind})
    with pytest.raises(AssertionError):
        OURS.requests.HTTPConnection({"type": "lifespan"})


def test_urls_by_name():
    class Routes:
        def __init__(self, web):
            self.web = web

        def url_path_for(self, name, **params):
            return self.web.datastructures.URLPath(f"/{name}/{params['x']}")

    same(lambda web: str(web.requests.Request(http(router=Routes(web))).url_for("a", x=1)))
    same(lambda web: str(web.requests.Request(http(app=Routes(web), root_path="/r")).url_for("a", x=1)))
    same(lambda web: web.requests.Request(http()).url_for("a", x=1))


BODIES = [(b"",), (b"ab",), (b"a", b"", b"b"), (b'{"a": [1, 2.5, null]}',), (b'"\xc3\xa4', b'"'), (b"NaN",), (b"{",)]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(
    "ways", ["body", "stream", "json", "body body", "stream body", "body stream", "json body json"]
)
def test_the_body(body, ways):
    async def read(web):
        request = web.requests.Request(http(), receiving(*body))
        seen = []
        for way in ways.split():
            if way == "stream":
                seen.append([chunk async for chunk in request.stream()])
            else:
                seen.append(repr(await getattr(request, way)()))
        return seen

    same(read)


def test_a_client_that_leaves():
    disconnect = {"type": "http.disconnect"}

    async def read(web):
        request = web.requests.Request(http(), receiving({"type": "http.request", "body": b"a", "more_body": True}))
        return await request.body()

    same(read)

    async def ask(web):
        request = web.requests.Request(http(), receiving(b"a", disconnect))
        return [await request.is_disconnected() for _ in range(3)]

    assert same(ask) == [False, True, True]

    async def ask_quietly(web):
        left = asyncio.Event()
        cancelled = []

        async def receive():
            try:
                await left.wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                await asyncio.sleep(0)
                raise
            return disconnect

        request = web.requests.Request(http(), receive)
        seen = [await request.is_disconnected()]
        left.set()
        return [*seen, await request.is_disconnected(), len(cancelled)]

    assert same(ask_quietly) == [False, True, 1]

    async def ask_a_stubborn_one(web):
        async def receive():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return disconnect

        return await web.requests.Request(http(), receive).is_disconnected()

    assert same(ask_a_stubborn_one) is True


def test_a_request_without_channels():
    same(lambda web: web.requests.Request(http()).body())
    same(lambda web: web.requests.empty_send({}))
    same(lambda web: web.requests.Request(http()).is_disconnected())


def test_hints_and_pushes():
    async def push(web, extensions):
        messages = []

        async def send(message):
            messages.append(message)

        scope = http((b"accept", b"x"), (b"other", b"z"), extensions=extensions)
        request = web.requests.Request(scope, receiving(), send)
        await request.send_push_promise("/style.css")
        await request.send_early_hints("</a>; rel=preload", "</b>")
        return messages

    assert same(lambda web: push(web, {})) == []
    assert len(same(lambda web: push(web, {"http.response.push": {}, "http.response.early_hint": {}}))) == 2


def test_a_replaced_json_is_used(monkeypatch):
    monkeypatch.setattr(json, "loads", lambda _: "replaced")
    same(lambda web: web.requests.Request(http(), receiving(b"{}")).json())


def test_what_only_ours_has():
    request = OURS.requests.Request(dict(SCOPE))
    assert (request.path, request.query, request.scheme, request.http_version) == ("/a/b", "q=1&q=2", "http", "1.1")
