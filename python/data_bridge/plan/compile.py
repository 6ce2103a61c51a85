"""From a handler's signature to its plan. All reflection happens here, once, and so does the finding of faults."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import typing
import uuid
from typing import TYPE_CHECKING, Any

from .._native import loads, parse_path
from ..background import BackgroundTasks
from ..exceptions import RouteError
from ..requests import Request
from ..responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from .schema import Adapter, adapt, without_none
from .types import Body, Call, Mode, Param, Result, RouteOptions, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable

_SCALARS: dict[Any, Scalar] = {str: "str", int: "int", float: "float", bool: "bool", uuid.UUID: "uuid"}

#: What an unannotated parameter becomes when its place in the path names a converter.
_CONVERTED = {"str": str, "path": str, "int": int, "float": float, "uuid": uuid.UUID}

#: Response classes that send text as it stands.
_TEXT_TYPES: dict[type[Response] | None, str] = {
    PlainTextResponse: "text/plain; charset=utf-8",
    HTMLResponse: "text/html; charset=utf-8",
}

#: Types that FastAPI reads from the body when no marker says otherwise.
_DOCUMENTS = (dict, list, set, frozenset, tuple)


def compile_route(path: str, methods: tuple[str, ...], endpoint: Callable[..., Any], options: RouteOptions) -> Call:
    """Make the plan of one route. Raises :class:`RouteError` for everything that is wrong with it."""
    compiler = _Compiler(path, methods, endpoint, options)
    try:
        return compiler.compile()
    except RouteError:
        raise
    except (ValueError, TypeError, NameError, RuntimeError) as error:  # Pydantic's are among these
        raise compiler.error(str(error)) from error


class _Compiler:
    """One route on its way from signature to plan."""

    def __init__(
        self, path: str, methods: tuple[str, ...], endpoint: Callable[..., Any], options: RouteOptions
    ) -> None:
        self.path = path
        self.methods = methods
        self.endpoint = endpoint
        self.options = options
        self.function = _function_of(endpoint)
        self.where = _where(self.function)
        self.request_name: str | None = None
        self.background_name: str | None = None
        self.body: Body | None = None

    def compile(self) -> Call:
        unknown = set(self.options) - set(RouteOptions.__annotations__)
        if unknown:
            known = ", ".join(RouteOptions.__annotations__)
            raise self.error(f"unknown option {min(unknown)!r}: App knows {known}")
        in_path = dict(parse_path(self.path))
        hints = typing.get_type_hints(self.function, include_extras=True)
        found = [
            param
            for parameter in inspect.signature(self.endpoint).parameters.values()
            if (param := self.parameter(parameter, hints.get(parameter.name, inspect.Parameter.empty), in_path))
        ]
        return Call(
            path=self.path,
            methods=self.methods,
            name=self.options.get("name", getattr(self.function, "__name__", type(self.endpoint).__name__)),
            where=self.where,
            endpoint=self.endpoint,
            mode=self.mode(),
            # FastAPI reports what is wrong with the path before what is wrong with the query.
            params=tuple(sorted(found, key=lambda param: param.path_index is None)),
            body=self.body,
            request_name=self.request_name,
            background_name=self.background_name,
            result=self.result(hints.get("return", inspect.Parameter.empty)),
            timeout=self.timeout(),
            on_disconnect=self.on_disconnect(),
        )

    def mode(self) -> Mode:
        if inspect.isasyncgenfunction(self.function) or inspect.isgeneratorfunction(self.function):
            raise self.error("a handler cannot be a generator yet (A21): return a StreamingResponse of one")
        inline = self.options.get("inline", False)
        if any(inspect.iscoroutinefunction(function) for function in (self.function, inspect.unwrap(self.function))):
            if inline:
                raise self.error("inline=True is for `def` handlers; an `async def` one runs on the loop anyway")
            return "task"
        return "inline" if inline else "thread"

    def timeout(self) -> float | None:
        seconds: Any = self.options.get("timeout")
        if seconds is None:
            return None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
            raise self.error(f"timeout must be seconds, more than 0, not {seconds!r}")
        return float(seconds)

    def on_disconnect(self) -> str | None:
        policy = self.options.get("on_disconnect")
        if policy not in (None, "cancel", "ignore"):
            raise self.error(f"on_disconnect must be 'cancel' or 'ignore', not {policy!r}")
        return policy

    def parameter(self, parameter: inspect.Parameter, annotation: Any, in_path: dict[str, str]) -> Param | None:
        """One argument of the endpoint; None if it is the request or the body."""
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise self.error(f"parameter {parameter} cannot be passed by name")
        if inspect.isclass(annotation) and issubclass(annotation, Request):
            self.request_name = self.only(self.request_name, parameter.name, "request")
            return None
        if annotation is BackgroundTasks:
            self.background_name = self.only(self.background_name, parameter.name, "list of background tasks")
            return None
        if typing.get_origin(annotation) is typing.Annotated:
            raise self.error(f"parameter {parameter.name!r} is Annotated, which App does not read yet (A7)")
        default = parameter.default
        if parameter.name in in_path:
            if default is not parameter.empty:
                raise self.error(f"path parameter {parameter.name!r} cannot have a default")
            return self.path_param(parameter.name, annotation, in_path)
        self.check_default(parameter)
        scalar = _scalar(annotation)
        if scalar is not None:
            return Param(
                name=parameter.name,
                place="query",
                aliases=(parameter.name,),
                scalar=scalar,
                required=default is parameter.empty,
                default=None if default is parameter.empty else default,
                adapter=adapt(annotation),
            )
        self.take_body(parameter, annotation)
        return None

    def path_param(self, name: str, annotation: Any, in_path: dict[str, str]) -> Param:
        converter = in_path[name]
        if annotation is inspect.Parameter.empty:
            annotation = _CONVERTED[converter]
        scalar = _scalar(annotation)
        if scalar is None:
            raise self.error(f"path parameter {name!r} is {_spell(annotation)}, which App does not read yet (A7)")
        agrees = converter in ("str", "path") or scalar == converter
        return Param(
            name=name,
            place="path",
            aliases=(name,),
            path_index=list(in_path).index(name),
            # The reference sees converted values: an `int` that is annotated `str` is refused by it.
            scalar=scalar if agrees else "unknown",
            required=True,
            adapter=adapt(annotation),
        )

    def take_body(self, parameter: inspect.Parameter, annotation: Any) -> None:
        inner = without_none(annotation)
        if not _is_document(inner):
            raise self.error(f"parameter {parameter.name!r} is {_spell(annotation)}, which App does not read yet (A7)")
        self.only(self.body.name if self.body else None, parameter.name, "body (A7)")
        adapter = adapt(annotation)
        self.body = Body(
            name=parameter.name,
            required=parameter.default is parameter.empty,
            default=None if parameter.default is parameter.empty else parameter.default,
            adapter=adapter,
            accept=_acceptor(inner, adapter),
        )

    def only(self, former: str | None, name: str, what: str) -> str:
        """Give ``name``; refuse it where there is a ``former`` one of its kind."""
        if former is not None:
            raise self.error(f"both {former!r} and {name!r} are the {what}")
        return name

    def check_default(self, parameter: inspect.Parameter) -> None:
        default = parameter.default
        plain = isinstance(default, (str, int, float, uuid.UUID, *_DOCUMENTS)) or _is_model(type(default))
        if default is not parameter.empty and default is not None and not plain:
            raise self.error(f"the default of {parameter.name!r} is {default!r}, which App does not read yet (A7, A9)")

    def result(self, annotation: Any) -> Result:
        response_class = self.options.get("response_class")
        status_code = self.options.get("status_code", 200)
        if not 200 <= status_code <= 599:  # noqa: PLR2004 - the range of final statuses that mean something
            raise self.error(f"status_code {status_code} is not a final status")
        if response_class is JSONResponse:
            response_class = None
        untyped = annotation in (inspect.Parameter.empty, Any, None, type(None), dict, list, object)
        if untyped or response_class is not None or _is_response(annotation):
            return Result(status_code, response_class, _TEXT_TYPES.get(response_class), None)
        return Result(status_code, None, None, adapt(annotation))

    def error(self, problem: str) -> RouteError:
        return RouteError(f"{self.where}: {' '.join(self.methods)} {self.path}: {problem}")


def _function_of(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Find what carries the annotations and says whether it is a coroutine function."""
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    if not callable(endpoint):
        raise RouteError(f"{endpoint!r} is not callable")
    if inspect.isroutine(endpoint):
        return endpoint
    return type(endpoint).__call__.__get__(endpoint)  # type: ignore[no-any-return]


def _where(function: Callable[..., Any]) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)


def _spell(annotation: Any) -> str:
    return annotation.__name__ if inspect.isclass(annotation) else str(annotation)


def _scalar(annotation: Any) -> Scalar | None:
    if annotation in (inspect.Parameter.empty, Any):
        return "str"
    try:
        return _SCALARS.get(without_none(annotation))
    except TypeError:  # an unhashable annotation is no scalar
        return None


def _is_document(annotation: Any) -> bool:
    origin = typing.get_origin(annotation) or annotation
    if not inspect.isclass(origin):
        return False
    return (
        issubclass(origin, _DOCUMENTS)
        or _is_model(origin)
        or dataclasses.is_dataclass(origin)
        or typing.is_typeddict(origin)
        or origin.__module__ == "collections.abc"
    )


def _is_model(annotation: type) -> bool:
    return hasattr(annotation, "__pydantic_validator__")


def _is_response(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, Response)


def _acceptor(annotation: Any, adapter: Adapter) -> Callable[[bytes], Any] | None:
    if annotation is dict:
        return _accept_dict
    return adapter.validator.validate_json if adapter.reads_json_alike() else None


def _accept_dict(content: bytes) -> dict[str, Any]:
    value = loads(content)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value
