"""Arguments that are neither fields nor dependencies: the request, the response to come, background tasks, scopes."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from data_bridge.fields.annotations import is_starlettes, lenient_issubclass

if TYPE_CHECKING:
    from .models import Dependant

#: The attribute of a dependant that names the argument, and the class that such an argument is annotated with. A
#: request is a connection too: the order counts.
_KINDS = (
    ("request_param_name", "data_bridge.requests", "Request"),
    ("websocket_param_name", "data_bridge.websockets", "WebSocket"),
    ("http_connection_param_name", "data_bridge.requests", "HTTPConnection"),
    ("response_param_name", "data_bridge.responses", "Response"),
    ("background_tasks_param_name", "data_bridge.background", "BackgroundTasks"),
    ("security_scopes_param_name", "data_bridge.security.oauth2", "SecurityScopes"),
)


@cache
def _classes() -> tuple[tuple[str, str, type[Any]], ...]:
    return tuple(
        (attribute, name, getattr(import_module(module), name))
        for attribute, module, name in _KINDS
        # Nobody can name a class whose module was never imported.
        if name != "SecurityScopes"
    )


def _security_scopes() -> type[Any] | None:
    import sys  # noqa: PLC0415 - one use

    module = sys.modules.get("data_bridge.security.oauth2")
    return None if module is None else module.SecurityScopes


def kind_of(annotation: Any) -> tuple[str, type[Any] | None] | None:
    """Say which special argument the annotation asks for, and the class if it is not ours; None if it asks for none."""
    if not isinstance(annotation, type):
        return None
    scopes = _security_scopes()
    if scopes is not None and lenient_issubclass(annotation, scopes):
        return "security_scopes_param_name", None
    for attribute, name, cls in _classes():
        if lenient_issubclass(annotation, cls):
            return attribute, None
        if is_starlettes(annotation, name):
            return attribute, annotation
    return None


def add_non_field_param_to_dependency(*, param_name: str, type_annotation: Any, dependant: Dependant) -> bool | None:
    """Note a special argument; None if it is none."""
    kind = kind_of(type_annotation)
    if kind is None:
        return None
    attribute, foreign = kind
    setattr(dependant, attribute, param_name)
    if foreign is not None:
        dependant.foreign[param_name] = foreign
    return True
