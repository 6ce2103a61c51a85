"""The router: routes in the order of their registration, the first full match, else the first partial one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import BaseHTTPException
from ..middleware import wrapped
from .base import BaseRoute, Match, NoMatchFound, refuse, url_among
from .lifespans import lifespan_of, run_lifespan
from .mount import Host, Mount
from .paths import get_route_path
from .route import Route, WebSocketRoute

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from ..datastructures import URLPath
    from ..middleware import Middleware
    from ..requests import Request
    from ..responses import Response
    from ..types import ASGIApp, Lifespan, Receive, Scope, Send
    from ..websockets import WebSocket


class Router:
    """An ASGI app of routes.

    ``redirect_slashes`` sends ``/items/`` to ``/items`` (and the other way round) where only that one exists;
    ``default`` answers what nothing matches (404). ``middleware`` wraps the router, ``max_body_size`` bounds the
    bytes of a body below it.
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute] | None = None,
        redirect_slashes: bool = True,
        default: ASGIApp | None = None,
        lifespan: Lifespan[Any] | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
    ) -> None:
        self.routes: list[BaseRoute] = list(routes or ())
        self.redirect_slashes = redirect_slashes
        self.default: ASGIApp = self.not_found if default is None else default
        self.lifespan_context: Lifespan[Any] = lifespan_of(lifespan)
        self.middleware_stack = wrapped(self.app, middleware, max_body_size)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection."""
        await self.middleware_stack(scope, receive, send)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route a connection, below the router's own middleware."""
        assert scope["type"] in ("http", "websocket", "lifespan")  # noqa: S101 - the type that users know
        scope.setdefault("router", self)
        if scope["type"] == "lifespan":
            await self.lifespan(scope, receive, send)
            return
        route, found = self._match(scope)
        if route is not None:
            scope["route"] = route
            scope.update(found)
            await route.handle(scope, receive, send)
        elif (url := self._redirect_of(scope)) is not None:
            from ..responses import RedirectResponse  # noqa: PLC0415 - few requests need it

            await RedirectResponse(url=url)(scope, receive, send)
        else:
            await self.default(scope, receive, send)

    def _match(self, scope: Scope) -> tuple[BaseRoute | None, Scope]:
        partial: tuple[BaseRoute | None, Scope] = (None, {})
        for route in self.routes:
            match, found = route.matches(scope)
            # By name: a route may be Starlette's, whose enumeration is another.
            if match.name == Match.FULL.name:
                return route, found
            if match.name == Match.PARTIAL.name and partial[0] is None:
                partial = route, found
        return partial

    def _redirect_of(self, scope: Scope) -> str | None:
        """Give the same URL with the slash at its end added or taken off, where that has a route."""
        path = get_route_path(scope)
        if scope["type"] != "http" or not self.redirect_slashes or path == "/":
            return None
        whole = scope["path"]
        other = {**scope, "path": whole.rstrip("/") if path.endswith("/") else f"{whole}/"}
        route = self._match(other)[0]
        if route is None:
            return None
        self._tell_of_redirect(scope, other, route)
        from ..datastructures import URL  # noqa: PLC0415 - few requests need it

        return str(URL(scope=other))

    def _tell_of_redirect(self, scope: Scope, other: Scope, route: BaseRoute) -> None:
        """Tell telemetry which route a redirect leads to."""

    async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404. In an application it is raised, so that the application's own handlers see it."""
        if scope["type"] == "http" and "app" in scope:
            raise BaseHTTPException(status_code=404)
        await refuse(scope, receive, send)

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app's lifespan."""
        await run_lifespan(self.lifespan_context, scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Give the path of the first route of this name with these parameters. Raises :class:`NoMatchFound`."""
        url = url_among(self.routes, name, path_params)
        if url is None:
            raise NoMatchFound(name, path_params)
        return url

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        """Hand all below ``path`` to ``app``."""
        self.routes.append(Mount(path, app=app, name=name))

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        """Hand all that is asked of ``host`` to ``app``."""
        self.routes.append(Host(host, app=app, name=name))

    def add_route(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Response] | Response],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Add a :class:`Route`."""
        route = Route(path, endpoint, methods=methods, name=name, include_in_schema=include_in_schema)
        self.routes.append(route)

    def add_websocket_route(
        self, path: str, endpoint: Callable[[WebSocket], Awaitable[None]], name: str | None = None
    ) -> None:
        """Add a :class:`WebSocketRoute`."""
        self.routes.append(WebSocketRoute(path, endpoint, name=name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Router) and self.routes == other.routes

    __hash__ = None  # type: ignore[assignment]  # equal by what may change
