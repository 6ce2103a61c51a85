"""A raw ASGI app for tests: one behaviour a path."""

import asyncio
import json
import os

seen: list[str] = []


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(scope, receive, send)
    handler = ROUTES.get(scope["path"].strip("/").partition("/")[0], not_found)
    await handler(scope, receive, send)
    return None


async def lifespan(scope, receive, send):
    assert (await receive())["type"] == "lifespan.startup"
    scope["state"]["counter"] = [0]
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    print("shutdown was run", flush=True)
    await send({"type": "lifespan.shutdown.complete"})


async def answer(send, body: bytes, status: int = 200, headers=()):
    await send({"type": "http.response.start", "status": status, "headers": [*headers]})
    await send({"type": "http.response.body", "body": body})


async def not_found(_scope, _receive, send):
    await answer(send, b"", 404)


async def scope_types(scope, _receive, send):
    """What the scope holds, with the type of every value."""
    described = {key: [type(value).__name__, repr(value)] for key, value in scope.items()}
    described["header_types"] = sorted({f"{type(pair).__name__}:{type(pair[0]).__name__}" for pair in scope["headers"]})
    scope["state"]["counter"][0] += 1
    scope["state"]["own"] = True
    await answer(send, json.dumps(described).encode())


async def echo(_scope, receive, send):
    chunks = 0
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        message = await receive()
        chunks += 1
        await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": True})
        if not message.get("more_body"):
            break
    await send({"type": "http.response.body", "body": b"|%d" % bool(chunks)})


async def wrong_order(_scope, _receive, send):
    """Each illegal send raises and leaves the call usable."""
    caught = []

    async def refused(message):
        try:
            await send(message)
        except Exception as error:  # noqa: BLE001
            caught.append(type(error).__name__)

    await refused({"type": "http.response.body", "body": b"too early"})
    await refused({"type": "http.unknown"})
    await refused({"type": "http.response.start", "status": 200, "headers": [(b"bad name", b"x")]})
    await refused({"type": "http.response.start", "status": 200, "headers": [(b"x", b"a\r\nb: c")]})
    await refused({"type": "http.response.start", "status": 99, "headers": []})
    await refused({"type": "http.response.start", "headers": []})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await refused({"type": "http.response.start", "status": 200, "headers": []})
    await refused({"type": "http.response.body", "body": "text"})
    await send({"type": "http.response.body", "body": json.dumps(caught).encode()})
    await refused({"type": "http.response.body", "body": b"too late"})
    seen.append(f"late:{caught[-1]}")


async def report(_scope, _receive, send):
    await answer(send, json.dumps(seen).encode())


async def disconnect(_scope, receive, send):
    """Waits until the client leaves, and says what it learned."""
    await receive()
    seen.append((await receive())["type"])
    seen.append((await receive())["type"])
    try:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
    except OSError as error:
        seen.append(f"send:{type(error).__name__}")


async def endless(_scope, _receive, send):
    """Streams until the client leaves; the highest count of chunks sent ahead stays bounded by back-pressure."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    count = 0
    try:
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            count += 1
            seen[:] = [f"chunks:{count}"]
    except OSError:
        seen.append("ended")


async def large(_scope, _receive, send):
    await answer(send, b"x" * 300_000)
    seen.append("large: sent")


async def slow(scope, _receive, send):
    await asyncio.sleep(float(scope["query_string"] or b"0.2"))
    await answer(send, b"slow")


async def short(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"123"})


async def raises(_scope, _receive, _send):
    raise RuntimeError("on purpose")


async def exits_late(_scope, _receive, _send):
    await asyncio.sleep(0.001)
    raise SystemExit(3)


async def interrupted_late(_scope, _receive, _send):
    await asyncio.sleep(0.001)
    raise KeyboardInterrupt


async def nothing(_scope, _receive, _send):
    return None


async def current_task(_scope, _receive, send):
    task = asyncio.current_task()
    before = type(task).__module__ + "." + type(task).__qualname__
    async with asyncio.timeout(5):
        await asyncio.sleep(0)
    same = asyncio.current_task() is task
    loop = type(asyncio.get_running_loop()).__name__
    await answer(send, json.dumps([before, same, loop]).encode())


async def trailers(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"trailer", b"x-sum")], "trailers": True})
    await send({"type": "http.response.body", "body": b"body"})
    await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"42")]})


async def late_work(_scope, _receive, send):
    await answer(send, b"answered")
    await asyncio.sleep(0.2)
    print("late work done", flush=True)


async def pid(_scope, _receive, send):
    await answer(send, str(os.getpid()).encode())


ROUTES = {
    "scope": scope_types,
    "echo": echo,
    "wrong_order": wrong_order,
    "report": report,
    "disconnect": disconnect,
    "endless": endless,
    "large": large,
    "slow": slow,
    "short": short,
    "raises": raises,
    "exits_late": exits_late,
    "interrupted_late": interrupted_late,
    "nothing": nothing,
    "current_task": current_task,
    "trailers": trailers,
    "late_work": late_work,
    "pid": pid,
}


async def fails_to_start(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def without_lifespan(scope, receive, send):
    assert scope["type"] == "http"
    await answer(send, repr("state" in scope).encode())
