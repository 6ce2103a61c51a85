"""What an app tells OpenTelemetry, and how it is told to. Where it is told from: `observing.py`.

Nothing of OpenTelemetry is imported here: an app that is not observed does without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from data_bridge import observing

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from data_bridge.requests import Request
    from data_bridge.websockets import WebSocket

__all__ = ["TelemetryConfig", "TelemetryData", "get_telemetry_data"]


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
    operation_spans: bool
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


def get_telemetry_data(context: Context | None = None) -> TelemetryData | None:
    """Give what is known of the request of this context (default: the current), None once it is finished."""
    return observing.data(context)
