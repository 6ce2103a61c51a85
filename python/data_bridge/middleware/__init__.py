"""Middleware: declared as class and arguments, wrapped around an app from the inside out.

Each class has a file of its own and is an ASGI app around another. Whoever declares it imports it from there;
nothing is imported with this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..types import ASGIApp

__all__ = ["Middleware", "wrapped"]


class Middleware:
    """A middleware class and the arguments that it will get after the app."""

    def __init__(self, cls: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.cls = cls
        self.args = args
        self.kwargs = kwargs

    def __iter__(self) -> Iterator[Any]:
        return iter((self.cls, self.args, self.kwargs))

    def __repr__(self) -> str:
        arguments = [repr(argument) for argument in self.args]
        arguments += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"{type(self).__name__}({', '.join([getattr(self.cls, '__name__', ''), *arguments])})"


def wrapped(app: ASGIApp, middleware: Iterable[Any] | None, max_body_size: int | None = None) -> ASGIApp:
    """Put middleware around an app, the first one outermost, and a bound of the body around them all.

    Takes anything that gives a class, arguments and keywords, as Starlette's own `Middleware` does.
    """
    for cls, args, kwargs in reversed(list(middleware or ())):
        app = cls(app, *args, **kwargs)
    if max_body_size is not None:
        from .body_limit import RequestBodyLimitMiddleware  # noqa: PLC0415 - imported where it is declared

        app = RequestBodyLimitMiddleware(app, max_body_size=max_body_size)
    return app
