"""An app that takes bodies whole, one that sends much, and a WebSocket that takes nothing."""

import asyncio


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        return await websocket(scope, receive, send)
    if scope["type"] == "lifespan":
        raise RuntimeError("this app has none")
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        length, more = length + len(message["body"]), message["more_body"]
    body = bytes(100_000_000) if scope["path"] == "/large" else b"%d" % length
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
    return None


async def websocket(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/closes":
        await send({"type": "websocket.close"})
    await asyncio.Event().wait()
