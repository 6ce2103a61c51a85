"""A thread with an event loop of ours, and the calls into it from a test's own thread. Knows no HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from ..loop import new_event_loop

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class Portal:
    """The way into the loop. What is called there sees the caller's context variables."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._open: set[asyncio.Task[Any]] = set()

    def call(self, func: Callable[..., Any], *args: Any) -> Any:
        """Call ``func`` in the loop, await what it gives, and return the result. Not from the loop's own thread."""
        if threading.get_ident() == self._thread:
            raise RuntimeError("the portal was called from its own loop, which would wait for itself")
        return self.start_task_soon(func, *args).result()

    def start_task_soon(self, func: Callable[..., Any], *args: Any, name: str | None = None) -> Future[Any]:
        """Run ``func`` in the loop as a task. The future has its result, and cancels it."""
        future: Future[Any] = Future()
        self._loop.call_soon_threadsafe(self._start, func, args, name, future, context=copy_context())
        return future

    def _start(self, func: Callable[..., Any], args: Any, name: str | None, future: Future[Any]) -> None:
        task = self._loop.create_task(_result_of(func, args), name=name)
        self._open.add(task)

        def hand_over(done: asyncio.Task[Any]) -> None:
            self._open.discard(done)
            error = None if done.cancelled() else done.exception()
            if done.cancelled() or future.cancelled():
                future.cancel()
                future.set_running_or_notify_cancel()
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(done.result())

        task.add_done_callback(hand_over)
        future.add_done_callback(lambda done: self._cancel(task) if done.cancelled() else None)

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        if not task.done():
            self._loop.call_soon_threadsafe(task.cancel)

    async def finish(self) -> None:
        """Wait for what was started here; what the app itself left running is the loop's to cancel."""
        while self._open:
            await asyncio.wait(list(self._open))


#: What gives the portal to use for one request: that of the client's context, or a new one.
PortalFactory = Callable[[], contextlib.AbstractContextManager[Portal]]


async def _result_of(func: Callable[..., Any], args: Any) -> Any:
    result = func(*args)
    return await result if inspect.isawaitable(result) else result


@contextlib.contextmanager
def open_portal(options: dict[str, Any] | None = None) -> Iterator[Portal]:
    """Run a loop in a thread for as long as the block lasts."""
    started: Future[tuple[Portal, asyncio.Event]] = Future()
    factory = (options or {}).get("loop_factory") or new_event_loop

    async def serve() -> None:
        portal, ended = Portal(asyncio.get_running_loop()), asyncio.Event()
        started.set_result((portal, ended))
        await ended.wait()
        await portal.finish()

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=factory, debug=(options or {}).get("debug")) as runner:
                runner.run(serve())
        except BaseException as error:  # noqa: BLE001 - the thread that waits gets it
            if not started.done():
                started.set_exception(error)

    thread = threading.Thread(target=run, name="data_bridge testclient", daemon=True)
    thread.start()
    portal, ended = started.result()
    try:
        yield portal
    finally:
        portal._loop.call_soon_threadsafe(ended.set)
        thread.join()
