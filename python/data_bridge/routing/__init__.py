"""Which route answers a connection: routes, mounts, hosts and the router that tries them in order.

API routes and their router need Pydantic; they are imported when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..later import importer
from .base import BaseRoute, Match, NoMatchFound
from .convertors import CONVERTOR_TYPES, Convertor, register_url_convertor
from .lifespans import lifespan_of, merge_lifespans, no_lifespan
from .mount import Host, Mount
from .paths import compile_path, get_route_path, replace_params
from .route import Route, WebSocketRoute, get_name, request_response, websocket_session
from .router import Router

if TYPE_CHECKING:
    from ..dependencies import solve_dependencies
    from .api_route import APIRoute, APIWebSocketRoute
    from .api_router import APIRouter
    from .contexts import RouteContext
    from .handler import get_request_handler, get_websocket_app, run_endpoint_function
    from .included import iter_route_contexts
    from .results import serialize_response

__all__ = [
    "CONVERTOR_TYPES",
    "APIRoute",
    "APIRouter",
    "APIWebSocketRoute",
    "BaseRoute",
    "Convertor",
    "Host",
    "Match",
    "Mount",
    "NoMatchFound",
    "Route",
    "RouteContext",
    "Router",
    "WebSocketRoute",
    "compile_path",
    "get_name",
    "get_request_handler",
    "get_route_path",
    "get_websocket_app",
    "iter_route_contexts",
    "lifespan_of",
    "merge_lifespans",
    "no_lifespan",
    "register_url_convertor",
    "replace_params",
    "request_response",
    "run_endpoint_function",
    "serialize_response",
    "solve_dependencies",
    "websocket_session",
]

#: Names whose modules are imported when they are asked for.
_LATER = {
    "APIRoute": ".api_route",
    "APIRouter": ".api_router",
    "APIWebSocketRoute": ".api_route",
    "RouteContext": ".contexts",
    "_IncludedRouter": ".included",
    "_PING_INTERVAL": "..sse",
    "_effective_route_context_var": ".scopes",
    "_iter_included_route_candidates": ".included",
    "_restore_fastapi_scope_key": ".scopes",
    "get_request_handler": ".handler",
    "get_websocket_app": ".handler",
    "iter_route_contexts": ".included",
    "run_endpoint_function": ".handler",
    "serialize_response": ".results",
    "solve_dependencies": "..dependencies",
}

__getattr__ = importer(__name__, _LATER)
