"""An ASGI app that tells what it sees of TLS, echoes, and breaks off."""

from __future__ import annotations

import json
from typing import Any


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return
    if scope["type"] == "websocket":
        await talk(scope, receive, send)
        return
    path = scope["path"]
    if path == "/scope":
        await answer(send, described(scope))
    elif path == "/echo":
        await answer(send, await body(receive))
    elif path == "/broken":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a beginning", "more_body": True})
        raise RuntimeError("no end comes")
    else:
        await answer(send, b"hello")


def described(scope: dict[str, Any]) -> bytes:
    tls = scope.get("extensions", {}).get("tls")
    return json.dumps({"scheme": scope["scheme"], "tls": tls}).encode()


async def answer(send: Any, content: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": content})


async def body(receive: Any) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message["body"])
        more = message.get("more_body", False)
    return b"".join(parts)


async def talk(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": described(scope).decode()})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})
