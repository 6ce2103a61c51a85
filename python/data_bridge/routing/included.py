"""Routers within routers: a route keeps being one object, and is something else wherever its router is included.

What follows from inclusion is worked out when it is first needed, and again once a router's routes have changed.
"""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import observing
from ..middleware.body_limit import wrap_app_with_body_limit
from .api_route import APIRoute, APIWebSocketRoute
from .base import BaseRoute, Match, NoMatchFound, url_among
from .contexts import RouteContext, _EffectiveRouteContext, _RouterIncludeContext
from .frontend import _FrontendRouteGroup
from .mount import Host, Mount
from .paths import compile_path
from .route import Route, WebSocketRoute
from .scopes import CONTEXT_KEY, ROUTER_KEY, apply_form_limits, left_in, own_part, update_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..datastructures import URLPath
    from ..types import ASGIApp, Receive, Scope, Send
    from .api_router import APIRouter

    Found = tuple[Match, Scope, BaseRoute | None, _EffectiveRouteContext | None]


@dataclass(eq=False)
class _IncludedRouter(BaseRoute):
    """The place of a router among the routes of the one that includes it."""

    original_router: APIRouter
    include_context: _RouterIncludeContext
    _effective_routes_lock: Any = field(default_factory=threading.Lock, repr=False)
    _effective_candidates: list[_EffectiveRouteContext | _IncludedRouter] = field(default_factory=list)
    _effective_candidates_version: int | None = None
    _effective_low_priority_routes: list[_EffectiveRouteContext] = field(default_factory=list)
    _effective_low_priority_routes_version: int | None = None

    def effective_candidates(self) -> list[_EffectiveRouteContext | _IncludedRouter]:
        """Give the router's routes as they are here."""
        found: list[Any] = self._kept("_effective_candidates", self._make_candidates)
        return found

    def effective_low_priority_routes(self) -> list[_EffectiveRouteContext]:
        """Give what the router tries when nothing else matches, as it is here."""
        found: list[Any] = self._kept("_effective_low_priority_routes", self._make_low_priority_routes)
        return found

    def _kept(self, name: str, make: Callable[[], list[Any]]) -> Any:
        """Give the list under ``name``, made anew if the router's routes are others than when it was made."""
        version = self.original_router._get_routes_version()
        if version == getattr(self, f"{name}_version"):
            return getattr(self, name)
        with self._effective_routes_lock:
            version = self.original_router._get_routes_version()
            if version != getattr(self, f"{name}_version"):
                setattr(self, name, make())
                setattr(self, f"{name}_version", version)
            return getattr(self, name)

    def _child(self, route: _IncludedRouter) -> _IncludedRouter:
        return _IncludedRouter(route.original_router, self.include_context.combine(route.include_context))

    def _make_candidates(self) -> list[_EffectiveRouteContext | _IncludedRouter]:
        made = (
            self._child(route) if isinstance(route, _IncludedRouter) else self._build_effective_context(route)
            for route in self.original_router.routes
        )
        return [candidate for candidate in made if candidate is not None]

    def _make_low_priority_routes(self) -> list[_EffectiveRouteContext]:
        routes: list[_EffectiveRouteContext] = []
        for route in self.original_router._low_priority_routes:
            context = self._build_effective_context(route)
            if context is None:
                continue
            if not isinstance(route, APIRoute):
                handle = (context.starlette_route or route).handle
                context.app = wrap_app_with_body_limit(handle, self.include_context.max_body_size)
            routes.append(context)
        for route in self.original_router.routes:
            if isinstance(route, _IncludedRouter):
                routes += self._child(route).effective_low_priority_routes()
        return routes

    def _build_effective_context(self, route: BaseRoute) -> _EffectiveRouteContext | None:
        if isinstance(route, APIRoute):
            return _EffectiveRouteContext.from_api_route(original_route=route, include_context=self.include_context)
        if isinstance(route, _FrontendRouteGroup):
            return _EffectiveRouteContext.from_frontend_route_group(
                original_route=route, include_context=self.include_context
            )
        prefixed = _prefixed(route, self.include_context)
        return None if prefixed is None else _EffectiveRouteContext(route, prefixed)

    def _match(self, scope: Scope) -> Found:
        """Give the first route that matches fully, else the first that does in part."""
        partial: Found | None = None
        for candidate in self.effective_candidates():
            match, child_scope, route, context = _match_candidate(candidate, scope)
            if match == Match.FULL:
                return match, child_scope, route, context
            if match == Match.PARTIAL and partial is None:
                partial = match, child_scope, route, context
        return partial or (Match.NONE, {}, None, None)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match by the router's routes; asked of the router, which a user's class may have taught another way."""
        with left_in(scope, ROUTER_KEY, self):
            match, _ = self.original_router.matches(scope)
        return match, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the connection to the router, which hands it back to us."""
        apply_form_limits(scope, self.include_context.form_limits)
        own_part(scope)[ROUTER_KEY] = self
        await self.original_router.handle(scope, receive, send)

    async def _handle_selected(self, scope: Scope, receive: Receive, send: Send) -> None:
        match, child_scope, route, context = self._match(scope)
        if match == Match.NONE or route is None:
            await self._limited(self.original_router.default)(scope, receive, send)
            return
        update_scope(scope, child_scope)
        if context is not None:
            path = getattr(context.starlette_route, "path_format", None) or context.path_format
            observing.route_selected(scope, path, mount=isinstance(route, Mount))
            own_part(scope)[CONTEXT_KEY] = context
        if isinstance(route, _IncludedRouter):
            await route.handle(scope, receive, send)
        elif isinstance(route, APIRoute):
            scope["route"] = route
            await route.handle(scope, receive, send)
        else:
            await self._limited(route.handle)(scope, receive, send)

    def _limited(self, app: ASGIApp) -> ASGIApp:
        return wrap_app_with_body_limit(app, self.include_context.max_body_size)

    def effective_route_contexts(self) -> Iterator[_EffectiveRouteContext]:
        """Give all routes below, those of routers further in at their places."""
        for candidate in self.effective_candidates():
            if isinstance(candidate, _IncludedRouter):
                yield from candidate.effective_route_contexts()
            else:
                yield candidate

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Give the path of the first route of this name with these parameters."""
        url = url_among(self.effective_route_contexts(), name, path_params)  # type: ignore[arg-type]
        if url is None:
            raise NoMatchFound(name, path_params)
        return url


def _match_candidate(candidate: _EffectiveRouteContext | _IncludedRouter, scope: Scope) -> Found:
    if isinstance(candidate, _IncludedRouter):
        return *candidate.matches(scope), candidate, None
    return match_context(candidate, scope)


def match_context(context: _EffectiveRouteContext, scope: Scope) -> Found:
    """Match an included route; an API route is asked itself, since its class may be the user's."""
    route = context.original_route
    if not isinstance(route, APIRoute):
        return *context.matches(scope), context.starlette_route or route, context
    with left_in(scope, CONTEXT_KEY, context):
        return *route.matches(scope), route, context


def _prefixed(route: Any, context: _RouterIncludeContext) -> BaseRoute | None:
    """Give a copy of a route that is no API route with the prefix before its path; None for a kind unknown here."""
    if isinstance(route, APIWebSocketRoute):
        return APIWebSocketRoute(
            context.path_for(route),
            endpoint=route.endpoint,
            name=route.name,
            dependencies=[*context.dependencies, *route.dependencies],
            dependency_overrides_provider=context.dependency_overrides_provider,
        )
    if isinstance(route, Host) or _is_named(route, "Host"):
        from .router import Router  # noqa: PLC0415 - few routers have hosts

        app: ASGIApp = Router(routes=[Mount(context.prefix, app=route.app)]) if context.prefix else route.app
        return Host(route.host, app=app, name=route.name)
    is_mount = isinstance(route, Mount) or _is_named(route, "Mount")
    if is_mount or isinstance(route, (Route, WebSocketRoute)) or _is_named(route, "Route", "WebSocketRoute"):
        copied: Any = copy.copy(route)
        copied.path = context.path_for(route)
        if is_mount:
            copied.path = copied.path.rstrip("/")
        pattern = f"{copied.path}/{{path:path}}" if is_mount else copied.path
        copied.path_regex, copied.path_format, copied.param_convertors = compile_path(pattern)
        return copied  # type: ignore[no-any-return]
    return None


def _is_named(route: Any, *names: str) -> bool:
    """Whether it is Starlette's route of one of these names."""
    return any(base.__name__ in names and base.__module__ == "starlette.routing" for base in type(route).__mro__)


def _iter_included_route_candidates(routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
    for route, context in _iter_routes_with_context(routes):
        yield route if context is None or context.starlette_route is None else context.starlette_route


def iter_route_contexts(routes: Sequence[BaseRoute | RouteContext]) -> Iterator[RouteContext]:
    """Give every route that ``routes`` lead to, with what holds where it stands."""
    for route in routes:
        if isinstance(route, RouteContext):
            yield route
        else:
            yield from (RouteContext(*found) for found in _iter_routes_with_context([route]))


def _iter_routes_with_context(
    routes: Sequence[BaseRoute],
) -> Iterator[tuple[BaseRoute, _EffectiveRouteContext | None]]:
    for route in routes:
        if isinstance(route, _IncludedRouter):
            for context in route.effective_route_contexts():
                yield context.original_route, context
        else:
            yield route, None
