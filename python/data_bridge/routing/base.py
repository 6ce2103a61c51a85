"""What every kind of route is: something that may match a connection, handle it, and say its own URL."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from ..interop import both
from .paths import get_route_path, match_path

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable
    from typing import Self

    from ..datastructures import URLPath
    from ..types import Receive, Scope, Send
    from .convertors import Convertor


class NoMatchFound(Exception):
    """No route has this name with these parameters. Starlette's ``except`` catches it too."""

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Make one that is Starlette's too where the program has that."""
        kind: type[Self] = both(cls, "starlette.routing.NoMatchFound")
        return super().__new__(kind, *args)

    def __init__(self, name: str, path_params: dict[str, Any]) -> None:
        Exception.__init__(self, f'No route exists for name "{name}" and params "{", ".join(path_params)}".')


class Match(Enum):
    """How far a route fits: ``PARTIAL`` is the path without the method."""

    NONE = 0
    PARTIAL = 1
    FULL = 2

    def __eq__(self, other: object) -> bool:
        # A route may be Starlette's, whose enumeration is another.
        return self is other or (type(other).__name__ == "Match" and getattr(other, "name", None) == self.name)

    def __hash__(self) -> int:
        return hash(self.name)


class BaseRoute:
    """A route. Also an ASGI app by itself, for tools and tests."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether this route fits the connection, and what it adds to the scope then."""
        raise NotImplementedError

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Give the path of the route called ``name``. Raises :class:`NoMatchFound`."""
        raise NotImplementedError

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection that :meth:`matches` was true of."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer this connection, if it matches."""
        match, found = self.matches(scope)
        if match is Match.NONE:
            await refuse(scope, receive, send)
            return
        scope.update(found)
        await self.handle(scope, receive, send)


def path_params_of(
    scope: Scope, regex: re.Pattern[str], convertors: dict[str, Convertor[Any]]
) -> dict[str, Any] | None:
    """Give the path parameters, those of outer routes among them, where the connection's path fits."""
    own = match_path(regex, convertors, get_route_path(scope))
    return None if own is None else {**scope.get("path_params", {}), **own}


def url_among(routes: Iterable[BaseRoute], name: str, path_params: dict[str, Any]) -> URLPath | None:
    """Give the path of the first route that says it is ``name``."""
    for route in routes:
        try:
            return route.url_path_for(name, **path_params)
        except Exception as error:
            if type(error).__name__ != NoMatchFound.__name__:
                raise
    return None


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer that there is nothing here, to a connection that reached no application."""
    if scope["type"] == "http":
        from ..responses import PlainTextResponse  # noqa: PLC0415 - an app of WebSockets alone needs none

        await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)
    elif scope["type"] == "websocket":
        from ..websockets import WebSocketClose  # noqa: PLC0415 - imported by the first WebSocket

        await WebSocketClose()(scope, receive, send)
