"""An ASGI app whose requests end when they are told to, and which says what became of them."""

import asyncio
import json

gate = asyncio.Event()
seen = []


async def answer(send, text):
    body = text.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def wait(send):
    seen.append("waiting")
    try:
        await gate.wait()
    except asyncio.CancelledError:
        seen.append("cancelled")
        raise
    await answer(send, '"done"')


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise RuntimeError("no lifespan here")
    match scope["path"]:
        case "/wait":
            await wait(send)
        case "/open":
            gate.set()
            await answer(send, '"open"')
        case "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"begun ", "more_body": True})
            await gate.wait()
            await send({"type": "http.response.body", "body": b"and ended"})
        case _:
            await answer(send, json.dumps(seen))
