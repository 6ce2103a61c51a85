"""What a handler returned or raised, as a response."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pydantic_core import ValidationError, to_json

from ..exceptions import HTTPException, RequestValidationError, ResponseValidationError
from ..responses import JSONResponse, Response

if TYPE_CHECKING:
    from ..plan.handler import Handler
    from ..plan.types import Operation

logger = logging.getLogger("data_bridge.error")

#: Statuses that carry no body (RFC 9110).
_BODILESS = frozenset({204, 205, 304})


def response_of(operation: Operation, result: Any) -> Response:
    """Make the response to ``result``.

    Raises :class:`ResponseValidationError` if it does not fit the return annotation.
    """
    if isinstance(result, Response):
        return result
    handler: Handler = operation.route
    if handler.status in _BODILESS:
        return Response(status_code=handler.status, media_type="application/json")
    if handler.response_class is not None:
        return handler.response_class(result, status_code=handler.status)
    if isinstance(result, bytes) and handler.adapter is None:
        return Response(result, handler.status, media_type="application/octet-stream")
    return Response(content_of(operation, result), handler.status, media_type="application/json")


def content_of(operation: Operation, result: Any) -> bytes:
    """Write ``result`` as JSON, by its type where there is one."""
    handler: Handler = operation.route
    if handler.adapter is None:
        return encode(result)
    try:
        written: bytes = handler.adapter.serializer.to_json(handler.adapter.validate(result), **dict(handler.options))
    except ValidationError as error:
        raise unfit(operation, error) from error
    return written


def unfit(operation: Operation, error: Exception) -> Exception:
    """Turn a validator's refusal of a result into the error that names the handler."""
    if not isinstance(error, ValidationError):
        return error
    items = [{**item, "loc": ("response", *item["loc"])} for item in error.errors(include_url=False)]
    return ResponseValidationError(items, _where(operation))


def encode(content: Any) -> bytes:
    """Write any content as JSON.

    Objects that JSON does not know are taken as their attributes; NaN and the infinities become null.
    """
    serializer = getattr(type(content), "__pydantic_serializer__", None)
    if serializer is not None:
        written: bytes = serializer.to_json(content, by_alias=True)
        return written
    return to_json(content, by_alias=True, fallback=attributes, inf_nan_mode="null")


def failure_of(error: BaseException) -> Response | None:
    """Make the response to an exception that stands for one; None for a fault of the handler."""
    if isinstance(error, HTTPException):
        if error.status_code < 200 or error.status_code in _BODILESS:  # noqa: PLR2004 - informational
            return Response(status_code=error.status_code, headers=error.headers)
        return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
    if isinstance(error, RequestValidationError):
        return Response(encode({"detail": error.errors()}), 422, media_type="application/json")
    return None


def settle(operation: Operation, error: BaseException) -> Response:
    """Make the response to any exception; a fault is logged once, with its traceback."""
    response = failure_of(error)
    if response is None:
        logger.error("Exception in the handler at %s", _where(operation), exc_info=error)
        return internal_error()
    return response


def report(operation: Operation, error: BaseException) -> None:
    """Log a fault of what a handler left to be done after its response."""
    logger.error("Exception after the response of the handler at %s", _where(operation), exc_info=error)


def _where(operation: Operation) -> str:
    handler: Handler = operation.route
    return handler.where


def internal_error() -> Response:
    """Answer a fault: its text belongs in the log, not in the response."""
    return Response("Internal Server Error", 500, media_type="text/plain")


def too_late() -> Response:
    """Answer for a handler that took longer than its route's ``timeout``, in the server's own words."""
    return Response("the request took too long", 504, media_type="text/plain")


def attributes(value: Any) -> Any:
    """Find a stand-in for what has no form in JSON. Raises ``ValueError`` if the object has no attributes either."""
    try:
        return dict(value)
    except (TypeError, ValueError):
        pass
    try:
        return vars(value)
    except TypeError:
        raise ValueError(f"{type(value).__name__} has no form in JSON") from None
