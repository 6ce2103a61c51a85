"""Classes of Starlette and FastAPI that stand for one of ours. Found by name: neither is ever imported here."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Their class, and the module and name of ours.
_TWINS = {
    "starlette.exceptions.HTTPException": ("exceptions", "BaseHTTPException"),
    "starlette.exceptions.WebSocketException": ("exceptions", "WebSocketException"),
    "starlette.websockets.WebSocketDisconnect": ("websockets", "WebSocketDisconnect"),
    "fastapi.exceptions.HTTPException": ("exceptions", "HTTPException"),
    "fastapi.exceptions.WebSocketException": ("exceptions", "WebSocketException"),
    "fastapi.exceptions.RequestValidationError": ("exceptions", "RequestValidationError"),
    "fastapi.exceptions.WebSocketRequestValidationError": ("exceptions", "WebSocketRequestValidationError"),
    "fastapi.exceptions.ResponseValidationError": ("exceptions", "ResponseValidationError"),
}


def ours(cls: Any) -> Any:
    """Give our class for one of theirs, and any other as it is."""
    twin = _TWINS.get(f"{getattr(cls, '__module__', '')}.{getattr(cls, '__name__', '')}")
    return cls if twin is None else getattr(import_module(f"{__package__}.{twin[0]}"), twin[1])
