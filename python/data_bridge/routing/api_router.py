"""The router of API routes: decorators, routers included in it, frontends, and the events of its life."""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar, cast

from typing_extensions import deprecated

from .. import observing
from ..concurrency import is_async_callable
from ..defaults import get_value_or_default
from ..exceptions import FastAPIError, RouteError, require
from ..form_limits import FormLimits, validate_form_limits
from ..middleware import Middleware
from ..middleware.body_limit import get_body_size_limit, validate_max_body_size, wrap_app_with_body_limit
from .api_route import APIRoute, APIWebSocketRoute
from .base import BaseRoute, Match
from .contexts import _EffectiveRouteContext, _RouterIncludeContext
from .frontend import Fallback, _FrontendRouteGroup, join_frontend_paths, normalize_frontend_path
from .handler import SCOPE_KEY
from .included import _IncludedRouter, _iter_routes_with_context, match_context
from .lifespans import _of_generator, merge_lifespans
from .mount import Mount
from .options import DEFAULTS, EXTRAS
from .router import Router
from .scopes import (
    CONTEXT_KEY,
    FRONTEND_SPECIFICITY_KEY,
    ROUTER_KEY,
    apply_form_limits,
    found_in,
    own_part,
    update_scope,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterator, Sequence
    from enum import Enum
    from typing import Literal, TypedDict

    from typing_extensions import Unpack

    from .. import params
    from ..responses import Response
    from ..types import ASGIApp, Lifespan, Receive, Scope, Send
    from .included import Found
    from .options import FullOptions, RouteOptions

    class IncludeOptions(TypedDict, total=False):
        """What may be said where a router is included: it holds for all its routes."""

        prefix: str
        tags: list[str | Enum] | None
        dependencies: Sequence[params.Depends] | None
        default_response_class: type[Response]
        responses: dict[int | str, dict[str, Any]] | None
        callbacks: list[BaseRoute] | None
        deprecated: bool | None
        include_in_schema: bool
        generate_unique_id_function: Callable[[APIRoute], str]
        max_body_size: int | None
        form_limits: FormLimits | None


Endpoint = TypeVar("Endpoint", bound="Callable[..., Any]")
_INCLUDE_OPTIONS = frozenset(
    (
        "prefix",
        "tags",
        "dependencies",
        "default_response_class",
        "responses",
        "callbacks",
        "deprecated",
        "include_in_schema",
        "generate_unique_id_function",
        "max_body_size",
        "form_limits",
    )
)
_ON_EVENT = "on_event is deprecated, use lifespan event handlers instead."


class _Events:
    """The lifespan of a router that has none: its functions for start-up and shut-down."""

    def __init__(self, router: APIRouter) -> None:
        self._router = router

    def __call__(self, app: Any) -> _Events:
        return self

    async def __aenter__(self) -> None:
        await _call_all(self._router.on_startup)

    async def __aexit__(self, *error: object) -> None:
        await _call_all(self._router.on_shutdown)


async def _call_all(functions: list[Callable[[], Any]]) -> None:
    for function in functions:
        if is_async_callable(function):
            await function()
        else:
            function()


def _check_prefix(prefix: str) -> None:
    require(prefix.startswith("/"), "A path prefix must start with '/'")
    require(not prefix.endswith("/"), "A path prefix must not end with '/', as the routes will start with '/'")


class APIRouter(Router):
    """A router whose routes are path operations. What is said of it holds for all of them."""

    def __init__(
        self,
        *,
        prefix: str = "",
        tags: list[str | Enum] | None = None,
        dependencies: Sequence[params.Depends] | None = None,
        default_response_class: type[Response] = DEFAULTS["response_class"],
        responses: dict[int | str, dict[str, Any]] | None = None,
        callbacks: list[BaseRoute] | None = None,
        routes: list[BaseRoute] | None = None,
        redirect_slashes: bool = True,
        default: ASGIApp | None = None,
        dependency_overrides_provider: Any | None = None,
        route_class: type[APIRoute] = APIRoute,
        on_startup: Sequence[Callable[[], Any]] | None = None,
        on_shutdown: Sequence[Callable[[], Any]] | None = None,
        lifespan: Lifespan[Any] | None = None,
        deprecated: bool | None = None,
        include_in_schema: bool = True,
        generate_unique_id_function: Callable[[APIRoute], str] = DEFAULTS["generate_unique_id_function"],
        strict_content_type: bool = DEFAULTS["strict_content_type"],
        max_body_size: int | None = None,
        form_limits: FormLimits | None = None,
    ) -> None:
        validate_max_body_size(max_body_size)
        limit = [Middleware(wrap_app_with_body_limit, max_body_size=max_body_size)]
        lifespan_context = self._lifespan_of(lifespan)
        super().__init__(
            routes,
            redirect_slashes,
            default,
            lifespan_context,
            middleware=None if max_body_size is None else limit,
        )
        self.lifespan_context = lifespan_context
        if prefix:
            _check_prefix(prefix)
        self.on_startup: list[Callable[[], Any]] = list(on_startup or ())
        self.on_shutdown: list[Callable[[], Any]] = list(on_shutdown or ())
        self.prefix = prefix
        self.tags: list[str | Enum] = tags or []
        self.dependencies = list(dependencies or ())
        self.deprecated = deprecated
        self.include_in_schema = include_in_schema
        self.responses = responses or {}
        self.callbacks = callbacks or []
        self.dependency_overrides_provider = dependency_overrides_provider
        self.route_class = route_class
        self.default_response_class: Any = default_response_class
        self.generate_unique_id_function: Any = generate_unique_id_function
        self.form_limits = validate_form_limits(form_limits)
        self.strict_content_type: Any = strict_content_type
        self.max_body_size = max_body_size
        self._routes_version = 0
        self._low_priority_routes: list[BaseRoute] = []
        self._frontend_routes: _FrontendRouteGroup | None = None

    def _lifespan_of(self, lifespan: Any) -> Any:
        if lifespan is None:
            return _Events(self)
        if inspect.isasyncgenfunction(lifespan):
            return contextlib.asynccontextmanager(lifespan)
        return _of_generator(lifespan) if inspect.isgeneratorfunction(lifespan) else lifespan

    def _mark_routes_changed(self) -> None:
        self._routes_version += 1

    def _get_routes_version(self, seen: set[int] | None = None) -> int:
        """Give a number that is another one when a route was added, here or in a router that is included here."""
        seen = set() if seen is None else seen
        version = self._routes_version
        if id(self) not in seen:
            seen.add(id(self))
            for route in self.routes:
                if isinstance(route, _IncludedRouter):
                    version += route.original_router._get_routes_version(seen)
        return version

    def _contains_router(self, router: APIRouter, seen: set[int] | None = None) -> bool:
        seen = set() if seen is None else seen
        if id(self) in seen:
            return False
        seen.add(id(self))
        inner = (route.original_router for route in self.routes if isinstance(route, _IncludedRouter))
        return any(child is router or child._contains_router(router, seen) for child in inner)

    def add_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Add a plain route: a function of a request, or an ASGI app."""
        super().add_route(path, endpoint, methods=methods, name=name, include_in_schema=include_in_schema)
        self._mark_routes_changed()

    def add_websocket_route(self, path: str, endpoint: Callable[..., Any], name: str | None = None) -> None:
        """Add a plain WebSocket route: a coroutine function of a WebSocket, or an ASGI app."""
        super().add_websocket_route(path, endpoint, name=name)
        self._mark_routes_changed()

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        """Hand all below ``path`` to ``app``."""
        super().mount(path, app, name)
        self._mark_routes_changed()

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        """Hand all that is asked of ``host`` to ``app``."""
        super().host(host, app, name)
        self._mark_routes_changed()

    def frontend(
        self,
        path: str,
        *,
        directory: str | os.PathLike[str],
        fallback: Fallback = "auto",
        check_dir: bool | Literal["auto"] = "auto",
    ) -> None:
        """Serve a built web application below ``path``, where no route matches."""
        from .frontend_files import resolve_check_dir  # noqa: PLC0415 - few applications have a frontend

        check = resolve_check_dir(directory=directory, check_dir=check_dir)
        joined = join_frontend_paths(self.prefix, normalize_frontend_path(path))
        if self._frontend_routes is None:
            self._frontend_routes = _FrontendRouteGroup(
                dependencies=self.dependencies, dependency_overrides_provider=self.dependency_overrides_provider
            )
            self._low_priority_routes.append(self._frontend_routes)
        self._frontend_routes.add_frontend_route(joined, directory=directory, fallback=fallback, check_dir=check)
        self._mark_routes_changed()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route a connection, below the router's own middleware."""
        if scope["type"] not in ("http", "websocket", "lifespan"):
            raise AssertionError(f"a router does not speak ASGI {scope['type']!r}")
        apply_form_limits(scope, self.form_limits)
        scope.setdefault("router", self)
        if scope["type"] == "lifespan":
            await self.lifespan(scope, receive, send)
            return
        route, found = self._match(scope)
        if route is not None:
            update_scope(scope, found)
            path = getattr(route, "path_format", None)
            observing.route_selected(scope, path, mount=isinstance(route, Mount))
            await route.handle(scope, receive, send)
        elif (url := self._redirect_of(scope)) is not None:
            from ..responses import RedirectResponse  # noqa: PLC0415 - few requests need it

            await RedirectResponse(url=url)(scope, receive, send)
        elif not await self._try_low_priority(scope, receive, send):
            await self.default(scope, receive, send)

    def _tell_of_redirect(self, scope: Scope, other: Scope, route: BaseRoute) -> None:
        if scope.get(observing.SCOPE_KEY) is None:
            return
        found: Any = route
        while isinstance(found, _IncludedRouter):
            _, _, inner, context = found._match(other)
            found = inner if context is None else context.starlette_route or context
        observing.route_selected(scope, getattr(found, "path_format", None))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection; one that comes by an inclusion, as the routes are there."""
        included = self._inclusion_in(scope)
        if included is not None:
            await included._handle_selected(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match a connection that comes by an inclusion."""
        included = self._inclusion_in(scope)
        return (Match.NONE, {}) if included is None else included._match(scope)[:2]

    def _inclusion_in(self, scope: Scope) -> _IncludedRouter | None:
        included = found_in(scope, ROUTER_KEY)
        is_ours = isinstance(included, _IncludedRouter) and included.original_router is self
        return cast("_IncludedRouter", included) if is_ours else None

    def _iter_low_priority_routes(self) -> Iterator[BaseRoute | _EffectiveRouteContext]:
        yield from self._low_priority_routes
        for route in self.routes:
            if isinstance(route, _IncludedRouter):
                yield from route.effective_low_priority_routes()

    def _match_low_priority(self, scope: Scope) -> Found:
        """Of what is tried last give the best: a full match first, among frontends the most exact."""
        best: dict[Match, Found] = {}
        for candidate in self._iter_low_priority_routes():
            found: Found
            if isinstance(candidate, _EffectiveRouteContext):
                found = match_context(candidate, scope)
            else:
                found = (*candidate.matches(scope), candidate, None)
            before = best.get(found[0])
            if before is None or _is_more_specific(found[1], before[1]):
                best[found[0]] = found
        return best.get(Match.FULL) or best.get(Match.PARTIAL) or (Match.NONE, {}, None, None)

    async def _try_low_priority(self, scope: Scope, receive: Receive, send: Send) -> bool:
        match, found, route, context = self._match_low_priority(scope)
        if match == Match.NONE or route is None:
            return False
        update_scope(scope, found)
        observing.route_selected(scope, getattr(context or route, "path_format", None))
        if context is not None:
            own_part(scope)[CONTEXT_KEY] = context
        if context is None or isinstance(context.original_route, APIRoute):
            await route.handle(scope, receive, send)
        else:
            await cast("ASGIApp", context.app)(scope, receive, send)
        return True

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Unpack[FullOptions]) -> None:
        """Add a path operation.

        Raises :class:`~data_bridge.exceptions.RouteError`, naming its file and line, for what is wrong with it.
        """
        given: dict[str, Any] = dict(options)
        route_class = given.pop("route_class_override", None) or self.route_class
        full = {**DEFAULTS, **given}
        # What a route class of one's own may not know is handed over where it was said.
        for name in EXTRAS & given.keys():
            if given[name] is None or given[name] is False:
                del full[name]
        full |= {
            "responses": {**self.responses, **(full["responses"] or {})},
            "tags": [*self.tags, *(full["tags"] or ())],
            "dependencies": [*self.dependencies, *(full["dependencies"] or ())],
            "callbacks": [*self.callbacks, *(full["callbacks"] or ())],
            "deprecated": full["deprecated"] or self.deprecated,
            "include_in_schema": full["include_in_schema"] and self.include_in_schema,
            "response_class": get_value_or_default(full["response_class"], self.default_response_class),
            "dependency_overrides_provider": self.dependency_overrides_provider,
            "generate_unique_id_function": get_value_or_default(
                full["generate_unique_id_function"], self.generate_unique_id_function
            ),
            "strict_content_type": get_value_or_default(full["strict_content_type"], self.strict_content_type),
            "max_body_size": get_body_size_limit(full["max_body_size"], self.max_body_size),
        }
        with _located(endpoint):
            route = route_class(self.prefix + path, endpoint=endpoint, **full)
        self.routes.append(route)
        self._mark_routes_changed()

    def api_route(self, path: str, **options: Unpack[FullOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer ``path`` (``methods``: GET) by the decorated endpoint."""

        def decorator(endpoint: Endpoint) -> Endpoint:
            self.add_api_route(path, endpoint, **options)
            return endpoint

        return decorator

    def route(
        self,
        path: str,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> Callable[[Endpoint], Endpoint]:
        """Add the decorated function of a request as a plain route."""

        def decorator(endpoint: Endpoint) -> Endpoint:
            self.add_route(path, endpoint, methods=methods, name=name, include_in_schema=include_in_schema)
            return endpoint

        return decorator

    def add_api_websocket_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        name: str | None = None,
        *,
        dependencies: Sequence[params.Depends] | None = None,
    ) -> None:
        """Add a WebSocket whose arguments are found by the endpoint's signature."""
        with _located(endpoint):
            route = APIWebSocketRoute(
                self.prefix + path,
                endpoint=endpoint,
                name=name,
                dependencies=[*self.dependencies, *(dependencies or ())],
                dependency_overrides_provider=self.dependency_overrides_provider,
            )
        self.routes.append(route)
        self._mark_routes_changed()

    def websocket(
        self, path: str, name: str | None = None, *, dependencies: Sequence[params.Depends] | None = None
    ) -> Callable[[Endpoint], Endpoint]:
        """Converse over ``path`` by the decorated endpoint."""

        def decorator(endpoint: Endpoint) -> Endpoint:
            self.add_api_websocket_route(path, endpoint, name=name, dependencies=dependencies)
            return endpoint

        return decorator

    def websocket_route(self, path: str, name: str | None = None) -> Callable[[Endpoint], Endpoint]:
        """Add the decorated function of a WebSocket as a plain route."""

        def decorator(endpoint: Endpoint) -> Endpoint:
            self.add_websocket_route(path, endpoint, name=name)
            return endpoint

        return decorator

    def include_router(self, router: APIRouter, **options: Unpack[IncludeOptions]) -> None:
        """Take over the routes of ``router``, those added later too, with what is said here."""
        unknown = options.keys() - _INCLUDE_OPTIONS
        if unknown:
            raise TypeError(f"include_router() has no option {', '.join(map(repr, sorted(unknown)))}")
        if not isinstance(router, APIRouter):
            kind = f"{type(router).__module__}.{type(router).__qualname__}"
            raise TypeError(
                f"include_router() takes an APIRouter of data_bridge, not a {kind}: import what makes it from "
                "data_bridge.fastapi, or call data_bridge.fastapi.install() before any library imports fastapi"
            )
        require(
            self is not router,
            "Cannot include the same APIRouter instance into itself. Did you mean to include a different router?",
        )
        require(
            not router._contains_router(self),
            "Cannot include an APIRouter instance that already includes this router. "
            "Did you mean to include a different router?",
        )
        if options.get("prefix"):
            _check_prefix(options["prefix"])
        else:
            _check_paths(router)
        context = _RouterIncludeContext.for_include(parent_router=self, included_router=router, options=options)
        self.routes.append(_IncludedRouter(original_router=router, include_context=context))
        self._mark_routes_changed()
        for handler in router.on_startup:
            self.add_event_handler("startup", handler)
        for handler in router.on_shutdown:
            self.add_event_handler("shutdown", handler)
        self.lifespan_context = merge_lifespans(self.lifespan_context, router.lifespan_context)

    def add_event_handler(self, event_type: str, func: Callable[[], Any]) -> None:
        """Call ``func`` at ``"startup"`` or ``"shutdown"``."""
        require(event_type in ("startup", "shutdown"), f"there is no event {event_type!r}")
        (self.on_startup if event_type == "startup" else self.on_shutdown).append(func)

    @deprecated(_ON_EVENT)
    def on_event(self, event_type: str) -> Callable[[Endpoint], Endpoint]:
        """Call the decorated function at ``"startup"`` or ``"shutdown"``."""

        def decorator(func: Endpoint) -> Endpoint:
            self.add_event_handler(event_type, func)
            return func

        return decorator

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer GET."""
        return self.api_route(path, methods=["GET"], **options)

    def put(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer PUT."""
        return self.api_route(path, methods=["PUT"], **options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer POST."""
        return self.api_route(path, methods=["POST"], **options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer DELETE."""
        return self.api_route(path, methods=["DELETE"], **options)

    def options(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer OPTIONS."""
        return self.api_route(path, methods=["OPTIONS"], **options)

    def head(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer HEAD, which a GET route does not by itself."""
        return self.api_route(path, methods=["HEAD"], **options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer PATCH."""
        return self.api_route(path, methods=["PATCH"], **options)

    def trace(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer TRACE."""
        return self.api_route(path, methods=["TRACE"], **options)


def _is_more_specific(found: Scope, before: Scope) -> bool:
    own, other = (part.get(SCOPE_KEY, {}).get(FRONTEND_SPECIFICITY_KEY) for part in (found, before))
    return isinstance(own, int) and isinstance(other, int) and own > other


def _check_paths(router: APIRouter) -> None:
    """Refuse routes that would have no path at all."""
    for route, context in _iter_routes_with_context(router.routes):
        effective: Any = route if context is None else context.starlette_route or context
        if getattr(effective, "path", None) == "":
            name = getattr(effective, "name", "unknown")
            raise FastAPIError(f"Prefix and path cannot be both empty (path operation: {name})")


@contextlib.contextmanager
def _located(endpoint: Any) -> Iterator[None]:
    """Name the endpoint's file and line in what is wrong with its route."""
    try:
        yield
    except Exception as error:
        function = inspect.unwrap(endpoint.func if isinstance(endpoint, functools.partial) else endpoint)
        code = getattr(function, "__code__", None)
        if code is not None:
            where = f"{code.co_filename}:{code.co_firstlineno}"
            if isinstance(error, RouteError):
                error.args = (f"{where}: {error}",)
            else:
                error.add_note(f"in the route of the endpoint at {where}")
        raise
