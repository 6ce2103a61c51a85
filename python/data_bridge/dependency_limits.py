"""How many requests may be inside one dependency at once: a semaphore for each declaration on each loop."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from functools import cache
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

    def get_semaphore(self) -> Any:
        """Give the running loop's semaphore; AnyIO's in a program that uses AnyIO, for its cancel scopes."""
        semaphores, kind = _by_anyio() if "anyio" in sys.modules else (_of_loop(), asyncio.Semaphore)
        semaphore = semaphores.get(self)
        if semaphore is None:
            semaphore = semaphores[self] = kind(self.max_concurrency)
        return semaphore


Semaphores = WeakKeyDictionary[DependencyConcurrency, Any]
_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Semaphores] = WeakKeyDictionary()


def _of_loop() -> Semaphores:
    return _loops.setdefault(asyncio.get_running_loop(), WeakKeyDictionary())


@cache
def _run_variable() -> Any:
    from anyio.lowlevel import RunVar  # noqa: PLC0415 - the program has imported it

    return RunVar("data_bridge.dependency_semaphores")


def _by_anyio() -> tuple[Semaphores, Any]:
    from anyio import Semaphore  # noqa: PLC0415 - the program has imported it

    variable = _run_variable()
    semaphores = variable.get(None)
    if semaphores is None:
        semaphores = WeakKeyDictionary()
        variable.set(semaphores)
    return semaphores, Semaphore


@asynccontextmanager
async def limited(manager: AbstractAsyncContextManager[T], semaphore: Any) -> AsyncIterator[T]:
    """Enter the semaphore around ``manager``, which cleans up before the next request may enter."""
    async with semaphore, manager as value:
        yield value
