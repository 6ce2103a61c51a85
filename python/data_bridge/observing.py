"""Where the App tells OpenTelemetry what it does. Imports nothing of it: who does not use it pays one look at None.

The functions here are what routing and middleware call. They do something once `telemetry/record.py` is loaded, at the
first request of a program that has configured a provider (or given one to ``App(telemetry={...})``).
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import ModuleType

    from opentelemetry.context import Context

    from .telemetry import TelemetryConfig, TelemetryData
    from .types import ASGIApp, Receive, Scope, Send

#: In a scope: what is known of the request, None where it is excluded. A mounted app sees by it that its parent tells.
SCOPE_KEY = "fastapi.telemetry"

_NOTHING = nullcontext()

#: `record`, once it is loaded.
_record: ModuleType | None = None


def config_of(given: TelemetryConfig | None) -> TelemetryConfig:
    """Give the configuration with its defaults."""
    return {
        "tracer_provider": None,
        "meter_provider": None,
        "logger_provider": None,
        "tracing": True,
        "metrics": True,
        "logs": True,
        "operation_spans": True,
        "auto_configure": os.environ.get("FASTAPI_OTEL_AUTO_CONFIGURE", "").lower() == "true",
        "exclude": None,
        **(given or {}),
    }


def data(context: Context | None = None) -> TelemetryData | None:
    """Give what is known of the request of this OpenTelemetry context (default: the current)."""
    return None if _record is None else _record.data_of(context)


def note(**facts: Any) -> None:
    """Add to what is known of the current request."""
    if _record is not None and (known := _record.data_of(None)) is not None:
        for name, fact in facts.items():
            setattr(known, name, fact)


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
    if not config["auto_configure"] and "data_bridge.telemetry.export" not in sys.modules:
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
