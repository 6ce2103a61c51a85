"""Handlers that a developer stops in."""

import asyncio


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b"done"
    if scope["path"] == "/debug":
        answer = 41
        breakpoint()
        body = str(answer).encode()
    elif scope["path"] == "/busy":
        print("busy", flush=True)
        while True:
            pass
    elif scope["path"] == "/waits":
        print("waits", flush=True)
        await asyncio.Event().wait()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
