"""How an app answers the exceptions that stand for an answer, unless its user says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .utils import is_body_allowed_for_status_code

if TYPE_CHECKING:
    from .exceptions import RequestValidationError, WebSocketRequestValidationError
    from .requests import Request
    from .responses import JSONResponse, Response
    from .websockets import WebSocket

_POLICY_VIOLATION = 1008


async def http_exception_handler(request: Request, exc: Any) -> Response:
    """Answer with the exception's status and ``{"detail": ...}``."""
    from .responses import JSONResponse, Response  # noqa: PLC0415 - most requests end without

    headers = getattr(exc, "headers", None)
    if not is_body_allowed_for_status_code(exc.status_code):
        return Response(status_code=exc.status_code, headers=headers)
    return JSONResponse({"detail": exc.detail}, status_code=exc.status_code, headers=headers)


async def request_validation_exception_handler(
    request: Request,
    exc: RequestValidationError,
) -> JSONResponse:
    """Answer 422 with all errors."""
    from .encoders import jsonable_encoder  # noqa: PLC0415 - most requests are valid
    from .responses import JSONResponse  # noqa: PLC0415

    return JSONResponse({"detail": jsonable_encoder(exc.errors())}, status_code=422)


async def websocket_request_validation_exception_handler(
    websocket: WebSocket, exc: WebSocketRequestValidationError
) -> None:
    """Close with 1008 and all errors."""
    from .encoders import jsonable_encoder  # noqa: PLC0415 - most handshakes are valid

    await websocket.close(code=_POLICY_VIOLATION, reason=jsonable_encoder(exc.errors()))
