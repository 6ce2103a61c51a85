"""A request's arguments by Pydantic alone, as FastAPI finds them. Writes the errors of every 422."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from pydantic_core import ValidationError

from ..background import BackgroundTasks
from ..exceptions import HTTPException, RequestValidationError

if TYPE_CHECKING:
    from ..plan.types import Arguments, Body, Call, Param
    from ..requests import Request

_MISSING = object()


async def solve(call: Call, request: Request) -> Arguments:
    """Find the endpoint's arguments.

    Raises :class:`RequestValidationError` with all that is wrong, :class:`HTTPException` for an unreadable body.
    """
    document = await _document(request) if call.body else _MISSING
    errors: list[dict[str, Any]] = []
    arguments: dict[str, Any] = {}
    for param in call.params:
        sent = _sent(param, request)
        loc = (param.place, param.alias)
        arguments[param.name] = _value(param, sent, loc, errors)
    if call.body:
        arguments[call.body.name] = _value(call.body, document, ("body",), errors)
    if errors:
        raise RequestValidationError(errors, body=None if document is _MISSING else document)
    if call.request_name:
        arguments[call.request_name] = request
    if call.background_name:
        arguments[call.background_name] = BackgroundTasks()
    return arguments


def _sent(param: Param, request: Request) -> Any:
    source = request.query_params if param.path_index is None else request.path_params
    return source.get(param.alias, _MISSING)


def _value(plan: Param | Body, sent: Any, loc: tuple[str, ...], errors: list[dict[str, Any]]) -> Any:
    """Validate a value; what is wrong with it is added to ``errors``."""
    if sent is _MISSING:
        if plan.required:
            errors.append({"type": "missing", "loc": loc, "msg": "Field required", "input": None})
        return copy.deepcopy(plan.default)
    try:
        return plan.adapter.validate(sent) if plan.adapter else sent
    except ValidationError as error:
        errors.extend({**item, "loc": (*loc, *item["loc"])} for item in error.errors(include_url=False))
        return None


async def _document(request: Request) -> Any:
    """Read the body: parsed if it says that it is JSON, else its bytes."""
    content = await request.body()
    if not content:
        return _MISSING
    if not _is_json(request.headers.get("content-type", "")):
        return content
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        item = {
            "type": "json_invalid",
            "loc": ("body", error.pos),
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": error.msg},
        }
        raise RequestValidationError([item], body=error.doc) from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "There was an error parsing the body") from error


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    main, _, sub = media_type.partition("/")
    return main == "application" and (sub == "json" or sub.endswith("+json"))
