"""Which route answers a connection: routes, mounts, hosts and the router that tries them in order."""

from __future__ import annotations

from .base import BaseRoute, Match, NoMatchFound
from .convertors import CONVERTOR_TYPES, Convertor, register_url_convertor
from .lifespans import lifespan_of, merge_lifespans, no_lifespan
from .mount import Host, Mount
from .paths import compile_path, get_route_path, replace_params
from .route import Route, WebSocketRoute, get_name, request_response, websocket_session
from .router import Router

__all__ = [
    "CONVERTOR_TYPES",
    "BaseRoute",
    "Convertor",
    "Host",
    "Match",
    "Mount",
    "NoMatchFound",
    "Route",
    "Router",
    "WebSocketRoute",
    "compile_path",
    "get_name",
    "get_route_path",
    "lifespan_of",
    "merge_lifespans",
    "no_lifespan",
    "register_url_convertor",
    "replace_params",
    "request_response",
    "websocket_session",
]
