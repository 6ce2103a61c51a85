"""`App`: an application of routes. An ASGI 3.0 application itself; our own server runs its plan without that detour."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from ._native import Answer
from .asgi import AsgiSink, AsgiSource, Receive, Scope, Send
from .datastructures import State
from .plan.routes import Routes
from .reference.result import internal_error, too_late
from .reference.run import respond
from .requests import Request

Hook = TypeVar("Hook", bound=Callable[[], Any])
Lifespan = Callable[["App"], AbstractAsyncContextManager[Mapping[str, Any] | None]]


class App(Routes):
    """An application.

    ``lifespan`` is a function of the app that gives an asynchronous context manager: what stands before its ``yield``
    runs before the first request, what stands behind it after the last; a mapping that it yields becomes each request's
    ``state``. ``redirect_slashes`` sends ``/items/`` to ``/items`` (and the other way round) where only that exists.
    ``threads`` bounds how many ``def`` handlers run at once (40, as in FastAPI), ``max_body_size`` the bytes of a body
    that is read as a whole (16 MiB; longer ones get 413). What a handler streams has no bound.
    """

    __data_bridge_plan__ = True

    def __init__(
        self,
        *,
        lifespan: Lifespan | None = None,
        redirect_slashes: bool = True,
        threads: int = 40,
        max_body_size: int = 16 * 1024 * 1024,
    ) -> None:
        super().__init__(redirect_slashes=redirect_slashes)
        #: Attributes that the application keeps for itself.
        self.state = State()
        #: What each request's state starts with.
        self.lifespan_state: Mapping[str, Any] = {}
        #: Bytes of a body that is read as a whole.
        self.max_body_size = max_body_size
        self.executor = ThreadPoolExecutor(threads, thread_name_prefix="data_bridge")
        self._lifespan = lifespan
        self._startup: list[Callable[[], Any]] = []
        self._shutdown: list[Callable[[], Any]] = []

    def on_event(self, event: str) -> Callable[[Hook], Hook]:
        """Call the decorated function at ``"startup"`` or ``"shutdown"``.

        Raises ``ValueError`` beside a ``lifespan``, which replaces both.
        """
        hooks = {"startup": self._startup, "shutdown": self._shutdown}.get(event)
        if hooks is None:
            raise ValueError(f"there is no event {event!r}, only 'startup' and 'shutdown'")
        if self._lifespan is not None:
            raise ValueError("on_event() has no effect beside a lifespan: do it there")

        def decorator(hook: Hook) -> Hook:
            hooks.append(hook)
            return hook

        return decorator

    def run(self, host: str = "127.0.0.1", port: int = 8000, **settings: Any) -> None:
        """Serve this application until SIGINT or SIGTERM; see :func:`data_bridge.serve`."""
        from .serving import serve  # noqa: PLC0415 - an app under a foreign server needs none of ours

        serve(self, host=host, port=port, **settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI connection."""
        if scope["type"] == "http":
            await self._answer(AsgiSource(scope, receive), scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            raise ValueError(f"App does not speak ASGI {scope['type']!r}")

    async def _answer(self, source: AsgiSource, scope: Scope, receive: Receive, send: Send) -> None:
        sink = AsgiSink(send)
        found = self.operations.match(source.method, source.path, source.raw_path, source.query_string, source.headers)
        if isinstance(found, Answer):
            await sink.respond(found.status, found.headers, found.body)
            return
        operation, path_params, slots = found
        request = Request(source, path_params, self)
        limit = asyncio.timeout(operation.timeout)
        is_complete = operation.is_native and operation.accept is None and not operation.makers
        try:
            async with limit:
                response = await respond(operation, request, slots if is_complete else None)
        except Exception as error:
            if isinstance(error, TimeoutError) and limit.expired():
                late = too_late()
                await sink.respond(late.status_code, late.raw_headers, late.body)
                return
            failure = internal_error()
            await sink.respond(failure.status_code, failure.raw_headers, failure.body)
            raise  # The server logs it, as every ASGI server does.
        await response(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One run of ASGI's lifespan protocol."""
        await receive()
        started = False
        try:
            async with self._context() as state:
                if state:
                    self.lifespan_state = dict(state)
                    if "state" in scope:
                        scope["state"].update(state)
                await send({"type": "lifespan.startup.complete"})
                started = True
                await receive()
        except BaseException as error:
            await send({"type": f"lifespan.{'shutdown' if started else 'startup'}.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    def _context(self) -> AbstractAsyncContextManager[Mapping[str, Any] | None]:
        return self._events() if self._lifespan is None else self._lifespan(self)

    @contextlib.asynccontextmanager
    async def _events(self) -> AsyncIterator[None]:
        await _call_all(self._startup)
        yield
        await _call_all(self._shutdown)


async def _call_all(hooks: list[Callable[[], Any]]) -> None:
    for hook in hooks:
        result = hook()
        if inspect.isawaitable(result):
            await result
