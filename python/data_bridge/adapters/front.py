"""The plan in front of an app's router: answers what compiled, hands everything else on untouched."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ..routing.paths import get_route_path
from .respond import WORK, Work, run
from .routes import Routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..plan.types import Operation
    from ..types import Message, Receive, Scope, Send

#: No body that the plan reads is longer; FastAPI itself has no bound.
MAX_BODY = 16 * 1024 * 1024


class Front:
    """Takes the router's place at the end of the app's middleware."""

    def __init__(self, framework: Any, router: Any) -> None:
        self._framework = framework
        self._router = router
        #: The compiled routes.
        self.routes = Routes(framework, router)
        #: Called with the scope and an operation that answers in the router's place.
        self.on_planned: Callable[[Scope, Operation], None] | None = None
        #: What answers in all other cases: the router.
        self.fallback: Any = router

    def __getattr__(self, name: str) -> Any:
        """Be the router in everything else: middleware may look at it."""
        return getattr(self._router, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the plan where it is sure."""
        operation = None
        if WORK in scope:
            operation = scope[WORK].operation
            self._describe(scope, scope[WORK])
        elif scope["type"] == "http" and "fastapi.telemetry" not in scope:
            operation, receive = await self._plan(scope, receive)
        if operation is None:
            await self.fallback(scope, receive, send)
            return
        if self.on_planned is not None:
            self.on_planned(scope, operation)
        await operation.route.app(scope, receive, send)

    async def _plan(self, scope: Scope, receive: Receive) -> tuple[Operation | None, Receive]:
        """Find the operation and its values; what was read of the body can be received again."""
        found = self.routes.find(
            scope["method"], get_route_path(scope), scope.get("query_string", b""), scope["headers"]
        )
        if found is None:
            return None, receive
        operation, path_params, slots = found
        if len(operation.steps) > 1 and operation.route.is_overridden:
            return None, receive
        body = b""
        if operation.accept is not None:
            messages = await _read(receive)
            receive = _again(messages, receive)
            if not messages or messages[-1].get("more_body") or messages[-1]["type"] != "http.request":
                return None, receive
            body = b"".join(message.get("body", b"") for message in messages)
        before = dict(scope)
        scope["path_params"] = {**scope.get("path_params", {}), **path_params}
        try:
            request = self._framework.Request(scope, receive)
            fill(operation, slots, request, body)
        except Exception:  # noqa: BLE001 - no user code ran: FastAPI itself says what is wrong
            scope.clear()
            scope.update(before)
            return None, receive
        scope[WORK] = Work(operation, scope["path_params"], functools.partial(run, operation, slots))
        self._describe(scope, scope[WORK])
        return operation, receive

    def _describe(self, scope: Scope, work: Work) -> None:
        """Leave in the scope what FastAPI's router leaves there."""
        route = work.operation.route
        scope.setdefault("router", self._router)
        scope["path_params"] = work.path_params
        scope["endpoint"] = route.original.endpoint
        scope["route"] = route.original
        if route.effective is not None:
            scope.setdefault("fastapi", {})["effective_route_context"] = route.effective


def fill(operation: Operation, slots: list[Any], request: Any, body: bytes) -> None:
    """Add the body's values and what makers make to the parameters' values. Raises where FastAPI has to decide."""
    if operation.accept is not None:
        content_type = request.headers.get("content-type")
        if operation.takes_form:
            if content_type is None or content_type.lower() != "application/x-www-form-urlencoded":
                raise ValueError("the body does not say that it is a form without files")
            if request.scope.get("fastapi", {}).get("form_limits"):
                raise ValueError("an app around this one limits its forms")
        elif body and not _is_json(content_type, strict=operation.route.strict_content_type):
            raise ValueError("the body does not say that it is JSON")
        values = operation.accept(body)
        slots.extend(values if operation.bodies > 1 else (values,))
    slots.extend(maker(request) for maker in operation.makers if callable(maker))


def _is_json(content_type: str | None, *, strict: bool) -> bool:
    if not content_type:
        return not strict
    media_type = content_type.partition(";")[0].strip().lower()
    main, _, sub = media_type.partition("/")
    return main == "application" and (sub == "json" or sub.endswith("+json"))


async def _read(receive: Receive) -> list[Message]:
    """Receive the body, up to a bound."""
    messages: list[Message] = []
    length = 0
    while length <= MAX_BODY:
        message = await receive()
        messages.append(message)
        length += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    return messages


def _again(messages: list[Message], receive: Receive) -> Receive:
    """Receive ``messages`` once more, then what comes after them."""
    left = iter(messages)

    async def replay() -> Message:
        for message in left:
            return message
        return await receive()

    return replay
