"""What an operation answers, described. Knows no request."""

from __future__ import annotations

import copy
import inspect
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from data_bridge.defaults import value_of
from data_bridge.fields.annotations import is_starlettes
from data_bridge.openapi.constants import REF_PREFIX
from data_bridge.responses import JSONResponse
from data_bridge.utils import deep_dict_update, is_body_allowed_for_status_code

if TYPE_CHECKING:
    from data_bridge.openapi.schemas import Schemas

validation_error_definition = {
    "title": "ValidationError",
    "type": "object",
    "properties": {
        "loc": {
            "title": "Location",
            "type": "array",
            "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        },
        "msg": {"title": "Message", "type": "string"},
        "type": {"title": "Error Type", "type": "string"},
        "input": {"title": "Input"},
        "ctx": {"title": "Context", "type": "object"},
    },
    "required": ["loc", "msg", "type"],
}

validation_error_response_definition = {
    "title": "HTTPValidationError",
    "type": "object",
    "properties": {
        "detail": {"title": "Detail", "type": "array", "items": {"$ref": REF_PREFIX + "ValidationError"}},
    },
}

status_code_ranges = {
    "1XX": "Information",
    "2XX": "Success",
    "3XX": "Redirection",
    "4XX": "Client Error",
    "5XX": "Server Error",
    "DEFAULT": "Default Response",
}

_EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "data": {"type": "string"},
        "event": {"type": "string"},
        "id": {"type": "string"},
        "retry": {"type": "integer", "minimum": 0},
    },
}

_VALIDATION_ERROR = {
    "description": "Validation Error",
    "content": {"application/json": {"schema": {"$ref": REF_PREFIX + "HTTPValidationError"}}},
}


def responses_of(route: Any, schemas: Schemas) -> dict[str, Any]:
    """Describe the response that a route normally gives and those that it declares besides."""
    response_class = value_of(route.response_class)
    normal: dict[str, Any] = {"description": route.response_description}
    if is_body_allowed_for_status_code(route.status_code):
        content = _content(route, response_class, schemas)
        if content:
            normal["content"] = content
    described: dict[str, Any] = {_status(route, response_class): normal}
    for status, declared in route.responses.items():
        _add_declared(described, status, declared, route, schemas, response_class.media_type)
    return described


def add_validation_error(described: dict[str, Any]) -> bool:
    """Describe the 422 for a request that does not fit. False where the route says itself what it answers then."""
    if not described.keys().isdisjoint(("422", "4XX", "default")):
        return False
    described["422"] = copy.deepcopy(_VALIDATION_ERROR)
    return True


def _status(route: Any, response_class: Any) -> str:
    if route.status_code is not None:
        return str(route.status_code)
    parameter = inspect.signature(response_class.__init__).parameters.get("status_code")
    return str(parameter.default) if parameter is not None and isinstance(parameter.default, int) else "200"


def _content(route: Any, response_class: Any, schemas: Schemas) -> dict[str, Any]:
    item = route.stream_item_field
    if route.is_json_stream:
        return {"application/jsonl": {"itemSchema": schemas.of(item) if item else {}}}
    if route.is_sse_stream:
        return {"text/event-stream": {"itemSchema": _event(schemas.of(item) if item else None)}}
    if not response_class.media_type:
        return {}
    schema: dict[str, Any] = {"type": "string"}
    if _is_json(response_class):
        schema = schemas.of(route.response_field) if route.response_field else {}
    return {response_class.media_type: {"schema": schema}}


def _is_json(response_class: Any) -> bool:
    return isinstance(response_class, type) and (
        issubclass(response_class, JSONResponse) or is_starlettes(response_class, "JSONResponse")
    )


def _event(content: dict[str, Any] | None) -> dict[str, Any]:
    event = copy.deepcopy(_EVENT)
    if content is not None:
        event["required"] = ["data"]
        event["properties"]["data"] = {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": content,
        }
    return event


def _add_declared(
    described: dict[str, Any], status: int | str, declared: Any, route: Any, schemas: Schemas, media_type: str | None
) -> None:
    key = str(status).upper()
    response = described.setdefault("default" if key == "DEFAULT" else key, {})
    if not isinstance(declared, dict):
        raise AssertionError("An additional response must be a dict")  # noqa: TRY004 - as FastAPI raises it
    addition = copy.deepcopy({name: value for name, value in declared.items() if name != "model"})
    field = route.response_fields.get(status)
    if field:
        content = addition.setdefault("content", {}).setdefault(media_type or "application/json", {})
        deep_dict_update(content.setdefault("schema", {}), schemas.of(field))
    phrase = _phrase(status)  # in any case: it raises for what is no status
    description = addition.get("description") or response.get("description") or phrase or "Additional Response"
    deep_dict_update(response, addition)
    response["description"] = description


def _phrase(status: int | str) -> str | None:
    if of_range := status_code_ranges.get(str(status).upper()):
        return of_range
    number = int(status)
    return HTTPStatus(number).phrase if number in HTTPStatus._value2member_map_ else None
