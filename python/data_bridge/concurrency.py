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
    return await _call(functools.partial(func, *args, **kwargs) if args or kwargs else func)


async def iterate_in_threadpool(iterator: Iterable[_T]) -> AsyncIterator[_T]:
    """Iterate over what may block, each step in a thread. An iterator that is left early is closed."""
    steps = iter(iterator)
    try:
        while (item := await run_in_threadpool(next, steps, _END)) is not _END:
            yield item
    finally:
        close = getattr(steps, "close", None)
        if close is not None:
            await _call(close, must_run=True)


@asynccontextmanager
async def contextmanager_in_threadpool(cm: AbstractContextManager[_T]) -> AsyncIterator[_T]:
    """Enter and leave ``cm`` in threads. Leaving waits for none of the 40, which may all wait for what it frees."""
    entered: list[_T] = []
    try:
        await run_in_threadpool(lambda: entered.append(cm.__enter__()))
        yield entered[0]
    except BaseException as error:
        leave = functools.partial(cm.__exit__, type(error), error, error.__traceback__)
        if not entered or not await _call(leave, must_run=True, at_once=True):
            raise
    else:
        await _call(functools.partial(cm.__exit__, None, None, None), must_run=True, at_once=True)


async def checkpoint() -> None:
    """Let others run, and be cancelled here if somebody wants that: user code may never wait for anything."""
    if "anyio" not in sys.modules:
        await asyncio.sleep(0)
        return
    from anyio import lowlevel  # noqa: PLC0415 - the program has imported it

    await lowlevel.checkpoint()


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


async def _call(function: Callable[[], _T], *, must_run: bool = False, at_once: bool = False) -> _T:
    """Call it in a thread; ``must_run``: whether or not the caller is cancelled; ``at_once``: beside the 40."""
    if "anyio" in sys.modules:
        return await _call_by_anyio(function, must_run=must_run, at_once=at_once)
    loop = asyncio.get_running_loop()
    outcome = _Outcome(loop, must_run=must_run)
    context = copy_context()

    def work() -> Any:
        return context.run(function) if outcome.claim() else None

    pool = _leavers() if at_once else _workers()
    pool.call(loop, work, (), outcome)
    result: _T = await outcome
    return result


async def _call_by_anyio(function: Callable[[], _T], *, must_run: bool, at_once: bool) -> _T:
    """Call it in AnyIO's threads: a program may call back from them, bound their number, or run on something else."""
    from anyio import CancelScope, CapacityLimiter, to_thread  # noqa: PLC0415 - the program has imported it

    results: list[_T] = []
    with CancelScope(shield=must_run):
        results.append(await to_thread.run_sync(function, limiter=CapacityLimiter(1) if at_once else None))
    return results[0]


@functools.cache
def _workers() -> DefaultExecutor:
    from .executor import DefaultExecutor  # noqa: PLC0415 - an application that never blocks starts without it

    return DefaultExecutor(THREADS, "data_bridge")


@functools.cache
def _leavers() -> DefaultExecutor:
    from .executor import DefaultExecutor  # noqa: PLC0415

    return DefaultExecutor(sys.maxsize, "data_bridge leaving")
