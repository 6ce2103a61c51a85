"""Where telemetry looks into a request. Until somebody asks for telemetry, nothing is seen and nothing imported."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NOTHING = nullcontext()


class Observer:
    """What routes tell of a request. The telemetry module puts one of its own in :data:`current`."""

    def data(self) -> Any:
        """Give the record that the current request fills (``request``, ``body``, ``values``, ``errors``), or None."""
        return None

    def operation(self, name: str, function: Callable[..., Any] | None) -> AbstractContextManager[None]:
        """Surround a part of a request's work: ``dependencies``, ``endpoint``, ``serialization``."""
        return _NOTHING

    def validation_failed(self, error: Any) -> None:
        """Hear of a request that does not fit its endpoint."""

    def route_selected(self, scope: Any, path: str | None, *, mount: bool = False) -> None:
        """Hear which route answers."""


class Current:
    """The observer in force."""

    observer: Observer = Observer()


def operation(name: str, function: Callable[..., Any] | None) -> AbstractContextManager[None]:
    """Surround a part of a request's work."""
    return Current.observer.operation(name, function)


def run_endpoint(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a ``def`` endpoint in its thread."""
    with operation("endpoint", function):
        return function(**arguments)


def note(**facts: Any) -> None:
    """Fill the current request's record."""
    record = Current.observer.data()
    if record is not None:
        for name, fact in facts.items():
            setattr(record, name, fact)


def route_selected(scope: Any, path: str | None, *, mount: bool = False) -> None:
    """Tell which route answers."""
    Current.observer.route_selected(scope, path, mount=mount)


def validation_failed(error: Any) -> None:
    """Tell that a request does not fit."""
    Current.observer.validation_failed(error)
