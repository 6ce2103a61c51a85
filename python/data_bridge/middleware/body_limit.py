"""The bound of a request's body: what exceeds it is answered with 413, and read no further.

One counter a request: limits further in (a route's, a mounted app's) replace the number, never the count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import BaseHTTPException
from .handlers import Watched

if TYPE_CHECKING:
    from ..types import ASGIApp, Message, Receive, Scope, Send

#: Where the limit in force stands, and the counter that heeds it.
MAX_BODY_SIZE_SCOPE_KEY = "starlette.max_body_size"
_COUNTER_SCOPE_KEY = "data_bridge.body_counter"

_TOO_LARGE = "Content Too Large"
_NONE = object()


class BodyTooLarge(BaseHTTPException):
    """The body is longer than allowed. Raised where it is read, so that user code may answer in its own way."""

    def __init__(self) -> None:
        super().__init__(status_code=413, detail=_TOO_LARGE)


class AlreadyRefused(Exception):
    """The answer that the app began was replaced by 413: it has nothing more to say."""


class RequestBodyLimitMiddleware:
    """Bounds the bytes of a body below it."""

    def __init__(self, app: ASGIApp, max_body_size: int) -> None:
        self.app = app
        self.max_body_size = max_body_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        before = scope.get(MAX_BODY_SIZE_SCOPE_KEY, _NONE)
        scope[MAX_BODY_SIZE_SCOPE_KEY] = self.max_body_size
        counter: _Counter | None = scope.get(_COUNTER_SCOPE_KEY)
        if counter is not None:
            counter.limit_to(self.max_body_size)
            await self.app(scope, receive, send)
            return
        counter = scope[_COUNTER_SCOPE_KEY] = _Counter(self.max_body_size, scope, receive, send)
        try:
            await self.app(scope, counter.receive, counter.send)
        except BodyTooLarge:
            if counter.begun:
                raise
            await refuse(scope, receive, send)
        except AlreadyRefused:
            pass
        finally:
            scope.pop(_COUNTER_SCOPE_KEY, None)
            if before is _NONE:
                scope.pop(MAX_BODY_SIZE_SCOPE_KEY, None)
            else:
                scope[MAX_BODY_SIZE_SCOPE_KEY] = before


class _Counter:
    """The bytes of one body so far, and the limit in force."""

    def __init__(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun = False
        self._limit = limit
        self._count = 0
        self._declared = _declared_length(scope)
        self._connection = scope, receive, send

    def limit_to(self, limit: int) -> None:
        """Heed another limit from now on, and for what was read already."""
        self._limit = limit
        if self._count > limit:
            raise BodyTooLarge

    async def receive(self) -> Message:
        """Receive the next part; refuses a body by its declared length before the first."""
        if self._declared > self._limit:
            raise BodyTooLarge
        message = await self._connection[1]()
        if message["type"] == "http.request":
            self._count += len(message.get("body", b""))
            if self._count > self._limit:
                raise BodyTooLarge
        return message

    async def send(self, message: Message) -> None:
        """Send; an app that never read a body that is too long does not get its answer through."""
        if message["type"] == "http.response.start":
            self.begun = True
            if self._declared > self._limit:
                await refuse(*self._connection)
                raise AlreadyRefused
        await self._connection[2](message)


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name.lower() == b"content-length":
            try:
                return int(value)
            except ValueError:
                break
    return 0


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 413."""
    from ..responses import PlainTextResponse  # noqa: PLC0415 - few requests need it

    await PlainTextResponse(_TOO_LARGE, status_code=413)(scope, receive, send)


def validate_max_body_size(max_body_size: Any) -> None:
    """Raise ``ValueError`` for what is no limit."""
    if max_body_size is None or (type(max_body_size) is int and max_body_size >= 0):
        return
    raise ValueError("max_body_size must be a non-negative integer or None")


def get_body_size_limit(*limits: int | None) -> int | None:
    """Give the innermost limit that was set."""
    return next((limit for limit in limits if limit is not None), None)


def get_body_limit_error(exc: BaseException) -> Exception | None:
    """Give the limit's own exception, also out of groups that hold no other."""
    if isinstance(exc, (BodyTooLarge, AlreadyRefused)):
        return exc
    if not isinstance(exc, BaseExceptionGroup) or exc.split((BodyTooLarge, AlreadyRefused))[1] is not None:
        return None
    # A 413 that was sent already comes first: nothing is to be answered any more.
    found: BaseException = exc.subgroup(AlreadyRefused) or exc
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return get_body_limit_error(found)


def wrap_app_with_body_limit(app: ASGIApp, max_body_size: int | None) -> ASGIApp:
    """Bound the bodies of an app that may read them in task groups."""
    return app if max_body_size is None else RequestBodyLimitMiddleware(_Ungrouped(app), max_body_size)


class _Ungrouped:
    """Takes the limit's exception out of its groups: the limit is read and the answer begun in different tasks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection."""
        try:
            await self.app(scope, receive, send)
        except ExceptionGroup as group:
            error = get_body_limit_error(group) if scope["type"] == "http" else None
            if error is None:
                raise
            raise error from group


class AppBodyLimitMiddleware:
    """The limit of an application. Mounted in another one, it counts with that one and answers 413 by itself."""

    def __init__(self, app: ASGIApp, max_body_size: int | None) -> None:
        self.app = wrap_app_with_body_limit(app, max_body_size)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection."""
        if MAX_BODY_SIZE_SCOPE_KEY not in scope:
            await self.app(scope, receive, send)
            return
        watched = Watched(send)
        try:
            await self.app(scope, receive, watched.send)
        except Exception as error:
            found = get_body_limit_error(error)
            if watched.begun or not isinstance(found, BodyTooLarge):
                raise
            from ..responses import JSONResponse  # noqa: PLC0415 - few requests need it

            await JSONResponse({"detail": found.detail}, status_code=found.status_code)(scope, receive, send)
