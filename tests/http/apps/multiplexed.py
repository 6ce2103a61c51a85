"""An ASGI app for streams of HTTP/2: what it sees, what goes both ways, what it is told when a client leaves."""

from __future__ import annotations

import asyncio
import json
from typing import Any

#: What happened to those whose client left.
EVENTS: list[str] = []


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await talk(scope, receive, send)
    else:
        await HANDLERS[scope["path"]](scope, receive, send)


async def lifespan(receive: Any, send: Any) -> None:
    for step in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{step}.complete"})


async def start(send: Any, *headers: tuple[bytes, bytes], status: int = 200, trailers: bool = False) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": trailers})


async def body(send: Any, content: bytes, *, more: bool = False) -> None:
    await send({"type": "http.response.body", "body": content, "more_body": more})


async def seen(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """What the scope says."""
    found = {key: scope[key] for key in ("http_version", "scheme", "method", "path", "client", "extensions")}
    found["headers"] = [[name.decode(), value.decode()] for name, value in scope["headers"]]
    found["query"] = scope["query_string"].decode()
    await start(send, (b"content-type", b"application/json"), (b"connection", b"close"))
    await body(send, json.dumps(found).encode())


async def echo(_scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Each part of the body as soon as it has come."""
    await start(send)
    more = True
    while more:
        message = await receive()
        more = message["more_body"]
        await body(send, message["body"], more=more)


async def whole(_scope: dict[str, Any], receive: Any, send: Any) -> None:
    """How long the body was."""
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message["body"]), message["more_body"]
    await start(send)
    await body(send, str(length).encode())


async def unread(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    await start(send)
    await body(send, b"not read")


async def hints(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    await send({"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]})
    await start(send)
    await body(send, b"hinted")


async def trailed(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    await start(send, trailers=True)
    await body(send, b"content")
    await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"1")]})


async def large(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    await start(send)
    for _ in range(64):
        await body(send, b"x" * 65536, more=True)
    EVENTS.append("all of large was taken")
    await body(send, b"")


async def waits(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Waits for the client to leave."""
    EVENTS.append("waiting")
    if scope["query_string"] == b"started":
        await start(send)
        await body(send, b"first", more=True)
    while (message := await receive())["type"] != "http.disconnect":
        pass
    EVENTS.append(message["type"])


async def lingers(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """Takes its time, however the server is doing."""
    EVENTS.append("lingering")
    await start(send)
    await body(send, b"first", more=True)
    await asyncio.sleep(0.5)
    await body(send, b"last")


async def breaks(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    await start(send)
    await body(send, b"a beginning", more=True)
    raise RuntimeError("no end comes")


async def short(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    await start(send, (b"content-length", b"10"))
    await body(send, b"short")


async def events(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    await start(send)
    await body(send, json.dumps(EVENTS).encode())


async def talk(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})
    EVENTS.append(f"{message['type']} {message['code']}")


HANDLERS = {
    f"/{handler.__name__}": handler
    for handler in (
        seen, echo, whole, unread, hints, trailed, large, waits, lingers, breaks, short, events
    )
}  # fmt: skip
