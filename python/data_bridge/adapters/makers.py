"""Values that Python makes before user code runs: the request, its answer's head, models of parameters."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..plan.types import Place

#: What a maker is given: the framework's own request, on which the others are kept.
Maker = "Callable[[Any], Any]"

RESPONSE = "data_bridge.response"
BACKGROUND = "data_bridge.background"


def request(given: Any) -> Any:
    """Give the request."""
    return given


@cache
def response(framework: Any) -> Callable[[Any], Any]:
    """Make the response whose head the user may fill."""

    def make(given: Any) -> Any:
        made = framework.Response()
        del made.headers["content-length"]
        made.status_code = None  # nothing said yet
        given.scope[RESPONSE] = made
        return made

    return make


@cache
def background(framework: Any) -> Callable[[Any], Any]:
    """Make the list of what the user leaves for afterwards."""

    def make(given: Any) -> Any:
        made = framework.BackgroundTasks()
        given.scope[BACKGROUND] = made
        return made

    return make


def security_scopes(framework: Any, scopes: list[str]) -> Callable[[Any], Any]:
    """Make the scopes that a dependency asks for."""

    def make(_given: Any) -> Any:
        return framework.SecurityScopes(scopes=list(scopes))

    return make


def parameter_model(framework: Any, field: Any, place: Place) -> Callable[[Any], Any]:
    """Make a model of parameters, as FastAPI itself reads it; raises where FastAPI has to decide."""
    source = {"path": "path_params", "query": "query_params", "header": "headers", "cookie": "cookies"}[place]

    def make(given: Any) -> Any:
        values, errors = framework.dependencies.request_params_to_args([field], getattr(given, source))
        if errors:
            raise ValueError("a parameter is not valid")
        return values[field.name]

    return make
