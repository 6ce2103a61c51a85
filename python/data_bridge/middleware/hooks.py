"""Functions before and after each request: what `app.before_request` and `app.after_request` collect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..concurrency import is_async_callable, run_in_threadpool
from .base import BaseMiddleware
from .exceptions import ExceptionMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..requests import Request
    from ..types import ASGIApp, Receive, Scope, Send
    from .base import ResponseHead

#: Keys of handlers that only the outermost middleware has.
_OF_SERVER_ERRORS = (500, Exception)


class Hooks(BaseMiddleware):
    """Calls ``before`` with the request and ``after`` with the request and the head of its answer, each in order.

    The first that returns a response ends its list. What they raise is answered by the application's handlers.
    """

    def __init__(
        self, app: ASGIApp, before: Sequence[Callable[..., Any]] = (), after: Sequence[Callable[..., Any]] = ()
    ) -> None:
        super().__init__(app)
        self.before = before
        self.after = after
        self._handled: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection, under the application's exception handlers."""
        if self._handled is None:
            handlers = getattr(scope.get("app"), "exception_handlers", {})
            here = {key: handler for key, handler in handlers.items() if key not in _OF_SERVER_ERRORS}
            self._handled = ExceptionMiddleware(super().__call__, here)
        await self._handled(scope, receive, send)

    async def process_request(self, request: Request) -> Any:
        """Call the functions before."""
        return await _first(self.before, request)

    async def process_response(self, request: Request, response: ResponseHead) -> Any:
        """Call the functions after."""
        return await _first(self.after, request, response)


async def _first(hooks: Sequence[Callable[..., Any]], *arguments: Any) -> Any:
    for hook in hooks:
        result = await (hook(*arguments) if is_async_callable(hook) else run_in_threadpool(hook, *arguments))
        if result is not None:
            return result
    return None
