"""HTTP requests and WebSocket connections as OpenTelemetry sees them (its conventions 1.44): a span, two metrics."""

from __future__ import annotations

import os
from contextlib import nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from opentelemetry import _logs, metrics, propagate, trace
from opentelemetry import context as otel
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import SpanKind, StatusCode

from data_bridge import observing
from data_bridge.datastructures import Headers
from data_bridge.datastructures.url import DEFAULT_PORTS
from data_bridge.fastapi import __version__
from data_bridge.observing import SCOPE_KEY
from data_bridge.telemetry import record
from data_bridge.telemetry.record import CONTEXT_KEY, Record, failed, kind_of, normal_end, unconfigured

if TYPE_CHECKING:
    from data_bridge.telemetry import TelemetryConfig
    from data_bridge.types import ASGIApp, Message, Receive, Scope, Send

observing._record = record  # from now on its hooks do something

_NAMES = ("fastapi", __version__)
_CONVENTIONS = "https://opentelemetry.io/schemas/1.44.0"
_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"))
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
#: Signatures of cloud storage, which a span may not carry.
_SECRET_PARAMETERS = frozenset(
    ("X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "sig", "X-Goog-Signature")
)


class _HeadersGetter(Getter[Headers]):
    """Reads the caller's context. All values of ``baggage`` as one, because its propagator looks at the first only."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        values = carrier.getlist(key)
        return [",".join(values)] if values and key.lower() == "baggage" else values or None

    def keys(self, carrier: Headers) -> list[str]:
        return carrier.keys()


def is_instrumented(stack: Any) -> bool:
    """Whether OpenTelemetry's own middleware is in a built stack: then it tells of the requests, and we do not."""
    seen: set[int] = set()
    while stack is not None and id(stack) not in seen:
        seen.add(id(stack))
        kind = type(stack)
        if (kind.__module__, kind.__name__) == ("opentelemetry.instrumentation.asgi", "OpenTelemetryMiddleware"):
            return True
        stack = getattr(stack, "app", None)
    return False


class NativeTelemetry:
    """Tells of an app's requests. Makes its tracer and its instruments anew when their provider is another."""

    def __init__(self, config: TelemetryConfig) -> None:
        self.config = config
        named = os.environ.get("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "").strip()
        self._methods = frozenset(filter(None, map(str.strip, named.split(",")))) if named else _METHODS
        self._made: dict[str, tuple[Any, Any]] = {}

    def enabled(self) -> bool:
        """Whether anybody listens."""
        return bool(self._tracing() or self._metering() or self._logging())

    def _tracing(self) -> Any:
        return self._live(
            "tracing", self.config["tracer_provider"], trace.get_tracer_provider, trace.NoOpTracerProvider
        )

    def _metering(self) -> Any:
        return self._live(
            "metrics", self.config["meter_provider"], metrics.get_meter_provider, metrics.NoOpMeterProvider
        )

    def _logging(self) -> Any:
        return self._live("logs", self.config["logger_provider"], _logs.get_logger_provider, _logs.NoOpLoggerProvider)

    def _live(self, switch: str, given: Any, get: Any, nothing: Any) -> Any:
        """Give the signal's provider, or None where it is switched off or leads nowhere."""
        if not self.config[switch]:  # type: ignore[literal-required]
            return None
        provider = given if given is not None else get()
        leads_nowhere = isinstance(provider, nothing) or (given is None and unconfigured(provider))
        return None if leads_nowhere else provider

    async def __call__(
        self, *, app: ASGIApp, scope: Scope, receive: Receive, send: Send, legacy_otel: bool = False
    ) -> None:
        """Run ``app`` for one request; with ``legacy_otel`` OpenTelemetry's own middleware tells of it."""
        exclude = self.config["exclude"]
        if exclude is not None and exclude(scope):
            await _untold(app, scope, receive, send)
            return
        tracing, metering, logging = self._tracing(), self._metering(), self._logging()
        if legacy_otel or not (tracing or logging or (metering and scope["type"] == "http")):
            await app(scope, receive, send)
            return
        told = _Told(scope, self._methods)
        if metering and not told.is_websocket:
            told.measure(*self._instruments(metering))
        context = propagate.extract(Headers(scope=scope), getter=_HeadersGetter()) if tracing else None
        outer = otel.attach(context) if context is not None else None
        try:
            told.start(self._tracer(tracing) if tracing else None, context, parts=self.config["operation_spans"])
            if logging:
                told.record.logger = _logs.get_logger(*_NAMES, self.config["logger_provider"], schema_url=_CONVENTIONS)
            await told.run(app, receive, send)
        finally:
            if outer is not None:
                otel.detach(outer)

    def _tracer(self, provider: Any) -> Any:
        return self._of(provider, "tracer", lambda: provider.get_tracer(*_NAMES, schema_url=_CONVENTIONS))

    def _instruments(self, provider: Any) -> Any:
        def make() -> tuple[Any, Any]:
            meter = provider.get_meter(*_NAMES, schema_url=_CONVENTIONS)
            duration = meter.create_histogram(
                "http.server.request.duration",
                unit="s",
                description="Duration of HTTP server requests.",
                explicit_bucket_boundaries_advisory=_BUCKETS,
            )
            active = meter.create_up_down_counter(
                "http.server.active_requests", unit="{request}", description="Number of active HTTP server requests."
            )
            return duration, active

        return self._of(provider, "instruments", make)

    def _of(self, provider: Any, what: str, make: Any) -> Any:
        made_by, made = self._made.get(what, (None, None))
        if made_by is not provider:
            made = make()
            self._made[what] = provider, made
        return made


async def _untold(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run an excluded request: mounted apps leave it out too, and it does not pass as part of one that is told of."""
    scope[SCOPE_KEY] = None
    token = otel.attach(otel.set_value(CONTEXT_KEY, None))
    try:
        await app(scope, receive, send)
    finally:
        otel.detach(token)
        scope.pop(SCOPE_KEY, None)


class _Told:
    """One request while it is told of: from ``start`` until the response's last message, or its failure."""

    record: Record
    _span: Any = None
    _duration: Any = None
    _active: Any = None
    _finished = False
    _disconnected = False
    _trailers = False

    def __init__(self, scope: Scope, methods: frozenset[str]) -> None:
        self._scope = scope
        self.is_websocket = scope["type"] == "websocket"
        self._sent_method = scope.get("method", "")
        self._method = self._sent_method if self._sent_method in methods else "_OTHER"
        self._attributes: dict[str, Any] = {"url.scheme": scope.get("scheme", "ws" if self.is_websocket else "http")}
        if self.is_websocket:
            self._attributes["network.protocol.name"] = "websocket"
        else:
            self._attributes["http.request.method"] = self._method
        self._begun_with = dict(self._attributes)
        if not self.is_websocket and scope.get("http_version"):
            self._attributes["network.protocol.version"] = scope["http_version"]
        self._begun = perf_counter()

    def measure(self, duration: Any, active: Any) -> None:
        """Count the request as active, and record its duration at its end."""
        self._duration, self._active = duration, active
        active.add(1, self._begun_with)

    def start(self, tracer: Any, context: otel.Context | None, *, parts: bool) -> None:
        """Begin the span, and the record."""
        name = "WS" if self.is_websocket else "HTTP" if self._method == "_OTHER" else self._method
        if tracer is not None:
            attributes = {**self._attributes, **_server(self._scope), **self._target()}
            self._span = tracer.start_span(name, context=context, kind=SpanKind.SERVER, attributes=attributes)
        root = self._scope.get("app_root_path", self._scope.get("root_path", ""))
        self.record = Record(
            span=self._span, span_method=name, tracer=tracer if parts else None, mount_prefix=root.rstrip("/")
        )

    def _target(self) -> dict[str, Any]:
        if self.is_websocket:
            return {}
        target: dict[str, Any] = {"url.path": self._scope["path"]}
        if query := self._scope.get("query_string"):
            pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
            shown = [(name, "REDACTED" if name in _SECRET_PARAMETERS else value) for name, value in pairs]
            target["url.query"] = urlencode(shown)
        if self._sent_method != self._method:
            target["http.request.method_original"] = self._sent_method
        return target

    async def run(self, app: ASGIApp, receive: Receive, send: Send) -> None:
        """Run the app within the span."""
        self._receive, self._send = receive, send
        self._scope[SCOPE_KEY] = self.record
        token = otel.attach(otel.set_value(CONTEXT_KEY, self.record))
        try:
            with _within(self._span):
                await self._watched(app)
        finally:
            self.record.data = None
            self.record.exceptions.clear()
            otel.detach(token)
            self._scope.pop(SCOPE_KEY, None)

    async def _watched(self, app: ASGIApp) -> None:
        missing: BaseException | None = None
        try:
            if self.is_websocket:
                await app(self._scope, self._receive, self._send)
            else:
                await app(self._scope, self._receiving, self._sending)
        except BaseException as error:
            failed(self._scope, error)
            self._finish(None if self.is_websocket and normal_end(error) else error)
            raise
        if not self.is_websocket:
            text = "Client disconnected" if self._disconnected else "Incomplete ASGI response"
            missing = ConnectionError(text) if self._disconnected else RuntimeError(text)
        self._finish(missing)

    async def _receiving(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._disconnected = True
        return message

    async def _sending(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self.record.status_code = message["status"]
            self._trailers = message.get("trailers", False)
        await self._send(message)
        if (
            (kind == "http.response.body" and not message.get("more_body", False) and not self._trailers)
            or (kind == "http.response.trailers" and not message.get("more_trailers", False))
            or kind == "http.response.pathsend"
        ):
            self._finish()

    def _finish(self, error: BaseException | None = None) -> None:
        if self._finished:
            return
        self._finished = True
        failure = self._failure(error)
        status = self.record.status_code
        attributes = self._attributes | self.record.where()
        if status is not None:
            attributes["http.response.status_code"] = status
        if failure:
            attributes["error.type"] = failure
        if self._span is not None:
            self._span.set_attributes(attributes)
            if failure:
                self._span.set_status(StatusCode.ERROR)
        if self._duration is not None:  # before the span ends, so that the measurement can refer to it
            self._duration.record(max(0, perf_counter() - self._begun), attributes)
            self._active.add(-1, self._begun_with)
        if self._span is not None:
            self._span.end()

    def _failure(self, error: BaseException | None) -> str | None:
        """Name what went wrong, if anything did: an exception's type, else the status."""
        status, known = self.record.status_code, self.record.exceptions
        if error is None and (self.is_websocket or (status is not None and status < 500)):  # noqa: PLR2004
            return None
        cause = error or (known[-1] if known else None)
        return kind_of(cause) if cause else str(status or "incomplete_response")


def _within(span: Any) -> Any:
    if span is None:
        return nullcontext()
    return trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False)


def _server(scope: Scope) -> dict[str, Any]:
    """Name the server as the client does, by its Host header; by its address where there is none."""
    host = Headers(scope=scope).get("host")
    if host is None:
        address, port = scope.get("server") or (None, None)
    else:
        try:
            url = urlsplit(f"//{host}")
            address, port = url.hostname, url.port
        except ValueError:  # a client may send anything
            return {}
        if url.username is not None or url.path or url.query or url.fragment:
            return {}
        port = port if port is not None else DEFAULT_PORTS.get(scope.get("scheme", "http"))
    named = {} if address is None else {"server.address": address, "server.port": port}
    return {name: value for name, value in named.items() if value is not None}
