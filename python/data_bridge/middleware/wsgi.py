"""A WSGI application (PEP 3333) as an ASGI app, to be mounted: each request runs in a thread."""

from __future__ import annotations

import asyncio
import io
import sys
from typing import TYPE_CHECKING, Any

from ..concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..types import Message, Receive, Scope, Send


class WSGIMiddleware:
    """Answers HTTP requests by a WSGI application. A request is read as a whole, an answer streamed."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        assert scope["type"] == "http"  # noqa: S101 - the type that users know
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        run = _Run(asyncio.get_running_loop(), send)
        await run_in_threadpool(run.run, self.app, build_environ(scope, body))


class _Run:
    """One call of the application, in its thread: each piece is sent before the next one is asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Send) -> None:
        self._loop = loop
        self._send = send
        #: What `start_response` was told, until the first byte of the body follows it.
        self._head: Message | None = None
        self._begun = False
        self._exc_info: Any = None

    def run(self, app: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> None:
        """Call the application and send what it gives. Raises what it reported by ``exc_info``."""
        pieces = app(environ, self._start_response)
        try:
            for piece in pieces:
                self._write(piece)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        self._send_head()
        self._pass_on({"type": "http.response.body", "body": b""})
        if self._exc_info is not None:
            raise self._exc_info[1].with_traceback(self._exc_info[2])

    def _start_response(
        self, status: str, response_headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if exc_info is not None:
            self._exc_info = exc_info
            if self._begun:
                raise exc_info[1].with_traceback(exc_info[2])
        elif self._head is not None:
            raise AssertionError("start_response() was called twice without exc_info")
        self._head = {
            "type": "http.response.start",
            "status": int(status.split(" ", 1)[0]),
            "headers": [
                (name.strip().lower().encode("latin-1"), value.strip().encode("latin-1"))
                for name, value in response_headers
            ],
        }
        return self._write

    def _write(self, data: bytes) -> None:
        if data:
            self._send_head()
            self._pass_on({"type": "http.response.body", "body": data, "more_body": True})

    def _send_head(self) -> None:
        if self._begun:
            return
        if self._head is None:
            raise AssertionError("the WSGI application did not call start_response()")
        self._begun = True
        self._pass_on(self._head)

    def _pass_on(self, message: Message) -> None:
        asyncio.run_coroutine_threadsafe(_sent(self._send, message), self._loop).result()


async def _sent(send: Send, message: Message) -> None:
    await send(message)


def build_environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """Make WSGI's description of a request."""
    root, path = _native(scope.get("root_path", "")), _native(scope["path"])
    if path == root or path.startswith(root.rstrip("/") + "/"):
        path = path[len(root) :]
    host, port = scope.get("server") or ("localhost", 80)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root,
        "PATH_INFO": path,
        "QUERY_STRING": scope["query_string"].decode("ascii"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.get("client"):
        environ["REMOTE_ADDR"] = scope["client"][0]
    return _with_fields(environ, scope.get("headers", []))


def _with_fields(environ: dict[str, Any], headers: Iterable[tuple[bytes, bytes]]) -> dict[str, Any]:
    """Add the header fields; those of one name are joined."""
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        key = name if name in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def _native(text: str) -> str:
    """Give text as WSGI has it: UTF-8's bytes, each as a character."""
    return text.encode().decode("latin-1")
