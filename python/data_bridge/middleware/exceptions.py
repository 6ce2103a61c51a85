"""The application's exception handlers around its router, and the two that it begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import BaseHTTPException, WebSocketException
from ..interop import ours
from ..requests import Request
from .handlers import SCOPE_KEY, ByClass, ByStatus, wrap_app_handling_exceptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..responses import Response
    from ..types import ASGIApp, Receive, Scope, Send
    from ..websockets import WebSocket

_WITHOUT_BODY = {204, 304}


class ExceptionMiddleware:
    """Turns exceptions that have a handler into answers. ``handlers`` are keyed by class or by status."""

    def __init__(
        self, app: ASGIApp, handlers: Mapping[Any, Callable[..., Any]] | None = None, debug: bool = False
    ) -> None:
        self.app = app
        self.debug = debug
        self._by_status: ByStatus = {}
        self._by_class: ByClass = {
            BaseHTTPException: self.http_exception,
            WebSocketException: self.websocket_exception,
        }
        for key, handler in (handlers or {}).items():
            self.add_exception_handler(key, handler)

    def add_exception_handler(
        self, exc_class_or_status_code: int | type[Exception], handler: Callable[..., Any]
    ) -> None:
        """Answer exceptions of this class, or with this status, by ``handler(connection, exception)``."""
        if isinstance(exc_class_or_status_code, int):
            self._by_status[exc_class_or_status_code] = handler
        else:
            assert issubclass(exc_class_or_status_code, Exception)  # noqa: S101 - the type that users know
            self._by_class[ours(exc_class_or_status_code)] = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        scope[SCOPE_KEY] = self._by_class, self._by_status
        await wrap_app_handling_exceptions(self.app, connection_of(scope, receive, send))(scope, receive, send)

    async def http_exception(self, _request: Request, exc: Exception) -> Response:
        """Answer with the exception's detail as text."""
        from ..responses import PlainTextResponse, Response  # noqa: PLC0415 - imported by the first exception

        assert is_http_exception(exc)  # noqa: S101
        error: Any = exc
        if error.status_code in _WITHOUT_BODY:
            return Response(status_code=error.status_code, headers=error.headers)
        return PlainTextResponse(error.detail, status_code=error.status_code, headers=error.headers)

    async def websocket_exception(self, websocket: WebSocket, exc: Any) -> None:
        """Close with the exception's code and reason."""
        await websocket.close(code=exc.code, reason=exc.reason)


class LocalExceptionHandlers:
    """Handlers for the app below alone: they come before the application's of the same class or status."""

    def __init__(self, app: ASGIApp, handlers: Mapping[Any, Callable[..., Any]]) -> None:
        self.app = app
        self._by_status: ByStatus = {key: handler for key, handler in handlers.items() if isinstance(key, int)}
        self._by_class: ByClass = {ours(key): handler for key, handler in handlers.items() if not isinstance(key, int)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the connection on with these handlers among those that hold for it."""
        by_class, by_status = scope.get(SCOPE_KEY) or ({}, {})
        scope[SCOPE_KEY] = {**by_class, **self._by_class}, {**by_status, **self._by_status}
        await self.app(scope, receive, send)


def is_http_exception(error: Exception) -> bool:
    """Say whether this is an HTTP exception, ours or Starlette's."""
    return any(ours(cls) is BaseHTTPException for cls in type(error).__mro__)


def connection_of(scope: Scope, receive: Receive, send: Send) -> Request | WebSocket:
    """Make what exception handlers are given."""
    if scope["type"] == "http":
        return Request(scope, receive, send)
    from ..websockets import WebSocket  # noqa: PLC0415 - imported by the first WebSocket

    return WebSocket(scope, receive, send)
