"""What an API route does with a request: body, dependencies, endpoint, response. Knows no path."""

from __future__ import annotations

from functools import partial
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, cast

from .. import observing
from ..concurrency import run_in_threadpool
from ..defaults import UNREAD, DefaultPlaceholder, Unset, value_of
from ..dependencies import solve_dependencies
from ..dependencies.models import _is_async_gen_callable, _is_coroutine_callable, _is_gen_callable
from ..exceptions import HTTPException, RequestValidationError, WebSocketRequestValidationError
from ..fields.annotations import lenient_issubclass
from ..utils import is_body_allowed_for_status_code
from . import streaming
from .context import endpoint_context
from .results import is_response, serialize_response

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AsyncExitStack

    from ..defaults import IncEx
    from ..dependencies import Dependant, SolvedDependency
    from ..exceptions import EndpointContext
    from ..fields import ModelField
    from ..form_limits import FormLimits
    from ..requests import Request
    from ..responses import Response
    from ..websockets import WebSocket

#: Where routers leave what holds for the routes below them.
SCOPE_KEY = "fastapi"
FORM_LIMITS_KEY = "form_limits"


async def run_endpoint_function(*, dependant: Dependant, values: dict[str, Any], is_coroutine: bool) -> Any:
    """Call the endpoint, a ``def`` function in a thread."""
    call = cast("Callable[..., Any]", dependant.call)
    if is_coroutine:
        with observing.operation("endpoint", call):
            return await call(**values)
    return await run_in_threadpool(observing.run_endpoint, call, values)


def get_request_handler(
    dependant: Dependant,
    body_field: ModelField | None = None,
    status_code: int | None = None,
    response_class: Any = Unset,
    response_field: ModelField | None = None,
    response_model_include: IncEx | None = None,
    response_model_exclude: IncEx | None = None,
    response_model_by_alias: bool = True,
    response_model_exclude_unset: bool = False,
    response_model_exclude_defaults: bool = False,
    response_model_exclude_none: bool = False,
    dependency_overrides_provider: Any | None = None,
    embed_body_fields: bool = False,
    strict_content_type: bool | DefaultPlaceholder = True,
    stream_item_field: ModelField | None = None,
    is_json_stream: bool = False,
    form_limits: FormLimits | None = None,
    inline: bool = False,
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Give the function that answers a request to this endpoint. ``inline`` runs a ``def`` endpoint on the loop."""
    handler = _Handler(dependant, body_field, status_code, response_class)
    handler.response_field = response_field
    handler.serializing = {
        "include": response_model_include,
        "exclude": response_model_exclude,
        "by_alias": response_model_by_alias,
        "exclude_unset": response_model_exclude_unset,
        "exclude_defaults": response_model_exclude_defaults,
        "exclude_none": response_model_exclude_none,
    }
    handler.provider = dependency_overrides_provider
    handler.embed_body_fields = embed_body_fields
    handler.is_strict = bool(value_of(strict_content_type))
    handler.stream_item_field = stream_item_field
    handler.is_json_stream = is_json_stream
    handler.form_limits = form_limits
    handler.inline = inline

    async def app(request: Request) -> Response:
        return await handler.answer(request)

    return app


class _Handler:
    """One endpoint's way from a request to a response."""

    response_field: ModelField | None
    serializing: dict[str, Any]
    provider: Any | None
    embed_body_fields: bool
    is_strict: bool
    stream_item_field: ModelField | None
    is_json_stream: bool
    form_limits: FormLimits | None
    inline: bool

    def __init__(
        self, dependant: Dependant, body_field: ModelField | None, status_code: int | None, response_class: Any
    ) -> None:
        from ..responses import JSONResponse  # noqa: PLC0415 - responses builds on much
        from ..responses.events import EventSourceResponse  # noqa: PLC0415

        self.dependant = dependant
        self.body_field = body_field
        self.is_form = body_field is not None and _is_form(body_field)
        self.status_code = status_code
        self.uses_default_class = isinstance(response_class, DefaultPlaceholder)
        self.response_class: Any = value_of(response_class) or JSONResponse
        self.is_event_stream = lenient_issubclass(self.response_class, EventSourceResponse)
        self.is_coroutine = _is_coroutine_callable(dependant.call)
        self.is_async_generator = _is_async_gen_callable(dependant.call)
        self.is_generator = self.is_async_generator or _is_gen_callable(dependant.call)

    async def answer(self, request: Request) -> Response:
        """Answer a request."""
        observing.note(request=request)
        context = partial(self._context, request)
        body = UNREAD if self.body_field is None else await self._read(request, context)
        observing.note(body=None if body is UNREAD else body)
        stack: AsyncExitStack = request.scope["fastapi_inner_astack"]
        with observing.operation("dependencies", self.dependant.call):
            solved = await solve_dependencies(
                request=request,
                dependant=self.dependant,
                body=body,
                dependency_overrides_provider=self.provider,
                async_exit_stack=stack,
                embed_body_fields=self.embed_body_fields,
            )
            observing.note(values=solved.values, errors=solved.errors)
        if solved.errors:
            received = None if body is UNREAD else body
            raise _failed(RequestValidationError(solved.errors, body=received, endpoint_ctx=context()))
        if self.is_event_stream or self.is_json_stream or self.is_generator:
            return await self._stream(solved, stack, context)
        return await self._respond(solved, context)

    def _context(self, request: Request) -> EndpointContext:
        return endpoint_context(self.dependant, request.method, request.scope.get("root_path", ""))

    async def _read(self, request: Request, context: Callable[[], EndpointContext]) -> Any:
        """Read the body: a form, JSON where it says that it is, else bytes."""
        from ..middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY, get_body_limit_error  # noqa: PLC0415

        try:
            return await (self._read_form(request) if self.is_form else self._read_json(request))
        except JSONDecodeError as error:
            raise _failed(_not_json(error, context())) from error
        except Exception as error:
            if _is_http_exception(error):
                raise
            limit = get_body_limit_error(error) if MAX_BODY_SIZE_SCOPE_KEY in request.scope else None
            if limit is not None:
                raise limit from error
            raise HTTPException(status_code=400, detail="There was an error parsing the body") from error

    async def _read_form(self, request: Request) -> Any:
        inherited = request.scope.get(SCOPE_KEY, {}).get(FORM_LIMITS_KEY, {})
        form = await request.form(**{**inherited, **(self.form_limits or {})})
        # Its files are open until the response was sent and all is done.
        stack: AsyncExitStack = request.scope["fastapi_middleware_astack"]
        stack.push_async_callback(form.close)
        return form

    async def _read_json(self, request: Request) -> Any:
        content = await request.body()
        if not content:
            return UNREAD
        content_type = request.headers.get("content-type")
        is_json = is_json_type(content_type) if content_type else not self.is_strict
        return await request.json() if is_json else content

    async def _respond(self, solved: SolvedDependency, context: Callable[[], EndpointContext]) -> Response:
        if self.inline and not self.is_coroutine:
            result = observing.run_endpoint(cast("Any", self.dependant.call), solved.values)
        else:
            result = await run_endpoint_function(
                dependant=self.dependant, values=solved.values, is_coroutine=self.is_coroutine
            )
        if is_response(result):
            if getattr(result, "background", None) is None:
                result.background = solved.background_tasks
            return cast("Response", result)
        is_written = self.response_field is not None and self.uses_default_class
        with observing.operation("serialization", self.dependant.call):
            content = await serialize_response(
                field=self.response_field,
                response_content=result,
                is_coroutine=self.is_coroutine or self.inline,
                endpoint_ctx=context,
                dump_json=is_written,
                **self.serializing,
            )
        response = self._made(content, solved, is_written=is_written)
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        return _with_headers(response, solved)

    def _made(self, content: Any, solved: SolvedDependency, *, is_written: bool) -> Response:
        options = self._response_options(solved)
        if not is_written:
            response: Response = self.response_class(content, **options)
            return response
        from ..responses import Response  # noqa: PLC0415 - the module is there by the first request

        return Response(content=content, media_type="application/json", **options)

    def _response_options(self, solved: SolvedDependency) -> dict[str, Any]:
        """Give status and background tasks; the status that code has set counts before the declared one."""
        options: dict[str, Any] = {"background": solved.background_tasks}
        status_code = solved.response.status_code or self.status_code
        if status_code is not None:
            options["status_code"] = status_code
        return options

    async def _stream(
        self, solved: SolvedDependency, stack: AsyncExitStack, context: Callable[[], EndpointContext]
    ) -> Response:
        from ..responses import StreamingResponse  # noqa: PLC0415 - few endpoints stream

        call: Any = self.dependant.call
        items = call(**solved.values)
        options = self._response_options(solved)
        serialize = streaming.item_serializer(self.stream_item_field, self.serializing, context)
        response: Any
        if self.is_event_stream:
            content = await streaming.events(call, items, serialize, stack)
            response = StreamingResponse(content, media_type="text/event-stream", **options)
            # Neither caches nor proxies may hold events back.
            response.headers["Cache-Control"] = "no-cache"
            response.headers["X-Accel-Buffering"] = "no"
        elif self.is_json_stream:
            lines = streaming.json_lines(call, items, serialize)
            response = StreamingResponse(lines, media_type="application/jsonl", **options)
        else:
            content = streaming.raw(items) if self.is_async_generator else items
            response = self.response_class(content=content, **options)
        return _with_headers(response, solved)


def _is_form(body_field: ModelField) -> bool:
    from .. import params  # noqa: PLC0415 - needs Pydantic, which routes without a body do not

    return isinstance(body_field.field_info, params.Form)


def _with_headers(response: Response, solved: SolvedDependency) -> Response:
    """Add the headers that dependencies and the endpoint set on the response that they were given."""
    response.raw_headers.extend(solved.response.raw_headers)
    return response


def is_json_type(content_type: str) -> bool:
    """Whether it is ``application/json`` or of a kind whose name ends in ``+json``."""
    main, slash, sub = content_type.partition(";")[0].strip().lower().partition("/")
    return main == "application" and bool(slash) and (sub == "json" or (sub.endswith("+json") and "/" not in sub))


def _not_json(error: JSONDecodeError, context: EndpointContext) -> RequestValidationError:
    item = {
        "type": "json_invalid",
        "loc": ("body", error.pos),
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": error.msg},
    }
    return RequestValidationError([item], body=error.doc, endpoint_ctx=context)


def _is_http_exception(error: Exception) -> bool:
    from ..middleware.exceptions import is_http_exception  # noqa: PLC0415 - few requests need it

    return is_http_exception(error)


def _failed(error: Any) -> Any:
    observing.validation_failed(error)
    return error


def get_websocket_app(
    dependant: Dependant, dependency_overrides_provider: Any | None = None, embed_body_fields: bool = False
) -> Callable[[WebSocket], Coroutine[Any, Any, Any]]:
    """Give the function that converses with the client of a WebSocket."""

    async def app(websocket: WebSocket) -> None:
        observing.note(websocket=websocket)
        call: Any = dependant.call
        with observing.operation("dependencies", call):
            solved = await solve_dependencies(
                request=websocket,
                dependant=dependant,
                dependency_overrides_provider=dependency_overrides_provider,
                async_exit_stack=websocket.scope["fastapi_inner_astack"],
                embed_body_fields=embed_body_fields,
            )
            observing.note(values=solved.values, errors=solved.errors)
        if solved.errors:
            context = endpoint_context(dependant, "WS", websocket.scope.get("root_path", ""))
            raise _failed(WebSocketRequestValidationError(solved.errors, endpoint_ctx=context))
        with observing.operation("endpoint", call):
            await call(**solved.values)

    return app
