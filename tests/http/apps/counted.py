"""An App whose requests end in every way there is, for those who count them."""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
import time
import urllib.error
import urllib.request
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from data_bridge import App, WebSocket
from data_bridge.responses import PlainTextResponse, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@asynccontextmanager
async def lifespan(_: App) -> AsyncIterator[None]:
    if monitor := os.environ.get("MONITOR"):
        for path in ("livez", "readyz"):
            status = await asyncio.to_thread(status_of, f"{monitor}/{path}")
            print(f"{path} said {status} before the start", flush=True)
    yield


app = App(lifespan=lifespan)
app.native("/native", b"ok", content_type="text/plain")


@app.get("/items/{number}")
async def item(number: int) -> dict[str, int]:
    return {"number": number}


@app.post("/items")
async def upload(body: dict[str, Any]) -> dict[str, int]:
    return {"length": len(body)}


@app.get("/boom")
async def boom() -> None:
    raise RuntimeError("boom")


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 1000

    return StreamingResponse(parts())


@app.get("/broken")
async def broken() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"begun"
        raise RuntimeError("broken")

    return StreamingResponse(parts())


@app.get("/waits")
async def waits() -> None:
    await asyncio.Event().wait()


@app.get("/summary")
async def summary() -> dict[str, Any]:
    figures = app.metrics
    names = ("total_requests", "active_requests", "client_errors", "server_errors", "requests_per_second")
    latencies = ("mean_latency_ms", "p50_latency_ms", "p95_latency_ms", "p99_latency_ms")
    return {name: getattr(figures, name) for name in names + latencies}


@app.get("/text")
async def text() -> PlainTextResponse:
    return PlainTextResponse(app.metrics.prometheus())


@app.get("/hold-until", inline=True)
def hold_until(pipe: str) -> str:
    """Another thread soon takes the GIL and keeps it until what it reads from this pipe has ended."""
    c = ctypes.PyDLL(None)

    def keep() -> None:
        time.sleep(0.2)  # so that this request is answered first
        read = c.open(pipe.encode(), os.O_RDONLY)
        c.read(read, ctypes.create_string_buffer(1), ctypes.c_size_t(1))
        os.close(read)

    threading.Thread(target=keep).start()
    return "held"


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.receive()


async def plain(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An app whose routes nobody knows."""
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
        return
    await send({"type": "http.response.start", "status": 202, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
