"""Apps whose answers shrink, and some that do not or must not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import fastapi

import data_bridge

own = data_bridge.App()
fastapi_app = fastapi.FastAPI()
ROWS = ["some text"] * 1000
TEXT = json.dumps(ROWS).encode()
JSON = (b"content-type", b"application/json")
TAG = (b"etag", b'"a"')
EVENTS = (b"content-type", b"text/event-stream")

seen = asyncio.Event()


@own.get("/whole")
@fastapi_app.get("/whole")
async def whole() -> list[str]:
    return ROWS


own.native("/constant", TEXT.decode(), content_type="application/json")


def wsgi(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("content-type", "application/json")])
    return [TEXT[:100], TEXT[100:]]


def sized_wsgi(environ: dict[str, Any], start_response: Any) -> Any:
    """Declares its length, and gives its body whole or in parts."""
    write = start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(TEXT)))])
    if environ["REQUEST_METHOD"] == "HEAD":
        return []
    if environ["PATH_INFO"] == "/whole":
        return [TEXT]
    write(TEXT[:100])
    return iter([TEXT[100:]])


def sized(length: int) -> tuple[bytes, bytes]:
    return b"content-length", str(length).encode()


#: By path: status, fields, parts of the body.
ANSWERS: dict[str, tuple[int, list[tuple[bytes, bytes]], list[bytes]]] = {
    "/whole": (200, [JSON, TAG, sized(len(TEXT))], [TEXT]),
    "/parts": (200, [JSON, TAG], [TEXT[:100], TEXT[100:]]),
    "/short": (200, [JSON, TAG, sized(5)], [b"[   ]"]),
    "/image": (200, [(b"content-type", b"image/png"), sized(len(TEXT))], [TEXT]),
    "/encoded": (200, [JSON, (b"content-encoding", b"deflate")], [TEXT]),
    "/part": (206, [JSON, (b"content-range", b"bytes 0-1/2")], [TEXT]),
    "/untouchable": (200, [JSON, TAG, (b"cache-control", b"no-transform")], [TEXT]),
    "/nothing": (204, [JSON, TAG], [b""]),
    "/too-long": (200, [JSON, sized(1000)], [b"x" * 2000]),
    "/too-short": (200, [JSON, sized(3000)], [b"x" * 2000]),
}


async def asgi(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    path = scope["path"]
    if path == "/seen":
        seen.set()
        path = "/nothing"
    if path in ANSWERS:
        status, headers, parts = ANSWERS[path]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for number, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})
    elif path == "/events":
        await send({"type": "http.response.start", "status": 200, "headers": [EVENTS]})
        for number in range(3):
            seen.clear()
            await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
            await seen.wait()
        await send({"type": "http.response.body"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [JSON]})
        if path == "/before-file":
            await send({"type": "http.response.body", "body": b"before", "more_body": True})
            with open(__file__, "rb") as file:  # noqa: ASYNC230, PTH123 - the file itself is sent
                await send({"type": "http.response.zerocopysend", "file": file})
        else:
            await send({"type": "http.response.pathsend", "path": __file__})
