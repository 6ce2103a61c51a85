"""The description of our own App that the compiler takes; `upstream` describes genuine FastAPI by the same names."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .. import dependencies, routing
from ..app import App as FastAPI
from ..background import BackgroundTasks
from ..concurrency import run_in_threadpool
from ..defaults import DefaultPlaceholder
from ..dependencies import lifetimes
from ..exception_handlers import http_exception_handler
from ..exceptions import BaseHTTPException as HTTPException
from ..exceptions import RequestValidationError
from ..fields.annotations import field_annotation_is_sequence
from ..requests import Request
from ..responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from ..routing import Mount, Route, WebSocketRoute
from ..routing import context as _context
from ..routing.api_route import Deadline, request_response
from ..routing.results import is_response
from ..security.base import SecurityBase
from ..utils import is_body_allowed_for_status_code
from .hooks import Hooks

if TYPE_CHECKING:
    from .. import params
    from ..dependencies.aliases import _is_json_field as is_json_field
    from ..security import SecurityScopes

__all__ = [
    "COMPILES_LIMITS",
    "TEXT_TYPES",
    "BackgroundTasks",
    "Deadline",
    "DefaultPlaceholder",
    "FastAPI",
    "HTTPException",
    "JSONResponse",
    "Mount",
    "Request",
    "RequestValidationError",
    "Response",
    "Route",
    "SecurityBase",
    "SecurityScopes",
    "WebSocketRoute",
    "dependencies",
    "endpoint_context",
    "enter_generator",
    "field_annotation_is_sequence",
    "http_exception_handler",
    "is_body_allowed_for_status_code",
    "is_json_field",
    "is_plain",
    "is_response",
    "own_front",
    "params",
    "replaced_hook",
    "request_response",
    "routing",
    "run_in_threadpool",
    "telemetry_is_on",
]

#: Whether routes compile beside the app's bound of bodies.
COMPILES_LIMITS = True

#: Response classes that send a text as it stands, and as what.
TEXT_TYPES = {PlainTextResponse: "text/plain; charset=utf-8", HTMLResponse: "text/html; charset=utf-8"}

#: Names that only routes with fields ask for; their modules need Pydantic.
_LATER = {
    "SecurityScopes": ("..security", "SecurityScopes"),
    "is_json_field": ("..dependencies", "_is_json_field"),
    "params": ("..param_functions", "params"),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, theirs = _LATER[name]
    return getattr(import_module(module, __package__), theirs)


async def enter_generator(dependant: Any, stack: Any, values: dict[str, Any], request: Any) -> Any:
    """Run a dependency up to its ``yield``."""
    return await lifetimes.enter_generator(dependant=dependant, stack=stack, values=values, scope=request.scope)


def endpoint_context(dependant: Any, request: Any) -> Any:
    """Say where the endpoint stands, for an error's text."""
    return _context.endpoint_context(dependant, request.method, request.scope.get("root_path", ""))


def is_plain(context: Any) -> bool:
    """Say whether nothing stands around the route's handler but what the plan keeps too: deadline, the app's limit."""
    app = context.app
    if context.max_body_size is not None:
        if getattr(context.dependency_overrides_provider, "max_body_size", None) != context.max_body_size:
            return False
        app = app.app.app  # the limit, and what keeps its exception out of groups
    app = app.app if isinstance(app, Deadline) else app
    return getattr(app, "__qualname__", "") == "request_response.<locals>.app"


def telemetry_is_on(app: Any) -> bool:
    """Say whether telemetry watches the app's requests."""
    observed: bool = app.is_observed()
    return observed


def own_front(app: Any) -> Any:
    """Give the plan that stands in the app's stack by itself."""
    return app.front()


replaced_hook = Hooks(
    (routing, "get_request_handler"),
    (routing, "serialize_response"),
    (routing, "run_endpoint_function"),
    (routing, "solve_dependencies"),
).replaced
