"""One request that a test makes, from its scope to the last byte of its answer. All of it runs in the portal's loop.

The app's `send` of a piece of the body returns once the test has taken it, as a slow client would have it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..types import ASGIApp, Message, Scope


class Exchange:
    """A request and its answer. ``read_body`` gives the request's body, whole or as an iterator of pieces."""

    def __init__(self, app: ASGIApp, scope: Scope, read_body: Callable[[], bytes | Iterator[Any]]) -> None:
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.debug_info: Any = None
        self.trailers_expected = False
        self.trailers: list[tuple[bytes, bytes]] = []
        self._app = app
        self._scope = scope
        self._read_body = read_body
        self._pieces: Iterator[Any] | None = None
        self._asked = False
        self._body_ended = False
        self._is_cancelled = False
        # Made in the thread of the test: the loop is asked for by the first wait.
        self._begun = asyncio.Event()
        self._complete = asyncio.Event()
        self._chunk: tuple[bytes, bool] | None = None
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[Any] | None = None
        self._ended = False

    async def run(self) -> None:
        """Run the app to its end. Its exceptions are raised; that we cancelled it is none."""
        self._task = asyncio.current_task()
        try:
            if not self._is_cancelled:
                await self._app(self._scope, self._receive, self._send)
        except asyncio.CancelledError:
            if not self._is_cancelled:
                raise
        finally:
            self._ended = True
            self._begun.set()
            async with self._changed:
                self._changed.notify_all()

    async def begun(self) -> None:
        """Wait for the answer's head, or for the app's end."""
        await self._begun.wait()

    async def next_chunk(self) -> bytes | None:
        """Take the next piece of the answer's body; None at the app's end."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._chunk is not None or self._ended)
            if self._chunk is None:
                return None
            chunk, is_last = self._chunk
            self._chunk = None
            if is_last:
                self._complete.set()
            self._changed.notify_all()
            return chunk

    def cancel(self) -> None:
        """End the app."""
        self._is_cancelled = True
        if self._task is not None and not self._ended:
            self._task.cancel()

    def cancel_if_incomplete(self) -> None:
        """End the app, unless its answer is complete: what it does in the background may end by itself."""
        if not self._complete.is_set():
            self.cancel()

    async def _receive(self) -> Message:
        if self._asked:
            await self._complete.wait()
            return {"type": "http.disconnect"}
        if self._pieces is None:
            body = self._read_body()
            if isinstance(body, bytes):
                self._asked = True
                return {"type": "http.request", "body": body}
            self._pieces = body
        for piece in self._pieces:
            return {"type": "http.request", "body": _bytes(piece), "more_body": True}
        self._asked = True
        return {"type": "http.request", "body": b""}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._start(message)
        elif kind == "http.response.body":
            await self._body(message)
        elif kind == "http.response.trailers":
            self._trailers(message)
        elif kind == "http.response.debug":
            self.debug_info = message["info"]

    def _start(self, message: Message) -> None:
        assert self.status is None, 'Received multiple "http.response.start" messages.'  # noqa: S101 - tests read it
        self.status = message["status"]
        self.headers = list(message.get("headers", []))
        self.trailers_expected = message.get("trailers", False)
        self._begun.set()

    async def _body(self, message: Message) -> None:
        assert self.status is not None, 'Received "http.response.body" without "http.response.start".'  # noqa: S101
        assert not self._complete.is_set(), 'Received "http.response.body" after response completed.'  # noqa: S101
        assert not self._body_ended, 'Received "http.response.body" after body completed.'  # noqa: S101
        more = message.get("more_body", False)
        async with self._changed:
            self._chunk = bytes(message.get("body", b"")), not more and not self.trailers_expected
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._chunk is None)
        self._body_ended = not more

    def _trailers(self, message: Message) -> None:
        assert self.trailers_expected, 'Received "http.response.trailers" without declaring trailers.'  # noqa: S101
        assert self._body_ended, 'Received "http.response.trailers" before body completed.'  # noqa: S101
        assert not self._complete.is_set(), 'Received "http.response.trailers" after response completed.'  # noqa: S101
        self.trailers.extend(message.get("headers", []))
        if not message.get("more_trailers", False):
            self._complete.set()


def _bytes(piece: Any) -> bytes:
    return piece.encode() if isinstance(piece, str) else bytes(piece)
