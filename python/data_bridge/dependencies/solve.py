"""From a request to the arguments of its endpoint. Knows neither routes nor responses' bodies.

Dependencies are called in the order of the signatures, then the fields are validated; all errors are collected.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from data_bridge.concurrency import run_in_threadpool
from data_bridge.defaults import UNREAD

from .build import get_dependant
from .lifetimes import enter_generator
from .models import (
    Dependant,
    _get_cache_key,
    _get_oauth_scopes,
    _is_async_gen_callable,
    _is_coroutine_callable,
    _is_gen_callable,
    _UsesScopesCache,
)

if TYPE_CHECKING:
    from data_bridge.background import BackgroundTasks
    from data_bridge.defaults import DependencyCacheKey
    from data_bridge.responses import Response

    from .models import Call


@dataclass
class SolvedDependency:
    """The arguments, or the errors because of which there are not all of them."""

    values: dict[str, Any]
    errors: list[Any]
    background_tasks: BackgroundTasks | None
    response: Response
    dependency_cache: dict[DependencyCacheKey, Any]


async def solve_dependencies(
    *,
    request: Any,
    dependant: Dependant,
    body: Any = UNREAD,
    background_tasks: BackgroundTasks | None = None,
    response: Response | None = None,
    dependency_overrides_provider: Any | None = None,
    dependency_cache: dict[DependencyCacheKey, Any] | None = None,
    async_exit_stack: AsyncExitStack,
    embed_body_fields: bool,
) -> SolvedDependency:
    """Find the arguments of ``dependant.call`` for this request (or WebSocket)."""
    solver = _Solver(request, body, embed_body_fields, dependency_overrides_provider)
    solver.background_tasks = background_tasks
    solver.response = _empty_response() if response is None else response
    solver.cache = {} if dependency_cache is None else dependency_cache
    values, errors = await solver.solve(dependant)
    return SolvedDependency(values, errors, solver.background_tasks, solver.response, solver.cache)


def _empty_response() -> Response:
    """Make the response whose headers, cookies and status endpoint and dependencies may set."""
    from data_bridge.responses import Response  # noqa: PLC0415 - responses builds on much

    response = Response()
    del response.headers["content-length"]
    response.status_code = None  # type: ignore[assignment]
    return response


class _Solver:
    """One request's solving: what all its dependencies share."""

    response: Response
    cache: dict[DependencyCacheKey, Any]

    def __init__(self, request: Any, body: Any, embed_body_fields: bool, provider: Any | None) -> None:
        self.request = request
        self.body = body
        self.embed_body_fields = embed_body_fields
        self.provider = provider
        self.background_tasks: BackgroundTasks | None = None
        self.scopes_cache: _UsesScopesCache = {}
        self.request_stack = _stack(request, "fastapi_inner_astack")
        self.function_stack = _stack(request, "fastapi_function_astack")

    async def solve(self, dependant: Dependant) -> tuple[dict[str, Any], list[Any]]:
        """Give the arguments of ``dependant``, and the errors of it and its dependencies."""
        values: dict[str, Any] = {}
        errors: list[Any] = []
        for part in dependant.dependencies:
            used = self._overridden(part)
            arguments, found = await self.solve(used)
            if found:
                errors += found
                continue
            key = _get_cache_key(dependant=part, uses_scopes_cache=self.scopes_cache)
            if part.use_cache and key in self.cache:
                result = self.cache[key]
            else:
                result = await self._call(part, used, arguments)
            if part.name is not None:
                values[part.name] = result
            self.cache.setdefault(key, result)
        self._take_params(dependant, values, errors)
        if dependant.body_params:
            from .body import request_body_to_args  # noqa: PLC0415 - needs Pydantic

            found_values, found = await request_body_to_args(dependant.body_params, self.body, self.embed_body_fields)
            values.update(found_values)
            errors += found
        self._take_special(dependant, values)
        return values, errors

    def _overridden(self, part: Dependant) -> Dependant:
        overrides = getattr(self.provider, "dependency_overrides", None)
        if not overrides or part.call not in overrides:
            return part
        return get_dependant(
            path=cast("str", part.path),
            call=overrides[part.call],
            name=part.name,
            parent_oauth_scopes=_get_oauth_scopes(dependant=part),
            scope=part.scope,
            concurrency=part.concurrency,
        )

    async def _call(self, part: Dependant, used: Dependant, arguments: dict[str, Any]) -> Any:
        call = cast("Call", used.call)
        if _is_gen_callable(call) or _is_async_gen_callable(call):
            stack = self.function_stack if part.scope == "function" else self.request_stack
            return await enter_generator(dependant=used, stack=stack, values=arguments, scope=self.request.scope)
        limit: Any = nullcontext() if used.concurrency is None else used.concurrency.get_semaphore()
        async with limit:
            if _is_coroutine_callable(call):
                return await call(**arguments)
            return await run_in_threadpool(call, **arguments)

    def _take_params(self, dependant: Dependant, values: dict[str, Any], errors: list[Any]) -> None:
        request = self.request
        for fields, place in (
            (dependant.path_params, "path_params"),
            (dependant.query_params, "query_params"),
            (dependant.header_params, "headers"),
            (dependant.cookie_params, "cookies"),
        ):
            if fields:
                from .values import request_params_to_args  # noqa: PLC0415 - needs Pydantic

                found_values, found = request_params_to_args(fields, getattr(request, place))
                values.update(found_values)
                errors += found

    def _take_special(self, dependant: Dependant, values: dict[str, Any]) -> None:
        request = self.request
        if dependant.http_connection_param_name:
            self._give(dependant, dependant.http_connection_param_name, request, values)
        is_http = request.scope["type"] == "http"
        name = dependant.request_param_name if is_http else None
        if name is None and not is_http:
            name = dependant.websocket_param_name
        if name:
            self._give(dependant, name, request, values)
        if dependant.background_tasks_param_name:
            if self.background_tasks is None:
                from data_bridge.background import BackgroundTasks  # noqa: PLC0415 - few endpoints have some

                self.background_tasks = BackgroundTasks()
            values[dependant.background_tasks_param_name] = self.background_tasks
        if dependant.response_param_name:
            values[dependant.response_param_name] = self.response
        if dependant.security_scopes_param_name:
            from data_bridge.security.oauth2 import SecurityScopes  # noqa: PLC0415 - the signature named it

            scopes = _get_oauth_scopes(dependant=dependant)
            values[dependant.security_scopes_param_name] = SecurityScopes(scopes=scopes)

    def _give(self, dependant: Dependant, name: str, request: Any, values: dict[str, Any]) -> None:
        """Give the request, of the very class that was asked for where that is not ours."""
        foreign = dependant.foreign.get(name)
        values[name] = request if foreign is None else as_foreign(foreign, request)


def as_foreign(cls: type[Any], request: Any) -> Any:
    """Make a request (or WebSocket, or connection) of Starlette's own class on the same connection."""
    scope = request.scope
    if not hasattr(cls, "receive"):
        return cls(scope)  # HTTPConnection
    return cls(scope, request._receive, request._send)


def _stack(request: Any, name: str) -> AsyncExitStack:
    stack = request.scope.get(name)
    if not isinstance(stack, AsyncExitStack):
        raise AssertionError(f"{name} not found in request scope")  # noqa: TRY004 - what FastAPI raises
    return stack
