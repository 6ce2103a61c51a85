"""Responses with a body that is known as a whole. Knows no request and no route."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from data_bridge._native import OPT_AS_PYTHON, dumps
from data_bridge.datastructures.headers import MutableHeaders

if TYPE_CHECKING:
    from datetime import datetime

    from data_bridge.datastructures import URL
    from data_bridge.types import Message, Receive, Scope, Send

RawHeaders = list[tuple[bytes, bytes]]

#: What is awaited after the response: a `BackgroundTask`, `BackgroundTasks`, or any callable like them.
Background = Callable[[], Awaitable[None]]

SameSite = Literal["lax", "strict", "none"]


class Response:
    """A response with a body that is known as a whole.

    ``content`` is text (sent as UTF-8), bytes or None; ``media_type`` overrides that of the class; ``background`` is
    awaited after the response was sent.
    """

    media_type: str | None = None
    charset = "utf-8"
    body: bytes | memoryview
    raw_headers: RawHeaders

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: Background | None = None,
    ) -> None:
        self.status_code = status_code
        if media_type is not None:
            self.media_type = media_type
        self.background = background
        self.body = self.render(content)
        self.init_headers(headers)

    def render(self, content: Any) -> bytes | memoryview:
        """Turn the content into the body's bytes. For subclasses to override."""
        if content is None:
            return b""
        if isinstance(content, bytes):
            return content
        if isinstance(content, memoryview):
            return content.cast("B") if content.c_contiguous else content.tobytes()
        if isinstance(content, bytearray):
            return bytes(content)
        encoded: bytes = content.encode(self.charset)
        return encoded

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Set the fields: those given, and the body's length and type unless they are among them."""
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
        given = {name for name, _ in raw}
        body = getattr(self, "body", None)
        if body is not None and b"content-length" not in given and not _is_bodiless(self.status_code):
            raw.append((b"content-length", b"%d" % len(body)))
        if self.media_type is not None and b"content-type" not in given:
            raw.append((b"content-type", self._content_type(self.media_type).encode("latin-1")))
        self.raw_headers = raw

    def _content_type(self, media_type: str) -> str:
        textual = media_type.startswith("text/") and "charset=" not in media_type.lower()
        return f"{media_type}; charset={self.charset}" if textual else media_type

    @property
    def headers(self) -> MutableHeaders:
        """The header fields, to be read and changed."""
        return MutableHeaders(raw=self.raw_headers)

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: int | None = None,
        expires: datetime | str | int | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Add a ``Set-Cookie`` field (RFC 6265). ``max_age`` and an integer ``expires`` are seconds from now."""
        from data_bridge.cookies import set_cookie_value  # noqa: PLC0415 - imported when the first cookie is set

        field = set_cookie_value(
            key,
            value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )
        self.raw_headers.append((b"set-cookie", field.encode("latin-1")))

    def delete_cookie(
        self,
        key: str,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Ask the client to forget a cookie; the attributes must be those it was set with."""
        self.set_cookie(key, "", 0, 0, path, domain, secure, httponly, samesite, partitioned)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI connection; a WebSocket is refused with this response."""
        send = as_denial(send) if scope["type"] == "websocket" else send
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})
        await self.after()

    async def after(self) -> None:
        """Do the work that follows the response."""
        if self.background is not None:
            await self.background()


class PlainTextResponse(Response):
    """Text."""

    media_type = "text/plain"


class HTMLResponse(Response):
    """An HTML page."""

    media_type = "text/html"


class JSONResponse(Response):
    """Any content that Python's JSON can carry. Raises ``ValueError`` for NaN and the infinities."""

    media_type = "application/json"

    def __init__(
        self,
        content: Any,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: Background | None = None,
    ) -> None:
        super().__init__(content, status_code, headers, media_type, background)

    def render(self, content: Any) -> bytes | memoryview:
        """Serialise the content: by our JSON what it writes as Python's does, the rest by Python's."""
        try:
            return dumps(content, None, OPT_AS_PYTHON)
        except TypeError:
            pass
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


class RedirectResponse(Response):
    """A redirect to ``url``; 307 keeps the method and the body, 303 turns them into a GET."""

    def __init__(
        self,
        url: str | URL,
        status_code: int = 307,
        headers: Mapping[str, str] | None = None,
        background: Background | None = None,
    ) -> None:
        from urllib.parse import quote  # noqa: PLC0415 - an application that redirects nobody starts without it

        super().__init__(b"", status_code, headers, background=background)
        self.headers["location"] = quote(str(url), safe=":/%#?=@[]!$&'()*+,;")


def as_denial(send: Send) -> Send:
    """Send a response's messages as those that refuse a WebSocket."""

    async def send_denial(message: Message) -> None:
        if message["type"] in ("http.response.start", "http.response.body"):
            message = {**message, "type": f"websocket.{message['type']}"}
        await send(message)

    return send_denial


def _is_bodiless(status: int) -> bool:
    return status < 200 or status in (204, 304)  # noqa: PLR2004 - RFC 9110's numbers
