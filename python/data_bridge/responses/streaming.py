"""Responses whose body is made piece by piece, and what happens when the client does not stay for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from data_bridge.concurrency import iterate_in_threadpool
from data_bridge.exceptions import ClientDisconnected

from .base import Background, Response, as_denial

if TYPE_CHECKING:
    from data_bridge.types import Receive, Scope, Send

Content = str | bytes | memoryview
SyncContentStream = Iterable[Content]
AsyncContentStream = AsyncIterable[Content]
ContentStream = AsyncContentStream | SyncContentStream

#: From this version of ASGI on `send` raises OSError once the client has left, and nobody has to ask `receive`.
_SEND_RAISES = (2, 4)


class StreamingResponse(Response):
    """A response whose body is made piece by piece.

    ``content`` is an asynchronous iterable, or an ordinary one, which is then run in threads. If the client leaves, the
    iteration is cancelled and the iterator closed.
    """

    body_iterator: AsyncContentStream

    def __init__(
        self,
        content: ContentStream,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: Background | None = None,
    ) -> None:
        self.body_iterator = content if isinstance(content, AsyncIterable) else iterate_in_threadpool(content)
        self.status_code = status_code
        if media_type is not None:
            self.media_type = media_type
        self.background = background
        self.init_headers(headers)

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Return when the client has left."""
        await disconnected(receive)

    async def stream_response(self, send: Send) -> None:
        """Send the head and every piece as it comes; close the iterator however it ends."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for chunk in self.body_iterator:
                body = chunk if isinstance(chunk, (bytes, memoryview)) else _encoded(chunk, self.charset)
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            close = getattr(self.body_iterator, "aclose", None)
            if close is not None:
                await close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI connection. Raises ``ClientDisconnected`` where the server says by ``send`` that it left."""
        if scope["type"] == "websocket":
            await self.stream_response(as_denial(send))
        elif send_raises(scope) and not tells_at_once(receive):
            try:
                await self.stream_response(send)
            except ClientDisconnected:
                raise
            except OSError as error:
                raise ClientDisconnected(*error.args) from error
        else:
            await until_disconnect(partial(self.stream_response, send), receive)
        await self.after()


def send_raises(scope: Scope) -> bool:
    """Say whether this server's `send` tells that the client has left."""
    version = scope.get("asgi", {}).get("spec_version", "2.0")
    return tuple(map(int, version.split("."))) >= _SEND_RAISES


def tells_at_once(receive: Receive) -> bool:
    """Say whether this is our own server's `receive`: it ends a stream that waits, not only one that sends."""
    return type(getattr(receive, "__self__", None)).__module__ == "data_bridge._native"


async def disconnected(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def until_disconnect(work: Callable[[], Coroutine[Any, Any, None]], receive: Receive) -> None:
    """Await ``work``; it is cancelled if the client leaves first."""
    loop = asyncio.get_running_loop()
    working = loop.create_task(work())
    leaving = loop.create_task(disconnected(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})
    for task in (working, leaving):
        if not task.cancelled():
            task.result()


def _encoded(chunk: Any, charset: str) -> bytes:
    if isinstance(chunk, bytearray):
        return bytes(chunk)
    encoded: bytes = chunk.encode(charset)
    return encoded
