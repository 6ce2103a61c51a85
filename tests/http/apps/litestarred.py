"""The hello app of Litestar's own documentation, a body, a stream and a WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator  # noqa: TC003 - Litestar reads annotations

from litestar import Litestar, WebSocket, get, post, websocket
from litestar.response import Stream


@get("/")
async def homepage() -> dict[str, str]:
    return {"hello": "world"}


@get("/sync/{number:int}", sync_to_thread=True)
def in_a_thread(number: int) -> int:
    return number


@post("/body")
async def body(data: dict[str, int]) -> dict[str, int]:
    return data


@get("/stream")
async def stream() -> Stream:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"part\n"

    return Stream(parts())


@websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


app = Litestar([homepage, in_a_thread, body, stream, echo])
