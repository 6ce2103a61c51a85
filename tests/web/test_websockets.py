"""WebSockets: which messages may come and go in which state."""

from __future__ import annotations

import pytest

from tests.web.twins import OURS, receiving, same

SCOPE = {"type": "websocket", "path": "/", "headers": [], "query_string": b"", "subprotocols": []}
CONNECT = {"type": "websocket.connect"}
TEXT = {"type": "websocket.receive", "text": '{"a": 1}'}
BYTES = {"type": "websocket.receive", "bytes": b"[2]"}
LEFT = {"type": "websocket.disconnect", "code": 1001, "reason": "bye"}


def talk(web, script, *messages, extensions=None, fails=None):
    """Run steps on a WebSocket; each gives its result or what it raised, and the states after it."""

    async def run():
        sent, seen = [], []

        async def send(message):
            sent.append(dict(message))
            if fails == message["type"]:
                raise OSError("gone")

        scope = {**SCOPE, "extensions": extensions or {}}
        socket = web.websockets.WebSocket(scope, receiving(*messages), send)
        for step in script:
            try:
                seen.append(await step(socket))
            except Exception as error:  # noqa: BLE001 - compared
                seen.append((type(error).__name__, str(error), getattr(error, "code", None), vars(error)))
            seen.append((socket.client_state.name, socket.application_state.name))
        return seen, sent

    return run()


def step(name, *args, **kwargs):
    return lambda socket: getattr(socket, name)(*args, **kwargs)


async def everything(socket, kind):
    return [item async for item in getattr(socket, f"iter_{kind}")()]


ACCEPT = step("accept")
SCRIPTS = [
    (
        [ACCEPT, step("receive_text"), step("receive_bytes"), step("receive_text"), step("receive_text")],
        [TEXT, BYTES, LEFT],
    ),
    ([ACCEPT, step("receive_json"), step("receive_json", mode="binary"), step("receive_json", "x")], [TEXT, BYTES]),
    ([ACCEPT, step("receive"), step("receive"), step("receive")], [TEXT, LEFT]),
    ([ACCEPT, step("send_text", "ä"), step("send_bytes", b"b"), step("close"), step("send_text", "late")], []),
    ([ACCEPT, step("send_json", {"a": "ä"}), step("send_json", [1], "binary"), step("send_json", 1, "x")], []),
    ([step("accept", "chat", [(b"a", b"b")]), step("close", 3000, "why"), step("close")], []),
    ([step("receive_text"), step("receive_bytes"), step("receive_json")], [TEXT]),
    ([step("close", 1008)], []),
    ([step("send_text", "early")], []),
    ([ACCEPT, ACCEPT], []),
    ([ACCEPT, step("receive")], [CONNECT]),
    ([ACCEPT, lambda socket: everything(socket, "text")], [TEXT, TEXT, LEFT]),
    ([ACCEPT, lambda socket: everything(socket, "bytes")], [BYTES, LEFT]),
    ([ACCEPT, lambda socket: everything(socket, "json")], [TEXT, LEFT]),
    ([ACCEPT, step("receive_bytes")], [TEXT]),
    ([ACCEPT, step("send", {"type": "websocket.accept"})], []),
]


@pytest.mark.parametrize(("script", "messages"), SCRIPTS)
def test_a_talk(script, messages):
    same(lambda web: talk(web, script, CONNECT, *messages))


def test_it_begins_with_connect():
    same(lambda web: talk(web, [ACCEPT], TEXT))


@pytest.mark.parametrize("kind", ["websocket.accept", "websocket.send", "websocket.close"])
def test_a_client_that_is_gone(kind):
    same(lambda web: talk(web, [ACCEPT, step("send_text", "x"), step("close"), step("close")], CONNECT, fails=kind))


@pytest.mark.parametrize("extensions", [{}, {"websocket.http.response": {}}])
@pytest.mark.parametrize("kind", ["PlainTextResponse", "StreamingResponse"])
def test_it_is_refused_with_a_response(extensions, kind):
    async def deny(socket):
        web = OURS if type(socket).__module__.startswith("data_bridge") else None
        from starlette import responses as theirs

        responses = web.responses if web else theirs
        await socket.send_denial_response(getattr(responses, kind)("no", status_code=401))

    same(lambda web: talk(web, [deny, step("send_text", "late")], CONNECT, extensions=extensions))


def test_messages_of_a_refusal():
    start = {"type": "websocket.http.response.start", "status": 400, "headers": []}
    body = {"type": "websocket.http.response.body", "body": b"x", "more_body": True}
    steps = [
        step("send", start),
        step("send_text", "x"),
        step("send", body),
        step("send", {**body, "more_body": False}),
    ]
    same(lambda web: talk(web, [*steps, step("send", body)], CONNECT))


def test_close_as_an_application():
    async def close(web):
        sent = []

        async def send(message):
            sent.append(message)

        await web.websockets.WebSocketClose(1001, "bye")(SCOPE, None, send)
        await web.websockets.WebSocketClose()(SCOPE, None, send)
        return sent

    same(close)
    with pytest.raises(AssertionError):
        OURS.websockets.WebSocket({"type": "http"}, None, None)
    error = OURS.websockets.WebSocketDisconnect()
    assert (error.code, error.reason) == (1000, "")


def test_exceptions_and_codes():
    same(lambda web: repr(web.exceptions.WebSocketException(1008, "no")))
    same(lambda web: str(web.exceptions.WebSocketException(1008)))
    for status in (404, 299, 999):
        same(lambda web, status=status: str(web.exceptions.HTTPException(status)))
        same(lambda web, status=status: repr(web.exceptions.HTTPException(status, detail="x", headers={"a": "b"})))
    same(lambda web: {name: getattr(web.status, name) for name in web.status.__all__})
    same(lambda web: web.status.HTTP_422_UNPROCESSABLE_ENTITY)
    same(lambda web: web.status.__dir__())
    with pytest.warns(UserWarning, match="HTTP_413_CONTENT_TOO_LARGE"):
        assert OURS.status.HTTP_413_REQUEST_ENTITY_TOO_LARGE == 413
    with pytest.raises(AttributeError):
        _ = OURS.status.HTTP_299_NOTHING
