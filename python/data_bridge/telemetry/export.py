"""Exporters from the environment (`OTEL_EXPORTER_OTLP_…`), added to whatever providers there are.

Only where ``auto_configure`` asks for it. Ours are flushed and closed.
What somebody else configured is kept, never closed, never looked into.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from data_bridge.exceptions import FastAPIError
from data_bridge.telemetry.record import unconfigured

if TYPE_CHECKING:
    from data_bridge.telemetry import TelemetryConfig
    from data_bridge.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("fastapi")  # whose users know what to expect there

_lock = threading.RLock()
#: What we made and must close.
_owned: list[Any] = []
#: Signals with the providers that have our exporter, so that a second app does not add another.
_configured: list[tuple[str, Any]] = []

_EXPLICITLY = "explicitly and pass telemetry={'auto_configure': False} to FastAPI()."
_LAST_WORDS = frozenset(("lifespan.shutdown.complete", "lifespan.shutdown.failed", "lifespan.startup.failed"))


async def lifespan(*, config: TelemetryConfig, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run an app's lifespan: add the exporters before its start-up, flush them before its end is told."""

    async def configuring() -> Message:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                _configure_from_environment(config)
            except Exception as error:  # noqa: BLE001 - an app serves without its exporters rather than not at all
                logger.warning("FastAPI automatic telemetry configuration failed: %s", error)
        return message

    async def flushing(message: Message) -> None:
        if message["type"] in _LAST_WORDS and _owned:
            await asyncio.to_thread(_flush)
        await send(message)

    await app(scope, configuring, flushing)


def _flush() -> None:
    for component in tuple(_owned):
        _attempt(component.force_flush)


@atexit.register
def _shutdown() -> None:
    with _lock:
        owned = tuple(_owned)
        _owned.clear()
    for component in owned:
        _attempt(component.shutdown)


def _attempt(cleanup: Any) -> None:
    try:
        cleanup()
    except Exception:
        logger.exception("FastAPI telemetry cleanup failed")


def _export_endpoint(signal: str) -> str | None:
    """Give where ``TRACES``, ``METRICS`` or ``LOGS`` go, if anywhere. Raises ``FastAPIError`` for what we cannot do."""
    exporter = (os.environ.get(f"OTEL_{signal}_EXPORTER") or "otlp").strip().lower()
    endpoint = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    if not endpoint and (base := os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")):
        endpoint = f"{base.removesuffix('/')}/v1/{signal.lower()}"
    if not endpoint or exporter == "none":
        return None
    if exporter != "otlp":
        raise FastAPIError(
            f"FastAPI automatic telemetry supports OTEL_{signal}_EXPORTER=otlp or none. "
            f"Configure other exporters {_EXPLICITLY}"
        )
    variables = f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"
    if next(filter(None, map(os.environ.get, variables)), "http/protobuf") != "http/protobuf":
        raise FastAPIError(
            "FastAPI automatic telemetry requires the OTLP http/protobuf protocol. "
            f"Configure other transports {_EXPLICITLY}"
        )
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FastAPIError(f"Invalid OTLP {signal.lower()} endpoint. Use an absolute HTTP or HTTPS URL.")
    return endpoint


def _configure_from_environment(config: TelemetryConfig) -> None:
    """Add an exporter for each signal that the configuration and the environment ask for. Raises ``FastAPIError``."""
    if not config["auto_configure"] or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    asked = (
        ("TRACES", config["tracing"], config["tracer_provider"]),
        ("METRICS", config["metrics"], config["meter_provider"]),
        ("LOGS", config["logs"], config["logger_provider"]),
    )
    with _lock:
        wanted = [(signal, given, _export_endpoint(signal)) for signal, switched_on, given in asked if switched_on]
        if not any(endpoint for _, _, endpoint in wanted):
            return
        try:
            from data_bridge.telemetry import signals  # noqa: PLC0415 - imports OpenTelemetry's SDK and exporters
        except ImportError as error:
            raise FastAPIError(
                "Automatic OpenTelemetry export requires opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http. "
                f"Install them, configure providers yourself, or leave it: configure {_EXPLICITLY}"
            ) from error
        for signal, given, endpoint in wanted:
            if endpoint:
                _export(signals.SIGNALS[signal], given, endpoint)


def _export(signal: Any, given: Any, endpoint: str) -> None:
    provider = _registration_provider(given if given is not None else signal.current())
    if any(name == signal.name and known is provider for name, known in _configured):
        return
    if given is None and unconfigured(provider):
        made = signal.provider(signal.component(endpoint))
        current = signal.current()
        if current is made:
            _configured.append((signal.name, made))
            _owned.append(made)
            return
        made.shutdown()  # somebody else was faster: theirs gets an exporter
        provider = _registration_provider(current)
    register = getattr(provider, signal.method, None)
    if not callable(register):
        raise FastAPIError(
            f"The configured OpenTelemetry {signal.noun} provider does not support adding an OTLP exporter. "
            "Configure environment export through that provider "
            "and pass telemetry={'auto_configure': False} to FastAPI()."
        )
    component = signal.component(endpoint)
    try:
        register(component)
    except Exception:
        component.shutdown()
        raise
    _configured.append((signal.name, provider))
    _owned.append(component)


def _registration_provider(provider: Any) -> Any:
    """Give what takes a metric reader: older releases of Logfire wrap the SDK's provider in one that does not."""
    kind = type(provider)
    wraps = (kind.__module__, kind.__name__) == ("logfire._internal.metrics", "ProxyMeterProvider")
    return provider.provider if wraps and not hasattr(provider, "add_metric_reader") else provider
