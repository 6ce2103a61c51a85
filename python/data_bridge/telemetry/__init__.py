"""Where the App tells OpenTelemetry what it does. Imports nothing of it: who does not use it pays one look at None.

The functions here are what routing and middleware call. They do something once `record.py` is loaded, at the first
request of a program that has configured a provider (or given one to ``App(telemetry={...})``).
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence
    from contextlib import AbstractContextManager
    from types import ModuleType

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from data_bridge.requests import Request
    from data_bridge.types import ASGIApp, Receive, Scope, Send
    from data_bridge.websockets import WebSocket

__all__ = ["TelemetryConfig", "TelemetryData", "get_telemetry_data"]

#: In a scope: what is known of the request, None where it is excluded. A mounted app sees by it that its parent tells.
SCOPE_KEY = "fastapi.telemetry"

_NOTHING = nullcontext()

#: `record`, once it is loaded.
_record: ModuleType | None = None


class TelemetryConfig(TypedDict, total=False):
    """What ``App(telemetry={...})`` takes; what is left out keeps its default. The app never shuts a provider down."""

    #: In place of the global ones.
    tracer_provider: TracerProvider | None
    meter_provider: MeterProvider | None
    logger_provider: LoggerProvider | None
    #: A span for each HTTP request and WebSocket connection (default: True).
    tracing: bool
    #: Durations and numbers of HTTP requests (default: True).
    metrics: bool
    #: Records of validation failures and unhandled exceptions, with messages and stack traces (default: True).
    logs: bool
    #: Spans for dependencies, endpoint, serialization and background tasks (default: True).
    operation_record: bool
    #: Add exporters as OTEL_… variables say (default: whether FASTAPI_OTEL_AUTO_CONFIGURE is "true").
    auto_configure: bool
    #: Takes the ASGI scope; True leaves the request out.
    exclude: Callable[[MutableMapping[str, Any]], bool] | None


@dataclass(kw_only=True)
class TelemetryData:
    """What is known of the current request, for processors that run within it: to be read and redacted."""

    #: One of the two, once the route's handler starts.
    request: Request | None = None
    websocket: WebSocket | None = None
    #: The body as it was parsed, before validation.
    body: Any = None
    #: The endpoint's arguments, once dependencies are solved.
    values: dict[str, Any] | None = None
    #: What did not fit, with the values sent.
    errors: Sequence[Any] | None = None


def config_of(given: TelemetryConfig | None) -> TelemetryConfig:
    """Give the configuration with its defaults."""
    return {
        "tracer_provider": None,
        "meter_provider": None,
        "logger_provider": None,
        "tracing": True,
        "metrics": True,
        "logs": True,
        "operation_record": True,
        "auto_configure": os.environ.get("FASTAPI_OTEL_AUTO_CONFIGURE", "").lower() == "true",
        "exclude": None,
        **(given or {}),
    }


def get_telemetry_data(context: Context | None = None) -> TelemetryData | None:
    """Give what is known of the request of this context (default: the current), None once it is finished."""
    return None if _record is None else _record.data_of(context)


def wanted(app: Any, scope: Scope) -> bool:
    """Whether somebody listens to what this app does, and the app's parent does not tell it already."""
    if "opentelemetry" not in sys.modules or SCOPE_KEY in scope:
        return False
    enabled: bool = _native(app).enabled()
    return enabled


async def observed(app: Any, call: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run ``call`` for a request, and tell of it."""
    from data_bridge.telemetry.spans import is_instrumented  # noqa: PLC0415 - imports OpenTelemetry

    if app.middleware_stack is None:
        app.middleware_stack = app.build_middleware_stack()
    scope["app"] = app
    instrumented = is_instrumented(app.middleware_stack)
    await _native(app)(app=call, scope=scope, receive=receive, send=send, legacy_otel=instrumented)


async def lifespan(app: Any, call: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run ``call`` for an app's lifespan: exporters are added before its start-up and flushed after its shutdown."""
    config = app._telemetry
    if not config["auto_configure"] and f"{__name__}.export" not in sys.modules:
        await call(scope, receive, send)
        return
    from data_bridge.telemetry import export  # noqa: PLC0415 - imports OpenTelemetry

    await export.lifespan(config=config, app=call, scope=scope, receive=receive, send=send)


def operation(name: str, function: Callable[..., Any] | None = None) -> AbstractContextManager[Any]:
    """Give a span to run a part of the current request in (``endpoint``, ``dependencies``, …)."""
    return _NOTHING if _record is None else _record.operation(name, function)


def run_endpoint(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a sync endpoint on the thread where this is called, with its span."""
    with operation("endpoint", function):
        return function(**arguments)


def route_selected(scope: Scope, path: str | None, *, mount: bool = False) -> None:
    """Tell which route answers; for a mount its part of the path, to which the child's is added."""
    if scope.get(SCOPE_KEY) is not None and path is not None and _record is not None:
        _record.route_selected(scope[SCOPE_KEY], path, mount=mount)


def validation_failed(error: Any) -> None:
    """Tell that the current request does not fit its route."""
    if _record is not None:
        _record.validation_failed(error)


def failed(scope: Scope, error: BaseException) -> None:
    """Tell of an exception that nobody handled, before the answer to it is sent."""
    if scope.get(SCOPE_KEY) is not None and _record is not None:
        _record.failed(scope, error)


def _native(app: Any) -> Any:
    native = app.__dict__.get("_native_telemetry")
    if native is None:
        from data_bridge.telemetry.spans import NativeTelemetry  # noqa: PLC0415 - imports OpenTelemetry

        native = app._native_telemetry = NativeTelemetry(app._telemetry)
    return native
