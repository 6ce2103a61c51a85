"""A Tokio-backed asyncio event loop and HTTP server on one thread."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from data_bridge._native import __version__
from data_bridge.loop import Loop, install, new_event_loop, run

if TYPE_CHECKING:
    from data_bridge import json, status
    from data_bridge.app import App
    from data_bridge.background import BackgroundTasks
    from data_bridge.datastructures import UploadFile
    from data_bridge.embedding import Server
    from data_bridge.exceptions import HTTPException, WebSocketException
    from data_bridge.loop import EventLoopPolicy
    from data_bridge.negotiation import Accepts
    from data_bridge.param_functions import Body, Cookie, Depends, File, Form, Header, Path, Query, Security
    from data_bridge.requests import Request
    from data_bridge.responses import Response
    from data_bridge.routing import APIRouter
    from data_bridge.serving import serve
    from data_bridge.websockets import WebSocket, WebSocketDisconnect

__all__ = [
    "APIRouter",
    "Accepts",
    "App",
    "BackgroundTasks",
    "Body",
    "Cookie",
    "Depends",
    "EventLoopPolicy",
    "File",
    "Form",
    "HTTPException",
    "Header",
    "Loop",
    "Path",
    "Query",
    "Request",
    "Response",
    "Security",
    "Server",
    "UploadFile",
    "WebSocket",
    "WebSocketDisconnect",
    "WebSocketException",
    "__version__",
    "install",
    "json",
    "new_event_loop",
    "run",
    "serve",
    "status",
]

#: Names whose modules are imported when they are asked for: a program that wants the loop does not pay for Pydantic.
_LATER = {
    "APIRouter": "routing",
    "Accepts": "negotiation",
    "App": "app",
    "BackgroundTasks": "background",
    "Body": "param_functions",
    "Cookie": "param_functions",
    "Depends": "param_functions",
    "EventLoopPolicy": "loop",
    "File": "param_functions",
    "Form": "param_functions",
    "HTTPException": "exceptions",
    "Header": "param_functions",
    "Path": "param_functions",
    "Query": "param_functions",
    "Request": "requests",
    "Response": "responses",
    "Security": "param_functions",
    "Server": "embedding",
    "UploadFile": "datastructures",
    "WebSocket": "websockets",
    "WebSocketDisconnect": "websockets",
    "WebSocketException": "exceptions",
    "serve": "serving",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name in ("json", "status"):
        return import_module(f"{__name__}.{name}")
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
