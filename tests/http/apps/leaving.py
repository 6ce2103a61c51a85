"""Handlers that wait until told to go on, in an App, a FastAPI app and a raw one; each says what became of it."""

import asyncio
import json
import threading

from fastapi import FastAPI

from data_bridge import App
from data_bridge.responses import StreamingResponse

gate = asyncio.Event()
opened = threading.Event()
seen = []

app = App()
foreign = FastAPI()


async def wait(name):
    seen.append(f"{name} waits")
    try:
        await gate.wait()
    except asyncio.CancelledError:
        seen.append(f"{name} was cancelled")
        raise
    seen.append(f"{name} ended")
    return name


async def pieces():
    yield b"begun"
    await wait("stream")


for routes in (app, foreign):

    @routes.get("/read")
    async def read():
        return await wait("read")

    @routes.post("/change")
    async def change():
        return await wait("change")

    @routes.get("/seen")
    async def report():
        return seen

    @routes.get("/open")
    async def go_on():
        gate.set()
        opened.set()


@app.get("/kept", on_disconnect="ignore")
async def kept():
    return await wait("kept")


@app.post("/dropped", on_disconnect="cancel")
async def dropped():
    return await wait("dropped")


@app.get("/stream")
async def stream():
    return StreamingResponse(pieces())


@app.get("/late", timeout=0.2)
async def late():
    return await wait("late")


@app.get("/threaded", timeout=0.2)
def threaded():
    opened.wait()


async def raw(scope, receive, send):
    """Waits, whatever the path, and for the client's leaving where that is asked for."""
    if scope["type"] == "lifespan":
        raise RuntimeError("no lifespan here")
    match scope["path"]:
        case "/seen":
            body = json.dumps(seen).encode()
        case "/listen":
            seen.append("listen waits")
            await receive()
            seen.append((await receive())["type"])
            return
        case "/open":
            gate.set()
            body = b""
        case path:
            body = (await wait(path[1:])).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
