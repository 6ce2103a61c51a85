"""The default pool of a loop: a ThreadPoolExecutor, with a shorter way from the loop to its threads and back.

A call of the loop's needs no `concurrent.futures.Future`, which nobody would ever see: an item of the pool's own queue
runs the function and leaves the result for the loop, which is woken when the thread waits again. Threads, limits and
shutdown stay the pool's; whatever is submitted to it by others takes its usual way.
"""

from __future__ import annotations

import asyncio
import asyncio.futures
import collections
import concurrent.futures
import concurrent.futures.thread
import contextlib
from typing import TYPE_CHECKING, Any

from ._native import WorkQueue

if TYPE_CHECKING:
    from collections.abc import Callable

_thread: Any = concurrent.futures.thread
_leave = WorkQueue.leave
_set_result: Any = asyncio.futures._set_result_unless_cancelled  # type: ignore[attr-defined]


class DefaultExecutor(concurrent.futures.ThreadPoolExecutor):
    """The pool that `run_in_executor(None, …)` makes for itself; another size and name make another one."""

    _shutdown: bool
    _shutdown_lock: Any
    _work_queue: Any
    _adjust_thread_count: Callable[[], None]

    def __init__(
        self, max_workers: int | None = None, name: str = "asyncio", initializer: Callable[[], object] | None = None
    ) -> None:
        super().__init__(max_workers, thread_name_prefix=name, initializer=initializer)
        self._work_queue = WorkQueue()
        self._idle_semaphore: Any = _Idle()
        self._take_idle = self._idle_semaphore.threads.pop

    def call(
        self,
        loop: asyncio.AbstractEventLoop,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        future: asyncio.Future[Any] | None = None,
    ) -> asyncio.Future[Any]:
        """Have a thread call the function; the future is the loop's, or the given one of it."""
        if future is None:
            future = loop.create_future()
        if self._queue(_Call((loop, future, function, arguments))):
            return future
        return asyncio.wrap_future(self.submit(function, *arguments), loop=loop)  # says what is wrong

    def post(self, call: Any) -> None:
        """Have a thread run ``call.run()``, which hands its result on by itself and never raises."""
        if not self._queue(call):
            self.submit(call.run)  # says what is wrong

    def _queue(self, item: Any) -> bool:
        # The two locks of `submit()`: nothing is queued behind a shutdown.
        with self._shutdown_lock, _thread._global_shutdown_lock:
            if self._broken or self._shutdown or _thread._shutdown:
                return False
            self._work_queue.put(item)
            try:
                self._take_idle()
            except IndexError:
                self._adjust_thread_count()
            return True


class _Idle:
    """Counts the idle threads, as the pool's semaphore does; nobody ever waits for it."""

    def __init__(self) -> None:
        self.threads: collections.deque[None] = collections.deque()

    def acquire(self, timeout: float | None = None) -> bool:
        try:
            self.threads.pop()
        except IndexError:
            return False
        return True

    def release(self) -> None:
        self.threads.append(None)


class _Call(tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", "Callable[..., Any]", tuple[Any, ...]]):
    """A call on its way through the pool's queue: loop, future, function, arguments. A tuple is made in one step."""

    __slots__ = ()

    def run(self, *_context: object) -> None:
        """Call the function, unless nobody waits any more. From 3.14 on the pool's threads pass a context of theirs."""
        loop, future, function, arguments = self
        if future.cancelled():
            return
        tell = _set_result
        outcome: Any
        try:
            outcome = function(*arguments)
        except BaseException as error:  # noqa: BLE001 - whoever awaits the future gets it
            tell = _set_exception
            outcome = error
        try:  # noqa: SIM105 - suppress() costs as much as the rest of the call
            _leave(loop, tell, future, outcome)
        except RuntimeError:
            pass  # the loop was closed without waiting for its pool
        # The exception's traceback has this frame.
        del self, loop, future, function, arguments, outcome

    @property
    def future(self) -> _Call:
        """What `shutdown(cancel_futures=True)` cancels."""
        return self

    def cancel(self) -> None:
        """Cancel from another thread than the loop's."""
        loop, future, *_ = self
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(future.cancel)


def _set_exception(future: asyncio.Future[Any], error: BaseException) -> None:
    """Pass an exception on; those of `concurrent.futures` become asyncio's."""
    if not future.cancelled():
        future.set_exception(asyncio.futures._convert_future_exc(error))  # type: ignore[attr-defined]
