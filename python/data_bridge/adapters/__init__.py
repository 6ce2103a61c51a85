"""Adapters: apps of FastAPI's, and our own, compiled into our plan. What does not compile stays the app's own.

One compiler for both: `upstream` describes FastAPI to it, `own` our `App`, by the same names.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ..settings import Settings
    from .serve import Served


#: What is said of a route of which there is nothing to compile.
CONSTANT = "it is a constant"

#: The same, of a handler in Rust.
NATIVE = "it is a handler in Rust"


def framework_of(app: Any) -> Any:
    """Give the description of the framework that ``app`` is of; None for all other apps.

    Imports no framework that the app itself does not use.
    """
    if hasattr(type(app), "__data_bridge_plan__"):
        from . import own  # noqa: PLC0415 - needs Pydantic

        return own
    if "fastapi" not in sys.modules:
        return None
    from . import upstream  # noqa: PLC0415 - needs FastAPI

    return upstream if isinstance(app, upstream.FastAPI) else None


def adapt(app: Any, settings: Settings, loop: AbstractEventLoop) -> Served | None:
    """Put the plan into ``app`` where it is one that we know; None for all other apps."""
    if not compiles(app, settings):
        return None
    from .serve import Served  # noqa: PLC0415 - needs the framework

    return Served(app, loop)


def compiles(app: Any, settings: Settings) -> bool:
    """Say whether the plan can stand behind the middleware of ``app``, and may: it was not called yet."""
    if not settings.compile or settings.interface in ("asgi", "wsgi"):
        return False
    return framework_of(app) is not None and app.middleware_stack is None
