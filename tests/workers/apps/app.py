"""An ASGI app that says who answers; its import, start-up and shutdown leave a line each."""

import asyncio
import os

print(f"imported by {os.getpid()}", flush=True)


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["path"] == "/slow":
        print("slow begins", flush=True)
        await asyncio.sleep(0.5)
    if scope["path"] == "/held":
        return await held(receive, send)
    body = str(os.getpid()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
    return None


async def lifespan(receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print(f"shut down by {os.getpid()}", flush=True)
    await send({"type": "lifespan.shutdown.complete"})


async def held(receive, send):
    """Say who answers, then wait for the end of the request's body."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % os.getpid(), "more_body": True})
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.body", "body": b" to its end"})
