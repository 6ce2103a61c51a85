"""A file as a response: whole or in ranges, by the server's own means where it has them. Knows no directory."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import asynccontextmanager
from email.utils import formatdate
from functools import partial
from mimetypes import guess_type
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from data_bridge.concurrency import run_in_threadpool
from data_bridge.datastructures.headers import Headers, MutableHeaders

from .base import Background, PlainTextResponse, Response, as_denial
from .ranges import MalformedRangeHeader, RangeNotSatisfiable, Span, parse_range
from .streaming import send_raises, until_disconnect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from data_bridge.types import Receive, Scope, Send

__all__ = ["FileResponse"]


class FileResponse(Response):
    """The file at ``path``, sent as it is read; ``filename`` names it for the client, which then offers to save it.

    Its ``ETag`` is made of size and time, and ``Range`` and ``If-Range`` are answered (RFC 9110). A
    ``stat_result`` at hand spares a system call. Raises ``RuntimeError`` when called if there is no such file.
    """

    chunk_size = 64 * 1024
    #: A request with more ranges gets the whole file.
    max_ranges = 100

    def __init__(
        self,
        path: str | os.PathLike[str],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: Background | None = None,
        filename: str | None = None,
        stat_result: os.stat_result | None = None,
        content_disposition_type: str = "attachment",
    ) -> None:
        self.path = path
        self.status_code = status_code
        self.filename = filename
        self.media_type = media_type or guess_type(filename or path)[0] or "application/octet-stream"
        self.background = background
        self.init_headers(headers)
        self.headers.setdefault("accept-ranges", "bytes")
        if filename is not None:
            self.headers.setdefault("content-disposition", _disposition(content_disposition_type, filename))
        self.stat_result = stat_result
        if stat_result is not None:
            self.set_stat_headers(stat_result)

    def set_stat_headers(self, stat_result: os.stat_result) -> None:
        """Set length, time and tag, unless they were given."""
        state = f"{stat_result.st_mtime}-{stat_result.st_size}"
        tag = hashlib.md5(state.encode(), usedforsecurity=False).hexdigest()
        self.headers.setdefault("content-length", str(stat_result.st_size))
        self.headers.setdefault("last-modified", formatdate(stat_result.st_mtime, usegmt=True))
        self.headers.setdefault("etag", f'"{tag}"')

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI connection; a WebSocket is refused with this response."""
        is_http = scope["type"] == "http"
        size = (await self._stat()).st_size
        try:
            spans = self._spans(scope, size)
        except MalformedRangeHeader as error:
            return await PlainTextResponse(error.content, 400)(scope, receive, send)
        except RangeNotSatisfiable as error:
            headers = {"Content-Range": f"bytes */{error.max_size}"}
            return await PlainTextResponse("", 416, headers)(scope, receive, send)
        is_head = is_http and scope["method"].upper() == "HEAD"
        by_path = is_http and not spans and not is_head and "http.response.pathsend" in scope.get("extensions", {})
        transfer = partial(self._transfer, send if is_http else as_denial(send), spans, size, is_head, by_path)
        if not is_http or is_head or by_path or send_raises(scope):
            await transfer()
        else:
            await until_disconnect(transfer, receive)
        return await self.after()

    async def _stat(self) -> os.stat_result:
        if self.stat_result is not None:
            return self.stat_result
        try:
            found = await run_in_threadpool(os.stat, self.path)
        except FileNotFoundError:
            raise RuntimeError(f"File at path {self.path} does not exist.") from None
        self.set_stat_headers(found)
        if not stat.S_ISREG(found.st_mode):
            raise RuntimeError(f"File at path {self.path} is not a file.")
        return found

    def _spans(self, scope: Scope, size: int) -> list[Span]:
        """Read what the client asks for; nothing for the whole file."""
        fields = Headers(scope=scope)
        wanted, condition = fields.get("range"), fields.get("if-range")
        applies = self.status_code == 200 and scope.get("method", "GET").upper() in ("GET", "HEAD")  # noqa: PLR2004
        if wanted is None or not applies or (condition is not None and not self._should_use_range(condition)):
            return []
        return parse_range(wanted, size, self.max_ranges)

    def _should_use_range(self, http_if_range: str) -> bool:
        return not http_if_range.startswith("W/") and http_if_range in (
            self.headers["last-modified"],
            self.headers["etag"],
        )

    async def _transfer(self, send: Send, spans: list[Span], size: int, is_head: bool, by_path: bool) -> None:
        boundary = token_hex(13) if len(spans) > 1 else ""
        await send(self._start(spans, size, boundary))
        if is_head:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif by_path:
            await send({"type": "http.response.pathsend", "path": str(self.path)})
        elif boundary:
            await self._send_parts(send, spans, size, boundary)
        else:
            await self._send_one(send, *(spans[0] if spans else (0, None)))

    def _start(self, spans: list[Span], size: int, boundary: str) -> dict[str, Any]:
        if not spans:
            return {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        headers = MutableHeaders(raw=list(self.raw_headers))
        if boundary:
            length, _ = self.generate_multipart(spans, boundary, size, self.headers["content-type"])
            headers["content-type"] = f"multipart/byteranges; boundary={boundary}"
            headers["content-length"] = str(length)
        else:
            ((start, end),) = spans
            headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
            headers["content-length"] = str(end - start)
        return {"type": "http.response.start", "status": 206, "headers": headers.raw}

    async def _send_one(self, send: Send, start: int, end: int | None) -> None:
        async with self._opened() as file:
            if start:
                await run_in_threadpool(file.seek, start)
            more = True
            while more:
                wanted = self.chunk_size if end is None else min(self.chunk_size, end - start)
                chunk = await run_in_threadpool(file.read, wanted)
                start += len(chunk)
                more = len(chunk) == self.chunk_size and start != end
                await send({"type": "http.response.body", "body": chunk, "more_body": more})

    async def _send_parts(self, send: Send, spans: list[Span], size: int, boundary: str) -> None:
        async def piece(body: bytes, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": more})

        _, head_of = self.generate_multipart(spans, boundary, size, self.headers["content-type"])
        async with self._opened() as file:
            for start, end in spans:
                await piece(head_of(start, end))
                await run_in_threadpool(file.seek, start)
                left = end - start
                while left:
                    chunk = await run_in_threadpool(file.read, min(self.chunk_size, left))
                    if not chunk:
                        raise RuntimeError(f"File at path {self.path} is shorter than expected.")
                    left -= len(chunk)
                    await piece(chunk)
                await piece(b"\r\n")
            await piece(b"--%s--" % boundary.encode("latin-1"), more=False)

    def generate_multipart(
        self, ranges: Sequence[Span], boundary: str, max_size: int, content_type: str
    ) -> tuple[int, Callable[[int, int], bytes]]:
        """Give the length of a body of several ranges (RFC 9110, 14.6), and what makes the head of each part."""
        head_of = partial(_part_head, boundary, max_size, content_type)
        parts = sum(len(head_of(start, end)) + end - start + len("\r\n") for start, end in ranges)
        return parts + len(f"--{boundary}--"), head_of

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Any]:
        opened: list[Any] = []
        try:
            await run_in_threadpool(lambda: opened.append(Path(self.path).open("rb")))  # noqa: SIM115 - below
            yield opened[0]
        finally:
            # Not in a thread: nothing is written back, and no cancellation comes between.
            for file in opened:
                file.close()


def _part_head(boundary: str, size: int, content_type: str, start: int, end: int) -> bytes:
    fields = f"Content-Type: {content_type}\r\nContent-Range: bytes {start}-{end - 1}/{size}\r\n"
    return f"--{boundary}\r\n{fields}\r\n".encode("latin-1")


def _disposition(kind: str, filename: str) -> str:
    quoted = quote(filename)
    return f'{kind}; filename="{filename}"' if quoted == filename else f"{kind}; filename*=utf-8''{quoted}"
