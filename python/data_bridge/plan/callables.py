"""What kind of function a callable is: looks through partials, decorators and `__call__`, as FastAPI does."""

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
    if is_of_kind(call, inspect.isgeneratorfunction):
        return "generator"
    if is_of_kind(call, inspect.isasyncgenfunction):
        return "async generator"
    if is_of_kind(call, is_coroutine_function):
        return "coroutine"
    return "function"


def is_of_kind(call: Callable[..., Any], test: Callable[[Any], bool]) -> bool:
    """Say whether calling it runs a function that passes ``test``; calling a class makes an object."""
    return any(test(face) for face in _faces(call))


def _faces(call: Callable[..., Any]) -> Iterator[Any]:
    """Give what may carry the mark of its kind: the function itself, or the `__call__` of an object."""
    plain = without_partials(call)
    unwrapped = unwrap(call)
    yield plain
    yield unwrapped
    if inspect.isclass(unwrapped):
        return
    for owner in (plain, unwrapped):
        method = getattr(owner, "__call__", None)  # noqa: B004 - the method itself is looked at
        if method is not None and not inspect.isroutine(owner):
            yield without_partials(method)
            yield unwrap(method)


def is_coroutine_function(face: Any) -> bool:
    """Say whether this is a coroutine function, and not an object that only carries the mark of one."""
    return inspect.isroutine(face) and iscoroutinefunction(face)


def unwrap(call: Callable[..., Any]) -> Any:
    """Look through partials and decorators that leave `__wrapped__`."""
    return inspect.unwrap(without_partials(call))


def without_partials(call: Any) -> Any:
    """Give what the partials are of."""
    while isinstance(call, functools.partial):
        call = call.func
    return call
