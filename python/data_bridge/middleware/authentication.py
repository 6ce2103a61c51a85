"""Asks a backend who is there, and leaves the answer in the scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..authentication import AuthCredentials, AuthenticationError, UnauthenticatedUser
from ..requests import HTTPConnection

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..authentication import AuthenticationBackend
    from ..responses import Response
    from ..types import ASGIApp, Receive, Scope, Send


class AuthenticationMiddleware:
    """Sets ``auth`` and ``user`` of connections; ``on_error(connection, error)`` answers what the backend refuses."""

    def __init__(
        self,
        app: ASGIApp,
        backend: AuthenticationBackend,
        on_error: Callable[[HTTPConnection, AuthenticationError], Response] | None = None,
    ) -> None:
        self.app = app
        self.backend = backend
        self.on_error: Callable[[HTTPConnection, Any], Response] = on_error or self.default_on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the backend, then hand the connection on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection: HTTPConnection = HTTPConnection(scope)
        try:
            found = await self.backend.authenticate(connection)
        except AuthenticationError as error:
            response = self.on_error(connection, error)
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            else:
                await response(scope, receive, send)
            return
        scope["auth"], scope["user"] = found or (AuthCredentials(), UnauthenticatedUser())
        await self.app(scope, receive, send)

    @staticmethod
    def default_on_error(_conn: HTTPConnection, exc: Exception) -> Response:
        """Answer 400 with the error's text."""
        from ..responses import PlainTextResponse  # noqa: PLC0415 - imported by the first error

        return PlainTextResponse(str(exc), status_code=400)
