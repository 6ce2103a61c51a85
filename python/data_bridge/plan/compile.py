"""From a handler of an App to its operation, at registration. Names the handler's file and line in every fault."""

from __future__ import annotations

import inspect
import json
import math
import typing
from typing import TYPE_CHECKING, Any

from .._native import loads, parse_path
from ..exceptions import RouteError
from ..responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from .callables import kind_of
from .graph import Graph
from .handler import Handler
from .schema import Adapter, adapt, runs_user_code
from .signature import Unfit, function_of, read, where
from .types import SERIALISING, Body, Dependant, Encoding, Operation, RouteOptions, Step

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from .graph import Inputs
    from .types import StepKind

#: Response classes that send text as it stands.
_TEXT_TYPES: dict[type[Response] | None, str] = {
    PlainTextResponse: "text/plain; charset=utf-8",
    HTMLResponse: "text/html; charset=utf-8",
}

#: Statuses that carry no body (RFC 9110).
_BODILESS = frozenset({204, 205, 304})


def compile_route(
    path: str,
    methods: tuple[str, ...],
    endpoint: Callable[..., Any],
    options: RouteOptions,
    executor: Executor,
) -> Operation:
    """Make the operation of one route. Raises :class:`RouteError` for everything that is wrong with it."""
    compiler = _Compiler(path, methods, endpoint, options)
    try:
        return compiler.compile(executor)
    except RouteError:
        raise
    except (Unfit, ValueError, TypeError, NameError, RuntimeError) as error:  # Pydantic's are among these
        raise RouteError(f"{compiler.where}: {' '.join(methods)} {path}: {error}") from error


class _Graph(Graph):
    """The dependencies of a handler."""

    def wants(self, dependant: Dependant) -> Inputs:
        inputs = [(param.name, self.add("param", self.params, param)) for param in dependant.params]
        if dependant.body:
            inputs.append((dependant.body.name, self._body(dependant.body)))
        if dependant.request_name:
            inputs.append((dependant.request_name, self.single("request")))
        if dependant.background_name:
            inputs.append((dependant.background_name, self.single("background")))
        return inputs

    def _body(self, body: Body) -> tuple[str, int]:
        """Give the slot of the body, of which there is but one."""
        return ("body", 0) if self.bodies else self.add("body", self.bodies, body)

    def key(self, dependant: Dependant) -> Any:
        return dependant.call

    def step(self, dependant: Dependant) -> Step:
        return Step(call=dependant.call, mode=dependant.mode, inputs=(), output=0)


class _Compiler:
    """One route on its way from signature to plan."""

    def __init__(
        self, path: str, methods: tuple[str, ...], endpoint: Callable[..., Any], options: RouteOptions
    ) -> None:
        self.path = path
        self.methods = methods
        self.endpoint = endpoint
        self.options = options
        self.where = where(endpoint)

    def compile(self, executor: Executor) -> Operation:
        unknown = set(self.options) - set(RouteOptions.__annotations__)
        if unknown:
            known = ", ".join(RouteOptions.__annotations__)
            raise Unfit(f"unknown option {min(unknown)!r}: App knows {known}")
        dependant = read(self.endpoint, dict(parse_path(self.path)))
        graph = _Graph()
        inputs = graph.solve(dependant)
        last = graph.slot_of_step(len(graph.steps))
        step = Step(call=self.endpoint, mode=self.mode(), inputs=graph.place(inputs), output=last)
        body: Body | None = graph.bodies[0] if graph.bodies else None
        why = _obstacle(graph, body)
        handler = self.handler(dependant, step, body, executor, why)
        accept, accepted = _acceptor(body.adapter) if body else (None, None)
        return Operation(
            path=self.path,
            methods=self.methods,
            params=tuple(graph.params),
            accept=accept,
            accepted=accepted,
            bodies=len(graph.bodies),
            makers=tuple(graph.makers),
            steps=(*graph.placed_steps(), step),
            slots=last + 1,
            direct=None if graph.steps else step,
            is_native=not why,
            result=self.encoding(handler),
            status=handler.status,
            route=handler,
            timeout=self.timeout(),
            on_disconnect=self.on_disconnect(),
        )

    def mode(self) -> StepKind:
        kind = kind_of(self.endpoint)
        if "generator" in kind:
            raise Unfit("a handler cannot be a generator yet (A21): return a StreamingResponse of one")
        inline = self.options.get("inline", False)
        if kind == "coroutine":
            if inline:
                raise Unfit("inline=True is for `def` handlers; an `async def` one runs on the loop anyway")
            return "task"
        return "inline" if inline else "thread"

    def timeout(self) -> float | None:
        seconds: Any = self.options.get("timeout")
        if seconds is None:
            return None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
            raise Unfit(f"timeout must be seconds, more than 0, not {seconds!r}")
        return float(seconds)

    def on_disconnect(self) -> str | None:
        policy = self.options.get("on_disconnect")
        if policy not in (None, "cancel", "ignore"):
            raise Unfit(f"on_disconnect must be 'cancel' or 'ignore', not {policy!r}")
        return policy

    def handler(self, dependant: Dependant, step: Step, body: Body | None, executor: Executor, why: str) -> Handler:
        """Describe what the reference path needs."""
        response_class = self.options.get("response_class")
        status_code = self.options.get("status_code", 200)
        if not 200 <= status_code <= 599:  # noqa: PLR2004 - the range of final statuses that mean something
            raise Unfit(f"status_code {status_code} is not a final status")
        function = function_of(self.endpoint)
        return Handler(
            name=self.options.get("name", getattr(function, "__name__", type(self.endpoint).__name__)),
            where=self.where,
            dependant=dependant,
            endpoint=step,
            body=body,
            status=status_code,
            response_class=None if response_class is JSONResponse else response_class,
            adapter=self.result_adapter(function),
            options=self.serialising(),
            executor=executor,
            why=why,
        )

    def result_adapter(self, function: Callable[..., Any]) -> Adapter | None:
        hint = typing.get_type_hints(function, include_extras=True).get("return", inspect.Parameter.empty)
        annotation = self.options.get("response_model", hint)
        untyped = annotation in (inspect.Parameter.empty, Any, None, type(None), dict, list, object)
        response_class = self.options.get("response_class")
        if untyped or response_class not in (None, JSONResponse) or _is_response(annotation):
            return None
        return adapt(annotation)

    def serialising(self) -> tuple[tuple[str, Any], ...]:
        said = {name: self.options.get(f"response_model_{name}") for name in SERIALISING}
        said["by_alias"] = self.options.get("response_model_by_alias", True)
        return tuple((name, value) for name, value in said.items() if value is not None)

    def encoding(self, handler: Handler) -> Encoding | None:
        """Say how Rust writes the result; None where the reference path has to make the response."""
        if handler.status in _BODILESS:
            return None
        if handler.response_class is not None:
            text_type = _TEXT_TYPES.get(handler.response_class)
            return Encoding(text_type=text_type) if text_type else None
        if handler.adapter is None:
            return Encoding()
        adapter = handler.adapter
        return Encoding(
            validate=adapter.validator.validate_python,
            schema=adapter.schema,
            to_json=adapter.serializer.to_json,
            options=handler.options,
        )


def _obstacle(graph: Graph, body: Body | None) -> str:
    """Say why the reference path has to answer each request, if it has to."""
    for param in graph.params:
        if param.validate is None:
            return f"{param.name!r} is of another type than its converter"
        if param.adapter and runs_user_code(param.adapter.schema):
            return f"{param.name!r} has a validator in Python"
    if body is not None and runs_user_code(body.adapter.schema):
        return f"{body.name!r} has a validator in Python"
    return ""


def _is_response(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, Response)


def _acceptor(adapter: Adapter) -> tuple[Callable[[bytes], Any], type | None]:
    """Give what makes a body's value of bytes, and the type that it has to have."""
    if adapter.schema.get("type") == "dict" and adapter.schema == adapt(dict).schema:
        return loads, dict
    if adapter.reads_json_alike():
        return adapter.validator.validate_json, None

    def accept(content: bytes) -> Any:
        return adapter.validate(json.loads(content))

    return accept, None
