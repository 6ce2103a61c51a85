"""Routes to one endpoint: a function of a request or a WebSocket, or an ASGI app."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, ClassVar

from ..concurrency import is_async_callable, run_in_threadpool
from ..exceptions import BaseHTTPException
from ..middleware import wrapped
from ..middleware.handlers import wrap_app_handling_exceptions
from ..requests import Request
from .base import BaseRoute, Match, NoMatchFound, path_params_of
from .paths import compile_path, replace_params

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from ..datastructures import URLPath
    from ..middleware import Middleware
    from ..responses import Response
    from ..types import ASGIApp, Receive, Scope, Send
    from ..websockets import WebSocket


def request_response(func: Callable[[Request], Awaitable[Response] | Response]) -> ASGIApp:
    """Make an ASGI app of a function of a request that gives a response. A ``def`` function runs in a thread."""
    call: Any = func if is_async_callable(func) else functools.partial(run_in_threadpool, func)  # type: ignore[call-arg]  # comes with the call

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request: Request = Request(scope, receive, send)

        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            response = await call(request)
            await response(scope, receive, send)

        await wrap_app_handling_exceptions(respond, request)(scope, receive, send)

    return app


def websocket_session(func: Callable[[WebSocket], Awaitable[None]]) -> ASGIApp:
    """Make an ASGI app of a coroutine function of a WebSocket."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        from ..websockets import WebSocket  # noqa: PLC0415 - imported by the first WebSocket

        session = WebSocket(scope, receive=receive, send=send)

        async def converse(_scope: Scope, _receive: Receive, _send: Send) -> None:
            await func(session)

        await wrap_app_handling_exceptions(converse, session)(scope, receive, send)

    return app


def get_name(endpoint: Callable[..., Any]) -> str:
    """Give the name of a route that was given none."""
    name: str = getattr(endpoint, "__name__", type(endpoint).__name__)
    return name


def is_function(endpoint: Any) -> bool:
    """Say whether this is a function (or a partial of one), not an ASGI app."""
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    return inspect.isfunction(endpoint) or inspect.ismethod(endpoint)


class _EndpointRoute(BaseRoute):
    """What HTTP routes and WebSocket routes have in common."""

    #: The type of connection that is matched, and the protocol of its URL.
    _scope_type: ClassVar[str]

    def __init__(self, path: str, endpoint: Callable[..., Any], name: str | None) -> None:
        assert path.startswith("/"), "Routed paths must start with '/'"  # noqa: S101 - the type that users know
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.app: ASGIApp = endpoint
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the type of connection and the path."""
        if scope["type"] == self._scope_type:
            path_params = path_params_of(scope, self.path_regex, self.param_convertors)
            if path_params is not None:
                return Match.FULL, {"endpoint": self.endpoint, "path_params": path_params}
        return Match.NONE, {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Give this route's path, if it is ``name`` and these are its parameters."""
        from ..datastructures import URLPath  # noqa: PLC0415 - addresses are rarely made

        if name != self.name or path_params.keys() != self.param_convertors.keys():
            raise NoMatchFound(name, path_params)
        path, _ = replace_params(self.path_format, self.param_convertors, path_params)
        return URLPath(path=path, protocol=self._scope_type)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the connection to the endpoint."""
        await self.app(scope, receive, send)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _EndpointRoute)
            and self._scope_type == other._scope_type
            and self.path == other.path
            and self.endpoint == other.endpoint
            and getattr(self, "methods", None) == getattr(other, "methods", None)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by what may change


class Route(_EndpointRoute):
    """An HTTP route. A function gets a request and gives a response (GET by default); anything else is an ASGI app."""

    _scope_type = "http"

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
    ) -> None:
        super().__init__(path, endpoint, name)
        self.include_in_schema = include_in_schema
        if is_function(endpoint):
            self.app = request_response(endpoint)
            methods = ["GET"] if methods is None else methods
        self.app = wrapped(self.app, middleware, max_body_size)
        self.methods = None if methods is None else {method.upper() for method in methods}
        if self.methods and "GET" in self.methods:
            self.methods.add("HEAD")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the path; another method than those of this route matches in part."""
        match, found = super().matches(scope)
        if match is Match.FULL and self.methods and scope["method"] not in self.methods:
            return Match.PARTIAL, found
        return match, found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the endpoint, or answer 405."""
        if self.methods and scope["method"] not in self.methods:
            await method_not_allowed(self.methods, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, name={self.name!r}, methods={sorted(self.methods or ())!r})"


class WebSocketRoute(_EndpointRoute):
    """A WebSocket route. A coroutine function gets the WebSocket; anything else is an ASGI app."""

    _scope_type = "websocket"

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        name: str | None = None,
        middleware: Sequence[Middleware] | None = None,
    ) -> None:
        super().__init__(path, endpoint, name)
        self.app = wrapped(websocket_session(endpoint) if is_function(endpoint) else endpoint, middleware)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, name={self.name!r})"


async def method_not_allowed(methods: Collection[str], scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 405. In an application it is raised, so that the application's own handlers see it."""
    headers = {"Allow": ", ".join(sorted(methods))}
    if "app" in scope:
        raise BaseHTTPException(status_code=405, headers=headers)
    from ..responses import PlainTextResponse  # noqa: PLC0415 - a route outside of an application is rare

    await PlainTextResponse("Method Not Allowed", status_code=405, headers=headers)(scope, receive, send)
