"""The request as an application sees it, over an ASGI scope and `receive`. Knows no route.

Each part is made when it is first asked for, and kept.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, NoReturn, cast

from typing_extensions import TypeVar

from .datastructures import URL, Address, Headers, QueryParams, State
from .exceptions import ClientDisconnected, HTTPException
from .polling import poll

if TYPE_CHECKING:
    from collections.abc import Callable

    from .forms import FormData
    from .forms.awaited import Form
    from .types import Message, Receive, Scope, Send

#: Starlette's name of it.
ClientDisconnect = ClientDisconnected

_T = TypeVar("_T")
StateT = TypeVar("StateT", bound=Mapping[str, Any] | State, default=State)

#: What a promised resource's request has of the one that it is promised to.
_PUSHED_FIELDS = ("accept", "accept-encoding", "accept-language", "cache-control", "user-agent")

_stdlib_loads = json.loads


class HTTPConnection(Mapping[str, Any], Generic[StateT]):
    """What a request and a WebSocket have in common; as a mapping it is the scope."""

    def __init__(self, scope: Scope, receive: Receive | None = None) -> None:
        if scope["type"] not in ("http", "websocket"):
            raise AssertionError(f"a connection of type {scope['type']!r} has no request")
        self.scope = scope

    def __getitem__(self, key: str) -> Any:
        return self.scope[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scope)

    def __len__(self) -> int:
        return len(self.scope)

    # A connection equals itself alone, whatever its scope says.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def app(self) -> Any:
        """The application that answers."""
        return self.scope["app"]

    @property
    def url(self) -> URL:
        """The whole URL, by the ``Host`` field that the client sent."""
        return self._kept("_url", lambda: URL(scope=self.scope))

    @property
    def base_url(self) -> URL:
        """The URL that the application's own paths are below."""
        return self._kept("_base_url", self._make_base_url)

    def _make_base_url(self) -> URL:
        # An application that is mounted in another one has a longer root path than its URLs.
        root = self.scope.get("app_root_path", self.scope.get("root_path", ""))
        path = root if root.endswith("/") else root + "/"
        return URL(scope={**self.scope, "path": path, "query_string": b"", "root_path": root})

    @property
    def headers(self) -> Headers:
        """The header fields."""
        return self._kept("_headers", lambda: Headers(scope=self.scope))

    @property
    def query(self) -> str:
        """The query as received, without its question mark."""
        return cast("bytes", self.scope.get("query_string", b"")).decode("latin-1")

    @property
    def query_params(self) -> QueryParams:
        """The query's pairs, decoded."""
        return self._kept("_query_params", lambda: QueryParams(self.scope["query_string"]))

    @property
    def path(self) -> str:
        """The path, percent-decoded, without the query."""
        return cast("str", self.scope["path"])

    @property
    def path_params(self) -> dict[str, Any]:
        """The values of the path's parameters, converted where the path names a converter."""
        return cast("dict[str, Any]", self.scope.get("path_params", {}))

    @property
    def scheme(self) -> str:
        """``http``, ``https``, ``ws`` or ``wss``."""
        return cast("str", self.scope.get("scheme", "http"))

    @property
    def http_version(self) -> str:
        """``1.0``, ``1.1`` or ``2``."""
        return cast("str", self.scope.get("http_version", "1.1"))

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that the client sent."""
        return self._kept("_cookies", self._parse_cookies)

    def _parse_cookies(self) -> dict[str, str]:
        from .cookies import cookie_parser  # noqa: PLC0415 - imported when the first cookie is read

        return {name: value for field in self.headers.getlist("cookie") for name, value in cookie_parser(field).items()}

    @property
    def client(self) -> Address | None:
        """The peer; None where the connection has no such address (a Unix socket)."""
        client = self.scope.get("client")
        return None if client is None else Address(*client)

    @property
    def session(self) -> dict[str, Any]:
        """What the session middleware keeps for this client."""
        session: dict[str, Any] = self._of_middleware("session", "SessionMiddleware")
        mark = getattr(session, "mark_accessed", None)
        if mark is not None:
            mark()
        return session

    @property
    def auth(self) -> Any:
        """What the authentication middleware allows."""
        return self._of_middleware("auth", "AuthenticationMiddleware")

    @property
    def user(self) -> Any:
        """Whom the authentication middleware found."""
        return self._of_middleware("user", "AuthenticationMiddleware")

    def _of_middleware(self, key: str, middleware: str) -> Any:
        if key not in self.scope:
            raise AssertionError(f"{middleware} must be installed to access request.{key}")
        return self.scope[key]

    @property
    def state(self) -> StateT:
        """What the lifespan left for every request, and what others added to this one."""
        return cast("StateT", self._kept("_state", lambda: State(self.scope.setdefault("state", {}))))

    def url_for(self, name: str, /, **path_params: Any) -> URL:
        """Give the URL of the route of this name. Raises what the router raises if there is none."""
        routes = self.scope.get("router") or self.scope.get("app")
        if routes is None:
            raise RuntimeError("The `url_for` method can only be used inside a Starlette application or with a router.")
        url: URL = routes.url_path_for(name, **path_params).make_absolute_url(base_url=self.base_url)
        return url

    def _kept(self, name: str, make: Callable[[], _T]) -> _T:
        kept: _T
        try:
            kept = self.__dict__[name]
        except KeyError:
            kept = self.__dict__[name] = make()
        return kept


async def empty_receive() -> NoReturn:
    """Refuse: the request was made without its body."""
    raise RuntimeError("Receive channel has not been made available")


async def empty_send(message: Message) -> NoReturn:
    """Refuse: the request was made without a way to answer."""
    raise RuntimeError("Send channel has not been made available")


class Request(HTTPConnection[StateT]):
    """One request."""

    _body: bytes
    _json: Any

    def __init__(self, scope: Scope, receive: Receive = empty_receive, send: Send = empty_send) -> None:
        super().__init__(scope)
        if scope["type"] != "http":
            raise AssertionError(f"a connection of type {scope['type']!r} is no request")
        self._receive = receive
        self._send = send
        self._stream_consumed = False
        self._is_disconnected = False
        self._form: FormData | None = None

    @property
    def method(self) -> str:
        """The method, as sent: ``GET``."""
        return cast("str", self.scope["method"])

    def accepts(self, *media_types: str) -> str | None:
        """Give the one of ``media_types`` that the client takes best (``Accept``); None where it takes none of them."""
        from .negotiation import choose  # noqa: PLC0415 - for those who ask

        return choose(", ".join(self.headers.getlist("accept")), media_types)

    @property
    def receive(self) -> Receive:
        """The connection's ASGI ``receive``."""
        return self._receive

    async def stream(self) -> AsyncIterator[bytes]:
        """Give the body piece by piece, as it arrives; an empty piece ends it. It can be consumed once.

        Raises ``RuntimeError`` if it was consumed before and :class:`~data_bridge.exceptions.ClientDisconnected` if the
        client leaves before its end.
        """
        if hasattr(self, "_body"):
            yield self._body
            yield b""
            return
        if self._stream_consumed:
            raise RuntimeError("Stream consumed")
        while not self._stream_consumed:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._is_disconnected = True
                raise ClientDisconnected
            if message["type"] != "http.request":
                continue
            self._stream_consumed = not message.get("more_body", False)
            if chunk := message.get("body", b""):
                yield chunk
        yield b""

    async def body(self) -> bytes:
        """Give the whole body; it may be asked for again."""
        if not hasattr(self, "_body"):
            async with aclosing(self.stream()) as stream:  # type: ignore[type-var]
                self._body = b"".join([chunk async for chunk in stream])
        return self._body

    async def json(self) -> Any:
        """Parse the body as JSON. Raises ``json.JSONDecodeError``, a ``ValueError``, if it is none."""
        if not hasattr(self, "_json"):
            self._json = _loads(await self.body())
        return self._json

    def form(self, *, max_files: float = 1000, max_fields: float = 1000, max_part_size: int = 1024 * 1024) -> Form:
        """Parse the body as a form: to be awaited, or entered by ``async with``, which closes its files at the end.

        ``max_part_size`` is the limit of a field, in bytes; files have none. Raises
        :class:`~data_bridge.exceptions.HTTPException` (400) for what is no form or has too much.
        """
        from .forms.awaited import Form  # noqa: PLC0415 - an application without forms starts without them

        return Form(self._get_form(max_files=max_files, max_fields=max_fields, max_part_size=max_part_size))

    async def _get_form(
        self, *, max_files: float = 1000, max_fields: float = 1000, max_part_size: int = 1024 * 1024
    ) -> FormData:
        if self._form is not None:
            return self._form
        from .forms import MultiPartException, parse_form  # noqa: PLC0415 - as above

        try:
            async with aclosing(self.stream()) as stream:  # type: ignore[type-var]
                self._form = await parse_form(
                    self.headers, stream, max_files=max_files, max_fields=max_fields, max_part_size=max_part_size
                )
        except MultiPartException as error:
            if "app" not in self.scope:
                raise
            raise HTTPException(status_code=400, detail=error.message) from error
        return self._form

    async def close(self) -> None:
        """Close the files of the form, if one was parsed."""
        if self._form is not None:
            await self._form.close()

    async def is_disconnected(self) -> bool:
        """Say whether the client has left. A message of the body that is there is lost: read the body before."""
        if not self._is_disconnected:
            message = await poll(self._receive())
            self._is_disconnected = message is not None and message["type"] == "http.disconnect"
        return self._is_disconnected

    async def send_push_promise(self, path: str) -> None:
        """Promise another resource, where the server can (HTTP/2)."""
        if "http.response.push" in self.scope.get("extensions", {}):
            fields = [
                (name.encode("latin-1"), value.encode("latin-1"))
                for name in _PUSHED_FIELDS
                for value in self.headers.getlist(name)
            ]
            await self._send({"type": "http.response.push", "path": path, "headers": fields})

    async def send_early_hints(self, link: str, /, *additional_links: str) -> None:
        """Name what the client will need (103), where the server can."""
        if "http.response.early_hint" in self.scope.get("extensions", {}):
            links = [text.encode("latin-1") for text in (link, *additional_links)]
            await self._send({"type": "http.response.early_hint", "links": links})


def _loads(body: bytes) -> Any:
    """Parse by our JSON; what it refuses is parsed, or refused in its words, by Python's."""
    if json.loads is _stdlib_loads:  # a program that has replaced it wants its own
        from . import json as fast  # noqa: PLC0415 - where JSON is asked for

        try:
            return fast.loads(body)
        except ValueError:
            pass
    return json.loads(body)


def __getattr__(name: str) -> Any:
    """Give the parser of cookies under Starlette's path."""
    if name != "cookie_parser":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .cookies import cookie_parser  # noqa: PLC0415 - imported when it is asked for

    return cookie_parser
