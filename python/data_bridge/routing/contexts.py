"""What a route is where its router is included: its options together with those of the routers above."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..defaults import DefaultPlaceholder, get_value_or_default
from ..form_limits import FormLimits, validate_form_limits
from ..middleware.body_limit import get_body_size_limit, validate_max_body_size
from .api_route import APIRoute
from .base import BaseRoute, Match, NoMatchFound, path_params_of
from .options import DEFAULTS
from .paths import replace_params
from .scopes import _effective_route_context_var
from .state import RouteState, dependant_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import Enum

    from .. import params
    from ..datastructures import URLPath
    from ..types import ASGIApp, Scope
    from .api_router import APIRouter
    from .frontend import _FrontendRouteGroup

#: A route's attributes that are its options, and stay as they are where it is included.
_SAME = (
    "response_model",
    "status_code",
    "summary",
    "description",
    "response_description",
    "methods",
    "operation_id",
    "response_model_include",
    "response_model_exclude",
    "response_model_by_alias",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
    "name",
    "openapi_extra",
)
#: Those of which the innermost word counts: the route's, its router's, that of who includes it.
_OVERRULED = ("generate_unique_id_function", "strict_content_type")


@dataclass
class _RouterIncludeContext:
    """What an inclusion adds to the routes of ``included_router``."""

    included_router: APIRouter
    prefix: str = ""
    tags: list[str | Enum] = field(default_factory=list)
    dependencies: list[params.Depends] = field(default_factory=list)
    default_response_class: Any = DEFAULTS["response_class"]
    responses: dict[int | str, dict[str, Any]] = field(default_factory=dict)
    callbacks: list[BaseRoute] = field(default_factory=list)
    deprecated: bool | None = None
    include_in_schema: bool = True
    generate_unique_id_function: Any = DEFAULTS["generate_unique_id_function"]
    strict_content_type: bool | DefaultPlaceholder = DEFAULTS["strict_content_type"]
    dependency_overrides_provider: Any | None = None
    max_body_size: int | None = None
    form_limits: FormLimits = field(default_factory=FormLimits)

    @classmethod
    def for_include(
        cls, *, parent_router: APIRouter, included_router: APIRouter, options: Mapping[str, Any]
    ) -> _RouterIncludeContext:
        """Join what ``parent_router`` says with what the call of ``include_router`` does."""
        given, parent = options.get, parent_router
        validate_max_body_size(given("max_body_size"))
        response_class = given("default_response_class", DEFAULTS["response_class"])
        unique_id = given("generate_unique_id_function", DEFAULTS["generate_unique_id_function"])
        return cls(
            included_router=included_router,
            form_limits={**validate_form_limits(given("form_limits")), **included_router.form_limits},
            prefix=parent.prefix + given("prefix", ""),
            tags=[*parent.tags, *(given("tags") or ())],
            dependencies=[*parent.dependencies, *(given("dependencies") or ())],
            default_response_class=get_value_or_default(response_class, parent.default_response_class),
            responses={**parent.responses, **(given("responses") or {})},
            callbacks=[*parent.callbacks, *(given("callbacks") or ())],
            deprecated=given("deprecated") or parent.deprecated,
            include_in_schema=parent.include_in_schema and given("include_in_schema", True),
            generate_unique_id_function=get_value_or_default(unique_id, parent.generate_unique_id_function),
            strict_content_type=parent.strict_content_type,
            dependency_overrides_provider=parent.dependency_overrides_provider,
            max_body_size=get_body_size_limit(
                included_router.max_body_size, given("max_body_size"), parent.max_body_size
            ),
        )

    def combine(self, child_context: _RouterIncludeContext) -> _RouterIncludeContext:
        """Give the inclusion of a router that is included in the one that is included here."""
        child = child_context
        return _RouterIncludeContext(
            included_router=child.included_router,
            form_limits=child.form_limits,
            prefix=self.prefix + child.prefix,
            tags=[*self.tags, *child.tags],
            dependencies=[*self.dependencies, *child.dependencies],
            default_response_class=get_value_or_default(child.default_response_class, self.default_response_class),
            responses={**self.responses, **child.responses},
            callbacks=[*self.callbacks, *child.callbacks],
            deprecated=self.deprecated or child.deprecated,
            include_in_schema=self.include_in_schema and child.include_in_schema,
            generate_unique_id_function=get_value_or_default(
                child.generate_unique_id_function, self.generate_unique_id_function
            ),
            strict_content_type=get_value_or_default(child.strict_content_type, self.strict_content_type),
            dependency_overrides_provider=self.dependency_overrides_provider,
            max_body_size=get_body_size_limit(child.max_body_size, self.max_body_size),
        )

    def path_for(self, route: Any) -> str:
        """Give the route's path with the prefix before it."""
        path: str = self.prefix + route.path
        return path

    def options_of(self, route: APIRoute) -> dict[str, Any]:
        """Give the options that the route has here."""
        router = self.included_router
        options = {name: getattr(route, name) for name in _SAME}
        for name in _OVERRULED:
            options[name] = get_value_or_default(getattr(route, name), getattr(router, name), getattr(self, name))
        return options | {
            "tags": [*self.tags, *route.tags],
            "dependencies": [*self.dependencies, *route.dependencies],
            "responses": {**self.responses, **route.responses},
            "callbacks": [*self.callbacks, *(route.callbacks or ())],
            "deprecated": route.deprecated or self.deprecated,
            "include_in_schema": route.include_in_schema and self.include_in_schema,
            "response_class": get_value_or_default(
                route.response_class, router.default_response_class, self.default_response_class
            ),
            "dependency_overrides_provider": self.dependency_overrides_provider,
            "max_body_size": get_body_size_limit(route.max_body_size, self.max_body_size),
        }


class _EffectiveRouteContext(RouteState):
    """A route where it is included; ``starlette_route`` is the copy with the prefix of one that is no API route."""

    def __init__(self, original_route: BaseRoute, starlette_route: BaseRoute | None = None) -> None:
        self.original_route = original_route
        self.starlette_route = starlette_route
        self.app: ASGIApp | None = None
        self.frontend_prefix = ""
        self.path = self.path_format = self.name = ""
        self.include_in_schema = True
        self.methods = set()
        self.dependencies = []

    @classmethod
    def from_api_route(
        cls, *, original_route: APIRoute, include_context: _RouterIncludeContext
    ) -> _EffectiveRouteContext:
        """Work out what the route is here, with a handler of its own."""
        context = cls(original_route)
        options = include_context.options_of(original_route)
        path = include_context.path_for(original_route)
        context.populate(path, original_route.endpoint, options, original_route.stream_item_type)
        token = _effective_route_context_var.set(context)
        try:
            context.app = original_route.made_app(context.max_body_size)
        finally:
            _effective_route_context_var.reset(token)
        return context

    @classmethod
    def from_frontend_route_group(
        cls, *, original_route: _FrontendRouteGroup, include_context: _RouterIncludeContext
    ) -> _EffectiveRouteContext:
        """Give a group of frontends below the prefix, with the dependencies of the routers above."""
        context = cls(original_route)
        context.frontend_prefix = include_context.prefix
        context.dependencies = [*include_context.dependencies, *original_route.dependencies]
        context.dependency_overrides_provider = include_context.dependency_overrides_provider
        context.dependant, _, context._embed_body_fields = dependant_of(
            path="", call=original_route.endpoint, dependencies=context.dependencies
        )
        return context

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match a connection as the route does here."""
        route: Any = self.original_route
        if hasattr(route, "matches_with_prefix"):
            found: tuple[Match, Scope] = route.matches_with_prefix(scope, self.frontend_prefix)
            return found
        if self.starlette_route is not None:
            return self.starlette_route.matches(scope)
        if scope["type"] != "http":
            return Match.NONE, {}
        path_params = path_params_of(scope, self.path_regex, self.param_convertors)
        if path_params is None:
            return Match.NONE, {}
        is_partial = self.methods and scope["method"] not in self.methods
        child_scope = {"endpoint": self.endpoint, "path_params": path_params}
        return (Match.PARTIAL if is_partial else Match.FULL), child_scope

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Give the route's path here, if it is ``name`` and these are its parameters."""
        from ..datastructures import URLPath  # noqa: PLC0415 - addresses are rarely made

        if self.starlette_route is not None:
            return self.starlette_route.url_path_for(name, **path_params)
        if not isinstance(self.original_route, APIRoute):
            return self.original_route.url_path_for(name, **path_params)
        if name != self.name or path_params.keys() != self.param_convertors.keys():
            raise NoMatchFound(name, path_params)
        path, _ = replace_params(self.path_format, self.param_convertors, path_params)
        return URLPath(path=path, protocol="http")


@dataclass(frozen=True)
class RouteContext:
    """A route as the application has it: ``original_route`` is the object, the rest is what holds where it stands."""

    route: BaseRoute
    _route_context: _EffectiveRouteContext | None = field(default=None, repr=False)

    @property
    def original_route(self) -> BaseRoute:
        """The route that was declared."""
        return self.route if self._route_context is None else self._route_context.original_route

    @property
    def _effective_route(self) -> Any:
        context = self._route_context
        if context is None:
            return self.route
        return context if context.starlette_route is None else context.starlette_route

    @property
    def path(self) -> str | None:
        """The path with all prefixes."""
        return getattr(self._effective_route, "path", None)

    @property
    def path_format(self) -> str | None:
        """The path with its parameters' names alone in the braces."""
        return getattr(self._effective_route, "path_format", None)

    @property
    def name(self) -> str | None:
        """The route's name."""
        return getattr(self._effective_route, "name", None)

    @property
    def methods(self) -> set[str] | None:
        """Its methods."""
        return getattr(self._effective_route, "methods", None)

    @property
    def endpoint(self) -> Callable[..., Any] | None:
        """What answers."""
        return getattr(self._effective_route, "endpoint", None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._effective_route, name)
