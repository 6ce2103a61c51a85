"""The transport below the test client: a request of the library becomes a scope, an exchange its response."""

from __future__ import annotations

import contextlib
from concurrent.futures import wait
from types import GeneratorType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ..datastructures.url import DEFAULT_PORTS
from .exchange import Exchange
from .library import httpx
from .websocket import WebSocketTestSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from ..types import ASGIApp, Scope
    from .portal import Portal, PortalFactory


class Upgraded(Exception):
    """The way out of the library's request for a WebSocket: it has no response."""

    def __init__(self, session: WebSocketTestSession) -> None:
        self.session = session


class Transport(httpx.BaseTransport):
    """Answers requests by the app."""

    def __init__(
        self,
        app: ASGIApp,
        portal_factory: PortalFactory,
        raise_server_exceptions: bool = True,
        root_path: str = "",
        *,
        client: tuple[str, int],
        app_state: dict[str, Any],
    ) -> None:
        self.app = app
        self.portal_factory = portal_factory
        self.raise_server_exceptions = raise_server_exceptions
        self.root_path = root_path
        self.client = client
        self.app_state = app_state
        self._open: set[Callable[[], None]] = set()

    def close(self) -> None:
        """End the requests whose answers were not read."""
        with contextlib.ExitStack() as stack:
            while self._open:
                stack.callback(self._open.pop())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request. Raises :class:`Upgraded` for a WebSocket's."""
        scope = self._scope_of(request)
        if scope["type"] == "websocket":
            raise Upgraded(WebSocketTestSession(self.app, scope, self.portal_factory))
        exchange = Exchange(self.app, scope, lambda: _body_of(request))
        with contextlib.ExitStack() as stack:
            run = _Run(exchange, stack.enter_context(self.portal_factory()), self.raise_server_exceptions)
            stack.push(run.close)
            run.begin()
            if exchange.status is None:
                stack.close()
                if self.raise_server_exceptions:
                    raise AssertionError("TestClient did not receive any response.")
                return httpx.Response(500, headers=[], stream=httpx.ByteStream(b""), request=request)
            return self._response(request, exchange, run, stack.pop_all())

    def _response(
        self, request: httpx.Request, exchange: Exchange, run: _Run, stack: contextlib.ExitStack
    ) -> httpx.Response:
        def abort() -> None:
            run.portal.call(exchange.cancel)
            stack.close()

        self._open.add(abort)
        stack.callback(self._open.discard, abort)
        headers = [(name.decode(), value.decode()) for name, value in exchange.headers]
        stream = _Stream(_chunks(run, stack, with_body=request.method != "HEAD"), stack)
        response = httpx.Response(exchange.status or 500, headers=headers, stream=stream, request=request)
        if exchange.trailers_expected:
            response.extensions["http.response.trailers"] = exchange.trailers
        if exchange.debug_info is not None:
            response.extensions["http.response.debug"] = exchange.debug_info
            for name in ("template", "context"):
                if name in exchange.debug_info:
                    setattr(response, name, exchange.debug_info[name])
        return response

    def _scope_of(self, request: httpx.Request) -> Scope:
        url = request.url
        scope: Scope = {
            "type": "http",
            "path": unquote(url.path),
            "raw_path": url.raw_path.split(b"?", 1)[0],
            "root_path": self.root_path,
            "scheme": url.scheme,
            "query_string": url.query,
            "headers": [(name.lower().encode(), value.encode()) for name, value in request.headers.multi_items()],
            "client": self.client,
            "server": [url.raw_host.decode("ascii"), DEFAULT_PORTS[url.scheme] if url.port is None else url.port],
            "state": self.app_state.copy(),
        }
        if "host" not in request.headers:
            scope["headers"].insert(0, (b"host", url.netloc))
        if url.scheme in ("ws", "wss"):
            offered = request.headers.get("sec-websocket-protocol")
            scope["type"] = "websocket"
            scope["subprotocols"] = [] if offered is None else [value.strip() for value in offered.split(",")]
            scope["extensions"] = {"websocket.http.response": {}}
        else:
            scope["http_version"] = "1.1"
            scope["method"] = request.method
            scope["extensions"] = {"http.response.debug": {}, "http.response.trailers": {}}
        return scope


class _Run:
    """An exchange on its portal, seen from the test's thread."""

    def __init__(self, exchange: Exchange, portal: Portal, raises: bool) -> None:
        self.exchange = exchange
        self.portal = portal
        self._raises = raises
        self._app: Future[Any] | None = None

    def begin(self) -> None:
        """Start the app, and wait for the head of its answer."""
        self._app = self.portal.start_task_soon(self.exchange.run)
        self.portal.call(self.exchange.begun)

    def close(self, exc_type: type[BaseException] | None, *_: Any) -> None:
        """Wait for the app's end. Raises what it raised, unless something else is being raised already."""
        if self._app is None:
            return
        if not self._app.done():
            self.portal.call(self.exchange.cancel_if_incomplete)
        wait([self._app])
        if exc_type is None and self._raises and (error := self._app.exception()) is not None:
            raise error


def _chunks(run: _Run, stack: contextlib.ExitStack, *, with_body: bool) -> Iterator[bytes]:
    while (chunk := run.portal.call(run.exchange.next_chunk)) is not None:
        if with_body and chunk:
            yield chunk
    stack.close()


class _Stream(httpx.SyncByteStream):
    """The body of a response, read from the app as the test asks for it."""

    def __init__(self, body: Iterator[bytes], stack: contextlib.ExitStack) -> None:
        self._body = body
        self._stack = stack

    def __iter__(self) -> Iterator[bytes]:
        return self._body

    def close(self) -> None:
        self._stack.close()


def _body_of(request: httpx.Request) -> bytes | Iterator[Any]:
    body: Any = request.read()
    if isinstance(body, GeneratorType):
        return body
    return body.encode() if isinstance(body, str) else bytes(body or b"")
