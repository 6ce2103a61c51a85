"""The exceptions of data_bridge.

DataBridgeError
├── StartupFailed         the app's start-up failed: nothing was served
├── ClientDisconnected    (also an OSError) the client left before its answer was complete
├── RouteError            (also a ValueError) a route that cannot work, found at registration
│   ├── DeclarationError  (also an AssertionError) a parameter or path that cannot be declared so
│   └── FastAPIError      (also a RuntimeError) the same under FastAPI's name
│       ├── DependencyScopeError
│       └── PydanticV1NotSupportedError
└── ValidationException
    ├── RequestValidationError           a request that does not fit its route: 422
    ├── WebSocketRequestValidationError  a handshake that does not: 1008
    └── ResponseValidationError          a handler's result that does not fit its return annotation: 500

JSONEncodeError           (a TypeError) an object that JSON cannot carry
BaseHTTPException         an answer that is raised instead of returned, by the framework too (404, 405)
└── HTTPException         … by an endpoint or a dependency
WebSocketException        a close code that is raised
FastAPIDeprecationWarning (a UserWarning) a name or a way that has a successor
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from .interop import both

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self


class DataBridgeError(Exception):
    """Base of every exception that data_bridge defines."""


class StartupFailed(DataBridgeError):
    """The app's start-up failed; its own exception is the cause where there is one."""


class ClientDisconnected(DataBridgeError, OSError):
    """The client has left: raised by ASGI's ``send()`` (ASGI 2.4) and while a request's body is read."""


class RouteError(DataBridgeError, ValueError):
    """A route that cannot work. The text names the handler's file and line, what is wrong and what to do."""


class EndpointContext(TypedDict, total=False):
    """Which endpoint a request had reached: named at the end of a validation error's text."""

    function: str
    path: str
    file: str
    line: int


class ValidationException(DataBridgeError):
    """Data that does not fit what an endpoint declares.

    ``endpoint_ctx`` says which endpoint, so that a log line leads to it.
    """

    def __init__(self, errors: Sequence[Any], *, endpoint_ctx: EndpointContext | None = None) -> None:
        super().__init__(errors)
        self._errors = errors
        context = endpoint_ctx or {}
        self.endpoint_ctx = endpoint_ctx
        self.endpoint_function = context.get("function")
        self.endpoint_path = context.get("path")
        self.endpoint_file = context.get("file")
        self.endpoint_line = context.get("line")

    def errors(self) -> Sequence[Any]:
        """Pydantic's error items, each ``loc`` beginning with the parameter's place (``path``, ``query``, ``body``)."""
        return self._errors

    def _where(self) -> str:
        path = self.endpoint_path
        if self.endpoint_file and self.endpoint_line and self.endpoint_function:
            place = f'  File "{self.endpoint_file}", line {self.endpoint_line}, in {self.endpoint_function}'
            return f"{place}\n    {path}" if path else place
        return f"  Endpoint: {path}" if path else ""

    def __str__(self) -> str:
        plural = "" if len(self._errors) == 1 else "s"
        lines = [f"{len(self._errors)} validation error{plural}:", *(f"  {error}" for error in self._errors)]
        return "\n".join([*lines, "", self._where()] if self._where() else lines).rstrip()


class RequestValidationError(ValidationException):
    """A request that does not fit its route; answered with 422 in FastAPI's format.

    ``body`` is what was received as body, parsed as far as it could be.
    """

    def __init__(self, errors: Sequence[Any], *, body: Any = None, endpoint_ctx: EndpointContext | None = None) -> None:
        super().__init__(errors, endpoint_ctx=endpoint_ctx)
        self.body = body


class WebSocketRequestValidationError(ValidationException):
    """A handshake that does not fit its route; the connection is closed with 1008."""


class ResponseValidationError(ValidationException):
    """A handler's result, ``body``, that does not fit its return annotation: the handler's fault, answered with 500."""

    def __init__(self, errors: Sequence[Any], *, body: Any = None, endpoint_ctx: EndpointContext | None = None) -> None:
        super().__init__(errors, endpoint_ctx=endpoint_ctx)
        self.body = body


class DeclarationError(RouteError, AssertionError):
    """A declaration that cannot be meant: FastAPI asserts the same."""


def require(fact: object, text: str) -> None:
    """Raise :class:`DeclarationError` with ``text`` unless ``fact`` is true."""
    if not fact:
        raise DeclarationError(text)


class FastAPIError(RouteError, RuntimeError):
    """An application that is put together wrongly; the name is that under which FastAPI's users know it."""


class DependencyScopeError(FastAPIError):
    """A dependency of scope ``request`` that needs one of scope ``function``, which ends before it."""


class PydanticV1NotSupportedError(FastAPIError):
    """A model of ``pydantic.v1``."""


class FastAPIDeprecationWarning(UserWarning):
    """Something that FastAPI deprecated; shown by default, unlike a ``DeprecationWarning``."""


class JSONEncodeError(TypeError):
    """Raised by :func:`data_bridge.json.dumps`. The text says what was found, and where in the document.

    What ``default`` or an object's own code raised is the cause.
    """


class BaseHTTPException(Exception):
    """An answer that is raised. A handler registered for this class also gets those that the router raises.

    ``detail`` is the status's phrase by default; ``headers`` are added to the answer. Starlette's ``except``
    catches it too.
    """

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Make one that is Starlette's too where the program has that."""
        kind: type[Self] = both(cls, "starlette.exceptions.HTTPException")
        return super().__new__(kind, *args)

    def __init__(self, status_code: int, detail: Any = None, headers: Mapping[str, str] | None = None) -> None:
        self.status_code = status_code
        self.detail = _phrase(status_code) if detail is None else detail
        self.headers = headers
        Exception.__init__(self, status_code, self.detail)  # of Starlette's class, there is nothing to be set up

    def __str__(self) -> str:
        return f"{self.status_code}: {self.detail}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status_code={self.status_code!r}, detail={self.detail!r})"


class HTTPException(BaseHTTPException):
    """An answer that an endpoint or a dependency raises: ``{"detail": ...}`` with this status.

    ``detail`` may be anything that JSON can carry.
    """


class WebSocketException(Exception):
    """Closes a WebSocket with this code (RFC 6455, 7.4.1) and reason."""

    def __init__(self, code: int, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason or ""
        super().__init__(code, self.reason)

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, reason={self.reason!r})"


def _phrase(status_code: int) -> str:
    from http import HTTPStatus  # noqa: PLC0415 - its enumeration takes milliseconds of every start

    try:
        return HTTPStatus(status_code).phrase
    except ValueError:
        return ""


def __getattr__(name: str) -> Any:
    """Make the empty models that older code names in its handlers; Pydantic is imported for them only."""
    if name not in ("RequestErrorModel", "WebSocketErrorModel"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pydantic import create_model  # noqa: PLC0415 - the loop alone needs no Pydantic

    return globals().setdefault(name, create_model(name.removesuffix("ErrorModel")))
