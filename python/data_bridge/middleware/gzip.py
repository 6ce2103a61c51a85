"""GZip: answers that are long enough, of a type that shrinks, to clients that take it."""

from __future__ import annotations

import asyncio
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from ..datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..types import ASGIApp, Message, Receive, Scope, Send

#: Types whose bodies are compressed already, or whose events must not wait for a compressor.
DEFAULT_EXCLUDED_CONTENT_TYPES = (
    "application/grpc",
    "application/gzip",
    "application/x-gzip",
    "application/zip",
    "audio/*",
    "font/woff",
    "font/woff2",
    "image/avif",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/event-stream",
    "video/*",
)
#: Bytes from which on a piece is compressed in a thread.
THREAD_SIZE = 128 * 1024
_THREADS = 40


class GZipMiddleware:
    """Compresses bodies of ``minimum_size`` bytes or more.

    Pieces of ``thread_minimum_size`` bytes or more are compressed in a thread, so that the loop goes on.
    """

    def __init__(
        self,
        app: ASGIApp,
        minimum_size: int = 500,
        compresslevel: int = 9,
        thread_minimum_size: int = THREAD_SIZE,
        *,
        exclude_content_types: tuple[str, ...] = DEFAULT_EXCLUDED_CONTENT_TYPES,
    ) -> None:
        self.app = app
        self.minimum_size = minimum_size
        self.compresslevel = compresslevel
        self.thread_minimum_size = thread_minimum_size
        self.exclude_content_types = media_types(exclude_content_types)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and compress its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        takes = "gzip" in Headers(scope=scope).get("Accept-Encoding", "")
        compressor = GZip(self.compresslevel) if takes else None
        sender = Sender(send, compressor, self.minimum_size, self.thread_minimum_size, self.exclude_content_types)
        await self.app(scope, receive, sender)


class GZip:
    """A stream of gzip (RFC 1952)."""

    encoding: ClassVar[str] = "gzip"

    def __init__(self, level: int) -> None:
        self._level = level
        self._stream: Any = None

    def compress(self, data: bytes, *, is_last: bool) -> bytes:
        """Compress a piece, so that the client can read all of it at once."""
        if self._stream is None:
            self._stream = zlib.compressobj(self._level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        head: bytes = self._stream.compress(data)
        tail: bytes = self._stream.flush(zlib.Z_FINISH if is_last else zlib.Z_SYNC_FLUSH)
        return head + tail


class Sender:
    """An answer on its way to the client: its head waits for the first piece of its body, which decides.

    Without a ``compressor`` bodies pass as they are, and only say that they would depend on what the client takes.
    """

    def __init__(
        self, send: Send, compressor: Any, minimum_size: int, thread_size: int, excluded: Iterable[str]
    ) -> None:
        self._send = send
        self._compressor = compressor
        self._minimum_size = minimum_size
        self._thread_size = thread_size
        self._excluded = excluded
        self._head: Message | None = None
        self._passes = False
        self._compresses = False

    async def __call__(self, message: Message) -> None:
        """Send a message, or keep the head."""
        kind = message["type"]
        if kind == "http.response.start":
            message.setdefault("headers", [])
            self._head = message
            self._passes = self._is_left_alone(message)
            if self._passes:
                await self._send_head()
        elif kind == "http.response.body" and not self._passes:
            await self._send_body(message)
        else:
            if kind == "http.response.pathsend":
                await self._send_head()
            await self._send(message)

    def _is_left_alone(self, head: Message) -> bool:
        """Say whether the body must not be touched: encoded already, a part of a file, or of an excluded type."""
        headers = Headers(raw=head["headers"])
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        kinds = {media_type, f"{media_type.partition('/')[0]}/*", media_type.partition("+")[0]}
        if not media_type.startswith("application/grpc+"):
            kinds.discard(media_type.partition("+")[0])
            kinds.add(media_type)
        return "content-encoding" in headers or head["status"] == 206 or not kinds.isdisjoint(self._excluded)  # noqa: PLR2004

    async def _send_head(self) -> None:
        head, self._head = self._head, None
        if head is not None:
            await self._send(head)

    async def _send_body(self, message: Message) -> None:
        body, is_last = message.get("body", b""), not message.get("more_body", False)
        if self._head is None:
            if self._compresses:
                message["body"] = await self._compress(body, is_last=is_last)
            await self._send(message)
            return
        if len(body) >= self._minimum_size or not is_last:
            headers = MutableHeaders(raw=self._head["headers"])
            headers.add_vary_header("Accept-Encoding")
            if self._compressor is not None:
                self._compresses = True
                message["body"] = await self._compress(body, is_last=is_last)
                self._describe(headers, message["body"], is_last=is_last)
        await self._send_head()
        await self._send(message)

    def _describe(self, headers: MutableHeaders, body: bytes, *, is_last: bool) -> None:
        headers["Content-Encoding"] = self._compressor.encoding
        if is_last and not (self._head or {}).get("trailers", False):
            headers["Content-Length"] = str(len(body))
        else:
            del headers["Content-Length"]

    async def _compress(self, body: bytes, *, is_last: bool) -> bytes:
        compressed: bytes
        if len(body) < self._thread_size:
            compressed = self._compressor.compress(body, is_last=is_last)
        else:
            loop = asyncio.get_running_loop()
            compressed = await loop.run_in_executor(_pool(), lambda: self._compressor.compress(body, is_last=is_last))
        return compressed


def media_types(given: Iterable[str]) -> frozenset[str]:
    """Give types without their parameters, in lower case."""
    return frozenset(text.partition(";")[0].strip().lower() for text in given)


@cache
def _pool() -> ThreadPoolExecutor:
    """Threads of our own: an app whose threads all wait can still answer."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="data_bridge gzip")
