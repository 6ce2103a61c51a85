"""API routes: an endpoint whose arguments are found by its signature, and whose result becomes the response."""

from __future__ import annotations

import asyncio
import functools
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from ..concurrency import is_async_callable, run_in_threadpool
from ..dependencies.models import _is_coroutine_callable
from ..exceptions import FastAPIError, require
from ..form_limits import validate_form_limits
from ..middleware import wrapped
from ..middleware.body_limit import wrap_app_with_body_limit
from ..middleware.exceptions import LocalExceptionHandlers
from ..middleware.handlers import wrap_app_handling_exceptions
from .base import Match
from .handler import get_websocket_app
from .options import completed
from .paths import compile_path
from .route import Route, WebSocketRoute, get_name, method_not_allowed
from .scopes import CONTEXT_KEY, _effective_route_context_var, found_in
from .state import RouteState, dependant_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from typing_extensions import Unpack

    from .. import params
    from ..requests import Request
    from ..responses import Response
    from ..types import ASGIApp, Receive, Scope, Send
    from ..websockets import WebSocket
    from .options import FullOptions

_NOT_AWAITED = (
    "Response not awaited. There's a high chance that the application code is raising an exception and a dependency "
    "with yield has a block with a bare except, or a block with except Exception, and is not raising the exception "
    "again. Read more about it in the docs: https://fastapi.tiangolo.com/tutorial/dependencies/"
    "dependencies-with-yield/#dependencies-with-yield-and-except"
)


def request_response(func: Callable[[Request], Awaitable[Response] | Response]) -> ASGIApp:
    """Make an ASGI app of a function of a request.

    Dependencies of scope ``function`` end before the response is sent, those of scope ``request`` after it.
    """
    call: Any = func if is_async_callable(func) else functools.partial(run_in_threadpool, func)  # type: ignore[call-arg]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        from ..requests import Request  # noqa: PLC0415 - the module is there by the first request

        request = Request(scope, receive, send)

        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            is_sent = False
            async with AsyncExitStack() as request_stack:
                scope["fastapi_inner_astack"] = request_stack
                async with AsyncExitStack() as function_stack:
                    scope["fastapi_function_astack"] = function_stack
                    response = await call(request)
                await response(scope, receive, send)
                is_sent = True
            if not is_sent:
                # A generator has swallowed the exception because of which there is no response.
                raise FastAPIError(_NOT_AWAITED)

        await wrap_app_handling_exceptions(respond, request)(scope, receive, send)

    return app


def websocket_session(func: Callable[[WebSocket], Awaitable[None]]) -> ASGIApp:
    """Make an ASGI app of a coroutine function of a WebSocket."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        from ..websockets import WebSocket  # noqa: PLC0415 - imported by the first WebSocket

        session = WebSocket(scope, receive=receive, send=send)

        async def converse(scope: Scope, _receive: Receive, _send: Send) -> None:
            async with AsyncExitStack() as request_stack:
                scope["fastapi_inner_astack"] = request_stack
                async with AsyncExitStack() as function_stack:
                    scope["fastapi_function_astack"] = function_stack
                    await func(session)

        await wrap_app_handling_exceptions(converse, session)(scope, receive, send)

    return app


class APIRoute(RouteState, Route):  # type: ignore[misc]  # a plain route may have any method
    """A path operation. Its options are :class:`~data_bridge.routing.options.RouteOptions`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Unpack[FullOptions]) -> None:
        full = completed(options)
        self.form_limits = validate_form_limits(full.get("form_limits"))
        self.inline = bool(full.get("inline"))
        self.timeout = full.get("timeout")
        self.on_disconnect = full.get("on_disconnect")
        self.middleware = list(full.get("middleware") or ())
        self.exception_handlers = dict(full.get("exception_handlers") or {})
        self.populate(path, endpoint, full)
        is_coroutine = self.inline and _is_coroutine_callable(endpoint)
        require(not is_coroutine, "inline=True is for `def` endpoints; an `async def` one runs on the loop anyway")
        self.app = self.made_app(self.max_body_size)

    def made_app(self, max_body_size: int | None) -> ASGIApp:
        """Make the ASGI app: the handler with the route's own middleware, limits and deadline around it."""
        app = request_response(self.get_route_handler())
        if self.timeout is not None:
            app = Deadline(app, self.timeout)
        if self.exception_handlers:
            app = LocalExceptionHandlers(app, self.exception_handlers)
        return wrap_app_with_body_limit(wrapped(app, self.middleware), max_body_size)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the function that answers a request: what a route class of one's own may put something around."""
        # By the package's name for it, which users replace.
        from .. import routing  # noqa: PLC0415

        context = _effective_route_context_var.get()
        state: Any = self if context is None or context.original_route is not self else context
        more = {"inline": True} if self.inline else {}
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = routing.get_request_handler(
            dependant=state.dependant,
            body_field=state.body_field,
            status_code=state.status_code,
            response_class=state.response_class,
            response_field=state.response_field,
            response_model_include=state.response_model_include,
            response_model_exclude=state.response_model_exclude,
            response_model_by_alias=state.response_model_by_alias,
            response_model_exclude_unset=state.response_model_exclude_unset,
            response_model_exclude_defaults=state.response_model_exclude_defaults,
            response_model_exclude_none=state.response_model_exclude_none,
            dependency_overrides_provider=state.dependency_overrides_provider,
            embed_body_fields=state._embed_body_fields,
            strict_content_type=state.strict_content_type,
            form_limits=self.form_limits,
            stream_item_field=state.stream_item_field,
            is_json_stream=state.is_json_stream,
            **more,
        )
        return handler

    def _context_in(self, scope: Scope) -> Any | None:
        """Give what this route is where it is included, if the connection came that way."""
        context = found_in(scope, CONTEXT_KEY)
        return context if context is not None and context.original_route is self else None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match type, path and method."""
        context = self._context_in(scope)
        match, found = super().matches(scope) if context is None else context.matches(scope)
        if match != Match.NONE:
            found["route"] = self
        return match, found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say which methods there are."""
        context = self._context_in(scope)
        if context is None:
            await super().handle(scope, receive, send)
        elif context.methods and scope["method"] not in context.methods:
            await method_not_allowed(context.methods, scope, receive, send)
        else:
            await context.app(scope, receive, send)


class Deadline:
    """A route's ``timeout``, under servers that know none: 504 unless the response has begun by then."""

    def __init__(self, app: ASGIApp, timeout: float) -> None:
        self.app = app
        self._timeout = timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request in time."""
        limit = asyncio.timeout(self._timeout)

        async def watch(message: Any) -> None:
            if message["type"] == "http.response.start":
                limit.reschedule(None)
            await send(message)

        try:
            async with limit:
                await self.app(scope, receive, watch)
        except TimeoutError:
            if not limit.expired():
                raise
            from ..responses import PlainTextResponse  # noqa: PLC0415 - few requests need it

            late = PlainTextResponse("the request took too long", status_code=504)
            await late(scope, receive, send)


class APIWebSocketRoute(WebSocketRoute):
    """A WebSocket whose arguments are found by its endpoint's signature."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        name: str | None = None,
        dependencies: Sequence[params.Depends] | None = None,
        dependency_overrides_provider: Any | None = None,
    ) -> None:
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.dependencies = list(dependencies or ())
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.dependant, _, self._embed_body_fields = dependant_of(
            path=self.path_format, call=endpoint, dependencies=self.dependencies
        )
        self.app = websocket_session(
            get_websocket_app(
                dependant=self.dependant,
                dependency_overrides_provider=dependency_overrides_provider,
                embed_body_fields=self._embed_body_fields,
            )
        )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match type and path."""
        match, found = super().matches(scope)
        if match != Match.NONE:
            found["route"] = self
        return match, found
