"""Work that is done after the response was sent. Knows no request and no response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import observing
from .concurrency import checkpoint, is_async_callable, run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class BackgroundTask:
    """A function to be called after the response was sent: a coroutine function is awaited, another run in a thread."""

    def __init__(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.func = func
        self.args = args
        self.kwargs = kwargs
        self.is_async = is_async_callable(func)

    async def __call__(self) -> None:
        """Do the work."""
        if self.is_async:
            await self.func(*self.args, **self.kwargs)
        else:
            await run_in_threadpool(self.func, *self.args, **self.kwargs)


class BackgroundTasks(BackgroundTask):
    """A list of such functions, called one after the other; what one raises ends the list.

    A handler that has a parameter of this type gets a list of its own.
    """

    def __init__(self, tasks: Sequence[BackgroundTask] | None = None) -> None:
        #: What is to be done.
        self.tasks: list[BackgroundTask] = list(tasks or ())

    def add_task(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Call ``func(*args, **kwargs)`` after the response was sent."""
        self.tasks.append(BackgroundTask(func, *args, **kwargs))

    async def __call__(self) -> None:
        """Do the work, once the response has left: what comes first may not let go of the loop."""
        await checkpoint()
        for task in self.tasks:
            with observing.operation("background_task", task.func):
                await task()
