"""Responses: what an endpoint returns when JSON with status 200 is not enough. The rarer ones are imported late."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .base import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from data_bridge.requests import ClientDisconnect

    from .base import Background, RawHeaders
    from .events import EventSourceResponse
    from .file import FileResponse
    from .named import ORJSONResponse, UJSONResponse
    from .ranges import MalformedRangeHeader, RangeNotSatisfiable
    from .streaming import AsyncContentStream, Content, ContentStream, StreamingResponse, SyncContentStream
    from .xml import XMLResponse

__all__ = [
    "AsyncContentStream",
    "Background",
    "ClientDisconnect",
    "Content",
    "ContentStream",
    "EventSourceResponse",
    "FileResponse",
    "HTMLResponse",
    "JSONResponse",
    "MalformedRangeHeader",
    "ORJSONResponse",
    "PlainTextResponse",
    "RangeNotSatisfiable",
    "RawHeaders",
    "RedirectResponse",
    "Response",
    "StreamingResponse",
    "SyncContentStream",
    "UJSONResponse",
    "XMLResponse",
]

_LATER = {
    "AsyncContentStream": ".streaming",
    "Background": ".base",
    "ClientDisconnect": "data_bridge.requests",
    "Content": ".streaming",
    "ContentStream": ".streaming",
    "EventSourceResponse": ".events",
    "FileResponse": ".file",
    "MalformedRangeHeader": ".ranges",
    "ORJSONResponse": ".named",
    "RangeNotSatisfiable": ".ranges",
    "RawHeaders": ".base",
    "StreamingResponse": ".streaming",
    "SyncContentStream": ".streaming",
    "UJSONResponse": ".named",
    "XMLResponse": ".xml",
}


def __getattr__(name: str) -> Any:
    """Import the module of what is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, getattr(import_module(_LATER[name], __name__), name))
