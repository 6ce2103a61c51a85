"""A stack of what is to be closed when the request is over, such as the files of a form."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..types import ASGIApp, Receive, Scope, Send


class AsyncExitStackMiddleware:
    """Leaves an :class:`~contextlib.AsyncExitStack` in the scope."""

    def __init__(self, app: ASGIApp, context_name: str = "fastapi_middleware_astack") -> None:
        self.app = app
        self.context_name = context_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection."""
        async with AsyncExitStack() as stack:
            scope[self.context_name] = stack
            await self.app(scope, receive, send)
