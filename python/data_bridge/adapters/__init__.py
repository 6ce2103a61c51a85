"""Adapters: apps of other frameworks, compiled into our plan. What does not compile stays the app's own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ..settings import Settings
    from .serve import Served


def adapt(app: Any, settings: Settings, loop: AbstractEventLoop) -> Served | None:
    """Put the plan into ``app`` where an adapter knows it; None for all other apps.

    Imports no framework that the app itself does not use.
    """
    if not compiles(app, settings):
        return None
    from .serve import Served  # noqa: PLC0415 - needs FastAPI

    return Served(app, loop)


def compiles(app: Any, settings: Settings) -> bool:
    """Say whether an adapter knows ``app``, and may."""
    if not settings.compile or settings.interface == "asgi" or "fastapi" not in sys.modules:
        return False
    from .serve import is_adaptable  # noqa: PLC0415 - needs FastAPI

    return is_adaptable(app)
