"""Every setting of a server, written once: CLI flags, environment names and the docs table derive from here."""

from __future__ import annotations

import difflib
import ipaddress
import math
import os
import re
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_args, get_type_hints

from .binds import place
from .folders import paired

if TYPE_CHECKING:
    from collections.abc import Mapping

Interface = Literal["auto", "asgi", "wsgi", "app"]
#: Several texts; a flag may be given several times, and the environment separates them by commas.
Texts = tuple[str, ...]
LifespanMode = Literal["auto", "on", "off"]
OnDisconnect = Literal["auto", "cancel", "ignore"]
ForwardedHeader = Literal["x-forwarded", "forwarded"]
CertReqs = Literal["none", "optional", "required"]

#: What other servers call a choice.
OTHER_NAMES = {
    Interface: {"asgi3": "asgi"},
    CertReqs: {"0": "none", "1": "optional", "2": "required"},
}

#: The prefix of the environment variables: ``DATA_BRIDGE_PORT`` is ``port``.
ENV_PREFIX = "DATA_BRIDGE_"

_LAST_PORT = 65535


def _setting(
    default: Any, help_text: str, *, group: str = "Server", flags: tuple[str, ...] = (), positive: bool = False
) -> Any:
    return field(default=default, metadata={"help": help_text, "group": group, "flags": flags, "positive": positive})


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``serve()``, the command line and the environment can say. Times are seconds, sizes are bytes."""

    host: str = _setting("127.0.0.1", "address or name to listen on", group="Where")
    port: int = _setting(8000, "port to listen on; 0 takes a free one", group="Where")
    bind: Texts = _setting(
        (), "listen at these instead: host:port, [address]:port, unix:/path, fd://number", group="Where", flags=("-b",)
    )
    uds: str | None = _setting(None, "listen on a Unix socket at this path instead of on host and port", group="Where")
    uds_permissions: str = _setting("666", "who may connect to it: its file's mode, in octal", group="Where")
    fd: int | None = _setting(None, "listen on this inherited socket instead of on host and port", group="Where")
    backlog: int = _setting(2048, "connections that the kernel keeps before they are accepted", group="Where")

    interface: Interface = _setting("auto", "how to call the app", group="App")
    compile: bool = _setting(True, "compile the routes of a FastAPI app", group="App")
    threads: int = _setting(
        16, "calls of a WSGI app at once, each in a thread", group="App", positive=True, flags=("--blocking-threads",)
    )
    lifespan: LifespanMode = _setting("auto", "whether to run the app's ASGI lifespan", group="App")
    on_disconnect: OnDisconnect = _setting(
        "auto",
        "handlers of clients that left: cancel, ignore (they run on), or auto: cancel GET and HEAD on compiled routes",
        group="App",
    )
    root_path: str = _setting(
        "", "path prefix that a proxy in front strips (ASGI root_path)", group="App", flags=("--url-path-prefix",)
    )

    proxy_protocol: bool = _setting(
        False, "each connection begins with a PROXY header (version 1 or 2) of a trusted proxy", group="Proxies"
    )
    proxy_headers: bool = _setting(True, "believe what trusted proxies say of client and scheme", group="Proxies")
    forwarded_allow_ips: Texts = _setting(
        ("127.0.0.1", "::1", "unix"),
        "proxies that are trusted: addresses, networks (10.0.0.0/8), unix (who comes by a Unix socket), or *",
        group="Proxies",
    )
    forwarded_header: ForwardedHeader = _setting(
        "x-forwarded",
        "what they write: x-forwarded (X-Forwarded-For and -Proto), or forwarded (RFC 7239)",
        group="Proxies",
    )

    request_id: bool = _setting(
        False,
        "give each request an id: in its response, its scope's state, its log lines; a trusted proxy's is kept",
        group="Logging",
    )
    request_id_header: str = _setting("X-Request-ID", "the header that carries it", group="Logging")
    access_log: bool = _setting(True, "log a line for each request", group="Logging")
    access_log_format: str = _setting(
        "default",
        "default, json (one object a line), or a text with gunicorn's atoms",
        group="Logging",
        flags=("--access-log-fmt", "--access-logformat"),
    )
    log_level: str = _setting("info", "critical, error, warning, info or debug", group="Logging")
    log_config: str | None = _setting(None, "logging configuration file (.ini, .json or .yaml)", group="Logging")
    use_colors: bool | None = _setting(
        None, "colour the level of log lines (by default in a terminal, where NO_COLOR is not set)", group="Logging"
    )

    metrics: bool = _setting(
        False, "count requests, for `app.metrics`; the settings below do without being asked", group="Watching"
    )
    metrics_port: int | None = _setting(
        None, "answer /metrics, /livez and /readyz at this port of their own; 0 takes a free one", group="Watching"
    )
    metrics_host: str = _setting(
        "127.0.0.1", "address or name to listen on for them", group="Watching", flags=("--metrics-address",)
    )
    metrics_path: str | None = _setting(
        None, "path on the app's own addresses that shows the metrics, for example /metrics", group="Watching"
    )
    health: bool = _setting(False, "answer /livez and /readyz on the app's own addresses", group="Watching")

    static: Texts = _setting(
        (), "serve the files of folders, without the app: /path=folder; at / the app has what is no file", group="Files"
    )
    static_path_mount: Texts = _setting((), "the same: folders, each for a path of static_path_route", group="Files")
    static_path_route: Texts = _setting(("/static",), "where those folders are served", group="Files")
    static_index: str | None = _setting(
        None,
        "the file that answers for a folder, for example index.html",
        group="Files",
        flags=("--static-path-dir-to-file",),
    )
    static_max_age: int | None = _setting(
        None,
        "seconds for which clients need not ask again (Cache-Control)",
        group="Files",
        flags=("--static-path-expires",),
    )

    compress: bool = _setting(
        False,
        "compress what shrinks (texts, JSON, ...) by zstd, br or gzip, as the client likes best",
        group="Responses",
    )
    compress_min_size: int = _setting(500, "shortest body that is compressed", group="Responses")
    server_header: bool = _setting(True, "send the Server header", group="Responses")
    date_header: bool = _setting(True, "send the Date header", group="Responses")

    header_timeout: float = _setting(10.0, "a request's head must be complete", group="Time-outs", positive=True)
    keep_alive_timeout: float = _setting(
        75.0, "an idle connection is closed", group="Time-outs", flags=("--timeout-keep-alive",)
    )
    body_timeout: float = _setting(
        30.0, "a body that somebody waits for brings no byte", group="Time-outs", positive=True
    )
    min_body_rate: int = _setting(
        500, "slowest body, in bytes per second of waiting for it; 0 lets it drip", group="Time-outs"
    )
    body_rate_grace: float = _setting(10.0, "a body is waited for before its pace counts", group="Time-outs")
    write_timeout: float = _setting(30.0, "the client takes no byte of its response", group="Time-outs", positive=True)
    request_timeout: float = _setting(
        0.0, "a response has to begin, else 504 and the handler is cancelled; 0 sets no limit", group="Time-outs"
    )
    graceful_timeout: float = _setting(
        30.0,
        "requests may finish after a stop was asked",
        group="Time-outs",
        flags=("--timeout-graceful-shutdown", "--workers-kill-timeout"),
    )
    disconnect_grace: float = _setting(0.5, "a half-closed connection counts as left", group="Time-outs")
    linger_timeout: float = _setting(
        2.0, "an answered client sends no more of its request, which is read to its end until then", group="Time-outs"
    )

    max_connections: int = _setting(10_000, "open connections before accepting pauses", group="Limits", positive=True)
    limit_concurrency: int = _setting(
        0,
        "requests at work at once before others wait in a queue; 0 sets no limit",
        group="Limits",
        flags=("--backpressure",),
    )
    queue_size: int = _setting(1000, "requests that may wait in that queue; more get 503", group="Limits")
    queue_timeout: float = _setting(5.0, "a request waits in that queue, else 503", group="Time-outs")
    max_uri: int = _setting(16 * 1024, "longest request target", group="Limits", positive=True)
    max_headers: int = _setting(100, "most header fields of a request", group="Limits", positive=True)
    max_header_bytes: int = _setting(
        64 * 1024, "largest request head", group="Limits", positive=True, flags=("--h11-max-incomplete-event-size",)
    )
    max_header_field: int = _setting(16 * 1024, "longest header or trailer field", group="Limits", positive=True)
    max_trailer_bytes: int = _setting(16 * 1024, "all trailer fields of a chunked body", group="Limits", positive=True)
    max_chunk_extensions: int = _setting(
        16 * 1024, "all chunk extensions of a chunked body", group="Limits", positive=True
    )

    http2: bool = _setting(True, "speak HTTP/2, by ALPN or to clients that begin with it in clear text", group="HTTP/2")
    http2_max_streams: int = _setting(
        100,
        "requests at once on one connection",
        group="HTTP/2",
        positive=True,
        flags=("--http2-max-concurrent-streams",),
    )
    http2_max_control_frames: int = _setting(
        1000, "frames in 10 s that cost a client nothing (PING, SETTINGS, RST_STREAM, …)", group="HTTP/2", positive=True
    )

    ws_max_size: int = _setting(16 * 1024 * 1024, "largest WebSocket message", group="WebSocket", positive=True)
    ws_max_queue: int = _setting(
        32, "messages that wait for the app before reading stops", group="WebSocket", positive=True
    )
    ws_write_buffer: int = _setting(
        1024 * 1024, "bytes that wait for the client before no message is added", group="WebSocket", positive=True
    )
    ws_max_fragments: int = _setting(131_072, "most frames of one message", group="WebSocket", positive=True)
    ws_ping_interval: float = _setting(20.0, "time between two pings; 0 sends none", group="WebSocket")
    ws_ping_timeout: float = _setting(20.0, "a pinged client stays silent; 0 waits for ever", group="WebSocket")
    ws_close_timeout: float = _setting(10.0, "the client leaves our close unanswered", group="WebSocket", positive=True)
    ws_per_message_deflate: bool = _setting(True, "compress where the client offers it", group="WebSocket")

    workers: int = _setting(1, "worker processes", group="Processes", positive=True, flags=("-w",))
    worker_timeout: float = _setting(
        30.0,
        "a worker whose event loop is stuck is replaced",
        group="Processes",
        positive=True,
        flags=("--timeout-worker-healthcheck",),
    )
    max_requests: int = _setting(
        0,
        "requests that a worker answers before another takes its place; 0 sets no limit",
        group="Processes",
        flags=("--limit-max-requests",),
    )
    max_requests_jitter: int = _setting(
        0, "up to so many more, by chance", group="Processes", flags=("--limit-max-requests-jitter",)
    )
    worker_lifetime: float = _setting(
        0.0,
        "seconds (and up to a tenth more) before another takes a worker's place",
        group="Processes",
        flags=("--workers-lifetime",),
    )
    max_rss: int = _setting(0, "bytes of memory in use from which on another takes a worker's place", group="Processes")
    pidfile: str | None = _setting(
        None,
        "file that holds the server's process id while it runs",
        group="Processes",
        flags=("--pid-file", "--pid"),
    )
    process_name: str = _setting(
        "",
        "what the processes' titles name (default: the app); whole titles need setproctitle",
        group="Processes",
    )
    debug: bool = _setting(
        False, "asyncio's debug mode, and tracebacks in answers; never where strangers come", group="Development"
    )
    reload: bool = _setting(False, "start again when the app's files change", group="Development")
    reload_dirs: Texts = _setting(
        (),
        "folders to watch (default: the app's)",
        group="Development",
        flags=("--reload-dir", "--reload-paths"),
    )
    reload_includes: Texts = _setting(
        ("*.py",), "patterns of files that count", group="Development", flags=("--reload-include",)
    )
    reload_excludes: Texts = _setting(
        (".*", "*~", "__pycache__"),
        "patterns of files that do not",
        group="Development",
        flags=("--reload-exclude", "--reload-ignore-patterns"),
    )

    ssl_certfile: str | None = _setting(
        None,
        "PEM certificate chain; several, separated by commas, are chosen from by the name the client asks for (SNI)",
        group="TLS",
        flags=("--ssl-certificate", "--certfile"),
    )
    ssl_keyfile: str | None = _setting(
        None,
        "PEM private key of each, in the same order; by default in the certificate's file",
        group="TLS",
        flags=("--keyfile",),
    )
    ssl_keyfile_password: str | None = _setting(None, "what encrypted private keys are opened with", group="TLS")
    ssl_ca_certs: str | None = _setting(
        None,
        "PEM certificates of the authorities whose clients are trusted (mTLS)",
        group="TLS",
        flags=("--ssl-ca", "--ca-certs"),
    )
    ssl_cert_reqs: CertReqs = _setting("none", "whether clients have to show a certificate", group="TLS")
    ssl_handshake_timeout: float = _setting(10.0, "a TLS handshake must be complete", group="TLS", positive=True)

    def __post_init__(self) -> None:
        """Check everything that can be checked before a socket is opened. Raises ``ValueError``."""
        hints = get_type_hints(type(self))
        for item in fields(self):
            _check(item, hints[item.name], getattr(self, item.name))
        if not 0 <= self.port <= _LAST_PORT:
            raise ValueError(f"port must be 0 to 65535, not {self.port}")
        if self.metrics_port is not None and self.metrics_port > _LAST_PORT:
            raise ValueError(f"metrics_port must be 0 to 65535, not {self.metrics_port}")
        if self.metrics_path is not None and not self.metrics_path.startswith("/"):
            raise ValueError(f"metrics_path must begin with a slash, not be {self.metrics_path!r}")
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", self.request_id_header):
            raise ValueError(f"request_id_header must be a header's name, not {self.request_id_header!r}")
        for where in self.bind:
            place(where)
        paired(self.static, self.static_path_route, self.static_path_mount)
        if not re.fullmatch("0?[0-7]{3}", self.uds_permissions):
            raise ValueError(f"uds_permissions must be a file mode such as 660, not {self.uds_permissions!r}")
        for name in self.forwarded_allow_ips:
            _check_network(name)
        if self.reload and self.workers != 1:
            raise ValueError("reload serves with one worker; leave out workers, or reload")
        self._check_tls()

    @property
    def counts(self) -> bool:
        """Whether anybody wants to know what the server does."""
        return self.metrics or self.health or self.metrics_port is not None or self.metrics_path is not None

    @property
    def folders(self) -> list[tuple[str, str]]:
        """Paths, and the folders whose files are served there."""
        return paired(self.static, self.static_path_route, self.static_path_mount)

    def _check_tls(self) -> None:
        certificates = (self.ssl_certfile or "").split(",")
        keys = (self.ssl_keyfile or self.ssl_certfile or "").split(",")
        if self.ssl_certfile is None and (self.ssl_keyfile or self.ssl_ca_certs or self.ssl_cert_reqs != "none"):
            raise ValueError("ssl_keyfile, ssl_ca_certs and ssl_cert_reqs need a certificate: set ssl_certfile")
        if len(certificates) != len(keys):
            raise ValueError(f"ssl_keyfile names {len(keys)} file(s) for {len(certificates)} of ssl_certfile")
        if self.ssl_cert_reqs != "none" and not self.ssl_ca_certs:
            raise ValueError("ssl_cert_reqs: to check clients' certificates, set ssl_ca_certs to their authorities")


def _check(item: Field[Any], kind: Any, value: Any) -> None:
    name = item.name
    choices = get_args(kind)
    if choices and all(isinstance(choice, str) for choice in choices) and value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    if kind == Texts and (isinstance(value, str) or not all(isinstance(text, str) for text in value)):
        raise ValueError(f"{name} must be several texts, for example ('*.py',), not {value!r}")
    if kind == int | None and value is not None:
        kind = int
    if kind in (int, float):
        if isinstance(value, bool) or not isinstance(value, int | kind):
            raise ValueError(f"{name} must be a number, not {value!r}")
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite, not {value}")
        if item.metadata["positive"] and value == 0:
            raise ValueError(f"{name} must be more than 0")
        if value < 0:
            raise ValueError(f"{name} must not be negative, it is {value}")


def _check_network(name: str) -> None:
    if name.strip() in ("*", "unix", "unix:"):
        return
    try:
        ipaddress.ip_network(name.strip(), strict=False)
    except ValueError:
        raise ValueError(
            f"forwarded_allow_ips: {name!r} is no address (10.0.0.1), no network (10.0.0.0/8), "
            "and neither unix (all who come by a Unix socket) nor *"
        ) from None


def environment_name(name: str) -> str:
    """Give the environment variable of a setting."""
    return ENV_PREFIX + name.upper()


def from_environment(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Read the settings that the environment names. Raises ``ValueError`` for one that cannot be read."""
    hints = get_type_hints(Settings)
    found: dict[str, Any] = {}
    for item in fields(Settings):
        raw = environ.get(environment_name(item.name))
        if raw is not None:
            try:
                found[item.name] = parse(hints[item.name], raw)
            except ValueError as error:
                raise ValueError(f"{environment_name(item.name)}={raw!r}: {error}") from None
    return found


def misspelled(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the variables that look like a setting's but are none, each with the one that was probably meant."""
    names = [item.name.upper() for item in fields(Settings)]
    rest = (name.removeprefix(ENV_PREFIX) for name in environ if name.startswith(ENV_PREFIX))
    near = {name: difflib.get_close_matches(name, names, n=1, cutoff=0.8) for name in rest if name not in names}
    return {ENV_PREFIX + name: ENV_PREFIX + found[0] for name, found in near.items() if found}


def chosen(options: Mapping[str, Any]) -> Settings:
    """Give the settings where ``options`` say more than the environment. Raises ``ValueError``."""
    return Settings(**{**from_environment(), **options})


def parse(kind: Any, raw: str) -> Any:
    """Turn the text of a flag or an environment variable into a setting's type."""
    if kind in (bool, bool | None):
        if raw.lower() in ("1", "true", "yes", "on"):
            return True
        if raw.lower() in ("0", "false", "no", "off"):
            return False
        raise ValueError("must be true or false")
    if kind == Texts:
        return tuple(text for text in raw.split(",") if text)
    if kind in (int, int | None):
        return _number(int, raw, "must be a whole number")
    if kind is float:
        return _number(float, raw, "must be a number")
    return OTHER_NAMES.get(kind, {}).get(raw, raw)


def _number(kind: type[int | float], raw: str, otherwise: str) -> int | float:
    try:
        return kind(raw)
    except ValueError:
        raise ValueError(otherwise) from None


def shown(item: Field[Any]) -> str:
    """Give a setting's default as users write it."""
    return ",".join(item.default) if isinstance(item.default, tuple) else str(item.default)


def table() -> str:
    """Render all settings as the Markdown table of the reference."""
    rows = ["| setting | flag | environment | default | meaning |", "| --- | --- | --- | --- | --- |"]
    for item in fields(Settings):
        assert item.default is not MISSING  # noqa: S101 - every setting has a default
        flag, variable = "--" + item.name.replace("_", "-"), environment_name(item.name)
        rows.append(f"| `{item.name}` | `{flag}` | `{variable}` | `{shown(item)}` | {item.metadata['help']} |")
    return "\n".join(rows)
