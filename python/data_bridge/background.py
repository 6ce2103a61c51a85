"""Work that is done after the response was sent."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class BackgroundTask:
    """A function to be called after the response was sent: a coroutine function is awaited, another run in a thread."""

    def __init__(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self._call = functools.partial(func, *args, **kwargs)
        self._is_async = inspect.iscoroutinefunction(func)

    async def __call__(self) -> None:
        """Do the work."""
        if self._is_async:
            await self._call()
        else:
            await asyncio.to_thread(self._call)


class BackgroundTasks:
    """A list of such functions, called one after the other; what one raises ends the list.

    A handler that has a parameter of this type gets a list of its own.
    """

    def __init__(self) -> None:
        #: What is to be done.
        self.tasks: list[BackgroundTask] = []

    def add_task(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Call ``func(*args, **kwargs)`` after the response was sent."""
        self.tasks.append(BackgroundTask(func, *args, **kwargs))

    async def __call__(self) -> None:
        """Do the work."""
        for task in self.tasks:
            await task()


async def after(sent: Awaitable[None], work: Callable[[], Awaitable[None]]) -> None:
    """Do ``work`` once ``sent`` is done."""
    await sent
    await work()
