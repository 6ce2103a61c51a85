"""Frontends: built web applications below a path, asked when no route matches. Knows no file."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from .. import observing
from ..dependencies import solve_dependencies
from ..exceptions import BaseHTTPException, RequestValidationError, require
from .base import BaseRoute, Match, NoMatchFound
from .handler import SCOPE_KEY
from .paths import get_route_path
from .scopes import CONTEXT_KEY, FRONTEND_PATH_KEY, FRONTEND_SPECIFICITY_KEY, MISSING, found_in, update_scope
from .state import dependant_of

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Sequence

    from .. import params
    from ..datastructures import URLPath
    from ..dependencies import SolvedDependency
    from ..types import Receive, Scope, Send

#: The file that answers for paths of the application inside the page: by what is there, one of them, or none.
Fallback = Literal["auto", "index.html", "404.html"] | None
_FALLBACKS = ("auto", "index.html", "404.html", None)
_STACKS = ("fastapi_inner_astack", "fastapi_function_astack")


def _endpoint() -> None:
    """Stand for the frontend, which has no function, in the graph of its dependencies."""


def normalize_frontend_path(path: str) -> str:
    """Check the path and take the slash off its end."""
    require(path, "A frontend path cannot be empty")
    require(path.startswith("/"), "A frontend path must start with '/'")
    return path if path == "/" else path.rstrip("/")


def join_frontend_paths(prefix: str, path: str) -> str:
    """Put a router's prefix before the path."""
    return prefix if prefix and path == "/" else prefix + path


def _specificity(path: str) -> int:
    """Of two frontends, the one with the longer path answers."""
    return 0 if path == "/" else len(path)


class _FrontendRoute(BaseRoute):
    """One frontend."""

    def __init__(
        self, path: str, *, directory: str | os.PathLike[str], fallback: Fallback = "auto", check_dir: bool
    ) -> None:
        from .frontend_files import FrontendFiles  # noqa: PLC0415 - few applications have a frontend

        require(fallback in _FALLBACKS, "fallback must be 'auto', 'index.html', '404.html', or None")
        self.path = normalize_frontend_path(path)
        self.methods = {"GET", "HEAD"}
        self.app = FrontendFiles(directory=directory, fallback=fallback, check_dir=check_dir)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match all below the path."""
        return self.matches_with_path(scope, self.path)

    def matches_with_path(self, scope: Scope, path: str) -> tuple[Match, Scope]:
        """Match all below ``path``, our own with prefixes before it."""
        below = _below(path, get_route_path(scope)) if scope["type"] == "http" else None
        if below is None:
            return Match.NONE, {}
        found = {SCOPE_KEY: {FRONTEND_PATH_KEY: below, FRONTEND_SPECIFICITY_KEY: _specificity(path)}}
        return (Match.FULL if scope["method"] in self.methods else Match.PARTIAL), found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by a file."""
        response = await self.app.get_response_for_scope(scope)
        await response(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Raise :class:`NoMatchFound`: a frontend has no name."""
        raise NoMatchFound(name, path_params)


def _below(path: str, route_path: str) -> str | None:
    if path == "/":
        return route_path.lstrip("/")
    if route_path == path:
        return ""
    return route_path[len(path) + 1 :] if route_path.startswith(f"{path}/") else None


class _FrontendRouteGroup(BaseRoute):
    """The frontends of one router, with its dependencies."""

    endpoint = staticmethod(_endpoint)

    def __init__(
        self, *, dependencies: Sequence[params.Depends] | None = None, dependency_overrides_provider: Any = None
    ) -> None:
        self.routes: list[_FrontendRoute] = []
        self.dependencies = list(dependencies or ())
        self.dependency_overrides_provider = dependency_overrides_provider
        self.frontend_prefix = ""
        self.dependant, _, self._embed_body_fields = dependant_of(
            path="", call=_endpoint, dependencies=self.dependencies
        )

    def add_frontend_route(
        self, path: str, *, directory: str | os.PathLike[str], fallback: Fallback = "auto", check_dir: bool
    ) -> None:
        """Add a frontend."""
        self.routes.append(_FrontendRoute(path, directory=directory, fallback=fallback, check_dir=check_dir))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match as the frontend does whose path is the longest."""
        return self.matches_with_prefix(scope, "")

    def matches_with_prefix(self, scope: Scope, prefix: str) -> tuple[Match, Scope]:
        """Match with the prefixes of the routers above."""
        match, found, _ = self._match(scope, prefix=prefix)
        return match, found

    def _match(self, scope: Scope, *, prefix: str) -> tuple[Match, Scope, _FrontendRoute | None]:
        best: tuple[Match, Scope, _FrontendRoute | None] = (Match.NONE, {}, None)
        rank = (0, -1)
        for route in self.routes:
            path = join_frontend_paths(prefix, route.path)
            match, found = route.matches_with_path(scope, path)
            own = (match.value, _specificity(path))
            if match is not Match.NONE and own > rank:
                best, rank = (match, found, route), own
        return best

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by a file, once the dependencies have let the request through."""
        context = found_in(scope, CONTEXT_KEY)
        state: Any = context if context is not None and context.original_route is self else self
        match, found, route = self._match(scope, prefix=state.frontend_prefix)
        if route is None:
            raise BaseHTTPException(status_code=404)
        update_scope(scope, found)
        path = join_frontend_paths(state.frontend_prefix, route.path).rstrip("/")
        observing.route_selected(scope, f"{path}/{{path}}")
        if match is not Match.FULL or not state.dependant.dependencies:
            await route.handle(scope, receive, send)
            return
        async with _solved(state, scope, receive, send) as solved:
            response = await route.app.get_response_for_scope(scope)
            if response.background is None:
                response.background = solved.background_tasks
            response.raw_headers.extend(solved.response.raw_headers)
            await response(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Raise :class:`NoMatchFound`: frontends have no names."""
        raise NoMatchFound(name, path_params)


@asynccontextmanager
async def _solved(state: Any, scope: Scope, receive: Receive, send: Send) -> AsyncIterator[SolvedDependency]:
    """Call the dependencies; generators among them end after what stands inside."""
    from ..requests import Request  # noqa: PLC0415 - the module is there by the first request

    before = {name: scope.get(name, MISSING) for name in _STACKS}
    try:
        async with AsyncExitStack() as request_stack, AsyncExitStack() as function_stack:
            scope.update(zip(_STACKS, (request_stack, function_stack), strict=True))
            solved = await solve_dependencies(
                request=Request(scope, receive, send),
                dependant=state.dependant,
                dependency_overrides_provider=state.dependency_overrides_provider,
                async_exit_stack=request_stack,
                embed_body_fields=state._embed_body_fields,
            )
            if solved.errors:
                raise RequestValidationError(solved.errors)
            yield solved
    finally:
        for name, stack in before.items():
            if stack is MISSING:
                scope.pop(name, None)
            else:
                scope[name] = stack
