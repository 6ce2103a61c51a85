"""What an App tells OpenTelemetry, and that it costs nothing where nobody listens."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from tests.support.servers import PATIENCE

from data_bridge import App, Depends, HTTPException
from data_bridge.telemetry import get_telemetry_data
from data_bridge.testclient import TestClient


class Heard:
    """Providers that keep what they get."""

    def __init__(self) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meter_provider = MeterProvider(metric_readers=[self.reader], shutdown_on_exit=False)
        self.config: Any = {"tracer_provider": self.tracer_provider, "meter_provider": self.meter_provider}

    def spans(self) -> dict[str, Any]:
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def durations(self) -> list[Any]:
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        metrics = [metric for scope in scopes for metric in scope.metrics]
        return [p for m in metrics if m.name == "http.server.request.duration" for p in m.data.data_points]


@pytest.fixture
def heard() -> Iterator[Heard]:
    providers = Heard()
    yield providers
    providers.tracer_provider.shutdown()
    providers.meter_provider.shutdown()


def test_a_request_is_a_span_with_its_parts_and_a_duration(heard: Heard) -> None:
    app = App(telemetry=heard.config)

    def user() -> str:
        return "u"

    @app.get("/items/{item_id}")
    def read(item_id: int, name: Annotated[str, Depends(user)]) -> int:
        data = get_telemetry_data()
        assert data is not None
        assert data.values == {"item_id": 7, "name": "u"}
        return item_id

    assert TestClient(app).get("/items/7?sig=secret&q=1").json() == 7
    spans = heard.spans()
    assert spans.keys() == {
        "GET /items/{item_id}",
        "fastapi.dependencies",
        "fastapi.endpoint",
        "fastapi.serialization",
    }
    server = spans["GET /items/{item_id}"]
    assert server.kind is SpanKind.SERVER
    assert server.attributes["http.route"] == "/items/{item_id}"
    assert server.attributes["url.query"] == "sig=REDACTED&q=1"
    assert all(span.parent.span_id == server.context.span_id for name, span in spans.items() if "fastapi" in name)
    (point,) = heard.durations()
    assert (point.count, point.attributes["http.response.status_code"]) == (1, 200)
    assert get_telemetry_data() is None


def test_what_nobody_handles_makes_the_span_an_error_what_is_refused_does_not(heard: Heard) -> None:
    app = App(telemetry=heard.config)

    @app.get("/broken")
    def broken() -> None:
        raise ValueError

    @app.get("/refused")
    def refused() -> None:
        raise HTTPException(403)

    client = TestClient(app, raise_server_exceptions=False)
    assert [client.get(path).status_code for path in ("/broken", "/refused")] == [500, 403]
    spans = heard.spans()
    assert spans["GET /broken"].attributes["error.type"] == "ValueError"
    assert spans["GET /broken"].status.status_code is StatusCode.ERROR
    assert spans["GET /refused"].status.status_code is StatusCode.UNSET


def test_the_callers_trace_goes_on(heard: Heard) -> None:
    app = App(telemetry=heard.config)
    app.get("/")(lambda: None)
    parent = f"00-{'1' * 32}-{'2' * 16}-01"
    TestClient(app).get("/", headers={"traceparent": parent})
    assert f"{heard.spans()['GET /'].context.trace_id:x}" == "1" * 32


def test_a_mounted_app_is_part_of_its_parents_request(heard: Heard) -> None:
    app, inner = App(telemetry=heard.config), App(telemetry=heard.config)
    inner.get("/x/{y}")(lambda y: y)
    app.mount("/inner", inner)
    TestClient(app).get("/inner/x/1")
    assert "GET /inner/x/{y}" in heard.spans()
    assert len(heard.durations()) == 1


def test_what_is_excluded_is_not_told(heard: Heard) -> None:
    app = App(telemetry=heard.config | {"exclude": lambda scope: scope["path"] == "/health"})
    app.get("/health")(lambda: None)
    TestClient(app).get("/health")
    assert not heard.spans()


def test_nothing_of_opentelemetry_is_imported_where_nobody_asks() -> None:
    code = """
import sys
from data_bridge import App
from data_bridge.testclient import TestClient
app = App()
app.get("/")(lambda: None)
with TestClient(app) as client:
    assert client.get("/").status_code == 200
assert not [name for name in sys.modules if name.startswith(("opentelemetry", "data_bridge.telemetry.spans"))]
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)


EXPORTING = """
import os, sys, types
from opentelemetry.sdk._logs import export as logs
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter
from opentelemetry.sdk.trace.export import ConsoleSpanExporter

class Named:
    def __init__(self, endpoint):
        print("to", endpoint)
        super().__init__()

def made(name, base):
    return type(name, (Named, base), {})

package = types.ModuleType("opentelemetry.exporter.otlp.proto.http")
console_logs = getattr(logs, "ConsoleLogRecordExporter", None) or logs.ConsoleLogExporter
for module, name, base in (
    ("trace_exporter", "OTLPSpanExporter", ConsoleSpanExporter),
    ("metric_exporter", "OTLPMetricExporter", ConsoleMetricExporter),
    ("_log_exporter", "OTLPLogExporter", console_logs),
):
    found = types.ModuleType(f"{package.__name__}.{module}")
    setattr(found, name, made(name, base))
    setattr(package, module, found)
    sys.modules[found.__name__] = found
for name in ("opentelemetry.exporter", "opentelemetry.exporter.otlp", "opentelemetry.exporter.otlp.proto"):
    sys.modules[name] = types.ModuleType(name)
sys.modules[package.__name__] = package

from data_bridge import App
from data_bridge.testclient import TestClient

for _ in range(2):  # the second app adds no second exporter
    app = App(telemetry={"auto_configure": True})

    @app.get("/seen")
    def seen() -> str:
        return "seen"

    with TestClient(app) as client:
        client.get("/seen")
"""


def exported(script: str = EXPORTING, **environment: str) -> "subprocess.CompletedProcess[str]":
    """What a program with these variables prints."""
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=True,
    )


def test_exporters_come_from_the_environment() -> None:
    done = exported(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318/", OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="https://logs/here"
    )
    sent = [line for line in done.stdout.splitlines() if line.startswith("to ")]
    assert sent == ["to http://collector:4318/v1/traces", "to http://collector:4318/v1/metrics", "to https://logs/here"]
    assert done.stdout.count('"name": "GET /seen"') == 2
    assert "http.server.request.duration" in done.stdout


@pytest.mark.parametrize(
    ("environment", "warning"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "supports OTEL_TRACES_EXPORTER=otlp or none"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "requires the OTLP http/protobuf protocol"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector"}, "Invalid OTLP traces endpoint"),
        ({"OTEL_SDK_DISABLED": "true"}, ""),
        ({f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}, ""),
    ],
)
def test_what_the_environment_may_not_ask_for_is_a_warning(environment: dict[str, str], warning: str) -> None:
    done = exported(**{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", **environment})
    assert "to http" not in done.stdout
    assert warning in done.stderr
    assert ("configuration failed" in done.stderr) == bool(warning)
