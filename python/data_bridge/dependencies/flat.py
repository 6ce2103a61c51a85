"""A dependant's parameters together with those of all that it depends on, as a description needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .models import _get_cache_key

if TYPE_CHECKING:
    from data_bridge.defaults import DependencyCacheKey
    from data_bridge.fields import ModelField

    from .models import Dependant, _UsesScopesCache

_KINDS = ("path_params", "query_params", "header_params", "cookie_params")


def get_flat_params(dependant: Dependant) -> list[ModelField]:
    """Give the parameters outside the body: first those of the path, then of query, header and cookies."""
    from .aliases import _get_flat_fields_from_params  # noqa: PLC0415 - needs Pydantic

    parts = flatten(dependant)
    found: list[ModelField] = []
    for kind in _KINDS:
        found += _get_flat_fields_from_params([field for part in parts for field in getattr(part, kind)])
    return found


def _get_flat_body_params(dependant: Dependant) -> list[ModelField]:
    """Give the body's fields of the dependant and of all that it depends on."""
    fields = list(dependant.body_params)
    for part in dependant.dependencies:
        fields += _get_flat_body_params(part)
    return fields


def flatten(dependant: Dependant) -> list[Dependant]:
    """Give the dependant and what it depends on, in the order of the signatures, each that is called once, once."""
    parts: list[Dependant] = []
    # A list, since a callable may be without a hash.
    seen: list[DependencyCacheKey] = []
    cache: _UsesScopesCache = {}

    def visit(part: Dependant) -> None:
        key = _get_cache_key(dependant=part, uses_scopes_cache=cache)
        if key not in seen:
            seen.append(key)
            parts.append(part)
            for child in part.dependencies:
                visit(child)

    visit(dependant)
    return parts
