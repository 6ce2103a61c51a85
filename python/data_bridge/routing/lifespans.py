"""An app's lifespan: functions of all the kinds that users write, and the app's side of ASGI's protocol."""

from __future__ import annotations

import contextlib
import functools
import inspect
import traceback
import warnings
from typing import TYPE_CHECKING, Any

from ..exceptions import FastAPIDeprecationWarning

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from ..types import Lifespan, Receive, Scope, Send


@contextlib.asynccontextmanager
async def no_lifespan(_app: Any) -> AsyncIterator[None]:
    """Do nothing before and nothing after."""
    yield


def lifespan_of(given: Callable[[Any], Any] | None) -> Lifespan[Any]:
    """Make a lifespan of what the user gave: a context manager's function, or (deprecated) a bare generator."""
    if given is None:
        return no_lifespan
    if inspect.isasyncgenfunction(given):
        _deprecated("async generator")
        return contextlib.asynccontextmanager(given)
    if inspect.isgeneratorfunction(given):
        _deprecated("generator")
        return _of_generator(given)
    return given


def _deprecated(kind: str) -> None:
    text = f"{kind} function lifespans are deprecated, use an @contextlib.asynccontextmanager function instead"
    warnings.warn(text, FastAPIDeprecationWarning, stacklevel=4)


def _of_generator(given: Callable[[Any], Any]) -> Lifespan[Any]:
    manager = contextlib.contextmanager(given)

    @functools.wraps(given)
    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[Any]:
        with manager(app) as state:
            yield state

    return lifespan


def merge_lifespans(outer: Lifespan[Any], inner: Lifespan[Any]) -> Lifespan[Any]:
    """Run ``inner`` within ``outer``; what the outer one leaves in the state wins."""

    @contextlib.asynccontextmanager
    async def merged(app: Any) -> AsyncIterator[Mapping[str, Any] | None]:
        async with outer(app) as above, inner(app) as below:
            yield None if above is None and below is None else {**(below or {}), **(above or {})}

    return merged  # type: ignore[return-value]  # one or the other kind of lifespan


async def run_lifespan(context: Lifespan[Any], scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the two questions of ASGI's lifespan: did it start, did it stop. What failed is sent, then raised."""
    phase = "startup"
    await receive()
    try:
        async with context(scope.get("app")) as state:
            if state is not None:
                _leave(state, scope)
            await send({"type": "lifespan.startup.complete"})
            phase = "shutdown"
            await receive()
    except BaseException:
        await send({"type": f"lifespan.{phase}.failed", "message": traceback.format_exc()})
        raise
    await send({"type": "lifespan.shutdown.complete"})


def _leave(state: Mapping[str, Any], scope: Scope) -> None:
    if "state" not in scope:
        raise RuntimeError('The server does not support "state" in the lifespan scope.')
    scope["state"].update(state)
