"""What routers leave in a connection's scope for the routes below, under the key that FastAPI's users know."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .handler import FORM_LIMITS_KEY, SCOPE_KEY

if TYPE_CHECKING:
    from ..form_limits import FormLimits
    from ..types import Scope

#: Keys below SCOPE_KEY: the included route that was chosen, the router that was, and of a frontend the path below it
#: and how exact its place is.
CONTEXT_KEY = "effective_route_context"
ROUTER_KEY = "included_router"
FRONTEND_PATH_KEY = "frontend_path"
FRONTEND_SPECIFICITY_KEY = "frontend_specificity"
MISSING: Any = object()

#: The included route for which a handler is being made.
_effective_route_context_var: ContextVar[Any | None] = ContextVar("fastapi_effective_route_context", default=None)


def own_part(scope: Scope) -> dict[str, Any]:
    """Give our part of the scope, made if there is none."""
    part: dict[str, Any] = scope.setdefault(SCOPE_KEY, {})
    return part


def found_in(scope: Scope, key: str) -> Any | None:
    """Give what a router left under ``key``, or None."""
    return scope.get(SCOPE_KEY, {}).get(key)


def _restore_fastapi_scope_key(scope: Scope, key: str, previous: Any) -> None:
    """Put back what stood under ``key`` before; ``MISSING`` for nothing."""
    part = scope.get(SCOPE_KEY)
    if not isinstance(part, dict):
        return
    if previous is MISSING:
        part.pop(key, None)
    else:
        part[key] = previous


class left_in:  # noqa: N801 - read as a phrase: with left_in(scope, key, value)
    """While it lasts, ``value`` stands under ``key``."""

    def __init__(self, scope: Scope, key: str, value: Any) -> None:
        self._scope = scope
        self._key = key
        self._value = value

    def __enter__(self) -> None:
        part = own_part(self._scope)
        self._previous = part.get(self._key, MISSING)
        part[self._key] = self._value

    def __exit__(self, *error: object) -> None:
        _restore_fastapi_scope_key(self._scope, self._key, self._previous)


def update_scope(scope: Scope, found: Scope) -> None:
    """Add what a route found; our part is added to, not replaced."""
    ours = found.get(SCOPE_KEY)
    if isinstance(ours, dict):
        own_part(scope).update(ours)
        found = {key: value for key, value in found.items() if key != SCOPE_KEY}
    scope.update(found)


def apply_form_limits(scope: Scope, limits: FormLimits) -> None:
    """Let the limits hold for the routes below, before those that held already."""
    if limits and scope["type"] == "http":
        part = own_part(scope)
        part[FORM_LIMITS_KEY] = {**part.get(FORM_LIMITS_KEY, {}), **limits}
