"""What every application is below its decorators: a router, middleware in a stated order, exception handlers, state.

From the outside in: server errors, the bound of bodies, the user's middleware (the one added last is outermost),
exception handlers, the router.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from .datastructures import State
from .interop import both, ours
from .middleware import Middleware, wrapped
from .middleware.body_limit import RequestBodyLimitMiddleware
from .middleware.errors import ServerErrorMiddleware
from .middleware.exceptions import ExceptionMiddleware
from .routing import BaseRoute, Router

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from .datastructures import URLPath
    from .requests import Request
    from .responses import Response
    from .types import ASGIApp, Lifespan, Receive, Scope, Send

Handler = TypeVar("Handler", bound="Callable[..., Any]")


class Application:
    """An ASGI application with the public shape of Starlette's."""

    router: Any

    def __init__(
        self,
        debug: bool = False,
        routes: Sequence[BaseRoute] | None = None,
        middleware: Sequence[Middleware] | None = None,
        exception_handlers: Mapping[Any, Callable[..., Any]] | None = None,
        lifespan: Lifespan[Any] | None = None,
        *,
        max_body_size: int | None = None,
    ) -> None:
        self.debug = debug
        self.state = State()
        self.router = Router(routes, lifespan=lifespan)
        self.max_body_size = max_body_size
        self.exception_handlers: dict[Any, Callable[..., Any]] = {}
        for key, handler in (exception_handlers or {}).items():
            self.add_exception_handler(key, handler)
        self.user_middleware: list[Middleware] = list(middleware or ())
        #: The router with all that is around it; made by the first connection.
        self.middleware_stack: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection."""
        scope["app"] = self
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Put everything around the router."""
        limit = [] if self.max_body_size is None else [Middleware(RequestBodyLimitMiddleware, self.max_body_size)]
        return self.stack_of(outer=limit)

    def stack_of(
        self, *, outer: Sequence[Middleware] = (), inner: Sequence[Middleware] = (), router: ASGIApp | None = None
    ) -> ASGIApp:
        """Build the stack with ``outer`` just below the server errors and ``inner`` just above the router.

        ``router`` stands in the router's place.
        """
        handlers = dict(self.exception_handlers)
        of_errors = [handlers.pop(key) for key in list(handlers) if key in (500, Exception)]
        # OpenTelemetry's own instrumentation looks for Starlette's class at the head of a stack.
        outermost = both(ServerErrorMiddleware, "starlette.middleware.errors.ServerErrorMiddleware")
        stack = [
            Middleware(outermost, handler=of_errors[-1] if of_errors else None, debug=self.debug),
            *outer,
            *self.user_middleware,
            Middleware(ExceptionMiddleware, handlers=handlers, debug=self.debug),
            *inner,
        ]
        return wrapped(self.router if router is None else router, stack)

    @property
    def routes(self) -> list[BaseRoute]:
        """The router's routes, in the order in which they are tried."""
        routes: list[BaseRoute] = self.router.routes
        return routes

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Give the path of the route called ``name``. Raises :class:`~data_bridge.routing.NoMatchFound`."""
        path: URLPath = self.router.url_path_for(name, **path_params)
        return path

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        """Hand all below ``path`` to ``app``."""
        self.router.mount(path, app=app, name=name)

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        """Hand all that is asked of ``host`` to ``app``."""
        self.router.host(host, app=app, name=name)

    def add_middleware(self, middleware_class: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Put a middleware around all that were added before. Raises ``RuntimeError`` once the app has started."""
        if self.middleware_stack is not None:
            raise RuntimeError("Cannot add middleware after an application has started")
        self.user_middleware.insert(0, Middleware(middleware_class, *args, **kwargs))

    def add_exception_handler(
        self, exc_class_or_status_code: int | type[Exception], handler: Callable[..., Any]
    ) -> None:
        """Answer exceptions of this class, or with this status, by ``handler(request, exception)``."""
        self.exception_handlers[ours(exc_class_or_status_code)] = handler

    def add_route(
        self,
        path: str,
        route: Callable[[Request], Awaitable[Response] | Response],
        methods: list[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Answer ``path`` by a function of a request, or by an ASGI app."""
        self.router.add_route(path, route, methods=methods, name=name, include_in_schema=include_in_schema)

    def middleware(self, middleware_type: str) -> Callable[[Handler], Handler]:
        """Put the decorated ``function(request, call_next)`` around each HTTP request."""
        assert middleware_type == "http", "Currently only middleware('http') is supported."  # noqa: S101

        def decorator(function: Handler) -> Handler:
            from .middleware.base import BaseHTTPMiddleware  # noqa: PLC0415 - imported where it is used

            self.add_middleware(BaseHTTPMiddleware, dispatch=function)
            return function

        return decorator

    def before_request(self, function: Handler) -> Handler:
        """Call the decorated ``function(request)`` before each HTTP request; it may return the answer."""
        self._hooks()[0].append(function)
        return function

    def after_request(self, function: Handler) -> Handler:
        """Call the decorated ``function(request, response)`` with the head of each answer, before it is sent.

        It may change ``response.status_code`` and ``response.headers``, or return a response to be sent instead.
        """
        self._hooks()[1].append(function)
        return function

    def _hooks(self) -> tuple[list[Callable[..., Any]], list[Callable[..., Any]]]:
        """Give the functions before and after; they stand among the middleware where the first one was registered."""
        from .middleware.hooks import Hooks  # noqa: PLC0415 - imported where it is used

        for declared in self.user_middleware:
            if declared.cls is Hooks:
                return declared.kwargs["before"], declared.kwargs["after"]
        self.add_middleware(Hooks, before=[], after=[])
        return self._hooks()

    def exception_handler(self, exc_class_or_status_code: int | type[Exception]) -> Callable[[Handler], Handler]:
        """Answer exceptions of this class, or with this status, by the decorated function."""

        def decorator(function: Handler) -> Handler:
            self.add_exception_handler(exc_class_or_status_code, function)
            return function

        return decorator
