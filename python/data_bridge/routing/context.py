"""Which endpoint a request had reached, for the texts of validation errors."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..dependencies import Dependant
    from ..exceptions import EndpointContext


@lru_cache(maxsize=4096)
def _place_of(function: Any) -> tuple[str | None, int | None]:
    try:
        return inspect.getsourcefile(function), inspect.getsourcelines(function)[1]
    except (OSError, TypeError):
        return None, None


def endpoint_context(dependant: Dependant, method: str, root_path: str) -> EndpointContext:
    """Name the endpoint's file, line and function, and the request's method and path as it was declared."""
    context: EndpointContext = {}
    try:
        file, line = _place_of(dependant.call)
    except TypeError:  # A callable without a hash.
        file, line = None, None
    if file is not None and line is not None:
        context["file"], context["line"] = file, line
        name = getattr(dependant.call, "__name__", None)
        if name is not None:
            context["function"] = name
    if dependant.path:
        context["path"] = f"{method} {root_path.rstrip('/')}{dependant.path}"
    return context
