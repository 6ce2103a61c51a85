"""What a function needs, as its signature says it: a graph of dependants. Knows no request and makes none of them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from data_bridge.plan.callables import is_coroutine_function, is_of_kind, unwrap

if TYPE_CHECKING:
    from data_bridge.defaults import DependencyCacheKey
    from data_bridge.dependency_limits import DependencyConcurrency
    from data_bridge.fields import ModelField
    from data_bridge.security.base import SecurityBase

Call = Callable[..., Any]
#: How many callables' kinds are remembered.
_CALLABLE_CLASSIFICATION_CACHE_SIZE = 4096
#: By a dependant's ``id``: itself (so that the id stays its own) and whether it sees scopes.
_UsesScopesCache = dict[int, tuple["Dependant", bool]]


@dataclass(slots=True)
class Dependant:
    """A callable, the fields and special arguments that it takes, and the dependants whose results it takes."""

    path_params: list[ModelField] = field(default_factory=list)
    query_params: list[ModelField] = field(default_factory=list)
    header_params: list[ModelField] = field(default_factory=list)
    cookie_params: list[ModelField] = field(default_factory=list)
    body_params: list[ModelField] = field(default_factory=list)
    dependencies: list[Dependant] = field(default_factory=list)
    name: str | None = None
    call: Call | None = None
    request_param_name: str | None = None
    websocket_param_name: str | None = None
    http_connection_param_name: str | None = None
    response_param_name: str | None = None
    background_tasks_param_name: str | None = None
    security_scopes_param_name: str | None = None
    own_oauth_scopes: list[str] | None = None
    parent_oauth_scopes: list[str] | None = None
    use_cache: bool = True
    path: str | None = None
    scope: Literal["function", "request"] | None = None
    concurrency: DependencyConcurrency | None = None
    #: By a special argument's name: the class that is wanted, where it is not ours but, say, Starlette's own.
    foreign: dict[str, type[Any]] = field(default_factory=dict)


class _CallIdentity:
    """A callable as a key: by what it is, since one may be equal to another or have no hash."""

    __slots__ = ("call",)

    def __init__(self, call: Call) -> None:
        self.call = call

    def __hash__(self) -> int:
        return id(self.call)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _CallIdentity) and self.call is other.call


def _unwrapped_call(call: Call | None) -> Any:
    return None if call is None else unwrap(call)


@lru_cache(maxsize=_CALLABLE_CLASSIFICATION_CACHE_SIZE)
def _is_gen_callable_cached(call_identity: _CallIdentity) -> bool:
    return is_of_kind(call_identity.call, inspect.isgeneratorfunction)


@lru_cache(maxsize=_CALLABLE_CLASSIFICATION_CACHE_SIZE)
def _is_async_gen_callable_cached(call_identity: _CallIdentity) -> bool:
    return is_of_kind(call_identity.call, inspect.isasyncgenfunction)


@lru_cache(maxsize=_CALLABLE_CLASSIFICATION_CACHE_SIZE)
def _is_coroutine_callable_cached(call_identity: _CallIdentity) -> bool:
    return is_of_kind(call_identity.call, is_coroutine_function)


def _is_gen_callable(call: Call | None) -> bool:
    """Whether it is a generator function or like one."""
    return call is not None and _is_gen_callable_cached(_CallIdentity(call))


def _is_async_gen_callable(call: Call | None) -> bool:
    """Whether it is an asynchronous generator function or like one."""
    return call is not None and _is_async_gen_callable_cached(_CallIdentity(call))


def _is_coroutine_callable(call: Call | None) -> bool:
    """Whether it is a coroutine function or like one."""
    return call is not None and _is_coroutine_callable_cached(_CallIdentity(call))


def _get_computed_scope(*, dependant: Dependant) -> str | None:
    """Until when a generator lives: until the response was sent, unless it says otherwise."""
    if dependant.scope:
        return dependant.scope
    is_generator = _is_gen_callable(dependant.call) or _is_async_gen_callable(dependant.call)
    return "request" if is_generator else None


def _get_oauth_scopes(*, dependant: Dependant) -> list[str]:
    """Give the scopes asked for on the way to this dependant, each once."""
    return list(dict.fromkeys([*(dependant.parent_oauth_scopes or []), *(dependant.own_oauth_scopes or [])]))


def _is_security_scheme(*, dependant: Dependant) -> bool:
    if "data_bridge.security.base" not in sys.modules:
        return False  # Nobody has made one.
    from data_bridge.security.base import SecurityBase  # noqa: PLC0415

    return isinstance(_unwrapped_call(dependant.call), SecurityBase)


def _get_security_scheme(*, dependant: Dependant) -> SecurityBase:
    scheme: SecurityBase = _unwrapped_call(dependant.call)
    return scheme


def _uses_scopes(*, dependant: Dependant, cache: _UsesScopesCache | None = None) -> bool:
    """Whether its result may differ with the scopes that are asked for."""
    cache = {} if cache is None else cache
    known = cache.get(id(dependant))
    if known is not None and known[0] is dependant:
        return known[1]
    found = (
        bool(dependant.own_oauth_scopes)
        or dependant.security_scopes_param_name is not None
        or _is_security_scheme(dependant=dependant)
        or any(_uses_scopes(dependant=part, cache=cache) for part in dependant.dependencies)
    )
    cache[id(dependant)] = (dependant, found)
    return found


def _get_cache_key(*, dependant: Dependant, uses_scopes_cache: _UsesScopesCache | None = None) -> DependencyCacheKey:
    """Name a result that may serve again in the same request."""
    scopes: tuple[str, ...] = ()
    if _uses_scopes(dependant=dependant, cache=uses_scopes_cache):
        scopes = tuple(sorted(_get_oauth_scopes(dependant=dependant)))
    return (dependant.call, scopes, _get_computed_scope(dependant=dependant) or "")
