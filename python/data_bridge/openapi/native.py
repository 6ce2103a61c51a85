"""Native handlers in the OpenAPI document: their own descriptions, which the SDK derives from Rust's types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from data_bridge.openapi.outputs import validation_error_definition, validation_error_response_definition

if TYPE_CHECKING:
    from data_bridge.routing.native_handler import NativeHandlerRoute

_REFERENCE = "#/components/schemas/"


def operations_of(route: NativeHandlerRoute, definitions: dict[str, Any]) -> dict[str, Any]:
    """Describe a route by its methods; its schemas are added to ``definitions``."""
    said = _renamed(route, definitions)
    parameters = [
        {"name": param["name"] or name, "in": "path", "required": True, "schema": param["schema"]}
        for name, param in zip(route.param_convertors, said["path"], strict=True)
    ]
    operation: dict[str, Any] = {
        "summary": said["summary"] or route.name.replace("_", " ").title(),
        "responses": said["responses"] or {"200": {"description": "Successful Response"}},
    }
    if said["description"]:
        operation["description"] = said["description"]
    if all_parameters := parameters + said["parameters"]:
        operation["parameters"] = all_parameters
    if said["body"]:
        operation["requestBody"] = said["body"]
    if "422" in operation["responses"]:
        definitions.setdefault("ValidationError", validation_error_definition)
        definitions.setdefault("HTTPValidationError", validation_error_response_definition)
    methods = sorted(route.methods or ())
    # HEAD is said of no other route either, unless it is all that there is.
    shown = [method for method in methods if method != "HEAD"] or methods
    return {method.lower(): {**operation, "operationId": _identifier(route, method)} for method in shown}


def _renamed(route: NativeHandlerRoute, definitions: dict[str, Any]) -> dict[str, Any]:
    """Give the description, its schemas under names that nobody else has, and add them."""
    text = json.dumps(route.description)
    for name, schema in route.description["schemas"].items():
        if name in definitions and definitions[name] != schema:
            text = text.replace(f'"{_REFERENCE}{name}"', f'"{_REFERENCE}{route.name}__{name}"')
    said: dict[str, Any] = json.loads(text)
    for name, schema in said["schemas"].items():
        taken = name in definitions and definitions[name] != route.description["schemas"][name]
        definitions[f"{route.name}__{name}" if taken else name] = schema
    return said


def _identifier(route: NativeHandlerRoute, method: str) -> str:
    place = "".join(letter if letter.isalnum() else "_" for letter in route.path_format)
    return f"{route.name}{place}_{method.lower()}"
