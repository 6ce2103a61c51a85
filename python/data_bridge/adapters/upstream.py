"""The description of genuine FastAPI that the compiler takes: the only file that imports FastAPI and Starlette.

`own` describes our App by the same names. Public names of FastAPI, but for the few got by `_private`: where a release
has moved one of these, what needs it is not compiled.
"""

from __future__ import annotations

import importlib
from typing import Any

from fastapi import BackgroundTasks, FastAPI, params, routing
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies import utils as dependencies
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from fastapi.utils import is_body_allowed_for_status_code
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute

from .hooks import Hooks

__all__ = [
    "COMPILES_LIMITS",
    "TEXT_TYPES",
    "BackgroundTasks",
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
COMPILES_LIMITS = False

#: Response classes that send a text as it stands, and as what.
TEXT_TYPES = {PlainTextResponse: "text/plain; charset=utf-8", HTMLResponse: "text/html; charset=utf-8"}


def _private(module: str, name: str) -> Any:
    """Give a name that the frameworks do not promise; None where it is not there."""
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


request_response = routing.request_response
field_annotation_is_sequence = _private("fastapi._compat", "field_annotation_is_sequence")
is_json_field = _private("fastapi.dependencies.utils", "_is_json_field")
_solve_generator = _private("fastapi.dependencies.utils", "_solve_generator")
_describe = _private("fastapi.routing", "_extract_endpoint_context")

#: Enters a dependency that yields: called with its dependant, the stack that leaves it, its arguments and the request.
enter_generator: Any = None
if _solve_generator is not None:

    async def enter_generator(dependant: Any, stack: Any, values: dict[str, Any], request: Any) -> Any:
        """Run a dependency up to its ``yield``."""
        return await _solve_generator(dependant=dependant, stack=stack, sub_values=values, request=request)


def endpoint_context(dependant: Any, request: Any) -> Any:
    """Say where the endpoint stands, for an error's text."""
    context = dict(_describe(dependant.call)) if _describe else {}
    mounted = request.scope.get("root_path", "").rstrip("/")
    return {**context, "path": f"{request.method} {mounted}{dependant.path}"}


def is_plain(context: Any) -> bool:
    """Say whether nothing stands around the route's handler."""
    return getattr(context.app, "__qualname__", "") == "request_response.<locals>.app"


def is_response(value: Any) -> bool:
    """Say whether an endpoint's result is sent as it is."""
    return isinstance(value, Response)


def telemetry_is_on(app: Any) -> bool:
    """Say whether FastAPI's own telemetry watches the app's requests."""
    telemetry = getattr(app, "_native_telemetry", None)
    return telemetry is not None and bool(telemetry.enabled())


def own_front(_app: Any) -> Any:
    """Give the plan that stands in the app's stack by itself: there is none."""
    return None


replaced_hook = Hooks(
    (routing, "get_request_handler"),
    (routing, "request_response"),
    (routing, "serialize_response"),
    (routing, "run_endpoint_function"),
    (dependencies, "solve_dependencies"),
    (dependencies, "request_params_to_args"),
    (dependencies, "request_body_to_args"),
).replaced
