"""What kind of function a callable is, as FastAPI sees it: looks through partials, decorators and `__call__`."""

from __future__ import annotations

import functools
import inspect
import sys
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

if sys.version_info >= (3, 13):
    from inspect import iscoroutinefunction
else:
    # Knows functions that `asyncio.coroutine` once marked, as FastAPI does there.
    from asyncio import iscoroutinefunction

Kind = Literal["coroutine", "async generator", "generator", "function"]


def kind_of(call: Callable[..., Any]) -> Kind:
    """Say how ``call`` has to be run."""
    if _any(call, inspect.isgeneratorfunction):
        return "generator"
    if _any(call, inspect.isasyncgenfunction):
        return "async generator"
    if _any(call, _is_coroutine_function):
        return "coroutine"
    return "function"


def _any(call: Callable[..., Any], test: Callable[[Any], bool]) -> bool:
    return any(test(face) for face in _faces(call))


def _faces(call: Callable[..., Any]) -> Iterator[Any]:
    """Give what may carry the mark of its kind: the function itself, or the `__call__` of an object."""
    plain = _without_partials(call)
    unwrapped = unwrap(call)
    yield plain
    yield unwrapped
    if inspect.isclass(unwrapped):
        return
    for owner in (plain, unwrapped):
        method = getattr(owner, "__call__", None)  # noqa: B004 - the method itself is looked at
        if method is not None and not inspect.isroutine(owner):
            yield _without_partials(method)
            yield unwrap(method)


def _is_coroutine_function(face: Any) -> bool:
    return inspect.isroutine(face) and iscoroutinefunction(face)


def unwrap(call: Callable[..., Any]) -> Any:
    """Look through partials and decorators that leave `__wrapped__`."""
    return inspect.unwrap(_without_partials(call))


def _without_partials(call: Any) -> Any:
    while isinstance(call, functools.partial):
        call = call.func
    return call
