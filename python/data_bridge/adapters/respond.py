"""An operation in Python: its steps, then the response as FastAPI makes it. For what Rust does not do itself."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..plan import steps
from ..plan.types import SERIALISING
from .makers import BACKGROUND, RESPONSE
from .makers import request as request_itself

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..plan.types import Operation, Step

#: Where a request's scope carries what the operation starts from.
WORK = "data_bridge.work"


class Work(NamedTuple):
    """An operation under way: what gives its result, and what its path's parameters are."""

    operation: Operation
    path_params: dict[str, Any]
    #: Called with the request; gives the endpoint's result, or raises what it raised.
    result: Callable[[Any], Awaitable[Any]]


def of_result(operation: Operation, value: Any, path_params: dict[str, Any]) -> Work:
    """Say that only the response is left to be made."""

    async def result(_request: Any) -> Any:
        return value

    return Work(operation, path_params, result)


def of_error(operation: Operation, error: BaseException, path_params: dict[str, Any]) -> Work:
    """Say that an exception is left to be handled, or that steps are left for which the request was missing."""
    if isinstance(error, Interrupted):
        return Work(operation, path_params, error.work)

    async def result(_request: Any) -> Any:
        raise error

    return Work(operation, path_params, result)


class _Nothing:
    """Replaces no dependency."""

    dependency_overrides: ClassVar[dict[Any, Any]] = {}


class Responder:
    """What an operation's response depends on, and the ASGI app that answers with it.

    That app is the framework's own `request_response` around our handler: it keeps the exit stacks, and hands
    exceptions to the app's handlers.
    """

    def __init__(self, framework: Any, context: Any, endpoint: Step) -> None:
        self.framework = framework
        self.app = framework.request_response(self.handle)
        deadline = getattr(context.original_route, "timeout", None)
        if deadline is not None:
            self.app = framework.Deadline(self.app, deadline)
        self.original = context.original_route
        #: Where a router includes the route, what became of it by that; user code finds it in the scope.
        self.effective = getattr(context, "_route_context", None)
        self.dependant = context.dependant
        self.embed = context._embed_body_fields
        self.endpoint = endpoint
        provider = context.dependency_overrides_provider
        #: Has what replaces dependencies, at the moment.
        self.provider = provider if hasattr(provider, "dependency_overrides") else _Nothing
        self.strict_content_type = self._value(context.strict_content_type)
        self.path = context.path_format
        self.status = context.status_code
        self.field = context.response_field
        self.is_default = isinstance(context.response_class, framework.DefaultPlaceholder)
        self.response_class = self._value(context.response_class)
        self.options = serialising(context)

    @property
    def is_overridden(self) -> bool:
        """Whether dependencies are replaced at the moment."""
        return bool(self.provider.dependency_overrides)

    async def handle(self, request: Any) -> Any:
        """Make the response to a request whose scope carries its work."""
        work: Work = request.scope.pop(WORK)
        return await self.response(request, await work.result(request))

    async def response(self, request: Any, result: Any) -> Any:
        """Make the response of what the endpoint returned."""
        scope = request.scope
        background, head = scope.pop(BACKGROUND, None), scope.pop(RESPONSE, None)
        if self.framework.is_response(result):
            if result.background is None:
                result.background = background
            return result
        arguments: dict[str, Any] = {"background": background}
        status = (head is not None and head.status_code) or self.status
        if status:
            arguments["status_code"] = status
        dump_json = self.field is not None and self.is_default
        content = await self.framework.routing.serialize_response(
            field=self.field,
            response_content=result,
            is_coroutine=self.endpoint.mode != "thread",
            endpoint_ctx=self.framework.endpoint_context(self.dependant, request) if self.field is not None else None,
            dump_json=dump_json,
            **self.options,
        )
        if dump_json:
            response = self.framework.Response(content=content, media_type="application/json", **arguments)
        else:
            response = self.response_class(content, **arguments)
        if not self.framework.is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        if head is not None:
            response.raw_headers.extend(head.raw_headers)
        return response

    async def solve_anew(self, operation: Operation, slots: list[Any], request: Any) -> Any:
        """Go on by FastAPI's own hand, after a step has replaced dependencies; what was done is not done again."""
        if request is None:
            raise Interrupted(functools.partial(run, operation, slots))
        scope = request.scope
        cache: dict[Any, Any] = {}
        for step, value in zip(operation.steps, slots[operation.slots - len(operation.steps) :], strict=False):
            cache.setdefault(step.key, value)
        from pydantic_core import PydanticUndefined  # noqa: PLC0415 - a route without fields needs no Pydantic

        body = await _body_of(operation, request, unread=PydanticUndefined)
        solved = await self.framework.dependencies.solve_dependencies(
            request=request,
            dependant=self.dependant,
            body=body,
            background_tasks=scope.get(BACKGROUND),
            response=scope.get(RESPONSE),
            dependency_overrides_provider=self.provider,
            dependency_cache=cache,
            async_exit_stack=scope["fastapi_inner_astack"],
            embed_body_fields=self.embed,
        )
        if solved.errors:
            said = None if body is PydanticUndefined else body
            raise self.framework.RequestValidationError(solved.errors, body=said)
        scope[BACKGROUND], scope[RESPONSE] = solved.background_tasks, solved.response
        return await self._call(self.endpoint, solved.values)

    async def carry_out(self, step: Step, arguments: dict[str, Any], request: Any) -> Any:
        """Run a step that is more than a coroutine."""
        if step.mode == "generator":
            return await self._enter(step, arguments, request)
        if step.limit is not None:
            async with step.limit():
                return await self._call(step, arguments)
        return await self._call(step, arguments)

    async def _call(self, step: Step, arguments: dict[str, Any]) -> Any:
        if step.mode == "task":
            return await step.call(**arguments)
        if step.mode == "inline":
            return step.call(**arguments)
        return await self.framework.run_in_threadpool(step.call, **arguments)

    async def _enter(self, step: Step, arguments: dict[str, Any], request: Any) -> Any:
        """Enter a dependency that yields; the framework's own stacks leave it."""
        stack = request.scope["fastapi_function_astack" if step.of_function else "fastapi_inner_astack"]
        return await self.framework.enter_generator(step.dependant, stack, arguments, request)

    def _value(self, option: Any) -> Any:
        return option.value if isinstance(option, self.framework.DefaultPlaceholder) else option


async def run(operation: Operation, slots: list[Any], request: Any) -> Any:
    """Carry out the steps with the request that exception handlers will see."""
    first = len(operation.params) + operation.bodies
    for number, maker in enumerate(operation.makers, first):
        if maker is request_itself:
            slots[number] = request
    return await steps.run(operation, slots, request)


async def _body_of(operation: Operation, request: Any, *, unread: Any) -> Any:
    """Give the body as FastAPI takes it: as a form, as what JSON says, or ``unread`` where there is none."""
    if operation.takes_form:
        return await request.form()
    content = await request.body() if operation.accept is not None else b""
    return json.loads(content) if content else unread


class Interrupted(Exception):
    """A step needs the request, which is not at hand; ``work`` goes on from there."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self.work = work


def serialising(context: Any) -> dict[str, Any]:
    """Give what a route says to Pydantic's serialiser."""
    return {name: getattr(context, f"response_model_{name}") for name in SERIALISING}
