"""What may be said of an API route, written once: decorators, routers and routes take the same options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

from ..defaults import Default, DefaultPlaceholder
from ..exceptions import DeclarationError
from ..responses import JSONResponse
from ..utils import generate_unique_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from enum import Enum

    from .. import params
    from ..defaults import IncEx
    from ..form_limits import FormLimits
    from ..middleware import Middleware
    from ..responses import Response
    from .api_route import APIRoute
    from .base import BaseRoute


class RouteOptions(TypedDict, total=False):
    """Options of a path operation."""

    #: The type that results are validated, filtered and described by (default: the return annotation; None: none).
    response_model: Any
    #: The status of a result that is no response.
    status_code: int | None
    tags: list[str | Enum] | None
    #: Dependencies whose results nobody takes.
    dependencies: Sequence[params.Depends] | None
    summary: str | None
    #: Markdown (default: the endpoint's doc string up to a form feed).
    description: str | None
    response_description: str
    #: By status: what else the description says of responses.
    responses: dict[int | str, dict[str, Any]] | None
    deprecated: bool | None
    operation_id: str | None
    response_model_include: IncEx | None
    response_model_exclude: IncEx | None
    response_model_by_alias: bool
    response_model_exclude_unset: bool
    response_model_exclude_defaults: bool
    response_model_exclude_none: bool
    include_in_schema: bool
    #: What a result that is no response becomes (default: JSON).
    response_class: type[Response] | DefaultPlaceholder
    #: The route's name (default: the endpoint's).
    name: str | None
    #: Routes that describe what the application will call.
    callbacks: list[BaseRoute] | None
    openapi_extra: dict[str, Any] | None
    generate_unique_id_function: Callable[[APIRoute], str] | DefaultPlaceholder
    #: Bytes of a body, above which a request is answered with 413.
    max_body_size: int | None
    form_limits: FormLimits | None
    #: Run a ``def`` endpoint on the loop's thread: for endpoints that never block (default: in a thread).
    inline: bool
    #: Seconds until the response has to begin, else 504 and the endpoint is cancelled (default: the server's).
    timeout: float | None
    #: What becomes of the endpoint when the client leaves (default: GET, HEAD and streams are cancelled).
    on_disconnect: Literal["cancel", "ignore"] | None
    #: Middleware around this route alone.
    middleware: Sequence[Middleware] | None
    #: Exception handlers of this route alone, by class or by status; they come before the application's.
    exception_handlers: Mapping[Any, Callable[..., Any]] | None


class FullOptions(RouteOptions, total=False):
    """Options that a router gives a route besides."""

    methods: set[str] | list[str] | None
    dependency_overrides_provider: Any | None
    strict_content_type: bool | DefaultPlaceholder
    route_class_override: type[APIRoute] | None


#: FastAPI's options, which every route class gets, and what holds where nothing is said.
DEFAULTS: dict[str, Any] = {
    "response_model": Default(None),
    "status_code": None,
    "tags": None,
    "dependencies": None,
    "summary": None,
    "description": None,
    "response_description": "Successful Response",
    "responses": None,
    "deprecated": None,
    "name": None,
    "methods": None,
    "operation_id": None,
    "response_model_include": None,
    "response_model_exclude": None,
    "response_model_by_alias": True,
    "response_model_exclude_unset": False,
    "response_model_exclude_defaults": False,
    "response_model_exclude_none": False,
    "include_in_schema": True,
    "response_class": Default(JSONResponse),
    "dependency_overrides_provider": None,
    "callbacks": None,
    "openapi_extra": None,
    "generate_unique_id_function": Default(generate_unique_id),
    "strict_content_type": Default(True),
    "max_body_size": None,
}
#: Options that FastAPI's route classes do not know (or only new ones do): handed over only where they were given.
EXTRAS = frozenset(("form_limits", "inline", "timeout", "on_disconnect", "middleware", "exception_handlers"))


def completed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Add what was not said. Raises ``TypeError`` for an option that there is not."""
    unknown = options.keys() - DEFAULTS.keys() - EXTRAS
    if unknown:
        raise TypeError(f"a route has no option {', '.join(map(repr, sorted(unknown)))}")
    timeout = options.get("timeout")
    if timeout is not None and not timeout > 0:
        raise DeclarationError(f"timeout= must be positive seconds, not {timeout!r}")
    if options.get("on_disconnect") not in (None, "cancel", "ignore"):
        raise DeclarationError(f"on_disconnect= must be 'cancel' or 'ignore', not {options['on_disconnect']!r}")
    return {**DEFAULTS, **options}
