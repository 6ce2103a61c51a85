"""What is known of one request, in its scope and its OpenTelemetry context, and the hooks that add to it."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from time import time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, trace
from opentelemetry import context as otel
from opentelemetry._logs import SeverityNumber
from opentelemetry.trace import StatusCode

from data_bridge.exceptions import (
    HTTPException,
    RequestValidationError,
    WebSocketException,
    WebSocketRequestValidationError,
)
from data_bridge.observing import SCOPE_KEY
from data_bridge.telemetry import TelemetryData
from data_bridge.websockets import WebSocketDisconnect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from data_bridge.types import Scope

#: What OpenTelemetry's API hands out until somebody configures a provider; it has no public way to ask.
_DEFERRED = frozenset(
    (
        ("opentelemetry.trace", "ProxyTracerProvider"),
        ("opentelemetry.metrics._internal", "_ProxyMeterProvider"),
        ("opentelemetry._logs._internal", "ProxyLoggerProvider"),
    )
)
_EXPECTED = (HTTPException, RequestValidationError, WebSocketException, WebSocketRequestValidationError)
CONTEXT_KEY = otel.create_key("fastapi.request")


@dataclass(kw_only=True, eq=False)
class Record:
    """What is known of one request, in its scope and its context; ``data`` is None once the request is over."""

    span: trace.Span | None
    span_method: str
    tracer: trace.Tracer | None = None  # for the spans of its parts
    logger: _logs.Logger | None = None
    route: str | None = None
    status_code: int | None = None
    data: TelemetryData | None = field(default_factory=TelemetryData)
    mount_prefix: str = ""
    exceptions: list[BaseException] = field(default_factory=list, repr=False)

    def emit(self, name: str, text: str, severity: SeverityNumber, **more: Any) -> None:
        """Write a log record."""
        if self.logger is not None:
            moment, level = time_ns(), severity.name
            self.logger.emit(
                event_name=name, timestamp=moment, severity_number=severity, severity_text=level, body=text, **more
            )

    def where(self) -> dict[str, Any]:
        """Give the route as an attribute, if one was found."""
        return {} if self.route is None else {"http.route": self.route}


def unconfigured(provider: Any) -> bool:
    """Whether it is what OpenTelemetry's API hands out while nobody has configured anything."""
    return (type(provider).__module__, type(provider).__name__) in _DEFERRED


def _current(context: otel.Context | None = None) -> Record | None:
    record = otel.get_value(CONTEXT_KEY, context)
    return record if isinstance(record, Record) else None


def data_of(context: otel.Context | None) -> TelemetryData | None:
    """Give what is known of the context's request."""
    record = _current(context)
    return record.data if record is not None else None


def operation(name: str, function: Callable[..., Any] | None) -> AbstractContextManager[Any]:
    """Give a span for a part of the current request, if it has any."""
    record = _current()
    return nullcontext() if record is None or record.tracer is None else _part(record.tracer, name, function)


@contextmanager
def _part(tracer: trace.Tracer, name: str, function: Callable[..., Any] | None) -> Iterator[None]:
    attributes = {}
    if function is not None:
        named = function if hasattr(function, "__qualname__") else type(function)
        module = getattr(function, "__module__", type(function).__module__)
        attributes["code.function.name"] = f"{module}.{named.__qualname__}"
    with tracer.start_as_current_span(
        f"fastapi.{name}", attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except Exception as error:
            if name == "background_task" or not (isinstance(error, _EXPECTED) or normal_end(error)):
                span.set_attribute("error.type", kind_of(error))
                span.set_status(StatusCode.ERROR)
            raise


def route_selected(record: Record, path: str, *, mount: bool) -> None:
    """Name the span after the route. A mount's path ends in ``/{path}``, in whose place the child puts its own."""
    if mount:
        record.mount_prefix += path.removesuffix("/{path}")
        path = "/{path}"
    record.route = record.mount_prefix + path
    if record.span is not None:
        record.span.set_attribute("http.route", record.route)
        record.span.update_name(f"{record.span_method} {record.route}")


def validation_failed(error: RequestValidationError | WebSocketRequestValidationError) -> None:
    """Keep what did not fit, and log that it did not (not the values)."""
    record = _current()
    if record is None:
        return
    if record.data is not None:
        if isinstance(error, RequestValidationError):
            record.data.body = error.body
        record.data.errors = error.errors()
    attributes = {"fastapi.validation.error_count": len(error.errors())} | record.where()
    record.emit("fastapi.validation.failed", "Request validation failed", SeverityNumber.WARN, attributes=attributes)


def failed(scope: Scope, error: BaseException) -> None:
    """Log an exception that nobody handled, once."""
    is_websocket, record = scope["type"] == "websocket", scope[SCOPE_KEY]
    if (is_websocket and normal_end(error)) or any(known is error for known in record.exceptions):
        return
    record.exceptions.append(error)
    if isinstance(error, Exception):
        name, what = "http.server.request.exception", "request"
        if is_websocket:
            name, what = "fastapi.websocket.exception", "WebSocket connection"
        text = f"Unhandled exception in FastAPI {what}"
        record.emit(name, text, SeverityNumber.ERROR, exception=error, attributes=record.where() or None)


def kind_of(error: BaseException) -> str:
    """Name an exception's class as attributes do."""
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def normal_end(error: BaseException) -> bool:
    """Whether it only says that a WebSocket was closed in the normal way."""
    return isinstance(error, WebSocketDisconnect) and error.code in {1000, 1001}
