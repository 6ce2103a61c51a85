"""Dependencies that are generators: entered now, left when their scope ends. Knows neither fields nor caches."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from data_bridge.concurrency import contextmanager_in_threadpool
from data_bridge.dependency_limits import limited

from .models import _is_async_gen_callable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from .models import Call, Dependant

T = TypeVar("T")


async def enter_generator(*, dependant: Dependant, stack: AsyncExitStack, values: dict[str, Any], scope: Any) -> Any:
    """Run the generator up to its ``yield``, give what it yields, and leave the rest to ``stack``."""
    call = cast("Call", dependant.call)
    manager: AbstractAsyncContextManager[Any]
    if _is_async_gen_callable(call):
        manager = asynccontextmanager(call)(**values)
        if "anyio" in sys.modules:
            manager = _shielded(manager, _cleanup_scope(scope))
    else:
        manager = contextmanager_in_threadpool(contextmanager(call)(**values))
    if dependant.concurrency is not None:
        manager = limited(manager, dependant.concurrency.get_semaphore())
    return await stack.enter_async_context(manager)


def _cleanup_scope(scope: Any) -> Any:
    """Give a cancel scope of AnyIO's, entered before the first generator of a request, to shield what they clean up.

    asyncio cancels a task once, and clean-up may await after that; AnyIO cancels each await of a scope. Only a program
    that uses AnyIO needs the shield. One scope for all, so that those that generators open end before it.
    """
    import anyio  # noqa: PLC0415 - the program has imported it

    scopes: dict[AsyncExitStack, Any] = scope.setdefault("fastapi_async_cleanup_scopes", {})
    stack: AsyncExitStack = scope["fastapi_inner_astack"]
    if stack not in scopes:
        scopes[stack] = stack.enter_context(anyio.CancelScope())
        stack.callback(scopes.pop, stack)
    return scopes[stack]


@asynccontextmanager
async def _shielded(manager: AbstractAsyncContextManager[T], cleanup_scope: Any) -> AsyncIterator[T]:
    from anyio.lowlevel import checkpoint_if_cancelled  # noqa: PLC0415 - the program has imported it

    before = cleanup_scope.shield
    try:
        async with manager as value:
            try:
                yield value
            finally:
                cleanup_scope.shield = True
    finally:
        cleanup_scope.shield = before
    # A task group of the generator may have swallowed the cancellation.
    await checkpoint_if_cancelled()
