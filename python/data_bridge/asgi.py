"""ASGI's types, and an ASGI connection as the source of a request and the sink of a response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .exceptions import ClientDisconnected

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class AsgiSource:
    """A request that an ASGI server received."""

    __slots__ = ("_ended", "_receive", "_scope", "headers", "method", "path", "query_string", "raw_path")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._ended = False
        self.method: str = scope["method"]
        self.path = route_path(scope)
        self.raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.query_string: bytes = scope.get("query_string", b"")
        self.headers: list[tuple[bytes, bytes]] = list(scope["headers"])

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return str(self._scope.get("scheme", "http"))

    @property
    def http_version(self) -> str:
        """``1.0``, ``1.1`` or ``2``."""
        return str(self._scope.get("http_version", "1.1"))

    @property
    def client(self) -> tuple[str, int] | None:
        """Host and port of the peer, where there are such."""
        client: tuple[str, int] | None = self._scope.get("client")
        return client

    @property
    def server(self) -> tuple[str, int | None] | None:
        """Host and port, or path and None, of the listening socket."""
        server: tuple[str, int | None] | None = self._scope.get("server")
        return server

    async def read(self) -> bytes:
        """Give the next piece of the body, ``b""`` at its end. Raises :class:`ClientDisconnected`."""
        while not self._ended:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected("the client left before its request was complete")
            self._ended = not message.get("more_body", False)
            chunk: bytes = message.get("body", b"")
            if chunk:
                return chunk
        return b""

    async def disconnected(self) -> None:
        """Return when the client has left. To be called after the body was read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


class AsgiSink:
    """A response on its way to an ASGI server."""

    __slots__ = ("_send", "started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def respond(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Send a whole response."""
        await self.start(status, headers)
        await self._send({"type": "http.response.body", "body": body})

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Send the head of a response that is streamed."""
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, chunk: bytes) -> None:
        """Send a piece of the body; waits while the client reads more slowly than we write."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def finish(self) -> None:
        """End the body."""
        await self._send({"type": "http.response.body", "body": b""})


def route_path(scope: Scope) -> str:
    """Give the path below the place where the app is mounted."""
    path: str = scope["path"]
    root = scope.get("root_path", "").rstrip("/")
    if root and (path == root or path.startswith(root + "/")):
        return path[len(root) :]
    return path
