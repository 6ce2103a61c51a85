"""The plan for a genuine FastAPI app: where it is put, and what it says of the routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .front import Front

if TYPE_CHECKING:
    from collections.abc import Callable


def build_stack(app: Any, build: Callable[[], Any]) -> tuple[Any, Front]:
    """Build the app's middleware with the plan at its end, where the router would be."""
    router = app.router
    front = Front(router)
    app.router = front
    try:
        return build(), front
    finally:
        app.router = router
