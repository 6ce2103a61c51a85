"""What a handler returned or raised, as a response."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pydantic_core import ValidationError, to_json

from ..exceptions import HTTPException, RequestValidationError, ResponseValidationError
from ..responses import JSONResponse, Response

if TYPE_CHECKING:
    from ..plan.types import Call

logger = logging.getLogger("data_bridge.error")

#: Statuses that carry no body (RFC 9110).
_BODILESS = frozenset({204, 205, 304})


def response_of(call: Call, result: Any) -> Response:
    """Make the response to ``result``.

    Raises :class:`ResponseValidationError` if it does not fit the return annotation.
    """
    if isinstance(result, Response):
        return result
    plan = call.result
    if plan.status_code in _BODILESS:
        return Response(status_code=plan.status_code, media_type="application/json")
    if plan.response_class is not None:
        return plan.response_class(result, status_code=plan.status_code)
    if isinstance(result, bytes) and plan.adapter is None:
        return Response(result, plan.status_code, media_type="application/octet-stream")
    return Response(content_of(call, result), plan.status_code, media_type="application/json")


def content_of(call: Call, result: Any) -> bytes:
    """Write ``result`` as JSON, by the return annotation where there is one."""
    adapter = call.result.adapter
    if adapter is None:
        return encode(result)
    try:
        return adapter.to_json(adapter.validate(result))
    except ValidationError as error:
        raise unfit(call, error) from error


def unfit(call: Call, error: Exception) -> Exception:
    """Turn a validator's refusal of a result into the error that names the handler."""
    if not isinstance(error, ValidationError):
        return error
    items = [{**item, "loc": ("response", *item["loc"])} for item in error.errors(include_url=False)]
    return ResponseValidationError(items, call.where)


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


def settle(call: Call, error: BaseException) -> Response:
    """Make the response to any exception; a fault is logged once, with its traceback."""
    response = failure_of(error)
    if response is None:
        logger.error("Exception in the handler at %s", call.where, exc_info=error)
        return internal_error()
    return response


def report(call: Call, error: BaseException) -> None:
    """Log a fault of what a handler left to be done after its response."""
    logger.error("Exception after the response of the handler at %s", call.where, exc_info=error)


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
