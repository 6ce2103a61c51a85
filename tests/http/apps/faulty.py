"""An ASGI app that goes wrong in every way that an app can, before its first suspension or after it."""

import asyncio
import os

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
BODY = {"type": "http.response.body", "body": b"hello"}


def recurse():
    return recurse() + 1


async def break_off():
    yield b"begun"
    raise ValueError("the generator broke")


class Shout(BaseException):
    pass


RAISED = {
    "exception": ValueError("a fault"),
    "base-exception": Shout("a fault"),
    "system-exit": SystemExit(3),
    "keyboard-interrupt": KeyboardInterrupt(),
    "cancelled": asyncio.CancelledError(),
    "generator-exit": GeneratorExit(),
    "memory": MemoryError(),
    "stop-iteration": StopIteration(),
    "stop-async-iteration": StopAsyncIteration(),
}


async def nothing(send): ...


async def recursion(send):
    recurse()


async def status_99(send):
    await send({**START, "status": 99})


async def status_text(send):
    await send({**START, "status": "200"})


async def header_text(send):
    await send({**START, "headers": [("x-name", "value")]})


async def header_none(send):
    await send({**START, "headers": [(b"x-name", None)]})


async def header_crlf(send):
    await send({**START, "headers": [(b"x-name", b"value\r\nx-injected: yes")]})


async def header_shape(send):
    await send({**START, "headers": [b"x-name"]})


async def two_starts(send):
    await send(START)
    await send(START)


async def body_first(send):
    await send(BODY)


async def body_text(send):
    await send(START)
    await send({**BODY, "body": "text"})


async def unknown_message(send):
    await send({"type": "http.response.surprise"})


async def no_message(send):
    await send(None)


async def start_only(send):
    await send(START)


async def raise_after_start(send):
    await send(START)
    raise ValueError("after the start")


async def raise_amid_body(send):
    await send(START)
    await send({**BODY, "more_body": True})
    raise ValueError("amid the body")


async def raise_after_end(send):
    await send(START)
    await send(BODY)
    raise ValueError("after the end")


async def generator(send):
    await send(START)
    async for part in break_off():
        await send({**BODY, "body": part, "more_body": True})


async def body_after_end(send):
    await send(START)
    await send(BODY)
    await send(BODY)


FAULTS = [
    nothing, recursion, status_99, status_text, header_text, header_none, header_crlf, header_shape,
    two_starts, body_first, body_text, unknown_message, no_message, start_only, raise_after_start,
    raise_amid_body, raise_after_end, generator, body_after_end,
]  # fmt: skip

NAMES = [fault.__name__ for fault in FAULTS] + list(RAISED)


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise RuntimeError("no lifespan here")
    _, when, name = scope["path"].split("/")
    if when == "later":
        await asyncio.sleep(0)
    if name in RAISED:
        raise RAISED[name]
    if name == "pid":
        body = str(os.getpid()).encode()
        await send({**START, "headers": [(b"content-length", str(len(body)).encode())]})
        await send({**BODY, "body": body})
        return
    await next(fault for fault in FAULTS if fault.__name__ == name)(send)
