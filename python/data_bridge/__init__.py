"""A Tokio-backed asyncio event loop and HTTP server on one thread."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from data_bridge._native import __version__
from data_bridge.loop import Loop, install, new_event_loop, run

if TYPE_CHECKING:
    from data_bridge import json
    from data_bridge.app import App
    from data_bridge.background import BackgroundTasks
    from data_bridge.embedding import Server
    from data_bridge.exceptions import HTTPException
    from data_bridge.loop import EventLoopPolicy
    from data_bridge.params import Depends, Header, Path, Query
    from data_bridge.requests import Request
    from data_bridge.responses import Response
    from data_bridge.serving import serve

__all__ = [
    "App",
    "BackgroundTasks",
    "Depends",
    "EventLoopPolicy",
    "HTTPException",
    "Header",
    "Loop",
    "Path",
    "Query",
    "Request",
    "Response",
    "Server",
    "__version__",
    "install",
    "json",
    "new_event_loop",
    "run",
    "serve",
]

#: Names whose modules are imported when they are asked for: a program that wants the loop does not pay for Pydantic.
_LATER = {
    "App": "app",
    "BackgroundTasks": "background",
    "Depends": "params",
    "EventLoopPolicy": "loop",
    "HTTPException": "exceptions",
    "Header": "params",
    "Path": "params",
    "Query": "params",
    "Request": "requests",
    "Response": "responses",
    "Server": "embedding",
    "serve": "serving",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name == "json":
        return import_module(f"{__name__}.json")
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
