"""FastAPI's names under FastAPI's module paths: `data_bridge.fastapi.routing` for `fastapi.routing`, and so on.

A module here *is* the module of data_bridge that `modules.py` names for it, the same object: classes are equal however
they were imported, and what a test patches is patched. Nothing of fastapi or starlette is imported.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import data_bridge
from data_bridge.fastapi.modules import MODULES, Aliases

if TYPE_CHECKING:
    from data_bridge import status as status
    from data_bridge.app import App as FastAPI
    from data_bridge.background import BackgroundTasks as BackgroundTasks
    from data_bridge.datastructures import UploadFile as UploadFile
    from data_bridge.exceptions import HTTPException as HTTPException
    from data_bridge.exceptions import WebSocketException as WebSocketException
    from data_bridge.param_functions import Body as Body
    from data_bridge.param_functions import Cookie as Cookie
    from data_bridge.param_functions import Depends as Depends
    from data_bridge.param_functions import File as File
    from data_bridge.param_functions import Form as Form
    from data_bridge.param_functions import Header as Header
    from data_bridge.param_functions import Path as Path
    from data_bridge.param_functions import Query as Query
    from data_bridge.param_functions import Security as Security
    from data_bridge.requests import Request as Request
    from data_bridge.responses import Response as Response
    from data_bridge.routing import APIRouter as APIRouter
    from data_bridge.websockets import WebSocket as WebSocket
    from data_bridge.websockets import WebSocketDisconnect as WebSocketDisconnect

__all__ = [
    "APIRouter",
    "BackgroundTasks",
    "Body",
    "Cookie",
    "Depends",
    "FastAPI",
    "File",
    "Form",
    "HTTPException",
    "Header",
    "Path",
    "Query",
    "Request",
    "Response",
    "Security",
    "UploadFile",
    "WebSocket",
    "WebSocketDisconnect",
    "WebSocketException",
    "status",
]

#: The release of FastAPI whose behaviour this is.
__version__ = "0.165.0"

sys.meta_path.insert(0, Aliases(__name__))


def install() -> None:
    """Let every later ``import fastapi`` of the program give these modules, in libraries too.

    Raises ``RuntimeError`` where FastAPI itself was imported before: call this first.
    """
    if sys.modules.get("fastapi", sys.modules[__name__]) is not sys.modules[__name__]:
        raise RuntimeError(
            "fastapi was imported already: call data_bridge.fastapi.install() before anything imports it"
        )
    if "fastapi" not in sys.modules:
        sys.modules["fastapi"] = sys.modules[__name__]
        sys.meta_path.insert(0, Aliases("fastapi"))


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name in MODULES:  # as `import fastapi` alone gives them
        return import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(data_bridge, "App" if name == "FastAPI" else name)
