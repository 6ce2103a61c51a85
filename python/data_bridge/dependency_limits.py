"""How many requests may be inside one dependency at once: a semaphore for each declaration on each loop."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

T = TypeVar("T")


class DependencyConcurrency:
    """The bound of one declaration. Its semaphores live as long as both it and their loop."""

    def __init__(self, max_concurrency: int) -> None:
        self.max_concurrency = max_concurrency
        self._semaphores: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()

    def get_semaphore(self) -> Any:
        """Give the running loop's semaphore; AnyIO's in a program that uses AnyIO, for its cancel scopes."""
        loop = asyncio.get_running_loop()
        semaphore = self._semaphores.get(loop)
        if semaphore is None:
            anyio = sys.modules.get("anyio")
            kind: Any = asyncio.Semaphore if anyio is None else anyio.Semaphore
            semaphore = self._semaphores[loop] = kind(self.max_concurrency)
        return semaphore


@asynccontextmanager
async def limited(manager: AbstractAsyncContextManager[T], semaphore: Any) -> AsyncIterator[T]:
    """Enter the semaphore around ``manager``, which cleans up before the next request may enter."""
    async with semaphore, manager as value:
        yield value
