"""Sends every request without TLS to the same URL with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..datastructures import URL

if TYPE_CHECKING:
    from ..types import ASGIApp, Receive, Scope, Send

_SECURE = {"http": "https", "ws": "wss"}
#: Ports that a redirect does not keep: they are the schemes' own.
_OWN_PORTS = (80, 443)


class HTTPSRedirectMiddleware:
    """Redirects ``http`` and ``ws`` to ``https`` and ``wss``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect, or hand the connection on."""
        if scope["type"] not in ("http", "websocket") or scope["scheme"] not in _SECURE:
            await self.app(scope, receive, send)
            return
        from ..responses import PlainTextResponse, RedirectResponse  # noqa: PLC0415 - imported by the first redirect

        url = URL(scope=scope)
        if not url.netloc:
            await PlainTextResponse("Invalid host header", status_code=400)(scope, receive, send)
            return
        netloc = url.hostname if url.port in _OWN_PORTS else url.netloc
        await RedirectResponse(url.replace(scheme=_SECURE[url.scheme], netloc=netloc))(scope, receive, send)
