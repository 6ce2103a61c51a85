"""The outermost middleware: what nobody handled becomes a 500, and is raised on, so that the server logs it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from .. import observing
from ..concurrency import run_in_threadpool
from .handlers import Watched, call_handler

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..requests import Request
    from ..responses import Response
    from ..types import ASGIApp, Receive, Scope, Send


class ServerErrorMiddleware:
    """Answers 500 by ``handler``, by a plain text, or under ``debug`` by a page with the traceback."""

    def __init__(self, app: ASGIApp, handler: Callable[..., Any] | None = None, debug: bool = False) -> None:
        self.app = app
        self.handler = handler
        self.debug = debug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        watched = Watched(send)
        try:
            await self.app(scope, receive, watched.send)
        except Exception as error:
            observing.failed(scope, error)
            response = await self._respond(scope, error)
            if not watched.begun:
                await response(scope, receive, send)
            raise

    async def _respond(self, scope: Scope, error: Exception) -> Any:
        from ..requests import Request  # noqa: PLC0415 - the module is there by the first request

        request = Request(scope)
        if self.debug:
            return await run_in_threadpool(self.debug_response, request, error)
        if self.handler is not None:
            return await call_handler(self.handler, request, error)
        return self.error_response(request, error)

    def generate_html(self, exc: Exception, limit: int = 7) -> str:
        """Make the page with the traceback, ``limit`` lines of code a frame."""
        from .debug_page import page  # noqa: PLC0415 - imported by the first error under `debug`

        return page(exc, limit)

    def generate_plain_text(self, exc: Exception) -> str:
        """Make the traceback as the interpreter would print it."""
        return "".join(traceback.format_exception(exc))

    def debug_response(self, request: Request, exc: Exception) -> Response:
        """Answer with the traceback: a page for a browser, text for others."""
        from ..responses import HTMLResponse, PlainTextResponse  # noqa: PLC0415 - imported by the first error

        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(self.generate_html(exc), status_code=500)
        return PlainTextResponse(self.generate_plain_text(exc), status_code=500)

    def error_response(self, _request: Request, _exc: Exception) -> Response:
        """Answer without a word of what went wrong."""
        from ..responses import PlainTextResponse  # noqa: PLC0415 - imported by the first error

        return PlainTextResponse("Internal Server Error", status_code=500)
