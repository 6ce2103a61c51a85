"""Sessions in a signed cookie: the client keeps them and can read, but not change them. Needs itsdangerous."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from ..datastructures import MutableHeaders
from ..requests import HTTPConnection

if TYPE_CHECKING:
    from ..datastructures import Secret
    from ..types import ASGIApp, Message, Receive, Scope, Send

_TWO_WEEKS = 14 * 24 * 60 * 60
_LONG_AGO = "Thu, 01 Jan 1970 00:00:00 GMT"


class Session(dict[str, Any]):
    """What the client keeps, and whether that was looked at or changed."""

    accessed = False
    modified = False

    def mark_accessed(self) -> None:
        """Note that the answer depends on the session."""
        self.accessed = True

    def mark_modified(self) -> None:
        """Note that the session is to be sent, as changes inside of its values need."""
        self.accessed = self.modified = True

    def __setitem__(self, key: str, value: Any) -> None:
        self.mark_modified()
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self.mark_modified()
        super().__delitem__(key)

    def __ior__(self, other: Any, /) -> Session:  # type: ignore[override,misc]
        self.update(other)
        return self

    def clear(self) -> None:
        """Remove everything: the client's cookie is removed too."""
        self.mark_modified()
        super().clear()

    def pop(self, key: str, *default: Any) -> Any:
        """Remove a value and give it."""
        if key in self:
            self.mark_modified()
        return super().pop(key, *default)

    def popitem(self) -> tuple[str, Any]:
        """Remove the last item and give it."""
        item = super().popitem()
        self.mark_modified()
        return item

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Give a value, which is ``default`` if there was none."""
        if key not in self:
            self.mark_modified()
        return super().setdefault(key, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several values."""
        self.mark_modified()
        super().update(*args, **kwargs)


class SessionMiddleware:
    """Gives each connection its ``session`` (see :class:`Session`), and sends what was changed.

    ``max_age`` is in seconds; None keeps the session for as long as the browser runs.
    """

    def __init__(
        self,
        app: ASGIApp,
        secret_key: str | Secret,
        session_cookie: str = "session",
        max_age: int | None = _TWO_WEEKS,
        path: str = "/",
        same_site: Literal["lax", "strict", "none"] = "lax",
        https_only: bool = False,
        domain: str | None = None,
        partitioned: bool = False,
    ) -> None:
        self.app = app
        library = _library()
        self.signer = library.TimestampSigner(str(secret_key))
        self._refused = library.BadSignature
        self.session_cookie = session_cookie
        self.max_age = max_age
        self.path = path
        flags = [
            "httponly",
            f"samesite={same_site}",
            "secure" if https_only else "",
            f"domain={domain}" if domain is not None else "",
            "partitioned" if partitioned else "",
        ]
        self.security_flags = "; ".join(flag for flag in flags if flag)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the session, hand the connection on, and send the session back if it was changed."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        sent = self._read(HTTPConnection(scope).cookies.get(self.session_cookie))
        scope["session"] = Session(sent or {})

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._write(scope["session"], message, had_one=sent is not None)
            await send(message)

        await self.app(scope, receive, send_with_cookie)

    def _read(self, cookie: str | None) -> Any:
        """Give what the cookie holds; None where there is none that we signed, not too long ago."""
        if cookie is None:
            return None
        try:
            return json.loads(b64decode(self.signer.unsign(cookie.encode(), max_age=self.max_age)))
        except self._refused:
            return None

    def _write(self, session: Session, message: Message, *, had_one: bool) -> None:
        message.setdefault("headers", [])
        headers = MutableHeaders(scope=message)
        if session.accessed:
            headers.add_vary_header("Cookie")
        if session.modified and session:
            data = self.signer.sign(b64encode(json.dumps(session).encode())).decode()
            life = "" if self.max_age is None else f"Max-Age={self.max_age}; "
        elif session.modified and had_one:
            data, life = "null", f"expires={_LONG_AGO}; "
        else:
            return
        cookie = f"{self.session_cookie}={data}; path={self.path}; {life}{self.security_flags}"
        headers.append("Set-Cookie", cookie)


def _library() -> Any:
    try:
        return import_module("itsdangerous")
    except ModuleNotFoundError:
        raise RuntimeError("SessionMiddleware needs itsdangerous: pip install itsdangerous") from None
