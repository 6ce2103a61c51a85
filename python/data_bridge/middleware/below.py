"""The app below one request of a dispatching middleware: run until its answer begins, then as its body is asked for.

On asyncio it runs in a task of its own, in a copy of the middleware's context; what it sets there is set for the
middleware too. On another event library (trio) it runs in the middleware's own task, step by step between its messages;
there it may not send from tasks of its own.
"""

from __future__ import annotations

import asyncio
import types
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from ..responses import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Mapping
    from contextvars import Context

    from ..requests import Request
    from ..types import ASGIApp, Message, Receive, Scope, Send

DISCONNECT = {"type": "http.disconnect"}


class Below:
    """What both ways to run the app have in common. ``receive`` gives it the request, ``send`` is the server's."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._scope = scope
        self._receive_above = receive
        self._send_above = send
        self._message: Message | None = None
        self._has_ended = False
        #: What the app raised was raised here already.
        self._is_raised = False

    def begin(self) -> None:
        """Start the app."""
        raise NotImplementedError

    async def take(self) -> Message | None:
        """Take the app's next message; None at its end."""
        raise NotImplementedError

    async def result(self) -> None:
        """Raise what the app raised, after its end."""
        raise NotImplementedError

    async def call(self, _request: Request) -> Response:
        """Run the app until its answer begins. Raises what it raises before."""
        self.begin()
        info = None
        while (message := await self.take()) is not None:
            if message["type"] == "http.response.debug":
                info = message["info"]
            elif message["type"] == "http.response.early_hint":
                await self._send_above(message)
            else:
                return _BelowResponse(message, self._body(), info)
        self._is_raised = True
        await self.result()
        raise RuntimeError("No response returned.")

    async def _body(self) -> AsyncIterator[Any]:
        """Give the body's pieces, or the message that stands for a file. A body that breaks off raises why."""
        while (message := await self.take()) is not None:
            if message["type"] == "http.response.pathsend":
                yield message
                return
            assert message["type"] == "http.response.body", f"Unexpected message: {message}"  # noqa: S101
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                return
        self._is_raised = True
        await self.result()


class TaskBelow(Below):
    """The app in an asyncio task."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(app, scope, receive, send)
        self._context: Context
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        #: Set once the answer was sent, or another one was: the app has no client any more.
        self._is_answered = asyncio.Event()

    def begin(self) -> None:
        """Start the task."""
        self._context = copy_context()
        self._task = asyncio.get_running_loop().create_task(self._run(), context=self._context)

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        finally:
            self._has_ended = True
            async with self._changed:
                self._changed.notify_all()

    async def take(self) -> Message | None:
        """Take the app's next message. What it set in its context is set here from now on."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._message is not None or self._has_ended)
            message, self._message = self._message, None
            self._changed.notify_all()
        for variable, value in self._context.items():
            if variable.get(DISCONNECT) is not value:
                variable.set(value)
        return message

    async def result(self) -> None:
        """Raise what the task raised."""
        if self._task is not None:
            await self._task

    async def _receive(self) -> Message:
        """Give the app the request; once it was answered, that the client has left."""
        if self._is_answered.is_set():
            return DISCONNECT
        receiving = asyncio.ensure_future(self._receive_above())
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
        return DISCONNECT

    async def _send(self, message: Message) -> None:
        """Hand a message over; the last one returns when the client has it: what follows is in the background."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._message is None or self._is_answered.is_set())
            if self._is_answered.is_set():
                await asyncio.sleep(0)  # an app that sends for ever must not keep the loop from cancelling it
                return
            self._message = message
            self._changed.notify_all()
        if _is_last(message):
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


class SteppedBelow(Below):
    """The app as steps of the middleware's own task, whatever runs that."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(app, scope, receive, send)
        self._is_answered = False
        self._steps: Generator[Any, Any, Any] | None = None
        self._error: BaseException | None = None

    def begin(self) -> None:
        """Make the app's steps; the first one is taken with its first message."""
        self._steps = _steps_of(self._app(self._scope, self._receive, self._send))

    async def take(self) -> Message | None:
        """Run the app to its next message."""
        if not self._has_ended:
            await self._advance()
        message, self._message = self._message, None
        return message

    @types.coroutine
    def _advance(self) -> Generator[Any, Any, None]:
        """Pass the app's waits on to whoever runs us, until it has sent something or ended."""
        step: Any = self._steps.send if self._steps is not None else None
        value: Any = None
        while step is not None and self._steps is not None:
            try:
                wait = step(value)
            except StopIteration:
                self._has_ended = True
                return
            except BaseException as error:  # noqa: BLE001 - raised where the answer is waited for
                self._has_ended, self._error = True, error
                return
            if wait is _SENT:
                return
            try:
                value, step = (yield wait), self._steps.send
            except BaseException as error:  # noqa: BLE001 - it is the app that is cancelled
                value, step = error, self._steps.throw

    async def result(self) -> None:
        """Raise what the app raised."""
        if self._error is not None:
            raise self._error

    async def _receive(self) -> Message:
        return DISCONNECT if self._is_answered else await self._receive_above()

    async def _send(self, message: Message) -> None:
        if not self._is_answered:
            self._message = message
            await _sent()

    async def finish(self) -> None:
        """Run the app to its end. Raises what it raises."""
        self._is_answered = True
        while self._steps is not None and not self._has_ended:
            await self.take()
        if not self._is_raised:
            await self.result()

    async def abandon(self) -> None:
        """End the app: there is an exception in its place."""
        if self._steps is not None and not self._has_ended:
            self._steps.close()


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


#: What an app below yields when it has sent something: to us, never to an event library.
_SENT = object()


@types.coroutine
def _sent() -> Generator[Any, None, None]:
    yield _SENT


@types.coroutine
def _steps_of(awaitable: Any) -> Generator[Any, Any, Any]:
    return (yield from awaitable.__await__())


def _is_last(message: Message) -> bool:
    kind = message["type"]
    return kind == "http.response.pathsend" or (kind == "http.response.body" and not message.get("more_body", False))


def _forget(task: asyncio.Future[Any] | None) -> None:
    """Drop what a task may have raised: there is something else to be raised, or nobody left to raise it to."""
    if task is not None and not task.cancelled():
        task.exception()
