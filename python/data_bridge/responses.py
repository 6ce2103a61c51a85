"""Responses: what a handler returns when JSON with status 200 is not enough. Knows no request and no route."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic_core import to_json

from .asgi import AsgiSink, AsgiSource, Receive, Scope, Send
from .datastructures import MutableHeaders

if TYPE_CHECKING:
    from datetime import datetime

RawHeaders = list[tuple[bytes, bytes]]

#: What is awaited after the response: a `BackgroundTask`, `BackgroundTasks`, or any callable like them.
Background = Callable[[], Awaitable[None]]

#: What `iterate_in_threads` sees at the end of an iterator.
_END = object()


class Sink(Protocol):
    """Where a response goes. What a method returns is awaited, unless it is None."""

    def start(self, status: int, headers: RawHeaders) -> Awaitable[None] | None:
        """Send the head of a streamed response."""

    def write(self, chunk: bytes) -> Awaitable[None] | None:
        """Send a piece of the body."""

    def finish(self) -> Awaitable[None] | None:
        """End the body."""


class Response:
    """A response with a body that is known as a whole.

    ``content`` is text (sent as UTF-8), bytes or None; ``media_type`` overrides that of the class; ``background`` is
    awaited after the response was sent.
    """

    media_type: str | None = None
    charset = "utf-8"
    body: bytes

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: Background | None = None,
    ) -> None:
        self.status_code = status_code
        self.background = background
        if media_type is not None:
            self.media_type = media_type
        self.body = self.render(content)
        self.raw_headers = self._initial_headers(headers, len(self.body))

    def render(self, content: Any) -> bytes:
        """Turn the content into the body's bytes. For subclasses to override."""
        if content is None:
            return b""
        if isinstance(content, (bytes, memoryview, bytearray)):
            return bytes(content)
        encoded: bytes = content.encode(self.charset)
        return encoded

    @property
    def headers(self) -> MutableHeaders:
        """The header fields, to be read and changed."""
        return MutableHeaders(self.raw_headers)

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: int | None = None,
        expires: datetime | str | int | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: Literal["lax", "strict", "none"] | None = "lax",
    ) -> None:
        """Add a ``Set-Cookie`` field (RFC 6265). ``max_age`` and an integer ``expires`` are seconds from now."""
        from .cookies import set_cookie_value  # noqa: PLC0415 - imported when the first cookie is set

        field = set_cookie_value(
            key,
            value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
        )
        self.raw_headers.append((b"set-cookie", field.encode("latin-1")))

    def delete_cookie(self, key: str, path: str | None = "/", domain: str | None = None) -> None:
        """Ask the client to forget a cookie; ``path`` and ``domain`` must be those it was set with."""
        self.set_cookie(key, max_age=0, expires=0, path=path, domain=domain)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI connection."""
        await AsgiSink(send).respond(self.status_code, self.raw_headers, self.body)
        if self.background is not None:
            await self.background()

    def _initial_headers(self, headers: Mapping[str, str] | None, length: int | None) -> RawHeaders:
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
        given = {name for name, _ in raw}
        bodiless = self.status_code < 200 or self.status_code in (204, 304)  # noqa: PLR2004 - RFC 9110's numbers
        if length is not None and not bodiless and b"content-length" not in given:
            raw.append((b"content-length", b"%d" % length))
        if self.media_type is not None and b"content-type" not in given:
            textual = self.media_type.startswith("text/") and "charset=" not in self.media_type.lower()
            media_type = f"{self.media_type}; charset={self.charset}" if textual else self.media_type
            raw.append((b"content-type", media_type.encode("latin-1")))
        return raw


class PlainTextResponse(Response):
    """Text."""

    media_type = "text/plain"


class HTMLResponse(Response):
    """An HTML page."""

    media_type = "text/html"


class JSONResponse(Response):
    """Any content that JSON can carry; NaN and the infinities, which it cannot, become null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Serialise the content."""
        return to_json(content, inf_nan_mode="null")


class RedirectResponse(Response):
    """A redirect to ``url``; 307 keeps the method and the body, 303 turns them into a GET."""

    def __init__(
        self,
        url: str,
        status_code: int = 307,
        headers: Mapping[str, str] | None = None,
        background: Background | None = None,
    ) -> None:
        from urllib.parse import quote  # noqa: PLC0415 - an application that redirects nobody starts without it

        super().__init__(b"", status_code, headers, background=background)
        self.headers["location"] = quote(str(url), safe=":/%#?=@[]!$&'()*+,;")


class StreamingResponse(Response):
    """A response whose body is made piece by piece.

    ``content`` is an asynchronous iterable, or an ordinary one, which is then run in threads. If the client leaves, the
    iteration is cancelled and the iterator closed.
    """

    body_iterator: AsyncIterable[Any]

    def __init__(
        self,
        content: AsyncIterable[Any] | Iterable[Any],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: Background | None = None,
    ) -> None:
        self.status_code = status_code
        self.background = background
        if media_type is not None:
            self.media_type = media_type
        self.body_iterator = content if isinstance(content, AsyncIterable) else iterate_in_threads(content)
        self.raw_headers = self._initial_headers(headers, None)

    async def stream_to(self, sink: Sink) -> None:
        """Send the head and every piece as it comes; close the iterator however it ends."""
        try:
            await _settled(sink.start(self.status_code, self.raw_headers))
            async for chunk in self.body_iterator:
                encoded = chunk.encode(self.charset) if isinstance(chunk, str) else bytes(chunk)
                await _settled(sink.write(encoded))
            await _settled(sink.finish())
        finally:
            close = getattr(self.body_iterator, "aclose", None)
            if close is not None:
                await close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI connection."""
        source = AsgiSource(scope, receive)
        streaming = asyncio.ensure_future(self.stream_to(AsgiSink(send)))
        leaving = asyncio.ensure_future(source.disconnected())
        try:
            await asyncio.wait({streaming, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (streaming, leaving):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await leaving
            with contextlib.suppress(asyncio.CancelledError):
                await streaming
        if self.background is not None and not streaming.cancelled():
            await self.background()


async def iterate_in_threads(content: Iterable[Any]) -> AsyncIterator[Any]:
    """Iterate over what may block, one step a thread."""
    iterator = iter(content)
    try:
        while (item := await asyncio.to_thread(next, iterator, _END)) is not _END:
            yield item
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            await asyncio.to_thread(close)


async def _settled(step: Awaitable[None] | None) -> None:
    if step is not None:
        await step
