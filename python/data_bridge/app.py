"""`App`: an application of path operations, with its description and its pages. An ASGI 3.0 application.

Our own server runs its plan without that detour.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import deprecated

from . import observing
from .application import Application
from .exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
    websocket_request_validation_exception_handler,
)
from .exceptions import (
    BaseHTTPException,
    FastAPIDeprecationWarning,
    RequestValidationError,
    WebSocketRequestValidationError,
    require,
)
from .metrics import Figures
from .middleware import Middleware
from .middleware.body_limit import AppBodyLimitMiddleware
from .middleware.exit_stack import AsyncExitStackMiddleware
from .routing.api_router import _ON_EVENT, APIRouter
from .routing.lifespans import merge_lifespans
from .routing.native import NativeRoute
from .routing.options import DEFAULTS

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Literal

    from typing_extensions import Unpack

    from . import params
    from .form_limits import FormLimits
    from .requests import Request
    from .responses import Response
    from .routing import BaseRoute
    from .routing.api_route import APIRoute
    from .routing.api_router import IncludeOptions
    from .routing.frontend import Fallback
    from .routing.options import FullOptions, RouteOptions
    from .types import ASGIApp, Lifespan, Receive, Scope, Send

    Hook = Callable[[], Any]

Endpoint = TypeVar("Endpoint", bound="Callable[..., Any]")


class App(Application):
    """An application.

    The options are FastAPI's; see there for those of the description (``title`` to ``openapi_external_docs``).

    ``lifespan`` is a function of the app that gives an asynchronous context manager: what stands before its ``yield``
    runs before the first request, what stands behind it after the last; a mapping that it yields is each request's
    ``state``. ``threads`` bounds how many ``def`` endpoints run at once on our own server. ``max_body_size`` bounds
    the bytes of a body (default: any): longer ones are answered with 413.
    """

    #: Our own server answers by its plan.
    __data_bridge_plan__ = True

    #: What our own server counts, a :class:`data_bridge.metrics.Metrics`, where it is asked to (``--metrics``).
    metrics = Figures()

    _front: Any

    def __init__(
        self,
        *,
        telemetry: Any = None,
        debug: bool = False,
        routes: list[BaseRoute] | None = None,
        title: str = "FastAPI",
        summary: str | None = None,
        description: str = "",
        version: str = "0.1.0",
        openapi_url: str | None = "/openapi.json",
        openapi_tags: list[dict[str, Any]] | None = None,
        servers: list[dict[str, str | Any]] | None = None,
        dependencies: Sequence[params.Depends] | None = None,
        default_response_class: type[Response] = DEFAULTS["response_class"],
        redirect_slashes: bool = True,
        docs_url: str | None = "/docs",
        redoc_url: str | None = "/redoc",
        swagger_ui_oauth2_redirect_url: str | None = "/docs/oauth2-redirect",
        swagger_ui_init_oauth: dict[str, Any] | None = None,
        middleware: Sequence[Middleware] | None = None,
        exception_handlers: Mapping[Any, Callable[[Request, Any], Any]] | None = None,
        on_startup: Sequence[Hook] | None = None,
        on_shutdown: Sequence[Hook] | None = None,
        lifespan: Lifespan[Any] | None = None,
        terms_of_service: str | None = None,
        contact: dict[str, str | Any] | None = None,
        license_info: dict[str, str | Any] | None = None,
        root_path: str = "",
        root_path_in_servers: bool = True,
        responses: dict[int | str, dict[str, Any]] | None = None,
        callbacks: list[BaseRoute] | None = None,
        webhooks: APIRouter | None = None,
        deprecated: bool | None = None,
        include_in_schema: bool = True,
        swagger_ui_parameters: dict[str, Any] | None = None,
        generate_unique_id_function: Callable[[APIRoute], str] = DEFAULTS["generate_unique_id_function"],
        separate_input_output_schemas: bool = True,
        openapi_external_docs: dict[str, Any] | None = None,
        strict_content_type: bool = True,
        max_body_size: int | None = None,
        form_limits: FormLimits | None = None,
        threads: int = 40,
    ) -> None:
        super().__init__(debug=debug, middleware=middleware, max_body_size=max_body_size)
        self.title = title
        self.summary = summary
        self.description = description
        self.version = version
        self.terms_of_service = terms_of_service
        self.contact = contact
        self.license_info = license_info
        self.openapi_url = openapi_url
        self.openapi_tags = openapi_tags
        self.root_path_in_servers = root_path_in_servers
        self.docs_url = docs_url
        self.redoc_url = redoc_url
        self.swagger_ui_oauth2_redirect_url = swagger_ui_oauth2_redirect_url
        self.swagger_ui_init_oauth = swagger_ui_init_oauth
        self.swagger_ui_parameters = swagger_ui_parameters
        self.servers = servers or []
        self.separate_input_output_schemas = separate_input_output_schemas
        self.openapi_external_docs = openapi_external_docs
        self.openapi_version = "3.1.0"
        self.openapi_schema: dict[str, Any] | None = None
        self._openapi_routes_version: int | None = None
        if openapi_url:
            require(title, "A title must be provided for OpenAPI, e.g.: 'My API'")
            require(version, "A version must be provided for OpenAPI, e.g.: '2.1.0'")
        #: Routes that describe what the application calls; nothing answers on them here.
        self.webhooks = webhooks or APIRouter()
        if root_path:
            _warn_of_root_path()
        self.root_path = root_path
        #: By a dependency: what is called in its place.
        self.dependency_overrides: dict[Callable[..., Any], Callable[..., Any]] = {}
        #: How many ``def`` endpoints our own server runs at once.
        self.threads = threads
        self.router: APIRouter = APIRouter(
            routes=routes,
            redirect_slashes=redirect_slashes,
            dependency_overrides_provider=self,
            on_startup=on_startup,
            on_shutdown=on_shutdown,
            lifespan=lifespan,
            default_response_class=default_response_class,
            dependencies=dependencies,
            callbacks=callbacks,
            deprecated=deprecated,
            include_in_schema=include_in_schema,
            responses=responses,
            generate_unique_id_function=generate_unique_id_function,
            strict_content_type=strict_content_type,
            max_body_size=max_body_size,
            form_limits=form_limits,
        )
        handlers: dict[Any, Callable[..., Any]] = {
            BaseHTTPException: http_exception_handler,
            RequestValidationError: request_validation_exception_handler,
            WebSocketRequestValidationError: websocket_request_validation_exception_handler,
        }
        for key, handler in {**handlers, **(exception_handlers or {})}.items():
            self.add_exception_handler(key, handler)
        self._telemetry = observing.config_of(telemetry)
        self.setup()

    def build_middleware_stack(self) -> ASGIApp:
        """Put everything around the router, and the plan before it."""
        from .adapters import own  # noqa: PLC0415 - needs this module
        from .adapters.front import Front  # noqa: PLC0415

        self._front = Front(own, self.router)
        outer = [Middleware(AppBodyLimitMiddleware, max_body_size=self.max_body_size)]
        return self.stack_of(outer=outer, inner=[Middleware(AsyncExitStackMiddleware)], router=self._front)

    def front(self) -> Any:
        """Give the plan, which stands in the router's place and hands on what it does not answer."""
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        return self._front

    def is_observed(self) -> bool:
        """Whether telemetry watches the app's requests."""
        return observing.wanted(self, {})

    def openapi(self) -> dict[str, Any]:
        """Describe the application; made again when routes were added since."""
        from .openapi.utils import get_openapi  # noqa: PLC0415 - large, and few requests need it

        version = self.router._get_routes_version()
        if not self.openapi_schema or self._openapi_routes_version != version:
            self.openapi_schema = get_openapi(
                title=self.title,
                version=self.version,
                openapi_version=self.openapi_version,
                summary=self.summary,
                description=self.description,
                terms_of_service=self.terms_of_service,
                contact=self.contact,
                license_info=self.license_info,
                routes=self.routes,
                webhooks=self.webhooks.routes,
                tags=self.openapi_tags,
                servers=self.servers,
                separate_input_output_schemas=self.separate_input_output_schemas,
                external_docs=self.openapi_external_docs,
            )
            self._openapi_routes_version = version
        return self.openapi_schema

    def setup(self) -> None:
        """Add the routes of the description and of its pages."""
        from .openapi.pages import add_pages  # noqa: PLC0415 - nobody else needs it

        add_pages(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI connection."""
        if self.root_path:
            scope["root_path"] = self.root_path
        if scope["type"] == "lifespan":
            await observing.lifespan(self, super().__call__, scope, receive, send)
        elif observing.wanted(self, scope):
            await observing.observed(self, super().__call__, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def run(self, host: str = "127.0.0.1", port: int = 8000, **settings: Any) -> None:
        """Serve this application until SIGINT or SIGTERM; see :func:`data_bridge.serve`."""
        from .serving import serve  # noqa: PLC0415 - an app under a foreign server needs none of ours

        serve(self, host=host, port=port, **settings)

    def native(
        self,
        path: str,
        content: Any,
        *,
        methods: Iterable[str] = ("GET", "HEAD"),
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        timeout: float | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Answer ``path`` without the interpreter on our own server: also while Python is busy.

        ``content`` is text or bytes to answer with each time, such as a health check's, or a handler in Rust from a
        module of your own, built with ``data-bridge-sdk``. For text and bytes, ``content_type`` defaults to UTF-8 text
        (``str``) and to ``application/octet-stream`` (``bytes``).

        For handlers, ``timeout`` bounds the seconds until the response begins, ``include_in_schema`` says whether
        OpenAPI shows it; a mount takes every method. Raises ``ImportError`` where its module was built for another ABI,
        ``ValueError`` where the path's parameters are not the handler's.
        """
        route: BaseRoute
        if isinstance(content, str | bytes):
            route = NativeRoute(path, content, methods, status, headers or {}, content_type)
        else:
            from .routing.native_handler import NativeHandlerRoute  # noqa: PLC0415 - few applications have a handler

            route = NativeHandlerRoute(path, content, methods, timeout, include_in_schema=include_in_schema)
            self.router.lifespan_context = merge_lifespans(route.lifespan, self.router.lifespan_context)
        self.router.routes.append(route)
        self.router._mark_routes_changed()

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Unpack[FullOptions]) -> None:
        """Add a path operation."""
        self.router.add_api_route(path, endpoint, **options)

    def api_route(self, path: str, **options: Unpack[FullOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer ``path`` (``methods``: GET) by the decorated endpoint."""
        return self.router.api_route(path, **options)

    def route(
        self, path: str, methods: Iterable[str] = ("GET",), **options: Unpack[RouteOptions]
    ) -> Callable[[Endpoint], Endpoint]:
        """Answer ``methods`` on ``path`` by the decorated endpoint."""
        return self.router.api_route(path, methods=list(methods), **options)

    def frontend(
        self,
        path: str,
        *,
        directory: str | os.PathLike[str],
        fallback: Fallback = "auto",
        check_dir: bool | Literal["auto"] = "auto",
    ) -> None:
        """Serve a built web application below ``path``, where no route matches."""
        from .routing.frontend_files import resolve_check_dir  # noqa: PLC0415 - few applications have a frontend

        check = resolve_check_dir(directory=directory, check_dir=check_dir)
        self.router.frontend(path, directory=directory, fallback=fallback, check_dir=check)

    def add_api_websocket_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        name: str | None = None,
        *,
        dependencies: Sequence[params.Depends] | None = None,
    ) -> None:
        """Add a WebSocket whose arguments are found by the endpoint's signature."""
        self.router.add_api_websocket_route(path, endpoint, name=name, dependencies=dependencies)

    def websocket(
        self, path: str, name: str | None = None, *, dependencies: Sequence[params.Depends] | None = None
    ) -> Callable[[Endpoint], Endpoint]:
        """Converse over ``path`` by the decorated endpoint."""
        return self.router.websocket(path, name, dependencies=dependencies)

    def websocket_route(self, path: str, name: str | None = None) -> Callable[[Endpoint], Endpoint]:
        """Add the decorated function of a WebSocket as a plain route."""
        return self.router.websocket_route(path, name)

    def include_router(self, router: APIRouter, **options: Unpack[IncludeOptions]) -> None:
        """Take over the routes of ``router``, those added later too, with what is said here."""
        self.router.include_router(router, **options)

    @deprecated(_ON_EVENT)
    def on_event(self, event_type: str) -> Callable[[Endpoint], Endpoint]:
        """Call the decorated function at ``"startup"`` or ``"shutdown"``."""
        return self.router.on_event(event_type)

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer GET."""
        return self.router.get(path, **options)

    def put(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer PUT."""
        return self.router.put(path, **options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer POST."""
        return self.router.post(path, **options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer DELETE."""
        return self.router.delete(path, **options)

    def options(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer OPTIONS."""
        return self.router.options(path, **options)

    def head(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer HEAD, which a GET route does not by itself."""
        return self.router.head(path, **options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer PATCH."""
        return self.router.patch(path, **options)

    def trace(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer TRACE."""
        return self.router.trace(path, **options)


def _warn_of_root_path() -> None:
    warnings.warn(
        "The `root_path` parameter is deprecated. Configure the server's root path instead, for example with "
        "`fastapi run --root-path /api/v1`.",
        category=FastAPIDeprecationWarning,
        stacklevel=3,
    )
