"""One look at an awaitable: its value if it is there, without waiting for it."""

from __future__ import annotations

import types
from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator


@types.coroutine
def poll(awaitable: Awaitable[Any]) -> Generator[Any, Any, Any]:
    """Run it until it would wait. Gives its value, or None after having cancelled it there."""
    steps = awaitable.__await__()
    try:
        waited = next(steps)
    except StopIteration as done:
        return done.value
    if getattr(waited, "_asyncio_future_blocking", False):
        # It told us, as if we were a task, that we are to wait for this future. We do not.
        waited._asyncio_future_blocking = False
    try:
        waited = steps.throw(CancelledError())
        while True:  # what it does on being cancelled takes its time
            sent = yield waited
            waited = steps.send(sent)
    except StopIteration as done:
        return done.value
    except CancelledError:
        return None
