"""Functions that block, run in threads: a pool of 40, each call in a copy of the caller's context. Knows no HTTP.

A call that a thread has begun is waited for even if its caller is cancelled: a database session is never left half way.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if sys.version_info >= (3, 13):
    from inspect import iscoroutinefunction
else:
    # Knows functions that `asyncio.coroutine` once marked, as FastAPI does there.
    from asyncio import iscoroutinefunction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from contextlib import AbstractContextManager

    from .executor import DefaultExecutor

__all__ = [
    "asynccontextmanager",
    "contextmanager_in_threadpool",
    "is_async_callable",
    "iterate_in_threadpool",
    "run_in_threadpool",
    "run_until_first_complete",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: As many calls run at once; others wait for a thread.
THREADS = 40

#: What a step of an iterator gives at its end: `StopIteration` cannot leave a coroutine.
_END: Any = object()


def is_async_callable(call: Any) -> bool:
    """Say whether this is a coroutine function, an object whose ``__call__`` is one, or a partial of either."""
    while isinstance(call, functools.partial):
        call = call.func
    return iscoroutinefunction(call) or (callable(call) and iscoroutinefunction(call.__call__))


async def run_in_threadpool(func: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call ``func(*args, **kwargs)`` in a thread and give what it returns or raises."""
    result: _T = await _call(_workers(), functools.partial(func, *args, **kwargs) if args or kwargs else func)
    return result


async def iterate_in_threadpool(iterator: Iterable[_T]) -> AsyncIterator[_T]:
    """Iterate over what may block, each step in a thread. An iterator that is left early is closed."""
    steps = iter(iterator)
    try:
        while (item := await run_in_threadpool(next, steps, _END)) is not _END:
            yield item
    finally:
        close = getattr(steps, "close", None)
        if close is not None:
            await _call(_workers(), close, must_run=True)


@asynccontextmanager
async def contextmanager_in_threadpool(cm: AbstractContextManager[_T]) -> AsyncIterator[_T]:
    """Enter and leave ``cm`` in threads. Leaving waits for none of the 40, which may all wait for what it frees."""
    entered: list[_T] = []
    try:
        await run_in_threadpool(lambda: entered.append(cm.__enter__()))
        yield entered[0]
    except BaseException as error:
        leave = functools.partial(cm.__exit__, type(error), error, error.__traceback__)
        if not entered or not await _call(_leavers(), leave, must_run=True):
            raise
    else:
        await _call(_leavers(), functools.partial(cm.__exit__, None, None, None), must_run=True)


async def run_until_first_complete(*args: tuple[Callable[..., Any], dict[str, Any]]) -> None:
    """Await each ``function(**keywords)``; once one returns, the others are cancelled."""
    tasks = [asyncio.ensure_future(function(**keywords)) for function, keywords in args]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()


class _Outcome(asyncio.Future[Any]):
    """What a thread will give. Cancelling it works while no thread has begun; later the thread is waited for.

    With ``must_run`` it never works.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, must_run: bool) -> None:
        super().__init__(loop=loop)
        self._must_run = must_run
        #: Whoever takes the one item decides: the thread, to begin, or the loop, to cancel.
        self._unclaimed = [True]

    def claim(self) -> bool:
        """Take the call; False if it was taken."""
        try:
            return self._unclaimed.pop()
        except IndexError:
            return False

    def cancel(self, msg: Any = None) -> bool:
        """Cancel what no thread has begun."""
        return not self._must_run and self.claim() and super().cancel(msg)


async def _call(pool: DefaultExecutor, function: Callable[[], _T], *, must_run: bool = False) -> _T:
    loop = asyncio.get_running_loop()
    outcome = _Outcome(loop, must_run=must_run)
    context = copy_context()
    worker = _thread_of_anyio(loop) if "anyio" in sys.modules else None

    def work() -> Any:
        if not outcome.claim():
            return None
        if worker is None:
            return context.run(function)
        with worker:
            return context.run(function)

    pool.call(loop, work, (), outcome)
    result: _T = await outcome
    return result


def _thread_of_anyio(loop: asyncio.AbstractEventLoop) -> Any:
    """Make the thread one of AnyIO's workers, for programs that call `anyio.from_thread`; None if that cannot be."""
    try:
        from anyio._backends._asyncio import AsyncIOBackend  # noqa: PLC0415 - the program has imported it
        from anyio._core._eventloop import claim_worker_thread  # noqa: PLC0415
    except ImportError:
        return None
    return claim_worker_thread(AsyncIOBackend, loop)


@functools.cache
def _workers() -> DefaultExecutor:
    from .executor import DefaultExecutor  # noqa: PLC0415 - an application that never blocks starts without it

    return DefaultExecutor(THREADS, "data_bridge")


@functools.cache
def _leavers() -> DefaultExecutor:
    from .executor import DefaultExecutor  # noqa: PLC0415

    return DefaultExecutor(sys.maxsize, "data_bridge leaving")
