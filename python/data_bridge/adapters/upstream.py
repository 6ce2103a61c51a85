"""What we use of FastAPI and Starlette: the only file that imports them.

Public names, but for the few marked `private`: where a release has moved one of these, what needs it is not compiled.
"""

from __future__ import annotations

import importlib
from typing import Any

from fastapi import FastAPI, params, routing
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies import utils as dependencies
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from fastapi.utils import is_body_allowed_for_status_code
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute

__all__ = [
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
    "http_exception_handler",
    "is_body_allowed_for_status_code",
    "params",
    "private",
    "routing",
    "run_in_threadpool",
]


def private(module: str, name: str) -> Any:
    """Give a name that the frameworks do not promise; None where it is not there."""
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


#: As they were when this module was imported: an integration that replaces one wants its own to be called.
_HOOKS = {
    (routing, "get_request_handler"): routing.get_request_handler,
    (routing, "request_response"): routing.request_response,
    (routing, "serialize_response"): routing.serialize_response,
    (routing, "run_endpoint_function"): routing.run_endpoint_function,
    (dependencies, "solve_dependencies"): dependencies.solve_dependencies,
    (dependencies, "request_params_to_args"): dependencies.request_params_to_args,
    (dependencies, "request_body_to_args"): dependencies.request_body_to_args,
}


def replaced_hook() -> str | None:
    """Say which function of FastAPI's somebody has replaced, if there is one."""
    for (module, name), original in _HOOKS.items():
        current = getattr(module, name, None)
        if current is not original or not getattr(current, "__module__", "").startswith("fastapi."):
            return f"{module.__name__}.{name} was replaced"
    return None
