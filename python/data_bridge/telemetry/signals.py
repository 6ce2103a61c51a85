"""OpenTelemetry's three signals: what each is called, made and exported with. Needs the SDK and the OTLP exporters.

Names are looked up in their modules at each use: a program may have put its own there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, metrics, trace
from opentelemetry.exporter.otlp.proto.http import _log_exporter, metric_exporter, trace_exporter
from opentelemetry.sdk import _logs as sdk_logs
from opentelemetry.sdk import metrics as sdk_metrics
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import BatchSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Signal:
    """``component`` makes what exports to an address; a provider's ``method`` takes it, ``provider`` makes one."""

    name: str
    noun: str
    method: str
    current: Callable[[], Any]
    component: Callable[[str], Any]
    provider: Callable[[Any], Any]


def _tracer_provider(component: Any) -> Any:
    provider = sdk_trace.TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(component)
    trace.set_tracer_provider(provider)
    return provider


def _meter_provider(component: Any) -> Any:
    provider = sdk_metrics.MeterProvider(metric_readers=[component], shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    return provider


def _logger_provider(component: Any) -> Any:
    provider = sdk_logs.LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(component)
    _logs.set_logger_provider(provider)
    return provider


SIGNALS = {
    signal.name: signal
    for signal in (
        Signal(
            "TRACES",
            "tracer",
            "add_span_processor",
            lambda: trace.get_tracer_provider(),  # noqa: PLW0108
            lambda endpoint: BatchSpanProcessor(trace_exporter.OTLPSpanExporter(endpoint=endpoint)),
            _tracer_provider,
        ),
        Signal(
            "METRICS",
            "meter",
            "add_metric_reader",
            lambda: metrics.get_meter_provider(),  # noqa: PLW0108
            lambda endpoint: PeriodicExportingMetricReader(metric_exporter.OTLPMetricExporter(endpoint=endpoint)),
            _meter_provider,
        ),
        Signal(
            "LOGS",
            "logger",
            "add_log_record_processor",
            lambda: _logs.get_logger_provider(),  # noqa: PLW0108
            lambda endpoint: BatchLogRecordProcessor(_log_exporter.OTLPLogExporter(endpoint=endpoint)),
            _logger_provider,
        ),
    )
}
