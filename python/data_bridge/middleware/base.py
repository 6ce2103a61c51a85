"""Middleware as functions of a request and a response, for those who do not want to write ASGI.

`BaseMiddleware` sees the request and the head of its answer. `BaseHTTPMiddleware` calls the app by `call_next` and gets
a response whose body is still being made.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from ..datastructures import MutableHeaders
from ..exceptions import ClientDisconnected
from ..requests import Request
from .below import DISCONNECT, SteppedBelow, TaskBelow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..types import ASGIApp, Message, Receive, Scope, Send

RequestResponseEndpoint = "Callable[[Request], Awaitable[Response]]"
DispatchFunction = "Callable[[Request, RequestResponseEndpoint], Awaitable[Response]]"


class ReplayedRequest(Request):
    """A request whose body the middleware may read, and the app below then reads again.

    A body that the middleware streamed away is gone: the app gets an empty one.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._is_handed_on = False
        self._is_over = False

    async def replay(self) -> Message:
        """Be the ``receive`` of the app below."""
        if self._is_over:
            return DISCONNECT
        if not self._is_handed_on:
            message = await self._next_part()
            self._is_over = message["type"] == "http.disconnect"
            return message
        message = DISCONNECT if self._is_disconnected else await self.receive()
        if message["type"] != "http.disconnect":
            raise RuntimeError(f"Unexpected message received: {message['type']}")
        self._is_over = True
        return message

    async def _next_part(self) -> Message:
        """Give what was read, or read on."""
        body = getattr(self, "_body", None)
        if body is None and not self._stream_consumed:
            stream: Any = self.stream()
            try:
                body = await anext(stream)
            except ClientDisconnected:
                return DISCONNECT
            finally:
                await stream.aclose()
            self._is_handed_on = self._stream_consumed
        else:
            self._is_handed_on = True
        return {"type": "http.request", "body": body or b"", "more_body": not self._is_handed_on}


class BaseHTTPMiddleware:
    """Calls ``dispatch(request, call_next)`` for each HTTP request; what it returns is the answer."""

    def __init__(self, app: ASGIApp, dispatch: Callable[..., Any] | None = None) -> None:
        self.app = app
        self.dispatch_func: Callable[..., Any] = self.dispatch if dispatch is None else dispatch

    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Any]]) -> Any:
        """Answer a request, by ``await call_next(request)`` or otherwise. To be overridden."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request by ``dispatch``; hand others on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request: ReplayedRequest = ReplayedRequest(scope, receive, send)
        below = (TaskBelow if _runs_asyncio() else SteppedBelow)(self.app, scope, request.replay, send)
        try:
            response = await self.dispatch_func(request, below.call)
            await response(scope, request.replay, send)
        except BaseException:
            await below.abandon()
            raise
        await below.finish()


def _runs_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class BaseMiddleware:
    """Sees each HTTP request before the app, and the head of each answer after it. Subclass it.

    It costs no task: the app runs as it would without, its context variables are the middleware's, and bodies pass
    untouched. Both methods may be ``async``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def process_request(self, request: Request) -> Any:
        """Return a response to answer in the app's place, or None."""

    def process_response(self, request: Request, response: ResponseHead) -> Any:
        """Change the answer's status and fields, or return a response to be sent in its place."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask both methods about an HTTP request; hand others on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request: ReplayedRequest = ReplayedRequest(scope, receive, send)
        replaced = False

        async def send_processed(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                other = await _awaited(self.process_response(request, ResponseHead(message)))
                replaced = other is not None
                if replaced:
                    await other(scope, receive, send)
            if not replaced:
                await send(message)

        answer = await _awaited(self.process_request(request))
        if answer is None:
            await self.app(scope, request.replay, send_processed)
        else:
            await answer(scope, receive, send_processed)


class ResponseHead:
    """The head of an answer before it is sent."""

    def __init__(self, start: Message) -> None:
        self._start = start
        start["headers"] = list(start["headers"])
        #: The header fields, to be read and changed.
        self.headers = MutableHeaders(raw=start["headers"])

    @property
    def status_code(self) -> int:
        """The status."""
        status: int = self._start["status"]
        return status

    @status_code.setter
    def status_code(self, status: int) -> None:
        self._start["status"] = status


async def _awaited(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result
