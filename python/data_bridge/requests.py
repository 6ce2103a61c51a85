"""The request as a handler sees it, from whatever source: our own server or an ASGI one. Knows no route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from . import json
from .datastructures import Address, Headers, QueryParams, State
from .exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping

    from .app import App


class Source(Protocol):
    """A received request."""

    @property
    def method(self) -> str:
        """The method."""

    @property
    def path(self) -> str:
        """The path, percent-decoded."""

    @property
    def raw_path(self) -> bytes:
        """The path as received."""

    @property
    def query_string(self) -> bytes:
        """The query as received, without its question mark."""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Names and values of the fields."""

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""

    @property
    def http_version(self) -> str:
        """``1.0``, ``1.1`` or ``2``."""

    @property
    def client(self) -> tuple[str, int] | None:
        """The peer."""

    @property
    def server(self) -> tuple[str, int | None] | None:
        """The listening socket."""

    def read(self) -> Awaitable[bytes] | bytes:
        """Give the next piece of the body, ``b""`` at its end.

        Raises :class:`~data_bridge.exceptions.ClientDisconnected`.
        """


class Request:
    """One request. Its parts are made when they are first asked for."""

    __slots__ = ("_body", "_headers", "_query", "_source", "_state", "_streamed", "app", "path_params")

    def __init__(self, source: Source, path_params: Mapping[str, Any], app: App, body: bytes | None = None) -> None:
        self._source = source
        self._body = body
        self._streamed = False
        self._headers: Headers | None = None
        self._query: QueryParams | None = None
        self._state: State | None = None
        #: The application that answers.
        self.app = app
        #: The values of the path's parameters, converted where the path names a converter.
        self.path_params = path_params

    @property
    def method(self) -> str:
        """The method, as sent: ``GET``."""
        return self._source.method

    @property
    def path(self) -> str:
        """The path, percent-decoded, without the query."""
        return self._source.path

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return self._source.scheme

    @property
    def http_version(self) -> str:
        """``1.0``, ``1.1`` or ``2``."""
        return self._source.http_version

    @property
    def headers(self) -> Headers:
        """The header fields."""
        if self._headers is None:
            self._headers = Headers(self._source.headers)
        return self._headers

    @property
    def query(self) -> str:
        """The query as received, without its question mark."""
        return self._source.query_string.decode("latin-1")

    @property
    def query_params(self) -> QueryParams:
        """The query's pairs, decoded."""
        if self._query is None:
            self._query = QueryParams(self._source.query_string)
        return self._query

    @property
    def client(self) -> Address | None:
        """The peer; None where the connection has no such address (a Unix socket)."""
        client = self._source.client
        return None if client is None else Address(*client)

    @property
    def url(self) -> str:
        """The whole URL, by the ``Host`` field that the client sent."""
        host = self.headers.get("host")
        if host is None:
            name, port = self._source.server or ("localhost", None)
            host = name if port is None else f"{name}:{port}"
        query = self._source.query_string.decode("latin-1")
        path = self._source.raw_path.decode("latin-1")
        return f"{self.scheme}://{host}{path}{'?' + query if query else ''}"

    @property
    def state(self) -> State:
        """What the lifespan left for every request, and what others added to this one."""
        if self._state is None:
            self._state = State(self.app.lifespan_state)
        return self._state

    async def stream(self) -> AsyncIterator[bytes]:
        """Give the body piece by piece, as it arrives. It can be consumed once.

        Raises ``RuntimeError`` if it was consumed before and :class:`~data_bridge.exceptions.ClientDisconnected` if the
        client leaves before its end.
        """
        if self._body is not None:
            if self._body:
                yield self._body
            return
        if self._streamed:
            raise RuntimeError("the body was already consumed by stream()")
        self._streamed = True
        while True:
            step = self._source.read()
            chunk = step if isinstance(step, bytes) else await step
            if not chunk:
                return
            yield chunk

    async def body(self) -> bytes:
        """Give the whole body; it may be asked for again.

        Raises :class:`~data_bridge.exceptions.HTTPException` (413) if it is longer than the app's ``max_body_size``.
        """
        if self._body is None:
            chunks: list[bytes] = []
            left = self.app.max_body_size
            async for chunk in self.stream():
                left -= len(chunk)
                if left < 0:
                    raise HTTPException(413, "Content Too Large")
                chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body

    async def json(self) -> Any:
        """Parse the body as JSON. Raises ``json.JSONDecodeError``, a ``ValueError``, if it is none."""
        return json.loads(await self.body())
