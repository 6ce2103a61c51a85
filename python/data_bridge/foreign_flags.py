"""Flags of uvicorn, granian and gunicorn that we have not, and what to write instead. The docs derive from here."""

_ONE = "there is one of its kind here; leave it out"
_POOL = "the server needs no threads of its own; --threads is for WSGI apps"
_WINDOWS = "flow control follows the app; leave it out"
_POLL = "the system tells of changes, nothing polls; leave it out"
_RSS = "the memory in use is looked at twice a second; leave it out"

#: Each sentence follows "there is no --flag: ".
ELSEWHERE = {
    "--loop": _ONE,
    "--http": "HTTP/1.1 and HTTP/2 are both served; --no-http2 leaves out the second",
    "--ws": "WebSockets are always served; leave it out",
    "--no-ws": "WebSockets are always served; an app refuses them by closing",
    "--runtime-mode": _ONE,
    "--task-impl": _ONE,
    "--event-loop": _ONE,
    "--runtime-threads": _POOL,
    "--runtime-blocking-threads": _POOL,
    "--blocking-threads-idle-timeout": _POOL,
    "--http1-buffer-size": "--max-header-bytes is the most that a request's head may be",
    "--http1-header-read-timeout": "use --header-timeout, in seconds",
    "--http1-keep-alive": "connections are kept; --keep-alive-timeout says for how long",
    "--no-http1-keep-alive": "--keep-alive-timeout says for how long an idle connection is kept",
    "--http1-pipeline-flush": "pipelined responses always leave together; leave it out",
    "--no-http1-pipeline-flush": "pipelined responses always leave together; leave it out",
    "--http2-adaptive-window": _WINDOWS,
    "--no-http2-adaptive-window": _WINDOWS,
    "--http2-initial-connection-window-size": _WINDOWS,
    "--http2-initial-stream-window-size": _WINDOWS,
    "--http2-max-frame-size": _WINDOWS,
    "--http2-max-send-buffer-size": _WINDOWS,
    "--http2-keep-alive-interval": "--keep-alive-timeout ends idle connections; leave it out",
    "--http2-keep-alive-timeout": "--keep-alive-timeout ends idle connections; leave it out",
    "--http2-max-headers-size": "use --max-header-bytes, which holds for HTTP/2 as well",
    "--reload-delay": _POLL,
    "--reload-tick": _POLL,
    "--reload-ignore-dirs": "use --reload-exclude NAME",
    "--reload-ignore-paths": "use --reload-exclude PATTERN, by a part of the path",
    "--reload-ignore-worker-failure": "the reloader always waits for the next change; leave it out",
    "--no-reload-ignore-worker-failure": "the reloader always waits for the next change; leave it out",
    "--reload-any": "use --reload-include '*'",
    "--ssl-version": "TLS 1.2 and 1.3 are spoken; leave it out",
    "--ssl-protocol-min": "TLS 1.2 and 1.3 are spoken; leave it out",
    "--ssl-ciphers": "the ciphers are those with forward secrecy; leave it out",
    "--ciphers": "the ciphers are those with forward secrecy; leave it out",
    "--ssl-crl": "lists of revoked certificates are not read; let clients' certificates be short-lived",
    "--ssl-client-verify": "use --ssl-cert-reqs required",
    "--no-ssl-client-verify": "use --ssl-cert-reqs none",
    "--header": "let a middleware of the app's add headers, or the proxy",
    "--reset-contextvars": "each request has a context of its own; leave it out",
    "--log": "use --log-level",
    "--no-log": "use --log-level critical --no-access-log",
    "--no-factory": "leave it out",
    "--respawn-failed-workers": "workers that end are always replaced; leave it out",
    "--no-respawn-failed-workers": "workers that end are always replaced",
    "--respawn-interval": "workers are replaced at once; leave it out",
    "--rss-sample-interval": _RSS,
    "--rss-samples": _RSS,
    "--workers-max-rss": "use --max-rss, in bytes",
    "--metrics-scrape-interval": "metrics are always up to date; leave it out",
    "--worker-class": "there is one kind of worker; leave it out",
    "-k": "there is one kind of worker; leave it out",
    "--worker-connections": "use --max-connections",
    "--timeout": "use --worker-timeout (a stuck event loop) or --request-timeout (a late answer)",
    "-t": "use --worker-timeout (a stuck event loop) or --request-timeout (a late answer)",
    "--keep-alive": "use --keep-alive-timeout",
    "--preload": "workers are new interpreters, which share no imported modules; leave it out",
    "--daemon": "let systemd or the container keep it running",
    "-D": "let systemd or the container keep it running",
    "--user": "let systemd (User=) or the container choose the user",
    "--group": "let systemd (Group=) or the container choose the group",
    "--umask": "use --uds-permissions, or systemd's UMask=",
    "--chdir": "use --working-dir, or --app-dir",
    "--config": "options stand on the command line or in DATA_BRIDGE_* variables",
    "-c": "options stand on the command line or in DATA_BRIDGE_* variables",
    "--error-logfile": "errors go to stderr; --log-config sends them elsewhere",
    "--access-logfile": "the access log goes to stdout; --log-config sends it elsewhere",
}


def table() -> str:
    """Render them as the Markdown table of the reference."""
    rows = [f"| `{flag}` | {said} |" for flag, said in sorted(ELSEWHERE.items())]
    return "\n".join(["| flag | instead |", "| --- | --- |", *rows])
