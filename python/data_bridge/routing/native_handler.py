"""Routes that a handler in Rust answers, from the user's own module.

Our own server does so without the interpreter; here is how any other ASGI server does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .._native import NativeCall, NativeHandler
from ..exceptions import require
from ..plan.types import Native
from .api_route import Deadline
from .base import BaseRoute, Match, NoMatchFound
from .paths import compile_path, get_route_path
from .route import method_not_allowed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from ..datastructures import URLPath
    from ..types import Receive, Scope, Send


class NativeHandlerRoute(BaseRoute):
    """A path, and the handler that answers on it; of a mount also on all that is below.

    Raises ``ValueError`` where the path's parameters are not the handler's, or its module does not make what it needs.
    """

    def __init__(
        self, path: str, capsule: Any, methods: Iterable[str], timeout: float | None, *, include_in_schema: bool
    ) -> None:
        self.handler = NativeHandler(capsule)
        #: What the handler says of itself.
        self.description: dict[str, Any] = json.loads(self.handler.description)
        self.is_mount: bool = self.description["mount"]
        self.path = path.rstrip("/") if self.is_mount else path
        self.path_regex, self.path_format, self.param_convertors = compile_path(self.path or "/")
        self.name: str = self.description["name"]
        #: None where every method is the handler's.
        self.methods = None if self.is_mount else {method.upper() for method in methods}
        self.timeout = timeout
        self.include_in_schema = include_in_schema and not self.is_mount
        self._check()

    def _check(self) -> None:
        what, wanted = f"{self.path!r}: the native handler {self.name!r}", self.description["path"]
        for lacking in self.description["lacking"]:
            raise ValueError(f"{what} takes a state of type {lacking}, which its module does not make")
        require(not (self.is_mount and self.param_convertors), f"{what} is a mount, whose path has no parameters")
        names = [param["name"] for param in wanted]
        given = list(self.param_convertors)
        if not self.is_mount and wanted and (len(names) != len(given) or not set(names) <= {None, *given}):
            takes, has = ", ".join(str(name) for name in names), ", ".join(given)
            raise ValueError(f"{what} takes the path parameters ({takes}), and the path has ({has})")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match type, path and method."""
        if scope["type"] != "http":
            return Match.NONE, {}
        path = get_route_path(scope)
        if self.is_mount:
            return (Match.FULL if path == self.path or path.startswith(f"{self.path}/") else Match.NONE), {}
        if not self.path_regex.match(path):
            return Match.NONE, {}
        return (Match.FULL if scope["method"] in (self.methods or ()) else Match.PARTIAL), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer under a server that does not know native routes, or behind middleware in Python."""
        if self.methods is not None and scope["method"] not in self.methods:
            await method_not_allowed(self.methods, scope, receive, send)
            return
        app = self._answer if self.timeout is None else Deadline(self._answer, self.timeout)
        await app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = get_route_path(scope)
        found = self.path_regex.match(path)
        headers = [(bytes(name), bytes(value)) for name, value in scope["headers"]]
        call = NativeCall(
            self.handler,
            method=scope["method"],
            path=_raw_path(scope, path),
            query=bytes(scope.get("query_string", b"")),
            prefix=len(quote(self.path)) if self.is_mount else 0,
            params=list(found.groupdict().items()) if found and not self.is_mount else [],
            headers=headers,
            body_length=_body_length(headers),
            request_id=_request_id(scope),
            client=_client(scope),
            secure=scope.get("scheme") == "https",
        )
        try:
            await _Course(call, receive, send).run()
        finally:
            call.close()

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Any) -> AsyncIterator[None]:
        """Have the module make what its handlers share, and drop it at the end."""
        self.handler.start()
        try:
            yield
        finally:
            self.handler.stop()

    def natives(self, path: str) -> list[Native]:
        """Give what our own server answers by, below the prefixes of ``path``."""
        if not self.is_mount:
            methods = tuple(sorted(self.methods or ()))
            return [Native(path=path, methods=methods, handler=self.handler, timeout=self.timeout)]
        places = ([path] if path else []) + [f"{path}/{{data_bridge_rest:path}}"]
        return [Native(path=place, methods=None, handler=self.handler, timeout=self.timeout) for place in places]

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Raise :class:`NoMatchFound`: a native route has no name."""
        raise NoMatchFound(name, path_params)


class _Course:
    """One call on its way: what the handler says is sent; of what the client sends, at most a message is ahead."""

    def __init__(self, call: NativeCall, receive: Receive, send: Send) -> None:
        self._call, self._receive, self._send = call, receive, send
        self._stage = ""
        self._receiving: asyncio.Task[Any] | None = None
        #: Of the client: its body is complete, a part of it waits unread, it is gone.
        self._body_ended = self._is_ahead = self._has_left = False
        self._ear: int | None = None
        self._rung = asyncio.Event()

    async def run(self) -> None:
        try:
            while not self._has_left and await self._step():
                await self._wait()
        finally:
            if self._ear is not None:
                asyncio.get_running_loop().remove_reader(self._ear)
            if self._receiving is not None:
                self._receiving.cancel()

    async def _step(self) -> bool:
        """Let the handler go on as far as it can; say whether there is anything to wait for."""
        while True:
            messages, self._stage = self._call.poll()
            for message in messages:
                await self._send(message)
            if self._stage == "failed":
                raise RuntimeError("the native handler failed, as the log says")
            if self._stage == "done":
                return False
            if self._ear is None:
                # So far nobody could wake us: poll again, now that somebody can.
                self._ear = self._call.fileno()
                asyncio.get_running_loop().add_reader(self._ear, self._rung.set)
            elif not messages:
                return True

    async def _wait(self) -> None:
        """Wait for the handler's waker, or for the client: for a body that is wanted, for its leaving afterwards."""
        is_due = self._stage == "body" or self._body_ended or not self._is_ahead
        if self._receiving is None and is_due:
            self._receiving = asyncio.ensure_future(self._receive())
        rung = asyncio.ensure_future(self._rung.wait())
        try:
            await asyncio.wait([rung, *([self._receiving] if self._receiving else [])], return_when="FIRST_COMPLETED")
        finally:
            rung.cancel()
        self._rung.clear()
        if self._receiving is not None and self._receiving.done():
            message = self._receiving.result()
            self._receiving = None
            if message["type"] == "http.disconnect":
                self._has_left = True
                return
            self._body_ended = not message.get("more_body", False)
            self._is_ahead = self._stage != "body"
            self._call.receive(message.get("body", b""), not self._body_ended)


def _raw_path(scope: Scope, path: str) -> bytes:
    raw = scope.get("raw_path")
    if raw and not scope.get("root_path"):
        return bytes(raw)
    return quote(path, safe="/:@!$&'()*+,;=~").encode()


def _request_id(scope: Scope) -> str | None:
    """Give the server's name of the request, where it says one."""
    found = scope.get("state", {}).get("request_id")
    return found if isinstance(found, str) else None


def _client(scope: Scope) -> tuple[str, int] | None:
    """Give the client's end, where the server knows it."""
    host, port = scope.get("client") or (None, None)
    return (host, port or 0) if isinstance(host, str) else None


def _body_length(headers: list[tuple[bytes, bytes]]) -> int | None:
    """Give the length that the head announces, as the ABI has it: 0 where there is no body."""
    fields = dict(headers)
    if b"transfer-encoding" in fields:
        return None
    length = fields.get(b"content-length", b"0")
    return int(length) if length.isdigit() else None
