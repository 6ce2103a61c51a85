"""Middleware as functions of a request and a response, for those who do not want to write ASGI.

`BaseMiddleware` sees the request and the head of its answer. `BaseHTTPMiddleware` calls the app by `call_next` and gets
a response whose body is still being made: the app runs in a task beside the middleware, in a copy of its context, and
what it sets there is set for the middleware too.
"""

from __future__ import annotations

import asyncio
import inspect
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from ..datastructures import MutableHeaders
from ..exceptions import ClientDisconnected
from ..requests import Request
from ..responses import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from ..types import ASGIApp, Message, Receive, Scope, Send

RequestResponseEndpoint = "Callable[[Request], Awaitable[Response]]"
DispatchFunction = "Callable[[Request, RequestResponseEndpoint], Awaitable[Response]]"

_DISCONNECT = {"type": "http.disconnect"}


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
            return _DISCONNECT
        if not self._is_handed_on:
            message = await self._next_part()
            self._is_over = message["type"] == "http.disconnect"
            return message
        message = _DISCONNECT if self._is_disconnected else await self.receive()
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
                return _DISCONNECT
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
        below = _Below(self.app, scope, request, send)
        try:
            response = await self.dispatch_func(request, below.call)
            await response(scope, request.replay, send)
        except BaseException:
            await below.abandon()
            raise
        await below.finish()


class _Below:
    """The app below one request of a middleware: its task, and its messages, handed over one by one."""

    def __init__(self, app: ASGIApp, scope: Scope, request: ReplayedRequest, send: Send) -> None:
        self._app = app
        self._scope = scope
        self._request = request
        self._send_above = send
        self._context = copy_context()
        self._task: asyncio.Task[None] | None = None
        self._message: Message | None = None
        self._has_ended = False
        self._changed = asyncio.Condition()
        #: Set once the answer was sent, or another one was: the app below has no client any more.
        self._is_answered = asyncio.Event()
        self._is_raised = False

    async def call(self, _request: Request) -> Response:
        """Run the app until its answer begins. Raises what it raises before."""
        self._context = copy_context()
        self._task = asyncio.get_running_loop().create_task(self._run(), context=self._context)
        info = None
        while (message := await self._take()) is not None:
            if message["type"] == "http.response.debug":
                info = message["info"]
            elif message["type"] == "http.response.early_hint":
                await self._send_above(message)
            else:
                return _BelowResponse(message, self._body(), info)
        self._is_raised = True
        await self._task
        raise RuntimeError("No response returned.")

    async def _body(self) -> AsyncIterator[Any]:
        """Give the body's pieces, or the message that stands for a file. A body that breaks off raises why."""
        while (message := await self._take()) is not None:
            if message["type"] == "http.response.pathsend":
                yield message
                return
            assert message["type"] == "http.response.body", f"Unexpected message: {message}"  # noqa: S101
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                return
        if self._task is not None:
            self._is_raised = True
            await self._task

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        finally:
            self._has_ended = True
            async with self._changed:
                self._changed.notify_all()

    async def _take(self) -> Message | None:
        """Take the app's next message; None at its end. What it set in its context is set here from now on."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._message is not None or self._has_ended)
            message, self._message = self._message, None
            self._changed.notify_all()
        for variable, value in self._context.items():
            if variable.get(_DISCONNECT) is not value:
                variable.set(value)
        return message

    async def _receive(self) -> Message:
        """Give the app the request; once it was answered, that the client has left."""
        if self._is_answered.is_set():
            return _DISCONNECT
        receiving = asyncio.ensure_future(self._request.replay())
        answered = asyncio.ensure_future(self._is_answered.wait())
        try:
            await asyncio.wait({receiving, answered}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answered.cancel()
            if not receiving.done():
                receiving.cancel()
        if not self._is_answered.is_set():
            return await receiving
        await asyncio.wait({receiving})
        _forget(receiving)
        return _DISCONNECT

    async def _send(self, message: Message) -> None:
        """Hand a message over; the last one returns when the client has it: what follows is in the background."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._message is None or self._is_answered.is_set())
            if self._is_answered.is_set():
                await asyncio.sleep(0)  # an app that sends for ever must not keep the loop from cancelling it
                return
            self._message = message
            self._changed.notify_all()
        kind = message["type"]
        if kind == "http.response.pathsend" or (kind == "http.response.body" and not message.get("more_body", False)):
            await self._is_answered.wait()

    async def _answered(self) -> None:
        self._is_answered.set()
        async with self._changed:
            self._changed.notify_all()

    async def finish(self) -> None:
        """Wait for the app's end, which may do more in the background. Raises what it raises."""
        await self._answered()
        if self._task is None or self._is_raised:
            return
        try:
            await asyncio.wait({self._task})
        except asyncio.CancelledError:
            await self.abandon()
            raise
        await self._task

    async def abandon(self) -> None:
        """Cancel the app: there is an exception in its place."""
        await self._answered()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})
        _forget(self._task)


class _BelowResponse(Response):
    """The answer of the app below: its head, and its body as it is made."""

    def __init__(self, start: Message, body: AsyncIterator[Any], info: Mapping[str, Any] | None) -> None:
        assert start["type"] == "http.response.start"  # noqa: S101 - what ASGI says
        self.status_code = start["status"]
        self.raw_headers = start.get("headers", [])
        self.background = None
        self.body_iterator = body
        self.info = info

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        if self.info is not None:
            await send({"type": "http.response.debug", "info": self.info})
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        is_file = False
        async for chunk in self.body_iterator:
            is_file = isinstance(chunk, dict)
            await send(chunk if is_file else {"type": "http.response.body", "body": chunk, "more_body": True})
        if not is_file:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        if self.background is not None:
            await self.background()


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


def _forget(task: asyncio.Future[Any] | None) -> None:
    """Drop what a task may have raised: there is something else to be raised, or nobody left to raise it to."""
    if task is not None and not task.cancelled():
        task.exception()


async def _awaited(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result
