"""Exception handlers: which one an exception has, and the wrap that calls it. Knows no particular handler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..concurrency import is_async_callable, run_in_threadpool
from ..interop import ours

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..requests import Request
    from ..types import ASGIApp, Message, Receive, Scope, Send
    from ..websockets import WebSocket

#: Where an application leaves its handlers for the routes below; Starlette's own routes find them there too.
SCOPE_KEY = "starlette.exception_handlers"

ByClass = dict[Any, "Callable[..., Any]"]
ByStatus = dict[int, "Callable[..., Any]"]


def find_handler(by_class: Mapping[Any, Any], by_status: Mapping[int, Any], error: Exception) -> Any:
    """Give the handler of an exception: that of its status, else of its nearest class, else None."""
    from ..exceptions import BaseHTTPException  # noqa: PLC0415 - imported by the first exception

    family = [ours(cls) for cls in type(error).__mro__]
    if BaseHTTPException in family:
        handler = by_status.get(error.status_code)  # type: ignore[attr-defined]  # it is of that family
        if handler is not None:
            return handler
    return next((by_class[cls] for cls in family if cls in by_class), None)


async def call_handler(handler: Callable[..., Any], connection: Request | WebSocket, error: Exception) -> Any:
    """Call a handler, a ``def`` function in a thread."""
    if is_async_callable(handler):
        return await handler(connection, error)
    return await run_in_threadpool(handler, connection, error)


class Watched:
    """A ``send`` that notes whether the answer has begun: then no other one can take its place."""

    def __init__(self, send: Send) -> None:
        self.begun = False
        self._send = send

    async def send(self, message: Message) -> None:
        """Send."""
        self.begun = self.begun or message["type"] == "http.response.start"
        await self._send(message)


def wrap_app_handling_exceptions(app: ASGIApp, conn: Request | WebSocket) -> ASGIApp:
    """Put the application's exception handlers around ``app``. An answer that has begun cannot be replaced."""
    by_class, by_status = conn.scope.get(SCOPE_KEY) or ({}, {})

    async def handling(scope: Scope, receive: Receive, send: Send) -> None:
        watched = Watched(send)
        try:
            await app(scope, receive, watched.send)
        except Exception as error:
            handler = find_handler(by_class, by_status, error)
            if handler is None:
                raise
            if watched.begun:
                raise RuntimeError("Caught handled exception, but response already started.") from error
            response = await call_handler(handler, conn, error)
            if response is not None:
                await response(scope, receive, watched.send)
            # An exception object that is raised again and again would collect the frames of every request.
            error.__traceback__ = None

    return handling
