"""The exceptions of data_bridge.

DataBridgeError
├── StartupFailed         the app's start-up failed: nothing was served
├── ClientDisconnected    (also an OSError) the client left before its answer was complete
├── RouteError            (also a ValueError) a route that cannot work, found at registration
├── RequestValidationError        a request that does not fit its route: 422
└── ResponseValidationError         a handler's result that does not fit its return annotation: 500

JSONEncodeError           (a TypeError) an object that JSON cannot carry
HTTPException             an answer that is raised instead of returned
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class DataBridgeError(Exception):
    """Base of every exception that data_bridge defines."""


class StartupFailed(DataBridgeError):
    """The app's start-up failed; its own exception is the cause where there is one."""


class ClientDisconnected(DataBridgeError, OSError):
    """Raised by ASGI's ``send()`` once the client has left (ASGI 2.4)."""


class RouteError(DataBridgeError, ValueError):
    """A route that cannot work. The text names the handler's file and line, what is wrong and what to do."""


class RequestValidationError(DataBridgeError):
    """A request that does not fit its route; answered with 422 in FastAPI's format.

    ``body`` is what was received as body, parsed as far as it could be.
    """

    def __init__(self, errors: Sequence[Mapping[str, Any]], *, body: Any = None) -> None:
        super().__init__(f"{len(errors)} validation error(s)")
        self.body = body
        self._errors = errors

    def errors(self) -> Sequence[Mapping[str, Any]]:
        """Pydantic's error items, each ``loc`` beginning with the parameter's place (``path``, ``query``, ``body``)."""
        return self._errors


class ResponseValidationError(DataBridgeError):
    """A handler's result that does not fit its return annotation: the handler's fault, answered with 500."""

    def __init__(self, errors: Sequence[Mapping[str, Any]], where: str) -> None:
        lines = "\n".join(f"  {error['loc']}: {error['msg']}" for error in errors)
        super().__init__(f"the result of the handler at {where} does not fit its return annotation:\n{lines}")
        self._errors = errors

    def errors(self) -> Sequence[Mapping[str, Any]]:
        """Pydantic's error items."""
        return self._errors


class JSONEncodeError(TypeError):
    """Raised by :func:`data_bridge.json.dumps`. The text says what was found, and where in the document.

    What ``default`` or an object's own code raised is the cause.
    """


class HTTPException(Exception):
    """An answer that is raised: ``{"detail": ...}`` with this status.

    ``detail`` may be anything that JSON can carry (default: the status's phrase); ``headers`` are added.
    """

    def __init__(self, status_code: int, detail: Any = None, headers: Mapping[str, str] | None = None) -> None:
        if detail is None:
            from http import HTTPStatus  # noqa: PLC0415 - its enumeration takes milliseconds of every start

            detail = HTTPStatus(status_code).phrase
        self.status_code = status_code
        self.detail = detail
        self.headers = headers
        super().__init__(status_code, self.detail)

    def __str__(self) -> str:
        return f"{self.status_code}: {self.detail}"
