"""Classes of Starlette and FastAPI that stand for one of ours. Found by name: neither is ever imported here."""

from __future__ import annotations

import sys
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

#: The classes that `both` has made.
_JOINED: dict[tuple[type[Any], type[Any]], type[Any]] = {}


def ours(cls: Any) -> Any:
    """Give our class for one of theirs, and any other as it is."""
    twin = _TWINS.get(f"{getattr(cls, '__module__', '')}.{getattr(cls, '__name__', '')}")
    return cls if twin is None else getattr(import_module(f"{__package__}.{twin[0]}"), twin[1])


def both(cls: type[Any], theirs: str) -> type[Any]:
    """Give a class that is ``cls`` and their class of this name: an ``except`` for either catches it.

    That is ``cls`` itself in a program that has not imported theirs.
    """
    module, _, name = theirs.rpartition(".")
    found = getattr(sys.modules.get(module), name, None)
    if found is None or issubclass(cls, found):
        return cls
    if (cls, found) not in _JOINED:
        names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
        _JOINED[cls, found] = type(cls.__name__, (cls, found), names)
    return _JOINED[cls, found]
