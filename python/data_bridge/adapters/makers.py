"""Values that Python makes before user code runs: the request, its answer's head, models of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import upstream

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..plan.types import Place

#: What a maker is given: the request's `starlette.requests.Request`, on which the others are kept.
Maker = "Callable[[Any], Any]"

RESPONSE = "data_bridge.response"
BACKGROUND = "data_bridge.background"


def request(given: Any) -> Any:
    """Give the request."""
    return given


def response(given: Any) -> Any:
    """Make the response whose head the user may fill."""
    made = upstream.Response()
    del made.headers["content-length"]
    made.status_code = None  # type: ignore[assignment]  # nothing said yet
    given.scope[RESPONSE] = made
    return made


def background(given: Any) -> Any:
    """Make the list of what the user leaves for afterwards."""
    from fastapi import BackgroundTasks  # noqa: PLC0415 - FastAPI's own subclass

    made = BackgroundTasks()
    given.scope[BACKGROUND] = made
    return made


def security_scopes(scopes: list[str]) -> Callable[[Any], Any]:
    """Make the scopes that a dependency asks for."""

    def make(_given: Any) -> Any:
        return upstream.SecurityScopes(scopes=list(scopes))

    return make


def parameter_model(field: Any, place: Place) -> Callable[[Any], Any]:
    """Make a model of parameters, as FastAPI itself reads it; raises where FastAPI has to decide."""
    source = {"path": "path_params", "query": "query_params", "header": "headers", "cookie": "cookies"}[place]

    def make(given: Any) -> Any:
        values, errors = upstream.dependencies.request_params_to_args([field], getattr(given, source))
        if errors:
            raise ValueError("a parameter is not valid")
        return values[field.name]

    return make
