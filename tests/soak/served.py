"""The app of the server's soak and limits: every way to answer, and every way not to."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

BLOCK = bytes(64 * 1024)
GIB = 1 << 30


async def answer(send: Any, body: bytes, status: int = 200) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"], "more_body": True})
    await send({"type": "http.response.body"})


async def sleepy(receive: Any, send: Any) -> None:
    """Take an upload, a breath after each part."""
    taken, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        taken, more = taken + len(message["body"]), message["more_body"]
        await asyncio.sleep(0.001)
    await answer(send, b"%d" % taken)


async def download(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % GIB)]})
    for _ in range(GIB // len(BLOCK)):
        await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
    await send({"type": "http.response.body"})


async def events(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    while True:
        await send({"type": "http.response.body", "body": b"data: x\n\n", "more_body": True})
        await asyncio.sleep(0.05)


async def wait(receive: Any, send: Any) -> None:
    """Wait until the client has left, as ASGI says it."""
    while (await receive())["type"] != "http.disconnect":
        pass
    await answer(send, b"")


async def file(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.pathsend", "path": __file__})


async def short(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
    await send({"type": "http.response.body", "body": b"short"})


def look() -> dict[str, int]:
    """What there is of this process."""
    return {
        "tasks": len(asyncio.all_tasks()),
        "descriptors": len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - one descriptor, always
        "memory": int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE"),
    }


async def facts(send: Any) -> None:
    await answer(send, json.dumps(look()).encode())


async def lifespan(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            print("shutdown was run", flush=True)
            return


SENDING = {"/download": download, "/events": events, "/file": file, "/short": short, "/facts": facts}
TAKING = {"/echo": echo, "/sleepy": sleepy, "/wait": wait}
SECONDS = {"/pause": 0.02, "/second": 1.0}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer by path."""
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    path = scope["path"]
    if path in SENDING:
        return await SENDING[path](send)
    if path in TAKING:
        return await TAKING[path](receive, send)
    if path == "/raise":
        raise RuntimeError("as it should")
    if path in SECONDS:
        await asyncio.sleep(SECONDS[path])
    return await answer(send, b"hello")
