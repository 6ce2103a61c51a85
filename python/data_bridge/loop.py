"""The asyncio event loop: what is cold, what awaits, and the ways to install it.

The native half (`_native.EventLoop`) owns the ready queue, the timers and the descriptors. This half follows
`asyncio.BaseEventLoop` in everything that a program can observe.
"""

from __future__ import annotations

import asyncio
import asyncio.coroutines
import asyncio.events
import concurrent.futures
import inspect
import logging
import sys
import threading
import traceback
import warnings
import weakref

# asyncio's own callback, because anyio looks for it to tell which task is the program's main one: without it, a worker
# thread of anyio would end with the request that first needed it.
from asyncio.base_events import _run_until_complete_cb  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, TypeVar, cast

from data_bridge.executor import DefaultExecutor
from data_bridge.network import Network
from data_bridge.sendfile import Sendfile
from data_bridge.sockets import Sockets
from data_bridge.subprocesses import Subprocesses

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator

    from typing_extensions import TypeVarTuple

    _Ts = TypeVarTuple("_Ts")
    _ExceptionHandler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]

_T = TypeVar("_T")

logger = logging.getLogger("asyncio")

_DEBUG_STACK_DEPTH = 10


class Loop(Network, Sockets, Sendfile, Subprocesses, asyncio.AbstractEventLoop):
    """An asyncio event loop whose core is native.

    Create one with `new_event_loop()`; `run()`, `asyncio.Runner(loop_factory=new_event_loop)` and
    `EventLoopPolicy` do so for you. Any difference from asyncio's own loop that a program can see is a bug.
    """

    # Slots keep the instance's dictionary unmade, which makes every `loop.method` cheaper; a program may still set
    # attributes of its own.
    __slots__ = (
        "_asyncgens",
        "_asyncgens_shutdown_called",
        "_default_executor",
        "_exception_handler",
        "_executor_shutdown_called",
        "_origin_tracking_depth",
    )

    def __init__(self) -> None:
        super().__init__()
        self._exception_handler: _ExceptionHandler | None = None
        self._default_executor: concurrent.futures.ThreadPoolExecutor | None = None
        self._executor_shutdown_called = False
        self._asyncgens: weakref.WeakSet[AsyncGenerator[Any, Any]] = weakref.WeakSet()
        self._asyncgens_shutdown_called = False
        self._origin_tracking_depth: int | None = None
        self.set_debug(asyncio.coroutines._is_debug_mode())  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} running={self.is_running()} closed={self.is_closed()} debug={self.get_debug()}>"

    def __del__(self) -> None:
        if self.is_closed() or self._forked:
            return
        warnings.warn(f"unclosed event loop {self!r}", ResourceWarning, source=self, stacklevel=1)
        if not self.is_running():
            self.close()

    # Running

    def run_forever(self) -> None:
        """Run until `stop()` is called."""
        self._check_closed()
        self._check_running()
        hooks = sys.get_asyncgen_hooks()
        try:
            self._track_origins(enabled=self.get_debug())
            sys.set_asyncgen_hooks(firstiter=self._asyncgen_started, finalizer=self._asyncgen_dropped)
            asyncio.events._set_running_loop(self)
            self._run()
        finally:
            asyncio.events._set_running_loop(None)
            self._track_origins(enabled=False)
            sys.set_asyncgen_hooks(*hooks)

    def run_until_complete(self, future: Generator[Any, None, _T] | Awaitable[_T]) -> _T:
        """Run until the future is done; return its result or raise its exception. A coroutine becomes a task."""
        self._check_closed()
        self._check_running()
        is_new = not asyncio.isfuture(future)
        awaited = asyncio.ensure_future(cast("Awaitable[_T]", future), loop=self)
        if is_new:
            # An exception says so below if it does not complete.
            awaited._log_destroy_pending = False  # type: ignore[attr-defined]
        awaited.add_done_callback(_run_until_complete_cb)
        try:
            self.run_forever()
        except BaseException:
            if is_new and awaited.done() and not awaited.cancelled():
                # The caller cannot reach the task: its exception counts as seen.
                awaited.exception()
            raise
        finally:
            awaited.remove_done_callback(_run_until_complete_cb)
        if not awaited.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return awaited.result()

    def close(self) -> None:
        """Close the loop: drop what is scheduled and let the default executor finish on its own."""
        if self.is_running():
            raise RuntimeError("Cannot close a running event loop")
        if self.is_closed():
            return
        if self._forked:
            return
        if self.get_debug():
            logger.debug("Close %r", self)
        for number in self._signal_numbers():
            if sys.is_finalizing():
                warnings.warn(
                    f"Closing the loop {self!r} on interpreter shutdown stage, skipping signal handlers removal",
                    ResourceWarning,
                    source=self,
                    stacklevel=2,
                )
                break
            self.remove_signal_handler(number)
        self._close()
        self._executor_shutdown_called = True
        executor, self._default_executor = self._default_executor, None
        if executor is not None:
            executor.shutdown(wait=False)

    def _check_running(self) -> None:
        if self.is_running():
            raise RuntimeError("This event loop is already running")
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """For timer handles that are not ours: nothing lies in our heap."""

    # Debug mode

    def set_debug(self, enabled: bool) -> None:
        """Turn debug mode on or off."""
        super().set_debug(enabled)
        if self.is_running():
            self.call_soon_threadsafe(lambda: self._track_origins(enabled=enabled))

    def _track_origins(self, *, enabled: bool) -> None:
        """Have coroutines remember where they were created, while the loop runs in debug mode."""
        if bool(enabled) == (self._origin_tracking_depth is not None):
            return
        if enabled:
            self._origin_tracking_depth = sys.get_coroutine_origin_tracking_depth()
            sys.set_coroutine_origin_tracking_depth(_DEBUG_STACK_DEPTH)
        elif self._origin_tracking_depth is not None:
            sys.set_coroutine_origin_tracking_depth(self._origin_tracking_depth)
            self._origin_tracking_depth = None

    # Asynchronous generators

    def _asyncgen_started(self, agen: AsyncGenerator[Any, Any]) -> None:
        if self._asyncgens_shutdown_called:
            warnings.warn(
                f"asynchronous generator {agen!r} was scheduled after loop.shutdown_asyncgens() call",
                ResourceWarning,
                source=self,
                stacklevel=2,
            )
        self._asyncgens.add(agen)

    def _asyncgen_dropped(self, agen: AsyncGenerator[Any, Any]) -> None:
        self._asyncgens.discard(agen)
        if not self.is_closed():
            self.call_soon_threadsafe(self.create_task, agen.aclose())

    async def shutdown_asyncgens(self) -> None:
        """Close all asynchronous generators that are still being iterated."""
        self._asyncgens_shutdown_called = True
        closing = list(self._asyncgens)
        self._asyncgens.clear()
        if not closing:
            return
        results = await asyncio.gather(*[agen.aclose() for agen in closing], return_exceptions=True)
        for result, agen in zip(results, closing, strict=True):
            if isinstance(result, Exception):
                self.call_exception_handler(
                    {
                        "message": f"an error occurred during closing of asynchronous generator {agen!r}",
                        "exception": result,
                        "asyncgen": agen,
                    }
                )

    # Executor

    def run_in_executor(
        self,
        executor: concurrent.futures.Executor | None,
        func: Callable[[*_Ts], _T],
        *args: *_Ts,
    ) -> asyncio.Future[_T]:
        """Call `func` in the executor, or in the default pool of threads, and return a future of its result."""
        self._check_closed()
        if self.get_debug():
            self._check_callback(func, "run_in_executor")
        if executor is None:
            if self._executor_shutdown_called:
                raise RuntimeError("Executor shutdown has been called")
            executor = self._default_executor
            if executor is None:
                executor = self._default_executor = DefaultExecutor()
            if type(executor) is DefaultExecutor:
                return executor.call(self, func, args)
        return asyncio.wrap_future(executor.submit(func, *args), loop=self)

    def set_default_executor(self, executor: concurrent.futures.ThreadPoolExecutor) -> None:  # type: ignore[override]
        """Set the pool of threads that `run_in_executor(None, …)` uses."""
        if not isinstance(executor, concurrent.futures.ThreadPoolExecutor):
            raise TypeError("executor must be ThreadPoolExecutor instance")
        self._default_executor = executor

    if sys.version_info >= (3, 12):

        async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
            """Wait until the default executor's threads have ended, for at most `timeout` seconds."""
            await self._shutdown_default_executor(timeout)

    else:

        async def shutdown_default_executor(self) -> None:
            """Wait until the default executor's threads have ended."""
            await self._shutdown_default_executor(None)

    async def _shutdown_default_executor(self, timeout: float | None) -> None:  # noqa: ASYNC109
        self._executor_shutdown_called = True
        executor = self._default_executor
        if executor is None:
            return
        ended = self.create_future()
        joiner = threading.Thread(target=self._join_executor, args=(executor, ended))
        joiner.start()
        try:
            async with asyncio.timeout(timeout):
                await ended
        except TimeoutError:
            warnings.warn(
                f"The executor did not finishing joining its threads within {timeout} seconds.",
                RuntimeWarning,
                stacklevel=3,
            )
            executor.shutdown(wait=False)
        else:
            joiner.join()

    def _join_executor(self, executor: concurrent.futures.ThreadPoolExecutor, ended: asyncio.Future[None]) -> None:
        try:
            executor.shutdown(wait=True)
        except Exception as error:  # noqa: BLE001 - handed to the waiter
            if not self.is_closed() and not ended.cancelled():
                self.call_soon_threadsafe(ended.set_exception, error)
        else:
            if not self.is_closed():
                self.call_soon_threadsafe(_set_result_unless_done, ended)

    # Exceptions

    def get_exception_handler(self) -> _ExceptionHandler | None:
        """Return the exception handler, or None for the default one."""
        return self._exception_handler

    def set_exception_handler(self, handler: _ExceptionHandler | None) -> None:
        """Set the function that `call_exception_handler()` calls, or None for the default one."""
        if handler is not None and not callable(handler):
            raise TypeError(f"A callable object or None is expected, got {handler!r}")
        self._exception_handler = handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Log the exception with all that the context says about it."""
        message = context.get("message") or "Unhandled exception in event loop"
        exception = context.get("exception")
        exc_info = (type(exception), exception, exception.__traceback__) if exception is not None else False
        current = self._current_handle
        if "source_traceback" not in context and current is not None and current._source_traceback:
            context["handle_traceback"] = current._source_traceback
        lines = [message]
        for key in sorted(context):
            if key in {"message", "exception"}:
                continue
            value = context[key]
            if key in _TRACEBACK_TITLES:
                stack = "".join(traceback.format_list(value)).rstrip()
                text = f"{_TRACEBACK_TITLES[key]} created at (most recent call last):\n{stack}"
            else:
                text = repr(value)
            lines.append(f"{key}: {text}")
        logger.error("\n".join(lines), exc_info=exc_info)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Report an exception that nobody awaits; `context` has `message` and, if there is one, `exception`."""
        handler = self._exception_handler
        if handler is None:
            self._report_by_default(context, "Exception in default exception handler")
            return
        try:
            _in_context_of(context, handler, self)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - a handler that fails is reported too
            self._report_by_default(
                {"message": "Unhandled error in exception handler", "exception": error, "context": context},
                "Exception in default exception handler while handling an unexpected error in custom exception handler",
            )

    def _report_by_default(self, context: dict[str, Any], on_failure: str) -> None:
        try:
            self.default_exception_handler(context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            logger.error(on_failure, exc_info=True)


_TRACEBACK_TITLES = {"source_traceback": "Object", "handle_traceback": "Handle"}


def _in_context_of(context: dict[str, Any], handler: _ExceptionHandler, loop: Loop) -> None:
    """Call the handler in the `contextvars` context of the task, future or handle that failed (3.12 and later)."""
    if sys.version_info >= (3, 12):
        keys = ("task", "future", "handle")
        thing = next((context[key] for key in keys if context.get(key) is not None), None)
        get_context = getattr(thing, "get_context", None)
        where = get_context() if get_context is not None else None
        if where is not None and hasattr(where, "run"):
            where.run(handler, loop, context)
            return
    handler(loop, context)


def _set_result_unless_done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def new_event_loop() -> Loop:
    """Return a new event loop; for `asyncio.Runner(loop_factory=…)` and the like."""
    return Loop()


def run(
    main: Coroutine[Any, Any, _T],
    *,
    debug: bool | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> _T:
    """Run a coroutine like `asyncio.run()`, on our event loop.

    Raises `RuntimeError` when a loop is running in this thread already, `ValueError` (`TypeError` from Python 3.14 on)
    for what is no coroutine, `TypeError` for an application, which `serve()` is for.
    """
    if callable(main) and not inspect.isawaitable(main) and _is_application(main):
        raise TypeError(f"a coroutine was expected, got {main!r}: to serve an application, use data_bridge.serve()")
    if asyncio._get_running_loop() is not None:
        raise RuntimeError("data_bridge.run() cannot be called from a running event loop")
    with asyncio.Runner(debug=debug, loop_factory=loop_factory or new_event_loop) as runner:
        return runner.run(main)


def _is_application(function: Callable[..., object]) -> bool:
    """Whether it can be called as ASGI or WSGI servers do: with three arguments, or with two."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # something native that does not tell
        return False
    for count in (3, 2):
        try:
            signature.bind(*[None] * count)
        except TypeError:
            continue
        return True
    return False


def install() -> None:
    """Make every loop that asyncio creates from now on ours, by `asyncio.set_event_loop_policy()`.

    Event loop policies are deprecated from Python 3.14 on: prefer `run()` or `loop_factory=new_event_loop`.
    """
    policy = cast("Any", __getattr__("EventLoopPolicy"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'asyncio.set_event_loop_policy' is deprecated", DeprecationWarning)
        asyncio.set_event_loop_policy(policy())


def _make_policy() -> type[asyncio.AbstractEventLoopPolicy]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'asyncio.DefaultEventLoopPolicy' is deprecated", DeprecationWarning)
        base: Any = asyncio.DefaultEventLoopPolicy

    class EventLoopPolicy(base):  # type: ignore[misc]
        """asyncio's policy of this platform with our event loops, for `asyncio.set_event_loop_policy()`."""

        def _loop_factory(self) -> Loop:
            return Loop()

    EventLoopPolicy.__module__ = __name__
    EventLoopPolicy.__qualname__ = "EventLoopPolicy"
    return EventLoopPolicy


if TYPE_CHECKING:

    class EventLoopPolicy(asyncio.DefaultEventLoopPolicy):
        """asyncio's policy of this platform with our event loops, for `asyncio.set_event_loop_policy()`."""


def __getattr__(name: str) -> Any:
    """Make the policy class when it is asked for: from Python 3.14 on, naming its base warns."""
    if name == "EventLoopPolicy":
        policy = _make_policy()
        globals()[name] = policy
        return policy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
