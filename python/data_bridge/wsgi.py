"""WSGI 1.0.1 apps (PEP 3333) as ASGI apps: each call runs in a thread of a pool, its body and response are streamed."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import io
import os
import stat
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_to_bytes

from .executor import DefaultExecutor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
    from types import TracebackType

    from .lifespan import Message
    from .settings import Settings

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Headers = list[tuple[str, str]]
    ExcInfo = tuple[type[BaseException], BaseException, TracebackType]

#: A body up to this many bytes is there before the app is called; a longer one comes while it reads.
_READ_BEFORE = 64 * 1024

#: Statuses of responses that have no body, and say no length.
_BODILESS = frozenset({204, 304})

#: What a file is read by where the server cannot send it itself.
_BLOCK = 64 * 1024


def is_wsgi(app: object, settings: Settings) -> bool:
    """Say whether ``app`` is to be called as WSGI has it. Raises ``TypeError`` where it has to be, and cannot."""
    if settings.interface == "wsgi" and not takes(app, 2):
        raise TypeError(f"{app!r} is no WSGI application, which is called as app(environ, start_response)")
    return settings.interface == "wsgi" or (settings.interface == "auto" and not takes(app, 3) and takes(app, 2))


def takes(app: Any, count: int) -> bool:
    """Say whether ``app`` can be called with ``count`` arguments, as far as its signature tells."""
    try:
        inspect.signature(app).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # something native that does not tell
        return True
    return True


class Wsgi:
    """The ASGI face of a WSGI app."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app = app
        self._several = settings.workers > 1
        self._pool = _Pool(settings.threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the lifespan's end is the pool's."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        call = _Call(self._app, _Wire(loop, receive, send), "http.response.zerocopysend" in scope["extensions"])
        environ = environ_of(scope)
        environ["wsgi.multiprocess"] = self._several
        environ["wsgi.input"] = await call.wire.body(scope["headers"])
        context = contextvars.copy_context()
        last = await self._pool.call(loop, context.run, (call.run, environ))
        for message in last:
            await send(message)

    async def _live(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        # Calls that run on have had the server's grace.
        self._pool.shutdown(wait=False, cancel_futures=True)
        await send({"type": "lifespan.shutdown.complete"})


class _Pool(DefaultExecutor):
    """So many threads that wait for calls."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self._max_workers = threads
        self._thread_name_prefix = "wsgi"


class _Wire:
    """A request's messages, as a thread of the pool sees them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, send: Send) -> None:
        self._loop = loop
        self._receive = receive
        self._send = send

    async def body(self, headers: Iterable[tuple[bytes, bytes]]) -> io.IOBase:
        """Give `wsgi.input`: the whole body where that is small, else what reads it as it comes."""
        known = dict(headers)
        length = int(known.get(b"content-length", b"0"))
        # A body that is asked for (Expect) is asked for by reading it.
        if length > _READ_BEFORE or b"transfer-encoding" in known or b"expect" in known:
            return io.BufferedReader(_Input(self), _BLOCK)
        parts, more = [], True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                break
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        return io.BytesIO(b"".join(parts))

    def receive(self) -> Message:
        """Wait for the next message."""
        message: Message = self._on_the_loop(self._receive)
        return message

    def send(self, message: Message) -> None:
        """Send a message, and wait until the client has room for more. Raises ``OSError`` where it is gone."""
        self._on_the_loop(self._send, message)

    def _on_the_loop(self, function: Callable[..., Awaitable[Any]], *arguments: Message) -> Any:
        async def wait() -> Any:
            return await function(*arguments)

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result()


class _Input(io.RawIOBase):
    """The rest of a request body, chunk by chunk."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self._chunk = memoryview(b"")
        self._more = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self._more and not self._chunk:
            message = self._wire.receive()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError("the client left before the end of the request body")
            self._chunk = memoryview(message.get("body", b""))
            self._more = message.get("more_body", False)
        count = min(len(buffer), len(self._chunk))
        buffer[:count] = self._chunk[:count]
        self._chunk = self._chunk[count:]
        return count


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class FileWrapper:
    """`wsgi.file_wrapper`: a file as an iterable, which the server sends itself where it can."""

    def __init__(self, filelike: _Readable, blksize: int = _BLOCK) -> None:
        self.filelike = filelike
        self.blksize = blksize
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> Iterator[bytes]:
        """Give the file in blocks."""
        while block := self.filelike.read(self.blksize):
            yield block

    def rest(self) -> tuple[int, int] | None:
        """Give position and length of what is left, where it is a regular file."""
        try:
            descriptor = self.filelike.fileno()  # type: ignore[attr-defined]
            found = os.fstat(descriptor)
            position = self.filelike.tell()  # type: ignore[attr-defined]
        except (AttributeError, OSError):
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return position, max(found.st_size - position, 0)


class _Call:
    """One call of the app, in its thread."""

    def __init__(self, app: Any, wire: _Wire, sends_files: bool) -> None:
        self._app = app
        self.wire = wire
        self._sends_files = sends_files
        self._head: Message | None = None
        self._started = False

    def run(self, environ: dict[str, Any]) -> list[Message]:
        """Call the app; gives the messages that are left to send, so that a short response crosses the threads once."""
        try:
            result = self._app(environ, self.start_response)
            try:
                return self._respond(result)
            finally:
                if hasattr(result, "close"):
                    result.close()
        except (SystemExit, KeyboardInterrupt) as error:
            raise RuntimeError(f"the WSGI application raised {error!r}") from error

    def start_response(self, status: str, headers: Headers, exc_info: ExcInfo | None = None) -> Callable[[bytes], None]:
        """Note the head, which goes out with the first part of the body."""
        if exc_info is not None:
            try:
                if self._started:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # or its traceback would refer to this frame
        elif self._head is not None:
            raise AssertionError("start_response() was called before: a second call needs exc_info")
        if not isinstance(status, str) or not status[:3].isdigit() or status[3:4] not in ("", " "):
            raise AssertionError(f"the status must be text such as '200 OK', not {status!r}")
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._head = {"type": "http.response.start", "status": int(status[:3]), "headers": pairs}
        return self._write

    def _respond(self, result: Iterable[bytes]) -> list[Message]:
        if isinstance(result, list | tuple) and not self._started:
            body = b"".join(result)
            self._measure(len(body))
            return [*self._begin(), _body(body, more=False)]
        if isinstance(result, FileWrapper) and self._sends_files and (rest := result.rest()):
            position, count = rest
            file = {"type": "http.response.zerocopysend", "file": result.filelike, "offset": position, "count": count}
            messages = [*self._begin(), file]
            for message in messages:
                self.wire.send(message)
            return []
        for part in result:
            if part:
                self._write(part)
        return [*self._begin(), _body(b"", more=False)]

    def _measure(self, length: int) -> None:
        """Say how long the body is, where the app has not."""
        if self._head is not None and self._head["status"] not in _BODILESS:
            headers = self._head["headers"]
            if not any(name.lower() == b"content-length" for name, _ in headers):
                headers.append((b"content-length", b"%d" % length))

    def _begin(self) -> list[Message]:
        if self._started:
            return []
        if self._head is None:
            raise AssertionError("the WSGI application did not call start_response()")
        self._started = True
        return [self._head]

    def _write(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise TypeError(f"a part of the body must be bytes, not {type(data).__name__}")
        for message in [*self._begin(), _body(data, more=True)]:
            self.wire.send(message)


def _body(data: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def environ_of(scope: Scope) -> dict[str, Any]:
    """Give a request's environ, but for what depends on the server."""
    path = unquote_to_bytes(scope["raw_path"]).decode("latin-1")
    root = scope["root_path"].encode().decode("latin-1").rstrip("/")
    if root and (path == root or path.startswith(root + "/")):
        path = path[len(root) :]
    host, port = scope["server"] or ("localhost", None)
    if port is None:  # a Unix socket's path names no server
        host, port = "localhost", 443 if scope["scheme"] == "https" else 80
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root,
        "PATH_INFO": path,
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_SOFTWARE": "data_bridge",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        # Reading ends with the body, however that is framed.
        "wsgi.input_terminated": True,
    }
    if "request_id" in scope.get("state", ()):
        environ["data_bridge.request_id"] = scope["state"]["request_id"]
    if scope["client"]:
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = scope["client"][0], str(scope["client"][1])
    for name, value in scope["headers"]:
        key = _key(name)
        if key is None:
            continue
        text = value.decode("latin-1")
        if key in environ:
            text = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        environ[key] = text
    return environ


@lru_cache(maxsize=512)
def _key(name: bytes) -> str | None:
    """Give a header's key; none for one with an underscore, which would pass for one with a hyphen."""
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
