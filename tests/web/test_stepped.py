"""A dispatching middleware without asyncio: its steps are run by hand, as another event library would."""

from __future__ import annotations

import pytest

from data_bridge.middleware.base import BaseHTTPMiddleware
from data_bridge.responses import PlainTextResponse

SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}


def run(app, dispatch):
    """Run one request to its end; gives the messages that were sent."""
    messages = []

    async def receive():
        return {"type": "http.request", "body": b"asked"}

    async def send(message):
        messages.append(message)

    steps = BaseHTTPMiddleware(app, dispatch=dispatch)(dict(SCOPE), receive, send)
    # Nothing in it waits: the first step is the last.
    with pytest.raises(StopIteration):
        steps.send(None)
    return messages


def start(status=200):
    return {"type": "http.response.start", "status": status, "headers": []}


def piece(body, *, more=False):
    return {"type": "http.response.body", "body": body, "more_body": more}


async def through(request, call_next):
    response = await call_next(request)
    response.headers["x-seen"] = "yes"
    return response


def test_an_answer_in_pieces_and_what_follows_it():
    seen = []

    async def app(scope, receive, send):
        seen.append((await receive())["body"])
        await send(start())
        await send(piece(b"a", more=True))
        await send(piece(b"b"))
        seen.append(await receive())

    head, *body = run(app, through)
    assert head["headers"] == [(b"x-seen", b"yes")]
    assert b"".join(message["body"] for message in body) == b"ab"
    assert not body[-1]["more_body"]
    assert seen == [b"asked", {"type": "http.disconnect"}]


def test_another_answer_in_its_place():
    ended = []

    async def app(scope, receive, send):
        try:
            await send(start())
            await send(piece(b"never seen"))
        finally:
            ended.append("ended")

    async def instead(request, call_next):
        await call_next(request)
        return PlainTextResponse("instead")

    async def alone(request, call_next):
        return PlainTextResponse("alone")

    assert run(app, instead)[1]["body"] == b"instead"
    assert ended == ["ended"]
    assert run(app, alone)[1]["body"] == b"alone"
    assert ended == ["ended"]


@pytest.mark.parametrize("sent", [0, 1, 2])
def test_an_exception_of_the_app(sent):
    async def app(scope, receive, send):
        for message in (start(), piece(b"a", more=True))[:sent]:
            await send(message)
        raise KeyError("of the app")

    with pytest.raises(KeyError, match="of the app"):
        run(app, through)


def test_an_app_that_does_not_answer():
    async def app(scope, receive, send):
        await receive()

    with pytest.raises(RuntimeError, match="No response returned"):
        run(app, through)


def test_an_exception_of_the_middleware_ends_the_app():
    ended = []

    async def app(scope, receive, send):
        try:
            await send(start())
        finally:
            ended.append("ended")

    async def failing(request, call_next):
        await call_next(request)
        raise KeyError("of the middleware")

    with pytest.raises(KeyError, match="of the middleware"):
        run(app, failing)
    assert ended == ["ended"]
